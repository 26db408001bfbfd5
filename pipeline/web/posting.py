"""Posting: to an address that somebody configured, with nothing wanted back but a status."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx

from pipeline.web.addresses import Guard, GuardedNetwork, Resolve, resolver
from pipeline.web.client import refusal
from pipeline.web.messages import FetchSettings, Request
from pipeline.web.walk import Walk
from pipeline.web.wire import Wire


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Poster:
    """Posts, one message after the other, for code that is not asynchronous.

    Of *settings* it heeds the timeouts, `allowed` and `user_agent`. Nothing is tried again,
    and no redirect is followed: what is sent is not for whoever answers with one.

    Args:
        resolve: Finds the addresses of a host; otherwise the system does.
        ssl_context: Verifies certificates; otherwise by the authorities that certifi knows,
            or those that SSL_CERT_FILE or SSL_CERT_DIR names.
        now: The time, for dates in Retry-After.

    Raises:
        ValueError: an entry of `settings.allowed` that is no network.
    """

    def __init__(
        self,
        settings: FetchSettings,
        *,
        resolve: Resolve | None = None,
        ssl_context: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._settings = settings
        self._now = now
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="resolve")
        self._wire = Wire(
            GuardedNetwork(Guard(settings.allowed), resolve or resolver(self._threads)),
            ssl_context or httpx.create_ssl_context(),
            kept=1,
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
        )
        self._loop = asyncio.Runner()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Post *body*; return when it was taken: answered with a status from 200 to 299.

        Raises:
            FetchError: it was not, or nothing is known of it.
        """
        self._loop.run(self._post(url, body, headers))

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        asked = Request(url=url, shown="", headers=headers)
        target = Walk(asked, self._settings).url
        own = {"User-Agent": self._settings.user_agent, "Accept": "*/*"}
        request = httpx.Request("POST", target, headers={**own, **asked.headers}, content=body)
        answer = await self._wire.ask(request, self._settings.whole_timeout, None)
        if not 200 <= answer.status < 300:
            raise refusal(target.host, answer, self._now())

    def close(self) -> None:
        """Close the connection that is kept."""
        self._loop.run(self._wire.aclose())
        self._loop.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
