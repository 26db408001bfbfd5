"""What kind a file is, and the entries of records and texts."""

import codecs
import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.articles import SEEN_AT
from transforms.errors import RecordError
from transforms.logic.documents import FieldNames, Kind, parse_document, sniff
from transforms.records import Entry, Format, Origin, RawDocument

SEED = Path(__file__).parent.parent.parent / "seeds" / "seed_article.txt"
FIELDS = FieldNames()


def entries(
    payload: bytes | str, format_: Format = "json", fields: FieldNames = FIELDS
) -> list[Entry]:
    content = payload.encode() if isinstance(payload, str) else payload
    document = RawDocument(
        origin=Origin(path="x"), format=format_, payload=content, seen_at=SEEN_AT
    )
    return list(parse_document(document, fields))


def said(payload: bytes | str, format_: Format = "json", **more: Any) -> dict[str, Any]:
    """What the only entry of a document says, without what it does not."""
    (entry,) = entries(payload, format_, **more)
    return entry.model_dump(exclude_defaults=True, exclude={"origin", "seen_at"})


def reason(payload: bytes | str, format_: Format = "json") -> str:
    with pytest.raises(RecordError) as caught:
        entries(payload, format_)
    return caught.value.reason.value


RSS = b'<?xml version="1.0"?>\n<!-- <html> -->\n<rss version="2.0"><channel/></rss>'
PAGE = b"<!DOCTYPE html>\n<html><body><p>Text</p></body></html>"
LINE = b'{"title": "a"}'


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        # Names.
        ("x.jsonl", LINE, "jsonl"),
        ("x.ndjson", LINE, "jsonl"),
        ("x.json", LINE, "json"),
        ("x.csv", b"a,b\n", "csv"),
        ("x.tsv", b"a\tb\n", "tsv"),
        ("x.txt", b"Text", "text"),
        ("X.HTML", PAGE, "html"),
        ("x.htm", b"<p>Text", "html"),
        ("x.rss", RSS, "feed"),
        ("x.atom", b"<entry/>", "feed"),
        ("x.rdf", b"<RDF/>", "feed"),
        ("x.xml", b"<?xml version='1.0'?><other/>", "feed"),
        ("x.parquet", b"PAR1", "parquet"),
        ("x.csv.gz", b"a,b\n", "csv"),
        ("x.jsonl.bz2", LINE, "jsonl"),
        ("x.JSONL.ZST", LINE, "jsonl"),
        # Content, where the name says nothing.
        ("x", b"PAR1", "parquet"),
        ("x", LINE, "json"),
        ("x", b'{\n "title": "a"\n}', "json"),
        ("x", LINE + b"\n" + LINE, "jsonl"),
        ("x", b'{"title": "' + b"x" * 70_000, "jsonl"),
        ("x", b'[{"title": "a"}]', "json"),
        ("x", b"[\n {\n", "json"),
        ("x.gz", LINE + b"\n" + LINE, "jsonl"),
        ("x.data", b"title;text;url\na;b;c", "csv"),
        ("x", b'"headline","date"\n', "csv"),
        ("x", b"Title\tBody\n", "tsv"),
        ("x", RSS, "feed"),
        ("x", b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "feed"),
        ("x", b'<rdf:RDF xmlns:rdf="r"/>', "feed"),
        ("x", b'<atom:feed xmlns:atom="a"/>', "feed"),
        ("x", PAGE, "html"),
        ("x", b"<!-- saved --><HTML>", "html"),
        ("x", b"<article><p>Text", "html"),
        ("x", b"Police, it was said, have text of it.\n", "text"),
        ("x", "Im Süden".encode("cp1252"), "text"),
        # Content, where the name is wrong.
        ("x.txt", PAGE, "html"),
        ("x.xml", PAGE, "html"),
        ("x.html", RSS, "feed"),
        ("x.csv", b"PAR1", "parquet"),
        ("x.json", LINE + b"\n" + LINE, "jsonl"),
        ("x.jsonl", b'{\n  "title": "a"\n}', "json"),
        ("x.jsonl", b'[{"title": "a"},\n{"title": "b"}]', "json"),
        ("x.txt", b"title,text,url\na,b,c", "csv"),
        # Content, where the name is right and only the beginning is bad.
        ("x.jsonl", b'{"title": \n' + LINE, "jsonl"),
        ("x.jsonl", b"{\n" + LINE, "jsonl"),
        ("x.jsonl", b'[{"title": "a"}]\n' + LINE, "jsonl"),
        ("x.jsonl", b"garbage\n" + LINE, "jsonl"),
        ("x.json", b'{"title": ', "json"),
        ("x.csv", b"[title],[text]\n", "csv"),
        ("x.txt", b"[Agency] Text", "text"),
        ("x.txt", b"{sic} Text", "text"),
        # Marks, zeros and blanks.
        ("x.jsonl", codecs.BOM_UTF8 + LINE, "jsonl"),
        ("x", codecs.BOM_UTF8 + RSS, "feed"),
        ("x", RSS.decode().encode("utf-16"), "feed"),
        ("x", PAGE.decode().encode("utf-16-le"), "html"),
        ("x", b" \r\n\t" + LINE, "json"),
    ],
)
def test_the_kind_of_a_file(name: str, head: bytes, kind: Kind) -> None:
    assert sniff(name, head) == kind


@pytest.mark.parametrize(
    ("name", "head", "reason"),
    [
        ("x.jsonl", b"", "empty"),
        ("x.txt", b" \r\n\t", "empty"),
        ("x.csv", codecs.BOM_UTF8, "empty"),
        ("x.csv", codecs.BOM_UTF16_LE + "\r\n".encode("utf-16-le"), "empty"),
        ("x.parquet", b"", "empty"),
        ("x", bytes(range(1, 256)) * 8, "unknown_format"),
        ("x.txt", b"\0\1\2\3" * 100, "unknown_format"),
        ("x.txt", b"%PDF-1.7 ...", "unknown_format"),
        ("x.csv", b"PK\x03\x04...", "unknown_format"),
        ("x.jsonl", gzip.compress(LINE), "unknown_format"),
        ("x.html", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01", "unknown_format"),
    ],
)
def test_what_is_of_no_kind(name: str, head: bytes, reason: str) -> None:
    with pytest.raises(RecordError, match=name) as caught:
        sniff(name, head)
    assert caught.value.reason.value == reason


@given(st.sampled_from(["x", "x.json", "x.jsonl", "x.csv", "x.html", "x.xml"]), st.binary())
@example("x", b"<?")
@example("x", b"<!--")
def test_whatever_a_file_begins_with(name: str, head: bytes) -> None:
    try:
        sniff(name, head)
    except RecordError as error:
        assert error.reason.value in ("empty", "unknown_format")  # noqa: PT017


def test_the_head_of_a_hostile_file_is_looked_at_once() -> None:
    begun = time.process_time()
    for head in (b"<!-->" * 200_000, b"<?>\n" * 200_000, b"{" * 1_000_000, b"[ " * 500_000):
        sniff("x.xml", head)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (
            {"title": "T", "text": "X", "url": "u", "published": "2026-11-24"},
            {"title": "T", "text": "X", "url": "u", "published": "2026-11-24"},
        ),
        (
            {"headline": "T", "body": "X", "link": "u", "date": "d", "id": 7},
            {"title": "T", "text": "X", "url": "u", "published": "d", "guid": "7"},
        ),
        (
            {"Title": "T", "CONTENT": "X", "Link": "u", "pubdate": "d"},
            {"title": "T", "text": "X", "url": "u", "published": "d"},
        ),
        (
            {"title": "T", "description": "X", "pubDate": "d"},
            {"title": "T", "text": "X", "published": "d"},
        ),
        ({"title": "T", "articleBody": "X"}, {"title": "T", "text": "X"}),
        (
            {"title": "T", "datePublished": "d", "dateModified": "m"},
            {"title": "T", "published": "d", "updated": "m"},
        ),
        ({"title": "T", "published_at": 1795478400}, {"title": "T", "published": "1795478400"}),
        ({"title": "T", "timestamp": 1795478400.5}, {"title": "T", "published": "1795478400.5"}),
        # The preferred name wins, unless nothing stands under it.
        ({"description": "short", "text": "X", "title": "T"}, {"title": "T", "text": "X"}),
        ({"text": " ", "body": None, "content": [], "summary": "X"}, {"text": "X"}),
        ({"TITLE": "no", "title": "T"}, {"title": "T"}),
        # People and papers, as strings, lists and objects.
        ({"author": "A B"}, {"authors": ("A B",)}),
        ({"authors": ["A", {"name": "B"}, None, {}]}, {"authors": ("A", "B")}),
        ({"publisher": {"name": "P"}}, {"source": "P"}),
        # What is not ours may be of any type.
        ({"title": "T", "tags": [1, {"a": None}], "score": 1.5}, {"title": "T"}),
        ({"title": 'a": b'}, {"title": 'a": b'}),
        ({"title": "😀 \0 ü"}, {"title": "😀 \0 ü"}),
    ],
)
def test_the_names_of_fields(record: dict[str, Any], fields: dict[str, Any]) -> None:
    assert said(json.dumps(record)) == fields
    assert said(json.dumps(record, ensure_ascii=False, indent=1).replace("\0", "\\u0000")) == fields


def test_the_time_of_the_reading_may_stand_in_a_record() -> None:
    (entry,) = entries('{"title": "T", "seen_at": "2026-11-24T07:00+02:00"}')
    assert entry.seen_at == SEEN_AT.replace(hour=5)


def test_names_of_fields_can_be_added() -> None:
    fields = FieldNames.with_overrides({"text": ["texto"]})
    assert said('{"text": "a", "texto": "b"}', fields=fields) == {"text": "b"}
    assert said('{"text": "a"}', fields=fields) == {"text": "a"}
    with pytest.raises(ValueError, match="no such field: texto"):
        FieldNames.with_overrides({"texto": ["text"]})


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (b"", "malformed_json"),
        (b"{broken", "malformed_json"),
        (b"{'title': 'a'}", "malformed_json"),
        (b'{"title": "a",}', "malformed_json"),
        (b'{"title": "a"} {"title": "b"}', "malformed_json"),
        (b'{"title": NaN}', "malformed_json"),
        (b'{"title": "a", "score": -Infinity}', "malformed_json"),
        (b'{"title": "a", "score": 1e999}', "malformed_json"),
        (b'{"title": "a\0b"}', "malformed_json"),
        (b'{"title": "a\nb"}', "malformed_json"),
        (b'{"title": "\\ud800"}', "malformed_json"),
        (b'{"title": "a", "title": "b"}', "duplicate_keys"),
        (b'{"title": "a", "t\\u0069tle": "b"}', "duplicate_keys"),
        (b'{"title": "a", "x": [{"y": 1, "y": 1}]}', "duplicate_keys"),
        (b'{"title" : "a", "x": "a", "title" : "b"}', "duplicate_keys"),
        (b'{"title": "caf\xe9"}', "bad_encoding"),
        (b'{"title": "\xed\xa0\x80"}', "bad_encoding"),
        (b'{"title": 5}', "wrong_type"),
        (b'{"title": ["a"]}', "wrong_type"),
        (b'{"title": "a", "text": {"a": "b"}}', "wrong_type"),
        (b'{"title": "a", "url": false}', "wrong_type"),
        (b'{"title": "a", "published": true}', "wrong_type"),
        (b'{"title": "a", "published": {"$date": 5}}', "wrong_type"),
        (b'{"title": "a", "authors": [5]}', "wrong_type"),
        (b'{"title": "a", "seen_at": "soon"}', "wrong_type"),
        (b'["title"]', "wrong_type"),
        (b"5", "wrong_type"),
        (b"null", "wrong_type"),
        (b'"title"', "wrong_type"),
        (b'{"a":' * 100_000, "too_deep"),
        (b'{"x": {"y": ' + b"[" * 100 + b"]" * 100 + b"}}", "too_deep"),
        (b'{"title": "a", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "too_deep"),
    ],
)
def test_a_record_that_is_refused(record: bytes, expected: str) -> None:
    assert reason(record) == expected


def test_what_is_wrong_is_said_in_words() -> None:
    for record, words in [
        ('{"headline": 5}', "headline: wanted a string, found a number"),
        ('{"title": "a", "title": "b"}', "'title' more than once"),
        ('{"title": NaN}', "NaN and Infinity are not JSON"),
        ('[{"title": "a"}]', "a record is an object, not an array"),
    ]:
        with pytest.raises(RecordError, match=words):
            entries(record)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda values: (
        st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(["title", "text", "url", "date", "authors", "source", "id", "seen_at", "x"])


@given(st.dictionaries(NAMES, JSON | st.just("2026-11-24"), max_size=5))
def test_a_record_of_any_values_is_an_entry_or_refused(record: dict[str, Any]) -> None:
    try:
        (entry,) = entries(json.dumps(record))
    except RecordError as error:
        assert error.reason.value in ("wrong_type", "malformed_json")  # noqa: PT017
    else:
        assert entry.title == "" or entry.title == record["title"]


SEEDS: list[tuple[bytes, Format]] = [
    (b'{"title": "T", "text": "X", "authors": [{"name": "A"}], "date": 1795478400}', "json"),
    (
        b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "T"}]}',
        "json",
    ),
    (
        RSS.replace(b"<channel/>", b"<channel><item><title>T &amp; U</title></item></channel>"),
        "feed",
    ),
    (SEED.read_bytes()[:600], "text"),
    (PAGE, "html"),
]
CHANGES = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 12),
        st.binary(max_size=4)
        | st.sampled_from(
            [b'"', b"{", b"<", b"]]>", b"&#x", b"<!--", b"\0", b"\n", codecs.BOM_UTF16_LE]
        ),
    ),
    max_size=4,
)


def changed(content: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    """*content*, where at some places some bytes are replaced by others."""
    for place, length, inserted in changes:
        at = int(place * len(content))
        content = content[:at] + inserted + content[at + length :]
    return content


@given(st.sampled_from(SEEDS), CHANGES)
@settings(deadline=None)
def test_a_damaged_document_is_refused_at_most(
    seed: tuple[bytes, Format], changes: list[tuple[float, int, bytes]]
) -> None:
    content, format_ = seed
    try:
        entries(changed(content, changes), format_)
    except RecordError as error:
        assert error.detail  # noqa: PT017


@given(st.sampled_from(["json", "feed", "text", "html"]), st.binary() | st.text().map(str.encode))
@settings(deadline=None)
def test_any_bytes_are_refused_at_most(format_: Format, payload: bytes) -> None:
    try:
        entries(payload, format_)
    except RecordError as error:
        assert error.detail  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "Ana Ruiz\nAna Ruiz\nThe text.\nMore.",
            {"authors": ("Ana Ruiz",), "text": "The text.\nMore."},
        ),
        ("By Ana Ruiz\n\nThe text.", {"authors": ("Ana Ruiz",), "text": "The text."}),
        (
            "by Ana Ruiz and Bo Ek\nThe text.",
            {"authors": ("Ana Ruiz", "Bo Ek"), "text": "The text."},
        ),
        ("Por Ana de la Ruiz\n\nEl texto.", {"authors": ("Ana de la Ruiz",), "text": "El texto."}),
        (
            "New rules\n\nThere are new rules for all.",
            {"title": "New rules", "text": "There are new rules for all."},
        ),
        (
            "Ana Ruiz\n\nShe is the new minister.",
            {"title": "Ana Ruiz", "text": "She is the new minister."},
        ),
        (
            "New rules\nBy Ana Ruiz\n\nThere are new rules.",
            {"title": "New rules", "authors": ("Ana Ruiz",), "text": "There are new rules."},
        ),
        ("The text.", {"text": "The text."}),
        (
            "A sentence first.\nThen a longer one follows it.",
            {"text": "A sentence first.\nThen a longer one follows it."},
        ),
        ("Ana Ruiz\nAna Ruiz\n", {"text": "Ana Ruiz\nAna Ruiz"}),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_text(text: str, fields: dict[str, Any], encoding: str, newline: str) -> None:
    payload = text.replace("\n", newline).encode(encoding)
    assert said(payload, "text") == {**fields, "markup": "plain"}


def test_the_lines_of_a_hard_wrapped_text_are_joined() -> None:
    line = "This line is as long as lines are in a mail that was wrapped"
    text = f"{line}\n{line}\nand ends here.\n\n{line}\nand here.\n"
    assert said(text, "text")["text"] == f"{line} {line} and ends here.\n{line} and here."


def test_the_seed_article_has_by_lines_and_no_headline() -> None:
    entry = said(SEED.read_bytes(), "text")
    assert entry["authors"] == ("Brian Sims",)
    assert "title" not in entry
    assert entry["text"].startswith("HOME SECRETARY")


@pytest.mark.parametrize("payload", [b"", b" \n\n", codecs.BOM_UTF8])
def test_a_text_without_text(payload: bytes) -> None:
    assert reason(payload, "text") == "no_article"
