"""What a run fetched, kept with the run: so that workers, `verify` and `replay` can read it.

inputs/feeds/0001.jsonl.zst     a line a document, or what could not be had
"""

import io
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import zstandard
from pydantic import TypeAdapter

from transforms.errors import Reason
from transforms.records import Origin, RawDocument, Record

FOLDER = Path("inputs") / "feeds"  # below a run's folder

_FILE_BYTES = 8 << 20  # of documents: small enough that two workers end together


class Unread(Record):
    """A feed that could not be had, or not to its end."""

    origin: Origin
    reason: Reason
    detail: str
    excerpt: bytes = b""


Spooled: TypeAdapter[RawDocument | Unread] = TypeAdapter(RawDocument | Unread)
"""One line: a document, or why there is none. They have no field in common but the origin."""


class Spool:
    """Writes files below *folder*, each up to some megabytes of documents."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._file: IO[bytes] | None = None
        self._number = self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def add(self, item: RawDocument | Unread) -> None:
        """Write an item."""
        line = item.model_dump_json(exclude_defaults=True).encode()
        if self._file is None or self._written > _FILE_BYTES:
            self._close()
            self._folder.mkdir(parents=True, exist_ok=True)
            self._number += 1
            path = self._folder / f"{self._number:04}.jsonl.zst"
            self._file = zstandard.open(path, "wb")
            self._written = 0
        self._file.write(line + b"\n")
        self._written += len(line)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def spooled_files(run_dir: Path) -> list[Path]:
    """The files of a run in which there is what it fetched."""
    return sorted((run_dir / FOLDER).glob("*.jsonl.zst"))


def read_spooled(path: Path) -> Iterator[RawDocument | Unread]:
    """The items of a file, in its order."""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as source:
        for line in io.BufferedReader(source):
            yield Spooled.validate_json(line)
