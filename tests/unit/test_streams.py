"""Opening files: compression undone, and what cannot be opened or ends early."""

import bz2
import gzip
import os
import socket
import tempfile
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources.streams import compression_of, is_remote, open_bytes, printable
from transforms.errors import RecordError

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "zstd": zstandard.compress,
}
every_compression = pytest.mark.parametrize("kind", COMPRESS)
LINES = b"".join(b"%d of many lines that are like one another\n" % n for n in range(20_000))


def opened(path: str | Path) -> tuple[bytes, str]:
    """All that can be read, and the reason why it ended early."""
    data = b""
    try:
        with open_bytes(str(path)) as (stream, _):
            while part := stream.read1(1 << 20):
                data += part
    except RecordError as error:
        return data, error.reason.value
    return data, ""


def opened_bytes(content: bytes) -> tuple[bytes, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        return opened(path)


@given(st.sampled_from(sorted(COMPRESS)), st.lists(st.binary(max_size=100), min_size=1, max_size=4))
@settings(deadline=None)
def test_what_was_compressed_comes_back(kind: str, members: list[bytes]) -> None:
    compressed = b"".join(map(COMPRESS[kind], members))
    assert compression_of(compressed) == kind
    assert opened_bytes(compressed) == (b"".join(members), "")


@every_compression
def test_more_than_a_buffer_comes_back(kind: str) -> None:
    assert opened_bytes(COMPRESS[kind](LINES)) == (LINES, "")


@given(st.binary(max_size=100))
def test_what_is_not_compressed_stays_as_it_is(content: bytes) -> None:
    if compression_of(content) is None:
        assert opened_bytes(content) == (content, "")


@pytest.mark.parametrize("cut", [4, 5, 9, 100, 0.3, 0.99, -9, -8, -1])
@every_compression
def test_what_ends_early_says_so(kind: str, cut: float) -> None:
    whole = COMPRESS[kind](LINES)
    data, reason = opened_bytes(whole[: int(cut * len(whole)) if isinstance(cut, float) else cut])
    assert LINES.startswith(data)
    assert reason == "truncated"


def test_all_that_can_be_decoded_is_given_out_first() -> None:
    cut = gzip.compress(LINES)[:-1000]
    assert opened_bytes(cut) == (zlib.decompressobj(31).decompress(cut), "truncated")
    cut = zstandard.compress(LINES)[:-1000]
    assert opened_bytes(cut) == (
        zstandard.ZstdDecompressor().decompressobj().decompress(cut),
        "truncated",
    )
    whole = bz2.compress(LINES)
    data, reason = opened_bytes(whole + whole[:1000])
    assert (data, reason) == (LINES, "truncated")


@pytest.mark.parametrize(
    ("kind", "reason"), [("gzip", "unreadable"), ("bz2", ""), ("zstd", "unreadable")]
)
def test_garbage_after_the_end_costs_nothing_before_it(kind: str, reason: str) -> None:
    # bzip2 itself passes over it without a word.
    assert opened_bytes(COMPRESS[kind](LINES) + b"garbage") == (LINES, reason)


@every_compression
def test_flipped_bytes_are_an_error(kind: str) -> None:
    checked = zstandard.ZstdCompressor(write_checksum=True)  # the others always are
    content = bytearray(checked.compress(LINES) if kind == "zstd" else COMPRESS[kind](LINES))
    content[len(content) // 2] ^= 0xFF
    content[len(content) // 2 + 1] ^= 0xFF
    assert opened_bytes(bytes(content))[1] == "unreadable"


@given(st.sampled_from(sorted(COMPRESS)), st.binary(max_size=200), st.data())
@settings(deadline=None)
def test_broken_data_is_never_more_than_a_record_error(
    kind: str, content: bytes, data: st.DataObject
) -> None:
    broken = bytearray(COMPRESS[kind](content))
    for _ in range(data.draw(st.integers(1, 3))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    opened_bytes(bytes(broken))


@every_compression
def test_a_bomb_is_not_unpacked_in_memory(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(COMPRESS[kind](bytes(30 << 20)))
    tracemalloc.start()
    try:
        with open_bytes(str(path)) as (stream, compressed):
            assert compressed
            assert stream.read(1 << 20) == bytes(1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_what_is_not_compressed_can_be_read_from_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(LINES)
    with open_bytes(str(path)) as (stream, compressed):
        assert not compressed
        assert (stream.seek(1000), stream.tell()) == (1000, 1000)
        assert stream.read(10) == LINES[1000:1010]


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    for name, problem in [
        ("missing", "No such file"),
        ("dangling", "No such file"),
        ("loop", "symbolic links"),
        ("pipe", "not a regular file"),
        (".", "is a directory; name its files"),
        ("x" * 300, "too long"),
    ]:
        with (
            pytest.raises(RecordError, match=problem) as caught,
            open_bytes(str(tmp_path / name)),
        ):
            pass
        assert caught.value.reason == "unreadable"


def test_a_socket_is_no_file() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{folder}/socket")  # pytest's own folders have names too long for it
        assert opened(f"{folder}/socket") == (b"", "unreadable")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "secret").touch(mode=0)
    assert opened(tmp_path / "secret") == (b"", "unreadable")


def test_an_error_while_reading_is_unreadable() -> None:
    # The memory of this process is a regular file that cannot be read from its beginning.
    if not os.access("/proc/self/mem", os.R_OK):
        pytest.skip("no /proc here")
    assert opened("/proc/self/mem") == (b"", "unreadable")


def test_a_name_that_is_no_text_can_be_shown() -> None:
    with pytest.raises(RecordError, match=r"caf\\udce9"), open_bytes("/missing/caf\udce9"):
        pass
    assert printable("/missing/café") == "/missing/café"


@pytest.mark.parametrize(
    ("path", "remote"),
    [("gs://bucket/x", True), ("/tmp/x", False), ("x:y", False)],  # noqa: S108
)
def test_other_file_systems_are_told_by_name(path: str, remote: bool) -> None:
    assert is_remote(path) is remote
