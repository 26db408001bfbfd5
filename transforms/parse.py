"""From documents to entries."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from transforms.dead_letters import (
    DEAD,
    GOOD,
    READINGS,
    TALLY,
    CountingFn,
    Dead,
    Tally,
    dead_letter,
)
from transforms.errors import RecordError
from transforms.logic.documents import FieldNames, parse_document
from transforms.logic.feeds import read_feed
from transforms.records import Entry, FeedReading, RawDocument

Reading: TypeAlias = TaggedOutput[Literal["readings"], FeedReading]


class ParseDocuments(beam.PTransform):
    """Take the entries out of each document.

    Entries before the fault of a broken document are kept; the fault is in
    `dead`. `tally` counts the entries as `entries`. `readings` holds what was found
    of each feed that was fetched from the network.
    """

    def __init__(self, fields: FieldNames) -> None:
        super().__init__()
        self._fields = fields

    def expand(self, documents: beam.PCollection[RawDocument]) -> beam.pvalue.DoOutputsTuple:
        return documents | "Parse" >> beam.ParDo(_ParseFn(self._fields)).with_outputs(
            DEAD, TALLY, READINGS, main=GOOD
        )


class _ParseFn(CountingFn):
    def __init__(self, fields: FieldNames) -> None:
        self._fields = fields

    def process(self, document: RawDocument) -> Iterator[Entry | Dead | Tally | Reading]:
        if document.feed is not None:
            yield from self._read_feed(document)
            return
        try:
            for entry in parse_document(document, self._fields):
                self.counts["entries"] += 1
                yield entry
        except RecordError as error:
            yield dead_letter("parse", document.origin, error, document.payload)

    def _read_feed(self, document: RawDocument) -> Iterator[Entry | Dead | Reading]:
        entries, reading = read_feed(document)
        self.counts["entries"] += len(entries)
        yield from entries
        if reading.error is not None:
            error = RecordError(*reading.error)
            yield dead_letter("parse", document.origin, error, document.payload)
        yield TaggedOutput(READINGS, reading)
