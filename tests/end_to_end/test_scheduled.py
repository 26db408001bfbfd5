"""Runs over inputs that overlap: each story once, whatever happens in between."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest

from pipeline.pauses import Point
from tests.end_to_end.test_run import ROOT, alerts, outputs, policywire

INPUTS = ("seeds/articles.jsonl", "seeds/*")
FAILED, BUSY = 1, 4


def run(
    out: Path, *inputs: object, as_of: str = "2026-11-24T06:00Z", config: Path | None = None
) -> Path:
    done = start(out, *inputs, as_of=as_of, config=config)
    _, said = done.communicate(timeout=120)
    assert done.returncode == 0, said.decode()
    return out / json.loads((out / "latest.json").read_text())["path"]


def start(
    out: Path,
    *inputs: object,
    as_of: str = "2026-11-24T06:00Z",
    config: Path | None = None,
    **env: str,
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--out", str(out)]
    command += ["--as-of", as_of, *(("--config", str(config)) if config else ())]
    command += [part for pattern in inputs for part in ("--input", str(pattern))]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | env, stderr=subprocess.PIPE)


@contextmanager
def paused(
    point: Point,
    reached: Path,
    out: Path,
    *inputs: object,
    as_of: str = "2026-11-24T06:00Z",
    config: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A run that stands still at *point*; it goes on when *reached* is removed."""
    env = {"POLICYWIRE_PAUSE_AT": point, "POLICYWIRE_PAUSE_FILE": str(reached)}
    process = start(out, *inputs, as_of=as_of, config=config, **env)
    try:
        deadline = time.monotonic() + 60
        while not reached.exists():
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < deadline, f"{point} was not reached"
            time.sleep(0.02)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
        reached.unlink(missing_ok=True)


def all_alerts(out: Path) -> list[dict[str, Any]]:
    """What all runs have said, whoever read it; origins apart, by id."""
    said = [
        alert
        for run_dir in sorted((out / "runs").iterdir())
        if (run_dir / "manifest.json").exists()
        for alert in alerts(run_dir)
    ]
    return sorted(said, key=lambda alert: str(alert["alert_id"]))


def ids(out: Path) -> list[str]:
    return [alert["alert_id"] for alert in all_alerts(out)]


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder after a run over a part of the seeds."""
    out = tmp_path_factory.mktemp("first")
    run(out, INPUTS[0])
    return out


@pytest.fixture(scope="module")
def undisturbed(first: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What a second run over all seeds adds up to."""
    out = copy_of(first, tmp_path_factory.mktemp("undisturbed") / "out")
    run(out, INPUTS[1], as_of="2026-11-24T06:05Z")
    return all_alerts(out)


def copy_of(out: Path, to: Path) -> Path:
    return Path(shutil.copytree(out, to))


def test_what_was_seen_is_not_said_again(first: Path, tmp_path: Path) -> None:
    out = copy_of(first, tmp_path / "out")
    run_dir = run(out, INPUTS[0], as_of="2026-11-24T06:05Z")
    counts = json.loads((run_dir / "manifest.json").read_text())["counts"]
    assert counts["already_seen"] == counts["read"] - counts["dead_letters"] > 0
    assert alerts(run_dir) == []


def test_split_runs_say_what_one_run_says(
    undisturbed: list[dict[str, Any]], tmp_path: Path
) -> None:
    run(tmp_path, INPUTS[1])
    assert ids(tmp_path) == [alert["alert_id"] for alert in undisturbed]


OF_SINKS = {"delivering", "delivered"}  # tests/end_to_end/test_deliver.py is killed there


@pytest.mark.parametrize("point", [one for one in get_args(Point) if one not in OF_SINKS])
def test_a_killed_run_loses_nothing_and_repeats_nothing(
    first: Path, undisturbed: list[dict[str, Any]], tmp_path: Path, point: Point
) -> None:
    out = copy_of(first, tmp_path / "out")
    with paused(point, tmp_path / "reached", out, INPUTS[1], as_of="2026-11-24T06:05Z") as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    run(out, INPUTS[1], as_of="2026-11-24T06:05Z")
    assert all_alerts(out) == undisturbed
    newest = max(
        (json.loads(path.read_text()) for path in out.glob("runs/*/manifest.json")),
        key=lambda manifest: int(manifest["sequence"]),
    )
    assert json.loads((out / "latest.json").read_text())["run_id"] == newest["run_id"]
    assert [path.name for path in (out / "staging").iterdir()] == [".lock"]


def test_a_second_run_says_who_holds_the_ledger(first: Path, tmp_path: Path) -> None:
    out = copy_of(first, tmp_path / "out")
    with paused("locked", tmp_path / "reached", out, INPUTS[1]) as holder:
        second = start(out, INPUTS[1])
        _, said = second.communicate(timeout=60)
        assert second.returncode == BUSY
        assert str(holder.pid) in said.decode()
    run(out, INPUTS[1])


def test_a_second_run_can_wait(first: Path, tmp_path: Path) -> None:
    out = copy_of(first, tmp_path / "out")
    with paused("locked", tmp_path / "reached", out, INPUTS[1]) as holder:
        command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--wait", "60"]
        command += ["--input", INPUTS[1], "--out", str(out)]
        second = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
        time.sleep(1)
        (tmp_path / "reached").unlink()
        assert holder.wait(timeout=60) == 0
        _, said = second.communicate(timeout=60)
        assert second.returncode == 0, said.decode()
    assert len(ids(out)) == len(set(ids(out)))


def test_a_lost_ledger_is_made_again_from_the_runs(
    first: Path, undisturbed: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = copy_of(first, tmp_path / "out")
    for path in out.glob("ledger.sqlite*"):
        path.unlink()
    run(out, INPUTS[1], as_of="2026-11-24T06:05Z")
    assert all_alerts(out) == undisturbed


def test_what_cannot_be_told_to_be_new_is_backfill(first: Path, tmp_path: Path) -> None:
    out = copy_of(first, tmp_path / "out")
    run(out, "seeds/articles.csv", as_of="2026-11-24T06:05Z")
    shutil.rmtree(out / "runs" / "20261124T060000Z")
    for path in out.glob("ledger.sqlite*"):
        path.unlink()
    run_dir = run(out, INPUTS[1], as_of="2026-11-24T06:10Z")
    assert {alert["backfill"] for alert in alerts(run_dir)} == {True}


def test_a_broken_ledger_is_left_as_it_is(first: Path, tmp_path: Path) -> None:
    out = copy_of(first, tmp_path / "out")
    ledger = out / "ledger.sqlite"
    broken = ledger.read_bytes()[:5000]
    ledger.write_bytes(broken)
    process = start(out, INPUTS[1])
    _, said = process.communicate(timeout=60)
    assert process.returncode == FAILED
    assert b"ledger" in said
    assert b"Traceback" not in said
    assert ledger.read_bytes() == broken
    assert len(list((out / "runs").iterdir())) == 1


@pytest.mark.parametrize("free", [4_000, 60_000, 150_000])
def test_a_disk_that_is_full_in_the_middle_loses_nothing(
    undisturbed: list[dict[str, Any]], tmp_path: Path, free: int
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a file system is not allowed here")
    try:
        out, filler = disk / "out", disk / "filler"
        run(out, INPUTS[0])
        filler.write_bytes(bytes(shutil.disk_usage(disk).free - free))
        process = start(out, INPUTS[1], as_of="2026-11-24T06:05Z")
        _, said = process.communicate(timeout=60)
        assert process.returncode == FAILED
        assert b"No space left" in said or b"disk is full" in said
        assert b"Traceback" not in said
        assert len(list(out.glob("runs/*/manifest.json"))) == 1
        filler.unlink()
        run(out, INPUTS[1], as_of="2026-11-24T06:05Z")
        assert all_alerts(out) == undisturbed
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_clock_that_was_set_back_changes_nothing(
    first: Path, undisturbed: list[dict[str, Any]], tmp_path: Path
) -> None:
    out = copy_of(first, tmp_path / "out")
    run_dir = run(out, INPUTS[1], as_of="2026-11-24T05:00Z")
    assert run_dir.name == "20261124T050000Z"
    assert ids(out) == [alert["alert_id"] for alert in undisturbed]
    assert alerts(run(out, INPUTS[1], as_of="2026-11-24T06:10Z")) == []


def test_a_file_that_grows_while_it_is_read_loses_nothing(tmp_path: Path) -> None:
    lines = (ROOT / INPUTS[0]).read_text().splitlines(keepends=True)[:-1]
    growing = tmp_path / "growing.jsonl"
    growing.write_text("".join(lines[:3]) + lines[3][:20])
    reached = tmp_path / "reached"
    with paused("reading", reached, tmp_path / "out", growing) as process:
        growing.write_text("".join(lines))
        reached.unlink()
        assert process.wait(timeout=60) == 0
    run(tmp_path / "out", growing, as_of="2026-11-24T06:05Z")
    run(tmp_path / "whole", growing)
    assert ids(tmp_path / "out") == ids(tmp_path / "whole")


def test_an_edited_article_is_updated_and_cancelled(tmp_path: Path) -> None:
    article = {"url": "https://paper.example/1", "published": "2026-11-23T18:00:00Z"}
    article["title"] = "Channel crossings"
    texts = [
        "Ministers spoke of illegal migration and asylum seekers at length. " * 3,
        "Ministers spoke of illegal migration, and of organised crime gangs at length. " * 3,
        "Ministers spoke of the weather, and of organised crime gangs at length. " * 3,
    ]
    said = []
    for minute, text in enumerate(texts):
        (tmp_path / "in.jsonl").write_text(json.dumps(article | {"text": text}) + "\n")
        run_dir = run(tmp_path / "out", tmp_path / "in.jsonl", as_of=f"2026-11-24T06:{minute:02}Z")
        said.append([(a["kind"], a["theme"], a["change"]) for a in alerts(run_dir)])
    assert said == [
        [("alert", "migration", None)],
        [("update", "organised_crime", "gained_theme")],
        [("cancel", "migration", "lost_ground")],
    ]
    assert policywire("verify", run_dir).returncode == 0
    (tmp_path / "in.jsonl").write_text(json.dumps(article | {"text": texts[0]}) + "\n")
    done = policywire("run", "--input", tmp_path / "in.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr.decode()
    shown = [line.split()[:2] for line in done.stdout.decode().splitlines()]
    assert ["update", "migration"] in shown
    assert ["cancel", "organised_crime"] in shown


def test_what_is_kept_for_minutes_is_not_forgotten_while_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "themes").symlink_to(ROOT / "configs" / "themes")
    config = tmp_path / "pipeline.yaml"
    config.write_text("ledger:\n  keep: 30m\n")
    said = [
        len(alerts(run(tmp_path / "out", INPUTS[0], as_of=as_of, config=config)))
        for as_of in ("2026-11-24T06:00Z", "2026-11-24T06:20Z", "2026-11-24T06:40Z")
    ]
    assert said[0] > 0
    assert said[1:] == [0, 0]


def test_a_replay_with_the_same_themes_gives_the_same_bytes(first: Path, tmp_path: Path) -> None:
    out = copy_of(first, tmp_path / "out")
    run_dir = run(out, INPUTS[1], as_of="2026-11-24T06:05Z")
    done = policywire("replay", "latest", "--out", out, "--write", tmp_path / "replayed")
    assert done.returncode == 0, done.stderr.decode()
    assert b"0 differences" in done.stdout
    written = outputs(run_dir)
    # Nobody is asked again, and no other run is looked at.
    del written["feeds.jsonl"], written["bursts.jsonl"]
    assert outputs(tmp_path / "replayed") == written


def test_a_replay_shows_what_other_themes_would_say(first: Path, tmp_path: Path) -> None:
    themes = ROOT / "configs"
    config = Path(shutil.copytree(themes, tmp_path / "configs"))
    for theme in (config / "themes").glob("encryption*.yaml"):
        theme.write_text(theme.read_text().replace("theme: encryption", "theme: ciphers"))
    before = {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    done = policywire("replay", "latest", "--out", first, "--config", config / "pipeline.yaml")
    assert b"gained ciphers" in done.stdout
    assert b"lost encryption" in done.stdout
    assert {path: path.read_bytes() for path in first.rglob("*") if path.is_file()} == before


def test_old_runs_are_removed_and_the_newest_stays(tmp_path: Path) -> None:
    (tmp_path / "themes").symlink_to(ROOT / "configs" / "themes")
    config = tmp_path / "pipeline.yaml"
    config.write_text("keep_runs: 2\n")
    for minute in range(4):
        done = policywire(
            "run", "--config", config, "--input", "seeds/articles.csv", "--out",
            tmp_path / "out", "--as-of", f"2026-11-24T06:{minute:02}Z",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
    kept = sorted(path.name for path in (tmp_path / "out" / "runs").iterdir())
    assert kept == ["20261124T060200Z", "20261124T060300Z"]
