"""From stories to counts."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import apache_beam as beam

from transforms.logic.counts import CountKey, Fact, count, facts_of, pairs_of, queries_of
from transforms.records import QueryTotal, Story, ThemeCount, ThemePair


class CountThemes(beam.PTransform):
    """Count articles, stories and publishers a theme and span of time.

    Buckets are by `published_at`, in UTC; see `logic.counts.facts_of` for the keys.
    A record's natural key is all but its numbers.
    """

    def expand(self, stories: beam.PCollection[Story]) -> beam.PCollection[ThemeCount]:
        return (
            stories
            | "Facts" >> beam.FlatMap(_facts)
            | "GroupByBucket" >> beam.GroupByKey()
            | "Count" >> beam.Map(_theme_count)
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


def _facts(story: Story) -> Iterator[tuple[str, tuple[CountKey, Fact]]]:
    for key, fact in facts_of(story):
        yield repr(key), (key, fact)


def _theme_count(element: tuple[str, Iterable[tuple[CountKey, Fact]]]) -> ThemeCount:
    facts = list(element[1])
    key = facts[0][0]
    return ThemeCount(
        bucket_start=key.bucket_start,
        bucket_end=key.bucket_start + timedelta(hours=key.hours),
        theme=key.theme,
        source=key.source,
        language=key.language,
        **count(fact for _, fact in facts)._asdict(),
    )


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
