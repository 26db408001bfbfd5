"""The same over HTTP/2, from a server that knows nothing of this client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.web.servers import client, failing, fetch
from transforms.errors import Reason

pytestmark = pytest.mark.anyio

FEED = b"<rss/>" * 10_000


class Site:
    """An ASGI application.

    Attributes:
        sent: Bytes of endless bodies.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.clients: set[object] = set()

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            return
        self.clients.add(scope["client"])
        headers = dict(scope["headers"])
        unchanged = headers.get(b"if-none-match") == b'"1"'
        length = [(b"content-length", b"10")] if scope["path"] == "/short" else []
        start = {"type": "http.response.start", "status": 304 if unchanged else 200}
        await send(start | {"headers": [(b"etag", b'"1"'), *length]})
        if scope["path"] == "/endless":
            gone = asyncio.create_task(receive_disconnect(receive))
            while not gone.done():
                self.sent += 1 << 16
                await send(body(bytes(1 << 16), more=True))
        elif scope["path"] == "/silent":
            await receive_disconnect(receive)
        else:
            await send(body(b"" if unchanged else b"xx" if length else FEED))


def body(data: bytes, *, more: bool = False) -> dict[str, object]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def receive_disconnect(receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@pytest.fixture(scope="module")
def certificate_files(certificates, tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    made = certificates.authority.issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(folder / "key.pem")
    made.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    return folder


@asynccontextmanager
async def serving(folder, unused_port: int) -> AsyncIterator[tuple[Site, str]]:
    config = Config()
    config.bind = [f"127.0.0.1:{unused_port}"]
    config.certfile, config.keyfile = str(folder / "cert.pem"), str(folder / "key.pem")
    config.errorlog = None
    config.graceful_timeout = 0.1
    over = asyncio.Event()
    site = Site()
    task = asyncio.create_task(serve(site, config, shutdown_trigger=over.wait))
    try:
        yield site, f"https://127.0.0.1:{unused_port}"
    finally:
        over.set()
        await task


async def test_feeds_and_what_has_not_changed(certificates, certificate_files, free_tcp_port):
    async with (
        serving(certificate_files, free_tcp_port) as (site, url),
        client(ssl_context=certificates.client, backoff=0.2) as web,
    ):
        responses = await asyncio.gather(*(fetch(web, f"{url}/{n}") for n in range(10)))
        assert {response.http_version for response in responses} == {"HTTP/2"}
        assert all(response.body == FEED for response in responses)
        unchanged = await fetch(web, url, etag='"1"')
        assert (unchanged.status, unchanged.body) == (304, b"")
        assert len(site.clients) <= 2


async def test_a_body_that_is_too_large_is_stopped_and_the_host_can_be_asked_again(
    certificates, certificate_files, free_tcp_port
):
    async with (
        serving(certificate_files, free_tcp_port) as (site, url),
        client(ssl_context=certificates.client, backoff=0.2, most_bytes=100_000) as web,
    ):
        for _ in range(3):
            error = await failing(web, f"{url}/endless")
            assert error.reason is Reason.TOO_LARGE
            assert (await fetch(web, url)).body == FEED
        await asyncio.sleep(0.1)
        sent = site.sent
        await asyncio.sleep(0.1)
        assert site.sent == sent < 100 << 20


async def test_silence_and_what_comes_after(certificates, certificate_files, free_tcp_port):
    async with (
        serving(certificate_files, free_tcp_port) as (_, url),
        client(ssl_context=certificates.client, backoff=0.2, read_timeout=0.2) as web,
    ):
        error = await failing(web, f"{url}/silent")
        assert error.reason is Reason.TIMED_OUT
        assert (await fetch(web, url)).body == FEED


async def test_a_body_shorter_than_announced(certificates, certificate_files, free_tcp_port):
    async with (
        serving(certificate_files, free_tcp_port) as (_, url),
        client(ssl_context=certificates.client, backoff=0.05) as web,
    ):
        error = await failing(web, f"{url}/short")
        assert (error.reason, error.passing) == (Reason.BAD_RESPONSE, True)
        assert (await fetch(web, url)).body == FEED
