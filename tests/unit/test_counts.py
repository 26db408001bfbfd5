"""Counting articles, stories and publishers."""

from datetime import UTC, datetime

from tests.articles import classified, hit
from transforms.logic.counts import Fact, bucket_start, count, facts_of, pairs_of, publisher_of
from transforms.logic.stories import tell_story


def test_copies_raise_the_number_of_articles_alone() -> None:
    facts = [Fact("s", "paper.example", "focus"), Fact("s", "paper.example", "mention")]
    assert count(facts)._asdict() == {
        "articles": 2, "stories": 1, "publishers": 1, "focus": 1, "mention": 1,
    }  # fmt: skip


def test_buckets_begin_at_the_hour_and_at_midnight() -> None:
    at = datetime(2026, 11, 23, 18, 20, 7, 5, tzinfo=UTC)
    assert bucket_start(at, 1) == datetime(2026, 11, 23, 18, tzinfo=UTC)
    assert bucket_start(at, 24) == datetime(2026, 11, 23, tzinfo=UTC)


def test_an_article_counts_alone_and_with_source_and_language() -> None:
    keys = [(k.hours, k.source, k.language) for k, _ in facts_of(tell_story([classified()]))]
    assert keys == [
        (1, None, None),
        (1, "Paper", "en"),
        (24, None, None),
        (24, "Paper", None),
        (24, None, "en"),
        (24, "Paper", "en"),
    ]


def test_a_publisher_is_a_host_or_else_a_source() -> None:
    assert publisher_of(classified(canonical_url="https://www.x.example/1")) == "x.example"
    assert publisher_of(classified(canonical_url=None)) == "Paper"


def test_pairs_of_themes_are_sorted() -> None:
    story = tell_story([classified(hits=(hit("organised_crime"), hit("migration")))])
    assert list(pairs_of(story)) == [(("migration", "organised_crime"), story.story_id)]
