"""From files to documents: what is read, and what it costs where something is broken."""

import bz2
import csv
import gzip
import io
import itertools
import json
import os
import random
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.sources import readers
from pipeline.sources.files import SPAN_BYTES, plan_spans
from pipeline.sources.readers import Limits, Read, Span, read_span
from transforms.errors import ConfigError, RecordError
from transforms.logic.decoding import marked_encoding
from transforms.logic.documents import FieldNames, parse_document
from transforms.records import RawDocument

SEEN_AT = datetime(2026, 11, 24, tzinfo=UTC)
LIMITS = Limits(record_bytes=1000, file_bytes=100_000)
LARGE = Limits(record_bytes=10_000_000, file_bytes=1_000_000_000)
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstandard.compress,
}
every_compression = pytest.mark.parametrize("suffix", COMPRESS)


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def span_of(path: Path, **values: object) -> Span:
    whole = {"path": str(path), "name": path.name, "size": path.stat().st_size}
    return Span(**{**whole, **values})  # type: ignore[arg-type]


def read(path: Path, limits: Limits = LIMITS, **span: object) -> tuple[list[bytes], list[str]]:
    """Payloads of the documents, and the reasons of what could not be read."""
    payloads, reasons = [], []
    try:
        for item in read_span(span_of(path, **span), limits, SEEN_AT):
            if isinstance(item, RawDocument):
                payloads.append(item.payload.strip())
            else:
                reasons.append(item[1].reason.value)
    except RecordError as error:
        reasons.append(error.reason.value)
    return payloads, reasons


def read_bytes(
    name: str, content: bytes, limits: Limits = LIMITS, **span: object
) -> tuple[list[bytes], list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        return read(written(Path(folder), name, content), limits, **span)


def outcomes(name: str, content: bytes, limits: Limits = LIMITS) -> tuple[list[str], list[str]]:
    """Titles of the entries, and the reasons of what could not be read or parsed."""
    titles: list[str] = []
    reasons: list[str] = []

    @contextmanager
    def noted() -> Iterator[None]:
        try:
            yield
        except RecordError as error:
            reasons.append(error.reason.value)

    with tempfile.TemporaryDirectory() as folder, noted():
        for item in read_span(span_of(written(Path(folder), name, content)), limits, SEEN_AT):
            with noted():
                if not isinstance(item, RawDocument):
                    raise item[1]
                titles.extend(entry.title for entry in parse_document(item, FieldNames()))
    return titles, reasons


LINES = b'{"title":"a"}\n\n{"title":"b"}\n'
BOTH = [b'{"title":"a"}', b'{"title":"b"}']
ARRAY = b' [{"title":"a"},\n {"title":"b"}]'
ROWS = b"title,n\r\na,1\r\nb,2\r\n"


def parquet(columns: dict[str, Any] | pa.Table, **options: Any) -> bytes:
    target = io.BytesIO()
    table = pa.table(columns) if isinstance(columns, dict) else columns
    pq.write_table(table, target, **options)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.jsonl", LINES),
        ("x.jsonl", LINES.rstrip()),
        ("x.jsonl", LINES.replace(b"\n", b"\r\n")),
        ("x.jsonl", b"\xef\xbb\xbf" + LINES),
        ("x.jsonl", LINES.decode().encode("utf-16")),
        ("x.jsonl", LINES.decode().encode("utf-16-le")),
        ("x.jsonl", LINES.decode().encode("utf-32")),
        ("without_suffix", LINES),
        ("x.json", ARRAY),
        ("x.json", b"\xef\xbb\xbf" + ARRAY),
        ("x.json", ARRAY.decode().encode("utf-16")),
        ("x.json", ARRAY.decode().encode("utf-16-be")),
        ("x.json", LINES),
        ("x.csv", ROWS),
        ("x.csv", b"\xef\xbb\xbf" + ROWS),
        ("x.csv", b"\n\n" + ROWS),
        ("x.csv", ROWS.replace(b"\r\n", b"\n")),
        ("x.csv", ROWS.replace(b"\r\n", b"\r")),
        ("x.csv", ROWS.replace(b",", b";")),
        ("x.csv", ROWS.replace(b",", b"|")),
        ("x.csv", ROWS.decode().encode("utf-16")),
        ("x.csv", b"title\na\nb\n"),
        ("x.tsv", ROWS.replace(b",", b"\t")),
        ("x.parquet", parquet({"title": ["a", "b"]}, row_group_size=1)),
    ],
)
@pytest.mark.parametrize("suffix", ["", *COMPRESS])
def test_both_records_are_read(name: str, content: bytes, suffix: str) -> None:
    compress = COMPRESS.get(suffix, bytes)
    assert outcomes(name + suffix, compress(content)) == (["a", "b"], [])


@pytest.mark.parametrize("cut", [0, 1, 5, 14, 15])
@every_compression
def test_a_compressed_file_of_several_members(suffix: str, cut: int) -> None:
    compress = COMPRESS[suffix]
    content = compress(LINES[:cut]) + compress(b"") + compress(LINES[cut:])
    assert read_bytes(f"x.jsonl{suffix}", content) == (BOTH, [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_a_json_object_over_several_lines(encoding: str) -> None:
    record = {"title": "Ä", "text": "line"}
    (payload,), reasons = read_bytes("x.json", json.dumps(record, indent=1).encode(encoding))
    assert (orjson.loads(payload), reasons) == (record, [])


# What ends early, or is too large.


@every_compression
def test_a_truncated_file_keeps_what_could_be_decoded(suffix: str) -> None:
    words = random.Random(1)
    lines = b"".join(
        b'{"title":"%s"}\n' % words.randbytes(60).hex().encode() for _ in range(15_000)
    )
    content = COMPRESS[suffix](lines)
    payloads, reasons = read_bytes(f"x.jsonl{suffix}", content[:-500], LARGE)
    assert len(payloads) > 5000
    assert payloads == lines.split()[: len(payloads)]
    assert reasons == ["truncated"]


def test_a_truncated_feed_keeps_its_first_entries() -> None:
    items = "".join(f"<item><title>{number * 7919}</title></item>" for number in range(2000))
    content = gzip.compress(f'<rss version="2.0"><channel>{items}</channel></rss>'.encode())
    titles, reasons = outcomes("x.rss.gz", content[: len(content) // 2], LARGE)
    assert titles[:3] == ["0", "7919", "15838"]
    assert 100 < len(titles) < 2000
    assert reasons == ["truncated", "truncated"]
    assert outcomes("x.rss.gz", content[:20], LARGE) == ([], ["truncated"])


@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv", "x.html", "x.txt", "x.rss", "x"])
@pytest.mark.parametrize(
    "inside", [b'{"title":"a"}\n', b"x", b'{"a":[', b"<p>", b",", b'"', b"\n", b"[1,"]
)
def test_a_bomb_stops_at_the_limits(name: str, inside: bytes) -> None:
    begin = {"x.json": b"[", "x.csv": b"title\n"}.get(name, b"{")
    bomb = gzip.compress(begin + inside * (2_000_000 // len(inside)))
    payloads, reasons = read_bytes(f"{name}.gz", bomb)
    assert sum(map(len, payloads)) < 500_000
    assert "too_large" in reasons


@every_compression
def test_a_bomb_stops_at_the_size_of_a_file(suffix: str) -> None:
    bomb = COMPRESS[suffix](LINES * 10_000)
    payloads, reasons = read_bytes(f"x.jsonl{suffix}", bomb)
    assert 1000 < len(payloads) < 20_000
    assert reasons == ["too_large"]
    bomb = COMPRESS[suffix](LINES[:14] + b"x" * 10_000_000)
    assert read_bytes(f"x.jsonl{suffix}", bomb) == (BOTH[:1], ["too_large", "too_large"])
    assert read_bytes(f"x.parquet{suffix}", bomb) == ([], ["too_large"])


def test_a_file_that_is_too_large_is_refused_once(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", LINES)
    limits = Limits(record_bytes=1000, file_bytes=20)
    for start, reasons in ((0, ["too_large"]), (10, []), (20, [])):
        assert read(path, limits, kind="jsonl", start=start, end=start + 10) == ([], reasons)


@pytest.mark.parametrize(
    ("name", "long"),
    [
        ("x.jsonl", b'{"title":"a"}\n{"title":"%s"}\n{"title":"b"}'),
        ("x.json", b'[{"title":"a"},{"title":"%s"},{"title":"b"}]'),
        ("x.csv", b"title,n\na,1\n%s,2\nb,3\n"),
        ("x.csv", b'title,n\na,1\n"%s",2\nb,3\n'),
        ("x.csv", b"title\na\n%s\nb\n"),
    ],
)
@pytest.mark.parametrize("size", [2000, 3003, 40_000])
def test_an_over_long_record_costs_itself_alone(name: str, long: bytes, size: int) -> None:
    assert outcomes(name, long % (b"x" * size)) == (["a", "b"], ["too_large"])
    wide = (long % (b"x" * size)).decode().encode("utf-16")
    assert outcomes(name, wide) == (["a", "b"], ["too_large"])


def test_a_line_of_50_mb_is_never_held(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", LINES[:14] + b"x" * 50_000_000 + b"\n" + LINES[15:])
    tracemalloc.start()
    try:
        assert read(path, Limits(1_000_000, 10**9)) == (BOTH, ["too_large"])
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


# JSON Lines.


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{broken", "malformed_json"),
        (b"{", "malformed_json"),
        (b'{"title":NaN}', "malformed_json"),
        (b'{"title":"a\0b"}', "malformed_json"),
        (b"\0", "malformed_json"),
        (b'{"title":"x","title":"y"}', "duplicate_keys"),
        (b'{"title":5}', "wrong_type"),
        (b"[1]", "wrong_type"),
        (b'[{"title":"x"}]', "wrong_type"),
        (b"null", "wrong_type"),
        (b'{"title":"caf\xe9"}', "bad_encoding"),
        (b'{"title":"' + b"x" * 1000 + b'"}', "too_large"),
        (b'{"a":' * 199, "malformed_json"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_bad_line_costs_itself_alone(
    line: bytes, reason: str, place: int, newline: bytes
) -> None:
    lines = [*BOTH[:place], line, *BOTH[place:]]
    assert outcomes("x.jsonl", newline.join(lines)) == (["a", "b"], [reason])


def test_a_line_that_is_too_deep_costs_itself_alone() -> None:
    lines = [BOTH[0], b'{"title":"x","y":' + b"[" * 5000 + b"]" * 5000 + b"}", BOTH[1]]
    assert outcomes("x.jsonl", b"\n".join(lines), LARGE) == (["a", "b"], ["too_deep"])


def test_half_a_surrogate_pair_in_utf16_costs_its_line() -> None:
    lines = '{"title":"a"}\n{"title":"?"}\n{"title":"b"}\n'.encode("utf-16-le")
    for half in ("\ud800", "\udc00"):
        broken = lines.replace("?".encode("utf-16-le"), half.encode("utf-16-le", "surrogatepass"))
        assert outcomes("x.jsonl", broken) == (["a", "b"], ["bad_encoding"])
    assert outcomes("x.jsonl", lines[:-1])[1] == ["bad_encoding"]


LINE = st.one_of(
    st.sampled_from([b"", b" ", b"\r", b"{}", b'{"a":"b"}', b'{"a":"b"}\r', b"{", b"\0", b"\xff"]),
    st.integers(18, 60).map(lambda length: b"x" * length),
)


@given(
    st.lists(LINE, max_size=8),
    st.booleans(),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(st.floats(0, 1), max_size=4),
)
@settings(deadline=None, max_examples=200)
def test_spans_cover_a_file_without_gap_or_overlap(
    lines: list[bytes], ended: bool, mark: bytes, cuts: list[float]
) -> None:
    content = mark + b"\n".join(lines) + b"\n" * ended
    assume(marked_encoding(content) in (None, "utf-8-sig"))  # others are not cut into spans
    limits = Limits(record_bytes=20, file_bytes=10_000)
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), "x.jsonl", content)

        def documents(start: int = 0, end: int | None = None) -> list[tuple[int, bytes]]:
            span = span_of(path, kind="jsonl", start=start, end=end)
            return [_told(item) for item in read_span(span, limits, SEEN_AT)]

        bounds = sorted({0, len(content), *(int(cut * len(content)) for cut in cuts)})
        pieces = [documents(start, end) for start, end in itertools.pairwise(bounds)]
        assert list(itertools.chain(*pieces)) == documents()
    # And each stands where its origin says.
    for offset, told in itertools.chain(*pieces):
        assert content[offset:].startswith(told)


def _told(item: Read) -> tuple[int, bytes]:
    """Where a document or an over-long line begins, and with what."""
    origin, told = (item.origin, item.payload) if isinstance(item, RawDocument) else item[::2]
    assert origin.offset is not None
    return origin.offset, told


def test_every_cut_of_a_small_file(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", LINES * 5)
    size = path.stat().st_size
    for cut in range(size + 1):
        first, _ = read(path, kind="jsonl", start=0, end=cut)
        second, _ = read(path, kind="jsonl", start=cut, end=size) if cut < size else ([], [])
        assert first + second == BOTH * 5


def test_a_span_inside_a_long_line_reads_no_more_than_it_is_long(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", b"x" * 20_000_000)
    asked: list[int] = []

    def counted(*args: Any, **options: Any) -> "_Counted":
        return _Counted(open(*args, **options), asked)

    with patch("pipeline.sources.streams.open", counted, create=True):
        assert read(path, LARGE, kind="jsonl", start=1, end=1000) == ([], [])
    assert sum(asked) < 5_000_000


class _Counted:
    """A file that notes how much was read of it."""

    def __init__(self, file: Any, asked: list[int]) -> None:
        self._file, self._asked = file, asked

    def read(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        self._asked.append(len(data))
        return data

    def __enter__(self) -> "_Counted":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


# JSON arrays.


@pytest.mark.parametrize(
    ("content", "payloads", "reasons"),
    [
        (b'[{"a":1},{"a":},{"a":3}]', [b'{"a":1}', b'{"a":}', b'{"a":3}'], []),
        (b'[{"a":"]},{"},2]', [b'{"a":"]},{"}', b"2"], []),
        (b'[{"a":"\\"]"}]', [b'{"a":"\\"]"}'], []),
        (b'[{"a":"\\\\"},1]', [b'{"a":"\\\\"}', b"1"], []),
        (b'[{"a":1],{"b":2}]', [b'{"a":1]', b'{"b":2}'], []),
        (b'[{"a":[{"b":1,{"c":2}]},3]', [], ["truncated"]),
        (b'[1,NaN,"\0",[[]],null]', [b"1", b"NaN", b'"\0"', b"[[]]", b"null"], []),
        (b'[{"a":1},{"a', [b'{"a":1}'], ["truncated"]),
        (b'[{"a":1},', [b'{"a":1}'], ["truncated"]),
        (b'[{"a":1}', [], ["truncated"]),
        (b"[", [], ["truncated"]),
        (b"[1] [2]", [b"1"], ["malformed_json"]),
        (b'[1,"' + b"x" * 2000 + b'",3]', [b"1", b"3"], ["too_large"]),
        (b"[1," + b"[" * 2000 + b"]" * 2000 + b",3]", [b"1", b"3"], ["too_large"]),
        (b"[" * 50_000, [], ["truncated"]),
        (b"[]", [], []),
        (b"[ \n ]\n", [], []),
    ],
)
def test_an_array_is_cut_into_its_elements(
    content: bytes, payloads: list[bytes], reasons: list[str]
) -> None:
    assert read_bytes("x.json", content, kind="json") == (payloads, reasons)


@pytest.mark.parametrize(
    "broken",
    [
        b'{"title":"x"',
        b'{"title":"x",',
        b"{broken",
        b'{"title":"x"}}',
        b'{"title":"x"]',
        b'{"title":"x"]}',
        b'{"title":"x","tags":["y"}',
        b'{"title":"x","tags":"y"]}',
        b'{"title":"x","more":{"y":"z"}',
        b'{"title":"x\n',
        b'{"title":"x}\n',
        b'{"title":"x, he said, {"\n',
        b"}",
        b'"\n',
    ],
)
@pytest.mark.parametrize("separator", [b",", b" ,\r\n "])
def test_an_element_that_is_not_closed_costs_itself_alone(broken: bytes, separator: bytes) -> None:
    content = b"[%s]" % separator.join([BOTH[0], broken, *BOTH, broken, BOTH[1]])
    assert outcomes("x.json", content) == (["a", "a", "b", "b"], ["malformed_json"] * 2)


def test_a_bad_element_costs_itself_alone() -> None:
    deep = b'{"title":"d","x":' + b"[" * 5000 + b"]" * 5000 + b"}"
    content = b'[{"title":"a"},{"title":},5,{"title":1},%s,{"title":"b"}]' % deep
    assert outcomes("x.json", content, LARGE) == (
        ["a", "b"],
        ["malformed_json", "wrong_type", "wrong_type", "too_deep"],
    )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.text('[]{},"\\ ', max_size=8),
    lambda values: (
        st.lists(values, max_size=3)
        | st.dictionaries(st.text('ab[]{},"\\', max_size=5), values, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.lists(JSON, max_size=5),
    st.sampled_from([None, 0, 2]),
    st.sampled_from([(",", ":"), (" , ", " : "), ("\r\n,\t", ":\n")]),
    st.booleans(),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    st.integers(1, 40) | st.just(1 << 16),
)
@settings(deadline=None, max_examples=100)
def test_the_elements_of_any_array_are_what_json_says(
    values: list[object],
    indent: int | None,
    separators: tuple[str, str],
    escaped: bool,
    encoding: str,
    buffer: int,
) -> None:
    text = json.dumps(values, indent=indent, separators=separators, ensure_ascii=escaped)
    with patch.object(readers, "_HEAD", max(buffer, 8)):  # a mark and the bracket
        payloads, reasons = read_bytes("x.json", text.encode(encoding), kind="json")
    assert ([json.loads(payload) for payload in payloads], reasons) == (values, [])


# Tables.

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.text(
    'ab,;\t|"\r\n ', max_size=8
)


@given(
    st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]),
    st.sampled_from(["", *COMPRESS]),
)
@settings(deadline=None, max_examples=200)
def test_the_rows_of_any_table_are_what_the_csv_module_says(
    rows: list[tuple[str, ...]], delimiter: str, quoting: Any, encoding: str, suffix: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting)
    writer.writerows([("title", "text", "url"), *rows])
    content = COMPRESS.get(suffix, bytes)(text.getvalue().encode(encoding))
    payloads, reasons = read_bytes(f"x.csv{suffix}", content, kind="csv")
    text.seek(0)
    expected = [row for row in csv.DictReader(text, delimiter=delimiter) if any(row.values())]
    assert ([orjson.loads(payload) for payload in payloads], reasons) == (expected, [])


@pytest.mark.parametrize(
    ("content", "titles", "reasons"),
    [
        # A broken quote, and what it would have swallowed.
        ('a,"one\ntwo"\nb,"broken\nc,"fine"\nd,e,f\ng,h\n', "acg", 2),
        ('a,1\nb,"broken\nc,3\nd,4\n', "acd", 1),
        ('a,1\nb,"x" y\nc,3\n', "ac", 1),
        ('a,1\n"b"",2\nc,"3"\n', "ac", 1),
        ('a,1\nb,"broken', "a", 1),
        ('a,1\nb,"' + "x" * 600 + "\nc,3\n" + "d,4\n" * 200, "ac" + "d" * 200, 1),
        # Rows of another length.
        ("a,1\nb\nc,3\n", "ac", 1),
        ("a,1\nb,2,\nc,3\n", "ac", 1),
        ('a,1\nb,"2\r\nend",3\r\nc,"4\r\n5"\n', "ac", 1),
        ('a,1\n"b\n,x\n""quoted"", it says\nend",2,3\nc,4\n', "ac", 1),
        ("a,1\n\n\r\n,\nb,2\n", "ab", 0),
        # What is odd and no fault.
        ('a,1\nb"c,"2"\nd,"3 ""quoted"", it says"\n', ["a", 'b"c', "d"], 0),
        ("a,1\nb\0c,2\nd,3\n", ["a", "b\0c", "d"], 0),
        ("a,1\nb\u2028c\x85d,2\ne,3\n", ["a", "b\u2028c\x85d", "e"], 0),
        ("Ä,1\nb,2", "Äb", 0),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_bad_row_costs_itself_alone(
    content: str, titles: str | list[str], reasons: int, encoding: str, delimiter: str
) -> None:
    table = f"title,text\n{content}".replace(",", delimiter).encode(encoding)
    expected = [title.replace(",", delimiter) for title in titles]
    assert outcomes("x.csv", table) == (expected, ["malformed_table"] * reasons)


def test_a_cell_wider_than_the_limit_of_the_csv_module() -> None:
    wide = "x" * 200_000 + '""\r\n' + "y" * 200_000
    payloads, reasons = read_bytes("x.csv", f'title,text\na,"{wide}"\nb,c\n'.encode(), LARGE)
    assert orjson.loads(payloads[0]) == {"title": "a", "text": wide.replace('""', '"')}
    assert (len(payloads), reasons) == (2, [])


def test_bytes_that_are_not_in_the_encoding_cost_their_row() -> None:
    table = "title,text\nÄ,1\n" + f"b,{'2' * 70}\n" * 1000  # more than is looked at
    content = table.encode() + b"caf\xe9,3\n\xff\xfe,4\nlast,5\n"
    titles, reasons = outcomes("x.csv", content, LARGE)
    assert (titles[0], titles[-1], len(titles)) == ("Ä", "last", 1002)
    assert reasons == ["bad_encoding", "bad_encoding"]


def test_a_small_table_with_a_broken_byte_stays_utf8() -> None:
    content = ("title,text\n" + "Ä,ö\n" * 10).encode() + b"caf\xe9,3\nlast,5\n"
    assert outcomes("x.csv", content) == ([*"Ä" * 10, "last"], ["bad_encoding"])


def test_half_a_surrogate_pair_costs_its_row() -> None:
    content = "title,n\na,1\n\ud800,2\nb,3\n".encode("utf-16", "surrogatepass")
    assert outcomes("x.csv", content) == (["a", "b"], ["bad_encoding"])


@pytest.mark.parametrize(
    ("encoding", "title"),
    [
        ("cp1252", "Étrangers à Genève"),
        ("cp1251", "Министр внутренних дел"),
        ("cp932", "内務大臣は"),
    ],
)
def test_a_table_in_another_encoding(encoding: str, title: str) -> None:
    rows = f"title;text\n{title};{title}\n"
    assert outcomes("x.csv", rows.encode(encoding)) == ([title], [])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.csv", b'"broken\n', "malformed_table"),
        ("x.csv", b'title,"text" x\na,b\n', "malformed_table"),
        ("x.csv", b"title,text,title\na,b,c\n", "malformed_table"),
        ("x.csv", b"title," + bytes(range(128, 256)), "bad_encoding"),
        ("x.csv", b"title," + b"x" * 1000 + b"\na,b\n", "too_large"),
        ("x.tsv", b"title\ttitle\n", "malformed_table"),
        ("x.parquet", b"PAR1 and no more", "malformed_table"),
        ("x.parquet", parquet({"title": ["a"]})[:-9], "malformed_table"),
        ("x.parquet", parquet({"title": ["a"]})[9:], "malformed_table"),
        ("x.parquet", b"title,text\na,b\n", "malformed_table"),
        ("x.parquet.gz", gzip.compress(b"PAR1 and no more"), "malformed_table"),
        ("x.bin", bytes(range(256)) * 8, "unknown_format"),
        *((name, b"", "empty") for name in ("x.jsonl", "x.csv", "x.parquet", "x.txt", "x.gz")),
        *((f"x.txt{suffix}", compress(b" \n"), "empty") for suffix, compress in COMPRESS.items()),
        ("x.csv", b"\xef\xbb\xbf\r\n", "empty"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read(name: str, content: bytes, reason: str) -> None:
    assert read_bytes(name, content) == ([], [reason])


def test_a_header_of_very_many_columns_takes_no_time() -> None:
    header = ",".join(map(str, range(200_000))).encode()
    begun = time.process_time()
    assert read_bytes("x.csv", header + b"\na,b\n", LARGE) == ([], ["malformed_table"])
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("content", [b"title,text", b"title,text\n\n", b"x, ,\n", b" , \n"])
def test_a_table_without_rows_is_no_fault(content: bytes) -> None:
    assert read_bytes("x.csv", content) == ([], [])


# Parquet.


def test_parquet_by_row_group_and_compressed(tmp_path: Path) -> None:
    path = written(tmp_path, "x", parquet({"title": ["a", "b", "c"]}, row_group_size=2))
    assert len(read(path)[0]) == 3
    (row,) = read_span(span_of(path, kind="parquet", start=1, end=2), LIMITS, SEEN_AT)
    assert isinstance(row, RawDocument)
    assert (row.payload, row.origin.record) == (b'{"title":"c"}', 3)


NS = pa.timestamp("ns")
US = pa.timestamp("us")
MARS = pa.timestamp("us", "Mars/Base")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([datetime(2026, 11, 24, 10, tzinfo=UTC)]), ["2026-11-24T10:00:00+00:00"]),
        (pa.array([datetime(2026, 11, 24, 10)]), ["2026-11-24T10:00:00"]),  # noqa: DTZ001
        (pa.array([1795478400_000000000], NS), ["2026-11-24T00:00:00"]),
        (pa.array([1795478400_000000001, None], NS), ["2026-11-24 00:00:00.000000001", None]),
        (pa.array([date(2026, 11, 24)]), ["2026-11-24"]),
        (pa.array([1, 1], pa.time64("ns")), ["00:00:00.000000001"] * 2),
        (pa.array([3], pa.duration("ns")), ["3"]),
        (pa.array([Decimal("1.50")]), ["1.50"]),
        (pa.array([float("nan"), float("inf"), 1.5]), [None, None, 1.5]),
        (pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
        (pa.array([b"b", b"\xff"]), ["b", "\ufffd"]),
        (pa.array([[1, None], []]), [[1, None], []]),
        (pa.array([{"a": [{"b": True}]}, None]), [{"a": [{"b": True}]}, None]),
        (pa.array([[(1, "a")]], pa.map_(pa.int64(), pa.string())), [[[1, "a"]]]),
        (pa.array(["b", "b"]).dictionary_encode(), ["b", "b"]),
        (pa.array([None, None]), [None, None]),
    ],
)
def test_the_types_of_parquet(column: pa.Array, values: list[Any]) -> None:
    table = {"title": ["a"] * len(column), "x": column}
    payloads, reasons = read_bytes("x.parquet", parquet(table))
    assert ([orjson.loads(payload)["x"] for payload in payloads], reasons) == (values, [])


def text_of(*values: bytes) -> pa.Array:
    """Strings that are no UTF-8, which Parquet does not check."""
    buffers = pa.array(values).buffers()
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


@pytest.mark.parametrize(
    ("columns", "titles", "reasons"),
    [
        ({"title": text_of(b"a", b"\xff", b"b")}, ["a", "b"], ["bad_encoding"]),
        ({"title": ["a", "x" * 2000, "b"]}, ["a", "b"], ["too_large"]),
        ({"title": [1, 2]}, [], ["wrong_type"] * 2),
        ({"title": ["a"], "text": [{"b": 1}]}, [], ["wrong_type"]),
        ({"title": ["a", "b"], "date": pa.array([2**60, 0], US)}, ["a", "b"], []),
        ({"title": ["a"], "x": pa.array([0], MARS)}, [], ["malformed_table"]),
        ({"other": [1, 2]}, ["", ""], []),
        ({"title": []}, [], []),
        ({}, [], []),
    ],
)  # fmt: skip
def test_a_bad_value_in_parquet_costs_its_row(
    columns: dict[str, Any], titles: list[str], reasons: list[str]
) -> None:
    assert outcomes("x.parquet", parquet(columns)) == (titles, reasons)


def test_columns_of_one_name_are_refused() -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["title", "title"])
    assert read_bytes("x.parquet", parquet(table)) == ([], ["malformed_table"])
    twice = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert read_bytes("x.parquet", parquet({"x": twice})) == ([], ["malformed_table"])


def test_a_broken_row_group_costs_itself_alone() -> None:
    table = {"title": ["a1", "a2", "b1", "b2", "c1", "c2"]}
    content = bytearray(parquet(table, row_group_size=2, compression="none", use_dictionary=False))
    at = content.index(b"b1")
    content[at - 4 : at] = b"\xff\xff\xff\x7f"  # the length of the string
    titles, reasons = outcomes("x.parquet", bytes(content))
    assert (titles, reasons) == (["a1", "a2", "c1", "c2"], ["malformed_table"])


# Which files there are.


def test_a_large_file_is_cut_and_a_small_one_is_not(tmp_path: Path) -> None:
    small = written(tmp_path, "a.jsonl", LINES)
    large = written(tmp_path, "b.jsonl", LINES * (SPAN_BYTES // len(LINES) + 9))
    spans = plan_spans([str(tmp_path / "*"), str(small)], tmp_path / "stdin")
    assert [(s.name, s.start) for s in spans] == [
        (str(small), 0), (str(large), 0), (str(large), SPAN_BYTES),
    ]  # fmt: skip
    assert spans[-1].end == large.stat().st_size


@pytest.mark.parametrize(
    ("name", "content", "spans"),
    [
        ("x.jsonl", (LINES * (SPAN_BYTES // len(LINES))).decode().encode("utf-16-le"), 1),
        ("x.jsonl", (LINES * (SPAN_BYTES // len(LINES))).decode().encode("utf-16"), 1),
        ("x.jsonl", b"\xef\xbb\xbf" + b"x" * SPAN_BYTES, 2),
        ("x.csv", b"title\n" + b"x" * SPAN_BYTES, 1),
        ("x.jsonl.gz", b"\x1f\x8b" + bytes(SPAN_BYTES), 1),
        ("x.parquet", b"PAR1" + bytes(SPAN_BYTES), 1),
        ("x", bytes(SPAN_BYTES + 1), 1),
    ],
)
def test_what_cannot_be_read_from_the_middle_is_not_cut(
    tmp_path: Path, name: str, content: bytes, spans: int
) -> None:
    path = written(tmp_path, name, content)
    assert len(plan_spans([str(path)], tmp_path / "stdin")) == spans


def test_row_groups_are_spans(tmp_path: Path) -> None:
    rows = {"title": [os.urandom(1000).hex() for _ in range(6000)]}
    path = written(tmp_path, "x.parquet", parquet(rows, row_group_size=2000))
    spans = plan_spans([str(path)], tmp_path / "stdin")
    assert [(span.start, span.end) for span in spans] == [(0, 1), (1, 2), (2, 3)]


def test_a_pattern_that_names_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no file matches"):
        plan_spans([str(tmp_path / "*.jsonl")], tmp_path / "stdin")


def test_what_is_no_file_is_planned_and_refused_where_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "dangling.jsonl").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    gone = written(tmp_path, "gone.jsonl", LINES)
    written(tmp_path, "good[1].jsonl", LINES)
    spans = plan_spans([str(tmp_path / "*"), str(tmp_path / "good[1].jsonl")], tmp_path / "stdin")
    gone.unlink()
    found = {}
    for span in spans:
        try:
            found[Path(span.name).name] = len(list(read_span(span, LIMITS, SEEN_AT)))
        except RecordError as error:
            assert error.reason.value == "unreadable"  # noqa: PT017
            found[Path(span.name).name] = 0
    assert found == {
        "dangling.jsonl": 0,
        "folder": 0,
        "gone.jsonl": 0,
        "good[1].jsonl": 2,
        "pipe": 0,
    }


def test_a_file_that_disappears_while_files_are_found(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", LINES)
    with patch("os.path.getsize", side_effect=FileNotFoundError):
        (span,) = plan_spans([str(path)], tmp_path / "stdin")
    assert span.size == 0


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.jsonl"
    try:
        with open(name, "wb") as file:
            file.write(LINES)
    except OSError:
        pytest.skip("this file system has no such names")
    (span,) = plan_spans([str(tmp_path / "*.jsonl")], tmp_path / "stdin")
    assert span.name == f"{tmp_path}/caf\\udce9.jsonl"
    assert len(list(read_span(span, LIMITS, SEEN_AT))) == 2
    os.unlink(name)
    with pytest.raises(RecordError) as caught:
        list(read_span(span, LIMITS, SEEN_AT))
    caught.value.detail.encode()


# Whatever is in a file.

SEEDS = [
    ("x.jsonl", LINES),
    ("x.jsonl", LINES.decode().encode("utf-16")),
    ("x.json", ARRAY),
    ("x.json", ARRAY.decode().encode("utf-16-be")),
    ("x.csv", b'title,text\r\na,"b ""c""\r\nd"\r\n\xc3\xa4,"e"\r\n'),
    ("x.csv", 'title;text\r\na;"b"\r\nä;\r\n'.encode("utf-16")),
    ("x.tsv", ROWS.replace(b",", b"\t")),
    ("x.html", b"<!DOCTYPE html><html><body><p>Text</p></body></html>"),
    ("x.rss", b'<rss version="2.0"><channel><item><title>a</title></item></channel></rss>'),
    ("x.txt", b"By Ana Ruiz\n\nText."),
    ("x", LINES),
    *((f"x.jsonl{suffix}", compress(LINES)) for suffix, compress in COMPRESS.items()),
    *((f"x.csv{suffix}", compress(ROWS)) for suffix, compress in COMPRESS.items()),
]
TABLE = {
    "title": ["a", "b", None],
    "n": [[1], None, []],
    "date": pa.array([0, 1, 2], US),
    "x": pa.array([Decimal("1.5")] * 3).dictionary_encode(),
}
SEEDS += [
    ("x.parquet", parquet(TABLE, row_group_size=2)),
    ("x.parquet", parquet(TABLE, compression="none", use_dictionary=False)),
    ("x.parquet", parquet(TABLE, compression="zstd", data_page_version="2.0")),
    ("x.parquet.gz", gzip.compress(parquet(TABLE))),
]
INSERTED = st.binary(max_size=4) | st.sampled_from(
    [b'"', b"\n", b"\r", b"\0", b"{", b"]", b"\\", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f\x8b"]
)


@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 9), INSERTED), max_size=4),
    st.sampled_from([LIMITS, Limits(20, 100_000), Limits(1000, 400)]),
)
@settings(deadline=None, max_examples=200)
def test_a_damaged_file_is_refused_at_most(
    seed: tuple[str, bytes], changes: list[tuple[float, int, bytes]], limits: Limits
) -> None:
    name, content = seed
    for place, length, inserted in changes:
        at = int(place * len(content))
        content = content[:at] + inserted + content[at + length :]
    outcomes(name, content, limits)


@given(
    st.sampled_from(["x", *sorted({name for name, _ in SEEDS})]),
    st.binary(max_size=200),
)
@settings(deadline=None)
def test_any_bytes_are_refused_at_most(name: str, content: bytes) -> None:
    outcomes(name, content)
