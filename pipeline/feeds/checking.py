"""Trying feeds, and finding them: what is learnt is told, and not remembered."""

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from pipeline.config import PipelineConfig
from pipeline.feeds.discovery import feeds_of_page, guesses, what_is
from pipeline.feeds.fetching import fetch_feeds, fetch_settings
from pipeline.feeds.model import Feed
from pipeline.feeds.outcomes import FeedReport, outcomes
from pipeline.feeds.spool import Spool, read_spooled, spooled_files
from pipeline.web import FetchError, Request, Response, WebClient
from transforms.errors import ConfigError
from transforms.logic.feeds import read_feed
from transforms.records import FeedContext, FeedReading, Origin, RawDocument


class Checked(NamedTuple):
    """What trying a feed showed."""

    report: FeedReport
    newest: datetime | None  # date of its newest entry that is not ahead of time


class Found(NamedTuple):
    """The feed behind an address, and others that were seen there."""

    url: str
    title: str | None
    entries: int
    others: tuple[str, ...]


def check_feeds(feeds: Sequence[Feed], config: PipelineConfig) -> list[Checked]:
    """Ask each of *feeds*, due or not, and read what comes.

    The whole body is asked for each time, and pages for full texts are not.

    Raises:
        ConfigError: an environment variable that a feed names is not set.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    plain = [feed.model_copy(update={"full_text": False}) for feed in feeds]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with Spool(folder) as spool:
            asked = asyncio.run(
                fetch_feeds(
                    plain,
                    {},
                    settings=fetch_settings(config.fetching, config.limits.record_bytes),
                    spool=spool,
                    known_articles=lambda _: {},
                    themes="",
                    lists=False,
                    now=now,
                    seen_at=now,
                )
            )
        readings = {
            item.origin.path: read_feed(item)[1]
            for path in spooled_files(folder)
            for item in read_spooled(path)
            if isinstance(item, RawDocument)
        }
    found = outcomes(asked, readings, config.fetching, now)
    return [Checked(one.report, _newest(readings.get(one.report.url), now)) for one in found]


def _newest(reading: FeedReading | None, now: datetime) -> datetime | None:
    times = [mark.time for mark in reading.marks if mark.time is not None] if reading else []
    past = [time for time in times if time <= now.timestamp()]
    return datetime.fromtimestamp(max(past), UTC) if past else None


def find_feed(address: str, config: PipelineConfig) -> Found:
    """The feed at *address*, or behind the page that stands there.

    Of a page the feeds that it declares are tried first, then those that it links to,
    then the usual places of its site.

    Raises:
        ConfigError: there is none, or the address cannot be had; says why.
    """
    return asyncio.run(_find_feed(address, config))


async def _find_feed(address: str, config: PipelineConfig) -> Found:
    settings = fetch_settings(config.fetching, config.limits.record_bytes)
    async with WebClient(settings) as client:
        try:
            response = await client.fetch(Request(url=address, shown=address))
        except FetchError as error:
            raise ConfigError(f"{address}: {error.detail}") from error
        kind = what_is(response.body, response.content_type)
        if kind == "feed":
            title, entries = _read(address, response)
            return Found(address, title, entries, ())
        if kind == "opml":
            raise ConfigError(f"{address}: a list of feeds; policywire feeds import takes it")
        named = [
            found.url for found in feeds_of_page(response.body, response.url, response.charset)
        ]
        for url in (*named, *(guess for guess in guesses(response.url) if guess not in named)):
            try:
                answer = await client.fetch(Request(url=url, shown=url))
            except FetchError:
                continue
            if what_is(answer.body, answer.content_type) == "feed":
                title, entries = _read(url, answer)
                return Found(url, title, entries, tuple(one for one in named if one != url))
    raise ConfigError(f"{address}: no feed was found there, nor at the usual places of its site")


def _read(url: str, response: Response) -> tuple[str | None, int]:
    """Title of a feed, and how many entries it has."""
    document = RawDocument(
        origin=Origin(path=url),
        format="feed",
        payload=response.body,
        encoding=response.charset,
        seen_at=datetime.now(UTC),
        feed=FeedContext(url=url, base_url=response.url),
    )
    reading = read_feed(document)[1]
    return reading.title or None, reading.entries
