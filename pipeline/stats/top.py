"""Which stories most tell, and which terms rose."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.stats.counting import Question
from pipeline.stats.facts import Told, read_facts
from transforms.logic.bursts import BASELINE
from transforms.logic.rising import Risen, risen

Where = Literal["evidence", "headline"]

_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_FIRST: Final = pc.ScalarAggregateOptions(skip_nulls=False)


class TopStory(NamedTuple):
    """A story; title, link and time are those of its earliest article."""

    story_id: str
    title: str
    url: str | None
    published_at: datetime
    themes: tuple[str, ...]
    articles: int
    sources: int


class TopTerm(NamedTuple):
    """A term that rose, and where it was found."""

    where: Where
    risen: Risen


def top_stories(told: Told, question: Question) -> list[TopStory]:
    """The stories of the period, those that most sources tell first."""
    facts = read_facts(told, question.period, question.selection)
    stories = facts.group_by("story_id", use_threads=False).aggregate(
        [
            *((name, "first", _FIRST) for name in ("title", "url", "published_at")),
            ("theme", "distinct"),
            ("article_id", "count_distinct"),
            ("source", "count_distinct"),
        ]
    )
    found = [
        TopStory(
            story_id=row["story_id"],
            title=row["title_first"],
            url=row["url_first"],
            published_at=row["published_at_first"],
            themes=tuple(sorted(row["theme_distinct"])),
            articles=row["article_id_count_distinct"],
            sources=row["source_count_distinct"],
        )
        for row in stories.to_pylist()
    ]
    return sorted(found, key=lambda one: (-one.sources, -one.articles, one.story_id))


def top_terms(told: Told, question: Question) -> list[TopTerm]:
    """The terms of evidence and headlines that rose in the period, the surest first.

    They are those of the stories that were first told in it, against those of the eight weeks
    before. Of a story count the best evidence of each theme and the headline of its earliest
    article.

    Raises:
        ValueError: the period has no beginning.
    """
    since = question.period.since
    if since is None:
        raise ValueError("a term rises since some time: the period needs a beginning")
    wide = question.period._replace(since=since - BASELINE)
    facts = read_facts(told, wide, question.selection)
    stories = facts.group_by("story_id", use_threads=False).aggregate(
        [("title", "first", _FIRST), ("published_at", "first", _FIRST)]
    )
    recent = {
        story_id: published_at >= since
        for story_id, published_at in _columns(stories, "story_id", "published_at_first")
    }
    headlines = (
        (story_id, _WORD.findall(title.casefold()))
        for story_id, title in _columns(stories, "story_id", "title_first")
    )
    evidence = (
        (story_id, [words.casefold()])
        for story_id, words in _columns(_best_evidence(facts), "story_id", "words_first")
    )
    found = [
        *(TopTerm("evidence", one) for one in _risen(evidence, recent)),
        *(TopTerm("headline", one) for one in _risen(headlines, recent)),
    ]
    return sorted(found, key=lambda one: -one.risen.likelihood_ratio)


def _best_evidence(facts: pa.Table) -> pa.Table:
    """The words of each story and theme: those of the highest level, and then score."""
    best_first = facts.append_column("focus", pc.equal(facts["level"], "focus").cast("int8"))
    best_first = best_first.sort_by([("focus", "descending"), ("score", "descending")])
    by = ["story_id", "theme"]
    return best_first.group_by(by, use_threads=False).aggregate([("words", "first")])


def _columns(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in names), strict=True)


def _risen(terms: Iterable[tuple[str, list[str]]], recent: dict[str, bool]) -> list[Risen]:
    of_story: defaultdict[str, set[str]] = defaultdict(set)
    for story_id, found in terms:
        of_story[story_id].update(found)
    return risen(
        (of_story[story_id] for story_id, is_recent in recent.items() if is_recent),
        (of_story[story_id] for story_id, is_recent in recent.items() if not is_recent),
    )
