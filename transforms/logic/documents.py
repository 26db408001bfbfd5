"""What kind a document is, and the entries that it holds, as it says them."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, Literal

import orjson

from transforms.errors import Reason, RecordError
from transforms.logic.dates import parse_date
from transforms.logic.decoding import decode, marked_encoding
from transforms.logic.feeds import is_json_feed, read_feed
from transforms.records import Entry, RawDocument

Kind = Literal["jsonl", "json", "csv", "tsv", "parquet", "html", "feed", "text"]

_COMPRESSED = frozenset({".gz", ".bz2", ".zst"})
_SUFFIXES: dict[str, Kind] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".rss": "feed",
    ".atom": "feed",
    ".rdf": "feed",
    ".xml": "feed",
    ".txt": "text",
}
# Other binary formats give themselves away by their control characters.
_NO_TEXT = (b"%PDF-", b"PK\x03\x04", b"{\\rtf")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_ROOT = re.compile(r"<(?:[A-Za-z][\w.-]*:)?([A-Za-z]\w*)")
_FEED_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
_HTML_ROOTS = frozenset(
    {"html", "head", "body", "title", "meta", "article", "main", "div", "section", "p", "h1"}
)

_NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title", "headline"),
    "text": (
        *("text", "body", "content", "article_body", "articleBody", "full_text", "content_text"),
        *("content_html", "description", "summary", "abstract"),
    ),
    "url": ("url", "link", "canonical_url", "href", "web_url", "uri"),
    "guid": ("guid", "id", "article_id", "uuid"),
    "published": (
        *("published", "published_at", "publishedAt", "date", "pubDate", "pub_date"),
        *("datePublished", "date_published", "publish_date", "timestamp", "created_at"),
    ),
    "updated": (
        *("updated", "updated_at", "updatedAt", "modified", "dateModified"),
        *("date_modified", "last_modified"),
    ),
    "language": ("language", "lang"),
    "source": ("source", "publisher", "site", "outlet", "site_name"),
    "authors": ("authors", "author", "byline", "creator"),
    "seen_at": ("seen_at",),
}


_Candidates = tuple[tuple[str, tuple[str, ...]], ...]
_REMEMBERED = 64  # sets of keys


@dataclass(frozen=True)
class FieldNames:
    """Under which names a record may hold each field of an entry, the preferred first."""

    names: tuple[tuple[str, tuple[str, ...]], ...] = tuple(_NAMES.items())
    # By the keys of a record: the records of a file have few different sets of keys.
    _candidates: dict[tuple[str, ...], _Candidates] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def with_overrides(cls, overrides: Mapping[str, list[str] | tuple[str, ...]]) -> "FieldNames":
        """The usual names, with those of *overrides* before them.

        Raises:
            ValueError: an override for what is no field of an entry.
        """
        if unknown := overrides.keys() - _NAMES.keys():
            raise ValueError(f"no such field: {', '.join(sorted(unknown))}")
        return cls(
            tuple(
                (field, tuple(dict.fromkeys((*overrides.get(field, ()), *usual))))
                for field, usual in _NAMES.items()
            )
        )

    def choose(self, record: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
        """Of each field that *record* holds: the name it has there, and the value.

        The first name with a value that is not empty wins; a name in other case
        counts only where none is spelt exactly.
        """
        chosen: dict[str, tuple[str, Any]] = {}
        keys_of = tuple(record)
        candidates = self._candidates.get(keys_of)
        if candidates is None:
            candidates = self._find_candidates(keys_of)
        for name, keys in candidates:
            for key in keys:
                if not _is_empty(value := record[key]):
                    chosen[name] = key, value
                    break
        return chosen

    def _find_candidates(self, keys: tuple[str, ...]) -> _Candidates:
        """The keys that may hold each field, in the order in which they are asked."""
        folded = {key.casefold(): key for key in reversed(keys)}
        candidates = []
        for wanted, names in self.names:
            exact = [name for name in names if name in keys]
            alike = [folded[name] for name in map(str.casefold, names) if name in folded]
            if found := tuple(dict.fromkeys(exact + alike)):
                candidates.append((wanted, found))
        if len(self._candidates) >= _REMEMBERED:
            self._candidates.clear()
        self._candidates[keys] = tuple(candidates)
        return self._candidates[keys]


def _is_empty(value: Any) -> bool:
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or value == [] or value == {}


def sniff(name: str, head: bytes) -> Kind:
    """Tell what kind of file it is that is called *name* and begins with *head*.

    The suffix tells, after that of a compression; the content where there is none
    that is known, or where the content leaves no doubt that the suffix is wrong.

    Raises:
        RecordError: EMPTY where nothing stands in it; UNKNOWN_FORMAT where it is no
            text and no Parquet.
    """
    # A character cut off at the end of the head is no fault.
    text = head.decode(marked_encoding(head) or "utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not text:
        raise RecordError(Reason.EMPTY, f"{name}: nothing stands in it")
    named = _kind_by_name(name)
    if head.startswith(b"PAR1") or named == "parquet":
        return "parquet"
    few = 10 if named else 100  # a good name makes up for a stray byte
    if head.startswith(_NO_TEXT) or len(_CONTROL.findall(text)) * few > len(text):
        raise RecordError(
            Reason.UNKNOWN_FORMAT, f"{name}: neither text nor Parquet; begins with {head[:8]!r}"
        )
    if text[:1] == "<":
        return _kind_of_markup(text) or named or "text"
    if text[:1] in ("{", "["):
        return _kind_of_json(text, named) or named or "text"
    if named in ("csv", "tsv"):
        return named
    return _kind_of_table(text) or named or "text"


def _kind_by_name(name: str) -> Kind | None:
    path = PurePosixPath(name.lower())
    if path.suffix in _COMPRESSED:
        path = path.with_suffix("")
    return _SUFFIXES.get(path.suffix)


def _kind_of_markup(text: str) -> Kind | None:
    """By the root element, after declarations and comments."""
    position = 0
    while text[position : position + 2] in ("<?", "<!"):
        if text[position : position + 14].lower() == "<!doctype html":
            return "html"
        close = "-->" if text.startswith("<!--", position) else ">"
        end = text.find(close, position)
        if end < 0:
            return None
        position = end + len(close)
        while text[position : position + 1].isspace():
            position += 1
    root = _ROOT.match(text, position)
    if root is None:
        return None
    tag = root[1].lower()
    return "feed" if tag in _FEED_ROOTS else "html" if tag in _HTML_ROOTS else None


def _kind_of_json(text: str, named: Kind | None) -> Kind | None:
    first, ended, rest = text.partition("\n")
    following = rest.lstrip()[:1]
    if first.rstrip() == "{":
        # Indented over several lines; but among lines it may be one that is cut off.
        return named if named == "jsonl" and following == "{" else "json"
    if text[0] == "[":
        if named == "jsonl" and following == "{" and _is_json(first):
            return named
        return "json" if text[1:].lstrip()[:1] == "{" or named == "json" else None
    if not _is_json(first):
        if named in ("json", "jsonl"):
            return named
        if first[1:].lstrip()[:1] != '"':
            return None
        # One that is longer than what is looked at is a record, whether others follow or not.
        return "json" if ended else "jsonl"
    return "jsonl" if following == "{" or named == "jsonl" else "json"


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _kind_of_table(text: str) -> Kind | None:
    """A table, where the first line is a header of names that are usual for articles."""
    header = text.partition("\n")[0]
    delimiter = max(",;\t|", key=header.count)
    cells = {cell.strip().strip('"').casefold() for cell in header.split(delimiter)}
    usual = [not cells.isdisjoint(map(str.casefold, names)) for names in _NAMES.values()]
    if sum(usual) < 2 or not (usual[0] or usual[1]):
        return None
    return "tsv" if delimiter == "\t" else "csv"


def parse_document(document: RawDocument, fields: FieldNames) -> Iterator[Entry]:
    """The entries of *document*, in its order.

    Raises:
        RecordError: it is broken, as a whole or from some entry on; what was
            yielded before stays good.
    """
    match document.format:
        case "json":
            yield from _parse_json(document, fields)
        case "feed":
            entries, reading = read_feed(document)
            yield from entries
            if reading.error is not None:
                raise RecordError(*reading.error)
        case "html":
            # Pages are rare, and the libraries that read them slow to load.
            from transforms.logic.pages import parse_page

            yield parse_page(document)
        case "text":
            yield _parse_text(document)


def _parse_json(document: RawDocument, fields: FieldNames) -> Iterator[Entry]:
    record = _load_object(document.payload)
    if is_json_feed(record):
        yield from parse_document(document.model_copy(update={"format": "feed"}), fields)
        return
    values = {
        field: _READ[field](name, value) for field, (name, value) in fields.choose(record).items()
    }
    yield Entry(**{"origin": document.origin, "seen_at": document.seen_at, **values})


def _load_object(payload: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise _json_error(payload, error) from error
    if not isinstance(record, dict):
        raise RecordError(Reason.WRONG_TYPE, f"a record is an object, not {_type_of(record)}")
    # As many '":' as there are names: then no name stands there twice, and nothing is
    # nested. Where the counts differ, only a second, slower parse can tell.
    if payload.count(b'":') != len(record) or _SPACED_COLON.search(payload):
        # That parser's own bound is Python's stack, which is not the same everywhere.
        if _is_deep(payload):
            raise RecordError(Reason.TOO_DEEP, "nested deeper than any article is")
        json.loads(payload, object_pairs_hook=_refuse_duplicates)
    return record


_SPACED_COLON = re.compile(rb'"\s+:')
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|[\]}]', re.DOTALL)
_DEEPEST = 100  # arrays and objects in one another


def _is_deep(payload: bytes) -> bool:
    if payload.count(b"[") + payload.count(b"{") <= _DEEPEST:
        return False
    depth = 0
    for found in _BRACKET.finditer(payload):
        if found[1]:
            depth += 1
            if depth > _DEEPEST:
                return True
        elif found[0] in b"]}":
            depth -= 1
    return False


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in unique if names.count(name) > 1)
        raise RecordError(Reason.DUPLICATE_KEYS, f"an object names {twice!r} more than once")
    return unique


def _json_error(payload: bytes, error: orjson.JSONDecodeError) -> RecordError:
    if "recursion" in error.msg or "depth" in error.msg:
        return RecordError(Reason.TOO_DEEP, "nested deeper than any article is")
    try:
        text = payload.decode()
    except UnicodeDecodeError as undecodable:
        return RecordError(Reason.BAD_ENCODING, f"JSON is UTF-8, and this is not: {undecodable}")
    detail = str(error)
    if text[error.pos :].lstrip("-").startswith(("NaN", "Infinity")):
        detail += "; NaN and Infinity are not JSON"
    return RecordError(Reason.MALFORMED_JSON, detail)


def _type_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _wrong_type(name: str, wanted: str, value: Any) -> RecordError:
    return RecordError(Reason.WRONG_TYPE, f"{name}: wanted {wanted}, found {_type_of(value)}")


def _read_string(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    raise _wrong_type(name, "a string", value)


def _read_string_or_number(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _wrong_type(name, "a string or a number", value)


def _read_named(name: str, value: Any) -> str:
    """A string, or the name of an object that has one."""
    if isinstance(value, dict):
        value = value.get("name") or ""
    return _read_string(name, value)


def _read_authors(name: str, value: Any) -> tuple[str, ...]:
    authors = value if isinstance(value, list) else [value]
    return tuple(
        read for author in authors if author is not None and (read := _read_named(name, author))
    )


def _read_time(name: str, value: Any) -> datetime:
    raw = _read_string_or_number(name, value)
    time = parse_date(raw)
    if time is None:
        raise RecordError(Reason.WRONG_TYPE, f"{name}: {raw[:50]!r} is no time")
    return time


_READ: dict[str, Callable[[str, Any], Any]] = {
    "title": _read_string,
    "text": _read_string,
    "url": _read_string,
    "guid": _read_string_or_number,
    "published": _read_string_or_number,
    "updated": _read_string_or_number,
    "language": _read_string,
    "source": _read_named,
    "authors": _read_authors,
    "seen_at": _read_time,
}


_NAME = r"[^\W\d_a-z][\w'’.-]*"
_BY_LINE = re.compile(
    rf"(?P<by>(?:[Bb][Yy]|[Vv]on|[Pp]ar|[Pp]or)\s+)?"
    rf"(?P<names>{_NAME}(?:\s+(?:(?:de|van|von|der|di|da|del|la|and)\s+){{0,2}}{_NAME}){{1,5}})"
)
_LONGEST_BY_LINE = 60  # characters
_LONGEST_HEADLINE = 150
_WRAPPED_AT = 100  # no line of a hard-wrapped text is longer
_FULL_LINE = 45  # and few that go on in the next one are shorter


def _parse_text(document: RawDocument) -> Entry:
    text = decode(document.payload, document.encoding).lstrip("\ufeff")
    lines = [line.strip() for line in text.splitlines()]
    authors, lines = _take_by_lines(lines)
    paragraphs = _paragraphs(lines)
    if not paragraphs:
        raise RecordError(Reason.NO_ARTICLE, "there is no text")
    title = ""
    if _is_headline(paragraphs):
        title, *paragraphs = paragraphs
        if not authors:
            authors, paragraphs = _take_by_lines(paragraphs)
    return Entry(
        origin=document.origin,
        seen_at=document.seen_at,
        title=title,
        text="\n".join(paragraphs),
        markup="plain",
        authors=authors,
    )


def _take_by_lines(lines: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """The names at the top and the lines without them.

    A name alone may as well be a headline: it is a by-line where it is repeated or
    where a "by" says so.
    """
    begin = next((at for at, line in enumerate(lines) if line), 0)
    first = lines[begin] if lines else ""
    found = _BY_LINE.fullmatch(first) if len(first) <= _LONGEST_BY_LINE else None
    end = begin + 1
    while end < len(lines) and lines[end] in ("", first):
        end += 1
    if found is None or not (found["by"] or first in lines[begin + 1 : end]) or end == len(lines):
        return (), lines
    return tuple(re.split(r"\s+and\s+", found["names"])), lines[end:]


def _paragraphs(lines: list[str]) -> list[str]:
    """One string a paragraph; the lines of a hard-wrapped text are joined."""
    continued = [line for line, following in pairwise(lines) if line and following]
    full = sum(len(line) >= _FULL_LINE for line in continued)
    wrapped = (
        "" in lines
        and max(map(len, lines)) <= _WRAPPED_AT
        and full > 0
        and full >= 0.8 * len(continued)
    )
    if not wrapped:
        return [line for line in lines if line]
    blocks = "\n".join(lines).split("\n\n")
    return [" ".join(block.split("\n")).strip() for block in blocks if block.strip()]


def _is_headline(paragraphs: list[str]) -> bool:
    first, *rest = paragraphs
    return (
        len(first) <= _LONGEST_HEADLINE
        and not first.endswith((".", "…", ":", ";", ",", "”", '"'))
        and bool(rest)
        and max(map(len, rest[:2])) > len(first)
    )
