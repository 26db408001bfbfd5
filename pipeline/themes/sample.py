"""Articles to try themes on: files of any format that a run reads, or what a run has read."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from pipeline.config import PipelineConfig
from pipeline.manifest import MANIFEST, Manifest
from pipeline.sources.articles import read_articles
from pipeline.sources.readers import Limits, Span
from transforms.errors import ConfigError, RecordError
from transforms.logic.documents import FieldNames
from transforms.logic.language import LanguageDetector, language_of
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.records import Article, ThemeHit


class SampleArticle(NamedTuple):
    """An article, and the language that it is classified as."""

    article: Article
    language: str

    def hits(self, matcher: ThemeMatcher) -> tuple[ThemeHit, ...]:
        """The themes that *matcher* finds in it."""
        return matcher.hits(
            self.article.title,
            self.article.text,
            language=self.language,
            source=self.article.source,
        )


class Sample:
    """The articles of files and runs, read anew each time it is gone through.

    Args:
        on: Globs of files, or folders of complete runs, whose inputs are read again.
        config: How files are read; a run's are read as the run did.

    Raises:
        ConfigError: one of *on* names nothing, or a run whose manifest is no more.
    """

    def __init__(self, on: Sequence[str], config: PipelineConfig) -> None:
        # Imported here: Beam takes its time, and without a sample nobody needs it.
        from pipeline.sources.files import plan_spans, spans_of_run

        self._readings: list[tuple[list[Span], PipelineConfig]] = []
        #: How many records of the last reading were no articles.
        self.unread = 0
        files = [pattern for pattern in on if not (Path(pattern) / MANIFEST).is_file()]
        if files:
            self._readings.append((plan_spans(files, Path()), config))
        for pattern in on:
            if pattern not in files:
                names, as_it_was = _inputs_of(Path(pattern))
                self._readings.append((spans_of_run(Path(pattern), names), as_it_was))

    def __iter__(self) -> Iterator[SampleArticle]:
        self.unread = 0
        detector = LanguageDetector()
        seen_at = datetime.now(UTC).replace(microsecond=0)
        for spans, config in self._readings:
            limits = Limits(config.limits.record_bytes, config.limits.file_bytes)
            fields = FieldNames.with_overrides(config.inputs.fields)
            for article in read_articles(spans, limits, fields, seen_at):
                if isinstance(article, RecordError):
                    self.unread += 1
                else:
                    yield SampleArticle(article, language_of(article, detector))


def _inputs_of(run: Path) -> tuple[list[str], PipelineConfig]:
    try:
        manifest = Manifest.model_validate_json((run / MANIFEST).read_bytes())
        config = PipelineConfig.model_validate(manifest.config)
    except (OSError, ValidationError) as error:
        raise ConfigError(f"{run}: no run of this version: {error}") from error
    return [one.name for one in manifest.inputs], config
