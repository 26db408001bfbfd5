"""From articles to classified articles, each once."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import apache_beam as beam

from transforms.dead_letters import GOOD, TALLY, CountingFn, Tally
from transforms.logic.classify import classify
from transforms.logic.packing import unpack
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme
from transforms.logic.versions import frame_of, newest
from transforms.packing import PackByKey
from transforms.records import Article, ClassifiedArticle


class ClassifyThemes(beam.PTransform):
    """Mark each article with the themes it speaks of. One comes out for each that goes in."""

    def __init__(self, themes: Sequence[Theme]) -> None:
        super().__init__()
        if not themes:
            raise ValueError("themes must hold at least one theme")
        self._themes = tuple(themes)

    def expand(self, articles: beam.PCollection[Article]) -> beam.PCollection[ClassifiedArticle]:
        return articles | "Classify" >> beam.ParDo(_ClassifyFn(self._themes))


class _ClassifyFn(beam.DoFn):
    def __init__(self, themes: tuple[Theme, ...]) -> None:
        self._themes = themes

    def setup(self) -> None:
        self._matcher = ThemeMatcher(self._themes)

    def process(self, article: Article) -> Iterator[ClassifiedArticle]:
        yield classify(article, self._matcher)


class DropDuplicates(beam.PTransform):
    """Keep the newest version of each article, and of those only the ones with a theme.

    See `logic.versions` for what is the newest, and for how little of an article
    without a theme is shuffled. `tally` counts `classified`, the distinct articles,
    and `duplicates`, the rest. For the global window.
    """

    def expand(self, articles: beam.PCollection[ClassifiedArticle]) -> beam.pvalue.DoOutputsTuple:
        return (
            articles
            | "Versions" >> PackByKey(frame_of)
            | "GroupVersions" >> beam.GroupByKey()
            | "KeepNewest" >> beam.ParDo(_KeepNewestFn()).with_outputs(TALLY, main=GOOD)
        )


class _KeepNewestFn(CountingFn):
    def process(self, element: tuple[str, Iterable[bytes]]) -> Iterator[ClassifiedArticle | Tally]:
        versions = newest(chain.from_iterable(map(unpack, element[1])))
        self.counts["classified"] += versions.distinct
        self.counts["duplicates"] += versions.read - versions.distinct
        for payload in versions.payloads:
            yield ClassifiedArticle.model_validate_json(payload)
