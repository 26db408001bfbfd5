"""One request and its answer."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


@dataclass
class _Kept:
    """A pool of connections, and by how many requests it is used."""

    pool: httpcore.AsyncConnectionPool
    users: int = 0


class TooSlowError(FetchError):
    """A server that was given all its time: nothing to be tried again at once."""


class Wire:
    """Connections, which are kept for the next request.

    Args:
        hosts: Connections to so many hosts are kept, and to those that are being asked.
    """

    def __init__(
        self,
        network: GuardedNetwork,
        ssl_context: ssl.SSLContext,
        *,
        hosts: int,
        connect_timeout: float,
        read_timeout: float,
    ) -> None:
        self._network = network
        self._ssl_context = ssl_context
        self._hosts = hosts
        self._timeouts = {"connect": connect_timeout, "read": read_timeout, "write": read_timeout}
        self._kept: dict[str, _Kept] = {}  # the one used last is the last

    async def aclose(self) -> None:
        """Close all connections."""
        while self._kept:
            _, kept = self._kept.popitem()
            await kept.pool.aclose()

    async def ask(self, request: httpx.Request, seconds: float, most_bytes: int) -> Answer:
        """Send *request* and read the answer.

        Raises:
            FetchError: no whole answer within *seconds*, or one of more than *most_bytes*.
        """
        host = request.url.host
        outgoing = self._outgoing(request)
        decoder: BodyDecoder | None = None
        try:
            async with asyncio.timeout(seconds), self._pool(str(outgoing.url.origin)) as pool:
                response = await pool.handle_async_request(outgoing)
                headers = httpx.Headers(response.headers)
                if 200 <= response.status < 300:
                    decoder = BodyDecoder(headers.get("content-encoding", ""), most_bytes)
                await _read(response, decoder)
                return Answer(
                    status=response.status,
                    headers=headers,
                    body=decoder.finish() if decoder else b"",
                    http_version=response.extensions["http_version"].decode("ascii", "replace"),
                )
        except (TimeoutError, httpcore.ReadTimeout, httpcore.WriteTimeout) as error:
            whole = isinstance(error, TimeoutError)
            raise TooSlowError(
                Reason.TIMED_OUT,
                f"{host} did not answer in whole within {seconds:.3g} seconds"
                if whole
                else f"{host} was silent for {self._timeouts['read']:.3g} seconds",
                passing=True,
                partial=decoder.body if decoder else b"",
            ) from None
        except httpcore.ConnectTimeout:
            detail = f"no connection to {host} within {self._timeouts['connect']:.3g} seconds"
            raise FetchError(Reason.TIMED_OUT, detail, passing=True) from None
        except httpcore.ConnectError as error:
            # The pool hides where an error comes from, but keeps it.
            certificate = isinstance(error.__context__, ssl.SSLCertVerificationError)
            detail = f"no connection to {host}: {error}"
            raise FetchError(Reason.UNREACHABLE, detail, passing=not certificate) from None
        except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
            raise self._broken(decoder, f"{host} broke off: {str(error)[:200]}") from None
        except (httpcore.LocalProtocolError, H2Error):  # they may quote what was sent
            raise self._broken(decoder, f"{host} and this client differ about HTTP") from None

    def _broken(self, decoder: BodyDecoder | None, detail: str) -> FetchError:
        return FetchError(
            Reason.BAD_RESPONSE if decoder else Reason.UNREACHABLE,
            detail,
            passing=True,
            partial=decoder.body if decoder else b"",
        )

    @asynccontextmanager
    async def _pool(self, origin: str) -> AsyncIterator[httpcore.AsyncConnectionPool]:
        """The connections to *origin*.

        Each has a pool: httpcore looks at all connections of one at every request.
        """
        kept = self._kept.pop(origin, None) or _Kept(
            httpcore.AsyncConnectionPool(
                ssl_context=self._ssl_context,
                max_connections=None,  # whoever asks is limited
                keepalive_expiry=_KEPT,
                http2=True,
                network_backend=self._network,
            )
        )
        self._kept[origin] = kept
        kept.users += 1
        try:
            yield kept.pool
        finally:
            kept.users -= 1
            for old in [old for old, kept in self._kept.items() if not kept.users][: -self._hosts]:
                await self._kept.pop(old).pool.aclose()

    def _outgoing(self, request: httpx.Request) -> httpcore.Request:
        url = request.url
        return httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            extensions={"timeout": self._timeouts},
        )


async def _read(response: httpcore.Response, decoder: BodyDecoder | None) -> None:
    """Read the body to its end, or as far as it is wanted."""
    whole = False
    try:
        drained = 0
        async for data in response.aiter_stream():
            if decoder is not None:
                decoder.feed(data)
            elif (drained := drained + len(data)) > _DRAINED:
                return
        whole = True
    finally:
        if not whole and response.extensions["http_version"] == b"HTTP/2":
            # httpcore would keep the connection and let the server send the rest.
            await response.extensions["network_stream"].aclose()
        await response.aclose()
