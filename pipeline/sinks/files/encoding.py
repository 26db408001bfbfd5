"""Rows as Arrow tables, and these as the bytes of a file."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.cells import cell
from pipeline.sinks.files.settings import FileFormat
from pipeline.sinks.rows import kind_of
from transforms.records import Record

_BATCH: Final = 2_000  # rows that are Python objects at a time
_TYPES: Final[dict[Any, pa.DataType]] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    date: pa.date32(),
    datetime: pa.timestamp("us", tz="UTC"),
    tuple[str, ...]: pa.list_(pa.string()),
}
_JSON: Final = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


def arrow_table(row: type[Record], rows: Iterable[Record]) -> pa.Table:
    """*rows*, which are of the type *row*, with a column for each of its fields."""
    columns = row.model_fields.items()
    schema = pa.schema([(name, _TYPES[kind_of(field.annotation)[0]]) for name, field in columns])
    source = iter(rows)
    batches = []
    while batch := [one.model_dump() for one in islice(source, _BATCH)]:
        batches.append(pa.RecordBatch.from_pylist(batch, schema=schema))
    return pa.Table.from_batches(batches, schema=schema)


def encode(rows: pa.Table, form: FileFormat) -> bytes:
    """A file with *rows*, always the same for the same ones."""
    match form:
        case "jsonl":
            return b"".join(orjson.dumps(row, option=_JSON) for row in _dicts(rows))
        case "csv":
            return _csv(rows)
        case "parquet":
            file = io.BytesIO()
            pq.write_table(rows, file, compression="zstd")
            return file.getvalue()


def _csv(rows: pa.Table) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows.column_names)
    writer.writerows([_cell(value) for value in row.values()] for row in _dicts(rows))
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return orjson.dumps(value).decode() if isinstance(value, list) else cell(value)


def _dicts(rows: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in rows.to_batches(max_chunksize=_BATCH):
        yield from batch.to_pylist()
