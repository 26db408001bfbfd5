"""Who may ask which host when."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from pipeline.web.messages import FetchError

Host: TypeAlias = tuple[str, int]
"""A name and a port."""


class Turns:
    """Deals out turns: on each host in the order of asking, hosts independently of one another.

    Args:
        per_host: So many turns at most are under way on a host.
        gap: Seconds between the beginnings of two turns on a host.
        at_once: So many turns at most are under way in all.
        longest_wait: Who would have to wait longer because a host is closed gives up.
    """

    def __init__(self, per_host: int, gap: float, at_once: int, longest_wait: float) -> None:
        self._at_once = asyncio.Semaphore(at_once)
        self._longest_wait = longest_wait
        self._queues: defaultdict[Host, _Queue] = defaultdict(lambda: _Queue(per_host, gap))

    @asynccontextmanager
    async def turn(self, host: Host) -> AsyncIterator[None]:
        """Wait for a turn on *host*, and hold it.

        Raises:
            FetchError: the host is closed for too long.
        """
        queue = self._queues[host]
        async with queue.places:
            # One waits at the front, so that the gap is kept; it takes nothing from other hosts.
            async with queue.front:
                await queue.opened(self._longest_wait)
                await self._at_once.acquire()
                queue.next_start = _clock() + queue.gap
            try:
                yield
            finally:
                self._at_once.release()

    def widen(self, host: Host, gap: float) -> None:
        """Make the gap on *host* at least so many seconds."""
        self._queues[host].gap = max(self._queues[host].gap, gap)

    def close(self, host: Host, seconds: float, error: FetchError) -> None:
        """Let no turn on *host* begin for so many seconds, because it answered *error*."""
        queue = self._queues[host]
        if (until := _clock() + seconds) > queue.closed_until:
            queue.closed_until = until
            queue.error = error


class _Queue:
    def __init__(self, places: int, gap: float) -> None:
        self.places = asyncio.Semaphore(places)
        self.front = asyncio.Lock()
        self.gap = gap
        self.next_start = 0.0
        self.closed_until = 0.0
        self.error: FetchError | None = None  # why it is closed

    async def opened(self, longest_wait: float) -> None:
        """Wait until the next turn may begin."""
        while (wait := max(self.next_start, self.closed_until) - _clock()) > 0:
            if self.error is not None and self.closed_until - _clock() > longest_wait:
                raise FetchError(
                    self.error.reason,
                    f"not asked: {self.error.detail} before, and wants to be left alone",
                    status=self.error.status,
                    passing=True,
                    retry_after=self.error.retry_after,
                )
            await asyncio.sleep(wait)


def _clock() -> float:
    return asyncio.get_running_loop().time()
