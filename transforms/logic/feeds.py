"""The entries of feeds: RSS, RDF and Atom, and JSON Feed."""

import io
import re
import sys
import xml.sax
from collections.abc import Iterator, Mapping
from typing import Any

import feedparser
import orjson
from feedparser.util import FeedParserDict

from transforms.errors import Reason, RecordError
from transforms.logic.decoding import decode
from transforms.records import Entry, Markup, Origin, RawDocument

_JSON_FEED = re.compile(r"https?://jsonfeed\.org/version/")
_MOST_ENTRIES = 5000
_DEEPEST = 200  # nested elements; a feed with XHTML in it needs some twenty
# A quantifier with a plus gives nothing back: else a row of comments takes exponential time.
_DECLARATION = re.compile(r"\s*+<\?xml\s[^>]*\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE\s[^<>\[]*>", re.IGNORECASE)
_PASSED_OVER = r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)"
_DEFINITION = re.compile(rf"{_PASSED_OVER}|(<!(?:ENTITY|DOCTYPE)\b)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(rf"{_PASSED_OVER}|<(/?)[A-Za-z_][^<>]*?(/?)>", re.DOTALL)
_HTML = re.compile(
    r"\s*+(?:<!--.*?-->\s*+)*+<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
_ROOT = re.compile(r"<((?:[\w.-]+:)?(?:rss|rdf|feed|channel))\b[^<>]{0,4000}>", re.IGNORECASE)
_ROOT_END = re.compile(r"</(?:[\w.-]+:)?(?:rss|rdf|feed)\s*>", re.IGNORECASE)
_ENTRY_TAG = re.compile(
    rf"{_PASSED_OVER}|<(/?)(?:[\w.-]+:)?(?:item|entry)\b[^<>]*?(/?)>", re.DOTALL | re.IGNORECASE
)
_MEDIA_TAG = re.compile(r"<(/?)media:(title|description)\b[^<>]*?(/?)>")
_REFERENCE = re.compile(r"&#(?:[xX]0*([0-9a-fA-F]+)|0*([0-9]+));?")


def parse_feed(document: RawDocument) -> Iterator[Entry]:
    """The entries of an XML feed, or of a JSON Feed, in its order.

    What can be recovered of a broken feed is yielded before the error is raised.

    Raises:
        RecordError: UNSAFE_XML and BAD_ENCODING before any entry; TOO_DEEP,
            TRUNCATED or MALFORMED_FEED after those that were recovered; EMPTY.
    """
    text = decode(document.payload, document.encoding, markup=True).lstrip("\ufeff")
    if text.lstrip()[:1] == "{":
        yield from parse_json_feed(document, _load_json_feed(text))
        return
    if declaration := _DECLARATION.match(text):
        text = text[declaration.end() :]
    if _HTML.match(text):
        raise RecordError(Reason.MALFORMED_FEED, "this is a web page, not a feed")
    # The DOCTYPE of RSS 0.91 names a DTD that no reader fetches: it goes.
    text = _DOCTYPE.sub("", text, count=1)
    _check_safe(text)
    text = _repair_references(text)
    # Else feedparser takes the words under a picture for the article's.
    text = _MEDIA_TAG.sub(r"<\1media:picture_\2\3>", text)
    deep = _is_deep(text)
    parsed = _parse("" if deep else text)
    feed, entries = _recover(text) if parsed.bozo else (parsed.feed, parsed.entries)
    number = 0
    for number, entry in enumerate(entries, start=1):
        yield _entry(document, number, entry, feed)
    if deep:
        detail = f"more than {_DEEPEST} elements in one another; {number} entries are not"
        raise RecordError(Reason.TOO_DEEP, detail)
    if not number and not parsed.version:
        raise RecordError(Reason.MALFORMED_FEED, "neither RSS nor Atom" + _fault(parsed))
    if parsed.bozo:
        reason = Reason.MALFORMED_FEED if _ROOT_END.search(text) else Reason.TRUNCATED
        raise RecordError(reason, f"{number} entries were recovered{_fault(parsed)}")
    if not number:
        raise RecordError(Reason.EMPTY, "the feed has no entries")


def _parse(text: str) -> Any:
    # Bytes, and in one certain encoding: a string might be taken for an address.
    source = io.BytesIO(b'<?xml version="1.0" encoding="utf-8"?>' + text.lstrip().encode())
    try:
        return feedparser.parse(source, sanitize_html=False, resolve_relative_uris=False)
    # What its handlers raise where elements stand in places that they do not expect.
    except (LookupError, AttributeError, TypeError, ValueError, AssertionError) as error:
        fault = f"{type(error).__name__}: {error}"
        return FeedParserDict(bozo=True, bozo_exception=fault, entries=[], feed={}, version="")


def _recover(text: str) -> tuple[Mapping[str, Any], Iterator[Mapping[str, Any]]]:
    """What a broken feed says of itself, and its entries, each parsed alone.

    So an entry with a tag that is not closed does not take the next ones with it. The
    one that the text ends in is given up: nobody knows what it would have said. More
    than _MOST_ENTRIES are parsed together: alone, each takes a quarter of a millisecond.
    """
    parts: list[str] = []
    first = begin = None
    for tag in _ENTRY_TAG.finditer(text):
        closing, empty = tag.groups()
        if closing is None or empty:  # a comment or the like
            continue
        if begin is not None:
            parts.append(text[begin : tag.end() if closing else tag.start()])
        begin = None if closing else tag.start()
        first = tag.start() if first is None else first
    if len(parts) > _MOST_ENTRIES:
        parsed = _parse("" if _is_deep(text) else text)
        return parsed.feed, iter(parsed.entries)
    if begin is not None and _ROOT_END.search(text, begin):
        parts.append(text[begin:])
    parts = [part for part in parts if not _is_deep(part)]
    root = _ROOT.search(text, 0, first or len(text))
    name, start = (root[1], root.group()) if root else ("rss", "<rss>")
    end = f"</{name}>"
    if name.lower().endswith("rss"):
        start, end = f"{start}<channel>", f"</channel>{end}"
    head = text[:first]
    feed = _parse((start if _is_deep(head) else head) + end).feed
    return feed, (entry for part in parts for entry in _parse(start + part + end).entries)


def _repair_references(text: str) -> str:
    """References to characters that do not exist, which some feeds use for half an emoji."""
    repaired = _REFERENCE.sub(_repair_reference, text)
    if repaired == text:
        return text
    return repaired.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _repair_reference(reference: re.Match[str]) -> str:
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    code = int(digits, base) if len(digits) < 8 else sys.maxunicode + 1
    if 0xD800 <= code <= 0xDFFF:
        return chr(code)
    exists = code in (9, 10, 13) or 32 <= code <= sys.maxunicode
    return reference.group() if exists else "\ufffd"


def _check_safe(text: str) -> None:
    for found in _DEFINITION.finditer(text):
        if found[1]:
            raise RecordError(
                Reason.UNSAFE_XML, f"a definition at character {found.start():,}: {found[1]}"
            )


def _is_deep(text: str) -> bool:
    depth = 0
    for tag in _TAG.finditer(text):
        closing, empty = tag.groups()
        if closing:
            depth -= 1
        elif closing is not None and not empty:
            depth += 1
            if depth > _DEEPEST:
                return True
    return False


def _fault(parsed: Mapping[str, Any]) -> str:
    error = parsed.get("bozo_exception")
    if isinstance(error, xml.sax.SAXParseException):
        return f"; line {error.getLineNumber()}: {error.getMessage()}"
    return f"; {error}" if error else ""


def _entry(
    document: RawDocument, number: int, entry: Mapping[str, Any], feed: Mapping[str, Any]
) -> Entry:
    text, markup = _longest(entry)
    detail = entry.get("title_detail")
    return Entry(
        origin=_origin(document, number),
        seen_at=document.seen_at,
        title=_string(entry, "title") or "",
        text=text,
        markup=markup if text else _markup(detail),
        url=_string(entry, "link"),
        base_url=_string(detail, "base") or _string(feed, "link"),
        guid=_string(entry, "id"),
        published=_string(entry, "published"),
        updated=_string(entry, "updated"),
        date_from="feed",
        language=_string(detail, "language") or _string(feed, "language"),
        source=_string(entry.get("source"), "title") or _string(feed, "title"),
        authors=tuple(filter(None, (_string(who, "name") for who in _list(entry, "authors")))),
    )


def _string(holder: Any, name: str) -> str | None:
    """What feedparser found: where elements stand in wrong places that can be anything.

    A plain look-up: feedparser's own answers a question for one date with the other.
    """
    value = dict.get(holder, name) if isinstance(holder, dict) else None
    return value if isinstance(value, str) and value else None


def _list(holder: Mapping[str, Any], name: str) -> list[Any]:
    value = holder.get(name)
    return value if isinstance(value, list) else []


def _longest(entry: Mapping[str, Any]) -> tuple[str, Markup]:
    blocks = [*_list(entry, "content"), entry.get("summary_detail")]
    best = max(blocks, key=lambda block: len(_string(block, "value") or ""))
    if text := _string(best, "value"):
        return text, _markup(best)
    return _string(entry, "media_picture_description") or "", "unknown"


def _markup(block: Any) -> Markup:
    """HTML where the feed says so; where feedparser says it is plain, that is often a guess."""
    return "html" if "html" in (_string(block, "type") or "") else "unknown"


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
    broken: list[RecordError] = []
    for number, item in enumerate(items, start=1):
        try:
            entry = _json_entry(document, number, item, feed)
        except RecordError as error:
            broken.append(error)
        else:
            yield entry
    if broken:
        more = f"; {len(broken) - 1} more are broken" if broken[1:] else ""
        raise RecordError(broken[0].reason, broken[0].detail + more)


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
