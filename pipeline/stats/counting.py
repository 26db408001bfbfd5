"""Counts of articles, stories and publishers, their shares, and how they have changed."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from pipeline.stats.buckets import Grain, bucket_start
from pipeline.stats.facts import (
    GRAINS,
    Dimension,
    Key,
    Period,
    Selection,
    Told,
    count_monitored,
    key_of_monitored,
    keyed,
    read_facts,
    rows_of,
)
from transforms.logic.rates import Ratio, rate_ratio

_INSTANT: Final = timedelta(microseconds=1)


class Question(NamedTuple):
    """What is to be counted, and by what; one of `by` at most is a span of time."""

    by: tuple[Dimension, ...] = ()
    period: Period = Period()
    selection: Selection = Selection()
    zone: tzinfo = UTC

    @property
    def grain(self) -> Grain | None:
        """The span of time that it is by."""
        return next((grain for grain in GRAINS if grain in self.by), None)


class Before(NamedTuple):
    """What there was in the time before, and how its rate compares with that of now."""

    stories: int
    monitored: int
    change: Ratio | None


class Count(NamedTuple):
    """One row of figures; copies raise the number of articles alone.

    Attributes:
        key: The values of what it is by; a bucket is the time at which it begins.
        monitored: All articles of the same time, source and language, with a theme or
            without.
    """

    key: Key
    articles: int
    stories: int
    publishers: int
    monitored: int
    before: Before | None = None

    @property
    def share(self) -> float | None:
        """The articles' share of what was monitored; None where that is not known."""
        return self.articles / self.monitored if self.monitored >= max(1, self.articles) else None


def count(told: Told, question: Question) -> list[Count]:
    """Count what was told: by time, and then what most stories have first."""
    now = _count(told, question, question.period)
    return _sorted(question, [now.row(key) for key in now.numbers])


def count_with_change(told: Told, question: Question) -> list[Count]:
    """Count, and compare each row's stories with those of the time before.

    A bucket is compared with the one before it. Where there are none, the period is compared
    with the one just as long before it, and what is no longer told has a row of noughts.

    Raises:
        ValueError: there are no buckets, and the period has no beginning or no end.
    """
    now = _count(told, question, question.period)
    if question.grain is None:
        before = _count(told, question, question.period.before)
        keys = list(now.numbers | before.numbers)
        return _sorted(question, [_compared(now.row(key), before.row(key)) for key in keys])
    since = question.period.since and _previous(question.period.since, question)
    before = _count(told, question, question.period._replace(since=since))
    place = question.by.index(question.grain)
    rows = []
    for key in now.numbers:
        earlier = (*key[:place], _previous(key[place], question), *key[place + 1 :])
        rows.append(_compared(now.row(key), before.row(earlier)))
    return _sorted(question, rows)


def _previous(moment: Any, question: Question) -> datetime:
    """When the bucket begins before the one that *moment* is in."""
    assert question.grain is not None  # noqa: S101 # there are buckets
    start = bucket_start(moment, question.grain, question.zone)
    return bucket_start(start.astimezone(UTC) - _INSTANT, question.grain, question.zone)


def _compared(now: Count, before: Count) -> Count:
    change = rate_ratio(now.stories, now.monitored, before.stories, before.monitored)
    return now._replace(before=Before(before.stories, before.monitored, change))


class _Counted(NamedTuple):
    numbers: dict[Key, tuple[int, ...]]
    monitored: Mapping[Key, int]
    by: tuple[Dimension, ...]

    def row(self, key: Key) -> Count:
        articles, stories, publishers = self.numbers.get(key, (0, 0, 0))
        watched = self.monitored.get(key_of_monitored(self.by, key), 0)
        return Count(key, articles, stories, publishers, watched)


def _count(told: Told, question: Question, period: Period) -> _Counted:
    by, zone = question.by, question.zone
    facts = keyed(read_facts(told, period, question.selection), by, zone)
    distinct = [(name, "count_distinct") for name in ("article_id", "story_id", "publisher")]
    counts = facts.group_by(by, use_threads=False).aggregate(distinct)
    monitored = count_monitored(told, period, question.selection, by, zone)
    return _Counted({key: n for key, n in rows_of(counts, by) if n[0]}, monitored, by)


def _sorted(question: Question, counts: Iterable[Count]) -> list[Count]:
    times = [place for place, one in enumerate(question.by) if one in GRAINS]

    def order(one: Count) -> tuple[Any, ...]:
        names = [(part is None, str(part)) for part in one.key]
        return [one.key[place] for place in times], -one.stories, -one.articles, names

    return sorted(counts, key=order)
