"""From entries to articles."""

from collections.abc import Iterator

import apache_beam as beam

from transforms.dead_letters import DEAD, GOOD, Dead, dead_letter
from transforms.errors import RecordError
from transforms.logic.normalise import normalise
from transforms.records import Article, Entry


class NormaliseEntries(beam.PTransform):
    """Clean each entry and give it an identity; what holds no article is in `dead`."""

    def expand(self, entries: beam.PCollection[Entry]) -> beam.pvalue.DoOutputsTuple:
        return entries | "Normalise" >> beam.ParDo(_NormaliseFn()).with_outputs(DEAD, main=GOOD)


class _NormaliseFn(beam.DoFn):
    def process(self, entry: Entry) -> Iterator[Article | Dead]:
        try:
            yield normalise(entry)
        except RecordError as error:
            yield dead_letter("normalise", entry.origin, error, entry.title or entry.text)
