"""Outlines of all articles of a run, held small until it is known which of them matter.

Most articles share no key with any other, and are a story of their own. So an outline
travels as a frame of bytes:

    signature · whether it was known before · number of exact keys · exact keys · outline

of which only the head is read at first.
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.logic.near_duplicates import SIGNATURE_BYTES, band_keys
from transforms.records import Outline

_HEAD = struct.Struct(f">{SIGNATURE_BYTES}s?B")
_KEY = struct.Struct(">q")


def all_keys(told: Outline) -> tuple[int, ...]:
    """What near and exact copies of an article share, as the ledger finds them by it."""
    return (*told.exact_keys, *band_keys(told.signature))


def frame_of(told: Outline) -> bytes:
    """An outline as a frame."""
    keys = b"".join(map(_KEY.pack, told.exact_keys))
    head = _HEAD.pack(told.signature, told.known is not None, len(told.exact_keys))
    return head + keys + told.__pydantic_serializer__.to_json(told)


def outline_of(frame: bytes) -> Outline:
    """The outline in a frame."""
    _, _, exact = _HEAD.unpack_from(frame)
    return Outline.model_validate_json(frame[_HEAD.size + exact * _KEY.size :])


class Heads(NamedTuple):
    """All keys of many frames, and the frames of articles that were known before."""

    keys: npt.NDArray[np.int64]  # distinct, in ascending order
    places: npt.NDArray[np.intp]  # of each key of each frame: its place in `keys`
    owners: npt.NDArray[np.int64]  # of each key of each frame: the number of the frame
    known: frozenset[int]  # numbers of frames

    def related(self, elsewhere: Iterable[int]) -> Sequence[int]:
        """The numbers of the frames that may be of one story with another article.

        That are those that were known before, share a key with another frame, or have
        a key of *elsewhere*.
        """
        shared = np.bincount(self.places, minlength=len(self.keys)) > 1
        shared |= np.isin(self.keys, np.fromiter(elsewhere, np.int64))
        return sorted(self.known.union(self.owners[shared[self.places]].tolist()))


def heads_of(frames: Sequence[bytes]) -> Heads:
    """Read the heads of *frames*; some 300 bytes a frame are held."""
    keys, owners, known = array("q"), array("q"), set()
    for number, frame in enumerate(frames):
        signature, was_known, exact = _HEAD.unpack_from(frame)
        own = [key for (key,) in _KEY.iter_unpack(frame[_HEAD.size :][: exact * _KEY.size])]
        own += band_keys(signature)
        keys.extend(own)
        owners.extend([number] * len(own))
        if was_known:
            known.add(number)
    distinct, places = np.unique(np.array(keys, np.int64), return_inverse=True)
    return Heads(distinct, places, np.array(owners, np.int64), frozenset(known))
