"""What came of the feeds that a run asked: for people, and for the next run."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import Field

from pipeline.config import Fetching
from pipeline.feeds.model import Feed
from pipeline.feeds.state import (
    Answer,
    FeedMemory,
    Problem,
    Rhythm,
    after_answer,
    after_failure,
    count_new,
    silent_since,
)
from transforms.errors import Reason
from transforms.records import FeedReading, Identity, Oddity, Record


class Asked(NamedTuple):
    """A feed that was asked, and what came of it."""

    feed: Feed
    memory: FeedMemory | None  # before
    answer: Answer | None = None  # None where nothing usable came
    unchanged: bool = False
    status: int | None = None
    problem: Problem | None = None  # also beside an answer that broke off
    retry_after: datetime | None = None
    seconds: float = 0.0
    pages: int = 0
    pages_failed: int = 0
    listed: bytes | None = None  # a list of feeds, where one was looked for


class FeedReport(Record):
    """One feed that a run asked."""

    url: str = Field(description="As it was configured.")
    name: str | None
    tags: tuple[str, ...]
    outcome: Literal["read", "unchanged", "failed"]
    status: int | None = Field(description="Of HTTP, where a server answered.")
    seconds: float = Field(description="Spent on the network.")
    problem: Problem | None = Field(description="Why it failed, or was read in part only.")
    failures: int = Field(description="How often it failed one after the other.")
    format: str | None
    entries: int = Field(description="How many it had.")
    new_entries: int = Field(description="How many of them its last reading had not.")
    pages: int = Field(description="Pages that were fetched for full texts.")
    pages_failed: int = Field(description="Those of them that could not be had.")
    identity: Identity | None = Field(description="What tells its entries apart.")
    oddities: tuple[Oddity, ...]
    moved_to: str | None = Field(description="Where it says that it is for good.")
    silent_since: datetime | None = Field(
        description="Since when it has brought nothing, where that is against its habit."
    )
    next_at: datetime = Field(description="When it is due again.")


class Outcome(NamedTuple):
    """What is reported of a feed, and what is remembered."""

    report: FeedReport
    memory: FeedMemory


def outcomes(
    asked: Iterable[Asked],
    readings: Mapping[str, FeedReading],
    settings: Fetching,
    now: datetime,
) -> list[Outcome]:
    """Join what was fetched with what was read in it, by the URLs of the feeds.

    A feed in which not one entry could be read has failed, although it was fetched.
    """
    rhythm = Rhythm(settings.interval.least, settings.interval.most)
    return [_outcome(one, readings.get(one.feed.url), rhythm, now) for one in asked]


def _outcome(asked: Asked, reading: FeedReading | None, rhythm: Rhythm, now: datetime) -> Outcome:
    feed, before = asked.feed, asked.memory
    problem = asked.problem
    if reading is not None and reading.error is not None:
        reason, detail = reading.error
        problem = problem or Problem(reason=reason, detail=detail, status=asked.status)
    nothing_read = reading is None or (reading.error is not None and not reading.entries)
    # A feed without entries is no fault: some are made anew each day.
    empty = reading is not None and reading.error is not None and reading.error[0] is Reason.EMPTY
    if asked.answer is None or (nothing_read and not asked.unchanged and not empty):
        if problem is None:
            raise ValueError(
                f"feed {feed.url}: it was fetched, and nothing is known of its reading"
            )
        memory = after_failure(
            feed.url,
            before,
            problem,
            retry_after=asked.retry_after,
            now=now,
            fixed=feed.interval,
            rhythm=rhythm,
        )
        outcome: Literal["read", "unchanged", "failed"] = "failed"
    else:
        # What broke off is asked for whole the next time.
        cut_off = reading is not None and reading.error and reading.error[0] is Reason.TRUNCATED
        broken = asked.problem is not None or cut_off
        answer = asked.answer._replace(etag=None, last_modified=None, body_hash=None)
        memory = after_answer(
            feed.url,
            before,
            answer if broken else asked.answer,
            None if asked.unchanged else reading,
            now=now,
            fixed=feed.interval,
            rhythm=rhythm,
        )
        outcome = "unchanged" if asked.unchanged else "read"
    read = reading if outcome == "read" else None
    known = before.marks if before else ()
    report = FeedReport(
        url=feed.url,
        name=feed.name or memory.name,
        tags=feed.tags,
        outcome=outcome,
        status=asked.status,
        seconds=round(asked.seconds, 3),
        problem=None if empty else problem,
        failures=memory.failures,
        format=memory.format,
        entries=read.entries if read else 0,
        new_entries=count_new(read.marks, known, read.identity) if read else 0,
        pages=asked.pages,
        pages_failed=asked.pages_failed,
        identity=memory.identity,
        oddities=memory.oddities,
        moved_to=memory.moved_to,
        silent_since=silent_since(memory, now),
        next_at=memory.next_at,
    )
    return Outcome(report, memory)
