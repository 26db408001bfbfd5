"""What is remembered of a feed: when it is asked again, and whether it has gone silent."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from pydantic import Field, ValidationError

from pipeline.feeds.model import Feed
from pipeline.ledger import Ledger
from transforms.errors import Reason
from transforms.records import FeedReading, Identity, Mark, Oddity, Record

_LOGGER = logging.getLogger(__name__)

_FIRST = timedelta(minutes=30)  # the interval of a feed whose entries have no dates
_PAUSE = timedelta(days=7)  # of a feed that says that it is gone
_LONGEST_WAIT = timedelta(days=7)  # that a server may ask for
_CLOCK = timedelta(minutes=1)  # two machines may differ by that
_TIMES = 200  # entries whose times are remembered
_GAPS = 5  # that make a habit
_FORTNIGHT = timedelta(days=14)
_DAY = timedelta(days=1)
_LONG_WEEKEND = timedelta(days=4)
_DAYS: Final = "monday tuesday wednesday thursday friday saturday sunday".split()


class Problem(Record):
    """Why a feed could not be read."""

    reason: Reason
    detail: str
    status: int | None = Field(default=None, description="Of HTTP, where a server answered.")


class FeedMemory(Record):
    """What is remembered of one feed."""

    name: str | None = Field(default=None, description="Its own title.")
    checked_at: datetime = Field(description="When it was asked last.")
    answered_at: datetime | None = Field(default=None, description="When it was last read.")
    next_at: datetime = Field(description="When it is due again.")
    interval: timedelta = Field(description="As it follows the feed, without what servers ask for.")
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = Field(default=None, description="SHA-256 of the last body.")
    moved_to: str | None = Field(default=None, description="Where it said that it is for good.")
    failures: int = Field(default=0, description="Since it was last read.")
    problem: Problem | None = Field(default=None, description="Why it was not read last time.")
    format: str | None = None
    ttl_minutes: int | None = Field(default=None, description="How long it asks to be left.")
    skip_hours: tuple[int, ...] = Field(default=(), description="In which it asks for that; UTC.")
    skip_days: tuple[str, ...] = Field(default=(), description="Monday and so on, in UTC.")
    identity: Identity | None = Field(default=None, description="What tells its entries apart.")
    identity_found: str | None = Field(default=None, description="Why it is that.")
    marks: tuple[Mark, ...] = Field(default=(), description="Of the entries of the last reading.")
    entries: int = Field(default=0, description="How many those were.")
    times: tuple[int, ...] = Field(
        default=(), description="When its last entries came, in seconds since 1970; sorted."
    )
    trusts_guids: bool = Field(default=True, description="Whether equal guids mean one entry.")
    oddities: tuple[Oddity, ...] = ()

    @property
    def gone(self) -> bool:
        """Whether the feed says that it is no longer there."""
        return self.problem is not None and self.problem.reason is Reason.GONE


class Rhythm(NamedTuple):
    """The bounds of the intervals between two fetches of a feed."""

    least: timedelta = timedelta(minutes=10)
    most: timedelta = timedelta(days=1)

    def bounded(self, interval: timedelta) -> timedelta:
        """The nearest interval within the bounds."""
        return min(max(interval, self.least), self.most)


class Answer(NamedTuple):
    """What a fetch of a feed brought, apart from its entries."""

    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    moved_to: str | None = None
    fresh_until: datetime | None = None  # as the server's caching headers say


def memories_of(ledger: Ledger, feeds: Iterable[Feed] | None = None) -> dict[str, FeedMemory]:
    """What the ledger remembers of *feeds*, or of all; by URL."""
    urls = None if feeds is None else [feed.url for feed in feeds]
    memories = {}
    for url, state in ledger.feed_states(urls).items():
        try:
            memories[url] = FeedMemory.model_validate(state.state)
        except ValidationError:
            # Of another version of the program: the feed is asked as if it were new.
            _LOGGER.warning("what is remembered of %s cannot be read", url)
    return memories


def is_due(memory: FeedMemory | None, now: datetime) -> bool:
    """Whether a feed is to be asked; also where a clock was set back since the last time."""
    return memory is None or memory.next_at <= now or memory.checked_at > now + _CLOCK


def after_answer(
    url: str,
    memory: FeedMemory | None,
    answer: Answer,
    reading: FeedReading | None,
    *,
    now: datetime,
    fixed: timedelta | None,
    rhythm: Rhythm,
) -> FeedMemory:
    """What is to be remembered of a feed that was read, or that had not changed.

    The interval follows the feed: it is halved where half of the entries were new,
    since the next fetch may come too late for some, and grows by half where none was,
    up to the mean time between its entries. What the feed and its server ask for
    (ttl, skipHours, skipDays, caching headers) puts the next time off, up to the
    longest interval.

    Args:
        reading: None where nothing had changed.
        fixed: The interval that the configuration sets.
    """
    marks = reading.marks if reading else memory.marks if memory else ()
    known = memory.marks if memory else ()
    new = count_new(marks, known, reading.identity) if reading else 0
    times = _times(memory, reading, now)
    interval = fixed or _interval(memory, times, new, len(marks), now, rhythm)
    before = memory or FeedMemory(checked_at=now, next_at=now, interval=interval)
    asks = reading or before
    next_at = now + _jittered(url, interval, now)
    if fixed is None:
        latest = now + rhythm.most
        wanted = [answer.fresh_until or now, now + timedelta(minutes=asks.ttl_minutes or 0)]
        next_at = max(next_at, *(min(moment, latest) for moment in wanted))
        next_at = _not_skipped(next_at, asks.skip_hours, asks.skip_days)
    update: dict[str, Any] = {
        "checked_at": now,
        "answered_at": now,
        "next_at": next_at,
        "interval": interval,
        "failures": 0,
        "problem": None,
        "moved_to": answer.moved_to,
        "marks": marks,
        "times": times,
        "etag": answer.etag,
        "last_modified": answer.last_modified,
        "body_hash": answer.body_hash,
    }
    if reading is not None:
        update |= {
            "name": reading.title or before.name,
            "format": reading.format,
            "ttl_minutes": reading.ttl_minutes,
            "skip_hours": reading.skip_hours,
            "skip_days": reading.skip_days,
            "entries": reading.entries,
            "identity": reading.identity,
            "identity_found": reading.identity_found,
            "trusts_guids": reading.trusts_guids,
            "oddities": reading.oddities,
        }
    return before.model_copy(update=update)


def after_failure(
    url: str,
    memory: FeedMemory | None,
    problem: Problem,
    *,
    retry_after: datetime | None,
    now: datetime,
    fixed: timedelta | None,
    rhythm: Rhythm,
) -> FeedMemory:
    """What is to be remembered of a feed that could not be read.

    It is asked again after intervals that double up to the longest one; where it
    says that it is gone, once a week.

    Args:
        fixed: The interval that the configuration sets.
    """
    failures = 1 + (memory.failures if memory else 0)
    interval = fixed or (memory.interval if memory else rhythm.bounded(_FIRST))
    wait = min(interval * 2 ** min(failures - 1, 16), max(interval, rhythm.most))
    if problem.reason is Reason.GONE:
        wait = max(_PAUSE, rhythm.most)
    next_at = now + _jittered(url, wait, now)
    if retry_after is not None:
        next_at = max(next_at, min(retry_after, now + _LONGEST_WAIT))
    before = memory or FeedMemory(checked_at=now, next_at=now, interval=interval)
    return before.model_copy(
        update={
            "checked_at": now,
            "next_at": next_at,
            "failures": failures,
            "problem": problem,
            # Where it had moved to may be what fails: next time it is asked at its own address.
            "moved_to": None,
        }
    )


def silent_since(memory: FeedMemory, now: datetime) -> datetime | None:
    """Since when a feed that answers has brought nothing, where that is against its habit.

    That is where nothing came for three times the longest gap that was seen between
    two of its last entries, and for a day at least; for four days at least until a
    fortnight of the feed is known, with its weekends. Were the gaps drawn from one
    distribution, one longer than the n before it had the probability 1/(n + 1)
    already; three times as long, it is rarer still.

    Returns:
        The time of its last entry; None for a feed that fails, or without a habit.
    """
    if memory.problem is not None or len(memory.times) <= _GAPS:
        return None
    newest = _moment(memory.times[-1])
    gaps = [later - before for before, later in zip(memory.times, memory.times[1:], strict=False)]
    known = newest - _moment(memory.times[0])
    least = _DAY if known >= _FORTNIGHT else _LONG_WEEKEND
    allowed = max(3 * timedelta(seconds=max(gaps)), least)
    return newest if now - newest > allowed else None


def count_new(marks: Sequence[Mark], known: Sequence[Mark], identity: Identity | None) -> int:
    """How many of *marks* are of entries that the last reading had not."""
    before = {_identified(mark, identity) for mark in known}
    return sum(_identified(mark, identity) not in before for mark in marks)


def _identified(mark: Mark, identity: Identity | None) -> int:
    parts = {"guid": mark.guid, "link": mark.link, "text": mark.text}
    return parts[identity or "link"] or mark.link or mark.guid or mark.text


def _times(
    memory: FeedMemory | None, reading: FeedReading | None, now: datetime
) -> tuple[int, ...]:
    """When the last entries came: by their dates, else by when they were first seen."""
    times = set(memory.times if memory else ())
    if reading is not None:
        known = {_identified(mark, reading.identity) for mark in (memory.marks if memory else ())}
        present = int(now.timestamp())
        for mark in reading.marks:
            if _identified(mark, reading.identity) in known:
                continue
            if mark.time is not None and mark.time <= present:
                times.add(mark.time)
            elif memory is not None and memory.answered_at is not None:
                times.add(present)  # of a first reading nobody knows when they came
    return tuple(sorted(times)[-_TIMES:])


def _interval(
    memory: FeedMemory | None,
    times: Sequence[int],
    new: int,
    entries: int,
    now: datetime,
    rhythm: Rhythm,
) -> timedelta:
    longest = rhythm.most
    if len(times) > 1:
        recent = times[-50:]
        longest = rhythm.bounded((now - _moment(recent[0])) / len(recent))
    if memory is None or memory.answered_at is None:
        return rhythm.bounded(longest / 2 if len(times) > 1 else _FIRST)
    if not new:
        return rhythm.bounded(min(memory.interval * 1.5, longest))
    share = new / entries
    return rhythm.bounded(memory.interval / (2 if share >= 0.5 else 1.25 if share >= 0.2 else 1))


def _jittered(url: str, interval: timedelta, now: datetime) -> timedelta:
    """Up to a tenth shorter, so that feeds that were added together part; not by chance."""
    digest = hashlib.blake2b(f"{url}\n{now.isoformat()}".encode(), digest_size=2).digest()
    return interval * (1 - 0.1 * int.from_bytes(digest) / 0xFFFF)


def _not_skipped(at: datetime, hours: Sequence[int], days: Sequence[str]) -> datetime:
    """The first moment from *at* on in an hour and day (GMT) in which the feed wants readers."""
    skipped = {day.casefold() for day in days}
    if set(range(24)) <= set(hours) or set(_DAYS) <= skipped:
        return at
    while at.hour in hours or _DAYS[at.weekday()] in skipped:
        at = at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return at


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
