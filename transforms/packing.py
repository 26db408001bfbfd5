"""Packing: how many small values travel through a shuffle as few large ones.

A shuffle costs a runner far more for each element than for its bytes, and it keeps
the bytes in memory several times over. So values with one key are packed together
and compressed before they are shuffled.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.utils.windowed_value import WindowedValue

from transforms.dead_letters import in_global_window
from transforms.logic.packing import pack

_PACK_BYTES = 1 << 16


class PackByKey(beam.PTransform):
    """Pack the frames that *frame_of* makes of the elements: (key, pack) pairs come out.

    `logic.packing.unpack` takes a pack apart. For the global window: what a bundle
    holds back, at most 64 KiB a key, is given out at its end.

    Args:
        frame_of: Makes (key, frame) of an element. Keys must be few: they tell only
            what has to meet.
    """

    def __init__(self, frame_of: Callable[[Any], tuple[str, bytes]]) -> None:
        super().__init__()
        self._frame_of = frame_of

    def expand(self, elements: beam.PCollection[Any]) -> beam.PCollection[tuple[str, bytes]]:
        return elements | "Pack" >> beam.ParDo(_PackFn(self._frame_of))


class _PackFn(beam.DoFn):
    def __init__(self, frame_of: Callable[[Any], tuple[str, bytes]]) -> None:
        self._frame_of = frame_of

    def start_bundle(self) -> None:
        self._frames: defaultdict[str, list[bytes]] = defaultdict(list)
        self._sizes: defaultdict[str, int] = defaultdict(int)

    def process(self, element: Any) -> Iterator[tuple[str, bytes]]:
        key, frame = self._frame_of(element)
        self._frames[key].append(frame)
        self._sizes[key] += len(frame)
        if self._sizes[key] >= _PACK_BYTES:
            del self._sizes[key]
            yield key, pack(self._frames.pop(key))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for key, frames in self._frames.items():
            yield in_global_window((key, pack(frames)))
