"""What a fetch gives, and how it ends where it gives nothing."""

import asyncio
import gzip
import logging
import time
from datetime import UTC, datetime, timedelta

import brotli
import pytest

from pipeline.web import FetchSettings, Request, WebClient
from tests.web.servers import (
    answer,
    client,
    failing,
    fetch,
    in_turn,
    redirect,
    reset,
    serving,
)
from transforms.errors import Reason

pytestmark = pytest.mark.anyio

FEED = b"<rss><channel><title>News</title></channel></rss>"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_a_feed():
    headers = {"Content-Type": 'Application/RSS+xml; charset="ISO-8859-1"', "ETag": '"7"'}
    async with (
        serving({"/feed?a=b": answer(body=FEED, headers=headers)}) as server,
        client(user_agent="policywire/9 (+https://example.org)") as web,
    ):
        response = await fetch(web, server.url("/feed?a=b#part"))
    assert (response.status, response.body) == (200, FEED)
    assert response.url == server.url("/feed?a=b")
    assert (response.content_type, response.charset) == ("application/rss+xml", "iso-8859-1")
    assert response.headers["etag"] == '"7"'
    assert response.moved_to is None
    assert response.attempts == 1
    assert 0 < response.elapsed < 5
    assert response.http_version == "HTTP/1.1"
    (asked,) = server.asked
    assert asked.headers["user-agent"] == "policywire/9 (+https://example.org)"
    assert "application/rss+xml" in asked.headers["accept"]
    assert asked.headers["accept-encoding"] == "gzip, deflate, br, zstd"
    assert not asked.headers.keys() & {"if-none-match", "if-modified-since", "authorization"}


@pytest.mark.parametrize(
    ("header", "content_type", "charset"),
    [
        (None, "", None),
        ("text/html", "text/html", None),
        ("nonsense; charset", "nonsense", None),
        ("; charset=utf-8", "", "utf-8"),
        ("image/png; charset=klingon", "image/png", "klingon"),
    ],
)
async def test_content_types_are_told_as_they_are_right_or_wrong(header, content_type, charset):
    headers = {"Content-Type": header} if header is not None else {}
    async with serving({"/": answer(body=FEED, headers=headers)}) as server, client() as web:
        response = await fetch(web, server.url())
    assert response.body == FEED
    assert (response.content_type, response.charset) == (content_type, charset)


async def test_what_has_not_changed():
    async with serving({"/": answer(304, headers={"ETag": '"7"'})}) as server, client() as web:
        for _ in range(2):
            response = await fetch(
                web, server.url(), etag='W/"7"', last_modified="Sun, 01 Mar 2026 12:00:00 GMT"
            )
            assert (response.status, response.body) == (304, b"")
    assert server.asked[0].headers["if-none-match"] == 'W/"7"'
    assert server.asked[0].headers["if-modified-since"] == "Sun, 01 Mar 2026 12:00:00 GMT"
    assert server.connections == 1


async def test_unchanged_since_nothing_is_an_error():
    async with serving({"/": answer(304)}) as server, client() as web:
        error = await failing(web, server.url())
    assert (error.reason, error.status) == (Reason.HTTP_ERROR, 304)


@pytest.mark.parametrize(
    ("coding", "compress"), [("gzip", gzip.compress), ("br", brotli.compress), ("", gzip.compress)]
)
async def test_a_body_is_decoded(coding, compress):
    routes = {"/": answer(body=compress(FEED), headers={"Content-Encoding": coding})}
    async with serving(routes) as server, client() as web:
        assert (await fetch(web, server.url())).body == FEED


@pytest.mark.parametrize(
    ("status", "reason", "passing", "requests"),
    [
        (400, Reason.HTTP_ERROR, False, 1),
        (401, Reason.HTTP_ERROR, False, 1),
        (403, Reason.HTTP_ERROR, False, 1),
        (404, Reason.HTTP_ERROR, False, 1),
        (410, Reason.GONE, False, 1),
        (300, Reason.HTTP_ERROR, False, 1),
        (429, Reason.HTTP_ERROR, True, 3),
        (500, Reason.HTTP_ERROR, True, 3),
        (503, Reason.HTTP_ERROR, True, 3),
    ],
)
async def test_statuses(status, reason, passing, requests):
    async with serving({"/": answer(status, b"sorry")}) as server, client() as web:
        error = await failing(web, server.url())
        assert (error.reason, error.status, error.passing) == (reason, status, passing)
        assert error.detail == f"127.0.0.1 answered {status}"
        assert str(error) == f"the feed: 127.0.0.1 answered {status}"
        assert len(server.asked) == requests


@pytest.mark.parametrize("fault", [reset, answer(503), answer(429), answer(502)])
async def test_what_passes_is_asked_again(fault):
    async with serving({"/": in_turn(fault, answer(body=FEED))}) as server, client() as web:
        response = await fetch(web, server.url())
        assert (response.body, response.attempts) == (FEED, 2)


async def test_waits_grow_and_are_a_part_of_the_longest():
    parts = iter([1.0, 0.5, 0.0])
    async with serving({"/": answer(500)}) as server:
        async with client(backoff=0.1, jitter=lambda: next(parts)) as web:
            began = time.monotonic()
            await failing(web, server.url())
            took = time.monotonic() - began
        assert len(server.asked) == 3
    assert 0.2 <= took < 0.5  # 0.1 and half of 0.2


@pytest.mark.parametrize(
    "value", ["0", "Sun, 01 Mar 2026 12:00:00 GMT", "Sun, 01 Mar 2026 11:00:00 -0000"]
)
async def test_a_short_retry_after_is_waited(value):
    busy = answer(429, headers={"Retry-After": value})
    async with (
        serving({"/": in_turn(busy, answer(body=FEED))}) as server,
        client(now=lambda: NOON, backoff=60.0, longest_wait=1.0) as web,
    ):
        assert (await fetch(web, server.url())).attempts == 2


@pytest.mark.parametrize(
    ("value", "until"),
    [
        ("120", NOON + timedelta(minutes=2)),
        ("Sun, 01 Mar 2026 13:30:00 GMT", NOON + timedelta(hours=1, minutes=30)),
        ("Sunday, 01-Mar-26 14:30:00 +0100", NOON + timedelta(hours=1, minutes=30)),
        ("9999999999999999999999", NOON + timedelta(days=30)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", NOON + timedelta(days=30)),
    ],
)
async def test_a_long_retry_after_is_told(value, until):
    async with serving({"/": answer(503, headers={"Retry-After": value})}) as server:
        async with client(now=lambda: NOON) as web:
            error = await failing(web, server.url())
        assert (error.status, error.passing, error.retry_after) == (503, True, until)
        assert len(server.asked) == 1


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "Sun, 99 Foo 2026"])
async def test_a_retry_after_that_says_nothing(value):
    busy = answer(503, headers={"Retry-After": value})
    async with serving({"/": in_turn(busy, answer(body=FEED))}) as server, client() as web:
        assert (await fetch(web, server.url())).attempts == 2


async def test_a_host_that_is_busy_is_left_alone_by_all():
    routes = {"/busy": answer(429, headers={"Retry-After": "3600"}), "/other": answer(body=FEED)}
    async with serving(routes) as server, client(now=lambda: NOON) as web:
        await failing(web, server.url("/busy"))
        error = await failing(web, server.url("/other"))
        assert (error.status, error.retry_after) == (429, NOON + timedelta(hours=1))
        assert "not asked" in error.detail
        assert [asked.path for asked in server.asked] == ["/busy"]
        async with serving({"/": answer(body=FEED)}) as other:  # another port, another host
            assert (await fetch(web, other.url())).body == FEED


async def test_nobody_listens():
    async with serving() as server:
        pass
    async with client() as web:
        error = await failing(web, server.url())
    assert (error.reason, error.passing, error.status) == (Reason.UNREACHABLE, True, None)
    assert "Connect call failed" in error.detail


async def test_what_does_not_speak_http():
    async with serving({"/": b"220 ftp.example.org ready\r\n\r\n"}) as server, client() as web:
        error = await failing(web, server.url())
    assert (error.reason, error.passing) == (Reason.UNREACHABLE, True)


# Bodies


async def test_a_body_shorter_than_announced():
    raw = answer(body=FEED, headers={"Content-Length": "1000"})

    async def cut(asked, writer):
        writer.write(raw)
        await writer.drain()
        writer.close()

    async with serving({"/": cut}) as server, client() as web:
        error = await failing(web, server.url())
        assert (error.reason, error.passing, error.partial) == (Reason.BAD_RESPONSE, True, FEED)
        assert len(server.asked) == 3


async def test_a_body_longer_than_announced_is_cut_and_harms_no_other():
    raw = answer(body=FEED + b"surplus", headers={"Content-Length": str(len(FEED))})
    async with serving({"/": raw, "/2": answer(body=b"two")}) as server, client() as web:
        assert (await fetch(web, server.url())).body == FEED
        assert (await fetch(web, server.url("/2"))).body == b"two"


async def test_chunks_that_break_off():
    head = answer(headers={"Transfer-Encoding": "chunked"}).replace(b"Content-Length: 0\r\n", b"")

    async def cut(asked, writer):
        writer.write(head + b"5\r\n<rss>\r\n")
        await writer.drain()
        writer.close()

    async with serving({"/": cut}) as server, client(retries=0) as web:
        error = await failing(web, server.url())
    assert (error.reason, error.partial) == (Reason.BAD_RESPONSE, b"<rss>")


async def test_gzip_that_breaks_off():
    body = gzip.compress(FEED)[:-4]
    routes = {"/": answer(body=body, headers={"Content-Encoding": "gzip"})}
    async with serving(routes) as server, client(retries=0) as web:
        error = await failing(web, server.url())
    assert (error.reason, error.partial, error.passing) == (Reason.BAD_RESPONSE, FEED, True)


async def test_a_body_without_end_is_stopped_at_the_limit():
    sent = 0

    async def endless(asked, writer):
        nonlocal sent
        writer.write(answer().replace(b"Content-Length: 0\r\n", b""))
        while not writer.is_closing():
            writer.write(bytes(1 << 16))
            sent += 1 << 16
            await writer.drain()

    async with serving({"/": endless}) as server, client(most_bytes=100_000) as web:
        error = await failing(web, server.url())
        assert error.reason is Reason.TOO_LARGE
        assert not error.passing
        assert len(error.partial) <= 100_000
        await asyncio.sleep(0.05)
        stopped_at = sent
        await asyncio.sleep(0.05)
        assert sent == stopped_at < 50 << 20


async def slow_loris(asked, writer):
    writer.write(answer(headers={"Content-Length": "1000"}))
    while not writer.is_closing():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silent(asked, writer):
    await asyncio.sleep(60)


async def test_a_byte_now_and_then_ends_at_the_whole_timeout():
    async with serving({"/": slow_loris}) as server:
        async with client(whole_timeout=0.3, read_timeout=0.2) as web:
            began = time.monotonic()
            error = await failing(web, server.url())
            took = time.monotonic() - began
        assert (error.reason, error.passing) == (Reason.TIMED_OUT, True)
        assert error.partial.startswith(b"xxx")
        assert 0.3 <= took < 0.6
        assert len(server.asked) == 1


async def test_silence_ends_at_the_read_timeout_and_is_not_tried_again():
    async with serving({"/": silent}) as server, client(read_timeout=0.1) as web:
        began = time.monotonic()
        error = await failing(web, server.url())
        assert (error.reason, error.passing) == (Reason.TIMED_OUT, True)
        assert time.monotonic() - began < 0.5
        assert len(server.asked) == 1


async def test_the_whole_timeout_is_for_all_attempts_and_redirects():
    async def late(asked, writer):
        await asyncio.sleep(0.2)
        writer.write(redirect("/b" if asked.path == "/a" else "/c"))

    async with serving({"/a": late, "/b": late}) as server, client(whole_timeout=0.3) as web:
        error = await failing(web, server.url("/a"))
        assert error.reason is Reason.TIMED_OUT
        assert [asked.path for asked in server.asked] == ["/a", "/b"]


async def test_a_certificate_that_nobody_vouches_for(certificates):
    routes = {"/": answer(body=FEED)}
    async with serving(routes, ssl=certificates.server) as server:
        url = server.url().replace("http:", "https:")
        async with WebClient(FetchSettings(allowed=("127.0.0.1",))) as web:
            error = await failing(web, url)
            assert (error.reason, error.passing) == (Reason.UNREACHABLE, False)
            assert "certificate" in error.detail.lower()
        async with client(ssl_context=certificates.client) as web:
            assert (await fetch(web, url)).body == FEED
        assert [asked.path for asked in server.asked] == ["/"]


# URLs and redirects


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "//127.0.0.1/x",
        "feed",
        "",
        "http://",
        "http://user:password@127.0.0.1/",
        "http://user:pass/word@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1/a\nb",
    ],
)
async def test_what_is_no_url_of_the_web(url):
    async with client() as web:
        error = await failing(web, url)
    assert (error.reason, error.passing) == (Reason.BAD_URL, False)
    assert "pass" not in str(error)


async def test_redirects_are_followed_to_relative_and_absolute_targets():
    async with serving({"/end": answer(body=FEED)}) as server:
        server.routes["/"] = redirect("a/./b/../c?x=1", 303)
        server.routes["/a/c?x=1"] = redirect(server.url("/end#there"), 307)
        async with client() as web:
            response = await fetch(web, server.url())
    assert (response.body, response.url) == (FEED, server.url("/end"))
    assert response.moved_to is None
    assert response.attempts == 1


@pytest.mark.parametrize(
    ("statuses", "moved_to"),
    [
        ((301, 308), "/2"),
        ((308, 302), "/1"),
        ((302, 301), None),
        ((307, 303), None),
    ],
)
async def test_only_permanent_redirects_from_the_start_move_a_feed(statuses, moved_to):
    routes = {
        "/0": redirect("/1", statuses[0]),
        "/1": redirect("/2", statuses[1]),
        "/2": answer(body=FEED),
    }
    async with serving(routes) as server, client() as web:
        response = await fetch(web, server.url("/0"))
        assert response.moved_to == (server.url(moved_to) if moved_to else None)


async def test_redirects_in_a_circle():
    async with serving({"/a": redirect("/b"), "/b": redirect("/a#x")}) as server, client() as web:
        error = await failing(web, server.url("/a"))
        assert (error.reason, error.status, error.passing) == (Reason.BAD_REDIRECT, 302, False)
        assert "circle" in error.detail
        assert len(server.asked) == 2


async def test_redirects_without_end():
    async def on(asked, writer):
        writer.write(redirect(asked.path + "0"))

    async with serving({"/" + "0" * n: on for n in range(20)}) as server:
        async with client(most_redirects=4) as web:
            error = await failing(web, server.url())
        assert (error.reason, error.detail) == (Reason.BAD_REDIRECT, "more than 4 redirects")
        assert len(server.asked) == 5


async def test_as_many_redirects_as_are_allowed():
    routes = {"/0": redirect("/1"), "/1": redirect("/2"), "/2": answer(body=FEED)}
    async with serving(routes) as server, client(most_redirects=2) as web:
        assert (await fetch(web, server.url("/0"))).body == FEED


@pytest.mark.parametrize(
    "to",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "data:,x",
        "http://u:p@127.0.0.1/",
        "http://127.0.0.1:x/",
    ],
)
async def test_redirects_to_what_is_no_url_of_the_web(to):
    async with serving({"/": redirect(to)}) as server, client() as web:
        assert (await failing(web, server.url())).reason is Reason.BAD_REDIRECT


async def test_a_redirect_to_nowhere():
    async with serving({"/": answer(302)}) as server, client() as web:
        assert (await failing(web, server.url())).reason is Reason.BAD_REDIRECT


async def test_a_site_that_redirects_until_its_cookie_comes_back():
    async def wall(asked, writer):
        if "seen=1" in asked.headers.get("cookie", ""):
            writer.write(answer(body=FEED))
        else:
            writer.write(redirect("/", headers={"Set-Cookie": "seen=1; Path=/"}))

    async with serving({"/": wall}) as server, client() as web:
        for _ in range(2):  # a cookie is kept for the one fetch
            assert (await fetch(web, server.url())).body == FEED
        assert ["cookie" in asked.headers for asked in server.asked] == [False, True] * 2


async def test_a_large_body_of_a_redirect_is_not_waited_for():
    moved = answer(302, bytes(1 << 20), {"Location": "/new"})
    async with serving({"/": moved, "/new": answer(body=FEED)}) as server, client() as web:
        assert (await fetch(web, server.url())).body == FEED


# Secrets

SECRETS = {"headers": {"X-Api-Key": "s3cret", "User-Agent": "other"}, "auth": ("me", "s3cret")}
BASIC = "Basic bWU6czNjcmV0"


async def test_credentials_are_sent():
    async with serving({"/": answer(body=FEED)}) as server, client() as web:
        await fetch(web, server.url(), **SECRETS)
    headers = server.asked[0].headers
    assert (headers["x-api-key"], headers["authorization"]) == ("s3cret", BASIC)
    assert headers["user-agent"] == "other"


async def test_credentials_go_to_their_origin_alone():
    async with serving() as other, serving({"/end": answer(body=FEED)}) as home:
        home.routes["/"] = redirect("/away")
        home.routes["/away"] = redirect(other.url())
        other.routes["/"] = redirect(home.url("/end"))
        async with client() as web:
            await fetch(web, home.url(), etag='"1"', **SECRETS)
    assert [asked.headers.get("authorization") for asked in home.asked] == [BASIC] * 3
    (away,) = other.asked
    assert not away.headers.keys() & {"authorization", "x-api-key"}
    assert away.headers["user-agent"] == "policywire"


async def test_no_credentials_go_from_https_to_http(certificates):
    async with (
        serving({"/": answer(body=FEED)}) as plain,
        serving({"/": redirect(plain.url())}, ssl=certificates.server) as safe,
        client(ssl_context=certificates.client) as web,
    ):
        await fetch(web, safe.url().replace("http:", "https:"), **SECRETS)
    assert safe.asked[0].headers["authorization"] == BASIC
    assert not plain.asked[0].headers.keys() & {"authorization", "x-api-key"}


async def test_no_error_log_or_repr_tells_a_secret(caplog):
    caplog.set_level(logging.DEBUG)
    routes = {
        "/?key=s3cret": redirect("/next?key=s3cret"),
        "/next?key=s3cret": answer(403),
        "/loop?key=s3cret": redirect("/loop?key=s3cret"),
        "/cut?key=s3cret": reset,
    }
    texts = []
    async with serving(routes) as server, client(retries=0) as web:
        for path in ("/?key=s3cret", "/loop?key=s3cret", "/cut?key=s3cret"):
            error = await failing(web, server.url(path), **SECRETS)
            texts += [str(error), repr(error), repr(error.__cause__)]
        bad = {"auth": ("me", "s3cret"), "etag": "s3cret\nx"}
        error = await failing(web, server.url(), **bad)
        assert error.reason is Reason.UNREACHABLE
        texts += [str(error), repr(error), repr(error.__cause__)]
    texts.append(repr(Request(url="http://x/?s3cret", shown="x", **SECRETS)))
    assert "s3cret" not in "".join(texts) + caplog.text


@pytest.mark.parametrize("value", ["a\r\nX: y", "café", "\0"])
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(value):
    with pytest.raises(ValueError, match="X-Key") as caught:
        Request(url="http://x/", shown="x", headers={"X-Key": value})
    assert value not in str(caught.value)


# Many at once


async def test_one_host_fails_and_the_others_go_on():
    async with (
        serving({"/": reset}) as bad,
        serving({"/": answer(body=FEED)}) as good,
        client() as web,
    ):
        results = await asyncio.gather(
            *(fetch(web, server.url()) for server in (bad, good, bad, good)),
            return_exceptions=True,
        )
    assert [getattr(result, "body", None) for result in results] == [None, FEED, None, FEED]


async def test_a_fetch_that_is_cancelled_gives_its_turn_back():
    async with (
        serving({"/": silent, "/ok": answer(body=FEED)}) as server,
        client(per_host=1, at_once=1) as web,
    ):
        for _ in range(3):
            tasks = [asyncio.create_task(fetch(web, server.url())) for _ in range(3)]
            await asyncio.sleep(0.02)
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(result, asyncio.CancelledError) for result in results)
        response = await asyncio.wait_for(fetch(web, server.url("/ok")), 2)
        assert response.body == FEED


async def test_a_connection_is_kept_after_answers_without_a_feed():
    routes = {"/": redirect("/gone"), "/gone": answer(404, b"<html>sorry</html>" * 100)}
    async with serving(routes) as server, client() as web:
        for _ in range(3):
            await failing(web, server.url())
        assert (len(server.asked), server.connections) == (6, 1)


async def test_connections_are_kept_and_not_too_many():
    async with (
        serving({"/": answer(body=FEED)}) as one,
        serving({"/": answer(body=FEED)}) as two,
        client(at_once=1) as web,
    ):
        for _ in range(3):
            await fetch(web, one.url())
        assert one.connections == 1
        await fetch(web, two.url())
        await fetch(web, one.url())
        assert one.connections == 2


def test_settings_have_the_limits_that_the_documentation_names():
    settings = FetchSettings()
    assert (settings.per_host, settings.gap, settings.most_bytes) == (2, 1.0, 10_000_000)
