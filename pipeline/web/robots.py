"""What the robots.txt of a host allows: RFC 9309."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from protego import Protego

from pipeline.web.messages import FetchError, Request, Response
from transforms.errors import Reason

PRODUCT = "policywire"
"""The name by which a robots.txt speaks of this program."""

MOST_BYTES = 500 << 10
"""What comes after is not read."""

LONGEST_DELAY = 30.0
"""Seconds; a longer Crawl-delay is taken for this."""


@dataclass(frozen=True)
class Rules:
    """What one host allows.

    Attributes:
        delay: Seconds that it wants between two requests.
        fault: Why its robots.txt could not be had; nothing is allowed then.
    """

    parsed: Protego
    delay: float = 0.0
    fault: FetchError | None = None

    def check(self, url: httpx.URL) -> None:
        """Raises: FetchError: NOT_ALLOWED."""
        if self.fault is not None:
            raise FetchError(
                Reason.NOT_ALLOWED,
                f"robots.txt of {url.host} cannot be had: {self.fault.detail}",
                status=self.fault.status,
                passing=self.fault.passing,
                retry_after=self.fault.retry_after,
            )
        if not self.parsed.can_fetch(str(url), PRODUCT):
            raise FetchError(Reason.NOT_ALLOWED, f"robots.txt of {url.host} does not allow it")


class Robots:
    """Asks each host once.

    Args:
        fetch: Fetches a document of at most so many bytes.
    """

    def __init__(self, fetch: Callable[[Request, int], Awaitable[Response]]) -> None:
        self._fetch = fetch
        self._rules: dict[httpx.URL, Rules] = {}
        self._asking: defaultdict[httpx.URL, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def rules(self, url: httpx.URL) -> Rules:
        """Those of the host of *url*."""
        address = url.copy_with(raw_path=b"/robots.txt", fragment=None)
        async with self._asking[address]:
            if address not in self._rules:
                self._rules[address] = await self._asked(address)
        return self._rules[address]

    async def _asked(self, address: httpx.URL) -> Rules:
        request = Request(url=str(address), shown=str(address), accept="text/plain, */*;q=0.1")
        try:
            text = (await self._fetch(request, MOST_BYTES)).body
        except FetchError as error:
            if error.reason is Reason.TOO_LARGE:
                text = error.partial[: error.partial.rfind(b"\n") + 1]
            elif error.reason is Reason.BAD_REDIRECT or _is_missing(error.status):
                text = b""
            else:
                return Rules(Protego(), fault=error)
        parsed = Protego.parse(text.decode("utf-8-sig", "replace"))
        return Rules(parsed, delay=min(parsed.crawl_delay(PRODUCT) or 0.0, LONGEST_DELAY))


def _is_missing(status: int | None) -> bool:
    """Whether there are no rules; 429 says nothing of that."""
    return status is not None and 400 <= status < 500 and status != 429
