"""A web site on loopback, for tests: what it serves can change, and what it was asked is kept."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    headers: Message


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Page = Reply | Callable[[Asked], Reply]


class Site:
    """The pages of a host by their paths; 404 for all others."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: dict[str, Page] = {}
        self.asked: list[Asked] = []

    def __setitem__(self, path: str, page: Page | bytes) -> None:
        self.pages[path] = Reply(page) if isinstance(page, bytes) else page

    def paths(self) -> list[str]:
        """What was asked since the last time, robots.txt left out."""
        asked, self.asked = self.asked, []
        return [one.path for one in asked if one.path != "/robots.txt"]


@contextmanager
def serving(host: str = "127.0.0.1") -> Iterator[Site]:
    """A site that answers as long as this goes on."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = Asked(self.path, self.headers)
            site.asked.append(asked)
            page = site.pages.get(self.path, Reply(status=404))
            reply = page if isinstance(page, Reply) else page(asked)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    site = Site(f"http://{host}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def conditional(body: bytes, etag: str = '"1"') -> Page:
    """A page that is not sent again to those who have it."""

    def answer(asked: Asked) -> Reply:
        if asked.headers["If-None-Match"] == etag:
            return Reply(status=304, headers={"ETag": etag})
        return Reply(body, headers={"ETag": etag, "Content-Type": "application/rss+xml"})

    return answer


def item(title: str, text: str, link: str = "", guid: str = "", date: str = "", **more: str) -> str:
    """An item of RSS."""
    given = {"title": title, "description": text, "link": link, "guid": guid, "pubDate": date}
    parts = (f"<{name}>{escape(value)}</{name}>" for name, value in (given | more).items() if value)
    return f"<item>{''.join(parts)}</item>"


def rss(*items: str, title: str = "The Courier", link: str = "https://courier.example/") -> bytes:
    """A feed."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><link>{link}</link>{''.join(items)}</channel></rss>"
    ).encode()
