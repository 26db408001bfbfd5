"""The command with a sink of each kind that writes tables, feeds or documents."""

import json
import subprocess
import sys
from pathlib import Path

import feedparser
import pyarrow.dataset as ds
import pytest
from sqlalchemy import create_engine, text

from tests.unit.test_docs import ROOT

KINDS = ("files", "database", "feeds", "search")


def policywire(*arguments: object) -> str:
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of two runs over the seeds, the second of which finds nothing new."""
    folder = tmp_path_factory.mktemp("monitor")
    (folder / "themes").symlink_to(ROOT / "configs" / "themes")
    sinks = [{"kind": kind, "name": kind} for kind in KINDS]
    sinks[0] |= {"partition_by": ["day", "theme"]}
    sinks[1] |= {"url": f"sqlite:///{folder}/news.sqlite"}
    sinks[2] |= {"backfill": True}
    (folder / "pipeline.yaml").write_text(json.dumps({"sinks": sinks}))
    config = ("--config", folder / "pipeline.yaml", "--out", folder / "out")
    for as_of in ("2026-11-24T06:00Z", "2026-11-24T06:05Z"):
        policywire("run", *config, "--input", "seeds/*", "--as-of", as_of)
    assert "pending" not in policywire("deliver", *config, "--list")
    return folder / "out"


@pytest.fixture(scope="module")
def alert_ids(out: Path) -> list[str]:
    """What the runs themselves say."""
    files = out.glob("runs/*/alerts/*.jsonl")
    lines = (line for path in files for line in path.read_text().splitlines())
    found = sorted(json.loads(line)["alert_id"] for line in lines)
    assert len(found) > 5
    return found


def test_the_files_have_all_alerts(out: Path, alert_ids: list[str]) -> None:
    alerts = ds.dataset(out / "files" / "alerts", partitioning="hive").to_table()
    assert sorted(alerts["alert_id"].to_pylist()) == alert_ids
    runs = ds.dataset(out / "files" / "runs", partitioning="hive").to_table()
    assert sorted(runs["run_id"].to_pylist()) == ["20261124T060000Z", "20261124T060500Z"]


def test_the_database_has_all_alerts(out: Path, alert_ids: list[str]) -> None:
    engine = create_engine(f"sqlite:///{out.parent}/news.sqlite")
    with engine.connect() as connection:
        found = connection.scalars(text("SELECT alert_id FROM pw_alerts ORDER BY alert_id"))
        assert list(found) == alert_ids
        counted = text(
            "SELECT (SELECT sum(classified) FROM pw_runs) - sum(articles) FROM pw_monitored"
        )
        assert connection.scalar(counted) == 0
    engine.dispose()


def test_the_feeds_have_all_alerts_of_the_last_days(out: Path, alert_ids: list[str]) -> None:
    feed = feedparser.parse((out / "feeds" / "all-themes.atom").read_bytes())
    assert not feed.bozo
    assert len({entry.id for entry in feed.entries}) == len(alert_ids)


def test_the_bulk_files_have_all_alerts(out: Path, alert_ids: list[str]) -> None:
    lines = [
        json.loads(line)
        for path in (out / "search").glob("*.ndjson")
        for line in path.read_text().splitlines()
    ]
    actions = [line["index"] for line in lines if list(line) == ["index"]]
    found = [one["_id"] for one in actions if one["_index"] == "policywire-alerts"]
    assert sorted(found) == alert_ids


def test_a_configuration_is_checked_without_what_takes_long_to_import(out: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from pipeline.config import load_config; "
        f"load_config(Path({str(out.parent / 'pipeline.yaml')!r})); "
        "print(*{'apache_beam', 'pyarrow', 'sqlalchemy', 'alembic', 'lxml'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr
