"""When a feed is asked again, and whether it has gone silent."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feeds.state import (
    Answer,
    FeedMemory,
    Problem,
    Rhythm,
    after_answer,
    after_failure,
    is_due,
    silent_since,
)
from transforms.errors import Reason
from transforms.records import FeedReading, Mark

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RHYTHM = Rhythm(10 * MINUTE, DAY)
URL = "https://x.org/feed"


def marks(*hours_ago: float, first: int = 1) -> tuple[Mark, ...]:
    return tuple(
        Mark(guid=number, link=number, text=number, time=int((NOW - hours * HOUR).timestamp()))
        for number, hours in enumerate(hours_ago, first)
    )


def reading(*found: Mark, **given: object) -> FeedReading:
    facts = {
        "url": URL,
        "format": "rss20",
        "title": "X",
        "entries": len(found),
        "ttl_minutes": None,
        "skip_hours": (),
        "skip_days": (),
        "identity": "link",
        "identity_found": "",
        "trusts_guids": True,
        "marks": found,
        "error": None,
        "oddities": (),
    }
    return FeedReading.model_validate(facts | given)


def told(
    memory: FeedMemory | None,
    read: FeedReading | None,
    now: datetime = NOW,
    answer: Answer | None = None,
    fixed: timedelta | None = None,
) -> FeedMemory:
    return after_answer(URL, memory, answer or Answer(), read, now=now, fixed=fixed, rhythm=RHYTHM)


def failed(
    memory: FeedMemory | None,
    reason: Reason = Reason.TIMED_OUT,
    now: datetime = NOW,
    retry_after: datetime | None = None,
    fixed: timedelta | None = None,
) -> FeedMemory:
    problem = Problem(reason=reason, detail="")
    return after_failure(
        URL, memory, problem, retry_after=retry_after, now=now, fixed=fixed, rhythm=RHYTHM
    )


def about(interval: timedelta) -> object:
    """Up to a tenth shorter."""

    class About:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, timedelta) and 0.9 * interval <= other <= interval

        def __repr__(self) -> str:
            return f"about {interval}"

    return About()


def test_a_feed_is_due_when_its_time_has_come_or_the_clock_was_set_back() -> None:
    memory = told(None, reading(*marks(1, 2)))
    assert is_due(None, NOW)
    assert not is_due(memory, NOW)
    assert is_due(memory, memory.next_at)
    assert is_due(memory, NOW - HOUR)


def test_the_first_interval_follows_the_dates_of_the_entries() -> None:
    # Twelve hours, twelve entries: one an hour; it is asked twice in that time.
    assert told(None, reading(*marks(*range(1, 13)))).interval == 30 * MINUTE
    assert told(None, reading(*marks(*range(0, 24 * 60, 120)))).interval == 12 * HOUR


def test_without_dates_the_first_interval_is_half_an_hour() -> None:
    undated = (Mark(guid=1, link=1, text=1, time=None),) * 2
    assert told(None, reading(*undated)).interval == 30 * MINUTE


def test_the_interval_is_halved_where_half_of_the_entries_are_new() -> None:
    first = told(None, reading(*marks(*range(1, 41, 4))))
    assert first.interval == HOUR * 37 / 10 / 2
    later = told(first, reading(*marks(0.1, 0.2, 0.3, 0.4, 0.5, first=100), *marks(1, 5, 9, 13)))
    assert later.interval == first.interval / 2


def test_the_interval_stays_where_few_entries_are_new() -> None:
    first = told(None, reading(*marks(*range(1, 41, 4))))
    later = told(first, reading(*marks(0.1, first=100), *marks(*range(1, 37, 4))))
    assert later.interval == first.interval


def test_the_interval_grows_to_the_time_between_two_entries_where_nothing_is_new() -> None:
    memory = told(None, reading(*marks(*range(1, 13))))
    intervals = []
    now = NOW
    for _ in range(4):
        now += memory.interval
        memory = told(memory, None, now)
        intervals.append(memory.interval)
    assert intervals[0] == 45 * MINUTE
    assert intervals == sorted(intervals)
    assert max(intervals) < 2 * HOUR


@given(
    st.lists(st.booleans(), max_size=30),
    st.lists(st.floats(min_value=0, max_value=2000), max_size=50),
)
def test_intervals_stay_within_their_bounds(changes: list[bool], hours: list[float]) -> None:
    memory = told(None, reading(*marks(*hours)))
    now = NOW
    for number, changed in enumerate(changes):
        now = memory.next_at
        new = reading(*marks(*hours, first=1000 * number)) if changed else None
        memory = told(memory, new, now)
        assert RHYTHM.least <= memory.interval <= RHYTHM.most
        assert 0.9 * RHYTHM.least <= memory.next_at - now <= RHYTHM.most


def test_what_feed_and_server_ask_for_is_honoured_up_to_the_longest_interval() -> None:
    entries = marks(*range(1, 13))
    assert told(None, reading(*entries, ttl_minutes=180)).next_at == NOW + 3 * HOUR
    assert told(None, reading(*entries, ttl_minutes=10**6)).next_at == NOW + DAY
    fresh = Answer(fresh_until=NOW + 2 * HOUR)
    assert told(None, reading(*entries), answer=fresh).next_at == NOW + 2 * HOUR
    stale = Answer(fresh_until=NOW - HOUR)
    assert told(None, reading(*entries), answer=stale).next_at - NOW == about(30 * MINUTE)


def test_hours_and_days_that_a_feed_skips_are_skipped() -> None:
    entries = marks(*range(1, 13))
    assert NOW.strftime("%A %H") == "Wednesday 12"
    skipped = told(None, reading(*entries, skip_hours=(12, 13, 14)))
    assert skipped.next_at == NOW.replace(hour=15)
    skipped = told(None, reading(*entries, skip_days=("Wednesday", "Thursday")))
    assert skipped.next_at == NOW.replace(day=27, hour=0)
    every_hour = told(None, reading(*entries, skip_hours=tuple(range(24))))
    assert every_hour.next_at - NOW == about(30 * MINUTE)


def test_what_a_feed_asks_for_holds_where_nothing_has_changed() -> None:
    memory = told(None, reading(*marks(*range(1, 13)), ttl_minutes=180, skip_hours=(18, 19)))
    later = memory.next_at
    assert later == NOW + 3 * HOUR
    assert told(memory, None, later).next_at == NOW.replace(hour=20)


def test_a_failing_feed_is_not_asked_more_often_than_is_set() -> None:
    waits, memory = [], None
    for _ in range(4):
        memory = failed(memory, fixed=8 * HOUR)
        waits.append(memory.next_at - NOW)
    assert waits == [about(8 * HOUR), about(16 * HOUR), about(DAY), about(DAY)]
    assert failed(None, fixed=2 * DAY).next_at - NOW == about(2 * DAY)


def test_an_interval_that_is_set_stands() -> None:
    fresh = Answer(fresh_until=NOW + 2 * HOUR)
    memory = told(None, reading(*marks(1), ttl_minutes=180), answer=fresh, fixed=20 * MINUTE)
    assert memory.next_at - NOW == about(20 * MINUTE)


def test_the_waits_of_a_failing_feed_double_up_to_the_longest() -> None:
    memory = told(None, reading(*marks(*range(1, 13))))
    waits = []
    for _ in range(8):
        memory = failed(memory)
        waits.append(memory.next_at - NOW)
    assert waits == [about(min(30 * MINUTE * 2**n, DAY)) for n in range(8)]
    assert memory.failures == 8
    assert memory.marks, "what was known of it stays known"
    well = told(memory, None)
    assert (well.failures, well.problem, well.interval) == (0, None, 45 * MINUTE)


def test_a_feed_that_is_gone_is_asked_once_a_week() -> None:
    memory = failed(None, Reason.GONE)
    assert memory.gone
    assert memory.next_at - NOW == about(7 * DAY)


def test_a_server_may_ask_for_a_longer_wait_but_not_for_any() -> None:
    assert failed(None, retry_after=NOW + 5 * HOUR).next_at == NOW + 5 * HOUR
    assert failed(None, retry_after=NOW + 900 * DAY).next_at == NOW + 7 * DAY
    assert failed(None, retry_after=NOW + MINUTE).next_at - NOW == about(30 * MINUTE)


def test_a_feed_that_failed_where_it_had_moved_to_is_asked_at_its_own_address() -> None:
    memory = told(None, reading(*marks(1)), answer=Answer(moved_to="https://y.org/"))
    assert memory.moved_to == "https://y.org/"
    assert failed(memory).moved_to is None


def test_conditions_are_remembered() -> None:
    answer = Answer('"1"', "Wed, 25 Nov 2026 11:00:00 GMT", "ab")
    memory = told(None, reading(*marks(1)), answer=answer)
    assert (memory.etag, memory.last_modified, memory.body_hash) == answer[:3]


@pytest.mark.parametrize(
    ("hours_ago", "days_later", "silent"),
    [
        (range(0, 24, 2), 1.5, False),  # a day is known: a long weekend may be its habit
        (range(0, 24, 2), 4.2, True),
        (range(0, 24 * 20, 12), 0.9, False),  # twenty days are known
        (range(0, 24 * 20, 12), 1.6, True),  # three times twelve hours
        (range(0, 24 * 100, 24 * 10), 29, False),  # every ten days
        (range(0, 24 * 100, 24 * 10), 31, True),
        (range(5), 300, False),  # four gaps are no habit
    ],
)
def test_a_feed_is_silent_where_that_is_against_its_habit(
    hours_ago: range, days_later: float, silent: bool
) -> None:
    memory = told(None, reading(*marks(*hours_ago)))
    later = NOW + days_later * DAY
    memory = told(memory, None, later)
    assert silent_since(memory, later) == (NOW if silent else None)


def test_a_feed_that_fails_is_not_called_silent() -> None:
    memory = told(None, reading(*marks(*range(0, 24, 2))))
    later = NOW + 30 * DAY
    assert silent_since(told(memory, None, later), later)
    assert silent_since(failed(memory, now=later), later) is None


def test_entries_without_dates_make_a_habit_by_when_they_came() -> None:
    memory = None
    for hour in range(10):
        undated = tuple(Mark(guid=n, link=n, text=n, time=None) for n in range(1, hour + 2))
        memory = told(memory, reading(*undated), NOW + hour * HOUR)
    assert memory is not None
    assert len(memory.times) == 9
    last = NOW + 9 * HOUR
    assert silent_since(memory, last + 3 * DAY) is None
    assert silent_since(memory, last + 5 * DAY) == last


def test_dates_ahead_of_time_do_not_count() -> None:
    memory = told(None, reading(*marks(-500, *range(0, 24, 2))))
    assert memory.times[-1] == int(NOW.timestamp())


def test_a_memory_survives_json() -> None:
    memory = failed(told(None, reading(*marks(*range(5))), answer=Answer("é", None, "ab")))
    assert FeedMemory.model_validate(memory.model_dump(mode="json")) == memory
    small = memory.model_dump(mode="json", exclude_defaults=True)
    assert FeedMemory.model_validate(small) == memory
