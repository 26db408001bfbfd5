"""What all fallible stages share: where their failures go, and how outcomes are counted."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.errors import RecordError
from transforms.records import DeadLetter, Origin, Stage

DEAD: Literal["dead"] = "dead"
TALLY: Literal["tally"] = "tally"

type_of_dead = TaggedOutput[Literal["dead"], DeadLetter]

_EXCERPT = 300  # characters


def dead_letter(stage: Stage, origin: Origin, error: RecordError, read: bytes | str) -> DeadLetter:
    """A dead letter for *read*, of which it keeps the first part, printable on one line."""
    text = read[: _EXCERPT * 4].decode("utf-8", "replace") if isinstance(read, bytes) else read
    shown = "".join(c if c.isprintable() else " " for c in text[:_EXCERPT])
    return DeadLetter(
        stage=stage,
        reason=error.reason,
        detail=error.detail,
        origin=origin,
        excerpt=shown.strip(),
    )
