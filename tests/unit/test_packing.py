"""Packs give back what was packed."""

from hypothesis import given
from hypothesis import strategies as st

from transforms.logic.packing import pack, unpack


@given(st.lists(st.binary(max_size=50)))
def test_frames_survive_packing(frames: list[bytes]) -> None:
    packed = pack(frames)
    assert list(unpack(packed)) == frames
    assert pack(frames) == packed


def test_frames_that_are_alike_take_little_room() -> None:
    frames = [b'{"title": "The number of asylum seekers", "number": %d}' % n for n in range(1000)]
    assert len(pack(frames)) * 5 < sum(map(len, frames))
