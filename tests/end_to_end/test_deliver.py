"""Deliveries to sinks, of the command and whatever kills it in between."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.ledger import Ledger
from pipeline.pauses import Point
from tests.diary import install, read
from tests.end_to_end.test_run import ROOT
from tests.end_to_end.test_scheduled import paused, run
from tests.unit.test_docs import SINKS, Block, parts

GOOD, BAD = "good", "bad"
AFTER_COMMIT: list[Point] = [
    "manifest_written",
    "run_moved",
    "applying",
    "applied",
    "delivering",
    "delivered",
]
OWN_SECTIONS = ("A kind of your own", "What all runs have told")
SECOND = "2026-11-24T06:05Z"


@pytest.fixture(autouse=True)
def _kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in install(tmp_path / "installed").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with two sinks."""
    shutil.copytree(ROOT / "configs" / "themes", tmp_path / "themes")
    sinks = [{"kind": "diary", "name": name, "path": f"{name}.txt"} for name in (GOOD, BAD)]
    path = tmp_path / "pipeline.yaml"
    path.write_text(json.dumps({"sinks": sinks, "deliveries": {"attempts": 3}}))
    return path


def policywire(*arguments: object) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def deliver(config: Path, out: Path, *more: str) -> tuple[int, str, str]:
    return policywire("deliver", "--config", config, "--out", out, *more)


def run_ids(out: Path) -> list[str]:
    manifests = [json.loads(path.read_text()) for path in out.glob("runs/*/manifest.json")]
    return [one["run_id"] for one in sorted(manifests, key=lambda one: int(one["sequence"]))]


def pass_time(out: Path) -> None:
    """All waits are over."""
    with Ledger.open(f"sqlite:///{out}/ledger.sqlite") as ledger, ledger._writing() as connection:
        connection.exec_driver_sql("UPDATE deliveries SET next_at = 0")


def status(config: Path, out: Path) -> tuple[int, dict[str, Any]]:
    code, said, _ = policywire("status", "--config", config, "--out", out, "--json")
    return code, json.loads(said)


@pytest.mark.parametrize("point", AFTER_COMMIT)
def test_a_run_that_is_killed_is_delivered_by_the_next(
    config: Path, tmp_path: Path, point: Point
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    fail = out / "bad.fail"
    fail.write_text("no answer")
    with paused(point, tmp_path / "reached", out, "seeds/*.jsonl", config=config) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    killed = run_ids(out)
    assert len(killed) == (point != "manifest_written")
    pass_time_if_there(out)
    run(out, "seeds/*.jsonl", as_of=SECOND, config=config)
    delivered = run_ids(out)
    assert delivered[: len(killed)] == killed
    # At least once: what arrived just before the end arrives again.
    again = killed if point == "delivered" else []
    assert set(read(out / "good.txt")) == set(delivered)
    assert read(out / "good.txt") in (delivered, again + delivered)
    assert read(out / "bad.txt") == []
    fail.unlink()
    pass_time(out)
    assert deliver(config, out)[0] == 0
    assert [line.split()[0] for line in read(out / "bad.txt")] == run_ids(out)


def pass_time_if_there(out: Path) -> None:
    if list(out.glob("runs/*/manifest.json")):
        pass_time(out)


def test_a_dead_delivery_is_told_and_tried_again(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "bad.fail").write_text("no answer from \x1b[31mthere")
    run(out, "seeds/*.jsonl", config=config)
    assert read(out / "good.txt") == ["20261124T060000Z"]
    for _ in range(2):
        pass_time(out)
        code, said, problems = deliver(config, out, BAD)
        assert code == 1
        assert said == "sink bad: 0 deliveries arrived, 1 failed\n"
    assert "given up: no answer from" in problems
    assert "\x1b" not in problems
    code, said, _ = deliver(config, out, "--list")
    assert code == 0
    assert [line.split()[:5] for line in said.splitlines()] == [
        ["sink", "part", "run", "state", "attempts"],
        ["bad", "20261124T060000Z", "dead", "3", "no"],
    ]
    assert "\x1b" not in said
    code, state = status(config, out)
    assert code == 1
    assert state["deliveries"]["dead"] == {GOOD: 0, BAD: 1}
    assert state["problems"] == ["deliveries were given up: 1: bad"]
    (out / "bad.fail").unlink()
    code, said, _ = deliver(config, out, "--again")
    assert (code, said.splitlines()[1]) == (0, "sink bad: 1 delivery arrived")
    assert [line.split()[0] for line in read(out / "bad.txt")] == ["20261124T060000Z"]
    assert status(config, out)[0] == 0


def test_a_dead_delivery_is_dropped(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "bad.refuse").write_text("never")
    run(out, "seeds/*.jsonl", config=config)
    assert deliver(config, out)[0] == 1
    assert deliver(config, out, "--drop", BAD) == (0, "1 delivery dropped\n", "")
    assert deliver(config, out)[0] == 0
    assert status(config, out)[0] == 0


def test_a_sink_that_hangs_holds_up_neither_the_others_nor_the_next_run(
    config: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    settings = json.loads(config.read_text())
    settings["deliveries"]["within"] = "2s"
    config.write_text(json.dumps(settings))
    (out / "bad.hang").touch()
    started = time.monotonic()
    run(out, "seeds/*.jsonl", config=config)
    assert time.monotonic() - started < 60
    run(out, "seeds/*.jsonl", as_of=SECOND, config=config)
    assert read(out / "good.txt") == run_ids(out)
    assert read(out / "bad.txt") == []
    code, said, _ = deliver(config, out, "--list", "--json")
    waiting = [(one["run_id"].split()[0], one["attempts"]) for one in json.loads(said)]
    assert (code, [one for one, _ in waiting]) == (0, run_ids(out))
    assert waiting[0][1] >= 1
    assert waiting[1][1] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--list", "--again"], "--list, --again and --drop: only one of them"),
        (["dab"], "there is no sink 'dab' in the configuration; known: good, bad"),
    ],
)
def test_wrong_usage(config: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    assert deliver(config, tmp_path, *arguments) == (2, "", f"policywire: {said}\n")


def test_the_kind_and_the_history_that_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (points,) = (one for one in blocks("toml") if "policywire.sinks" in one)
    kind, history = blocks("python")
    installed = tmp_path / "shown"
    named = points.partition("\n")[2].replace('"', "")
    paths = install(installed, f"[policywire.sinks]\n{named}")["PYTHONPATH"]
    monkeypatch.setenv("PYTHONPATH", paths)
    (installed / "my_package.py").write_text(kind)
    shutil.copytree(ROOT / "configs" / "themes", tmp_path / "themes")
    config = tmp_path / "pipeline.yaml"
    config.write_text("sinks: [{kind: print, name: shown, prefix: 'new:'}]")
    out = tmp_path / "out"
    code, said, problems = policywire(
        "run", "--config", config, "--out", out, "--input", "seeds/*.jsonl"
    )
    assert code == 0, problems
    printed = [line.split()[1] for line in said.splitlines() if line.startswith("new: ")]
    lines = [line for path in out.glob("runs/*/alerts/*") for line in path.read_text().splitlines()]
    assert sorted(printed) == sorted(json.loads(line)["alert_id"] for line in lines) != []
    assert "sink shown: 1 delivery arrived\n" in said
    done = subprocess.run(
        [sys.executable, "-c", history], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == 2 + len(lines)


def blocks(language: str) -> list[str]:
    return [
        part.content
        for part in parts(SINKS)
        if isinstance(part, Block) and part.language == language and part.section in OWN_SECTIONS
    ]


def test_sinks_are_no_part_of_what_a_run_says_of_itself(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    manifest = run(out, "seeds/*.jsonl", config=config) / "manifest.json"
    assert "sinks" not in json.loads(manifest.read_text())["config"]
