"""Figures as rows and columns, for whatever shows them."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pipeline.cells import cell
from pipeline.stats.buckets import bucket_label
from pipeline.stats.bursts import JudgedBucket, Manner
from pipeline.stats.counting import Count, Question
from pipeline.stats.facts import GRAINS
from pipeline.stats.pairs import Pair
from pipeline.stats.top import TopStory, TopTerm


class Listing(NamedTuple):
    """A table of figures.

    Attributes:
        columns: Their names, by which people and programs know them.
        names: How many of the columns, from the first, say what a row is about.
        measure: The column that a chart draws.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    names: int
    measure: str

    def as_json(self) -> list[dict[str, Any]]:
        """The rows as objects."""
        return [dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows]

    def as_csv(self) -> str:
        """The rows under the names of their columns; several values in one cell have blanks
        between them."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow([cell(_flat(value)) for value in row])
        return text.getvalue()

    def as_text(self) -> list[tuple[str, ...]]:
        """The rows as people read them: shares in percent, and '-' for what is not known."""
        return [
            tuple(_shown(name, value) for name, value in zip(self.columns, row, strict=True))
            for row in self.rows
        ]

    def bars(self) -> list[tuple[str, int]]:
        """What each row is about, and how long its bar is to be."""
        place = self.columns.index(self.measure)
        return [
            (" ".join(text[: self.names]), row[place])
            for text, row in zip(self.as_text(), self.rows, strict=True)
        ]


def list_counts(counts: Iterable[Count], question: Question, *, change: bool) -> Listing:
    """Counts, with their changes or without."""
    columns = (*question.by, "articles", "stories", "publishers", "monitored", "share")
    rows: list[tuple[Any, ...]] = []
    for one in counts:
        key = (
            bucket_label(value.astimezone(question.zone), dimension)
            if dimension in GRAINS
            else value
            for dimension, value in zip(question.by, one.key, strict=True)
        )
        figures = one.articles, one.stories, one.publishers, one.monitored, _rounded(one.share)
        rows.append((*key, *figures, *_changes(one)))
    if change:
        columns += ("stories_before", "monitored_before", "change", "change_low", "change_high")
    return Listing(columns, tuple(rows), len(question.by), "stories")


def _changes(count: Count) -> tuple[Any, ...]:
    if count.before is None:
        return ()
    ratio = count.before.change
    changes = (
        (None, None, None)
        if ratio is None
        else (_less_one(ratio.ratio), _less_one(ratio.low), _less_one(ratio.high))
    )
    return count.before.stories, count.before.monitored, *changes


def _less_one(ratio: float | None) -> float | None:
    return None if ratio is None else _rounded(ratio - 1)


def list_bursts(judged: Iterable[JudgedBucket], manner: Manner) -> Listing:
    """Bursts, by theme and time."""
    names = (manner.grain, "theme", *([manner.by] if manner.by else []))
    rows = [
        (
            bucket_label(one.bucket.start.astimezone(manner.zone), manner.grain),
            one.bucket.theme,
            *([one.bucket.group] if manner.by else []),
            one.judged.stories,
            round(one.judged.expected, 1),
            one.judged.low,
            one.judged.high,
            one.judged.basis,
        )
        for one in sorted(judged, key=lambda one: (one.bucket.start, one.bucket.theme))
    ]
    columns = (*names, "stories", "expected", "low", "high", "compared_with")
    return Listing(columns, tuple(rows), len(names), "stories")


def list_pairs(pairs: Sequence[Pair]) -> Listing:
    """Pairs of themes."""
    rows = tuple((*pair[:6], _rounded(pair.jaccard), _rounded(pair.npmi)) for pair in pairs)
    return Listing(Pair._fields, rows, 2, "stories")


def list_stories(stories: Iterable[TopStory]) -> Listing:
    """Stories."""
    rows = tuple(
        (one.published_at, one.title, one.sources, one.articles, one.themes, one.url, one.story_id)
        for one in stories
    )
    columns = ("published_at", "title", "sources", "articles", "themes", "url", "story_id")
    return Listing(columns, rows, 2, "sources")


def list_terms(terms: Iterable[TopTerm]) -> Listing:
    """Terms that rose."""
    rows = tuple(
        (
            one.where,
            one.risen.term,
            one.risen.recent,
            one.risen.before,
            round(one.risen.likelihood_ratio, 2),
        )
        for one in terms
    )
    columns = ("where", "term", "stories", "stories_before", "likelihood_ratio")
    return Listing(columns, rows, 2, "stories")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return value


def _flat(value: Any) -> Any:
    return " ".join(value) if isinstance(value, tuple) else value


_PERCENT = ("share", "change", "change_low", "change_high")


def _shown(column: str, value: Any) -> str:
    if value is None:
        return "-"
    if column == "share":
        return f"{value:.2%}"
    if column in _PERCENT:
        return f"{value:+.0%}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(_flat(value))
