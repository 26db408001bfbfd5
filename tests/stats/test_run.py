"""Bursts in runs as a user makes them."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.test_run import ROOT, lines, policywire

MORNING = datetime(2026, 11, 24, 6, tzinfo=UTC)
WORDS = "harbour minister budget winter bridge copper lantern orchard violin meadow".split()


def articles(first: int, number: int, day: datetime, theme: bool = True) -> list[dict[str, Any]]:
    """Articles of one time; no two are copies of one another."""
    made = []
    for n in range(first, first + number):
        text = " ".join(random.Random(n).choices(WORDS, k=60))
        said = "They want to stop illegal migration." if theme else "They met."
        made.append(
            {
                "url": f"https://paper.example/{n}",
                "title": f"Number {n}",
                "text": f"{text}. {said}",
                "source": "The Gazette",
                "published": f"{day:%Y-%m-%dT%H:%MZ}",
            }
        )
    return made


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Sixty days of two stories on migration among eight articles, told by one run."""
    config = {
        "inputs": {"files": [str(tmp_path / "*.jsonl")]},
        "themes": [str(ROOT / "configs/themes/*.yaml")],
        "bursts": [{"theme": "migration"}, {"theme": "migration", "by": "language"}],
    }
    (tmp_path / "pipeline.json").write_text(json.dumps(config))
    past: list[dict[str, Any]] = []
    for back in range(1, 61):
        day = MORNING - timedelta(days=back, hours=1)
        past += articles(100 * back, 2, day) + articles(100 * back + 50, 6, day, theme=False)
    assert run(tmp_path, past, MORNING - timedelta(hours=2)) == []
    return tmp_path


def run(folder: Path, news: list[dict[str, Any]], as_of: datetime) -> list[dict[str, Any]]:
    """A run that reads *news* besides what was there; what it says of bursts."""
    path = folder / f"{as_of:%H%M}.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in news))
    config = folder / "pipeline.json"
    moment = f"{as_of:%Y-%m-%dT%H:%MZ}"
    done = policywire("run", "--config", config, "--out", folder / "out", "--as-of", moment)
    assert done.returncode == 0, done.stderr.decode()
    run_dir = folder / "out/runs" / f"{as_of:%Y%m%dT%H%M%SZ}"
    manifest = json.loads((run_dir / "manifest.json").read_text())
    assert manifest["files"]["bursts.jsonl"]["bytes"] == (run_dir / "bursts.jsonl").stat().st_size
    return lines(run_dir / "bursts.jsonl")


def test_a_run_tells_of_a_burst_once(out: Path) -> None:
    news = articles(90_000, 12, MORNING - timedelta(hours=3))
    plain = articles(95_000, 2, MORNING - timedelta(hours=3), theme=False)
    found = run(out, [*news, *plain], MORNING)
    assert sorted(
        (one["group"], one["stories"], one["monitored"]) for one in found if one["by"]
    ) == [("en", 12, 14)]
    (whole,) = [one for one in found if one["by"] is None]
    assert {story["title"] for story in whole["told"]} == {
        f"Number {n}" for n in range(90_000, 90_012)
    }
    assert run(out, articles(97_000, 1, MORNING), MORNING + timedelta(minutes=5)) == []
    verified = policywire("verify", out / "out/runs/20261124T060000Z")
    assert verified.returncode == 0, verified.stderr.decode()


def test_a_rule_for_a_theme_that_is_not_there_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "pipeline.yaml"
    themes = ROOT / "configs/themes/*.yaml"
    config.write_text(f"themes: [{themes}]\nbursts:\n  - theme: migrations\n")
    done = policywire("check", config)
    assert done.returncode == 2
    assert b"pipeline.yaml:3: bursts.0.theme: no theme is called 'migrations'" in done.stderr
    assert b"did you mean 'migration'?" in done.stderr
