"""Runs whose ledger is in PostgreSQL: from several machines, and while the server fails."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.pauses import Point
from tests.end_to_end.test_run import ROOT, alerts
from tests.end_to_end.test_scheduled import FAILED, INPUTS, ids, paused
from tests.end_to_end.test_scheduled import run as run_on_sqlite
from tests.ledger.server import Server

TWO_WORKERS = ("--", "--direct_running_mode=multi_processing", "--direct_num_workers=2")


@pytest.fixture
def config(postgres_url: str, tmp_path: Path) -> Path:
    (tmp_path / "themes").symlink_to(ROOT / "configs" / "themes")
    path = tmp_path / "pipeline.yaml"
    path.write_text(f"ledger:\n  url: {json.dumps(postgres_url)}\n")
    return path


def run(config: Path, out: Path, pattern: str, *more: str) -> Path:
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--config", str(config)]
    command += ["--out", str(out), "--input", pattern, "--as-of", "2026-11-24T06:00Z", *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return out / json.loads((out / "latest.json").read_text())["path"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The ids of all alerts of the seeds."""
    out = tmp_path_factory.mktemp("whole")
    run_on_sqlite(out, INPUTS[1])
    return ids(out)


def test_two_machines_with_one_ledger_say_everything_once(
    config: Path, whole: list[str], tmp_path: Path
) -> None:
    first = run(config, tmp_path / "one", INPUTS[0])
    second = run(config, tmp_path / "two", INPUTS[1], *TWO_WORKERS)
    assert first.name == second.name  # a run id is its folder's own; the ledger's number is not
    numbers = [
        json.loads((one / "manifest.json").read_text())["sequence"] for one in (first, second)
    ]
    assert numbers == [1, 2]
    assert sorted(ids(tmp_path / "one") + ids(tmp_path / "two")) == whole
    assert alerts(run(config, tmp_path / "one", INPUTS[1])) == []


@pytest.mark.parametrize("point", ["asking_for_articles", "executed", "latest_written"])
def test_a_server_that_stops_in_the_middle_and_comes_back_loses_nothing(
    config: Path, own_server: Server, whole: list[str], tmp_path: Path, point: Point
) -> None:
    out, reached = tmp_path / "out", tmp_path / "reached"
    run(config, out, INPUTS[0])
    with paused(point, reached, out, INPUTS[1], config=config) as process:
        own_server.stop()
        try:
            reached.unlink()
            _, said = process.communicate(timeout=120)
        finally:
            own_server.start()
    assert process.returncode == FAILED, said.decode()
    assert b"ledger" in said
    assert b"Traceback" not in said
    run(config, out, INPUTS[1])
    assert ids(out) == whole
