"""Pages are fetched where robots.txt allows it."""

import asyncio
import time

import httpx
import pytest

from pipeline.web import FetchError, WebClient
from tests.web.servers import answer, client, fetch, redirect, reset, serving
from transforms.errors import Reason

pytestmark = pytest.mark.anyio

PAGE = b"<html><title>News</title></html>"
RULES = b"""\
User-agent: *
Disallow: /

User-agent: PolicyWire
Disallow: /private
Allow: /private/press
"""


async def refused(web: WebClient, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await web.fetch_page(url)
    return caught.value


async def test_the_rules_for_policywire_hold():
    routes = {"/robots.txt": answer(body=RULES), "/": answer(body=PAGE)}
    routes |= {"/private/press": answer(body=PAGE), "/private/x": answer(body=PAGE)}
    async with serving(routes) as server, client(user_agent="Mozilla/5.0 (other)") as web:
        page = await web.fetch_page(server.url())
        assert page.body == PAGE
        await web.fetch_page(server.url("/private/press"))
        error = await refused(web, server.url("/private/x"))
        assert (error.reason, error.passing) == (Reason.NOT_ALLOWED, False)
        assert str(error) == (
            f"{server.url('/private/x')}: robots.txt of 127.0.0.1 does not allow it"
        )
        assert [asked.path for asked in server.asked] == ["/robots.txt", "/", "/private/press"]
        assert "text/html" in server.asked[1].headers["accept"]


async def test_feeds_are_not_asked_of_robots():
    async with serving(
        {"/robots.txt": answer(body=RULES), "/private": answer(body=PAGE)}
    ) as server:
        async with client() as web:
            await fetch(web, server.url("/private"))
        assert [asked.path for asked in server.asked] == ["/private"]


async def test_a_host_is_asked_once_by_many():
    routes = {"/robots.txt": answer(body=RULES), "/": answer(body=PAGE)}
    async with serving(routes) as server, client() as web:
        await asyncio.gather(*(web.fetch_page(server.url()) for _ in range(5)))
        assert [asked.path for asked in server.asked].count("/robots.txt") == 1


async def test_one_who_is_cancelled_while_asking_leaves_the_question_to_the_next():
    async def late(asked, writer):
        await asyncio.sleep(0.05)
        writer.write(answer(body=RULES))

    routes = {"/robots.txt": late, "/": answer(body=PAGE)}
    async with serving(routes) as server, client() as web:
        first = asyncio.create_task(web.fetch_page(server.url()))
        second = asyncio.create_task(web.fetch_page(server.url()))
        await asyncio.sleep(0.02)
        first.cancel()
        assert (await second).body == PAGE


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_without_rules_all_is_allowed(status):
    async with (
        serving({"/robots.txt": answer(status), "/": answer(body=PAGE)}) as server,
        client() as web,
    ):
        assert (await web.fetch_page(server.url())).body == PAGE


@pytest.mark.parametrize("fault", [answer(500), answer(503), answer(429), reset])
async def test_where_rules_cannot_be_had_nothing_is_allowed(fault):
    async with serving({"/robots.txt": fault, "/": answer(body=PAGE)}) as server:
        async with client(retries=0) as web:
            error = await refused(web, server.url())
        assert (error.reason, error.passing) == (Reason.NOT_ALLOWED, True)
        assert "cannot be had" in error.detail
        assert {asked.path for asked in server.asked} == {"/robots.txt"}


async def test_rules_of_another_place_are_followed_there():
    async with serving({"/rules": answer(body=RULES)}) as other, serving() as server:
        server.routes = {"/robots.txt": redirect(other.url("/rules"), 301)}
        async with client() as web:
            assert (await refused(web, server.url("/private"))).reason is Reason.NOT_ALLOWED


async def test_rules_in_a_circle_are_none():
    async with (
        serving({"/robots.txt": redirect("/robots.txt"), "/": answer(body=PAGE)}) as server,
        client() as web,
    ):
        assert (await web.fetch_page(server.url())).body == PAGE


async def test_the_host_of_a_redirect_is_asked_too():
    async with serving({"/robots.txt": answer(body=RULES)}) as other, serving() as server:
        server.routes = {"/": redirect(other.url("/private"))}
        async with client() as web:
            error = await refused(web, server.url())
        assert error.reason is Reason.NOT_ALLOWED
        assert [asked.path for asked in other.asked] == ["/robots.txt"]


async def test_rules_after_500_kibibytes_are_not_read():
    filler = b"# nothing\n" * 60_000
    rules = RULES + filler + b"User-agent: policywire\nDisallow: /late\n"
    routes = {"/robots.txt": answer(body=rules), "/late": answer(body=PAGE)}
    async with serving(routes) as server, client() as web:
        assert (await web.fetch_page(server.url("/late"))).body == PAGE
        assert (await refused(web, server.url("/private"))).reason is Reason.NOT_ALLOWED


async def test_a_delay_that_the_host_wants_is_kept():
    rules = b"User-agent: *\nCrawl-delay: 0.2\n"
    routes = {"/robots.txt": answer(body=rules), "/": answer(body=PAGE)}
    async with serving(routes) as server, client() as web:
        await web.fetch_page(server.url())
        began = time.monotonic()
        await web.fetch_page(server.url())
        assert 0.15 < time.monotonic() - began < 0.5


async def test_a_delay_of_a_day_is_taken_for_half_a_minute():
    rules = b"User-agent: *\nCrawl-delay: 86400\n"
    async with serving({"/robots.txt": answer(body=rules)}) as server, client() as web:
        assert (await web._robots.rules(httpx.URL(server.url()))).delay == 30.0


async def test_a_page_that_is_no_text_of_rules():
    routes = {"/robots.txt": answer(body=b"\xff\xfe\0<html>" + PAGE), "/": answer(body=PAGE)}
    async with serving(routes) as server, client() as web:
        assert (await web.fetch_page(server.url())).body == PAGE


async def test_patterns_that_are_hard_to_match_are_matched_in_time():
    rules = b"User-agent: *\n" + b"Disallow: /" + b"*a" * 500 + b"b$\n"
    url = "/" + "a" * 2000
    routes = {"/robots.txt": answer(body=rules), url: answer(body=PAGE)}
    async with serving(routes) as server, client() as web:
        began = time.monotonic()
        assert (await web.fetch_page(server.url(url))).body == PAGE
        assert time.monotonic() - began < 1
