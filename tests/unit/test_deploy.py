"""The files in deploy/ are what systemd and cron expect, and start commands that exist."""

import itertools
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import pytest
import typer

from pipeline.cli import app
from pipeline.ledger import LedgerBusy
from tests.unit.test_docs import ROOT

DEPLOY = ROOT / "deploy"
SERVICE = DEPLOY / "policywire.service"
TIMER = DEPLOY / "policywire.timer"
CRONTAB = DEPLOY / "crontab"
INSTALLED = PurePosixPath("/srv/policywire")
PROGRAM = INSTALLED / ".venv/bin/policywire"


class Setting(NamedTuple):
    """A line of a unit file."""

    section: str
    name: str
    value: str


def settings(unit: Path) -> list[Setting]:
    found, section = [], ""
    for line in unit.read_text().splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
        elif line and not line.startswith("#"):
            name, sign, value = line.partition("=")
            assert (bool(section), sign) == (True, "="), line
            assert not value.endswith("\\"), "continued lines are not understood here"
            found.append(Setting(section, name, value))
    return found


def values(unit: Path, name: str) -> list[str]:
    return [one.value for one in settings(unit) if one.name == name]


class Job(NamedTuple):
    """A line of a crontab."""

    when: list[str]
    task: str


def jobs() -> list[Job]:
    found = []
    for line in CRONTAB.read_text().splitlines():
        if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line):
            *when, task = line.split(maxsplit=5)
            found.append(Job(when, task))
    return found


def cron_arguments(task: str) -> list[str]:
    """The program and its arguments in a line of shell, without redirections."""
    begin, _, rest = task.partition(" && ")
    assert begin == f"cd {INSTALLED}"
    return list(itertools.takewhile(lambda word: not re.match(r"\d*[<>]", word), shlex.split(rest)))


def commands() -> Iterator[tuple[str, list[str]]]:
    for name in ("ExecStart", "ExecStartPost"):
        for value in values(SERVICE, name):
            yield name, shlex.split(value)
    for job in jobs():
        program, *arguments = cron_arguments(job.task)
        yield "crontab", [str(INSTALLED / program), *arguments]


def parsed(arguments: list[str]) -> dict[str, Any]:
    """What the real command line makes of *arguments*; nothing is run."""
    names, rest = [], list(arguments)
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        names.append(rest.pop(0))
        command = command.commands[names[-1]]
    context = command.make_context(" ".join(names), rest)
    return {"command": context.info_name, **context.params}


# systemd


def verified(folder: Path) -> str:
    """What `systemd-analyze verify` finds in the units of *folder*."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not there")
    units = sorted(folder.iterdir())
    done = subprocess.run(
        [program, "verify", "--man=no", *units],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    if "initialize manager" in done.stdout:
        pytest.skip(f"systemd-analyze does not work here: {done.stdout.strip()}")
    # Other units of the machine may be at fault, too.
    return "\n".join(line for line in done.stdout.splitlines() if "policywire" in line)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units, with a program that is there in place of the one that is not."""
    stand_in = shutil.which("true")
    if stand_in is None:
        pytest.skip("there is no program to stand in for policywire")
    folder = tmp_path / "units"
    folder.mkdir()
    for unit in (SERVICE, TIMER):
        text = unit.read_text().replace(f"={PROGRAM} ", f"={stand_in} ")
        (folder / unit.name).write_text(text)
    return folder


def test_systemd_finds_nothing_wrong(units: Path) -> None:
    assert verified(units) == ""


@pytest.mark.parametrize(
    ("unit", "right", "wrong"),
    [
        (SERVICE, "Type=oneshot", "Type=onceshot"),
        (SERVICE, "ProtectHome=", "ProtectHomes="),
        (TIMER, "OnCalendar=*:0/5", "OnCalendar=*:0/x"),
    ],
)
def test_systemd_would_find_what_is_wrong(units: Path, unit: Path, right: str, wrong: str) -> None:
    assert right in unit.read_text()
    (units / unit.name).write_text((units / unit.name).read_text().replace(right, wrong))
    assert unit.name in verified(units)


def test_the_timer_starts_the_service() -> None:
    assert TIMER.stem == SERVICE.stem
    assert values(TIMER, "Unit") in ([], [SERVICE.name])
    assert values(TIMER, "WantedBy") == ["timers.target"]
    assert values(SERVICE, "Type") == ["oneshot"]


def test_a_run_may_write_where_it_has_to() -> None:
    (folders,) = values(SERVICE, "ReadWritePaths")
    writable = [PurePosixPath(folder.lstrip("-+")) for folder in folders.split()]
    assert values(SERVICE, "WorkingDirectory") == [str(INSTALLED)]
    assert INSTALLED in writable
    (status,) = values(SERVICE, "ExecStartPost")
    metrics = PurePosixPath(parsed(shlex.split(status)[1:])["prometheus"])
    assert metrics.suffix == ".prom", "node exporter reads no other files"
    assert metrics.parent in writable


def test_to_find_the_ledger_held_is_no_failure() -> None:
    assert values(SERVICE, "SuccessExitStatus") == [str(LedgerBusy.exit_code)]


# cron

RANGES = (range(60), range(24), range(1, 32), range(1, 13), range(8))


def is_time(field: str, allowed: range) -> bool:
    for part in field.split(","):
        match = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", part)
        if not match:
            return False
        first, last, step = (None if one is None else int(one) for one in match.groups())
        if first is not None and (first not in allowed or (last or first) not in allowed):
            return False
        if last is not None and first is not None and last < first:
            return False
        if step is not None and not (0 < step < len(allowed) and (first is None or last)):
            return False
    return True


@pytest.mark.parametrize(
    ("field", "right"),
    [
        *[(field, True) for field in ("*", "*/5", "7", "0-30/10,45")],
        *[(field, False) for field in ("60", "-1", "5/*", "*/0", "30-10", "7/5", "")],
    ],
)
def test_fields_of_time_are_told_from_others(field: str, right: bool) -> None:
    assert is_time(field, range(60)) == right


def test_cron_understands_the_crontab() -> None:
    assert len(jobs()) == 2
    assert CRONTAB.read_text().endswith("\n"), "cron leaves out an unfinished line"
    for job in jobs():
        assert len(job.when) == len(RANGES)
        assert all(map(is_time, job.when, RANGES)), job.when
        assert "%" not in job.task, "a line feed to cron"


def test_what_cron_mails_are_problems() -> None:
    for job in jobs():
        assert "--quiet" in job.task or job.task.endswith(" >/dev/null")


# Commands


def test_the_program_is_the_one_that_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {command[0] for _, command in commands()} == {str(PROGRAM)}
    assert PROGRAM.name in project["scripts"]


@pytest.mark.parametrize("command", [*commands()], ids=lambda one: f"{one[0]} {one[1][1]}")
def test_the_commands_are_accepted(command: tuple[str, list[str]]) -> None:
    where, (_, *arguments) = command
    found = parsed(arguments)
    assert found["command"] == ("run" if where == "ExecStart" else arguments[0])
    assert found["config"] == Path("monitor/pipeline.yaml")


def test_wrong_arguments_would_not_be_accepted() -> None:
    for wrong in (["run", "--no-such-option"], ["run", "--wait", "long"], ["verify"]):
        with pytest.raises(
            Exception, match=r"(?i)no such option|valid number|missing (argument|parameter)"
        ):
            parsed(wrong)


def test_both_ways_do_the_same() -> None:
    by_cron = {arguments[1] for where, arguments in commands() if where == "crontab"}
    by_systemd = {arguments[1] for where, arguments in commands() if where != "crontab"}
    assert by_cron == by_systemd == {"run", "status"}
