"""Telling formats apart, and taking entries out of documents."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict

from transforms.errors import Reason, RecordError
from transforms.logic.dates import parse_date
from transforms.logic.decoding import decode
from transforms.records import Entry, RawDocument

Kind = Literal["jsonl", "json", "csv", "tsv", "parquet", "html", "feed", "text"]

_COMPRESSED = {".gz", ".bz2", ".zst"}
_BY_SUFFIX: dict[str, Kind] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv",
    ".parquet": "parquet", ".html": "html", ".htm": "html", ".xhtml": "html", ".rss": "feed",
    ".atom": "feed", ".rdf": "feed", ".xml": "feed", ".txt": "text",
}  # fmt: skip
_FEED = re.compile(rb"<(?:rss|feed|rdf:RDF|\w+:feed)[\s>]")
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|article)[\s>]", re.IGNORECASE)
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 27})


def sniff(name: str, head: bytes) -> Kind:
    """What a file is, by its content where that is beyond doubt, else by its name.

    *head* is the first part of the file, decompressed.

    Raises:
        RecordError: EMPTY for an empty file, UNKNOWN_FORMAT for binary rubbish.
    """
    if not head:
        raise RecordError(Reason.EMPTY, f"{name}: the file is empty")
    if head.startswith(b"PAR1"):
        return "parquet"
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    named = next((_BY_SUFFIX.get(s) for s in reversed(suffixes) if s not in _COMPRESSED), None)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        if _HTML.search(start[:4096]) and not _FEED.search(start[:4096]):
            return "html"
        if _FEED.search(start[:4096]):
            return "feed"
    if start.startswith(b"{") and named in (None, "text", "json", "jsonl"):
        return _json_or_lines(start, named)
    if named is not None:
        return named
    if start.startswith(b"["):
        return "json"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text"
    if len(head.translate(None, _CONTROL)) < len(head) * 0.99:
        raise RecordError(Reason.UNKNOWN_FORMAT, f"{name}: neither text nor a known format")
    first = start.partition(b"\n")[0]
    for delimiter, kind in ((b"\t", "tsv"), (b",", "csv")):
        columns = {
            cell.strip(b' "\r').decode("utf-8", "replace") for cell in first.split(delimiter)
        }
        if len(columns) > 1 and len(columns & FieldNames().known) > 1:
            return "csv" if kind == "csv" else "tsv"
    return "text"


def _json_or_lines(start: bytes, named: Kind | None) -> Kind:
    """JSON Lines where the first line is a whole object, and more may follow."""
    first, feed, rest = start.partition(b"\n")
    try:
        orjson.loads(first)
    except ValueError:
        return "jsonl" if named == "jsonl" else "json"
    return "json" if named == "json" and not (feed and rest.strip()) else "jsonl"


_NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title", "headline", "name"),
    "text": ("text", "body", "content", "content_html", "content_text", "article", "full_text",
             "maintext", "description", "summary", "abstract"),
    "url": ("url", "link", "canonical_url", "permalink", "href", "uri"),
    "guid": ("guid", "id", "uuid"),
    "published": ("published", "published_at", "publishedAt", "pubDate", "pub_date", "date",
                  "datePublished", "date_published", "date_publish", "publish_date", "timestamp",
                  "created_at"),
    "updated": ("updated", "updated_at", "updatedAt", "modified", "dateModified", "date_modified"),
    "language": ("language", "lang"),
    "source": ("source", "publisher", "site", "site_name", "outlet", "newspaper", "source_name"),
    "authors": ("authors", "author", "byline", "creator", "dc:creator"),
    "seen_at": ("seen_at", "seen", "fetched_at"),
}  # fmt: skip


class FieldNames(BaseModel):
    """By which names a record's fields are known; the first that holds a value counts."""

    model_config = ConfigDict(frozen=True)

    names: tuple[tuple[str, tuple[str, ...]], ...] = tuple(_NAMES.items())

    @classmethod
    def with_overrides(cls, names: Mapping[str, tuple[str, ...] | list[str]]) -> "FieldNames":
        """The default names, with those of *names* asked first.

        Raises:
            ValueError: *names* has a field that no entry has.
        """
        for field in names:
            if field not in _NAMES:
                raise ValueError(f"no field {field!r}; there are {', '.join(_NAMES)}")
        return cls(
            names=tuple(
                (field, tuple(dict.fromkeys((*names.get(field, ()), *default))))
                for field, default in _NAMES.items()
            )
        )

    @cached_property
    def known(self) -> frozenset[str]:
        """All names, as they are written."""
        return frozenset(name for _, names in self.names for name in names)


def parse_document(document: RawDocument, fields: FieldNames) -> Iterator[Entry]:
    """Take the entries out of *document*, as they stand in it.

    Raises:
        RecordError: what is broken, after all entries that could be read.
    """
    if document.format == "json":
        record = _load(document)
        if str(record.get("version", "")).startswith("https://jsonfeed.org/version/"):
            from transforms.logic.feeds import parse_json_feed

            yield from parse_json_feed(document, record)
        else:
            yield _record_entry(document, record, fields)
    elif document.format == "feed":
        from transforms.logic.feeds import parse_xml_feed

        yield from parse_xml_feed(document)
    elif document.format == "html":
        from transforms.logic.pages import parse_page

        yield parse_page(document)
    else:
        yield _text_entry(document)


def _load(document: RawDocument) -> dict[str, Any]:
    payload = document.payload
    try:
        record = orjson.loads(payload)
    except ValueError as error:
        if payload[:3] == b"\xef\xbb\xbf":
            return _load(document.model_copy(update={"payload": payload[3:]}))
        raise _json_error(payload, error) from error
    if not isinstance(record, dict):
        raise RecordError(Reason.WRONG_TYPE, f"a record is an object, not {_type(record)}")
    # A flat object has as many '":' as keys; only where the numbers differ is it looked at closely.
    if payload.count(b'":') != len(record):
        try:
            json.loads(payload, object_pairs_hook=_no_duplicates)
        except RecursionError as error:
            raise RecordError(Reason.TOO_DEEP, "nested too deeply") from error
    return record


def _json_error(payload: bytes, error: ValueError) -> RecordError:
    message = str(error)
    if "recursion" in message.lower():
        return RecordError(Reason.TOO_DEEP, "nested too deeply")
    if "utf-8" in message.lower() or "surrogate" in message.lower():
        return RecordError(Reason.BAD_ENCODING, f"no JSON in UTF-8: {message}")
    if re.search(rb"[\s:,\[](?:NaN|-?Infinity)\b", payload):
        message += " (NaN and Infinity are not JSON)"
    return RecordError(Reason.MALFORMED_JSON, message)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for name in names if names.count(name) > 1)
        raise RecordError(Reason.DUPLICATE_KEYS, f"the key {name!r} stands more than once")
    return record


def _record_entry(document: RawDocument, record: dict[str, Any], fields: FieldNames) -> Entry:
    values: dict[str, Any] = {}
    folded: dict[str, str] = {}
    for field, names in fields.names:
        for name in names:
            value = record.get(name)
            if value is not None and value != "":
                break
        else:
            # Only the names that no exact one answered to are compared blind to case.
            folded = folded or {key.casefold(): key for key in record}
            name = next((folded[n] for n in map(str.casefold, names) if n in folded), "")
            value = record.get(name)
            if value is None or value == "":
                continue
        values[field] = _value(field, name, value)
    seen_at = document.seen_at
    if "seen_at" in values:
        seen_at = parse_date(values.pop("seen_at")) or seen_at
    return Entry(origin=document.origin, seen_at=seen_at, **values)


def _value(field: str, name: str, value: Any) -> Any:
    """A field's value as an entry holds it; what cannot be one is a WRONG_TYPE."""
    if (
        isinstance(value, dict)
        and field in ("source", "authors")
        and isinstance(value.get("name"), str)
    ):
        value = value["name"]
    if field == "authors":
        several = value if isinstance(value, list) else [value]
        names = [item.get("name") if isinstance(item, dict) else item for item in several]
        if all(isinstance(item, str) for item in names):
            return tuple(names)
    elif isinstance(value, str):
        return value
    elif (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and field in ("guid", "published", "updated", "seen_at")
    ):
        return str(value)
    raise RecordError(Reason.WRONG_TYPE, f"{name}: {field} cannot be {_type(value)}")


def _type(value: object) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "true or false"}
    return kinds.get(type(value), "null" if value is None else "a number")


_BYLINE = 60  # characters; a longer line without a full stop is a headline
_HEADLINE = 150
_WRAPPED = 100


def _text_entry(document: RawDocument) -> Entry:
    """A text: by-lines repeated on top are its authors, a short first line its headline."""
    text = decode(document.payload, document.encoding).replace("\r\n", "\n").replace("\0", "")
    lines = [line.strip() for line in _unwrapped(text).split("\n")]
    lines = [line for line in lines if line]
    if not lines:
        raise RecordError(Reason.NO_ARTICLE, "the text is blank")
    authors: list[str] = []
    while len(lines) > 2 and lines[0] == lines[1] and len(lines[0]) <= _BYLINE:
        authors.append(lines[0])
        while len(lines) > 1 and lines[0] == authors[-1]:
            lines.pop(0)
    title = ""
    if (
        len(lines) > 1
        and len(lines[0]) <= _HEADLINE < len(lines[1])
        and lines[0][-1] not in '.!?”"'
    ):
        title = lines.pop(0)
    return Entry(
        origin=document.origin,
        seen_at=document.seen_at,
        title=title,
        text="\n".join(lines),
        markup="plain",
        authors=tuple(authors),
    )


def _unwrapped(text: str) -> str:
    """Paragraphs on one line each, where blank lines stand between hard-wrapped ones."""
    paragraphs = re.split(r"\n[ \t]*\n", text.strip())
    longest = max(map(len, text.split("\n")))
    if len(paragraphs) < 2 or longest > _WRAPPED:
        return text
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
