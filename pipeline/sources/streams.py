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

from typing_extensions import Buffer
from zstandard import ZstdDecompressor, ZstdError

from transforms.errors import Reason, RecordError

_BROKEN = (OSError, EOFError, zlib.error, ZstdError)
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
_BUFFER = 1 << 20
_DECODED = 1 << 13  # bytes decoded in one step: what broken data may take with it
_ZSTD_STEP = 1 << 8  # compressed bytes decoded in one step: 4 can stand for 128 KiB


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
        stored: io.BufferedReader = io.BufferedReader(_Raw(path, raw.read, raw), _BUFFER)
        compression = compression_of(stored.peek(4)[:4])
        if compression is None:
            yield stored, False
            return
        if compression == "gzip":
            raw_decoded = _Raw(path, gzip.GzipFile(fileobj=stored).read1, most=_DECODED)
        elif compression == "bz2":
            raw_decoded = _Raw(path, bz2.BZ2File(stored).read1, most=_DECODED)
        else:
            raw_decoded = _Raw(path, _Zstd(stored).read)
        decoded: io.BufferedReader = io.BufferedReader(raw_decoded, _BUFFER)
        yield decoded, True


def printable(path: str) -> str:
    """*path* as it may stand in a record: bytes of a name that are no UTF-8 are escaped."""
    return path.encode("utf-8", "backslashreplace").decode()


@contextmanager
def _record_errors(path: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise _record_error(path, error) from error


def _record_error(path: str, error: Exception) -> RecordError:
    if isinstance(error, EOFError):
        return RecordError(Reason.TRUNCATED, f"{printable(path)}: {error}")
    detail = getattr(error, "strerror", None) or str(error)
    return RecordError(Reason.UNREADABLE, f"{printable(path)}: {detail}")


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
    shown = printable(path)
    if stat.S_ISDIR(mode):
        raise RecordError(Reason.UNREADABLE, f"{shown}: is a directory; name its files: {shown}/*")
    if not stat.S_ISREG(mode):  # a pipe or device might never end
        raise RecordError(Reason.UNREADABLE, f"{shown}: is not a regular file")
    with open(path, "rb", buffering=0) as local:
        yield cast(BinaryIO, local)


class _Zstd:
    """Decodes zstd frames, so little at a time that no bomb fills the memory."""

    def __init__(self, source: BinaryIO | io.BufferedReader) -> None:
        self._pieces = self._decode(source)
        self._rest = memoryview(b"")  # of a piece that may be large: not copied

    def read(self, size: int) -> memoryview:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest = memoryview(piece)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    @staticmethod
    def _decode(source: BinaryIO | io.BufferedReader) -> Iterator[bytes]:
        decompressor = ZstdDecompressor()
        frame = None
        while step := source.read(_ZSTD_STEP):
            while step:
                frame = frame or decompressor.decompressobj()
                yield frame.decompress(step)
                step = frame.unused_data
                if frame.eof:
                    frame = None
        if frame is not None:
            raise EOFError("Compressed file ended before the end of a frame")


class _Raw(io.RawIOBase):
    """A raw stream over a function that reads, which may give less than it is asked for.

    What was read before an error is given out first, the error with the next reading.
    """

    def __init__(
        self,
        path: str,
        read: Callable[[int], bytes | memoryview],
        seekable: BinaryIO | None = None,
        most: int = _BUFFER,
    ) -> None:
        super().__init__()
        self._path = path
        self._read = read
        self._seekable = seekable
        self._most = most
        self._error: RecordError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        if self._error is not None:
            raise self._error
        view = memoryview(buffer).cast("B")
        filled = 0
        try:
            while data := self._read(min(len(view) - filled, self._most)):
                view[filled : filled + len(data)] = data
                filled += len(data)
        except RecordError as error:
            self._error = error
        except _BROKEN as error:
            self._error = _record_error(self._path, error)
        if self._error is not None and not filled:
            raise self._error
        return filled

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
