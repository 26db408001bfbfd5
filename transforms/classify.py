"""From articles to classified articles, each once."""

import struct
from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam

from transforms.dead_letters import GOOD, TALLY, CountingFn, Tally
from transforms.logic.classify import classify
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme
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
    """Keep one version of each article, and of those only the ones with a theme.

    Of several versions with one article_id the newest stays: by `updated_at`, else
    by a `published_at` that the article itself gave; ties go by content, so that
    the order of arrival has no say. `tally` counts `classified`, the distinct
    articles, and `duplicates`, the rest.

    Of an article without a theme a few dozen bytes cross the shuffle.
    """

    def expand(self, articles: beam.PCollection[ClassifiedArticle]) -> beam.pvalue.DoOutputsTuple:
        return (
            articles
            | "KeyById" >> beam.Map(_by_id)
            | "GroupVersions" >> beam.GroupByKey()
            | "KeepNewest" >> beam.ParDo(_KeepNewestFn()).with_outputs(TALLY, main=GOOD)
        )


_RANK = struct.Struct(">q8s")  # version time in ms; first bytes of the text hash


def _by_id(article: ClassifiedArticle) -> tuple[bytes, bytes]:
    version = article.updated_at
    if version is None and article.published_from != "reading":
        version = article.published_at
    milliseconds = int(version.timestamp() * 1000) if version else -(2**62)
    rank = _RANK.pack(milliseconds + 2**62, article.text_hash[:8].encode())
    if not article.hits:
        return article.article_id.encode(), rank
    return article.article_id.encode(), rank + article.__pydantic_serializer__.to_json(article)


class _KeepNewestFn(CountingFn):
    def process(
        self, element: tuple[bytes, Iterable[bytes]]
    ) -> Iterator[ClassifiedArticle | Tally]:
        versions = list(element[1])
        self.counts["classified"] += 1
        self.counts["duplicates"] += len(versions) - 1
        newest = versions[0] if len(versions) == 1 else max(versions)
        if len(newest) > _RANK.size:
            yield ClassifiedArticle.model_validate_json(newest[_RANK.size :])
