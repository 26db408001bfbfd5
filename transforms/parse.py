"""From documents to entries."""

from collections.abc import Iterator

import apache_beam as beam

from transforms.dead_letters import DEAD, GOOD, TALLY, CountingFn, Dead, Tally, dead_letter
from transforms.errors import RecordError
from transforms.logic.documents import FieldNames, parse_document
from transforms.records import Entry, RawDocument


class ParseDocuments(beam.PTransform):
    """Take the entries out of each document.

    Entries before the fault of a broken document are kept; the fault is in
    `dead`. `tally` counts the entries as `entries`.
    """

    def __init__(self, fields: FieldNames) -> None:
        super().__init__()
        self._fields = fields

    def expand(self, documents: beam.PCollection[RawDocument]) -> beam.pvalue.DoOutputsTuple:
        return documents | "Parse" >> beam.ParDo(_ParseFn(self._fields)).with_outputs(
            DEAD, TALLY, main=GOOD
        )


class _ParseFn(CountingFn):
    def __init__(self, fields: FieldNames) -> None:
        self._fields = fields

    def process(self, document: RawDocument) -> Iterator[Entry | Dead | Tally]:
        try:
            for entry in parse_document(document, self._fields):
                self.counts["entries"] += 1
                yield entry
        except RecordError as error:
            yield dead_letter("parse", document.origin, error, document.payload)
