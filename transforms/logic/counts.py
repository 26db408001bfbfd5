"""Counting what was published: per theme and span of time, per pair of themes, per query."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np
import orjson
import pyarrow as pa

from transforms.logic.urls import host_of
from transforms.records import (
    ClassifiedArticle,
    QueryTotal,
    ThemeCount,
    ThemePair,
    ToldArticle,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Fact(NamedTuple):
    """One article as it counts for one theme."""

    theme: str
    published_at: float  # seconds since 1970
    source: str
    language: str
    story_id: str
    publisher: str
    focus: bool


def facts_of(told: ToldArticle) -> Iterator[Fact]:
    """One fact for each theme of an article."""
    article = told.article
    publisher = publisher_of(article)
    for hit in article.hits:
        yield Fact(
            hit.theme,
            article.published_at.timestamp(),
            article.source,
            article.language,
            told.story.story_id,
            publisher,
            hit.level == "focus",
        )


def day_of(fact: Fact) -> str:
    """The theme and UTC day of a fact: no bucket of a theme reaches over a day."""
    return f"{fact.theme} {_start(fact.published_at, DAY):%Y-%m-%d}"


def count(facts: Iterable[Fact]) -> Iterator[ThemeCount]:
    """All counts of *facts*: by hour and by day, alone and by source and language.

    Of the four combinations of source and language the hour has the first and the
    last. Copies raise the number of articles alone. Facts of one bucket must come
    together.
    """
    tallies: defaultdict[_Bucket, _Tally] = defaultdict(_Tally)
    for fact in facts:
        hour, day = (_start(fact.published_at, span) for span in (HOUR, DAY))
        theme, source, language = fact.theme, fact.source, fact.language
        for bucket in (
            (theme, hour, HOUR, None, None),
            (theme, hour, HOUR, source, language),
            (theme, day, DAY, None, None),
            (theme, day, DAY, source, None),
            (theme, day, DAY, None, language),
            (theme, day, DAY, source, language),
        ):
            tallies[bucket].add(fact)
    for (theme, start, span, source_or_all, language_or_all), tally in tallies.items():
        yield ThemeCount(
            bucket_start=start,
            bucket_end=start + span,
            theme=theme,
            source=source_or_all,
            language=language_or_all,
            articles=tally.articles,
            stories=len(tally.stories),
            publishers=len(tally.publishers),
            focus=tally.focus,
            mention=tally.articles - tally.focus,
        )


_Bucket = tuple[str, datetime, timedelta, str | None, str | None]


class _Tally:
    def __init__(self) -> None:
        self.articles = self.focus = 0
        self.stories: set[str] = set()
        self.publishers: set[str] = set()

    def add(self, fact: Fact) -> None:
        self.articles += 1
        self.focus += fact.focus
        self.stories.add(fact.story_id)
        self.publishers.add(fact.publisher)


def _start(seconds: float, span: timedelta) -> datetime:
    width = span.total_seconds()
    return datetime.fromtimestamp(seconds // width * width, UTC)


def publisher_of(article: ClassifiedArticle) -> str:
    """The host of its link without 'www.', else its source."""
    host = host_of(article.canonical_url) if article.canonical_url else None
    return host or article.source


class MonitoredTally:
    """How many articles were classified, by hour, source and language.

    What it gives out is for `count_monitored`, which adds up the tallies of many.
    """

    def __init__(self) -> None:
        self._articles: Counter[tuple[int, str, str]] = Counter()

    def add(self, articles: Iterable[tuple[float, str, str]]) -> None:
        """Count articles, each as its date in seconds since 1970, its source and language."""
        self._articles.update(
            (int(time // 3600), source, language) for time, source, language in articles
        )

    def frame(self) -> bytes:
        """What was counted."""
        return orjson.dumps([(*key, articles) for key, articles in self._articles.items()])


def count_monitored(frames: Iterable[bytes]) -> Iterator[tuple[timedelta, pa.Table]]:
    """All counts by hour and by day, as tables with the columns of `MonitoredCount`.

    As tables, since there may be as many counts as articles. *frames* are those of several
    tallies.
    """
    counted = list(chain.from_iterable(map(orjson.loads, frames)))
    hours, sources, languages, articles = zip(*counted, strict=True) if counted else ((),) * 4
    for span in (HOUR, DAY):
        width = span // HOUR
        starts = [hour // width * width for hour in hours]
        table = pa.table(
            {
                "bucket_start": _moments(starts),
                "bucket_end": _moments([start + width for start in starts]),
                "source": pa.array(sources, pa.string()),
                "language": pa.array(languages, pa.string()),
                "articles": pa.array(articles, pa.int64()),
            }
        )
        keys = table.column_names[:-1]
        summed = table.group_by(keys).aggregate([("articles", "sum")])
        yield span, summed.rename_columns([*keys, "articles"])


def _moments(hours: list[int]) -> pa.Array:
    """Hours since 1970 as times."""
    micros = np.array(hours, np.int64) * (HOUR // timedelta(microseconds=1))
    return pa.array(micros, pa.timestamp("us", tz="UTC"))


class Pair(NamedTuple):
    """Two themes in one article; theme_a sorts before theme_b."""

    theme_a: str
    theme_b: str
    story_id: str


def pairs_of(told: ToldArticle) -> Iterator[Pair]:
    """Each pair of themes of an article."""
    names = sorted(hit.theme for hit in told.article.hits)
    for theme_a, theme_b in combinations(names, 2):
        yield Pair(theme_a, theme_b, told.story.story_id)


def count_pairs(pairs: Iterable[Pair]) -> Iterator[ThemePair]:
    """How often each pair is there."""
    stories: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for pair in pairs:
        stories[pair.theme_a, pair.theme_b].append(pair.story_id)
    for (theme_a, theme_b), ids in stories.items():
        yield ThemePair(theme_a=theme_a, theme_b=theme_b, articles=len(ids), stories=len(set(ids)))


class Matched(NamedTuple):
    """A query that matched in an article, and how often."""

    theme: str
    query: str
    story_id: str
    matches: int


def queries_of(told: ToldArticle) -> Iterator[Matched]:
    """Each query that matched in an article."""
    for hit in told.article.hits:
        for query in hit.queries:
            yield Matched(hit.theme, query.query, told.story.story_id, query.matches)


def count_queries(matched: Iterable[Matched]) -> Iterator[QueryTotal]:
    """How often each query matched."""
    found: defaultdict[tuple[str, str], list[Matched]] = defaultdict(list)
    for one in matched:
        found[one.theme, one.query].append(one)
    for (theme, query), ones in found.items():
        yield QueryTotal(
            theme=theme,
            query=query,
            articles=len(ones),
            stories=len({one.story_id for one in ones}),
            matches=sum(one.matches for one in ones),
        )
