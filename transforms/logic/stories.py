"""From copies to a story, and from a story to its alerts."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import NamedTuple

from transforms.records import (
    Alert,
    AlertArticle,
    AlertStory,
    ClassifiedArticle,
    Story,
    ThemeHit,
)


class ThemeFacts(NamedTuple):
    """What an alert says of its theme besides the name."""

    version: str
    codes: dict[str, tuple[str, ...]]


def tell_story(copies: Iterable[ClassifiedArticle]) -> Story:
    """One story of *copies*; the lead is the earliest published, ties by article_id.

    An article without a date of its own leads only where none has one: the time of
    reading says nothing about who was first.
    """
    lead, *others = sorted(copies, key=_order)
    story_id = _hash("story", lead.article_id)
    return Story(story_id=story_id, lead=lead, others=tuple(others))


def alerts_of(
    story: Story, themes: Mapping[str, ThemeFacts], backfill_after: timedelta
) -> list[Alert]:
    """One alert for each theme that any article of *story* has, in the order of theme names.

    The evidence is of the story's first article that has the theme at its highest
    level. `backfill` is set where the story's lead was older than *backfill_after*
    when it was seen.
    """
    found: dict[str, tuple[ClassifiedArticle, ThemeHit]] = {}
    for article in story.articles:
        for hit in article.hits:
            best = found.get(hit.theme)
            if best is None or (best[1].level == "mention" and hit.level == "focus"):
                found[hit.theme] = article, hit
    summary = AlertStory(
        story_id=story.story_id,
        articles=len(story.articles),
        sources=tuple(sorted({article.source for article in story.articles})),
        article_ids=tuple(article.article_id for article in story.articles),
    )
    backfill = story.lead.seen_at - story.lead.published_at > backfill_after
    return [
        Alert(
            alert_id=_hash("alert", theme, story.story_id),
            theme=theme,
            theme_version=themes[theme].version,
            codes=themes[theme].codes,
            level=hit.level,
            score=hit.score,
            backfill=backfill,
            story=summary,
            article=_alert_article(article),
            evidence=hit.evidence,
        )
        for theme, (article, hit) in sorted(found.items())
    ]


def _order(article: ClassifiedArticle) -> tuple[bool, float, str]:
    undated = article.published_from == "reading"
    return undated, article.published_at.timestamp(), article.article_id


def _alert_article(article: ClassifiedArticle) -> AlertArticle:
    return AlertArticle(**{name: getattr(article, name) for name in AlertArticle.model_fields})


def _hash(*parts: str) -> str:
    """A version prefix, and 128 bits of BLAKE2b over *parts*, which hold no line feed."""
    return "1" + hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
