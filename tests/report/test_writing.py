"""The files of the report, and the command that writes them."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.report import need_extra, pages, write_report, writing
from tests.report.outputs import article, write_run
from transforms.errors import ConfigError, RunError


def test_pages_that_are_no_longer_needed_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path, [article(n) for n in range(5)])
    monkeypatch.setattr(pages, "MOST_STORIES", 2)
    write_report(tmp_path, {})
    older = sorted(path.name for path in (tmp_path / "report").iterdir())
    assert older == ["2026-11-24-1.html", "2026-11-24-2.html"]
    monkeypatch.undo()
    assert write_report(tmp_path, {}) == tmp_path / "report.html"
    assert list((tmp_path / "report").iterdir()) == []


def test_a_report_that_cannot_be_drawn_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path, [article(1)])
    before = write_report(tmp_path, {}).read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(RunError, match=r"cannot write the report to .*: No space left on device"):
        write_report(tmp_path, {})
    assert (tmp_path / "report.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_without_the_extra_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_EXTRA", ("altair", "not_installed_at_all"))
    with pytest.raises(ConfigError, match=r"not_installed_at_all: pip install 'policywire\[report"):
        write_report(tmp_path, {})
    with pytest.raises(ConfigError):
        need_extra()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "report", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_prints_where_it_is(tmp_path: Path) -> None:
    write_run(tmp_path, [article(1, title="<Boats>")])
    done = command(str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path / 'report.html'}\n", "")
    content = (tmp_path / "report.html").read_text()
    assert "&lt;Boats&gt;" in content
    assert "Organised crime" in content, "themes are called by their titles"


def test_where_there_is_no_run_it_is_an_error(tmp_path: Path) -> None:
    done = command(str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == f"policywire: {tmp_path / 'runs'}: no complete run 'latest'\n"
    assert not (tmp_path / "report.html").exists()
