"""From files to documents: what is read, and what it costs where something is broken."""

import bz2
import gzip
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.files import SPAN_BYTES, plan
from pipeline.sources.readers import Limits, Span, read_span
from transforms.errors import ConfigError, RecordError
from transforms.records import RawDocument

SEEN_AT = datetime(2026, 11, 24, tzinfo=UTC)
LIMITS = Limits(record_bytes=1000, file_bytes=100_000)


def read(path: Path, **span: object) -> tuple[list[bytes], list[str]]:
    """Payloads of the documents, and the reasons of what could not be read."""
    payloads, reasons = [], []
    whole = Span(path=str(path), name=path.name, size=path.stat().st_size, **span)  # type: ignore[arg-type]
    try:
        for item in read_span(whole, LIMITS, SEEN_AT):
            if isinstance(item, RawDocument):
                payloads.append(item.payload.strip())
            else:
                reasons.append(item[1].reason.value)
    except RecordError as error:
        reasons.append(error.reason.value)
    return payloads, reasons


def written(tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


LINES = b'{"title":"a"}\n\n{"title":"b"}\n'
BOTH = [b'{"title":"a"}', b'{"title":"b"}']


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.jsonl", LINES),
        ("x.jsonl", b"\xef\xbb\xbf" + LINES),
        ("x.jsonl", LINES.decode().encode("utf-16")),
        ("x.jsonl.gz", gzip.compress(LINES)),
        ("x.jsonl.gz", gzip.compress(LINES[:14]) + gzip.compress(LINES[14:])),
        ("x.jsonl.bz2", bz2.compress(LINES)),
        ("x.jsonl.zst", zstandard.compress(LINES)),
        ("without_suffix", LINES),
        ("x.json", b' [{"title":"a"},\n {"title":"b"}]'),
        ("x.csv", b"title\na\nb\n"),
        ("x.tsv", b"title\tn\na\t\nb\t\n"),
    ],
)
def test_both_records_are_read(tmp_path: Path, name: str, content: bytes) -> None:
    payloads, reasons = read(written(tmp_path, name, content))
    assert [orjson.loads(p)["title"] for p in payloads] == ["a", "b"]
    assert reasons == []


def test_a_truncated_gzip_keeps_what_could_be_decoded(tmp_path: Path) -> None:
    lines = b"".join(b'{"title":"%d"}\n' % number for number in range(3000))
    path = written(tmp_path, "x.jsonl.gz", gzip.compress(lines)[:-500])
    payloads, reasons = read(path)
    assert len(payloads) > 1000
    assert reasons == ["truncated"]


def test_an_over_long_line_costs_itself_alone(tmp_path: Path) -> None:
    long = b'{"title":"' + b"x" * 3000 + b'"}\n'
    payloads, reasons = read(written(tmp_path, "x.jsonl", LINES[:14] + long + LINES[15:]))
    assert payloads == BOTH
    assert reasons == ["too_large"]


def test_a_compressed_file_stops_at_the_size_limit(tmp_path: Path) -> None:
    bomb = gzip.compress(LINES * 10_000)
    payloads, reasons = read(written(tmp_path, "x.jsonl.gz", bomb))
    assert 1000 < len(payloads) < 20_000
    assert reasons == ["too_large"]


@pytest.mark.parametrize(
    ("content", "payloads", "reasons"),
    [
        (b'[{"a":1},{"a":},{"a":3}]', [b'{"a":1}', b'{"a":}', b'{"a":3}'], []),
        (b'[{"a":"]},{"},2]', [b'{"a":"]},{"}', b"2"], []),
        (b'[{"a":"\\"]"}]', [b'{"a":"\\"]"}'], []),
        (b'[{"a":1},{"a', [b'{"a":1}'], ["truncated"]),
        (b"[1] [2]", [b"1"], ["malformed_json"]),
        (b'[1,"' + b"x" * 2000 + b'",3]', [b"1", b"3"], ["too_large"]),
        (b"[]", [], []),
    ],
)
def test_an_array_is_cut_into_its_elements(
    tmp_path: Path, content: bytes, payloads: list[bytes], reasons: list[str]
) -> None:
    assert read(written(tmp_path, "x.json", content), kind="json") == (payloads, reasons)


@given(
    st.lists(
        st.dictionaries(st.text(max_size=9), st.text(max_size=9) | st.integers(0, 99), max_size=5),
        max_size=5,
    ),
    st.booleans(),
)
def test_the_elements_of_any_array_are_what_json_says(rows: list[object], spaced: bool) -> None:
    option = orjson.OPT_INDENT_2 if spaced else 0
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), "x.json", orjson.dumps(rows, option=option))
        payloads, reasons = read(path, kind="json")
    assert ([orjson.loads(payload) for payload in payloads], reasons) == (rows, [])


def test_a_broken_quote_costs_its_row_alone(tmp_path: Path) -> None:
    content = b'title,text\na,"one\ntwo"\nb,"broken\nc,"fine"\nd,e,f\ng,h\n'
    payloads, reasons = read(written(tmp_path, "x.csv", content))
    assert [orjson.loads(p)["title"] for p in payloads] == ["a", "c", "g"]
    assert reasons == ["malformed_table", "malformed_table"]


def test_a_table_in_another_encoding_with_semicolons(tmp_path: Path) -> None:
    content = "title;text\nÉtrangers;L'été à Genève\n".encode("cp1252")
    payloads, _ = read(written(tmp_path, "x.csv", content))
    assert orjson.loads(payloads[0]) == {"title": "Étrangers", "text": "L'été à Genève"}


def test_spans_of_a_file_cover_it_without_gap_or_overlap(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", LINES * 5)
    size = path.stat().st_size
    for cut in range(size + 1):
        first, _ = read(path, kind="jsonl", start=0, end=cut)
        second, _ = read(path, kind="jsonl", start=cut, end=size) if cut < size else ([], [])
        assert first + second == BOTH * 5


def test_parquet_by_row_group_and_compressed(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"title": ["a", "b", "c"]}), path, row_group_size=2)
    assert len(read(path)[0]) == 3
    second = Span(path=str(path), name="x", size=1, kind="parquet", start=1, end=2)
    (row,) = read_span(second, LIMITS, SEEN_AT)
    assert isinstance(row, RawDocument)
    assert (row.payload, row.origin.record) == (b'{"title":"c"}', 3)
    packed = written(tmp_path, "y.parquet.gz", gzip.compress(path.read_bytes()))
    assert len(read(packed)[0]) == 3


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.jsonl", b"", "empty"),
        ("x.parquet", b"PAR1 and no more", "malformed_table"),
        ("x.bin", bytes(range(256)) * 8, "unknown_format"),
        ("x.csv", b'"broken\n', "malformed_table"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    assert read(written(tmp_path, name, content)) == ([], [reason])


def test_a_directory_is_unreadable(tmp_path: Path) -> None:
    assert read(tmp_path) == ([], ["unreadable"])


def test_a_large_file_is_cut_and_a_small_one_is_not(tmp_path: Path) -> None:
    small = written(tmp_path, "a.jsonl", LINES)
    large = written(tmp_path, "b.jsonl", LINES * (SPAN_BYTES // len(LINES) + 9))
    spans = plan([str(tmp_path / "*"), str(small)], tmp_path / "stdin")
    assert [(s.name, s.start) for s in spans] == [
        (str(small), 0), (str(large), 0), (str(large), SPAN_BYTES),
    ]  # fmt: skip
    assert spans[-1].end == large.stat().st_size


def test_a_pattern_that_names_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no file matches"):
        plan([str(tmp_path / "*.jsonl")], tmp_path / "stdin")
