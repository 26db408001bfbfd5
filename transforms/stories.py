"""From classified articles to stories."""

from collections.abc import Iterable, Iterator
from typing import Literal

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from transforms.logic.copies import connect, identity_keys
from transforms.logic.stories import tell_story
from transforms.records import ClassifiedArticle, Story


class GroupStories(beam.PTransform):
    """Make one story of the articles that are exact copies: same URL, guid or text.

    Copies of copies belong together. Takes distinct articles in the global window;
    gives the same stories whatever the order and the workers. Of an article only
    its identity keys are shuffled to find its copies; all pairs of copies meet in
    one worker, as ids alone.
    """

    def expand(self, articles: beam.PCollection[ClassifiedArticle]) -> beam.PCollection[Story]:
        roots = (
            articles
            | "Identities" >> beam.FlatMap(_identities)
            | "MeetCopies" >> beam.GroupByKey()
            | "Pairs" >> beam.FlatMap(_pairs)
            | "Gather" >> beam.GroupByKey()
            | "Connect" >> beam.FlatMap(_connect)
        )
        keyed = articles | "KeyById" >> beam.Map(_by_id)
        joined = (
            {"root": roots, "article": keyed}
            | "JoinRoots" >> beam.CoGroupByKey()
            | "Route" >> beam.ParDo(_RouteFn()).with_outputs("copies", main="single")
        )
        copies = joined.copies | "GroupCopies" >> beam.GroupByKey() | "Tell" >> beam.Map(_tell)
        return (joined.single, copies) | "Stories" >> beam.Flatten()


def _identities(article: ClassifiedArticle) -> Iterator[tuple[str, str]]:
    for key in identity_keys(article):
        yield key, article.article_id


def _pairs(element: tuple[str, Iterable[str]]) -> Iterator[tuple[str, tuple[str, str]]]:
    first, *others = sorted(set(element[1]))
    for other in others:
        yield "", (first, other)


def _connect(element: tuple[str, Iterable[tuple[str, str]]]) -> Iterator[tuple[str, str]]:
    yield from connect(element[1]).items()


def _by_id(article: ClassifiedArticle) -> tuple[str, ClassifiedArticle]:
    return article.article_id, article


class _RouteFn(beam.DoFn):
    """An article without copies is a story; one with copies goes to its root."""

    def process(
        self, element: tuple[str, dict[str, Iterable[object]]]
    ) -> Iterator[Story | TaggedOutput[Literal["copies"], tuple[str, ClassifiedArticle]]]:
        joined = element[1]
        (article,) = joined["article"]
        roots = list(joined["root"])
        if roots:
            yield TaggedOutput("copies", (roots[0], article))
        else:
            assert isinstance(article, ClassifiedArticle)  # noqa: S101 # for the type checker
            yield tell_story([article])


def _tell(element: tuple[str, Iterable[ClassifiedArticle]]) -> Story:
    return tell_story(element[1])
