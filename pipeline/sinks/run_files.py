"""Files: JSON Lines, CSV and Parquet, each whole and in a fixed order of lines."""

import csv
import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, get_args

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zstandard

from pipeline.cells import FORMULA
from pipeline.pauses import pass_point
from pipeline.whole_files import replacing
from transforms.logic.packing import unpack
from transforms.packing import PackByKey
from transforms.records import Record

TableFormat = str  # 'csv' or 'parquet'


class Line(NamedTuple):
    """One line of a file; the lines of a file are sorted by their order, then as bytes."""

    file: str
    order: str
    content: bytes


class WriteJsonLines(beam.PTransform):
    """Write the lines of several PCollections to their files below *folder*.

    A file whose name ends in `.zst` is compressed.

    A file is written aside and moved to its name whole, so that a bundle that is
    run again replaces what it wrote: the lines of a file are there once.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def expand(self, lines: tuple[beam.PCollection[Line], ...]) -> beam.PCollection[str]:
        packed = tuple(
            part | f"Pack{number}" >> PackByKey(_line_frame) for number, part in enumerate(lines)
        )
        return (
            packed
            | "Lines" >> beam.Flatten()
            | "GroupByFile" >> beam.GroupByKey()
            | "WriteFile" >> beam.Map(_write_lines, folder=self._folder)
        )


class WriteTable(beam.PTransform):
    """Write (table name, record) pairs as tables, one file a name and format.

    Rows are sorted by all their columns. Replaces what was there, as
    `WriteJsonLines` does.
    """

    def __init__(self, folder: Path, formats: Sequence[TableFormat]) -> None:
        super().__init__()
        self._folder = folder
        self._formats = tuple(formats)

    def expand(self, rows: beam.PCollection[tuple[str, Record]]) -> beam.PCollection[str]:
        return (
            rows
            | "GroupByTable" >> beam.GroupByKey()
            | "WriteTable" >> beam.Map(_write_rows, folder=self._folder, formats=self._formats)
        )


class WriteArrow(beam.PTransform):
    """Write (table name, Arrow table) pairs, each name once, as `WriteTable` does."""

    def __init__(self, folder: Path, formats: Sequence[TableFormat]) -> None:
        super().__init__()
        self._folder = folder
        self._formats = tuple(formats)

    def expand(self, tables: beam.PCollection[tuple[str, pa.Table]]) -> beam.PCollection[str]:
        return tables | "WriteArrow" >> beam.Map(
            _write_element, folder=self._folder, formats=self._formats
        )


_ORDER = struct.Struct(">I")


def _line_frame(line: Line) -> tuple[str, bytes]:
    order = line.order.encode()
    return line.file, _ORDER.pack(len(order)) + order + line.content


def _write_lines(element: tuple[str, Iterable[bytes]], folder: Path) -> str:
    name, packs = element
    lines = [_ordered(frame) for packed in packs for frame in unpack(packed)]
    lines.sort()
    compress = name.endswith(".zst")
    _replace(folder / name, lambda path: _write_sorted(path, lines, compress=compress))
    return name


def _ordered(frame: bytes) -> tuple[bytes, bytes]:
    begin = _ORDER.size
    (length,) = _ORDER.unpack_from(frame)
    return frame[begin : begin + length], frame[begin + length :]


def _write_sorted(path: Path, lines: Iterable[tuple[bytes, bytes]], *, compress: bool) -> None:
    content = (line + b"\n" for _, line in lines)
    with path.open("wb") as file:
        if compress:
            with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as target:
                for line in content:
                    target.write(line)
        else:
            file.writelines(content)


def _write_rows(
    element: tuple[str, Iterable[Record]], folder: Path, formats: Sequence[TableFormat]
) -> str:
    name, records = element
    rows = list(records)
    write_table(folder, name, type(rows[0]), rows, formats)
    return name


def _write_element(
    element: tuple[str, pa.Table], folder: Path, formats: Sequence[TableFormat]
) -> str:
    name, table = element
    write_arrow(folder, name, table, formats)
    return name


def write_table(
    folder: Path,
    name: str,
    record_type: type[Record],
    records: Sequence[Record],
    formats: Sequence[TableFormat],
) -> None:
    """Write *records* to `folder/name.FORMAT` in each of *formats*; there even when empty.

    In CSV times are ISO 8601 in UTC and None is an empty cell.
    """
    columns = list(record_type.model_fields)
    schema = pa.schema([(column, _arrow_type(record_type, column)) for column in columns])
    table = pa.Table.from_pylist([record.model_dump() for record in records], schema=schema)
    write_arrow(folder, name, table, formats)


def write_arrow(folder: Path, name: str, table: pa.Table, formats: Sequence[TableFormat]) -> None:
    """Write a table as `write_table` does."""
    ordered = table.sort_by([(column, "ascending") for column in table.column_names])
    if "csv" in formats:
        _replace(folder / f"{name}.csv", lambda path: _write_csv(path, ordered))
    if "parquet" in formats:
        _replace(folder / f"{name}.parquet", lambda path: pq.write_table(ordered, path))


def _write_csv(path: Path, table: pa.Table) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.column_names)
        writer.writerows(zip(*map(_cells, table.columns), strict=True))


def _cells(column: pa.ChunkedArray) -> list[object]:
    if pa.types.is_timestamp(column.type):
        column = pc.strftime(column.cast(pa.timestamp("s", tz="UTC")), "%Y-%m-%dT%H:%M:%SZ")
    elif pa.types.is_string(column.type):
        column = pc.replace_substring_regex(column, f"^({FORMULA})", r"'\1")
    cells: list[object] = column.to_pylist()
    return cells


def _arrow_type(record_type: type[Record], column: str) -> pa.DataType:
    annotation = record_type.model_fields[column].annotation
    kinds = get_args(annotation) or (annotation,)
    if datetime in kinds:
        return pa.timestamp("us", tz="UTC")
    return pa.int64() if int in kinds else pa.string()


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as aside:
        write(aside)
        pass_point("file_written_aside")
    pass_point("file_written")


def json_line(record: Record) -> bytes:
    """A record as one line of JSON without its line feed; keys in the order of its fields."""
    return record.__pydantic_serializer__.to_json(record)
