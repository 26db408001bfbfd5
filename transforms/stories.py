"""From classified articles to stories."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain

import apache_beam as beam

from transforms.logic.copies import connect, identity_keys
from transforms.logic.packing import unpack
from transforms.logic.stories import outline, tell_story
from transforms.logic.versions import group_of
from transforms.packing import PackByKey
from transforms.records import ClassifiedArticle, Story, StoryArticle, ToldArticle


class GroupStories(beam.PTransform):
    """Find the articles that are exact copies, and tell each article what story it is part of.

    Copies have the same URL, guid or text, and so have copies of copies. Takes
    distinct articles in the global window; gives the same stories whatever the order
    and the workers. An article itself is shuffled once; the rest is done on outlines,
    and all pairs of copies meet in one worker.
    """

    def expand(
        self, articles: beam.PCollection[ClassifiedArticle]
    ) -> beam.PCollection[ToldArticle]:
        stories = (
            articles
            | "Identities" >> beam.FlatMap(_identities)
            | "MeetCopies" >> beam.GroupByKey()
            | "Pairs" >> beam.FlatMap(_pairs)
            | "Gather" >> beam.GroupByKey()
            | "Connect" >> beam.FlatMap(_connect)
        )
        packed = articles | "Articles" >> PackByKey(_frame_of)
        return (
            (packed, stories)
            | "MeetStories" >> beam.CoGroupByKey()
            | "Tell" >> beam.FlatMap(_tell).with_output_types(ToldArticle)
        )


def _identities(article: ClassifiedArticle) -> Iterator[tuple[str, StoryArticle]]:
    told = outline(article)
    for key in identity_keys(article):
        yield key, told


def _pairs(
    element: tuple[str, Iterable[StoryArticle]],
) -> Iterator[tuple[str, tuple[StoryArticle, StoryArticle]]]:
    first, *others = sorted(element[1], key=lambda told: told.article_id)
    for other in others:
        if other.article_id != first.article_id:
            yield "", (first, other)


def _connect(
    element: tuple[str, Iterable[tuple[StoryArticle, StoryArticle]]],
) -> Iterator[tuple[str, Story]]:
    """The stories of more than one article, each once for every group of its articles."""
    pairs = [(first.article_id, second.article_id, first, second) for first, second in element[1]]
    outlines = {one.article_id: one for *_, first, second in pairs for one in (first, second)}
    members: defaultdict[str, list[StoryArticle]] = defaultdict(list)
    for article_id, root in connect(pair[:2] for pair in pairs).items():
        members[root].append(outlines[article_id])
    for copies in members.values():
        story = tell_story(copies)
        for group in sorted({group_of(one.article_id) for one in copies}):
            yield group, story


def _frame_of(article: ClassifiedArticle) -> tuple[str, bytes]:
    return group_of(article.article_id), article.__pydantic_serializer__.to_json(article)


def _tell(
    element: tuple[str, tuple[Iterable[bytes], Iterable[Story]]],
) -> Iterator[ToldArticle]:
    _, (packs, met) = element
    stories = {one.article_id: story for story in met for one in story.articles}
    for frame in chain.from_iterable(map(unpack, packs)):
        article = ClassifiedArticle.model_validate_json(frame)
        story = stories.get(article.article_id) or tell_story([outline(article)])
        yield ToldArticle(article=article, story=story)
