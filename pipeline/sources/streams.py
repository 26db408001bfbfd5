"""Opening a file of any Beam file system as a stream of decompressed bytes."""

import bz2
import gzip
import io
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import pyarrow as pa
from typing_extensions import Buffer

from transforms.errors import Reason, RecordError

_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
_BUFFER = 1 << 20
_ZSTD_READ = 1 << 13  # what a truncated stream may lose of what could still be decoded


def is_remote(path: str) -> bool:
    """Whether *path* names a file of another file system than the local one."""
    return "://" in path


def compression_of(head: bytes) -> str | None:
    """'gzip', 'bz2' or 'zstd' by the first bytes of a file; None for anything else."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


@contextmanager
def open_bytes(path: str) -> Iterator[tuple[io.BufferedReader, bool]]:
    """Open *path* and undo its compression, which is told by content, not by name.

    Gives the stream, and whether the file is compressed: an uncompressed one can
    seek. Nothing is read ahead beyond a buffer of 1 MiB.

    Raises:
        RecordError: UNREADABLE for what cannot be opened or read; TRUNCATED for
            compressed data that ends early, after all that could be decoded.
    """
    with _record_errors(path), _open_raw(path) as raw:
        buffered = _buffered(raw.read, raw)
        compression = compression_of(buffered.peek(4)[:4])
        if compression is None:
            yield buffered, False
        elif compression == "gzip":
            # read1: what was decoded before an early end is given out first
            yield _buffered(gzip.GzipFile(fileobj=buffered).read1), True
        elif compression == "bz2":
            yield _buffered(bz2.BZ2File(buffered).read1), True
        else:
            source = pa.CompressedInputStream(pa.PythonFile(buffered, mode="r"), compression)
            yield _buffered(source.read, most=_ZSTD_READ), True


def _buffered(
    read: Callable[[int], bytes], seekable: BinaryIO | None = None, most: int = _BUFFER
) -> io.BufferedReader:
    return io.BufferedReader(_Raw(read, seekable, most), _BUFFER)


@contextmanager
def _record_errors(path: str) -> Iterator[None]:
    try:
        yield
    except EOFError as error:
        raise RecordError(Reason.TRUNCATED, f"{path}: {error}") from error
    except (OSError, zlib.error) as error:
        message = str(error)
        if "truncated" in message.lower():
            raise RecordError(Reason.TRUNCATED, f"{path}: {message}") from error
        detail = getattr(error, "strerror", None) or message
        raise RecordError(Reason.UNREADABLE, f"{path}: {detail}") from error


@contextmanager
def _open_raw(path: str) -> Iterator[BinaryIO]:
    if is_remote(path):
        # Imported here: `explain` reads local files and need not wait for Beam.
        from apache_beam.io.filesystem import CompressionTypes
        from apache_beam.io.filesystems import FileSystems

        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as remote:
            yield remote
        return
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise RecordError(Reason.UNREADABLE, f"{path}: is a directory; name its files: {path}/*")
    if not stat.S_ISREG(mode):  # a pipe or device might never end
        raise RecordError(Reason.UNREADABLE, f"{path}: is not a regular file")
    with open(path, "rb", buffering=0) as local:
        yield cast(BinaryIO, local)


class _Raw(io.RawIOBase):
    """A raw stream over a function that reads, asked for at most *most* bytes at a time."""

    def __init__(self, read: Callable[[int], bytes], seekable: BinaryIO | None, most: int) -> None:
        super().__init__()
        self._read = read
        self._seekable = seekable
        self._most = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._read(min(len(view), self._most))
        view[: len(data)] = data
        return len(data)

    def seekable(self) -> bool:
        return self._seekable is not None

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if self._seekable is None:
            raise io.UnsupportedOperation("seek")
        return self._seekable.seek(offset, whence)

    def tell(self) -> int:
        if self._seekable is None:
            raise io.UnsupportedOperation("tell")
        return self._seekable.tell()
