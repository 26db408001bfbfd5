"""From articles to classified articles, each once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam
from apache_beam.utils.windowed_value import WindowedValue

from transforms.dead_letters import GOOD, TALLY, CountingFn, Tally, in_global_window
from transforms.logic.classify import classify
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme
from transforms.logic.versions import newest, pack, pack_of
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
    and `duplicates`, the rest. For the global window: what a bundle holds back is
    given out at its end.
    """

    def expand(self, articles: beam.PCollection[ClassifiedArticle]) -> beam.pvalue.DoOutputsTuple:
        return (
            articles
            | "Pack" >> beam.ParDo(_PackFn())
            | "GroupVersions" >> beam.GroupByKey()
            | "KeepNewest" >> beam.ParDo(_KeepNewestFn()).with_outputs(TALLY, main=GOOD)
        )


_PACK_BYTES = 1 << 16


class _PackFn(beam.DoFn):
    def start_bundle(self) -> None:
        self._packs: defaultdict[str, bytearray] = defaultdict(bytearray)

    def process(self, article: ClassifiedArticle) -> Iterator[tuple[str, bytes]]:
        name = pack_of(article.article_id)
        packed = self._packs[name]
        packed += pack(article)
        if len(packed) >= _PACK_BYTES:
            yield name, bytes(self._packs.pop(name))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for name, packed in self._packs.items():
            yield in_global_window((name, bytes(packed)))


class _KeepNewestFn(CountingFn):
    def process(self, element: tuple[str, Iterable[bytes]]) -> Iterator[ClassifiedArticle | Tally]:
        versions = newest(element[1])
        self.counts["classified"] += versions.distinct
        self.counts["duplicates"] += versions.read - versions.distinct
        for payload in versions.payloads:
            yield ClassifiedArticle.model_validate_json(payload)
