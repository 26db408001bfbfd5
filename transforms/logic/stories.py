"""From copies to a story, and from a story to its alerts."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from transforms.records import (
    Alert,
    AlertArticle,
    AlertStory,
    ClassifiedArticle,
    Story,
    StoryArticle,
    ToldArticle,
)


class ThemeFacts(NamedTuple):
    """What an alert says of its theme besides the name."""

    version: str
    codes: dict[str, tuple[str, ...]]


def outline(article: ClassifiedArticle) -> StoryArticle:
    """What a story needs to know of *article*."""
    return StoryArticle(
        article_id=article.article_id,
        source=article.source,
        published_at=article.published_at,
        published_from=article.published_from,
        seen_at=article.seen_at,
        levels={hit.theme: hit.level for hit in article.hits},
    )


def tell_story(copies: Iterable[StoryArticle]) -> Story:
    """One story of *copies*; the lead is the earliest published, ties by article_id.

    An article without a date of its own leads only where none has one: the time of
    reading says nothing about who was first.
    """
    articles = sorted(copies, key=_order)
    voices: dict[str, StoryArticle] = {}
    for article in articles:
        for theme, level in article.levels.items():
            voice = voices.setdefault(theme, article)
            if level == "focus" and voice.levels[theme] == "mention":
                voices[theme] = article
    lead, *others = articles
    return Story(
        story_id=_hash("story", lead.article_id),
        lead=lead,
        others=tuple(others),
        voices={theme: voice.article_id for theme, voice in sorted(voices.items())},
    )


def alerts_of(
    told: ToldArticle, themes: Mapping[str, ThemeFacts], backfill_after: timedelta
) -> Iterator[Alert]:
    """The alerts that an article raises: one for each theme for which its story speaks by it.

    So all articles of a story together raise one alert for each of its themes.
    `backfill` is set where the story's lead was older than *backfill_after* when it
    was seen.
    """
    article, story = told.article, told.story
    hits = [hit for hit in article.hits if story.voices[hit.theme] == article.article_id]
    if not hits:
        return
    summary = AlertStory(
        story_id=story.story_id,
        articles=len(story.articles),
        sources=tuple(sorted({one.source for one in story.articles})),
        article_ids=tuple(one.article_id for one in story.articles),
    )
    for hit in hits:
        yield Alert(
            alert_id=_hash("alert", hit.theme, story.story_id),
            theme=hit.theme,
            theme_version=themes[hit.theme].version,
            codes=themes[hit.theme].codes,
            level=hit.level,
            score=hit.score,
            backfill=story.lead.seen_at - story.lead.published_at > backfill_after,
            story=summary,
            article=_alert_article(article),
            evidence=hit.evidence,
        )


def _order(article: StoryArticle) -> tuple[bool, datetime, str]:
    undated = article.published_from == "reading"
    return undated, article.published_at, article.article_id


def _alert_article(article: ClassifiedArticle) -> AlertArticle:
    return AlertArticle(**{name: getattr(article, name) for name in AlertArticle.model_fields})


def _hash(*parts: str) -> str:
    """A version prefix, and 128 bits of BLAKE2b over *parts*, which hold no line feed."""
    return "1" + hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
