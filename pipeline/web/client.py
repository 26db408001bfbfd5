"""Fetching: one client for all documents of a run."""

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self, TypeAlias

import httpx

from pipeline.web.addresses import Guard, GuardedNetwork, Resolve, resolver
from pipeline.web.messages import PAGES, FetchError, FetchSettings, Request, Response
from pipeline.web.politeness import Turns
from pipeline.web.robots import Robots
from pipeline.web.walk import REDIRECTS, Walk
from pipeline.web.wire import Answer, TooSlowError, Wire
from transforms.errors import Reason

_PASSING = (408, 425, 429)  # and what begins with 5
_BUSY = (429, 503)
_LONGEST_PAUSE = timedelta(days=30)  # a Retry-After of years is a mistake

Check: TypeAlias = Callable[[Walk], Awaitable[None]]
"""Raises FetchError where a fetch may not go on."""

for _name in ("httpcore", "hpack", "h2"):  # at DEBUG they write headers, and secrets with them
    logging.getLogger(_name).setLevel(logging.WARNING)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class WebClient:
    """Fetches documents: politely, in bounded time and memory, from the public internet alone.

    It is an asynchronous context; any number of fetches may be under way in it.

    Args:
        resolve: Finds the addresses of a host; otherwise the system does.
        ssl_context: Verifies certificates; otherwise by the authorities that certifi knows,
            or those that SSL_CERT_FILE or SSL_CERT_DIR names.
        now: The time, for dates in Retry-After.
        jitter: A number from 0 to 1, the part of the longest wait that is waited.

    Raises:
        ValueError: an entry of `settings.allowed` that is no network.
    """

    def __init__(
        self,
        settings: FetchSettings | None = None,
        *,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = _utc_now,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings = settings or FetchSettings()
        self._now = now
        self._jitter = jitter
        self._turns = Turns(
            settings.per_host, settings.gap, settings.at_once, settings.longest_wait
        )
        self._threads = ThreadPoolExecutor(settings.at_once, thread_name_prefix="resolve")
        self._wire = Wire(
            GuardedNetwork(Guard(settings.allowed), resolve or resolver(self._threads)),
            ssl_context or httpx.create_ssl_context(),
            kept=settings.at_once,
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
        )
        self._robots = Robots(self._fetch)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        await self._wire.aclose()

    async def fetch(self, request: Request) -> Response:
        """Fetch a document: its redirects are followed, what may pass is retried.

        Raises:
            FetchError: it could not be had.
        """
        return await self._fetch(request, self._settings.most_bytes)

    async def fetch_page(self, url: str) -> Response:
        """Fetch a page, if the robots.txt of its host, and of those it redirects to, allows.

        Raises:
            FetchError: it could not be had; NOT_ALLOWED where a robots.txt does not allow it.
        """
        request = Request(url=url, shown=url, accept=PAGES)
        return await self._fetch(request, self._settings.most_bytes, self._check_robots)

    async def _check_robots(self, walk: Walk) -> None:
        rules = await self._robots.rules(walk.url)
        self._turns.widen(walk.host, rules.delay)
        rules.check(walk.url)

    async def _fetch(
        self, request: Request, most_bytes: int, check: Check | None = None
    ) -> Response:
        try:
            walk = Walk(request, self._settings)
            while True:
                if check is not None:
                    await check(walk)
                answer = await self._persist(walk, most_bytes)
                if answer.status not in REDIRECTS:
                    break
                walk.follow(answer.status, answer.headers)
        except FetchError as error:
            error.shown = request.shown
            raise
        return Response(
            url=str(walk.url),
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            content_type=answer.headers.get("content-type", "").partition(";")[0].strip().lower(),
            charset=httpx.Response(answer.status, headers=answer.headers).charset_encoding or None,
            moved_to=walk.moved_to,
            elapsed=self._settings.whole_timeout - walk.left,
            attempts=1 + walk.retries,
            retry_after=_retry_after(answer.headers, self._now()),
            http_version=answer.http_version,
        )

    async def _persist(self, walk: Walk, most_bytes: int) -> Answer:
        """Ask for the URL that *walk* has come to, again if need be."""
        while True:
            async with self._turns.turn(walk.host):
                try:
                    return await self._ask(walk, most_bytes)
                except FetchError as failed:
                    error = failed
            wait = self._wait(error, walk.retries)
            if error.status in _BUSY:
                self._turns.close(walk.host, wait, error)
            may_pass_soon = error.passing and not isinstance(error, TooSlowError)
            last = walk.retries == self._settings.retries
            if not may_pass_soon or last or wait > self._settings.longest_wait:
                raise error
            walk.retries += 1
            await asyncio.sleep(wait)

    async def _ask(self, walk: Walk, most_bytes: int) -> Answer:
        request = walk.outgoing()
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            answer = await self._wire.ask(request, walk.left, most_bytes)
        finally:
            walk.left -= clock() - began
        status = answer.status
        unchanged = status == 304 and request.headers.keys() & {
            "if-none-match",
            "if-modified-since",
        }
        if 200 <= status < 300 or status in REDIRECTS or unchanged:
            return answer
        raise refusal(walk.url.host, answer, self._now())

    def _wait(self, error: FetchError, retries: int) -> float:
        """Seconds until the next attempt: what the server asks for, or more each time."""
        if error.retry_after is not None:
            return max(0.0, (error.retry_after - self._now()).total_seconds())
        longest = min(self._settings.backoff * 2.0**retries, self._settings.longest_wait)
        return self._jitter() * longest


def refusal(host: str, answer: Answer, now: datetime) -> FetchError:
    """What an answer means whose status is not of success."""
    status = answer.status
    return FetchError(
        Reason.GONE if status == 410 else Reason.HTTP_ERROR,
        f"{host} answered {status}",
        status=status,
        passing=status >= 500 or status in _PASSING,
        retry_after=_retry_after(answer.headers, now),
    )


def _retry_after(headers: httpx.Headers, now: datetime) -> datetime | None:
    value = headers.get("retry-after", "").strip()
    latest = now + _LONGEST_PAUSE
    try:
        if value.isdecimal():
            return min(now + timedelta(seconds=int(value)), latest)
        date = parsedate_to_datetime(value)
        # A date of "-0000" says UTC too, and no more.
        return min(date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC), latest)
    except OverflowError:
        return latest
    except ValueError:
        return None
