"""What all fallible stages share: where their failures go, and how outcomes are counted.

A stage has three outputs. `good` is what it is for. `dead` holds a `DeadLetter`
for each item that can never work. `tally` holds (name, number) pairs, one a
bundle and name: counts that travel as data stay exact when a runner retries a
bundle, which its metrics need not.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Literal, TypeAlias

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from transforms.errors import RecordError
from transforms.records import DeadLetter, Origin, Stage

GOOD, DEAD, TALLY, CHANGES, ANSWERS = "good", "dead", "tally", "changes", "answers"
READINGS, MONITORED = "readings", "monitored"

Dead: TypeAlias = TaggedOutput[Literal["dead"], DeadLetter]
Tally: TypeAlias = TaggedOutput[Literal["tally"], tuple[str, int]]

_EXCERPT = 300  # characters


class CountingFn(beam.DoFn):
    """A DoFn that counts in `self.counts` and gives the counts out once a bundle."""

    def start_bundle(self) -> None:
        self.counts: Counter[str] = Counter()

    def finish_bundle(self) -> Iterator[TaggedOutput]:
        for tally in self.counts.items():
            yield TaggedOutput(TALLY, in_global_window(tally))


def in_global_window(value: object) -> WindowedValue:
    """*value* as the end of a bundle must give it out, where no element says its window."""
    window = GlobalWindow()
    return WindowedValue(value, window.max_timestamp(), [window])


def dead_letter(
    stage: Stage, origin: Origin, error: RecordError, read: bytes | str
) -> TaggedOutput:
    """A dead letter for *read*, of which it keeps the first part, printable on one line."""
    text = read[: _EXCERPT * 4].decode("utf-8", "replace") if isinstance(read, bytes) else read
    shown = "".join(c if c.isprintable() else " " for c in text[:_EXCERPT])
    return TaggedOutput(
        DEAD,
        DeadLetter(
            stage=stage,
            reason=error.reason,
            detail=error.detail,
            origin=origin,
            excerpt=shown.strip(),
        ),
    )
