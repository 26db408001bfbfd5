"""From classified articles to stories."""

from collections.abc import Iterable, Iterator
from typing import Literal

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from transforms.logic.copies import connect, identity_keys
from transforms.logic.stories import tell_story
from transforms.records import ClassifiedArticle, Story


class FindCopies(beam.PTransform):
    """Find the articles that are exact copies of another: same URL, guid or text.

    Gives (article_id, root) for each article that has copies; copies of copies have
    the same root. Takes all versions of all articles, in the global window. Of an
    article only its identity keys are shuffled, and all pairs of copies meet in one
    worker, as ids alone.
    """

    def expand(
        self, articles: beam.PCollection[ClassifiedArticle]
    ) -> beam.PCollection[tuple[str, str]]:
        return (
            articles
            | "Identities" >> beam.FlatMap(_identities)
            | "MeetCopies" >> beam.GroupByKey()
            | "Pairs" >> beam.FlatMap(_pairs)
            | "Gather" >> beam.GroupByKey()
            | "Connect" >> beam.FlatMap(_connect)
        )


class GroupStories(beam.PTransform):
    """Make one story of the articles that *copies* give one root.

    Takes distinct articles in the global window; gives the same stories whatever the
    order and the workers. Only articles with copies are shuffled.

    Args:
        copies: (article_id, root) pairs, as of `FindCopies`.
    """

    def __init__(self, copies: beam.PCollection[tuple[str, str]]) -> None:
        super().__init__()
        self._copies = copies

    def expand(self, articles: beam.PCollection[ClassifiedArticle]) -> beam.PCollection[Story]:
        routed = articles | "Route" >> beam.ParDo(
            _RouteFn(), roots=beam.pvalue.AsDict(self._copies)
        ).with_outputs("copies", main="single")
        told = routed.copies | "GroupCopies" >> beam.GroupByKey() | "Tell" >> beam.Map(_tell)
        return (routed.single, told) | "Stories" >> beam.Flatten()


def _identities(article: ClassifiedArticle) -> Iterator[tuple[str, str]]:
    if article.hits:
        for key in identity_keys(article):
            yield key, article.article_id


def _pairs(element: tuple[str, Iterable[str]]) -> Iterator[tuple[str, tuple[str, str]]]:
    first, *others = sorted(set(element[1]))
    for other in others:
        yield "", (first, other)


def _connect(element: tuple[str, Iterable[tuple[str, str]]]) -> Iterator[tuple[str, str]]:
    yield from connect(element[1]).items()


class _RouteFn(beam.DoFn):
    """An article without copies is a story; one with copies goes to its root."""

    def process(
        self, article: ClassifiedArticle, roots: dict[str, str]
    ) -> Iterator[Story | TaggedOutput[Literal["copies"], tuple[str, ClassifiedArticle]]]:
        root = roots.get(article.article_id)
        if root is None:
            yield tell_story([article])
        else:
            yield TaggedOutput("copies", (root, article))


def _tell(element: tuple[str, Iterable[ClassifiedArticle]]) -> Story:
    return tell_story(element[1])
