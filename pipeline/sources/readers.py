"""One reader a kind of file: from a span of a file to raw documents.

No reader holds more than one record, or one row group, in memory. A reader
yields the documents it can and a `RecordError` for each that it cannot; what
ends the file early is raised.
"""

import codecs
import csv
import io
import itertools
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.sources.streams import open_bytes
from transforms.errors import Reason, RecordError
from transforms.logic.decoding import encoding_of, marked_encoding
from transforms.logic.documents import Kind, sniff
from transforms.records import Format, Origin, RawDocument, Record

_HEAD = 1 << 16  # what is looked at to tell kind, encoding and delimiter
_ROWS = 256  # rows of a Parquet row group turned into Python at a time
_SKIP = 1 << 20  # how much of an over-long line is read at a time


class Limits(NamedTuple):
    """Sizes in bytes, after decompression, over which a record or file is refused."""

    record_bytes: int
    file_bytes: int


class Span(Record):
    """A part of a file that one worker reads: byte offsets, or row groups of Parquet.

    Spans of a file cover it without gap or overlap; a line belongs to the span
    that its first byte is in.
    """

    path: str
    name: str  # what origins say: the path, or '-' for standard input
    size: int
    kind: Kind | None = None  # None: told by name and content when it is read
    start: int = 0
    end: int | None = None  # exclusive; None: the whole file


Read = RawDocument | tuple[Origin, RecordError, bytes]
"""A document, or where one could not be read, why, and its first bytes."""


def read_span(span: Span, limits: Limits, seen_at: datetime) -> Iterator[Read]:
    """Read all documents of *span*, in file order.

    Raises:
        RecordError: the file cannot be read at all, or not to its end; what was
            yielded before stays good.
    """
    if span.size > limits.file_bytes:
        raise RecordError(
            Reason.TOO_LARGE, f"{span.name}: {span.size:,} bytes; limit {limits.file_bytes:,}"
        )
    with open_bytes(span.path) as (stream, compressed):
        head = stream.peek(_HEAD)[:_HEAD]
        kind = span.kind or sniff(span.name, head)
        encoding = marked_encoding(head)
        source = _Source(span, stream, compressed, head, encoding, limits, seen_at)
        yield from _READERS[kind](source)


class _Source(NamedTuple):
    """An open file and what its readers need to know."""

    span: Span
    stream: io.BufferedReader
    compressed: bool
    head: bytes
    encoding: str | None  # as a byte order mark declares it
    limits: Limits
    seen_at: datetime

    def document(
        self, payload: bytes, format_: Format, *, encoding: str | None = None, **at: int
    ) -> RawDocument:
        return RawDocument(
            origin=Origin(path=self.span.name, **at),
            format=format_,
            payload=payload,
            encoding=encoding,
            seen_at=self.seen_at,
        )

    def refused(self, reason: Reason, detail: str, excerpt: bytes, **at: int) -> Read:
        return Origin(path=self.span.name, **at), RecordError(reason, detail), excerpt[:_HEAD]

    def too_large(self, excerpt: bytes, **at: int) -> Read:
        detail = f"the record is over the limit of {self.limits.record_bytes:,} bytes"
        return self.refused(Reason.TOO_LARGE, detail, excerpt, **at)

    def check_size(self, position: int) -> None:
        if position > self.limits.file_bytes:  # compressed: only reading tells
            raise RecordError(
                Reason.TOO_LARGE,
                f"{self.span.name}: stopped at {position:,} bytes; "
                f"limit {self.limits.file_bytes:,}",
            )


def _read_whole(format_: Format) -> Callable[[_Source], Iterator[Read]]:
    """A reader of files that are one document: a page, a feed, a text."""

    def read(source: _Source) -> Iterator[Read]:
        most = source.limits.record_bytes
        payload = source.stream.read(most + 1)
        if len(payload) > most:
            yield source.too_large(payload)
        else:
            yield source.document(payload, format_, encoding=source.encoding)

    return read


def _read_lines(source: _Source) -> Iterator[Read]:
    """JSON Lines: one object a line; blank lines are passed over."""
    span, limits = source.span, source.limits
    stream: io.BufferedIOBase = source.stream
    if source.encoding not in (None, "utf-8-sig"):
        # Offsets then count the bytes of the same text in UTF-8.
        stream = _Transcoded(source.stream, source.encoding, span.name)
    position = span.start
    if span.start:
        # A line that begins before the span is another's, and so is its rest.
        stream.seek(span.start - 1)
        position += _skip_line(stream) - 1
    elif source.encoding == "utf-8-sig":
        position += len(stream.read(len(codecs.BOM_UTF8)))
    readline, most = stream.readline, limits.record_bytes
    while span.end is None or position < span.end:
        line = readline(most + 1)
        if not line:
            return
        offset, length = position, len(line)
        if length > most and not line.endswith(b"\n"):
            length += _skip_line(stream)
            yield source.too_large(line, offset=offset)
        elif not line.isspace():
            yield source.document(line, "json", offset=offset)
        position += length
        source.check_size(position)


def _skip_line(stream: io.BufferedIOBase) -> int:
    """Read to the end of the line; return how many bytes that was."""
    skipped = 0
    while part := stream.readline(_SKIP):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped


class _Transcoded(io.BufferedIOBase):
    """The lines of a text in another encoding, as UTF-8."""

    def __init__(self, stream: io.BufferedReader, encoding: str | None, name: str) -> None:
        super().__init__()
        self._text = io.TextIOWrapper(stream, encoding, newline="\n")
        self._name = name

    def readline(self, size: int | None = -1, /) -> bytes:
        try:
            return self._text.readline(-1 if size is None else size).encode()
        except UnicodeError as error:
            raise RecordError(Reason.BAD_ENCODING, f"{self._name}: {error}") from error


_STRUCTURE = re.compile(rb'["\\{}\[\],]')
_STRING = re.compile(rb'["\\]')


def _read_json(source: _Source) -> Iterator[Read]:
    """A JSON object is one record; of an array each element is one."""
    if (
        source.encoding not in (None, "utf-8-sig")
        or source.head.lstrip(codecs.BOM_UTF8 + b" \t\r\n")[:1] != b"["
    ):
        yield from _read_json_object(source)
        return
    yield from _read_json_array(source)


def _read_json_object(source: _Source) -> Iterator[Read]:
    payload = source.stream.read(source.limits.record_bytes + 1)
    if len(payload) > source.limits.record_bytes:
        yield source.too_large(payload, offset=0)
        return
    if source.encoding is not None:
        try:
            payload = payload.decode(source.encoding).encode()
        except UnicodeError as error:
            yield source.refused(Reason.BAD_ENCODING, str(error), payload, offset=0)
            return
    yield source.document(payload, "json", offset=0)


def _read_json_array(source: _Source) -> Iterator[Read]:
    """Cut an array into its elements without parsing them.

    Only brackets and strings are followed, so that an element that is no good
    JSON inside costs itself alone.
    """
    most = source.limits.record_bytes
    data = bytearray()
    base = 0  # where data begins in the file
    begin: int | None = None  # where the element begins, in the file
    cursor = depth = 0  # cursor: in data
    in_string = ended = oversized = False

    def element(end: int) -> Iterator[Read]:
        nonlocal begin, oversized
        if begin is None:
            return
        payload = bytes(data[max(0, begin - base) : end]).strip()
        if oversized or len(payload) > most:
            yield source.too_large(payload, offset=begin)
        elif payload:
            yield source.document(payload, "json", offset=begin)
        begin, oversized = None, False

    while True:
        found = (_STRING if in_string else _STRUCTURE).search(data, cursor)
        if found is None or (found.group() == b"\\" and found.end() == len(data)):
            cursor = found.start() if found else len(data)
            # What is done with, or belongs to an element that is refused anyway, goes.
            keep = cursor if begin is None else max(0, begin - base)
            if begin is not None and base + len(data) - begin > most:
                oversized = True
                keep = cursor
            del data[:keep]
            base, cursor = base + keep, cursor - keep
            more = source.stream.read1(_HEAD)
            if not more:
                break
            data += more
            source.check_size(base + len(data))
            continue
        mark, cursor = found.group(), found.end()
        if mark == b"\\":
            cursor += 1
        elif mark == b'"':
            in_string = not in_string
        elif mark in b"{[":
            depth += 1
            if depth == 1:
                begin = base + cursor
        elif mark in b"}]":
            depth -= 1
            if depth <= 0:
                yield from element(found.start())
                ended = True
                break
        elif depth == 1:
            yield from element(found.start())
            begin = base + cursor
    if not ended:
        detail = "the array is not closed: the element that it ends in is lost"
        at = base if begin is None else begin
        yield source.refused(Reason.TRUNCATED, detail, bytes(data), offset=at)
    elif rest := (bytes(data[cursor:]) + source.stream.read(_HEAD)).strip():
        detail = "something stands after the end of the array"
        yield source.refused(Reason.MALFORMED_JSON, detail, rest, offset=base + cursor)


def _read_csv(source: _Source) -> Iterator[Read]:
    yield from _read_table(source, delimiter=None)


def _read_tsv(source: _Source) -> Iterator[Read]:
    yield from _read_table(source, delimiter="\t")


def _read_table(source: _Source, delimiter: str | None) -> Iterator[Read]:
    """CSV by RFC 4180; each row becomes a JSON object with the header's names.

    A row with a broken quote would swallow those after it: it is given up as soon
    as it stops being CSV, and reading goes on at the next line.
    """
    encoding = source.encoding or encoding_of(source.head)
    text = io.TextIOWrapper(source.stream, encoding, errors="strict", newline="")
    lines = _Lines(text, source)
    dialect = delimiter or _delimiter_of(source.head.decode(encoding, "replace"))
    header: list[str] | None = None
    number = 0
    while (row := _next_row(lines, dialect, source.limits.record_bytes, header)) is not None:
        number += 1
        cells, problem, line = row
        if header is None:
            if problem is not None:
                raise RecordError(Reason.MALFORMED_TABLE, f"{source.span.name}: header: {problem}")
            header = [cell.strip() for cell in cells]
            repeated = [name for name in header if name and header.count(name) > 1]
            if repeated:
                raise RecordError(
                    Reason.MALFORMED_TABLE,
                    f"{source.span.name}: the header names {repeated[0]!r} more than once",
                )
            number = 0
        elif problem is not None:
            yield source.refused(Reason.MALFORMED_TABLE, problem, line.encode(), record=number)
        elif any(cells):
            named = dict(zip(header, cells, strict=True))
            yield source.document(orjson.dumps(named), "json", record=number)


class _Lines:
    """Lines with look-ahead: what a given-up row had read is read again."""

    def __init__(self, text: io.TextIOWrapper, source: _Source) -> None:
        self._lines = self._checked(text, source)
        self._again: list[str] = []

    @staticmethod
    def _checked(text: io.TextIOWrapper, source: _Source) -> Iterator[str]:
        position = 0
        try:
            while line := text.readline(source.limits.record_bytes + 1):
                position += len(line)
                source.check_size(position)
                yield line
        except UnicodeError as error:
            raise RecordError(Reason.BAD_ENCODING, f"{source.span.name}: {error}") from error

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        return self._again.pop() if self._again else next(self._lines)

    def give_back(self, lines: list[str]) -> None:
        self._again.extend(reversed(lines))


def _next_row(
    lines: _Lines, delimiter: str, most: int, header: list[str] | None
) -> tuple[list[str], str | None, str] | None:
    """The cells of the next row, what is wrong with it, and its first line; None at the end."""
    taken: list[str] = []

    def take() -> Iterator[str]:
        size = 0
        for line in lines:
            taken.append(line)
            size += len(line)
            if size > most:
                raise csv.Error(f"the row is over the limit of {most:,} bytes")
            yield line

    problem: str | None = None
    cells: list[str] = []
    try:
        cells = next(csv.reader(take(), delimiter=delimiter, strict=True))
    except StopIteration:
        return None
    except csv.Error as error:
        problem = str(error)
    if problem is None and header is not None and cells and len(cells) != len(header):
        problem = f"{len(cells)} cells in a table of {len(header)} columns"
    if problem is not None:
        lines.give_back(taken[1:])
    return cells, problem, taken[0]


def _delimiter_of(head: str) -> str:
    """The most frequent of the usual delimiters in the first line; a comma where none is."""
    first = head.partition("\n")[0]
    return max(",;\t|", key=first.count)


def _read_parquet(source: _Source) -> Iterator[Read]:
    span = source.span
    with _seekable(source) as raw:
        try:
            file = pq.ParquetFile(raw)
        except (pa.ArrowException, OSError) as error:
            raise RecordError(Reason.MALFORMED_TABLE, f"{span.name}: {error}") from error
        first = 1
        for group in range(file.num_row_groups):
            if span.start <= group and (span.end is None or group < span.end):
                try:
                    yield from _read_row_group(file, group, first, source)
                except (pa.ArrowException, OSError) as error:
                    detail = f"row group {group}: {error}"
                    yield source.refused(Reason.MALFORMED_TABLE, detail, b"", record=first)
            first += file.metadata.row_group(group).num_rows


def _read_row_group(
    file: pq.ParquetFile, group: int, first: int, source: _Source
) -> Iterator[Read]:
    batches: Iterable[pa.RecordBatch] = file.iter_batches(batch_size=_ROWS, row_groups=[group])
    rows = itertools.chain.from_iterable(batch.to_pylist() for batch in batches)
    for record, row in enumerate(rows, start=first):
        payload = orjson.dumps(row, default=_plain, option=orjson.OPT_NON_STR_KEYS)
        if len(payload) > source.limits.record_bytes:
            yield source.too_large(payload, record=record)
        else:
            yield source.document(payload, "json", record=record)


@contextmanager
def _seekable(source: _Source) -> Iterator[BinaryIO]:
    """The file for random access, which a compressed one has only as a temporary copy."""
    if not source.compressed:
        yield source.stream
        return
    with tempfile.TemporaryFile() as copy:
        while part := source.stream.read1(_HEAD):
            copy.write(part)
            source.check_size(copy.tell())
        copy.seek(0)
        yield cast(BinaryIO, copy)


def _plain(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


_READERS: dict[Kind, Callable[[_Source], Iterator[Read]]] = {
    "jsonl": _read_lines,
    "json": _read_json,
    "csv": _read_csv,
    "tsv": _read_tsv,
    "parquet": _read_parquet,
    "html": _read_whole("html"),
    "feed": _read_whole("feed"),
    "text": _read_whole("text"),
}
