"""Spans of time in which a theme was told more often than its own past lets expect.

The method is that of `transforms.logic.bursts`, for days. An hour is compared with the same
hour of those days: each hour of the day is a series of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

from pipeline.stats.buckets import bucket_end, bucket_start
from pipeline.stats.burst_rules import BurstGrain, GroupedBy
from pipeline.stats.facts import (
    OF_MONITORED,
    Period,
    Selection,
    Told,
    count_monitored,
    keyed,
    read_facts,
    rows_of,
)
from transforms.logic.bursts import BASELINE, FEWEST_STORIES, Judged, judge_days

READ_BEFORE: Final = BASELINE + timedelta(days=2)
"""How long before a span everything is that it is judged by, in any time zone."""


class Manner(NamedTuple):
    """How bursts are looked for."""

    by: GroupedBy | None = None  # each by itself; all together where None
    grain: BurstGrain = "day"
    zone: tzinfo = UTC
    fewest: int = FEWEST_STORIES  # stories of a span that is judged


class Bucket(NamedTuple):
    """One theme, in one group, in one hour or day."""

    theme: str
    group: str | None
    start: datetime


class JudgedBucket(NamedTuple):
    """What was to be expected of a bucket, and how many articles were monitored in it."""

    bucket: Bucket
    judged: Judged
    monitored: int


def judge(
    told: Told,
    period: Period,
    selection: Selection,
    manner: Manner,
    also: Collection[Bucket] = (),
) -> list[JudgedBucket]:
    """Judge each bucket of *period* that has the fewest stories or more, in their order.

    It is of the period if it begins in it. What is in no group is not judged. Stories are
    taken in proportion to all articles that were monitored; to those of the same source or
    language, where bursts are looked for in these.

    Args:
        also: Buckets of the period that are judged whatever they have.
    """
    wide = _with_baseline(period, manner)
    watched = _watched(told, wide, selection, manner)
    found = _stories(told, wide, selection, manner)
    for bucket in also:
        found[_series(bucket, manner)].setdefault(_day(bucket.start, manner), 0)
    judged = []
    for series, stories in sorted(found.items(), key=_order):
        theme, group, hour = series
        if manner.by and group is None:
            continue
        known = watched[group if manner.by in OF_MONITORED else None, hour]
        for day in sorted(stories):
            bucket = Bucket(theme, group, _start(day, hour, manner))
            wanted = stories[day] >= manner.fewest or bucket in also
            if wanted and period.holds(bucket.start):
                (one,) = judge_days(stories, known, [day])
                judged.append(JudgedBucket(bucket, one, known[day]))
    return judged


def _with_baseline(period: Period, manner: Manner) -> Period:
    """The whole buckets of the period, and before it what they are judged by."""
    since = period.since and bucket_start(period.since - BASELINE, "day", manner.zone)
    if period.until is None:
        return Period(since)
    last = bucket_start(period.until - timedelta(microseconds=1), manner.grain, manner.zone)
    return Period(since, bucket_end(last, manner.grain))


_Series = tuple[str, str | None, int | None]  # theme, group, and hour of the day


def _series(bucket: Bucket, manner: Manner) -> _Series:
    return bucket.theme, bucket.group, _hour(bucket.start, manner)


def _day(start: datetime, manner: Manner) -> date:
    return start.astimezone(manner.zone).date()


def _hour(start: datetime, manner: Manner) -> int | None:
    return start.astimezone(manner.zone).hour if manner.grain == "hour" else None


def _start(day: date, hour: int | None, manner: Manner) -> datetime:
    return datetime.combine(day, time(hour or 0), manner.zone).astimezone(UTC)


def _order(series: tuple[_Series, object]) -> tuple[object, ...]:
    theme, group, hour = series[0]
    return theme, group or "", hour or 0


def _stories(
    told: Told, period: Period, selection: Selection, manner: Manner
) -> defaultdict[_Series, Counter[date]]:
    by = ["theme", *([manner.by] if manner.by else []), manner.grain]
    facts = keyed(read_facts(told, period, selection), by, manner.zone)
    counts = facts.group_by(by).aggregate([("story_id", "count_distinct")])
    found: defaultdict[_Series, Counter[date]] = defaultdict(Counter)
    for (theme, *group, start), (stories,) in rows_of(counts, by):
        bucket = Bucket(theme, group[0] if group else None, start)
        found[_series(bucket, manner)][_day(start, manner)] += stories  # an hour may come twice
    return found


def _watched(
    told: Told, period: Period, selection: Selection, manner: Manner
) -> defaultdict[tuple[str | None, int | None], Counter[date]]:
    by = [*([manner.by] if manner.by in OF_MONITORED else []), manner.grain]
    counts = count_monitored(told, period, selection, by, manner.zone)
    found: defaultdict[tuple[str | None, int | None], Counter[date]] = defaultdict(Counter)
    for (*group, start), articles in counts.items():
        place = group[0] if group else None, _hour(start, manner)
        found[place][_day(start, manner)] += articles
    return found
