"""From classified articles to stories."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Literal, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from transforms.dead_letters import ANSWERS, GOOD
from transforms.earlier_runs import OpenEarlierRuns
from transforms.logic.outlines import frame_of, heads_of, outline_of
from transforms.logic.packing import unpack
from transforms.logic.stories import form_stories, outline, tell_story
from transforms.logic.versions import group_of
from transforms.packing import PackByKey
from transforms.records import Answers, Candidate, ClassifiedArticle, Story, ToldArticle


class Told(NamedTuple):
    """What comes of grouping: each article with its story, and what earlier runs said."""

    good: beam.PCollection[ToldArticle]
    answers: beam.PCollection[Answers]


class GroupStories(beam.PTransform):
    """Find the articles that are copies of one another, and tell each article its story.

    Takes distinct articles in the global window; gives the same stories whatever the
    order and the workers. An article itself is shuffled once. Stories are formed on
    outlines of some 200 bytes, of all articles with a theme, in one worker: it sees
    all copies, and asks the earlier runs in batches.

    `answers` holds what the earlier runs said, in one record.

    Args:
        open_earlier: Opens the earlier runs in a worker.
        similar: The estimated Jaccard similarity from which texts are near-copies.
    """

    def __init__(self, open_earlier: OpenEarlierRuns, similar: float) -> None:
        super().__init__()
        self._open_earlier = open_earlier
        self._similar = similar

    def expand(self, articles: beam.PCollection[ClassifiedArticle]) -> Told:
        formed = (
            articles
            | "Outlines" >> PackByKey(_outline_frame)
            | "Gather" >> beam.GroupByKey()
            | "Form"
            >> beam.ParDo(_FormFn(self._open_earlier, self._similar)).with_outputs(
                ANSWERS, main=GOOD
            )
        )
        packed = articles | "Articles" >> PackByKey(_article_frame)
        told = (
            (packed, formed.good)
            | "MeetStories" >> beam.CoGroupByKey()
            | "Tell" >> beam.FlatMap(_tell).with_output_types(ToldArticle)
        )
        return Told(told, formed.answers)


def _outline_frame(article: ClassifiedArticle) -> tuple[str, bytes]:
    return "", frame_of(outline(article))


def _article_frame(article: ClassifiedArticle) -> tuple[str, bytes]:
    return group_of(article.article_id), article.__pydantic_serializer__.to_json(article)


_ASKED_AT_ONCE = 10_000  # keys


class _FormFn(beam.DoFn):
    """Gives each story of more than one article once for every group of its articles."""

    def __init__(self, open_earlier: OpenEarlierRuns, similar: float) -> None:
        self._open_earlier = open_earlier
        self._similar = similar

    def setup(self) -> None:
        self._earlier = self._open_earlier()

    def teardown(self) -> None:
        self._earlier.close()

    def process(
        self, element: tuple[str, Iterable[bytes]]
    ) -> Iterator[tuple[str, Story] | TaggedOutput[Literal["answers"], Answers]]:
        frames = list(chain.from_iterable(map(unpack, element[1])))
        heads = heads_of(frames)
        candidates: list[Candidate] = []
        for start in range(0, len(heads.keys), _ASKED_AT_ONCE):
            keys = heads.keys[start : start + _ASKED_AT_ONCE]
            candidates += self._earlier.candidates(keys.tolist())
        related = heads.related(one.key for one in candidates)
        outlines = [outline_of(frames[number]) for number in related]
        own = {told.known.story_id for told in outlines if told.known and told.known.story_id}
        known = self._earlier.stories(sorted(own | {one.story_id for one in candidates}))
        if known:
            answers = Answers(candidates=tuple(candidates), stories=tuple(known.values()))
            yield TaggedOutput(ANSWERS, answers)
        now = {told.article.article_id for told in outlines}
        for story in form_stories(outlines, candidates, known, self._similar):
            if story.others or story.story_id in known:
                ids = now & {one.article_id for one in story.articles}
                for group in sorted(set(map(group_of, ids))):
                    yield group, story


def _tell(
    element: tuple[str, tuple[Iterable[bytes], Iterable[Story]]],
) -> Iterator[ToldArticle]:
    _, (packs, met) = element
    stories = {one.article_id: story for story in met for one in story.articles}
    for frame in chain.from_iterable(map(unpack, packs)):
        article = ClassifiedArticle.model_validate_json(frame)
        story = stories.get(article.article_id) or tell_story([outline(article)])
        yield ToldArticle(article=article, story=story)
