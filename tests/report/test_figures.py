"""The numbers of the report are those of its stories."""

from datetime import date, timedelta
from pathlib import Path

from pipeline.history import History
from pipeline.report.figures import (
    count_by,
    count_news,
    count_pairs,
    judge_themes,
    last_day,
    monitored_by_day,
    risen_terms,
)
from pipeline.report.stories import ToldStory, read_stories
from tests.report.outputs import NOW, THEMES, alert_of, article, theme, write_months, write_run

TODAY = NOW.date()


def told(out: Path) -> list[ToldStory]:
    return read_stories(History(out))[0]


def test_news_are_counted_by_their_age_and_backfill_is_none(tmp_path: Path) -> None:
    for number, ago in enumerate((timedelta(days=30), timedelta(days=3), timedelta(hours=9))):
        write_run(tmp_path, [article(number)], as_of=NOW - ago)
    old, new = article(8), article(9)
    alerts = [alert_of(old, old.themes[0], backfill=True), alert_of(new, new.themes[0])]
    write_run(tmp_path, [old, new], alerts=alerts)
    counted = {one.theme: one[1:] for one in count_news(told(tmp_path), THEMES, _id(), NOW)}
    assert counted == {
        "encryption": (0, 0, 0, 0),
        "migration": (1, 2, 3, 5),
        "organised_crime": (0, 0, 0, 0),
    }


def _id() -> str:
    return f"{NOW:%Y%m%dT%H%M%SZ}"


def test_copies_are_one_story_of_each_day_that_tells_it(tmp_path: Path) -> None:
    yesterday = NOW - timedelta(days=1)
    copies = [
        article(1, story_id="1wire", source="A", published_at=yesterday),
        article(2, story_id="1wire", source="B", published_at=yesterday),
        article(3, story_id="1wire", source="B", published_at=NOW - timedelta(hours=2)),
    ]
    write_run(tmp_path, copies)
    stories = told(tmp_path)
    days = judge_themes(stories, THEMES, monitored_by_day(History(tmp_path)), TODAY)
    assert [one.stories for one in days["migration"]][-3:] == [0, 1, 1]
    assert days["migration"][-1].basis is None
    matrix = count_by(lambda member: member.source, stories, THEMES, TODAY)
    assert matrix.counts == {("A", "migration"): 1, ("B", "migration"): 1}


def test_bursts_of_generated_months_are_found(tmp_path: Path) -> None:
    write_months(tmp_path, days=60, stories=40)
    history = History(tmp_path)
    days = judge_themes(told(tmp_path), THEMES, monitored_by_day(history), TODAY)
    assert [one.day for one in days["organised_crime"] if one.burst][-2:] == [
        TODAY - timedelta(days=1),
        TODAY,
    ]
    assert all(one.basis == "weekday" for one in days["migration"][-7:])
    terms = risen_terms(told(tmp_path), TODAY)
    assert terms.words[0].risen.term == "drug cartel"
    assert terms.words[0].themes == ("organised_crime",)
    assert "rotterdam" in {one.risen.term for one in terms.headlines}


def test_the_busiest_rows_come_first_and_many_are_left_out(tmp_path: Path) -> None:
    articles = [
        article(100 * number + n, source=f"S{number:02}")
        for number in range(15)
        for n in range(number + 1)
    ]
    write_run(tmp_path, articles)
    matrix = count_by(lambda member: member.source, told(tmp_path), THEMES, TODAY)
    assert matrix.rows[:2] == ("S14", "S13")
    assert (len(matrix.rows), matrix.left_out) == (12, 3)


def test_pairs_of_themes_are_counted_both_ways(tmp_path: Path) -> None:
    write_run(tmp_path, [article(1, theme("migration"), theme("encryption")), article(2)])
    matrix = count_pairs(told(tmp_path), THEMES, TODAY)
    assert matrix.counts["migration", "encryption"] == 1
    assert matrix.counts["encryption", "migration"] == 1
    assert matrix.counts["migration", "migration"] == 2


def test_of_an_archive_the_charts_end_with_its_last_day(tmp_path: Path) -> None:
    write_run(tmp_path, [article(1, published_at=NOW.replace(year=2005))])
    assert last_day(told(tmp_path), NOW) == date(2005, 11, 24)
    assert last_day([], NOW) == TODAY


def test_what_is_dated_ahead_does_not_move_the_charts(tmp_path: Path) -> None:
    write_run(tmp_path, [article(1, published_at=NOW + timedelta(days=1))])
    assert last_day(told(tmp_path), NOW) == TODAY
