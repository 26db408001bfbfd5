"""Why an article matched: through the same reading, cleaning and matching as a run."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipeline.config import LoadedConfig, PipelineConfig
from pipeline.feeds.model import is_url
from pipeline.sources.articles import articles_of, read_articles
from pipeline.sources.readers import Limits, Span
from transforms.errors import ConfigError, RecordError
from transforms.logic.documents import FieldNames
from transforms.logic.language import LanguageDetector, language_of
from transforms.logic.themes.explanation import ThemeExplanation
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.records import Article, Origin, RawDocument


class Explained(NamedTuple):
    """An article, and what each theme makes of it."""

    article: Article
    themes: Sequence[ThemeExplanation]


def explain(source: str, loaded: LoadedConfig, entry: int = 1) -> Explained:
    """Explain the article number *entry*, from 1, of a file or of what stands at an URL.

    '-' is standard input.

    Raises:
        ConfigError: there is no such article; says why.
    """
    number, broken = 0, None
    for article in _articles(source, loaded):
        if isinstance(article, RecordError):
            broken = broken or article
            continue
        number += 1
        if number == entry:
            matcher = ThemeMatcher(loaded.themes)
            language = language_of(article, LanguageDetector())
            told = article.model_copy(update={"language": language})
            return Explained(
                told,
                matcher.explain(
                    article.title, article.text, language=language, source=article.source
                ),
            )
    if broken and not number:
        raise ConfigError(f"{source}: {broken}") from broken
    raise ConfigError(f"{source}: it has fewer than {entry} articles")


def _articles(source: str, loaded: LoadedConfig) -> Iterator[Article | RecordError]:
    """The articles that stand at *source*, and what kept others from being one."""
    fields = FieldNames.with_overrides(loaded.config.inputs.fields)
    if is_url(source):
        yield from articles_of([_fetched(source, loaded.config)], fields)
        return
    sizes = loaded.config.limits
    limits = Limits(sizes.record_bytes, sizes.file_bytes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(source)
        if source == "-":
            path = Path(folder) / "stdin"
            path.write_bytes(sys.stdin.buffer.read(limits.record_bytes + 1))
        span = Span(path=str(path), name=source, size=0)
        yield from read_articles([span], limits, fields, datetime.now(UTC).replace(microsecond=0))


def _fetched(url: str, config: PipelineConfig) -> RawDocument | RecordError:
    """What stands at *url*: a page, of which its robots.txt is asked first, or a feed."""
    # Files are explained without the network's libraries.
    from pipeline.feeds.discovery import what_is
    from pipeline.feeds.fetching import fetch_settings
    from pipeline.web import FetchError, WebClient

    async def fetch() -> RawDocument | RecordError:
        async with WebClient(fetch_settings(config.fetching, config.limits.record_bytes)) as client:
            try:
                response = await client.fetch_page(url)
            except FetchError as error:
                return RecordError(error.reason, error.detail)
        kind = what_is(response.body, response.content_type)
        return RawDocument(
            origin=Origin(path=url),
            format="feed" if kind == "feed" else "html",
            payload=response.body,
            encoding=response.charset,
            seen_at=datetime.now(UTC).replace(microsecond=0),
        )

    return asyncio.run(fetch())
