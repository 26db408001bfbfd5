"""Counting articles, stories and publishers."""

from datetime import UTC, datetime

from tests.articles import classified, hit, told
from transforms.logic.counts import HOUR, count, day_of, facts_of, pairs_of, publisher_of
from transforms.records import ClassifiedArticle, ThemeCount


def counted(*articles: ClassifiedArticle) -> list[ThemeCount]:
    """The counts of one story."""
    return list(count(fact for one in told(*articles) for fact in facts_of(one)))


def test_copies_raise_the_number_of_articles_alone() -> None:
    copy = classified("b", canonical_url="https://paper.example/b", hits=(hit(level="mention"),))
    day = counted(classified("a"), copy)[2]
    numbers = (day.articles, day.stories, day.publishers, day.focus, day.mention)
    assert numbers == (2, 1, 1, 1, 1)


def test_buckets_begin_at_the_hour_and_at_midnight() -> None:
    buckets = {(c.bucket_start, c.bucket_end) for c in counted(classified())}
    assert buckets == {
        (datetime(2026, 11, 23, 18, tzinfo=UTC), datetime(2026, 11, 23, 19, tzinfo=UTC)),
        (datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)),
    }


def test_an_article_counts_alone_and_with_source_and_language() -> None:
    found = counted(classified())
    spans = [(int((c.bucket_end - c.bucket_start) / HOUR), c.source, c.language) for c in found]
    assert spans == [
        (1, None, None),
        (1, "Paper", "en"),
        (24, None, None),
        (24, "Paper", None),
        (24, None, "en"),
        (24, "Paper", "en"),
    ]


def test_facts_meet_by_theme_and_day() -> None:
    (one,) = told(classified(hits=(hit("encryption"), hit("migration"))))
    assert list(map(day_of, facts_of(one))) == ["encryption 2026-11-23", "migration 2026-11-23"]


def test_a_publisher_is_a_host_or_else_a_source() -> None:
    assert publisher_of(classified(canonical_url="https://www.x.example/1")) == "x.example"
    assert publisher_of(classified(canonical_url=None)) == "Paper"


def test_pairs_of_themes_are_sorted() -> None:
    (one,) = told(classified(hits=(hit("organised_crime"), hit("migration"))))
    assert list(pairs_of(one)) == [("migration", "organised_crime", one.story.story_id)]
