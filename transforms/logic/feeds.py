"""The entries of feeds: RSS, RDF and Atom, and JSON Feed."""

import io
import re
import sys
import xml.sax
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import feedparser
import orjson
from feedparser.util import FeedParserDict

from transforms.errors import Reason, RecordError
from transforms.logic.dates import EARLIEST, LATEST_AHEAD
from transforms.logic.decoding import decode, is_as_declared
from transforms.logic.feed_identity import MOST_MARKS, find_identity
from transforms.logic.identity import short_hash
from transforms.logic.normalise import identify
from transforms.logic.text import clean_text, html_to_text, looks_like_html
from transforms.logic.urls import absolute_url, canonical_url, host_of, is_site_root
from transforms.records import (
    Entry,
    FeedContext,
    FeedReading,
    Mark,
    Markup,
    Oddity,
    OddityCode,
    Origin,
    Page,
    RawDocument,
)

_JSON_FEED = re.compile(r"https?://jsonfeed\.org/version/")
_MOST_ENTRIES = 5000
_DEEPEST = 200  # nested elements; a feed with XHTML in it needs some twenty
# A quantifier with a plus gives nothing back: else a row of comments takes exponential time.
_DECLARATION = re.compile(r"\s*+<\?xml\s[^>]*\?>")
_DOCTYPE = re.compile(r"<!DOCTYPE\s[^<>\[]*>", re.IGNORECASE)
_PASSED_OVER = r"<!--.*?(?:-->|\Z)|<!\[CDATA\[.*?(?:\]\]>|\Z)"
_DEFINITION = re.compile(r"<!(?:ENTITY|DOCTYPE)\b", re.IGNORECASE)
_TAG = re.compile(r"<(/?)[A-Za-z_][^<>]*?(/?)>")
_HTML = re.compile(
    r"\s*+(?:<!--.*?-->\s*+)*+<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
_ROOT = re.compile(r"<((?:[\w.-]+:)?(?:rss|rdf|feed|channel))\b[^<>]{0,4000}>", re.IGNORECASE)
_ROOT_END = re.compile(r"</(?:[\w.-]+:)?(?:rss|rdf|feed)\s*>", re.IGNORECASE)
_SECTIONS = (("<![CDATA[", "]]>"), ("<!--", "-->"))
_ENTRY_TAG = re.compile(
    rf"{_PASSED_OVER}|<(/?)(?:[\w.-]+:)?(?:item|entry)\b[^<>]*?(/?)>", re.DOTALL | re.IGNORECASE
)
_WEB_LINK = re.compile(r"https?:|[^:/?#]*+(?:[/?#]|$)", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>")
_MEDIA_TAG = re.compile(r"<(/?)media:(title|description)\b[^<>]*?(/?)>")
_SKIPPED_HOUR = re.compile(r"<hour>\s*(\d{1,2})\s*</hour>", re.IGNORECASE)
_SKIPPED_DAY = re.compile(r"<day>\s*([A-Za-z]+)\s*</day>", re.IGNORECASE)
_SKIPS = 2000  # characters of a list of hours or days
_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PERIODS = {"hourly": 60, "daily": 1440, "weekly": 10080, "monthly": 43200, "yearly": 525600}
_REFERENCE = re.compile(r"&#(?:[xX]0*([0-9a-fA-F]+)|0*([0-9]+));?")


class _Content(NamedTuple):
    """What a feed says, before anything of it is judged."""

    format: str
    title: str
    entries: list[Entry]
    error: RecordError | None
    ttl_minutes: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()


def read_feed(document: RawDocument) -> tuple[list[Entry], FeedReading]:
    """The entries of a feed with what identifies them, and what was found of the feed.

    What `document.feed` knows of it goes into the entries, its name in place of the
    feed's title; without it, nothing is known. With `full_text` an entry has
    the text of its page, unless that is shorter than its own.

    Never raises: what was broken is the reading's `error`. Of a broken feed there are the
    entries that can be recovered, but none where it is UNSAFE_XML or BAD_ENCODING.
    """
    content = _read(document)
    feed = document.feed or FeedContext(url=document.origin.path, base_url="")
    found = find_identity(
        content.entries,
        feed.known,
        feed.identity,
        feed.trusts_guids,
        feed.identity_fixed,
        read_before=document.feed is not None,
    )
    reading = FeedReading(
        url=feed.url,
        format=content.format,
        title=content.title,
        entries=len(content.entries),
        ttl_minutes=content.ttl_minutes,
        skip_hours=content.skip_hours,
        skip_days=content.skip_days,
        identity=found.identity,
        identity_found=found.why,
        trusts_guids=found.trusts_guids,
        marks=found.marks[:MOST_MARKS],
        error=(content.error.reason, content.error.detail) if content.error else None,
        oddities=(*found.oddities, *_oddities(document, content, found.marks)),
    )
    if not feed.full_text:
        return list(found.entries), reading
    pages = {page.url: page for page in feed.pages}
    links = _page_links(found.entries)
    with_pages = [
        _with_page(entry, pages.get(link)) if link else entry
        for entry, link in zip(found.entries, links, strict=True)
    ]
    return with_pages, reading


class EntryVersion(NamedTuple):
    """What tells whether an entry is new, or has changed, before its page is fetched."""

    article_id: str
    version: str  # the first 32 hex digits of its hash, as the ledger knows it
    link: str | None  # of its page, canonical; None where no page is its own


def versions_of(entries: Sequence[Entry]) -> Iterator[EntryVersion]:
    """The versions of the entries of a feed, the same with and without their pages."""
    for found, link in zip(map(identify, entries), _page_links(entries), strict=True):
        yield EntryVersion(found.article_id, short_hash(found.version_hash), link)


def _page_links(entries: Sequence[Entry]) -> list[str | None]:
    """The links of the pages that are about one entry: no front pages, no live blogs."""
    links = [canonical_url(entry.url, entry.base_url) for entry in entries]
    times = Counter(links)
    return [
        link
        if link and not is_site_root(link) and (times[link] == 1 or entry.identity == "link")
        else None
        for entry, link in zip(entries, links, strict=True)
    ]


def _with_page(entry: Entry, page: Page | None) -> Entry:
    """*entry* with the text of its page, or marked where that could not be had."""
    if page is None or page.payload is None:
        return entry.model_copy(update={"full_text": "failed"})
    # Pages are rare, and the libraries that read them slow to load.
    from transforms.logic.pages import parse_page

    document = RawDocument(
        origin=entry.origin,
        format="html",
        payload=page.payload,
        encoding=page.encoding,
        seen_at=entry.seen_at,
    )
    try:
        read = parse_page(document)
    except RecordError:
        return entry.model_copy(update={"full_text": "failed"})
    if len(read.text) < len(identify(entry).text):
        return entry
    update: dict[str, Any] = {
        "full_text": "page",
        "page_title": read.title,
        "page_text": read.text,
        "authors": entry.authors or read.authors,
    }
    if not entry.published and not entry.updated:
        dates = {"published": read.published, "updated": read.updated, "date_from": "page"}
        update |= dates if read.published or read.updated else {}
    return entry.model_copy(update=update)


def _oddities(document: RawDocument, content: _Content, marks: Sequence[Mark]) -> Iterator[Oddity]:
    entries, times = content.entries, [mark.time for mark in marks]
    latest = (document.seen_at + LATEST_AHEAD).timestamp()
    # In Atom a title says whether it is HTML.
    titles = [] if content.format.startswith("atom") else [entry.title for entry in entries]
    counts: dict[OddityCode, int] = {
        "link_relative": sum(_is_relative(entry, document.feed) for entry in entries),
        "undated": sum(time is None or time < EARLIEST.timestamp() for time in times),
        "dated_ahead": sum(time is not None and time > latest for time in times),
        "untitled": sum(not entry.title.strip() for entry in entries),
        "html_in_title": sum(map(looks_like_html, titles)),
    }
    for code, number in counts.items():
        if number:
            yield Oddity(code=code, entries=number)
    if not is_as_declared(document.payload, document.encoding):
        yield Oddity(code="misdeclared_encoding", entries=0)


def _is_relative(entry: Entry, feed: FeedContext | None) -> bool:
    """Whether nothing but the address of the feed makes the link of *entry* absolute."""
    without = feed.base_url if feed else None
    return bool(entry.url) and entry.base_url == without and canonical_url(entry.url) is None


def _read(document: RawDocument) -> _Content:
    try:
        text = decode(document.payload, document.encoding, markup=True).lstrip("\ufeff")
        if text.lstrip()[:1] == "{":
            return _read_json(document, _load_json_feed(text))
        return _read_xml(document, text)
    except RecordError as error:
        return _Content("", "", [], error)


def _read_xml(document: RawDocument, text: str) -> _Content:
    if declaration := _DECLARATION.match(text):
        text = text[declaration.end() :]
    if _HTML.match(text):
        raise RecordError(Reason.MALFORMED_FEED, "this is a web page, not a feed")
    # The DOCTYPE of RSS 0.91 names a DTD that no reader fetches: it goes.
    text = _DOCTYPE.sub("", text, count=1)
    _check_safe(text)
    text = _repair_references(text)
    if "<media:" in text:
        # Else feedparser takes the words under a picture for the article's.
        text = _MEDIA_TAG.sub(r"<\1media:picture_\2\3>", text)
    deep = _is_deep(text)
    parsed = _parse("" if deep else text)
    feed, found = _recover(text) if parsed.bozo else (parsed.feed, parsed.entries)
    entries = [_entry(document, number, entry, feed) for number, entry in enumerate(found, start=1)]
    error = None
    if deep:
        detail = f"more than {_DEEPEST} elements in one another; {len(entries)} entries are not"
        error = RecordError(Reason.TOO_DEEP, detail)
    elif not entries and not parsed.version:
        error = RecordError(Reason.MALFORMED_FEED, "neither RSS nor Atom" + _fault(parsed))
    elif parsed.bozo:
        reason = Reason.MALFORMED_FEED if _ROOT_END.search(text) else Reason.TRUNCATED
        error = RecordError(reason, f"{len(entries)} entries were recovered{_fault(parsed)}")
    elif not entries:
        error = RecordError(Reason.EMPTY, "the feed has no entries")
    return _Content(
        format=parsed.version,
        title=_in_one_line(_string(feed, "title") or ""),
        entries=entries,
        error=error,
        ttl_minutes=_ttl_minutes(feed),
        skip_hours=_skip_hours(text),
        skip_days=_skip_days(text),
    )


def _in_one_line(title: str) -> str:
    title = html_to_text(title) if looks_like_html(title) else clean_text(title)
    return title.replace("\n", " ")


def _ttl_minutes(feed: Mapping[str, Any]) -> int | None:
    """How many minutes a feed asks for between two readings; the longer where it says two."""
    said = []
    if (ttl := _number(_string(feed, "ttl"))) is not None:
        said.append(ttl)
    period = _PERIODS.get((_string(feed, "sy_updateperiod") or "").strip().lower())
    if period is not None:
        said.append(period // max(_number(_string(feed, "sy_updatefrequency")) or 1, 1))
    return max(said, default=0) or None


def _skip_hours(text: str) -> tuple[int, ...]:
    hours = map(int, _SKIPPED_HOUR.findall(_inside(text, "skipHours")))
    return tuple(sorted({hour % 24 for hour in hours if hour <= 24}))


def _skip_days(text: str) -> tuple[str, ...]:
    days = set(map(str.capitalize, _SKIPPED_DAY.findall(_inside(text, "skipDays"))))
    return tuple(day for day in _WEEK if day in days)


def _inside(text: str, name: str) -> str:
    """What the first element of this name holds: feedparser keeps but the last of a list."""
    _, _, after = text.partition(f"<{name}>")
    return after[:_SKIPS].partition(f"</{name}>")[0]


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None


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
    if "&#" not in text:
        return text
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
    for place, part in _markup_of(text):
        if found := _DEFINITION.search(part):
            where = place + found.start()
            raise RecordError(
                Reason.UNSAFE_XML, f"a definition at character {where:,}: {found.group()}"
            )


def _is_deep(text: str) -> bool:
    depth = 0
    for _, part in _markup_of(text):
        for tag in _TAG.finditer(part):
            closing, empty = tag.groups()
            if closing:
                depth -= 1
            elif not empty:
                depth += 1
                if depth > _DEEPEST:
                    return True
    return False


def _markup_of(text: str) -> Iterator[tuple[int, str]]:
    """What is neither comment nor CDATA, in parts, each with the place where it begins."""
    begin = at = 0
    while (at := text.find("<!", at)) >= 0:
        end = next((end for mark, end in _SECTIONS if text.startswith(mark, at)), None)
        if end is None:
            at += 2
            continue
        yield begin, text[begin:at]
        at = text.find(end, at)
        if at < 0:
            return
        at = begin = at + len(end)
    yield begin, text[begin:]


def _fault(parsed: Mapping[str, Any]) -> str:
    error = parsed.get("bozo_exception")
    if isinstance(error, xml.sax.SAXParseException):
        return f"; line {error.getLineNumber()}: {error.getMessage()}"
    return f"; {error}" if error else ""


def _entry(
    document: RawDocument, number: int, entry: Mapping[str, Any], feed: Mapping[str, Any]
) -> Entry:
    text, markup = _text(entry)
    detail = entry.get("title_detail")
    return Entry(
        origin=_origin(document, number),
        seen_at=document.seen_at,
        title=_string(entry, "title") or "",
        text=text,
        markup=markup if text else _markup(detail),
        url=_link(entry),
        guid=_string(entry, "id"),
        published=_string(entry, "published"),
        updated=_string(entry, "updated"),
        date_from="feed",
        language=_string(detail, "language") or _string(feed, "language"),
        authors=tuple(filter(None, (_string(who, "name") for who in _list(entry, "authors")))),
        **_of_feed(
            document.feed,
            base=_string(detail, "base") or _string(feed, "link"),
            title=_string(feed, "title"),
            source=_string(entry.get("source"), "title"),
        ),
    )


def _link(entry: Mapping[str, Any]) -> str | None:
    """The link of an entry: the one before a proxy counted its readers, else its enclosure."""
    if link := _string(entry, "feedburner_origlink") or _string(entry, "link"):
        return link
    enclosures = (one for one in _list(entry, "links") if _string(one, "rel") == "enclosure")
    return next(filter(None, (_string(one, "href") for one in enclosures)), None)


def _of_feed(
    feed: FeedContext | None, base: str | None, title: str | None, source: str | None = None
) -> dict[str, Any]:
    """The fields of an entry that what is known of its feed has a say in.

    Args:
        title: Of the feed.
        source: What the entry itself says that it is from, as those of aggregators do.
    """
    if base and not _WEB_LINK.match(base):
        base = None  # feedparser gives the id of a feed that has no link
    source, title = (text and _in_one_line(text) for text in (source, title))
    if feed is None:
        return {"base_url": base, "source": source or title}
    own = source or title or host_of(feed.base_url)
    return {
        "base_url": absolute_url(base, feed.base_url) or feed.base_url,
        "source": source or feed.name or own,
        # A name may be given or changed at any time: identities do not depend on it.
        "guid_scope": own if feed.name else None,
        "stated_language": feed.language,
        "tags": feed.tags,
    }


def _string(holder: Any, name: str) -> str | None:
    """What feedparser found: where elements stand in wrong places that can be anything.

    A plain look-up: feedparser's own answers a question for one date with the other.
    """
    value = dict.get(holder, name) if isinstance(holder, dict) else None
    return value if isinstance(value, str) and value else None


def _list(holder: Mapping[str, Any], name: str) -> list[Any]:
    value = holder.get(name)
    return value if isinstance(value, list) else []


def _text(entry: Mapping[str, Any]) -> tuple[str, Markup]:
    """The longest content, or the summary where that says more than twice as much.

    A summary with its links and thanks may well be longer than a short article.
    """
    blocks = [block for block in _list(entry, "content") if _string(block, "value")]
    best = max(blocks, key=lambda block: len(block["value"]), default=None)
    summary = entry.get("summary_detail")
    if words := _string(summary, "value"):
        content = _string(best, "value") or ""
        # Counting what can be seen takes time, and seldom tells more than the length.
        if len(content) < 10 * len(words) and _visible(words) > 2 * _visible(content):
            best = summary
    if text := _string(best, "value"):
        return text, _markup(best)
    return _string(entry, "media_picture_description") or "", "unknown"


def _visible(html: str) -> int:
    return len(_ANY_TAG.sub("", html).strip())


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


def _read_json(document: RawDocument, feed: Mapping[str, Any]) -> _Content:
    items = feed.get("items")
    entries: list[Entry] = []
    broken: list[RecordError] = []
    if not isinstance(items, list):
        broken.append(RecordError(Reason.WRONG_TYPE, "items: a JSON Feed has an array of them"))
    elif not items:
        broken.append(RecordError(Reason.EMPTY, "the feed has no entries"))
    for number, item in enumerate(items if isinstance(items, list) else (), start=1):
        try:
            entries.append(_json_entry(document, number, item, feed))
        except RecordError as error:
            broken.append(error)
    more = f"; {len(broken) - 1} more are broken" if broken[1:] else ""
    first = RecordError(broken[0].reason, broken[0].detail + more) if broken else None
    title = _in_one_line(_string(feed, "title") or "")
    version = str(feed["version"]).rstrip("/").rpartition("/")[2]
    return _Content(f"json{version.replace('.', '')}", title, entries, first)


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
        url=string(item, "url") or string(item, "external_url") or _attachment(item),
        # The standard wants a string, and wants numbers read as one.
        guid=str(guid) if isinstance(guid, int | float) else string(item, "id"),
        published=string(item, "date_published"),
        updated=string(item, "date_modified"),
        date_from="feed",
        language=string(item, "language") or string(feed, "language"),
        authors=_json_authors(item) or _json_authors(feed),
        **_of_feed(
            document.feed,
            base=string(feed, "home_page_url") or string(feed, "feed_url"),
            title=string(feed, "title"),
        ),
    )


def _attachment(item: Mapping[str, Any]) -> str | None:
    return next(filter(None, (_string(one, "url") for one in _list(item, "attachments"))), None)


def _json_authors(holder: Mapping[str, Any]) -> tuple[str, ...]:
    """Of version 1.1, or the one of version 1.0; what is not as it should be is passed over."""
    authors = holder.get("authors") or [holder.get("author")]
    return tuple(
        author["name"]
        for author in (authors if isinstance(authors, list) else ())
        if isinstance(author, dict) and isinstance(author.get("name"), str) and author["name"]
    )
