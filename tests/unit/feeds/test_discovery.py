"""The feed behind a page, and what it is that came from an URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feeds.discovery import FoundFeed, feeds_of_page, guesses, what_is
from pipeline.feeds.opml import write_opml

PAGE = "https://example.org/news/today.html"


def found(body: str, url: str = PAGE) -> list[FoundFeed]:
    return feeds_of_page(f"<!doctype html><html>{body}</html>".encode(), url)


def urls(body: str) -> list[str]:
    return [feed.url for feed in found(body)]


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [
        ("application/rss+xml", "rss"),
        ("application/rdf+xml", "rss"),
        ("application/atom+xml", "atom"),
        ("Application/RSS+XML; charset=utf-8", "rss"),
        ("application/feed+json", "json"),
        ("application/json", "json"),
    ],
)
def test_a_page_declares_its_feeds(media_type: str, kind: str) -> None:
    link = f'<link rel="home Alternate" type="{media_type}" title=" All\n news" href="/feed.x">'
    assert found(link) == [FoundFeed("https://example.org/feed.x", "All news", kind)]


@pytest.mark.parametrize(
    "link",
    [
        '<link rel="stylesheet" type="application/rss+xml" href="/feed">',
        '<link rel="alternate" type="text/html" hreflang="de" href="/feed">',
        '<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/5">',
        '<link rel="alternate" type="application/json+oembed" href="/oembed?url=/feed">',
        '<link rel="alternate" type="application/rss+xml">',
        '<link rel="alternate" type="application/rss+xml" href="javascript:feed()">',
        '<link rel="alternate" type="application/rss+xml" href="https://me:pw@example.org/feed">',
        '<link rel="alternate" type="application/rss+xml" href="https://[broken/feed">',
    ],
)
def test_other_links_declare_no_feed(link: str) -> None:
    assert found(link) == []


@pytest.mark.parametrize(
    ("href", "is_feed"),
    [
        ("/all.rss", True),
        ("/news.atom", True),
        ("/feed", True),
        ("/feed/", True),
        ("/en/RSS", True),
        ("/rss.xml?lang=en", True),
        ("/rss-news.xml", True),
        ("/index.xml", True),
        ("/feed.json", True),
        ("/sitemap.xml", False),
        ("/feedback", False),
        ("/about-rss.html", False),
        ("/feed.css", False),
    ],
)
def test_a_link_may_look_like_a_feed(href: str, is_feed: bool) -> None:
    expected = [FoundFeed(f"https://example.org{href}", "News feed", None)]
    assert found(f'<a href="{href}">News\n<b>feed</b></a>') == (expected if is_feed else [])


def test_what_is_declared_comes_before_what_is_linked_and_comments_come_last() -> None:
    assert urls(
        '<a href="/linked/comments/feed">c</a><a href="/rss">linked</a>'
        '<link rel=alternate type=application/rss+xml title="Comments" href="/declared-comments">'
        '<link rel=alternate type=application/atom+xml href="/declared">'
        '<a href="https://EXAMPLE.org/declared#again">not twice</a>'
    ) == [
        "https://example.org/declared",
        "https://example.org/declared-comments",
        "https://example.org/rss",
        "https://example.org/linked/comments/feed",
    ]


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("", "https://example.org/news/feed"),
        ('<base href="/other/">', "https://example.org/other/feed"),
        ('<base href="https://cdn.example.net/">', "https://cdn.example.net/feed"),
        ('<base href="https://[broken">', "https://example.org/news/feed"),
        ("<base>", "https://example.org/news/feed"),
    ],
)
def test_links_are_relative_to_the_page_or_to_its_base(base: str, expected: str) -> None:
    assert urls(f'{base}<a href=" feed\n">Feed</a>') == [expected]


def test_a_page_is_read_in_its_own_encoding() -> None:
    page = '<meta charset="windows-1251"><a href="/rss">Новости</a>'.encode("windows-1251")
    assert feeds_of_page(page, PAGE) == [FoundFeed("https://example.org/rss", "Новости", None)]


def test_a_page_of_links_has_an_end() -> None:
    assert len(found("".join(f'<a href="/{n}/feed">f</a>' for n in range(1000)))) == 100


@given(st.binary(max_size=200))
def test_any_bytes_are_a_page(page: bytes) -> None:
    assert isinstance(feeds_of_page(page, PAGE), list)
    assert what_is(page) in ("feed", "page", "opml", "other")


def test_usual_places_are_guessed_below_the_page_and_the_site() -> None:
    places = guesses("https://example.org:8443/blog/?page=2#top")
    assert places[:4] == (
        "https://example.org:8443/blog/feed",
        "https://example.org:8443/blog/rss",
        "https://example.org:8443/blog/rss.xml",
        "https://example.org:8443/feed",
    )
    assert "https://example.org:8443/atom.xml" in places
    assert guesses("https://example.org") == guesses("https://example.org/")
    assert guesses("https://example.org")[0] == "https://example.org/feed"
    assert len(set(places)) == len(places)


@pytest.mark.parametrize(
    ("body", "content_type", "kind"),
    [
        (b'<?xml version="1.0"?><rss version="2.0"><channel/></rss>', "text/html", "feed"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', None, "feed"),
        (b'{"version":"https://jsonfeed.org/version/1.1","items":[]}', None, "feed"),
        (b'{\n "version": "https://jsonfeed.org/version/1",\n "items": []\n}', None, "feed"),
        (
            b'{"version":"https://jsonfeed.org/version/1","x":"' + b"a" * 9000 + b'"}',
            "application/json",
            "feed",
        ),
        (b'{"version":"https://jsonfeed.org/version/1.1","items":[', None, "other"),
        (b'{"items":[]}', "application/feed+json", "other"),
        (write_opml(()), "text/xml", "opml"),
        (b"<!DOCTYPE html><title>News</title>", None, "page"),
        (b"<nav>News</nav>", "text/html; charset=utf-8", "page"),
        (b"News", "text/html", "page"),
        (b"News", "text/plain", "other"),
        (b"<sitemap/>", "application/xml", "other"),
        (b"%PDF-1.7", "application/pdf", "other"),
        (b"", "text/html", "other"),
    ],
)
def test_the_content_tells_what_it_is(body: bytes, content_type: str | None, kind: str) -> None:
    assert what_is(body, content_type) == kind
