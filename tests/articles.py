"""Valid records for tests: each factory takes what the test is about."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from transforms.logic.stories import outline, tell_story
from transforms.records import (
    ClassifiedArticle,
    Evidence,
    Origin,
    QueryCount,
    ThemeHit,
    ToldArticle,
)

SEEN_AT = datetime(2026, 11, 24, 6, tzinfo=UTC)


def hit(theme: str = "migration", **changes: Any) -> ThemeHit:
    evidence = Evidence(
        query="asylum", words="asylum", field="text", start=4, end=10, sentence="The asylum law."
    )
    values: dict[str, Any] = {
        "theme": theme,
        "score": 3.0,
        "level": "focus",
        "evidence": (evidence,),
        "queries": (QueryCount(query="asylum", matches=2),),
    }
    return ThemeHit(**(values | changes))


def classified(article_id: str = "a", **changes: Any) -> ClassifiedArticle:
    values: dict[str, Any] = {
        "article_id": article_id,
        "url": f"https://paper.example/{article_id}",
        "canonical_url": f"https://paper.example/{article_id}",
        "guid": None,
        "title": "A law",
        "language": "en",
        "published_at": datetime(2026, 11, 23, 18, 20, tzinfo=UTC),
        "published_from": "file",
        "published_raw": "2026-11-23T18:20:00Z",
        "updated_at": None,
        "seen_at": SEEN_AT,
        "source": "Paper",
        "authors": (),
        "origin": Origin(path="articles.jsonl", offset=0),
        "text_hash": sha256(article_id.encode()).hexdigest(),
        "copy_key": f"copy-{article_id}",
        "words": 100,
        "hits": (hit(),),
    }
    return ClassifiedArticle(**(values | changes))


def told(*articles: ClassifiedArticle) -> list[ToldArticle]:
    """The articles of one story, each with it."""
    story = tell_story(map(outline, articles))
    return [ToldArticle(article=article, story=story) for article in articles]
