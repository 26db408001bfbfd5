"""The feed behind a web page, as the page names it or as sites usually have it."""

import re
from codecs import BOM_UTF8
from typing import Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

import orjson
from selectolax.lexbor import LexborHTMLParser, LexborNode

from pipeline.feeds.model import checked_url, name_of, url_key
from pipeline.feeds.opml import is_opml
from transforms.errors import RecordError
from transforms.logic.decoding import decode
from transforms.logic.documents import sniff
from transforms.logic.feeds import is_json_feed

Kind = Literal["feed", "page", "opml", "other"]
Format = Literal["rss", "atom", "json"]

_TYPES: dict[str, Format] = {
    "application/rss+xml": "rss",
    "application/rdf+xml": "rss",
    "application/atom+xml": "atom",
    "application/feed+json": "json",
    "application/json": "json",
}
_FEED_LINK = re.compile(
    r"(?:\.(?:rss|atom|rdf)|/(?:rss|feed|feeds|atom)|(?:rss|feed|atom|index)[\w-]*\.xml"
    r"|feed\.json)/?$",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"\bcomment|\bkommentar", re.IGNORECASE)
_HEAD = 8192  # bytes that tell what it is
_MOST = 100  # feeds of a page
_USUAL = (
    *("feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feed.json"),
    *("rss/index.xml", "index.rdf", "blog/feed", "news/rss", "?feed=rss2"),
)


class FoundFeed(NamedTuple):
    """A feed that a page names."""

    url: str
    title: str | None
    type: Format | None  # as the page says it


def feeds_of_page(html: bytes, url: str, encoding: str | None = None) -> list[FoundFeed]:
    """The feeds that the page at *url* names, each once, the likeliest first.

    First those that it declares as its own, then links that look like feeds; those of
    comments come last in either. Whether they are there, asking them tells.
    """
    try:
        tree = LexborHTMLParser(decode(html, encoding, markup=True))
    except RecordError:
        return []
    base = tree.css_first("base[href]")
    if base is not None:
        url = _target(base, url) or url
    declared = [found for link in tree.css("link[href]") if (found := _declared(link, url))]
    linked = [found for link in tree.css("a[href]") if (found := _linked(link, url))]
    unique: dict[str, FoundFeed] = {}
    for found in (*sorted(declared, key=_of_comments), *sorted(linked, key=_of_comments)):
        unique.setdefault(url_key(found.url), found)
    return list(unique.values())[:_MOST]


def guesses(url: str) -> tuple[str, ...]:
    """Where the site of *url* may have a feed that no page names, the likeliest first.

    Below the page itself where it is not the front page, then below that.
    """
    parts = urlsplit(url)
    front = f"{parts.scheme}://{parts.netloc}/"
    path = parts.path.strip("/")
    own = [f"{front}{path}/{usual}" for usual in _USUAL[:3]] if path else []
    return tuple(dict.fromkeys([*own, *(front + usual for usual in _USUAL)]))


def what_is(body: bytes, content_type: str | None = None) -> Kind:
    """What it is that came from an URL.

    The content tells; *content_type*, as its header has it, only where that leaves it
    open.
    """
    if is_opml(body):
        return "opml"
    try:
        kind = sniff("", body[:_HEAD])
    except RecordError:
        return "other"
    if kind in ("json", "jsonl"):  # a long line looks like one of many
        return "feed" if _is_json_feed(body) else "other"
    if kind in ("feed", "html"):
        return "feed" if kind == "feed" else "page"
    media_type = _media_type(content_type)
    return "page" if media_type in ("text/html", "application/xhtml+xml") else "other"


def _is_json_feed(body: bytes) -> bool:
    try:
        record = orjson.loads(body.removeprefix(BOM_UTF8))
    except orjson.JSONDecodeError:
        return False
    return isinstance(record, dict) and is_json_feed(record)


def _media_type(header: str | None) -> str:
    return (header or "").partition(";")[0].strip().lower()


def _declared(link: LexborNode, base: str) -> FoundFeed | None:
    says = link.attributes
    relations = (says.get("rel") or "").lower().split()
    media_type = _media_type(says.get("type"))
    if "alternate" not in relations or media_type not in _TYPES:
        return None
    url = _target(link, base)
    # What WordPress declares as JSON is not a feed, but the page once more.
    if url is None or (media_type == "application/json" and "feed" not in url):
        return None
    return FoundFeed(url, name_of(says.get("title") or ""), _TYPES[media_type])


def _linked(link: LexborNode, base: str) -> FoundFeed | None:
    url = _target(link, base)
    if url is None or not _FEED_LINK.search(urlsplit(url).path):
        return None
    return FoundFeed(url, name_of(link.text()), None)


def _target(link: LexborNode, base: str) -> str | None:
    """Where it leads to; None where no feed can be there."""
    try:
        return checked_url(urljoin(base, (link.attributes.get("href") or "").strip()))
    except ValueError:
        return None


def _of_comments(found: FoundFeed) -> bool:
    return _COMMENTS.search(f"{found.title} {found.url}") is not None
