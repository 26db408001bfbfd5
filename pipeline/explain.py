"""Why an article matched: through the same reading, cleaning and matching as a run."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipeline.config import LoadedConfig
from pipeline.sources.readers import Limits, Span, read_span
from transforms.errors import ConfigError, RecordError
from transforms.logic.documents import FieldNames, parse_document
from transforms.logic.language import LanguageDetector
from transforms.logic.normalise import normalise
from transforms.logic.themes.explanation import ThemeExplanation
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.records import Article, RawDocument


class Explained(NamedTuple):
    """An article, and what each theme makes of it."""

    article: Article
    themes: Sequence[ThemeExplanation]


def explain(source: str, loaded: LoadedConfig, entry: int = 1) -> Explained:
    """Explain the article number *entry*, from 1, of a file; '-' is standard input.

    Raises:
        ConfigError: there is no such article; says why.
    """
    articles = _articles(source, loaded)
    try:
        for number, article in enumerate(articles, start=1):
            if number == entry:
                matcher = ThemeMatcher(loaded.themes)
                return Explained(article, matcher.explain(article.title, article.text))
    except RecordError as error:
        raise ConfigError(f"{source}: {error}") from error
    raise ConfigError(f"{source}: it has fewer than {entry} articles")


def _articles(source: str, loaded: LoadedConfig) -> Iterator[Article]:
    config = loaded.config
    limits = Limits(config.limits.record_bytes, config.limits.file_bytes)
    fields = FieldNames.with_overrides(config.inputs.fields)
    detector = LanguageDetector()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(source)
        if source == "-":
            path = Path(folder) / "stdin"
            path.write_bytes(sys.stdin.buffer.read(limits.record_bytes + 1))
        span = Span(path=str(path), name=source, size=0)
        for read in read_span(span, limits, datetime.now(UTC).replace(microsecond=0)):
            if not isinstance(read, RawDocument):
                raise read[1]
            for entry in parse_document(read, fields):
                yield normalise(entry, detector)
