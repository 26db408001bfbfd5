"""Taking the entries out of feeds: RSS, RDF, Atom and JSON Feed."""

import io
import re
from collections.abc import Iterator
from typing import Any

import feedparser

from transforms.errors import Reason, RecordError
from transforms.records import Entry, Markup, RawDocument

_DOCTYPE = re.compile(rb"<!DOCTYPE[^\[>]*(\[)?[^>]*>", re.IGNORECASE)
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_HARMLESS = (feedparser.CharacterEncodingOverride, feedparser.NonXMLContentType)


def parse_xml_feed(document: RawDocument) -> Iterator[Entry]:
    """The entries of an RSS, RDF or Atom feed, in its order.

    Raises:
        RecordError: UNSAFE_XML before anything is parsed; MALFORMED_FEED after the
            entries that could be recovered; EMPTY for a feed without entries.
    """
    payload = document.payload
    plain = payload.replace(b"\0", b"")  # entities in UTF-16 are looked for as well
    doctype = _DOCTYPE.search(plain)
    if _ENTITY.search(plain) or (doctype and doctype.group(1)):
        raise RecordError(Reason.UNSAFE_XML, "the feed defines entities")
    if doctype:
        payload = _DOCTYPE.sub(b"", payload, count=1)
    found = feedparser.parse(io.BytesIO(payload), sanitize_html=False, resolve_relative_uris=False)
    problem = found.get("bozo_exception")
    if isinstance(problem, _HARMLESS):
        problem = None
    for number, entry in enumerate(found.entries, start=1):
        yield _feed_entry(document, found.feed, entry, number)
    if problem is not None:
        detail = f"{len(found.entries)} entries were read before: {problem}"
        raise RecordError(Reason.MALFORMED_FEED, detail)
    if not found.entries:
        if not found.version:
            raise RecordError(Reason.MALFORMED_FEED, "no feed")
        raise RecordError(Reason.EMPTY, "the feed has no entries")


def _feed_entry(document: RawDocument, feed: Any, entry: Any, number: int) -> Entry:
    blocks = [*entry.get("content", ()), entry.get("summary_detail") or {}]
    block = max(blocks, key=lambda part: len(part.get("value") or ""))
    markup: Markup = "plain" if block.get("type") == "text/plain" else "html"
    author = entry.get("author")
    return Entry(
        origin=document.origin.model_copy(update={"entry": number}),
        seen_at=document.seen_at,
        title=entry.get("title") or "",
        text=block.get("value") or "",
        # RSS says text/plain of what holds tags as often as not.
        markup="unknown" if markup == "plain" else markup,
        url=entry.get("link"),
        base_url=block.get("base") or entry.get("title_detail", {}).get("base") or feed.get("link"),
        guid=entry.get("id"),
        published=entry.get("published") or entry.get("created"),
        updated=entry.get("updated"),
        date_from="feed",
        language=block.get("language") or feed.get("language"),
        source=(entry.get("source") or {}).get("title") or feed.get("title"),
        authors=(author,) if author else (),
    )


def parse_json_feed(document: RawDocument, feed: dict[str, Any]) -> Iterator[Entry]:
    """The items of a JSON Feed (jsonfeed.org, 1.0 and 1.1), already loaded.

    Raises:
        RecordError: WRONG_TYPE for the first item that is none, after the others;
            EMPTY for a feed without items.
    """
    items = feed.get("items")
    if not isinstance(items, list) or not items:
        raise RecordError(Reason.EMPTY, "the feed has no items")
    broken = 0
    for number, item in enumerate(items, start=1):
        try:
            html = item.get("content_html")
            authors = item.get("authors") or feed.get("authors") or ()
            yield Entry(
                origin=document.origin.model_copy(update={"entry": number}),
                seen_at=document.seen_at,
                title=item.get("title") or "",
                text=html or item.get("content_text") or item.get("summary") or "",
                markup="html" if html else "plain",
                url=item.get("url") or item.get("external_url"),
                base_url=feed.get("home_page_url"),
                guid=str(item["id"]) if item.get("id") is not None else None,
                published=item.get("date_published"),
                updated=item.get("date_modified"),
                date_from="feed",
                language=item.get("language") or feed.get("language"),
                source=feed.get("title"),
                authors=tuple(author["name"] for author in authors if author.get("name")),
            )
        except (ValueError, TypeError, AttributeError, KeyError):
            broken = broken or number
    if broken:
        raise RecordError(Reason.WRONG_TYPE, f"item {broken} has a field of a wrong type")
