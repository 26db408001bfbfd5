"""Counting what was published: per theme and span of time, per pair of themes, per query."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from transforms.records import ClassifiedArticle, Level, Story

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class CountKey(NamedTuple):
    """What a `ThemeCount` counts: None in source or language stands for all of them."""

    bucket_start: datetime
    hours: int
    theme: str
    source: str | None
    language: str | None


class Fact(NamedTuple):
    """One article as it counts under one key."""

    story_id: str
    publisher: str
    level: Level


class Counted(NamedTuple):
    """The numbers of a `ThemeCount`."""

    articles: int
    stories: int
    publishers: int
    focus: int
    mention: int


def bucket_start(at: datetime, hours: int) -> datetime:
    """The start of the hour (hours=1) or UTC day (hours=24) that *at* falls in."""
    start = at.replace(minute=0, second=0, microsecond=0)
    return start if hours == 1 else start.replace(hour=0)


def facts_of(story: Story) -> Iterator[tuple[CountKey, Fact]]:
    """Each article of *story* under each key that it counts for.

    By hour and by day: each theme alone, and with source and language; by day also
    with one of the two.
    """
    for article in story.articles:
        source, language = article.source, article.language
        publisher = publisher_of(article)
        hour = bucket_start(article.published_at, 1)
        day = bucket_start(article.published_at, 24)
        for hit in article.hits:
            fact = Fact(story.story_id, publisher, hit.level)
            yield CountKey(hour, 1, hit.theme, None, None), fact
            yield CountKey(hour, 1, hit.theme, source, language), fact
            yield CountKey(day, 24, hit.theme, None, None), fact
            yield CountKey(day, 24, hit.theme, source, None), fact
            yield CountKey(day, 24, hit.theme, None, language), fact
            yield CountKey(day, 24, hit.theme, source, language), fact


def count(facts: Iterable[Fact]) -> Counted:
    """Count *facts*; copies raise the number of articles alone."""
    stories, publishers = set(), set()
    articles = focus = 0
    for fact in facts:
        articles += 1
        focus += fact.level == "focus"
        stories.add(fact.story_id)
        publishers.add(fact.publisher)
    return Counted(articles, len(stories), len(publishers), focus, articles - focus)


def publisher_of(article: ClassifiedArticle) -> str:
    """The host of its link without 'www.', else its source."""
    host = urlsplit(article.canonical_url).hostname if article.canonical_url else None
    return host.removeprefix("www.") if host else article.source


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
