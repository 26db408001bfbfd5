"""From articles and their stories to alerts."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import apache_beam as beam

from transforms.logic.stories import ThemeFacts, alerts_of
from transforms.records import Alert, ToldArticle


class RaiseAlerts(beam.PTransform):
    """One alert for each theme of each story, from the articles that tell it.

    Args:
        themes: What alerts say of each theme, by name.
        backfill_after: How old a story is when it is first seen to be marked
            `backfill`.
    """

    def __init__(self, themes: Mapping[str, ThemeFacts], backfill_after: timedelta) -> None:
        super().__init__()
        self._themes = dict(themes)
        self._backfill_after = backfill_after

    def expand(self, told: beam.PCollection[ToldArticle]) -> beam.PCollection[Alert]:
        return told | "Raise" >> beam.ParDo(_RaiseFn(self._themes, self._backfill_after))


class _RaiseFn(beam.DoFn):
    def __init__(self, themes: dict[str, ThemeFacts], backfill_after: timedelta) -> None:
        self._themes = themes
        self._backfill_after = backfill_after

    def process(self, told: ToldArticle) -> Iterator[Alert]:
        yield from alerts_of(told, self._themes, self._backfill_after)
