"""From articles and their stories to counts."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from itertools import chain
from typing import Any

import apache_beam as beam
import orjson
import pyarrow as pa

from transforms.logic.counts import (
    Fact,
    Matched,
    Pair,
    count,
    count_monitored,
    count_pairs,
    count_queries,
    day_of,
    facts_of,
    pairs_of,
    queries_of,
)
from transforms.logic.packing import unpack
from transforms.packing import PackByKey
from transforms.records import QueryTotal, ThemeCount, ThemePair, ToldArticle


class CountThemes(beam.PTransform):
    """Count articles, stories and publishers a theme and span of time.

    Buckets are by `published_at`, in UTC; see `logic.counts.count` for which there are.
    A record's natural key is all but its numbers.
    """

    def expand(self, told: beam.PCollection[ToldArticle]) -> beam.PCollection[ThemeCount]:
        return (
            told
            | "Facts" >> beam.FlatMap(facts_of)
            | "Pack" >> PackByKey(_fact_frame)
            | "GroupByDay" >> beam.GroupByKey()
            | "Count" >> beam.FlatMap(_counted, Fact, count).with_output_types(ThemeCount)
        )


class CountMonitored(beam.PTransform):
    """Add up how many articles were classified, by hour and by day, source and language.

    Takes the tallies of `DropDuplicates`, and gives a span of time with its table, for two
    spans: see `logic.counts.count_monitored`.
    """

    def expand(
        self, tallies: beam.PCollection[tuple[str, bytes]]
    ) -> beam.PCollection[tuple[timedelta, pa.Table]]:
        return (
            tallies
            | "Gather" >> beam.GroupByKey()
            | "Count" >> beam.FlatMap(_monitored).with_output_types(tuple[timedelta, pa.Table])
        )


class CountPairs(beam.PTransform):
    """Count how often two themes stand in the same article."""

    def expand(self, told: beam.PCollection[ToldArticle]) -> beam.PCollection[ThemePair]:
        return (
            told
            | "Pairs" >> beam.FlatMap(pairs_of)
            | "Pack" >> PackByKey(_theme_frame)
            | "GroupByTheme" >> beam.GroupByKey()
            | "Count" >> beam.FlatMap(_counted, Pair, count_pairs).with_output_types(ThemePair)
        )


class CountQueries(beam.PTransform):
    """Count how often each query of each theme matched."""

    def expand(self, told: beam.PCollection[ToldArticle]) -> beam.PCollection[QueryTotal]:
        return (
            told
            | "Queries" >> beam.FlatMap(queries_of)
            | "Pack" >> PackByKey(_theme_frame)
            | "GroupByTheme" >> beam.GroupByKey()
            | "Count"
            >> beam.FlatMap(_counted, Matched, count_queries).with_output_types(QueryTotal)
        )


def _monitored(element: tuple[str, Iterable[bytes]]) -> Iterator[tuple[timedelta, pa.Table]]:
    yield from count_monitored(element[1])


def _fact_frame(fact: Fact) -> tuple[str, bytes]:
    return day_of(fact), orjson.dumps(tuple(fact))


def _theme_frame(fact: Pair | Matched) -> tuple[str, bytes]:
    return fact[0], orjson.dumps(tuple(fact))


def _counted(
    element: tuple[str, Iterable[bytes]],
    kind: Callable[..., Any],
    count_all: Callable[[Iterable[Any]], Iterator[Any]],
) -> Iterator[Any]:
    frames = chain.from_iterable(map(unpack, element[1]))
    yield from count_all(kind(*orjson.loads(frame)) for frame in frames)
