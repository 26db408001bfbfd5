"""Feeds as Atom 1.0 (RFC 4287) and as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from datetime import datetime
from typing import Any, Final

import orjson
from lxml import etree
from lxml.builder import ElementMaker

from pipeline.sinks.feeds.entries import Entry, Feed

_ATOM: Final = "http://www.w3.org/2005/Atom"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_E: Final = ElementMaker(namespace=_ATOM, nsmap={None: _ATOM})


def atom(feed: Feed, url: str | None) -> bytes:
    """The feed as Atom.

    Args:
        url: Where it will be found.
    """
    root = _E.feed(
        _E.id(feed.feed_id),
        _E.title(feed.title),
        _E.updated(_date(feed.updated)),
        _E.author(_E.name("policywire")),
        _E.generator("policywire"),
    )
    if url:
        root.append(_E.link(rel="self", type="application/atom+xml", href=url))
    root.extend(map(_atom_entry, feed.entries))
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True))


def _atom_entry(entry: Entry) -> etree._Element:
    made = _E.entry(
        _E.id(entry.entry_id),
        _E.title(entry.title),
        _E.published(_date(entry.published)),
        _E.updated(_date(entry.updated)),
        _E.author(_E.name(entry.source)),
        _E.category(term=entry.theme),
        _E.category(term=entry.level),
        _E.content(entry.content, type="html"),
    )
    if entry.url:
        made.append(_E.link(rel="alternate", href=entry.url))
    if entry.language:
        made.set(_LANG, entry.language)
    return made


def json_feed(feed: Feed, url: str | None) -> bytes:
    """The feed as JSON Feed.

    Args:
        url: Where it will be found.
    """
    whole: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        **({"feed_url": url} if url else {}),
        "items": [_json_item(entry) for entry in feed.entries],
    }
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _json_item(entry: Entry) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": entry.entry_id,
        "title": entry.title,
        "content_html": entry.content,
        "date_published": _date(entry.published),
        "date_modified": _date(entry.updated),
        "authors": [{"name": entry.source}],
        "tags": [entry.theme, entry.level],
    }
    if entry.url:
        item["url"] = entry.url
    if entry.language:
        item["language"] = entry.language
    return item


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
