"""The same figures from `stats`, the aggregates of runs, the report and a database."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.config import PipelineConfig
from pipeline.history import History
from pipeline.report.figures import (
    RECENT,
    SHOWN,
    count_by,
    count_pairs,
    judge_themes,
    monitored_by_day,
    risen_terms,
)
from pipeline.report.stories import read_stories
from pipeline.sinks.base import Delivery
from pipeline.sinks.database.settings import DatabaseSettings
from pipeline.stats.bursts import Manner, judge
from pipeline.stats.counting import Question, count, count_with_change
from pipeline.stats.database import ToldInDatabase, database_settings
from pipeline.stats.facts import Period, Selection
from pipeline.stats.pairs import pairs
from pipeline.stats.top import top_stories, top_terms
from tests.end_to_end.test_run import run
from tests.report.outputs import NOW, THEMES, write_months
from transforms.errors import ConfigError

LAST = NOW.date()
SHOWN_ON_THE_PAGE = Period(
    datetime(2026, 11, 25, tzinfo=UTC) - SHOWN, datetime(2026, 11, 25, tzinfo=UTC)
)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("seeds"), "seeds/*")


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> History:
    out = tmp_path_factory.mktemp("months")
    write_months(out, days=70, stories=30)
    return History(out)


@pytest.mark.parametrize(
    "table",
    [
        "theme_by_hour",
        "theme_by_day",
        "theme_source_by_day",
        "theme_language_by_day",
        "theme_source_language_by_hour",
        "theme_source_language_by_day",
    ],
)
def test_counts_are_those_of_the_aggregates(seeds: Path, table: str) -> None:
    *names, grain = table.replace("_by", "").split("_")
    by: Any = ("bucket_start", *names)
    written = pq.read_table(seeds / "aggregates" / f"{table}.parquet").to_pylist()
    assert written
    told = History(seeds.parent.parent)
    counted = count(told, Question((grain, *names)))  # type: ignore[arg-type]
    assert {one.key: one[1:4] for one in counted} == {
        tuple(row[name] for name in by): (row["articles"], row["stories"], row["publishers"])
        for row in written
    }


@pytest.mark.parametrize("level", ["focus", "mention"])
def test_levels_are_those_of_the_aggregates(seeds: Path, level: Any) -> None:
    written = pq.read_table(seeds / "aggregates" / "theme_by_day.parquet").to_pylist()
    counted = count(
        History(seeds.parent.parent),
        Question(("day", "theme"), selection=Selection(levels=(level,))),
    )
    assert {one.key: one.articles for one in counted} == {
        (row["bucket_start"], row["theme"]): row[level] for row in written if row[level]
    }


def test_what_was_monitored_is_what_was_classified(seeds: Path) -> None:
    history = History(seeds.parent.parent)
    (all_together,) = count(history, Question())
    assert all_together.monitored == history.runs[0].manifest.counts.classified
    by_hour = count(history, Question(("hour",)))
    written = pq.read_table(seeds / "aggregates" / "monitored_by_hour.parquet").to_pylist()
    watched = {row["bucket_start"]: 0 for row in written}
    for row in written:
        watched[row["bucket_start"]] += row["articles"]
    assert by_hour
    assert all(one.monitored == watched[one.key[0]] for one in by_hour)


def test_articles_of_pairs_are_those_of_the_aggregates(seeds: Path) -> None:
    written = pq.read_table(seeds / "aggregates" / "theme_pairs.parquet").to_pylist()
    found = pairs(History(seeds.parent.parent), Question())
    assert {(one.theme_a, one.theme_b): one.articles for one in found if one.articles} == {
        (row["theme_a"], row["theme_b"]): row["articles"] for row in written
    }


def test_counts_by_source_and_language_are_those_of_the_page(months: History) -> None:
    stories, _ = read_stories(months)
    for name in ("source", "language"):
        page = count_by(lambda member: getattr(member, name), stories, THEMES, LAST)  # noqa: B023
        counted = count(months, Question((name, "theme"), SHOWN_ON_THE_PAGE))  # type: ignore[arg-type]
        assert page.counts == {one.key: one.stories for one in counted}


def test_bursts_are_those_of_the_page(months: History) -> None:
    stories, _ = read_stories(months)
    page = judge_themes(stories, THEMES, monitored_by_day(months), LAST)
    found = judge(months, SHOWN_ON_THE_PAGE, Selection(), Manner())
    assert sum(one.judged.burst for one in found) >= 2
    assert {(one.bucket.theme, one.judged) for one in found} == {
        (theme, day) for theme, days in page.items() for day in days if day.stories >= 3
    }


def test_pairs_are_those_of_the_page(months: History) -> None:
    stories, _ = read_stories(months)
    page = count_pairs(stories, THEMES, LAST).counts
    found = pairs(months, Question(period=SHOWN_ON_THE_PAGE))
    assert len(found) == 3
    for pair in found:
        assert pair.stories == page[pair.theme_a, pair.theme_b]
        assert pair.stories_a == page[pair.theme_a, pair.theme_a]
        assert pair.stories_b == page[pair.theme_b, pair.theme_b]


def test_terms_are_those_of_the_page(months: History) -> None:
    stories, _ = read_stories(months)
    page = risen_terms(stories, LAST)
    assert SHOWN_ON_THE_PAGE.until
    week = Period(SHOWN_ON_THE_PAGE.until - RECENT, SHOWN_ON_THE_PAGE.until)
    found = top_terms(months, Question(period=week))
    for where, terms in (("evidence", page.words), ("headline", page.headlines)):
        assert terms
        ours = [one.risen for one in found if one.where == where]
        assert ours[: len(terms)] == [term.risen for term in terms]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'news.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@contextmanager
def delivered(history: History, url: str) -> Iterator[ToldInDatabase]:
    settings = DatabaseSettings(kind="database", name="news", url=url)
    with closing(settings.open(history.out)) as sink:
        for one in history.runs:
            sink.deliver(Delivery(one, "", history, "", lambda _: None))
    with closing(ToldInDatabase(database_settings(url, PipelineConfig()))) as stored:
        yield stored


def questions() -> Iterable[Question]:
    week = Period(datetime(2026, 11, 17, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC))
    some = Selection(themes=("migration",), languages=("en", "fr"), levels=("focus",))
    yield Question(("day", "theme"), week)
    yield Question(("week", "source", "language", "country"), SHOWN_ON_THE_PAGE)
    yield Question(("tag", "level"), week, some)


def test_a_database_says_the_same(months: History, database: str) -> None:
    with delivered(months, database) as stored:
        assert stored.newest() == NOW
        for question in questions():
            assert count(stored, question) == count(months, question) != []
            assert count_with_change(stored, question) == count_with_change(months, question)
            assert pairs(stored, question) == pairs(months, question)
            assert top_stories(stored, question) == top_stories(months, question) != []
            assert top_terms(stored, question) == top_terms(months, question)
        for manner in (Manner(), Manner(by="source")):
            asked = SHOWN_ON_THE_PAGE, Selection(), manner
            assert judge(stored, *asked) == judge(months, *asked) != []


def test_a_database_knows_no_hours_of_what_was_monitored(months: History, tmp_path: Path) -> None:
    with delivered(months, f"sqlite:///{tmp_path / 'news.sqlite'}") as stored:
        by_hour = count(stored, Question(("hour",), Period(NOW - timedelta(days=2))))
    assert by_hour
    assert {one.share for one in by_hour} == {None}


def test_a_database_is_not_made_by_being_asked(tmp_path: Path) -> None:
    path = tmp_path / "none.sqlite"
    with pytest.raises(ConfigError, match="there is no such database"):
        ToldInDatabase(database_settings(f"sqlite:///{path}", PipelineConfig()))
    assert not path.exists()
    path.touch()
    settings = database_settings(f"sqlite:///{path}", PipelineConfig())
    with (
        closing(ToldInDatabase(settings)) as empty,
        pytest.raises(ConfigError, match=r"cannot read .*none.sqlite: no such table"),
    ):
        empty.newest()
