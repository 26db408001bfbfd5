"""The command installed from a wheel, away from the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel installs."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def policywire(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # -P: the working directory is no place to import from. The checkout's own editable
    # install comes after PYTHONPATH.
    command = [sys.executable, "-P", "-m", "pipeline", *arguments]
    return subprocess.run(
        command, cwd=cwd, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_themes_travel_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    done = policywire(installed, tmp_path, "init", "monitor")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "monitor" / "themes").iterdir()} == {
        path.name for path in (ROOT / "configs" / "themes").iterdir()
    }
    checked = policywire(installed, tmp_path, "check", "monitor/pipeline.yaml")
    assert checked.returncode == 0, checked.stderr


def test_a_run_needs_no_checkout(installed: Path, tmp_path: Path) -> None:
    seed = (ROOT / "seeds" / "seed_article.txt").read_bytes()
    (tmp_path / "seed.txt").write_bytes(seed)
    done = policywire(installed, tmp_path, "run", "--input", "seed.txt", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").glob("runs/*/alerts/*.jsonl"))) == 3
    reported = policywire(installed, tmp_path, "report", "out")
    assert reported.returncode == 0, reported.stderr
    assert "<style>" in (tmp_path / "out" / "report.html").read_text()
    assert str(installed) in policywire_path(installed, tmp_path)


def policywire_path(installed: Path, cwd: Path) -> str:
    found = subprocess.run(
        [sys.executable, "-P", "-c", "import pipeline; print(pipeline.__file__)"],
        cwd=cwd, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return found.stdout
