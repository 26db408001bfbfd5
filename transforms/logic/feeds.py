"""The entries of feeds: RSS, RDF and Atom, and JSON Feed."""

import io
import re
import xml.sax
from collections.abc import Iterator, Mapping
from typing import Any

import feedparser
import orjson

from transforms.errors import Reason, RecordError
from transforms.logic.decoding import decode
from transforms.records import Entry, Markup, Origin, RawDocument

_JSON_FEED = re.compile(r"https?://jsonfeed\.org/version/")
_DEEPEST = 200  # nested elements; a feed with XHTML in it needs some twenty
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE\s[^<>\[]*>", re.IGNORECASE)
_PASSED_OVER = r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)"
_DEFINITION = re.compile(rf"{_PASSED_OVER}|(<!(?:ENTITY|DOCTYPE)\b)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(rf"{_PASSED_OVER}|<(/?)[A-Za-z_][^<>]*?(/?)>", re.DOTALL)
_HTML = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_PLAIN_TYPES = frozenset({"text/plain", "text"})


def parse_feed(document: RawDocument) -> Iterator[Entry]:
    """The entries of an XML feed, or of a JSON Feed, in its order.

    What can be recovered of a broken feed is yielded before the error is raised.

    Raises:
        RecordError: UNSAFE_XML, TOO_DEEP and BAD_ENCODING before any entry;
            TRUNCATED or MALFORMED_FEED after those that were recovered; EMPTY.
    """
    text = decode(document.payload, document.encoding, markup=True).lstrip("\ufeff")
    if text.lstrip()[:1] == "{":
        yield from parse_json_feed(document, _load_json_feed(text))
        return
    text = _DECLARATION.sub("", text, count=1)
    if _HTML.match(text):
        raise RecordError(Reason.MALFORMED_FEED, "this is a web page, not a feed")
    # The DOCTYPE of RSS 0.91 names a DTD that no reader fetches: it goes.
    text = _DOCTYPE.sub("", text, count=1)
    _check_safe(text)
    _check_depth(text)
    parsed = feedparser.parse(
        # Bytes, and in one certain encoding: a string might be taken for an address.
        io.BytesIO(b'<?xml version="1.0" encoding="utf-8"?>' + text.lstrip().encode()),
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    number = 0
    for number, entry in enumerate(parsed.entries, start=1):
        yield _entry(document, number, entry, parsed.feed)
    if not parsed.version and not number:
        raise RecordError(Reason.MALFORMED_FEED, "neither RSS nor Atom" + _fault(parsed))
    if parsed.bozo:
        reason = Reason.MALFORMED_FEED if _is_closed(text) else Reason.TRUNCATED
        raise RecordError(reason, f"{number} entries were recovered{_fault(parsed)}")
    if not number:
        raise RecordError(Reason.EMPTY, "the feed has no entries")


def _check_safe(text: str) -> None:
    for found in _DEFINITION.finditer(text):
        if found[1]:
            raise RecordError(
                Reason.UNSAFE_XML, f"a definition at character {found.start():,}: {found[1]}"
            )


def _check_depth(text: str) -> None:
    depth = 0
    for tag in _TAG.finditer(text):
        closing, empty = tag.groups()
        if closing:
            depth -= 1
        elif closing is not None and not empty:
            depth += 1
            if depth > _DEEPEST:
                raise RecordError(Reason.TOO_DEEP, f"more than {_DEEPEST} elements in one another")


def _is_closed(text: str) -> bool:
    return (
        re.search(r"</(?:\w+:)?(?:rss|feed|rdf)\s*>\s*\Z", text[-200:], re.IGNORECASE) is not None
    )


def _fault(parsed: Mapping[str, Any]) -> str:
    error = parsed.get("bozo_exception")
    if isinstance(error, xml.sax.SAXParseException):
        return f"; line {error.getLineNumber()}: {error.getMessage()}"
    return f"; {error}" if error else ""


def _entry(
    document: RawDocument, number: int, entry: Mapping[str, Any], feed: Mapping[str, Any]
) -> Entry:
    text, markup = _longest(entry)
    detail = entry.get("title_detail") or {}
    title = entry.get("title") or ""
    source = (entry.get("source") or {}).get("title") or feed.get("title")
    return Entry(
        origin=_origin(document, number),
        seen_at=document.seen_at,
        title=title,
        text=text,
        markup=markup if text else _markup(detail),
        url=entry.get("link") or None,
        base_url=detail.get("base") or feed.get("link") or None,
        guid=entry.get("id") or None,
        published=_date(entry, "published"),
        updated=_date(entry, "updated"),
        date_from="feed",
        language=detail.get("language") or feed.get("language") or None,
        source=source or None,
        authors=_names(entry.get("authors") or ()),
    )


def _date(entry: Mapping[str, Any], name: str) -> str | None:
    # A plain look-up: feedparser's own answers a question for one date with the other.
    return {**entry}.get(name)


def _longest(entry: Mapping[str, Any]) -> tuple[str, Markup]:
    blocks = [*(entry.get("content") or ()), entry.get("summary_detail") or {}]
    best = max(blocks, key=lambda block: len(block.get("value") or ""))
    return best.get("value") or "", _markup(best)


def _markup(block: Mapping[str, Any]) -> Markup:
    """Plain where Atom says so; RSS says nothing, and feedparser's word for it is a guess."""
    return "html" if "html" in (block.get("type") or "") else "unknown"


def _names(authors: Any) -> tuple[str, ...]:
    return tuple(name for author in authors if (name := author.get("name")))


def _origin(document: RawDocument, number: int) -> Origin:
    return document.origin.model_copy(update={"entry": number})


def is_json_feed(record: Mapping[str, Any]) -> bool:
    """Whether a JSON object says that it is a JSON Feed."""
    version = record.get("version")
    return isinstance(version, str) and _JSON_FEED.match(version) is not None


def _load_json_feed(text: str) -> dict[str, Any]:
    try:
        feed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RecordError(Reason.MALFORMED_JSON, str(error)) from error
    if not is_json_feed(feed):
        raise RecordError(Reason.MALFORMED_FEED, "a JSON object, but no JSON Feed")
    return dict(feed)


def parse_json_feed(document: RawDocument, feed: Mapping[str, Any]) -> Iterator[Entry]:
    """The entries of a JSON Feed (1.0 or 1.1) that has been parsed already.

    Raises:
        RecordError: WRONG_TYPE, after the good entries, naming the first bad one;
            EMPTY.
    """
    items = feed.get("items")
    if not isinstance(items, list):
        raise RecordError(Reason.WRONG_TYPE, "items: a JSON Feed has an array of them")
    if not items:
        raise RecordError(Reason.EMPTY, "the feed has no entries")
    broken: RecordError | None = None
    for number, item in enumerate(items, start=1):
        try:
            entry = _json_entry(document, number, item, feed)
        except RecordError as error:
            broken = broken or error
        else:
            yield entry
    if broken:
        raise broken


def _json_entry(document: RawDocument, number: int, item: Any, feed: Mapping[str, Any]) -> Entry:
    if not isinstance(item, dict):
        raise RecordError(Reason.WRONG_TYPE, f"entry {number}: an item is an object")

    def string(holder: Mapping[str, Any], name: str) -> str | None:
        value = holder.get(name)
        if value is not None and not isinstance(value, str):
            raise RecordError(Reason.WRONG_TYPE, f"entry {number}: {name}: wanted a string")
        return value or None

    html, plain = string(item, "content_html"), string(item, "content_text")
    markup: Markup = "plain" if plain and not html else "html" if html else "unknown"
    guid = item.get("id")
    return Entry(
        origin=_origin(document, number),
        seen_at=document.seen_at,
        title=string(item, "title") or "",
        text=html or plain or string(item, "summary") or "",
        markup=markup,
        url=string(item, "url") or string(item, "external_url"),
        base_url=string(feed, "home_page_url") or string(feed, "feed_url"),
        # The standard wants a string, and wants numbers read as one.
        guid=str(guid) if isinstance(guid, int | float) else string(item, "id"),
        published=string(item, "date_published"),
        updated=string(item, "date_modified"),
        date_from="feed",
        language=string(item, "language") or string(feed, "language"),
        source=string(feed, "title"),
        authors=_json_authors(item) or _json_authors(feed),
    )


def _json_authors(holder: Mapping[str, Any]) -> tuple[str, ...]:
    """Of version 1.1, or the one of version 1.0; what is not as it should be is passed over."""
    authors = holder.get("authors") or [holder.get("author")]
    return tuple(
        author["name"]
        for author in (authors if isinstance(authors, list) else ())
        if isinstance(author, dict) and isinstance(author.get("name"), str) and author["name"]
    )
