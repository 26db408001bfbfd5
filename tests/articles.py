"""Valid records for tests: each factory takes what the test is about."""

from datetime import UTC, datetime
from typing import Any

from transforms.logic.identity import copy_key, short_hash, text_hash
from transforms.logic.near_duplicates import signature
from transforms.logic.stories import outline, tell_story
from transforms.records import (
    ClassifiedArticle,
    Evidence,
    KnownArticle,
    Origin,
    QueryCount,
    ThemeHit,
    ToldArticle,
)

A, B, C, D = (f"1{letter * 32}" for letter in "abcd")
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


def classified(article_id: str = A, **changes: Any) -> ClassifiedArticle:
    text = changes.pop("text", f"What {article_id} says is said nowhere else.")
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
        "text_hash": text_hash("A law", text),
        "copy_key": copy_key("A law", text),
        "signature": signature("A law", text),
        "words": 100,
        "hits": (hit(),),
        "known": None,
    }
    return ClassifiedArticle(**(values | changes))


def known(article: ClassifiedArticle, story_id: str | None = None, **changes: Any) -> KnownArticle:
    """What the ledger says of *article* after a run that saw it as it is."""
    values: dict[str, Any] = {
        "article_id": article.article_id,
        "text_hash": short_hash(article.text_hash),
        "published_at": article.published_at,
        "published_from": article.published_from,
        "last_seen_at": SEEN_AT,
        "story_id": story_id,
        "levels": {one.theme: one.level for one in article.hits},
        "themes": "themes",
    }
    return KnownArticle(**(values | changes))


def told(*articles: ClassifiedArticle) -> list[ToldArticle]:
    """The articles of one new story, each with it."""
    story = tell_story(map(outline, articles))
    return [ToldArticle(article=article, story=story) for article in articles]
