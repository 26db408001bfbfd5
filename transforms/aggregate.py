"""From stories to counts."""

from collections.abc import Iterable, Iterator

import apache_beam as beam

from transforms.logic.counts import Fact, count, facts_of, pairs_of, queries_of
from transforms.records import QueryTotal, Story, ThemeCount, ThemePair


class CountThemes(beam.PTransform):
    """Count articles, stories and publishers a theme and span of time.

    Buckets are by `published_at`, in UTC; see `logic.counts.count` for which there are.
    A record's natural key is all but its numbers.
    """

    def expand(self, stories: beam.PCollection[Story]) -> beam.PCollection[ThemeCount]:
        return (
            stories
            | "Facts" >> beam.FlatMap(_facts)
            | "GroupByDay" >> beam.GroupByKey()
            | "Count" >> beam.FlatMap(_theme_counts)
        )


class CountPairs(beam.PTransform):
    """Count how often two themes stand in the same article."""

    def expand(self, stories: beam.PCollection[Story]) -> beam.PCollection[ThemePair]:
        return (
            stories
            | "Pairs" >> beam.FlatMap(_pairs)
            | "GroupByPair" >> beam.GroupByKey()
            | "Count" >> beam.Map(_theme_pair)
        )


class CountQueries(beam.PTransform):
    """Count how often each query of each theme matched."""

    def expand(self, stories: beam.PCollection[Story]) -> beam.PCollection[QueryTotal]:
        return (
            stories
            | "Queries" >> beam.FlatMap(_queries)
            | "GroupByQuery" >> beam.GroupByKey()
            | "Count" >> beam.Map(_query_total)
        )


def _facts(story: Story) -> Iterator[tuple[tuple[str, str], Fact]]:
    yield from facts_of(story)


def _theme_counts(element: tuple[tuple[str, str], Iterable[Fact]]) -> Iterator[ThemeCount]:
    (theme, _), facts = element
    yield from count(theme, facts)


def _pairs(story: Story) -> Iterator[tuple[tuple[str, str], str]]:
    yield from pairs_of(story)


def _theme_pair(element: tuple[tuple[str, str], Iterable[str]]) -> ThemePair:
    (theme_a, theme_b), ids = element[0], list(element[1])
    return ThemePair(theme_a=theme_a, theme_b=theme_b, articles=len(ids), stories=len(set(ids)))


def _queries(story: Story) -> Iterator[tuple[tuple[str, str], tuple[str, int]]]:
    yield from queries_of(story)


def _query_total(
    element: tuple[tuple[str, str], Iterable[tuple[str, int]]],
) -> QueryTotal:
    (theme, query), matches = element[0], list(element[1])
    return QueryTotal(
        theme=theme,
        query=query,
        articles=len(matches),
        stories=len({story_id for story_id, _ in matches}),
        matches=sum(number for _, number in matches),
    )
