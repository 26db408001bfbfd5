"""Bodies are decoded while they come in, and never into more memory than allowed."""

import gzip
import tracemalloc
import zlib

import brotli
import pytest
import zstandard

from pipeline.web import FetchError
from pipeline.web.decoding import BodyDecoder
from transforms.errors import Reason

TEXT = b"".join(b"<item><title>Article %d</title></item>" % number for number in range(3000))


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


CODED = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


def decoded(codings: str, data: bytes, step: int = 1000, most: int = 1 << 20) -> bytes:
    decoder = BodyDecoder(codings, most)
    for start in range(0, len(data), step):
        decoder.feed(data[start : start + step])
    return decoder.finish()


@pytest.mark.parametrize("step", [1, 7, 1000, 1 << 20])
@pytest.mark.parametrize("coding", CODED)
def test_each_coding_in_steps_of_any_size(coding, step):
    assert decoded(coding, CODED[coding](TEXT), step) == TEXT


@pytest.mark.parametrize("coding", CODED)
def test_a_body_of_nothing(coding):
    assert decoded(coding, CODED[coding](b"")) == b""
    assert decoded(coding, b"") == b""


@pytest.mark.parametrize("length", [0, 1, 2, 65535, 65536, 65537, 131072])
def test_deflate_without_a_wrapper_at_the_borders_of_a_piece(length):
    data = b"x" * length
    assert decoded("deflate", raw_deflate(data)) == data


def test_codings_upon_one_another():
    data = zstandard.compress(brotli.compress(gzip.compress(TEXT)))
    assert decoded("gzip, br , ZSTD", data, 100) == TEXT


def test_too_many_codings_upon_one_another():
    with pytest.raises(FetchError) as caught:
        BodyDecoder(", ".join(["gzip"] * 6), 100)
    assert caught.value.reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize("codings", ["", "identity", "utf-8", "none, identity"])
def test_what_names_no_coding_is_passed_over(codings):
    assert decoded(codings, TEXT) == TEXT


@pytest.mark.parametrize("step", [1, 2, 1000])
def test_gzip_that_no_header_speaks_of(step):
    assert decoded("", gzip.compress(TEXT), step) == TEXT
    assert decoded("br", brotli.compress(gzip.compress(TEXT)), step) == TEXT


@pytest.mark.parametrize("step", [1, 1000])
def test_members_of_gzip_and_what_follows_them(step):
    data = gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0\0 padding"
    assert decoded("gzip", data, step) == b"one two"


@pytest.mark.parametrize("step", [1, 1000])
def test_frames_of_zstandard(step):
    data = (
        zstandard.compress(b"one ") + b"\x50\x2a\x4d\x18\x02\0\0\0xx" + zstandard.compress(b"two")
    )
    assert decoded("zstd", data, step) == b"one two"


@pytest.mark.parametrize("coding", CODED)
def test_a_body_that_breaks_off_gives_what_came_before(coding):
    data = CODED[coding](TEXT)
    decoder = BodyDecoder(coding, 1 << 20)
    decoder.feed(data[: len(data) - 3])
    with pytest.raises(FetchError, match="breaks off") as caught:
        decoder.finish()
    assert (caught.value.reason, caught.value.passing) == (Reason.BAD_RESPONSE, True)
    assert TEXT.startswith(caught.value.partial)
    if coding not in ("br", "zstd"):  # they work on larger blocks
        assert caught.value.partial


def test_a_second_member_that_breaks_off():
    decoder = BodyDecoder("gzip", 1 << 20)
    decoder.feed(gzip.compress(b"one") + gzip.compress(b"two")[:12])
    with pytest.raises(FetchError) as caught:
        decoder.finish()
    assert caught.value.partial.startswith(b"one")


@pytest.mark.parametrize("coding", CODED)
def test_a_body_that_is_not_in_its_coding(coding):
    with pytest.raises(FetchError, match="not coded as it says") as caught:
        decoded(coding, b"<rss>plain text, whatever the header says</rss>" * 10)
    assert (caught.value.reason, caught.value.passing) == (Reason.BAD_RESPONSE, False)


def test_a_broken_checksum():
    data = bytearray(gzip.compress(TEXT))
    data[-6] ^= 1
    with pytest.raises(FetchError) as caught:
        decoded("gzip", bytes(data))
    assert caught.value.partial
    assert TEXT.startswith(caught.value.partial)


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    """A hundred megabytes of zeros in each coding, and of gzip in gzip."""
    mebibyte = bytes(1 << 20)
    made = {}
    for name, stream in {
        "gzip": zlib.compressobj(9, wbits=31),
        "deflate": zlib.compressobj(9),
        "zstd": zstandard.ZstdCompressor().compressobj(),
    }.items():
        made[name] = b"".join(stream.compress(mebibyte) for _ in range(100)) + stream.flush()
    stream = brotli.Compressor(quality=1)
    made["br"] = b"".join(stream.process(mebibyte) for _ in range(100)) + stream.finish()
    made["gzip, gzip"] = gzip.compress(made["gzip"])
    made[""] = made["gzip"]
    # Its inner stream is as large, and holds nothing.
    stream = zlib.compressobj(9, wbits=31)
    empty = gzip.compress(b"") * 50_000  # a megabyte
    made["gzip,gzip"] = b"".join(stream.compress(empty) for _ in range(100)) + stream.flush()
    return made


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "br", "gzip, gzip", "", "gzip,gzip"])
def test_a_bomb_costs_neither_memory_nor_time(bombs, coding):
    data = bombs[coding]
    tracemalloc.start()
    try:
        with pytest.raises(FetchError, match="more than 1,048,576 bytes") as caught:
            decoded(coding, data, 1 << 16)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.reason is Reason.TOO_LARGE
    assert len(caught.value.partial) <= 1 << 20
    assert peak < 12 << 20


def test_a_transfer_that_decodes_to_nothing_is_too_large_too():
    with pytest.raises(FetchError) as caught:
        decoded("gzip", gzip.compress(b"") * 10_000, most=100_000)
    assert caught.value.reason is Reason.TOO_LARGE


def test_a_window_that_asks_for_too_much_memory():
    options = zstandard.ZstdCompressionParameters(window_log=27)
    stream = zstandard.ZstdCompressor(compression_params=options).compressobj()
    with pytest.raises(FetchError) as caught:
        decoded("zstd", stream.compress(TEXT) + stream.flush())
    assert caught.value.reason is Reason.BAD_RESPONSE
