"""The stories as the page shows them: what all kept runs have told, joined by story."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from pipeline.history import History
from transforms.records import Change, Level

_ROWS = 2_000  # that are Python objects at a time


class Hit(NamedTuple):
    """A theme of a story, with the best evidence that any of its articles has for it.

    Attributes:
        told_at: The place in time of the run that last said something of it.
        run_id: That run.
        change: What it said, where that was an update.
        backfill: Whether that was no news.
    """

    theme: str
    level: Level
    score: float
    words: str
    sentence: str
    told_at: datetime
    run_id: str
    change: Change | None
    backfill: bool


class Member(NamedTuple):
    """An article of a story, as it counts."""

    day: date
    source: str
    language: str
    themes: tuple[str, ...]


class ToldStory(NamedTuple):
    """A story with at least one theme.

    Attributes:
        title: Of its earliest article, or else its best sentence.
        url: Of the same; None where it has none.
        published_at: Of the same.
        hits: Focus first, then by score.
        members: Its articles, the earliest first.
    """

    story_id: str
    title: str
    url: str | None
    published_at: datetime
    hits: tuple[Hit, ...]
    members: tuple[Member, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Who published it, in the order in which they did."""
        return tuple(dict.fromkeys(member.source for member in self.members))

    @property
    def languages(self) -> tuple[str, ...]:
        """What it was told in, sorted."""
        return tuple(sorted({member.language for member in self.members}))

    @property
    def news_at(self) -> datetime | None:
        """When something new was last said of it; None where it was old when first seen."""
        return max((hit.told_at for hit in self.hits if not hit.backfill), default=None)

    @property
    def rank(self) -> tuple[Any, ...]:
        """Sorts the newest day first, and within a day what most sources tell."""
        best = self.hits[0]
        return (
            -self.published_at.toordinal(),
            -len(self.sources),
            best.level != "focus",
            -best.score,
            self.story_id,
        )


class Cancel(NamedTuple):
    """A theme of a story that the newest run took back."""

    theme: str
    title: str
    source: str


class _Said(NamedTuple):
    told_at: datetime
    run_id: str
    change: Change | None
    backfill: bool


def read_stories(history: History) -> tuple[list[ToldStory], list[Cancel]]:
    """All stories that have a theme now, by rank; and what the newest run took back."""
    moments = {run.manifest.run_id: run.manifest.as_of for run in history.runs}
    newest = history.runs[-1].manifest.run_id if history.runs else None
    said: dict[tuple[str, str], _Said] = {}
    cancels = []
    for state in history.alerts():
        alert = state.alert
        if not state.cancelled:
            key = alert.story.story_id, alert.theme
            told_at = moments[state.run_id]
            said[key] = _Said(told_at, state.run_id, alert.change, alert.backfill)
        elif state.run_id == newest:
            cancels.append(Cancel(alert.theme, alert.article.title, alert.article.source))
    return stories_of(_rows(history), said), sorted(cancels)


def _rows(history: History) -> Iterator[Mapping[str, Any]]:
    for batch in history.articles().to_batches(max_chunksize=_ROWS):
        yield from batch.to_pylist()


def stories_of(
    rows: Iterable[Mapping[str, Any]], said: Mapping[tuple[str, str], _Said]
) -> list[ToldStory]:
    """Join articles to stories.

    Args:
        rows: Articles as `History.articles` has them.
        said: What was last said of each story and theme; a theme of which nothing is
            said, or no more, is left out.
    """
    by_story: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_story[row["story_id"]].append(row)
    found = (_story(story_id, articles, said) for story_id, articles in by_story.items())
    return sorted((story for story in found if story), key=lambda story: story.rank)


def _story(
    story_id: str,
    articles: list[Mapping[str, Any]],
    said: Mapping[tuple[str, str], _Said],
) -> ToldStory | None:
    best: dict[str, tuple[tuple[bool, float], Mapping[str, Any]]] = {}
    for row in articles:
        for theme in row["themes"]:
            strength = theme["level"] == "focus", theme["score"]
            if (story_id, theme["theme"]) in said and (
                theme["theme"] not in best or strength > best[theme["theme"]][0]
            ):
                best[theme["theme"]] = strength, theme
    if not best:
        return None
    ordered = sorted(best.values(), key=lambda one: (not one[0][0], -one[0][1], one[1]["theme"]))
    lead = articles[0]
    return ToldStory(
        story_id=story_id,
        title=lead["title"] or ordered[0][1]["evidence"]["sentence"],
        url=lead["url"],
        published_at=lead["published_at"],
        hits=tuple(
            Hit(
                theme["theme"],
                theme["level"],
                theme["score"],
                theme["evidence"]["words"],
                theme["evidence"]["sentence"],
                *said[story_id, theme["theme"]],
            )
            for _, theme in ordered
        ),
        members=tuple(
            Member(
                row["published_at"].date(),
                row["source"],
                row["language"],
                tuple(theme["theme"] for theme in row["themes"] if theme["theme"] in best),
            )
            for row in articles
        ),
    )
