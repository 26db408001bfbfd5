"""From the bytes of a transfer to those of the document, in bounded memory."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

import brotli
import zstandard

from pipeline.web.messages import FetchError
from transforms.errors import Reason

_PIECE = 1 << 16  # bytes that a coding gives out at once, about

# zstandard gives out all that its input makes, and four bytes of it can make 128 KiB.
_ZSTD_STEP = 128
_ZSTD_WINDOW = 1 << 23  # the most that HTTP may ask a decoder to keep: RFC 9659

_MOST_CODINGS = 5  # one upon another; two is rare
_GZIP = b"\x1f\x8b\x08"


class BodyDecoder:
    """Decodes a body as it comes in.

    A body that is gzip in the end, as '.xml.gz' is, is unpacked whatever its headers say.
    A coding that HTTP does not know is passed over, as browsers do.

    Args:
        codings: The header Content-Encoding, in the order in which they were applied.
        most_bytes: That the body may have, as sent and after each coding.
    """

    def __init__(self, codings: str, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._received = 0
        self._body = bytearray()
        self._codings: list[_Coding] = []
        for name in reversed(codings.lower().split(",")):
            match name.strip():
                case "gzip" | "x-gzip":
                    self._codings.append(_Gzip())
                case "deflate":
                    self._codings.append(_Deflate())
                case "br":
                    self._codings.append(_Brotli())
                case "zstd":
                    self._codings.append(_Zstandard())
        if len(self._codings) > _MOST_CODINGS:
            raise FetchError(Reason.BAD_RESPONSE, f"{len(self._codings)} content codings")
        self._codings.append(_GzipIfItIs())
        self._volumes = [0] * len(self._codings)

    @property
    def body(self) -> bytes:
        """What has come so far."""
        return bytes(self._body)

    def feed(self, data: bytes) -> None:
        """Decode the next bytes of the transfer.

        Raises:
            FetchError: TOO_LARGE, BAD_RESPONSE; with the part of the body before.
        """
        self._received += len(data)
        if self._received > self._most_bytes:
            raise self._too_large()
        pieces: Iterable[bytes] = (data,)
        for number, coding in enumerate(self._codings):
            pieces = self._decoded(pieces, coding, number)
        try:
            for piece in pieces:
                self._body += piece
        except (zlib.error, brotli.error, zstandard.ZstdError) as error:
            raise FetchError(
                Reason.BAD_RESPONSE,
                f"the body is not coded as it says: {error}",
                partial=self.body,
            ) from None

    def _decoded(self, pieces: Iterable[bytes], coding: "_Coding", number: int) -> Iterator[bytes]:
        for piece in pieces:
            for decoded in coding.decode(piece):
                self._volumes[number] += len(decoded)
                if self._volumes[number] > self._most_bytes:
                    raise self._too_large()
                yield decoded

    def _too_large(self) -> FetchError:
        detail = f"the body has more than {self._most_bytes:,} bytes"
        return FetchError(Reason.TOO_LARGE, detail, partial=self.body)

    def finish(self) -> bytes:
        """The whole body.

        Raises:
            FetchError: BAD_RESPONSE, it broke off; with the part before.
        """
        if self._received and not all(coding.complete for coding in self._codings):
            raise FetchError(
                Reason.BAD_RESPONSE,
                "the body breaks off inside its coding",
                passing=True,
                partial=self.body,
            )
        return self.body


class _Coding(Protocol):
    """One content coding.

    Attributes:
        complete: Whether the transfer may end here.
    """

    complete: bool

    def decode(self, data: bytes) -> Iterator[bytes]:
        """What *data* adds, in pieces of bounded size."""


class _Gzip:
    """Any number of members; what follows the last is passed over, as gzip itself does."""

    def __init__(self) -> None:
        self.complete = False
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self.complete:  # between two members
                if not data.startswith(_GZIP[:1]):
                    return
                self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
            yield from _inflated(self._member, data)
            self.complete = self._member.eof
            data = self._member.unused_data


class _Deflate:
    """zlib's format, which is what HTTP means by it, or the bare stream that some send."""

    def __init__(self) -> None:
        self.complete = False
        self._head = b""
        self._stream: zlib._Decompress | None = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        if self._stream is None:
            data = self._head = self._head + data
            if len(data) < 2:
                return
            is_zlib = data[0] & 0x0F == 8 and int.from_bytes(data[:2]) % 31 == 0
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        if not self.complete:
            yield from _inflated(self._stream, data)
            self.complete = self._stream.eof


def _inflated(stream: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    piece = stream.decompress(data, _PIECE)
    yield piece
    # A full piece may leave something behind although all input is used up.
    while not stream.eof and (stream.unconsumed_tail or len(piece) == _PIECE):
        piece = stream.decompress(stream.unconsumed_tail, _PIECE)
        yield piece


class _Brotli:
    def __init__(self) -> None:
        self.complete = False
        self._stream = brotli.Decompressor()

    def decode(self, data: bytes) -> Iterator[bytes]:
        if self.complete:
            return
        piece = self._stream.process(data, output_buffer_limit=_PIECE)
        while piece or not self._stream.can_accept_more_data():
            yield piece
            piece = self._stream.process(b"", output_buffer_limit=_PIECE)
        self.complete = self._stream.is_finished()


class _Zstandard:
    """Any number of frames."""

    def __init__(self) -> None:
        self.complete = False
        self._context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame = self._context.decompressobj()

    def decode(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_STEP):
            step = data[start : start + _ZSTD_STEP]
            while step:
                if self.complete:  # between two frames
                    self._frame = self._context.decompressobj()
                yield self._frame.decompress(step)
                self.complete = self._frame.eof
                step = self._frame.unused_data


class _GzipIfItIs:
    """What comes out of the codings that the headers name."""

    def __init__(self) -> None:
        self.complete = True
        self._head: bytes | None = b""
        self._inside: _Gzip | None = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        if self._head is not None:
            data = self._head + data
            self._head = data if len(data) < len(_GZIP) and _GZIP.startswith(data) else None
            if self._head is not None:
                return
            if data.startswith(_GZIP):
                self._inside = _Gzip()
        if self._inside is None:
            yield data
        else:
            yield from self._inside.decode(data)
            self.complete = self._inside.complete
