"""Reading files: which there are, how they are cut into spans, and the reading stage."""

import glob
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import apache_beam as beam
import pyarrow.parquet as pq
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from apache_beam.transforms.window import TimestampedValue

from pipeline.feeds.spool import spooled_files
from pipeline.pauses import pass_point
from pipeline.sources.readers import PARQUET_FAULTS, Limits, Span, read_span
from pipeline.sources.streams import is_remote, open_bytes, printable
from transforms.dead_letters import DEAD, GOOD, Dead, dead_letter
from transforms.errors import ConfigError, RecordError
from transforms.logic.decoding import marked_encoding
from transforms.logic.documents import sniff
from transforms.records import Origin, RawDocument

SPAN_BYTES = 8 << 20
"""Files that can be read from the middle are cut into spans of this size: small
enough that two workers end together, large enough that opening a file is no cost."""

STDIN = "-"
SPOOL = Path("inputs") / "stdin.jsonl"
"""Where a run keeps its standard input, below its folder."""


def plan_spans(patterns: Sequence[str], spool: Path) -> list[Span]:
    """Find the files that *patterns* name and cut them into spans, sorted by name.

    A file that two patterns name is read once. '-' is standard input, JSON Lines;
    *spool* names the file that *stdin* was copied to.

    Raises:
        ConfigError: a pattern that names no file.
    """
    found: dict[str, int] = {}
    problems = []
    for pattern in patterns:
        matches = {STDIN: spool.stat().st_size} if pattern == STDIN else _match(pattern)
        if not matches:
            problems.append(f"input {pattern!r}: no file matches")
        found |= matches
    if problems:
        raise ConfigError(*problems)
    return [
        span
        for name, size in sorted(found.items())
        for span in _spans(printable(name), str(spool) if name == STDIN else name, size)
    ]


def spooled_spans(run_dir: Path) -> list[Span]:
    """What a run fetched, file by file."""
    return [
        Span(
            path=str(path),
            name=path.relative_to(run_dir).as_posix(),
            size=path.stat().st_size,
            kind="spool",
        )
        for path in spooled_files(run_dir)
    ]


def spans_of_run(run_dir: Path, names: Sequence[str]) -> list[Span]:
    """What a run read: the files of these *names*, where they lie, and what it has kept.

    Raises:
        ConfigError: a file that is no longer there.
    """
    return [*plan_spans(names, run_dir / SPOOL), *spooled_spans(run_dir)]


def spool_stdin(source: BinaryIO, spool: Path) -> None:
    """Copy standard input to a file, so that workers can read it, and `verify` again."""
    spool.parent.mkdir(parents=True, exist_ok=True)
    with spool.open("wb") as target:
        shutil.copyfileobj(source, target)


def _match(pattern: str) -> dict[str, int]:
    if is_remote(pattern):
        try:
            (result,) = FileSystems.match([pattern])
        except (ValueError, BeamIOError) as error:
            raise ConfigError(f"input {pattern!r}: {str(error).splitlines()[0]}") from error
        return {match.path: match.size_in_bytes for match in result.metadata_list}
    # A name with brackets in it may be a file's own.
    paths = [pattern] if os.path.lexists(pattern) else glob.glob(pattern, recursive=True)
    return {path: _size(path) for path in paths}


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0  # the reading stage meets the same error, or the file is there again


def _spans(name: str, path: str, size: int) -> list[Span]:
    whole = Span(path=path, name=name, size=size, kind="jsonl" if name == STDIN else None)
    if size <= SPAN_BYTES:
        return [whole]
    try:
        with open_bytes(path) as (stream, compressed):
            head = stream.peek(4096)
            kind = whole.kind or sniff(name, head)
            if compressed:
                return [whole]
            if kind == "jsonl" and marked_encoding(head) in (None, "utf-8-sig"):
                return [
                    whole.model_copy(
                        update={"kind": kind, "start": start, "end": min(start + SPAN_BYTES, size)}
                    )
                    for start in range(0, size, SPAN_BYTES)
                ]
            if kind == "parquet":
                groups = pq.ParquetFile(stream).num_row_groups
                return [
                    whole.model_copy(update={"kind": kind, "start": group, "end": group + 1})
                    for group in range(groups)
                ] or [whole]
    except (RecordError, *PARQUET_FAULTS):
        pass  # the reading stage meets the same error and makes a dead letter of it
    return [whole]


class ReadDocuments(beam.PTransform):
    """Read all documents of *spans*.

    Every document carries *seen_at*, which is its event time too. Spans are dealt
    out to the workers in turn. What cannot be read is in `dead`.

    Args:
        progress: A file that the number of bytes read is appended to, a line a
            span, while the stage runs; for runners on this machine.
    """

    def __init__(
        self,
        spans: Sequence[Span],
        limits: Limits,
        seen_at: datetime,
        progress: Path | None = None,
    ) -> None:
        super().__init__()
        self._spans = list(spans)
        self._limits = limits
        self._seen_at = seen_at
        self._progress = progress

    def expand(self, root: beam.pvalue.PBegin) -> beam.pvalue.DoOutputsTuple:
        return (
            root
            | "Spans" >> beam.Create(list(enumerate(self._spans)), reshuffle=False)
            | "DealOut" >> beam.GroupByKey()
            | "Read"
            >> beam.ParDo(_ReadFn(self._limits, self._seen_at, self._progress)).with_outputs(
                DEAD, main=GOOD
            )
        )


class _ReadFn(beam.DoFn):
    def __init__(self, limits: Limits, seen_at: datetime, progress: Path | None) -> None:
        self._limits = limits
        self._seen_at = seen_at
        self._progress = progress

    def process(self, element: tuple[int, Iterable[Span]]) -> Iterator[RawDocument | Dead]:
        timestamp = self._seen_at.timestamp()
        for span in element[1]:
            pass_point("reading")
            try:
                for read in read_span(span, self._limits, self._seen_at):
                    if isinstance(read, RawDocument):
                        # Beam unwraps it; inside a union its hint would not be.
                        yield TimestampedValue(read, timestamp)
                    else:
                        origin, error, excerpt = read
                        yield dead_letter("read", origin, error, excerpt)
            except RecordError as error:
                yield dead_letter("read", Origin(path=span.name), error, "")
            pass_point("span_read")
            if self._progress is not None:
                with self._progress.open("a") as progress:
                    progress.write(f"{_length(span)}\n")


def _length(span: Span) -> int:
    if span.end is None:
        return span.size
    # Row groups of Parquet are counted, not measured.
    return span.end - span.start if span.kind == "jsonl" else 0
