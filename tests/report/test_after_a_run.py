"""With `report: true` each run writes the report, and is not spoilt by one that fails."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    (tmp_path / "themes").symlink_to(ROOT / "configs" / "themes")
    path.write_text("report: true\n")
    return path


def run(config: Path, out: Path) -> subprocess.CompletedProcess[str]:
    names = ["--config", config, "--input", ROOT / "seeds" / "*.jsonl", "--out", out]
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pipeline",
            "run",
            "--quiet",
            "--as-of",
            "2026-11-24T06:00Z",
            *names,
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_run_writes_the_report(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run(config, out)
    assert (done.returncode, done.stderr) == (0, "")
    first = (out / "report.html").read_text()
    assert "20261124T060000Z" in first
    assert run(config, out).returncode == 0
    assert "20261124T060000Z-2" in (out / "report.html").read_text()


def test_a_report_that_cannot_be_written_is_a_warning(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "report.html").mkdir(parents=True)
    done = run(config, out)
    assert done.returncode == 0
    assert "WARNING the report is not written: cannot write the report to" in done.stderr
    assert (out / "latest.json").exists()
