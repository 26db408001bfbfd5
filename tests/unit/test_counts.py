"""Counting articles, stories and publishers."""

from datetime import UTC, datetime

from tests.articles import classified, hit, told
from transforms.logic.counts import (
    DAY,
    HOUR,
    MonitoredTally,
    count,
    count_monitored,
    day_of,
    facts_of,
    pairs_of,
    publisher_of,
)
from transforms.records import ClassifiedArticle, MonitoredCount, ThemeCount


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


def seconds(hour: int, minute: int = 0, day: int = 23) -> float:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()


def test_all_that_was_monitored_is_counted_by_hour_and_day() -> None:
    tallies = MonitoredTally(), MonitoredTally(), MonitoredTally()
    tallies[0].add([(seconds(18, 59), "Paper", "en"), (seconds(18), "Paper", "en")])
    tallies[0].add([(seconds(18), "Paper", "fr"), (seconds(0, day=24), "Paper", "en")])
    tallies[1].add([(seconds(19), "Paper", "en"), (seconds(18, 1), "Blatt", "de")])
    counts = dict(count_monitored(tally.frame() for tally in tallies))
    found = {
        span: {
            (row["bucket_start"].strftime("%dT%H"), row["source"], row["language"]): row["articles"]
            for row in table.to_pylist()
            if row["bucket_end"] - row["bucket_start"] == span
        }
        for span, table in counts.items()
    }
    assert found == {
        HOUR: {
            ("23T18", "Paper", "en"): 2,
            ("23T18", "Paper", "fr"): 1,
            ("23T18", "Blatt", "de"): 1,
            ("23T19", "Paper", "en"): 1,
            ("24T00", "Paper", "en"): 1,
        },
        DAY: {
            ("23T00", "Paper", "en"): 3,
            ("23T00", "Paper", "fr"): 1,
            ("23T00", "Blatt", "de"): 1,
            ("24T00", "Paper", "en"): 1,
        },
    }


def test_nothing_monitored_is_no_row() -> None:
    tables = dict(count_monitored([MonitoredTally().frame()]))
    assert {span: table.num_rows for span, table in tables.items()} == {HOUR: 0, DAY: 0}
    assert all(table.column_names == list(MonitoredCount.model_fields) for table in tables.values())


def test_a_time_before_1970_has_its_own_hour() -> None:
    tally = MonitoredTally()
    tally.add([(-1.0, "Paper", "en")])
    (row,) = dict(count_monitored([tally.frame()]))[HOUR].to_pylist()
    assert row["bucket_end"] == datetime(1970, 1, 1, tzinfo=UTC)


def test_facts_meet_by_theme_and_day() -> None:
    (one,) = told(classified(hits=(hit("encryption"), hit("migration"))))
    assert list(map(day_of, facts_of(one))) == ["encryption 2026-11-23", "migration 2026-11-23"]


def test_a_publisher_is_a_host_or_else_a_source() -> None:
    assert publisher_of(classified(canonical_url="https://www.x.example/1")) == "x.example"
    assert publisher_of(classified(canonical_url=None)) == "Paper"


def test_pairs_of_themes_are_sorted() -> None:
    (one,) = told(classified(hits=(hit("organised_crime"), hit("migration"))))
    assert list(pairs_of(one)) == [("migration", "organised_crime", one.story.story_id)]
