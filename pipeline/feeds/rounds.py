"""One round over all feeds: which are due, what they brought, and what is kept of that."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import orjson
import zstandard

from pipeline.config import LoadedConfig, PipelineConfig
from pipeline.feeds.fetching import due_feeds, fetch_feeds, fetch_settings
from pipeline.feeds.listing import load_feeds
from pipeline.feeds.model import Feed, FeedList
from pipeline.feeds.opml import read_opml
from pipeline.feeds.outcomes import Asked, outcomes
from pipeline.feeds.spool import Spool
from pipeline.feeds.state import memories_of
from pipeline.ledger import FeedState, Ledger
from pipeline.manifest import FEEDS, LEDGER_CHANGES, FeedCounts
from pipeline.pauses import pass_point
from pipeline.web import FetchError, FetchSettings, Request, WebClient
from transforms.records import FeedReading

_LOGGER = logging.getLogger(__name__)


class Round(NamedTuple):
    """What a run asked."""

    feeds: int  # that there are
    asked: Sequence[Asked]
    now: datetime


def feeds_of(loaded: LoadedConfig) -> FeedList:
    """The feeds of a configuration; lists at URLs are fetched.

    Raises:
        ConfigError: a list that is a file cannot be read.
    """
    config = loaded.config

    def read_url(url: str) -> bytes:
        return fetch(url, fetch_settings(config.fetching, config.limits.record_bytes))

    return load_feeds(config.inputs.feeds, loaded.path.parent, read_url)


def fetch(url: str, settings: FetchSettings) -> bytes:
    """What stands at *url*.

    Raises:
        OSError: it cannot be had.
    """

    async def ask() -> bytes:
        async with WebClient(settings) as client:
            return (await client.fetch(Request(url=url, shown=url))).body

    try:
        return asyncio.run(ask())
    except FetchError as error:
        raise OSError(str(error)) from error


def fetch_round(
    config: PipelineConfig,
    feeds: Sequence[Feed],
    ledger: Ledger,
    *,
    themes: str,
    named: bool,
    everything: bool,
    run_dir: Path,
    now: datetime,
    seen_at: datetime,
) -> Round:
    """Ask the feeds that are due, and keep what comes in *run_dir*.

    Args:
        themes: Hash of the themes in force.
        named: Whether they were named on the command line: then one that turns out to
            be a list of feeds stands for those.
        everything: Ask all feeds, due or not.
        now: By the clock.
        seen_at: The run's place in time.
    """
    settings = fetch_settings(config.fetching, config.limits.record_bytes)
    asked: list[Asked] = []
    with Spool(run_dir) as spool:

        def ask(some: Sequence[Feed]) -> list[Asked]:
            memories = memories_of(ledger, some)
            due = some if everything else due_feeds(some, memories, now)
            if not due:
                return []
            _LOGGER.info("feeds to ask: %d of %d", len(due), len(some))
            began = time.monotonic()
            came = asyncio.run(
                fetch_feeds(
                    due,
                    memories,
                    settings=settings,
                    spool=spool,
                    known_articles=ledger.known_articles,
                    themes=themes,
                    lists=named,
                    now=now,
                    seen_at=seen_at,
                )
            )
            _LOGGER.info("feeds asked: %d in %.1f s", len(due), time.monotonic() - began)
            return came

        asked = ask(feeds)
        if listed := [one for one in asked if one.listed is not None]:
            asked = [one for one in asked if one.listed is None]
            taken = {feed.url for feed in feeds}
            found = [
                feed
                for one in listed
                for feed in read_opml(one.listed or b"", one.feed.url).feeds
                if feed.url not in taken
            ]
            feeds = [*(one.feed for one in asked), *found]
            asked += ask(found)
    pass_point("fetched")
    return Round(len(feeds), asked, now)


def finish_round(
    done: Round, readings: Mapping[str, FeedReading], config: PipelineConfig, run_dir: Path
) -> FeedCounts:
    """Write what came of each feed that was asked, and what the ledger is to remember."""
    found = outcomes(done.asked, readings, config.fetching, done.now)
    found.sort(key=lambda one: one.report.url)
    with (run_dir / FEEDS).open("wb") as file:
        file.writelines(one.report.model_dump_json().encode() + b"\n" for one in found)
    if found:
        changes = run_dir / LEDGER_CHANGES / "feeds.jsonl.zst"
        changes.parent.mkdir(parents=True, exist_ok=True)
        with zstandard.open(changes, "wb") as file:
            for report, memory in found:
                state = memory.model_dump(mode="json", exclude_defaults=True)
                change = FeedState(url=report.url, state=state, updated_at=done.now)
                file.write(orjson.dumps(change.model_dump(mode="json")) + b"\n")
    ended = [one.report.outcome for one in found]
    return FeedCounts(
        feeds=done.feeds,
        read=ended.count("read"),
        unchanged=ended.count("unchanged"),
        failed=ended.count("failed"),
        not_due=done.feeds - len(found),
        silent=sum(one.report.silent_since is not None for one in found),
    )
