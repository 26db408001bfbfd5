"""One request and its answer."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import httpcore
import httpx
from h2.exceptions import H2Error

from pipeline.web.addresses import GuardedNetwork
from pipeline.web.decoding import BodyDecoder
from pipeline.web.messages import FetchError
from transforms.errors import Reason

_KEPT = 30.0  # seconds that a connection waits for the next request
_DRAINED = 1 << 16  # bytes read of a body that nobody wants, so that its connection can be kept
_DRAINING = 5.0  # seconds that are spent on that
_FAULTS = (
    TimeoutError,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ConnectionNotAvailable,
    H2Error,  # httpcore lets it through while a body is read
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server sent.

    Attributes:
        body: Decoded; empty unless the status is of success.
    """

    status: int
    headers: httpx.Headers
    body: bytes
    http_version: str


class TooSlowError(FetchError):
    """A server that was given all its time: nothing to be tried again at once."""


class Wire:
    """Connections, each for one request at a time, which are kept for the next.

    Args:
        kept: So many at most.
    """

    def __init__(
        self,
        network: GuardedNetwork,
        ssl_context: ssl.SSLContext,
        *,
        kept: int,
        connect_timeout: float,
        read_timeout: float,
    ) -> None:
        self._network = network
        self._ssl_context = ssl_context
        self._most_kept = kept
        self._timeouts = {"connect": connect_timeout, "read": read_timeout, "write": read_timeout}
        self._kept: list[httpcore.AsyncHTTPConnection] = []  # the one used last is the last

    async def aclose(self) -> None:
        """Close all connections."""
        while self._kept:
            await self._kept.pop().aclose()

    async def ask(self, request: httpx.Request, seconds: float, most_bytes: int | None) -> Answer:
        """Send *request* and read the answer.

        Args:
            most_bytes: None where the status is all that is wanted.

        Raises:
            FetchError: no whole answer within *seconds*, or one of more than *most_bytes*.
        """
        outgoing = self._outgoing(request)
        decoder: BodyDecoder | None = None
        try:
            async with asyncio.timeout(seconds), self._connection(outgoing) as connection:
                response = await connection.handle_async_request(outgoing)
                headers = httpx.Headers(response.headers)
                if most_bytes is not None and 200 <= response.status < 300:
                    decoder = BodyDecoder(headers.get("content-encoding", ""), most_bytes)
                if most_bytes is None:
                    await _drain(response)
                else:
                    await _read(response, decoder)
                return Answer(
                    status=response.status,
                    headers=headers,
                    body=decoder.finish() if decoder else b"",
                    http_version=response.extensions["http_version"].decode("ascii", "replace"),
                )
        except _FAULTS as fault:
            partial = decoder.body if decoder is not None else None
            raise self._explained(fault, request.url.host, partial) from None

    def _explained(self, fault: Exception, host: str, partial: bytes | None) -> FetchError:
        """What *fault* means; *partial* is None before a body begins."""
        kind: type[FetchError] = FetchError
        passing = True
        match fault:
            case httpcore.ConnectTimeout():
                reason = Reason.TIMED_OUT
                detail = f"no connection to {host} within {self._timeouts['connect']:.3g} seconds"
            case httpcore.TimeoutException():
                kind, reason, detail = TooSlowError, Reason.TIMED_OUT, f"{host} fell silent"
            case TimeoutError():
                kind, reason = TooSlowError, Reason.TIMED_OUT
                detail = f"{host} had not sent all when the time for the fetch was over"
            case httpcore.ConnectError():
                passing = not isinstance(fault.__cause__, ssl.SSLCertVerificationError)
                reason, detail = Reason.UNREACHABLE, f"no connection to {host}: {fault}"
            case httpcore.LocalProtocolError() | H2Error():  # they may quote what was sent
                reason = Reason.UNREACHABLE if partial is None else Reason.BAD_RESPONSE
                detail = f"{host} and this client differ about HTTP"
            case _:
                reason = Reason.UNREACHABLE if partial is None else Reason.BAD_RESPONSE
                detail = f"{host} broke off: {str(fault)[:200]}"
        return kind(reason, detail, passing=passing, partial=partial or b"")

    @asynccontextmanager
    async def _connection(
        self, request: httpcore.Request
    ) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
        """One for *request* alone.

        A pool of httpcore would look at each of its connections at every request, share
        one that is not made yet, lose it when that fails, and keep one over HTTP/2 on which
        the rest of a body that is not wanted still comes.
        """
        connection = await self._ready(request.url.origin)
        try:
            yield connection
        except BaseException:
            await connection.aclose()
            raise
        if connection.is_closed() or not connection.is_idle():
            await connection.aclose()
            return
        self._kept.append(connection)
        if len(self._kept) > self._most_kept:
            await self._kept.pop(0).aclose()

    async def _ready(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        for connection in [kept for kept in self._kept if kept.can_handle_request(origin)]:
            self._kept.remove(connection)
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._ssl_context,
            keepalive_expiry=_KEPT,
            http2=True,
            network_backend=self._network,
        )

    def _outgoing(self, request: httpx.Request) -> httpcore.Request:
        url = request.url
        return httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.content,
            extensions={"timeout": self._timeouts},
        )


async def _read(response: httpcore.Response, decoder: BodyDecoder | None) -> None:
    """Read the body; a long one that nobody wants is given up, and its connection with it."""
    drained = 0
    async for data in response.aiter_stream():
        if decoder is not None:
            decoder.feed(data)
        elif (drained := drained + len(data)) > _DRAINED:
            return
    await response.aclose()


async def _drain(response: httpcore.Response) -> None:
    """Read the body so that the connection can be kept; what goes wrong costs that alone."""
    with suppress(*_FAULTS):
        async with asyncio.timeout(_DRAINING):
            await _read(response, None)
