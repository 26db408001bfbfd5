"""Counting what was published: per theme and span of time, per pair of themes, per query."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from transforms.logic.urls import host_of
from transforms.records import ClassifiedArticle, Story, ThemeCount

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Fact(NamedTuple):
    """One article as it counts for one theme."""

    published_at: float  # seconds since 1970
    source: str
    language: str
    story_id: str
    publisher: str
    focus: bool


def facts_of(story: Story) -> Iterator[tuple[tuple[str, str], Fact]]:
    """For each theme of each article of *story*: (theme, UTC day), and the fact.

    No bucket of a theme reaches over a day, so facts that meet by theme and day can
    be counted together.
    """
    for article in story.articles:
        day = article.published_at.date().isoformat()
        publisher = publisher_of(article)
        for hit in article.hits:
            yield (
                (hit.theme, day),
                Fact(
                    article.published_at.timestamp(),
                    article.source,
                    article.language,
                    story.story_id,
                    publisher,
                    hit.level == "focus",
                ),
            )


def count(theme: str, facts: Iterable[Fact]) -> Iterator[ThemeCount]:
    """All counts of one theme and day: by hour and by day, alone and by source and language.

    Of the four combinations of source and language the hour has the first and the
    last. Copies raise the number of articles alone.
    """
    tallies: defaultdict[_Bucket, _Tally] = defaultdict(_Tally)
    for fact in facts:
        hour, day = (_start(fact.published_at, span) for span in (HOUR, DAY))
        source, language = fact.source, fact.language
        for bucket in (
            (hour, HOUR, None, None),
            (hour, HOUR, source, language),
            (day, DAY, None, None),
            (day, DAY, source, None),
            (day, DAY, None, language),
            (day, DAY, source, language),
        ):
            tallies[bucket].add(fact)
    for (start, span, source_or_all, language_or_all), tally in tallies.items():
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


_Bucket = tuple[datetime, timedelta, str | None, str | None]


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


def pairs_of(story: Story) -> Iterator[tuple[tuple[str, str], str]]:
    """(theme_a, theme_b) and the story's id for each pair of themes in each article."""
    for article in story.articles:
        names = sorted(hit.theme for hit in article.hits)
        for index, first in enumerate(names):
            for second in names[index + 1 :]:
                yield (first, second), story.story_id


def queries_of(story: Story) -> Iterator[tuple[tuple[str, str], tuple[str, int]]]:
    """(theme, query) with the story's id and the matches, for each query in each article."""
    for article in story.articles:
        for hit in article.hits:
            for query in hit.queries:
                yield (hit.theme, query.query), (story.story_id, query.matches)
