"""What `policywire status` says of an output folder, and the file that Prometheus is given."""

import math
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.config import LedgerChoice, PipelineConfig
from pipeline.feeds.model import Feed
from pipeline.ledger import DeliveryState, Ledger
from pipeline.manifest import LEDGER_CHANGES, MANIFEST, AlertCounts, Counts, Manifest, Runner
from pipeline.runs import run_key
from pipeline.sinks import base
from pipeline.status import (
    DeliveriesState,
    FeedsState,
    LedgerState,
    Status,
    status,
    write_prometheus,
)
from tests.unit.test_docs import ROOT, table

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
FEEDS = (Feed(url="https://x.org/feed"),)
CONFIG = PipelineConfig()
HOUR = timedelta(hours=1)


def manifest(sequence: int, finished_at: datetime, **more: Any) -> Manifest:
    values: dict[str, Any] = {
        "run_id": f"{finished_at:%Y%m%dT%H%M%SZ}",
        "sequence": sequence,
        "as_of": finished_at,
        "all_backfill": False,
        "started_at": finished_at,
        "finished_at": finished_at,
        "counts": Counts(read=9, classified=4, duplicates=1, already_seen=2, dead_letters=2),
        "dead_letters": {"empty": 2},
        "alerts": {
            "encryption": AlertCounts(),
            "migration": AlertCounts(focus=2, mention=1, backfill=1, updates=1, cancels=1),
        },
        "inputs": (),
        "runner": Runner(name="FnApiRunner", mode="in_memory", workers=1, options=()),
        "versions": {},
        "config": {},
        "themes": {},
        "files": {LEDGER_CHANGES: {"sha256": "0" * 64, "bytes": 0}},
    }
    return Manifest.model_validate(values | more)


def make_run(out: Path, sequence: int, finished_at: datetime, *, applied: bool = True) -> Manifest:
    made = manifest(sequence, finished_at)
    folder = out / "runs" / made.run_id
    folder.mkdir(parents=True)
    (folder / MANIFEST).write_text(made.model_dump_json())
    if applied:
        with Ledger.open(CONFIG.ledger.url_below(out), create=True) as ledger:
            ledger.apply(run_key(made), sequence, made.as_of, ())
    return made


def ledger_of(out: Path) -> Path:
    return out / "ledger.sqlite"


def look(out: Path, config: PipelineConfig = CONFIG) -> Status:
    return status(config, FEEDS, out, NOW, HOUR)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output folder with two runs, the newest half an hour old."""
    folder = tmp_path / "out"
    make_run(folder, 1, NOW - 2 * HOUR)
    make_run(folder, 2, NOW - HOUR / 2)
    return folder


def test_the_newest_run_is_shown(out: Path) -> None:
    state = look(out)
    assert state.problems == ()
    assert (state.runs, state.last_run) == (2, "20261124T060000Z")
    assert (state.now, state.age_seconds) == (NOW, 1800)
    assert state.counts == manifest(2, NOW).counts
    assert state.alerts == manifest(2, NOW).alerts
    assert state.ledger is not None
    assert state.ledger.bytes == sum(path.stat().st_size for path in out.glob("ledger.sqlite"))
    assert state.ledger.unapplied_runs == 0


def test_the_newest_is_the_one_made_last_whatever_the_clock_said(out: Path) -> None:
    made = make_run(out, 3, NOW - 3 * HOUR)
    assert look(out).last_run == made.run_id


def test_no_run_is_a_problem(tmp_path: Path) -> None:
    state = look(tmp_path)
    assert any("no complete run" in problem for problem in state.problems)
    assert (state.runs, state.last_run, state.age_seconds, state.counts) == (0, None, None, None)
    assert (state.alerts, state.ledger) == ({}, None)


def test_a_folder_without_a_manifest_is_no_run(out: Path) -> None:
    (out / "runs" / "20261124T061000Z").mkdir()
    torn = out / "runs" / "20261124T061500Z"
    torn.mkdir()
    (torn / MANIFEST).write_text(manifest(3, NOW).model_dump_json()[:100])
    assert (look(out).runs, look(out).problems) == (2, ())


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(), None),
        (timedelta(minutes=60), None),
        (timedelta(minutes=61), "the newest run is 1 h 1 min old"),
        (timedelta(days=3), "the newest run is 72 h 0 min old"),
        (timedelta(minutes=-5), None),  # the clock was set back
    ],
    ids=str,
)
def test_a_run_that_is_too_old_is_a_problem(
    tmp_path: Path, age: timedelta, said: str | None
) -> None:
    make_run(tmp_path, 1, NOW - age)
    assert look(tmp_path).problems == ((said,) if said else ())


def test_minutes_are_minutes(tmp_path: Path) -> None:
    make_run(tmp_path, 1, NOW - timedelta(minutes=20))
    (said,) = status(CONFIG, (), tmp_path, NOW, timedelta(minutes=15)).problems
    assert said == "the newest run is 20 min old"


def test_runs_that_the_ledger_does_not_know_are_a_problem(out: Path) -> None:
    make_run(out, 3, NOW - timedelta(minutes=15), applied=False)
    state = look(out)
    assert state.ledger is not None
    assert state.ledger.unapplied_runs == 1
    assert state.problems == ("runs that the ledger does not know yet: 1",)


def test_a_run_that_was_just_finished_may_not_be_applied_yet(out: Path) -> None:
    make_run(out, 3, NOW - timedelta(minutes=5), applied=False)
    assert look(out).problems == ()


def sinks(monkeypatch: pytest.MonkeyPatch, *names: str) -> PipelineConfig:
    monkeypatch.setitem(base.KINDS, "diary", "tests.diary:DiarySettings")
    return PipelineConfig.model_validate(
        {"sinks": [{"kind": "diary", "name": name, "path": name} for name in names]}
    )


def put(out: Path, sink: str, number: int, **more: Any) -> None:
    new = DeliveryState(
        sink=sink, part="", run_id=f"run {number}", sequence=number,
        next_at=NOW, changed_at=NOW, **more,
    )  # fmt: skip
    with Ledger.open(CONFIG.ledger.url_below(out)) as ledger:
        ledger.outbox.add([new])


def test_without_sinks_nothing_is_said_of_deliveries(out: Path) -> None:
    put(out, "ops", 1, state="dead", error="gone")  # of a sink that is no longer named
    assert (look(out).deliveries, look(out).problems) == (None, ())


def test_deliveries_that_wait_are_no_problem(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(out, "ops", 1, state="delivered")
    put(out, "ops", 2, attempts=1, error="no answer")
    put(out, "ops", 3)
    state = look(out, sinks(monkeypatch, "ops", "archive"))
    assert state.deliveries == DeliveriesState(
        pending={"ops": 2, "archive": 0}, dead={"ops": 0, "archive": 0}, failing={}
    )
    assert (state.problems, state.warnings) == ((), ())


def test_a_sink_that_fails_is_a_warning_and_one_that_is_given_up_a_problem(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(out, "ops", 1, state="dead", attempts=10, error="gone")
    put(out, "ops", 2, state="dropped", error="gone")
    put(out, "archive", 1, attempts=2, error="no answer")
    state = look(out, sinks(monkeypatch, "ops", "archive"))
    assert state.problems == ("deliveries were given up: 1: ops",)
    assert state.warnings == ("the sink archive fails: no answer",)
    found = by_label(metrics(state, tmp_path)["policywire_deliveries"], "sink", "state")
    assert found == {
        ("ops", "pending"): 0, ("archive", "pending"): 1, ("ops", "dead"): 1, ("archive", "dead"): 0
    }  # fmt: skip


def test_a_lost_ledger_is_a_problem_and_is_not_made(out: Path) -> None:
    for path in out.glob("ledger.sqlite*"):
        path.unlink()
    state = look(out)
    (said,) = state.problems
    assert "there is no ledger at" in said
    assert state.ledger is None
    assert state.last_run is not None
    assert not list(out.glob("ledger.sqlite*"))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def fill_with_text(path: Path) -> None:
    path.write_bytes(b"no database at all\n" * 500)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def make_newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE ledger_revision SET version_num = 'r9999'")
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (truncate, "ledger"),
        (fill_with_text, "is no ledger"),
        (empty, "is no ledger"),
        (make_newer, "newer policywire"),
    ],
)
def test_a_ledger_that_cannot_be_used_is_a_problem_and_stays_as_it_is(
    out: Path, damage: Callable[[Path], None], said: str
) -> None:
    damage(ledger_of(out))
    before = ledger_of(out).read_bytes()
    state = look(out)
    (problem,) = state.problems
    assert said in problem
    assert "\n" not in problem
    assert state.ledger is None
    assert state.last_run is not None
    assert ledger_of(out).read_bytes() == before


def test_the_ledger_may_be_elsewhere(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE", str(tmp_path))
    moved = tmp_path / "elsewhere.sqlite"
    ledger_of(out).rename(moved)
    config = PipelineConfig(ledger=LedgerChoice(url="sqlite:///$STATE/elsewhere.sqlite"))
    assert look(out, config).problems == ()
    assert not ledger_of(out).exists()


def test_all_problems_are_said(tmp_path: Path) -> None:
    make_run(tmp_path, 1, NOW - 5 * HOUR)
    make_run(tmp_path, 2, NOW - 4 * HOUR, applied=False)
    assert len(look(tmp_path).problems) == 2


# Prometheus


class Metric(NamedTuple):
    """A metric of the text format, with its samples by their labels."""

    kind: str
    samples: dict[tuple[tuple[str, str], ...], float]


NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')


def parse(text: str) -> dict[str, Metric]:
    """The metrics of a file as strictly as its collector reads them.

    https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
    """
    assert text.endswith("\n")
    assert "\r" not in text
    found: dict[str, Metric] = {}
    helped: set[str] = set()
    current = ""
    for line in text.splitlines():
        if comment := re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (.+)", line):
            keyword, current, rest = comment.groups()
            if keyword == "HELP":
                assert current not in helped, f"{current} is explained twice"
                helped.add(current)
            else:
                assert rest in ("counter", "gauge", "histogram", "summary", "untyped")
                assert current not in found, f"{current} has two types"
                found[current] = Metric(rest, {})
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            name, inside, value = sample.groups()
            assert name == current, "the samples of a metric stand together, below its type"
            labels = tuple(LABEL.findall(inside or ""))
            assert "".join(f'{key}="{text}",' for key, text in labels).rstrip(",") == (inside or "")
            assert len(dict(labels)) == len(labels), line
            assert labels not in found[name].samples, f"{line}: stands here twice"
            found[name].samples[labels] = float(value)
    assert helped == found.keys()
    return found


def metrics(state: Status, folder: Path) -> dict[str, Metric]:
    path = folder / "policywire.prom"
    write_prometheus(state, path)
    return parse(path.read_text(encoding="utf-8"))


def one(metric: Metric) -> float:
    assert list(metric.samples) == [()]
    return metric.samples[()]


def by_label(metric: Metric, *names: str) -> dict[tuple[str, ...], float]:
    found = {}
    for labels, value in metric.samples.items():
        assert tuple(name for name, _ in labels) == names
        found[tuple(text for _, text in labels)] = value
    return found


def test_a_monitor_is_given_the_figures(out: Path, tmp_path: Path) -> None:
    found = metrics(look(out), tmp_path)
    assert all(re.fullmatch("policywire_[a-z_]+", name) for name in found)
    assert {metric.kind for metric in found.values()} == {"gauge"}
    assert one(found["policywire_up"]) == 1
    assert one(found["policywire_runs"]) == 2
    finished = (NOW - HOUR / 2).timestamp()
    assert one(found["policywire_last_run_timestamp_seconds"]) == finished
    items = by_label(found["policywire_last_run_items"], "end")
    assert {end: items[end,] for end in ("classified", "duplicates", "dead_letters")} == {
        "classified": 4,
        "duplicates": 1,
        "dead_letters": 2,
    }
    alerts = by_label(found["policywire_last_run_alerts"], "theme", "level")
    assert alerts["migration", "focus"] == 2
    assert alerts["migration", "mention"] == 1
    assert alerts["encryption", "focus"] == 0
    assert one(found["policywire_ledger_bytes"]) == ledger_of(out).stat().st_size
    assert one(found["policywire_unapplied_runs"]) == 0
    assert by_label(found["policywire_ledger_rows"], "table")["articles",] == 0


def test_all_metrics_are_documented(out: Path, tmp_path: Path) -> None:
    said = table(ROOT / "docs" / "operations.md", "Prometheus", "metric")
    feeds = FeedsState(feeds=1, asked=1, failing=(), gone=(), silent=(), overdue=0)
    deliveries = DeliveriesState(pending={"ops": 1}, dead={"ops": 0}, failing={})
    everything = look(out).model_copy(update={"feeds": feeds, "deliveries": deliveries})
    assert said.column() == list(metrics(everything, tmp_path))


def test_all_values_are_finite_numbers(out: Path, tmp_path: Path) -> None:
    for state in (look(out), look(tmp_path / "nothing")):
        for metric in metrics(state, tmp_path).values():
            assert all(map(math.isfinite, metric.samples.values()))


def test_large_numbers_are_exact(out: Path, tmp_path: Path) -> None:
    sizes = LedgerState(
        articles=123_456_789, stories=999_999, alerts=1_000_001, bytes=98_765_432_101,
        unapplied_runs=0,
    )  # fmt: skip
    found = metrics(look(out).model_copy(update={"ledger": sizes}), tmp_path)
    rows = by_label(found["policywire_ledger_rows"], "table")
    assert rows == {("articles",): 123_456_789, ("stories",): 999_999, ("alerts",): 1_000_001}
    assert one(found["policywire_ledger_bytes"]) == 98_765_432_101


@pytest.mark.parametrize("case", ["no run", "too old", "unapplied", "broken"])
def test_a_monitor_is_told_of_problems(tmp_path: Path, case: str) -> None:
    out = tmp_path / "out"
    if case != "no run":
        make_run(out, 1, NOW - (2 * HOUR if case == "too old" else HOUR / 2))
    if case == "unapplied":
        make_run(out, 2, NOW - HOUR / 4, applied=False)
    if case == "broken":
        truncate(ledger_of(out))
    found = metrics(look(out), tmp_path)
    assert one(found["policywire_up"]) == 0
    assert ("policywire_last_run_timestamp_seconds" in found) == (case != "no run")
    assert ("policywire_ledger_bytes" in found) == (case in ("too old", "unapplied"))
    if case == "unapplied":
        assert one(found["policywire_unapplied_runs"]) == 1


def test_the_file_is_replaced_whole(out: Path, tmp_path: Path) -> None:
    folder = tmp_path / "textfiles"
    folder.mkdir()
    path = folder / "policywire.prom"
    path.write_text("policywire_up 0\n" * 1000)
    write_prometheus(look(out), path)
    assert one(parse(path.read_text())["policywire_up"]) == 1
    assert [file.name for file in folder.iterdir()] == ["policywire.prom"]


def test_a_file_that_cannot_be_written_is_an_error(out: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_prometheus(look(out), tmp_path / "nowhere" / "policywire.prom")
