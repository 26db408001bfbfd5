"""Bursts by group, hour and zone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.stats.bursts import Bucket, JudgedBucket, Manner, judge
from pipeline.stats.facts import Period, Selection
from tests.stats.telling import DAY, HOUR, NOON, InMemory, article
from transforms.logic.bursts import judge_days
from transforms.records import ArticleSummary

TODAY = datetime(2026, 11, 24, tzinfo=UTC)
WEEKS = 9 * 7


def told(today: int = 12, usual: int = 2, moment: timedelta = 12 * HOUR, **of: Any) -> InMemory:
    """A few stories a day at one hour, and today others; 50 articles are monitored a day."""
    articles = list(_articles(today, usual, moment, **of))
    source, language = articles[0].source, articles[0].language
    days = (TODAY - back * DAY + moment for back in range(WEEKS))
    return InMemory(articles, {(day, source, language): 50 for day in days})


def _articles(today: int, usual: int, moment: timedelta, **of: Any) -> Iterator[ArticleSummary]:
    for back in range(WEEKS):
        for number in range(usual if back else today):
            at = TODAY - back * DAY + moment
            yield article(1000 * back + number, published_at=at, **of)


def bursts(told: InMemory, *, days: int = 1, **manner: Any) -> list[JudgedBucket]:
    found = judge(
        told, Period(TODAY - (days - 1) * DAY, TODAY + DAY), Selection(), Manner(**manner)
    )
    return [one for one in found if one.judged.burst]


def test_a_day_is_judged_as_the_method_says() -> None:
    found = judge(told(), Period(TODAY), Selection(), Manner())
    series = {date(2026, 11, 24) - back * DAY: 2 if back else 12 for back in range(WEEKS)}
    watched = dict.fromkeys(series, 50)
    (expected,) = judge_days(series, watched, [date(2026, 11, 24)])
    assert expected.burst
    assert found == [JudgedBucket(Bucket("migration", None, TODAY), expected, 50)]


def test_an_ordinary_day_is_no_burst() -> None:
    assert bursts(told(today=3), days=20) == []


def test_copies_are_no_burst() -> None:
    copied = [article(90_000 + n, story=1) for n in range(30)]
    plain = list(_articles(2, 2, 12 * HOUR))
    days = (TODAY - back * DAY + 12 * HOUR for back in range(WEEKS))
    many = InMemory([*plain, *copied], {(day, "The Gazette", "en"): 50 for day in days})
    assert bursts(many) == []


def test_a_day_on_which_more_was_monitored_is_none() -> None:
    usual = told()
    assert len(bursts(usual)) == 1
    busy = InMemory(
        list(_articles(12, 2, 12 * HOUR)),
        {
            (TODAY - back * DAY + 12 * HOUR, "The Gazette", "en"): 50 if back else 300
            for back in range(WEEKS)
        },
    )
    assert bursts(busy) == []


def test_an_hour_is_compared_with_the_same_hour_of_other_days() -> None:
    (burst,) = bursts(told(moment=8 * HOUR), grain="hour")
    assert burst.bucket.start == TODAY + 8 * HOUR
    assert burst.judged.basis == "weekday"
    morning = list(_articles(2, 2, 8 * HOUR))
    moved = [article(n, published_at=TODAY + 17 * HOUR) for n in range(70_000, 70_012)]
    days = [TODAY - back * DAY for back in range(WEEKS)]
    watched = {(day + hour * HOUR, "The Gazette", "en"): 50 for day in days for hour in (8, 17)}
    (evening,) = bursts(InMemory([*morning, *moved], watched), grain="hour")
    assert evening.bucket.start == TODAY + 17 * HOUR


def test_hours_and_days_are_those_of_the_zone() -> None:
    zone = ZoneInfo("Europe/Brussels")
    late = told(moment=-30 * timedelta(minutes=1))  # half past eleven at night in UTC
    (burst,) = bursts(late, days=2, zone=zone)
    assert burst.bucket.start == datetime(2026, 11, 24, tzinfo=zone)
    assert burst.bucket.start.utcoffset() == timedelta(0)


@pytest.mark.parametrize("by", ["source", "language"])
def test_a_group_is_judged_by_itself(by: Any) -> None:
    first = list(_articles(12, 2, 12 * HOUR, source="A", language="fr"))
    second = [one.model_copy(update={"article_id": f"2{one.article_id}"}) for one in first]
    quiet = [
        one.model_copy(update={"source": "B", "language": "de", "story_id": f"2{one.story_id}"})
        for one in second
        if one.published_at < TODAY
    ]
    days = [TODAY - back * DAY + 12 * HOUR for back in range(WEEKS)]
    watched = {(day, *key): 50 for day in days for key in (("A", "fr"), ("B", "de"))}
    (burst,) = bursts(InMemory([*first, *quiet], watched), by=by)
    assert burst.bucket.group == ("A" if by == "source" else "fr")
    assert burst.monitored == 50


def test_a_country_is_judged_against_all_that_was_monitored() -> None:
    (burst,) = bursts(told(url="https://paper.be/1"), by="country")
    assert burst.bucket.group == "be"
    assert bursts(told(url="https://paper.com/1"), by="country") == []


def test_too_little_is_known_of_a_short_time() -> None:
    days = (NOON - back * DAY for back in range(10))
    short = InMemory(
        [article(n) for n in range(30)], {(day, "The Gazette", "en"): 50 for day in days}
    )
    (judged,) = judge(short, Period(TODAY), Selection(), Manner())
    assert judged.judged.basis is None
    assert not judged.judged.burst


def test_few_stories_are_not_judged_unless_asked_for() -> None:
    few = told(today=2)
    assert judge(few, Period(TODAY), Selection(), Manner()) == []
    bucket = Bucket("migration", None, TODAY)
    (judged,) = judge(few, Period(TODAY), Selection(), Manner(), [bucket])
    assert (judged.bucket, judged.judged.stories) == (bucket, 2)
