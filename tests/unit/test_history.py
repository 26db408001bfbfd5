"""What all runs below a folder have told, taken together."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pipeline.feeds.outcomes import FeedReport
from pipeline.history import History, aggregate_of, articles_of
from pipeline.manifest import ARTICLES, FEEDS, MANIFEST, ToldCounts, alert_file
from pipeline.run import count_told
from pipeline.sinks.run_files import json_line, write_table
from tests.articles import A, B, C, classified, hit, told
from tests.unit.test_status import manifest
from transforms.logic.stories import ThemeFacts, alerts_of, summary_of
from transforms.records import Alert, MonitoredCount, ToldArticle

DAY = timedelta(days=1)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(day: int) -> datetime:
    return NOON + day * DAY


def write_run(
    out: Path,
    sequence: int,
    articles: Sequence[ToldArticle] = (),
    alerts: Sequence[Alert] = (),
    monitored: Sequence[MonitoredCount] = (),
    formats: Sequence[str] = ("parquet",),
    **more: Any,
) -> str:
    """A complete run of a day, with what it told; its id."""
    run_id = f"run-{sequence}"
    folder = out / "runs" / run_id
    (folder / "alerts").mkdir(parents=True)
    lines = sorted(json_line(summary_of(one)) for one in articles)
    (folder / ARTICLES).write_bytes(zstandard.compress(b"".join(line + b"\n" for line in lines)))
    for theme in ("encryption", "migration"):
        said = [json_line(alert) + b"\n" for alert in alerts if alert.theme == theme]
        (folder / alert_file(theme)).write_bytes(b"".join(said))
    for table in ("monitored_by_day", "monitored_by_hour"):
        write_table(folder / "aggregates", table, MonitoredCount, monitored, formats)
    made = manifest(sequence, at(sequence), run_id=run_id, told=count_told(folder), **more)
    (folder / MANIFEST).write_text(made.model_dump_json())
    return run_id


def one(article_id: str, **changes: Any) -> ToldArticle:
    (found,) = told(classified(article_id, **changes))
    return found


def test_the_newest_run_says_what_an_article_is(tmp_path: Path) -> None:
    write_run(tmp_path, 1, [one(A, title="old"), one(B)])
    write_run(tmp_path, 2, [one(A, title="new", hits=())])
    table = History(tmp_path).articles()
    assert table.select(["article_id", "title", "run_id"]).to_pylist() == [
        {"article_id": A, "title": "new", "run_id": "run-2"},
        {"article_id": B, "title": "A law", "run_id": "run-1"},
    ]
    assert table["themes"].to_pylist()[0] == []


def test_rows_are_what_the_lines_say(tmp_path: Path) -> None:
    said = one(A, tags=("wire", "eu"), updated_at=at(0), url=None, hits=(hit("b"), hit("a")))
    write_run(tmp_path, 1, [said])
    history = History(tmp_path)
    (row,) = history.articles().drop_columns(["run_id"]).to_pylist()
    summary = summary_of(said)
    assert [theme.theme for theme in summary.themes] == ["a", "b"]
    assert row == summary.model_dump() | {
        "tags": list(summary.tags),
        "themes": [theme.model_dump() for theme in summary.themes],
    }
    assert list(articles_of(history.runs[0])) == [summary]


def test_articles_are_those_of_a_time(tmp_path: Path) -> None:
    write_run(tmp_path, 1, [one(A, published_at=at(1)), one(B, published_at=at(3))])
    write_run(tmp_path, 2, [one(C, published_at=at(2))])
    history = History(tmp_path)

    def ids(since: int | None, until: int | None) -> list[str]:
        span = [None if day is None else at(day) for day in (since, until)]
        return history.articles(*span)["article_id"].to_pylist()

    assert ids(None, None) == [A, C, B]
    assert ids(2, None) == [C, B]
    assert ids(None, 2) == [A]
    assert ids(2, 3) == [C]
    assert ids(4, None) == []


def test_only_runs_with_articles_of_the_time_are_read(tmp_path: Path) -> None:
    write_run(tmp_path, 1, [one(A, published_at=at(1))])
    write_run(tmp_path, 2, [one(B, published_at=at(2))])
    (tmp_path / "runs" / "run-1" / ARTICLES).write_bytes(b"not to be read")
    assert History(tmp_path).articles(since=at(2))["article_id"].to_pylist() == [B]
    with pytest.raises(zstandard.ZstdError):
        History(tmp_path).articles()


def test_a_run_of_an_older_version_or_that_is_removed_tells_nothing(tmp_path: Path) -> None:
    write_run(tmp_path, 1, [one(A)])
    write_run(tmp_path, 2, [one(B)])
    history = History(tmp_path)
    assert len(history.runs) == 2
    (tmp_path / "runs" / "run-1" / ARTICLES).unlink()
    assert history.articles()["article_id"].to_pylist() == [B]


def test_a_line_may_be_long(tmp_path: Path) -> None:
    title = "ä" * 3_000_000
    write_run(tmp_path, 1, [one(A, title=title), one(B, title=title)])
    assert History(tmp_path).articles()["title"].to_pylist() == [title, title]


def alert_of(article: ToldArticle, **changes: Any) -> Alert:
    facts = {"migration": ThemeFacts("v", {})}
    (alert,) = alerts_of(article, facts, DAY)
    return Alert.model_validate({**alert.model_dump(), **changes})


def test_the_last_thing_said_of_a_theme_and_story_holds(tmp_path: Path) -> None:
    first, second = alert_of(one(A)), alert_of(one(B))
    assert first.story.story_id != second.story.story_id
    follows = {"refers_to": first.alert_id, "change": "rose_to_focus", "cause": "text_edited"}
    update = alert_of(one(A), alert_id="u", kind="update", **follows)
    cancel = alert_of(one(B), alert_id="c", kind="cancel", evidence=(), refers_to=second.alert_id)
    write_run(tmp_path, 1, alerts=[first, second])
    write_run(tmp_path, 2, alerts=[update])
    write_run(tmp_path, 3, alerts=[cancel])
    states = list(History(tmp_path).alerts())
    said = [(state.alert.alert_id, state.run_id, state.cancelled) for state in states]
    assert said == [("c", "run-3", True), ("u", "run-2", False)]


def count(day: int, source: str, articles: int) -> MonitoredCount:
    start = NOON.replace(hour=0) + day * DAY
    return MonitoredCount(
        bucket_start=start, bucket_end=start + DAY, source=source, language="en", articles=articles
    )


@pytest.mark.parametrize("formats", [("csv",), ("parquet",), ("csv", "parquet")], ids=str)
def test_what_was_monitored_is_summed(tmp_path: Path, formats: Sequence[str]) -> None:
    first = [count(0, "Paper", 3), count(1, "=Paper", 1)]
    write_run(tmp_path, 1, monitored=first, formats=formats)
    write_run(tmp_path, 2, monitored=[count(1, "=Paper", 2)], formats=formats)
    history = History(tmp_path)
    summed = [count(0, "Paper", 3), count(1, "=Paper", 3)]
    assert history.monitored().to_pylist() == [row.model_dump() for row in summed]
    start = summed[1].bucket_start
    assert history.monitored("hour", since=start).to_pylist() == [summed[1].model_dump()]
    assert history.monitored(until=start).to_pylist() == [summed[0].model_dump()]
    assert aggregate_of(history.runs[0], "no_such_table") is None


def report(url: str, **changes: Any) -> FeedReport:
    values: dict[str, Any] = dict.fromkeys(FeedReport.model_fields) | {
        "url": url, "tags": (), "outcome": "unchanged", "seconds": 0.1, "failures": 0,
        "entries": 0, "new_entries": 0, "pages": 0, "pages_failed": 0, "oddities": (),
        "next_at": NOON,
    }  # fmt: skip
    return FeedReport.model_validate(values | changes)


def test_the_newest_report_of_each_feed_counts(tmp_path: Path) -> None:
    first, second = report("https://b.example"), report("https://a.example", outcome="failed")
    for sequence, reports in enumerate([[first, second], [report("https://a.example")], []], 1):
        run_id = write_run(tmp_path, sequence)
        lines = b"".join(json_line(one) + b"\n" for one in reports)
        (tmp_path / "runs" / run_id / FEEDS).write_bytes(lines)
    found = [(one.report.url, one.report.outcome, one.run_id) for one in History(tmp_path).feeds()]
    assert found == [
        ("https://a.example", "unchanged", "run-2"),
        ("https://b.example", "unchanged", "run-1"),
    ]


def test_dead_letters_are_counted_by_run_and_reason(tmp_path: Path) -> None:
    write_run(tmp_path, 1, dead_letters={"empty": 2, "bad_encoding": 1})
    write_run(tmp_path, 2, dead_letters={})
    found = [
        (one.run_id, one.reason.value, one.dead_letters) for one in History(tmp_path).dead_letters()
    ]
    assert found == [("run-1", "bad_encoding", 1), ("run-1", "empty", 2)]


def test_a_folder_without_runs_has_told_nothing(tmp_path: Path) -> None:
    history = History(tmp_path)
    assert (history.articles().num_rows, history.monitored().num_rows) == (0, 0)
    assert (list(history.alerts()), history.feeds(), history.dead_letters()) == ([], [], [])


def test_the_manifest_says_of_what_time_articles_are(tmp_path: Path) -> None:
    write_run(tmp_path, 1, [one(A, published_at=at(3)), one(B, published_at=at(1))])
    write_run(tmp_path, 2)
    counts = [run.manifest.told for run in History(tmp_path).runs]
    assert counts == [
        ToldCounts(articles=2, published_first=at(1), published_last=at(3)),
        ToldCounts(),
    ]
