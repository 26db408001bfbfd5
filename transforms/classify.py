"""From articles to classified articles, each once."""

import pickle
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Literal

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from transforms.dead_letters import (
    CHANGES,
    GOOD,
    MONITORED,
    TALLY,
    CountingFn,
    Tally,
    in_global_window,
)
from transforms.logic.classify import classify
from transforms.logic.counts import MonitoredTally
from transforms.logic.language import LanguageDetector
from transforms.logic.packing import unpack
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme
from transforms.logic.versions import frame_of, newest
from transforms.packing import PackByKey
from transforms.records import ClassifiedArticle, FreshArticle, SeenArticles


class ClassifyThemes(beam.PTransform):
    """Mark each article with its language and the themes it speaks of.

    One comes out for each that goes in.
    """

    def __init__(self, themes: Sequence[Theme]) -> None:
        super().__init__()
        if not themes:
            raise ValueError("themes must hold at least one theme")
        # Beam pickles a stage several times over: of bytes that costs nothing.
        self._themes = pickle.dumps(tuple(themes))

    def expand(
        self, articles: beam.PCollection[FreshArticle]
    ) -> beam.PCollection[ClassifiedArticle]:
        return articles | "Classify" >> beam.ParDo(_ClassifyFn(self._themes))


class _ClassifyFn(beam.DoFn):
    def __init__(self, themes: bytes) -> None:
        self._themes = themes

    def setup(self) -> None:
        self._matcher = ThemeMatcher(pickle.loads(self._themes))  # noqa: S301 # our own bytes
        self._detector = LanguageDetector()

    def process(self, article: FreshArticle) -> Iterator[ClassifiedArticle]:
        yield classify(article, self._matcher, self._detector)


class DropDuplicates(beam.PTransform):
    """Keep the newest version of each article, and of those only the ones with a theme.

    See `logic.versions` for what is the newest, and for how little of an article
    without a theme is shuffled. `tally` counts `classified`, the distinct articles,
    and `duplicates`, the rest. `changes` is what the ledger should know of the articles
    that no longer travel. `monitored` counts all distinct articles by hour, source and
    language, for `CountMonitored`. For the global window.

    Args:
        as_of: The run's place in time.
    """

    def __init__(self, as_of: datetime) -> None:
        super().__init__()
        self._as_of = as_of

    def expand(self, articles: beam.PCollection[ClassifiedArticle]) -> beam.pvalue.DoOutputsTuple:
        return (
            articles
            | "Versions" >> PackByKey(frame_of)
            | "GroupVersions" >> beam.GroupByKey()
            | "KeepNewest"
            >> beam.ParDo(_KeepNewestFn(self._as_of)).with_outputs(
                TALLY, CHANGES, MONITORED, main=GOOD
            )
        )


class _KeepNewestFn(CountingFn):
    def __init__(self, as_of: datetime) -> None:
        self._as_of = as_of

    def start_bundle(self) -> None:
        super().start_bundle()
        self._monitored = MonitoredTally()

    def finish_bundle(self) -> Iterator[TaggedOutput]:
        yield from super().finish_bundle()
        yield TaggedOutput(MONITORED, in_global_window(("", self._monitored.frame())))

    def process(
        self, element: tuple[str, Iterable[bytes]]
    ) -> Iterator[ClassifiedArticle | Tally | TaggedOutput[Literal["changes"], SeenArticles]]:
        versions = newest(chain.from_iterable(map(unpack, element[1])))
        self.counts["classified"] += versions.distinct
        self.counts["duplicates"] += versions.read - versions.distinct
        if versions.plain:
            ids, hashes, published, published_from, languages, sources = zip(
                *versions.plain, strict=True
            )
            self._monitored.add(zip(published, sources, languages, strict=True))
            change = SeenArticles(
                seen_at=self._as_of,
                article_ids=ids,
                text_hashes=hashes,
                published=published,
                published_from=published_from,
            )
            yield TaggedOutput(CHANGES, change)
        for payload in versions.payloads:
            article = ClassifiedArticle.model_validate_json(payload)
            moment = article.published_at.timestamp()
            self._monitored.add([(moment, article.source, article.language)])
            yield article
