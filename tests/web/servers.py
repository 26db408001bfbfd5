"""A web server that answers, byte for byte, what a test wants."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import NamedTuple, TypeAlias

import httpx

from pipeline.web import FetchError, FetchSettings, Request, Response, WebClient


class Asked(NamedTuple):
    path: str
    headers: httpx.Headers


Route: TypeAlias = bytes | Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]
"""A raw answer, or what writes one."""


def answer(status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A raw answer; without a length where *headers* give one of their own."""
    sent = {"Content-Length": str(len(body))} | dict(headers or {})
    lines = [f"HTTP/1.1 {status} Some", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def redirect(to: str, status: int = 302, headers: Mapping[str, str] | None = None) -> bytes:
    return answer(status, headers={"Location": to} | dict(headers or {}))


def in_turn(*routes: Route) -> Route:
    """The first for the first request and so on; the last for all that follow."""
    waiting = list(routes)

    async def reply(asked: Asked, writer: asyncio.StreamWriter) -> None:
        route = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        await write(route, asked, writer)

    return reply


async def reset(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Cut the connection without an answer."""
    writer.transport.abort()


async def write(route: Route, asked: Asked, writer: asyncio.StreamWriter) -> None:
    if isinstance(route, bytes):
        writer.write(route)
        await writer.drain()
    else:
        await route(asked, writer)


class Server:
    """Answers by path; 404 for what it has no route for.

    Attributes:
        asked: All requests, in order.
        connections: So many were made.
    """

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self.routes = dict(routes)
        self.asked: list[Asked] = []
        self.connections = 0
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.strip().split("\r\n")
                fields = [tuple(line.split(": ", 1)) for line in lines]
                asked = Asked(first.split()[1], httpx.Headers(fields))
                self.asked.append(asked)
                route = self.routes.get(asked.path, answer(404))
                await write(route, asked, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the other end is gone, or the test is over
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def serving(
    routes: Mapping[str, Route] | None = None, host: str = "127.0.0.1", **options: object
) -> AsyncIterator[Server]:
    server = Server(routes or {})
    listener = await asyncio.start_server(server.serve, host, 0, **options)  # type: ignore[arg-type]
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server.end()
        await listener.wait_closed()


_authorities = cache(httpx.create_ssl_context)  # takes longer than most tests


def client(allowed: tuple[str, ...] = ("127.0.0.0/8", "::1"), **options: object) -> WebClient:
    """A client that may ask this machine and is in a hurry; *options* of settings or client."""
    settings = {"gap": 0.0, "backoff": 0.01, "allowed": allowed}
    of_client = {
        name: options.pop(name)
        for name in ("resolve", "ssl_context", "now", "jitter")
        if name in options
    }
    made = FetchSettings(**(settings | options))  # type: ignore[arg-type]
    of_client = {"jitter": lambda: 1.0, "ssl_context": _authorities()} | of_client
    return WebClient(made, **of_client)  # type: ignore[arg-type]


async def fetch(web: WebClient, url: str, **fields: object) -> Response:
    return await web.fetch(Request(url=url, shown="the feed", **fields))  # type: ignore[arg-type]


async def failing(web: WebClient, url: str, **fields: object) -> FetchError:
    """The error that fetching *url* ends with."""
    try:
        response = await fetch(web, url, **fields)
    except FetchError as error:
        return error
    raise AssertionError(f"fetched: {response}")
