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
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import SkipValidation

from pipeline.feeds.spool import read_spooled
from pipeline.sources.streams import open_bytes
from transforms.errors import Reason, RecordError
from transforms.logic.decoding import encoding_of, marked_encoding
from transforms.logic.documents import Kind, sniff
from transforms.records import Format, Origin, RawDocument, Record

_HEAD = 1 << 16  # what is looked at to tell kind, encoding and delimiter
_ROWS = 256  # rows of a Parquet row group turned into Python at a time
_SKIP = 1 << 20  # how much of an over-long line is read at a time

csv.field_size_limit(2**31 - 1)  # its own limit is 128 KiB; ours is that of a record


PARQUET_FAULTS = (pa.ArrowException, OSError, ValueError, OverflowError, LookupError)
"""What pyarrow raises on broken files, and on values that Python has no type for."""


class Limits(NamedTuple):
    """Sizes in bytes, after decompression, over which a record or file is refused."""

    record_bytes: int
    file_bytes: int


class Span(Record):
    """A part of a file that one worker reads: byte offsets, or row groups of Parquet.

    Spans of a file cover it without gap or overlap; a line belongs to the span
    that its first byte is in.
    """

    path: SkipValidation[str]  # may hold bytes that are no UTF-8, as Python escapes them
    name: str  # what origins say: the path, or '-' for standard input
    size: int
    # None: told by name and content when it is read.
    kind: Kind | Literal["spool"] | None = None
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
    if span.kind == "spool":
        yield from _read_spool(span)
        return
    if span.size > limits.file_bytes:
        if span.start:
            return  # one error a file
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

    def utf8(self) -> io.BufferedIOBase:
        """The stream; as UTF-8 where it is in another encoding of Unicode."""
        if self.encoding in (None, "utf-8-sig"):
            return self.stream
        return _Transcoded(self.stream, self.encoding, self.span.name)

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


def _read_spool(span: Span) -> Iterator[Read]:
    """What the run fetched: documents as they are, sizes and all checked when they came."""
    for item in read_spooled(Path(span.path)):
        if isinstance(item, RawDocument):
            yield item
        else:
            yield item.origin, RecordError(item.reason, item.detail), item.excerpt


def _read_whole(format_: Format) -> Callable[[_Source], Iterator[Read]]:
    """A reader of files that are one document: a page, a text."""

    def read(source: _Source) -> Iterator[Read]:
        most = source.limits.record_bytes
        payload = source.stream.read(most + 1)
        if len(payload) > most:
            yield source.too_large(payload)
        else:
            yield source.document(payload, format_, encoding=source.encoding)

    return read


def _read_feed(source: _Source) -> Iterator[Read]:
    """A feed is one document too, and the entries before a broken end are good."""
    payload, most = bytearray(), source.limits.record_bytes
    broken: RecordError | None = None
    try:
        while len(payload) <= most and (part := source.stream.read1(most + 1 - len(payload))):
            payload += part
    except RecordError as error:
        if not payload:
            raise
        broken = error
    if len(payload) > most:
        yield source.too_large(bytes(payload))
    else:
        yield source.document(bytes(payload), "feed", encoding=source.encoding)
    if broken is not None:
        raise broken


def _read_lines(source: _Source) -> Iterator[Read]:
    """JSON Lines: one object a line; blank lines are passed over."""
    span, limits = source.span, source.limits
    # In another encoding offsets count the bytes of the same text in UTF-8.
    stream = source.utf8()
    position, end = span.start, span.end
    if span.start:
        # A line that begins before the span is another's, and so is its rest.
        stream.seek(span.start - 1)
        position = _skip_line(source, stream, span.start - 1)
    elif source.encoding == "utf-8-sig":
        position += len(stream.read(len(codecs.BOM_UTF8)))
        # The mark is part of the first line, even where the span ends in it.
        end = end and max(end, position + 1)
    readline, most = stream.readline, limits.record_bytes
    while end is None or position < end:
        line = readline(most + 1)
        if not line:
            return
        offset, length = position, len(line)
        position += length
        if length > most and not line.endswith(b"\n"):
            yield source.too_large(line, offset=offset)
            position = _skip_line(source, stream, position)
        elif not line.isspace():
            yield source.document(line, "json", offset=offset)
        source.check_size(position)


def _skip_line(source: _Source, stream: io.BufferedIOBase, position: int) -> int:
    """Read on to the end of the line, or of the span; return the position after it."""
    end = source.span.end
    while (end is None or position < end) and (part := stream.readline(_SKIP)):
        position += len(part)
        source.check_size(position)
        if part.endswith(b"\n"):
            break
    return position


class _Transcoded(io.BufferedIOBase):
    """A text in UTF-16 or UTF-32, as UTF-8.

    Half of a surrogate pair stays what it is, which is no UTF-8: the line that it
    stands in is refused where it is parsed, and that line alone.
    """

    def __init__(self, stream: io.BufferedReader, encoding: str, name: str) -> None:
        super().__init__()
        self._text = io.TextIOWrapper(stream, encoding, errors="surrogatepass", newline="\n")
        self._name = name

    def readline(self, size: int | None = -1, /) -> bytes:
        with _bad_encoding(self._name):
            line = self._text.readline(-1 if size is None else size)
        return line.encode("utf-8", "surrogatepass")

    def read(self, size: int | None = -1, /) -> bytes:
        with _bad_encoding(self._name):
            text = self._text.read(-1 if size is None else size)
        return text.encode("utf-8", "surrogatepass")

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)


@contextmanager
def _bad_encoding(name: str) -> Iterator[None]:
    try:
        yield
    except UnicodeError as error:
        raise RecordError(Reason.BAD_ENCODING, f"{name}: {error}") from error


_STRUCTURE = re.compile(rb'["\\{}\[\],]')
_STRING = re.compile(rb'["\\\n]')  # a line feed stands in no string: its end is missing
_NESTED = 1 << 16  # how many brackets in one another are remembered


def _read_json(source: _Source) -> Iterator[Read]:
    """A JSON object is one record; of an array each element is one."""
    head = source.head.decode(source.encoding or "latin-1", "replace")
    if head.lstrip(" \t\r\n")[:1] == "[":
        yield from _read_json_array(source)
    else:
        yield from _read_json_object(source)


def _read_json_object(source: _Source) -> Iterator[Read]:
    stream, most = source.utf8(), source.limits.record_bytes
    payload = stream.read(most + 1)
    if len(payload) > most:
        yield source.too_large(payload, offset=0)
    else:
        yield source.document(payload.removeprefix(codecs.BOM_UTF8), "json", offset=0)


def _read_json_array(source: _Source) -> Iterator[Read]:
    """Cut an array into its elements without parsing them.

    Only brackets and strings are followed, so that an element that is no good
    JSON inside costs itself alone. One that is not closed ends where an object
    begins that can be no part of it.
    """
    stream, most = source.utf8(), source.limits.record_bytes
    data = bytearray()
    base = 0  # where data begins in the file
    begin: int | None = None  # where the element begins, in the file
    cursor = 0  # in data
    nesting = bytearray()  # the brackets that are open
    deeper = 0  # and how many more
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
            more = stream.read1(_HEAD)
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
        elif mark == b"\n":
            in_string = False
        elif mark in b"{[":
            if mark == b"{" and nesting == b"[{" and _follows_comma(data, found.start()):
                yield from element(found.start())
                begin = base + found.start()
                nesting.pop()
            if len(nesting) < _NESTED:
                nesting += mark
            else:
                deeper += 1
            if len(nesting) == 1:
                begin = base + cursor
        elif mark in b"}]":
            if deeper:
                deeper -= 1
            elif nesting[1:]:
                nesting.pop()
            elif mark == b"]":
                yield from element(found.start())
                ended = True
                break
        elif len(nesting) == 1:
            yield from element(found.start())
            begin = base + cursor
    if not ended:
        detail = "the array is not closed: the element that it ends in is lost"
        at = base if begin is None else begin
        yield source.refused(Reason.TRUNCATED, detail, bytes(data), offset=at)
    elif rest := (bytes(data[cursor:]) + stream.read(_HEAD)).strip():
        detail = "something stands after the end of the array"
        yield source.refused(Reason.MALFORMED_JSON, detail, rest, offset=base + cursor)


def _follows_comma(data: bytearray, at: int) -> bool:
    while at > 0 and data[at - 1] in b" \t\r\n":
        at -= 1
    return data[at - 1 : at] == b","


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
    # What cannot be decoded becomes a surrogate, which JSON may not hold: it costs its row.
    errors = "surrogatepass" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    lines = _Lines(io.TextIOWrapper(source.stream, encoding, errors, newline=""), source)
    dialect = delimiter or _delimiter_of(source.head.decode(encoding, "replace"))
    header: list[str] | None = None
    number = 0
    while (row := _next_row(lines, dialect, source.limits.record_bytes, header)) is not None:
        cells, fault, line = row
        if header is None:
            if fault is not None:
                reason, problem = fault
                raise RecordError(reason, f"{source.span.name}: header: {problem}")
            header = _header(cells, source.span.name) if any(cells) else None
            continue
        number += 1
        payload = b""
        if fault is None and any(cells):
            try:
                payload = orjson.dumps(dict(zip(header, cells, strict=True)))
            except orjson.JSONEncodeError:
                fault = Reason.BAD_ENCODING, f"bytes in the row are not {encoding}"
        if fault is not None:
            yield source.refused(*fault, line.encode(errors="replace"), record=number)
        elif payload:
            yield source.document(payload, "json", record=number)


def _header(cells: list[str], name: str) -> list[str]:
    header = [cell.strip() for cell in cells]
    repeated = [column for column, times in Counter(header).items() if column and times > 1]
    if repeated:
        detail = f"the header names {repeated[0]!r} more than once"
        raise RecordError(Reason.MALFORMED_TABLE, f"{name}: {detail}")
    try:
        orjson.dumps(header)
    except orjson.JSONEncodeError as error:
        raise RecordError(Reason.BAD_ENCODING, f"{name}: header: {error}") from error
    return header


class _Lines:
    """Lines with look-ahead: what a given-up row had read is read again.

    Of an over-long line only so much is given that it shows.
    """

    def __init__(self, text: io.TextIOWrapper, source: _Source) -> None:
        self._lines = self._checked(text, source)
        self._again: list[str] = []

    @staticmethod
    def _checked(text: io.TextIOWrapper, source: _Source) -> Iterator[str]:
        position, most = 0, source.limits.record_bytes
        with _bad_encoding(source.span.name):
            while line := text.readline(most + 1):
                yield line
                rest = line
                while len(line) > most and rest and not rest.endswith(("\n", "\r")):
                    position += len(rest)
                    source.check_size(position)
                    rest = text.readline(_SKIP)
                position += len(rest)
                source.check_size(position)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        return self._again.pop() if self._again else next(self._lines)

    def give_back(self, lines: list[str]) -> None:
        self._again.extend(reversed(lines))


def _next_row(
    lines: _Lines, delimiter: str, most: int, header: list[str] | None
) -> tuple[list[str], tuple[Reason, str] | None, str] | None:
    """The cells of the next row, what is wrong with it, and its first line; None at the end."""
    taken: list[str] = []

    def take() -> Iterator[str]:
        size = 0
        for line in lines:
            taken.append(line)
            size += len(line)
            if size > most:
                raise csv.Error(f"a quote is not closed within {most:,} characters")
            yield line

    fault: tuple[Reason, str] | None = None
    cells: list[str] = []
    try:
        cells = next(csv.reader(take(), delimiter=delimiter, strict=True))
    except StopIteration:
        return None
    except csv.Error as error:
        fault = Reason.MALFORMED_TABLE, str(error)
        if len(taken[0]) > most:
            fault = Reason.TOO_LARGE, f"the row is over the limit of {most:,} bytes"
        lines.give_back(taken[1:])
    if fault is None and header is not None and cells and len(cells) != len(header):
        detail = f"{len(cells)} cells in a table of {len(header)} columns"
        fault = Reason.MALFORMED_TABLE, detail
        # Where the last line ends a cell that it did not begin, all lines are this row's.
        if not re.match(rf'[^"]*[^"{re.escape(delimiter)}]"', taken[-1]):
            lines.give_back(taken[1:])
    return cells, fault, taken[0]


def _delimiter_of(head: str) -> str:
    """The most frequent of the usual delimiters in the first line; a comma where none is."""
    first = head.lstrip("\ufeff\r\n").partition("\n")[0]
    return max(",;\t|", key=first.count)


def _read_parquet(source: _Source) -> Iterator[Read]:
    span = source.span
    with _seekable(source) as raw:
        try:
            file = pq.ParquetFile(raw)
            names = file.schema_arrow.names
        except PARQUET_FAULTS as error:
            raise RecordError(Reason.MALFORMED_TABLE, f"{span.name}: {error}") from error
        if len(set(names)) != len(names):
            detail = f"the columns {names} are not all different"
            raise RecordError(Reason.MALFORMED_TABLE, f"{span.name}: {detail}")
        first = 1
        for group in range(file.num_row_groups):
            if span.start <= group and (span.end is None or group < span.end):
                try:
                    yield from _read_row_group(file, group, first, source)
                except PARQUET_FAULTS as error:
                    detail = f"row group {group}: {error}"
                    yield source.refused(Reason.MALFORMED_TABLE, detail, b"", record=first)
            first += file.metadata.row_group(group).num_rows


def _read_row_group(
    file: pq.ParquetFile, group: int, first: int, source: _Source
) -> Iterator[Read]:
    batches: Iterable[pa.RecordBatch] = file.iter_batches(batch_size=_ROWS, row_groups=[group])
    rows = itertools.chain.from_iterable(map(_to_rows, batches))
    for record, row in enumerate(rows, start=first):
        if isinstance(row, RecordError):
            yield source.refused(row.reason, row.detail, b"", record=record)
            continue
        try:
            payload = orjson.dumps(row, default=_plain, option=orjson.OPT_NON_STR_KEYS)
        except orjson.JSONEncodeError as error:
            yield source.refused(Reason.TOO_DEEP, str(error), b"", record=record)
            continue
        if len(payload) > source.limits.record_bytes:
            yield source.too_large(payload, record=record)
        else:
            yield source.document(payload, "json", record=record)


def _to_rows(batch: pa.RecordBatch) -> Iterable[dict[str, Any] | RecordError]:
    """The rows as Python values; where one has none, an error in place of its row."""
    try:
        rows: list[dict[str, Any] | RecordError] = batch.to_pylist()
    except PARQUET_FAULTS:
        columns = [_as_convertible(column) for column in batch.columns]
        rows = [_to_row(batch.schema.names, columns, row) for row in range(batch.num_rows)]
    return rows


def _as_convertible(column: pa.Array) -> pa.Array:
    """Nanoseconds and far-off years are more than Python's own types hold: as strings."""
    try:
        return column.cast(pa.string()) if pa.types.is_temporal(column.type) else column
    except PARQUET_FAULTS:
        return column


def _to_row(names: list[str], columns: list[pa.Array], row: int) -> dict[str, Any] | RecordError:
    values = {}
    for name, column in zip(names, columns, strict=True):
        try:
            values[name] = column[row].as_py()
        except UnicodeError as error:
            return RecordError(Reason.BAD_ENCODING, f"{name}: {error}")
        except PARQUET_FAULTS as error:
            return RecordError(Reason.MALFORMED_TABLE, f"{name}: {error}")
    return values


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
    "feed": _read_feed,
    "text": _read_whole("text"),
}
