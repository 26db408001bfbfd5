"""The commands that README.md and docs/ show are run, and say what is shown.

Each page has a working folder of its own, in which its commands run in their order.
In the output that a page shows `…`, with the blanks around it, stands for anything in a line.
At 127.0.0.1:8000 they find the samples, as the pages say they are served. What a comment says
to happen over the network is not run, but its arguments must be right.
"""

import gzip
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.graph import TABLES
from tests.site import Reply, serving
from tests.unit.test_docs import (
    BY_NAME,
    COMMANDS,
    FEEDS,
    PAGES,
    README,
    ROOT,
    Block,
    parts,
    table,
)
from transforms.errors import Reason


class Command(NamedTuple):
    """A command line of a page; `said` is what it prints, None where the page does not say."""

    line: int
    text: str
    exit_code: int
    said: str | None

    @property
    def goes_out(self) -> bool:
        """Whether it asks what no test may ask."""
        return re.search(r"#.*\bover the network$", self.text) is not None


def commands(block: Block) -> Iterator[Command]:
    """The commands in a block of language console, sh or crontab."""
    lines = block.content.splitlines()
    if block.language == "console":
        begins = [number for number, line in enumerate(lines) if line.startswith("$ ")]
        for begin, end in zip(begins, [*begins[1:], len(lines)], strict=True):
            said = "".join(f"{line}\n" for line in lines[begin + 1 : end])
            yield command(block.line + begin + 1, lines[begin][2:], said)
    elif block.language == "sh":
        for number, line in enumerate(lines, start=1):
            yield command(block.line + number, line, None)
    elif block.language == "crontab":
        for number, line in enumerate(lines, start=1):
            *when, rest = line.split(maxsplit=5)
            assert all(re.fullmatch(r"[\d*/,-]+", part) for part in when)
            place, _, task = rest.partition(" && .venv/bin/")
            assert re.fullmatch(r"cd /\S+", place)
            assert "%" not in task, "a line feed to cron"
            yield command(block.line + number, task, None)


def command(line: int, text: str, said: str | None) -> Command:
    code = re.search(r"# exit code (\d+)$", text)
    return Command(line, text, int(code[1]) if code else 0, said)


def as_pattern(said: str) -> str:
    """The output shown as a regular expression; a line of `…` stands for one line or more."""
    return "".join(
        r"(?:.*\n)+" if line == "…" else ".*".join(map(re.escape, re.split(" *… *", line))) + r"\n"
        for line in said.splitlines()
    )


Shell = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Shell]:
    """Runs a command line in a folder, where `policywire` is this checkout's."""
    programs = tmp_path_factory.mktemp("bin")
    program = programs / "policywire"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pipeline "$@"\n')
    program.chmod(0o755)
    path = os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}

    def in_folder(folder: Path) -> Shell:
        def run(line: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                ["sh", "-c", line],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                check=False,
            )

        return run

    return in_folder


LABELLED = [
    {"title": "Asylum seekers moved", "text": "Asylum seekers left.", "themes": ["migration"]},
    {"title": "Cranes leave", "text": "The autumn migration has begun.", "themes": []},
]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """A new working folder for a page: the checkout's data, and files that users have."""

    def make(page: Path) -> Path:
        folder = tmp_path_factory.mktemp(page.stem)
        for name in ("seeds", "configs"):
            shutil.copytree(ROOT / name, folder / name)
        inbox = folder / "inbox"
        inbox.mkdir()
        shutil.copy(ROOT / "seeds" / "articles.jsonl", inbox / "monday.jsonl")
        (inbox / "tuesday.jsonl").write_bytes(
            gzip.decompress((ROOT / "seeds" / "archive.ndjson.gz").read_bytes())
        )
        (folder / "labelled.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in LABELLED))
        return folder

    return make


SERVED = "127.0.0.1:8000"  # as the pages have it


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder as `python -m http.server` does, without a word."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def samples() -> Iterator[str]:
    """Host and port at which the samples are; as long as what the pages have, as tables are."""
    handler = partial(Quiet, directory=str(ROOT / "seeds"))
    for port in range(8000, 10_000):
        with suppress(OSError):
            server = ThreadingHTTPServer(("127.0.0.1", port), handler)
            break
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{port}"
    server.shutdown()
    server.server_close()


class Played(NamedTuple):
    """A page whose commands were run: the folder it happened in, and what was not as shown."""

    folder: Path
    ran: int
    problems: list[str]


@pytest.fixture(scope="module")
def played(
    shell: Callable[[Path], Shell],
    folder_of: Callable[[Path], Path],
    samples: str,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[Path], Played]]:
    """Gives a page when its commands were run; two pages at a time are."""
    parameters = (getattr(item, "callspec", None) for item in request.session.items)
    wanted = {one.params["page"] for one in parameters if one and "page" in one.params}
    pages: dict[Path, Future[Played]] = {}

    def begin(page: Path) -> Future[Played]:
        if page not in pages:
            folder = folder_of(page)
            pages[page] = pool.submit(
                lambda: Played(folder, *run_page(page, shell(folder), folder, samples))
            )
        return pages[page]

    with ThreadPoolExecutor(2) as pool:
        for page in (COMMANDS, *PAGES):  # the one that takes longest first
            if page in wanted:
                begin(page)
        yield lambda page: begin(page).result()


def run_page(page: Path, run: Shell, folder: Path, samples: str) -> tuple[int, list[str]]:
    problems = []
    ran = 0
    if page == README:  # the page names the run of `make demo`
        done = run(demo())
        assert done.returncode == 0, done.stdout
    for part in parts(page):
        if not isinstance(part, Block):
            continue
        if part.saved_as:
            path = folder / part.saved_as
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(part.content.replace(SERVED, samples))
        for one in commands(part):
            if one.goes_out:
                continue
            ran += 1
            done = run(one.text.replace(SERVED, samples))
            printed = done.stdout.replace(samples, SERVED)
            where = f"{page.name}:{one.line}: {one.text}\n"
            if done.returncode != one.exit_code:
                problems.append(f"{where}exit code {done.returncode}\n{printed}")
            elif one.said is not None and not re.fullmatch(as_pattern(one.said), printed):
                problems.append(f"{where}printed\n{printed}")
    return ran, problems


def demo() -> str:
    """The command of `make demo`."""
    (line,) = re.findall(r"^\t\$\(BIN\)/(policywire .*)", (ROOT / "Makefile").read_text(), re.M)
    return str(line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_do_what_is_shown(page: Path, played: Callable[[Path], Played]) -> None:
    result = played(page)
    assert not result.problems, "\n".join(result.problems)
    assert result.ran or page.name in ("performance.md", "seeds.md")  # they show no command


def all_shown() -> Iterator[Command]:
    for page in PAGES:
        for part in parts(page):
            if isinstance(part, Block):
                yield from commands(part)


GOING_OUT = [one.text for one in all_shown() if one.goes_out]


@pytest.mark.parametrize("line", GOING_OUT)
def test_the_arguments_of_commands_that_go_out_are_right(line: str) -> None:
    program, *words = shlex.split(line, comments=True)
    assert program == "policywire"
    name = max((one for one in BY_NAME if f"{' '.join(words)} ".startswith(f"{one} ")), key=len)
    arguments = words[len(name.split()) :]
    BY_NAME[name].make_context(name, arguments)  # complains like the command itself
    assert all((ROOT / word).exists() for word in arguments if word.startswith("configs/"))


def test_all_commands_are_shown() -> None:
    shown = "\n".join(one.text for one in all_shown())
    for name in table(COMMANDS, "Commands", "command").column():
        assert f"policywire {name} " in shown


def test_the_alert_shown_is_a_part_of_the_seed_articles(played: Callable[[Path], Played]) -> None:
    (shown,) = (
        json.loads(part.content)
        for part in parts(README)
        if isinstance(part, Block) and part.language == "json"
    )
    alerts = (
        played(README).folder / "out/demo/runs/20261124T060000Z/alerts" / f"{shown['theme']}.jsonl"
    )
    (real,) = (
        alert
        for alert in map(json.loads, alerts.read_text().splitlines())
        if alert["article"]["origin"]["path"] == "seeds/seed_article.txt"
    )
    assert is_part(shown, real)


def is_part(shown: Any, real: Any) -> bool:
    match shown, real:
        case dict(), dict():
            return all(name in real and is_part(shown[name], real[name]) for name in shown)
        case list(), list():
            return len(shown) == len(real) and all(map(is_part, shown, real))
        case _:
            return bool(shown == real)


def test_all_files_of_a_run_are_documented(played: Callable[[Path], Played]) -> None:
    said = table(COMMANDS, "Aggregates", "table").column()
    assert said == list(TABLES)
    out = played(COMMANDS).folder / "out"
    (stdin_run,) = (path.parent.parent for path in out.glob("runs/*/inputs/*"))
    files = {path.relative_to(stdin_run).as_posix() for path in stdin_run.rglob("*.*")}
    changes = {name for name in files if name.startswith("ledger_changes/")}
    assert changes
    assert all(name.endswith(".jsonl.zst") for name in changes)
    files -= changes
    themes = ("encryption", "migration", "organised_crime")
    assert files == {
        "manifest.json",
        "articles.jsonl.zst",
        "bursts.jsonl",
        "dead_letters.jsonl",
        "feeds.jsonl",
        "ledger_answers.jsonl.zst",
        "inputs/stdin.jsonl",
        *(f"alerts/{theme}.jsonl" for theme in themes),
        *(f"aggregates/{name}.{form}" for name in said for form in ("csv", "parquet")),
    }
    feeds_run = played(FEEDS).folder / "out/runs/20261124T060000Z"
    inputs = {path.relative_to(feeds_run).as_posix() for path in feeds_run.glob("inputs/*/*")}
    assert inputs == {"inputs/feeds/0001.jsonl.zst"}
    pointer = json.loads((out / "latest.json").read_text())
    assert table(COMMANDS, "latest.json", "field").column() == list(pointer)


FEED = '<rss version="2.0"><channel><title>Example</title>{}</channel></rss>'


def deep_row() -> bytes:
    """Parquet with a row that is nested deeper than JSON may be."""
    value: Any = "A"
    for _ in range(300):
        value = [value]
    file = io.BytesIO()
    pq.write_table(pa.table({"text": [value]}), file, store_schema=False)
    return file.getvalue()


BROKEN: dict[tuple[str, Reason], tuple[str, bytes]] = {
    ("read", Reason.EMPTY): ("x.txt", b" \n"),
    ("parse", Reason.EMPTY): ("x.rss", FEED.format("").encode()),
    ("read", Reason.TOO_LARGE): ("x.jsonl", b'{"title": "' + b"x" * 10_000_001 + b'"}\n'),
    ("read", Reason.TRUNCATED): ("x.json", b'[{"title": "A"}, {"title": "B"'),
    ("parse", Reason.TRUNCATED): ("x.rss", b"<rss><channel><item><title>Half"),
    ("read", Reason.UNKNOWN_FORMAT): ("x.pdf", b"%PDF-1.7\n"),
    ("read", Reason.BAD_ENCODING): ("x.csv", b"title\n" + b"A " * 50_000 + b"\nB \xff\n"),
    ("parse", Reason.BAD_ENCODING): ("x.jsonl", b'{"title": "\xff\xfe"}\n'),
    ("read", Reason.MALFORMED_JSON): ("x.json", b'[{"title": "A"}] and more'),
    ("parse", Reason.MALFORMED_JSON): ("x.jsonl", b"{broken\n"),
    ("read", Reason.MALFORMED_TABLE): ("x.csv", b"title,text\nonly one\n"),
    ("parse", Reason.MALFORMED_FEED): (
        "x.rss",
        FEED.format("<item><title>A & B</title></item>").encode(),
    ),
    ("parse", Reason.UNSAFE_XML): ("x.rss", b'<!DOCTYPE r [<!ENTITY a "b">]><rss/>'),
    ("read", Reason.TOO_DEEP): ("x.parquet", deep_row()),
    ("parse", Reason.TOO_DEEP): ("x.json", b'{"title": ' + b"[" * 5000 + b"]" * 5000 + b"}"),
    ("parse", Reason.DUPLICATE_KEYS): ("x.jsonl", b'{"title": "A", "title": "B"}\n'),
    ("parse", Reason.WRONG_TYPE): ("x.jsonl", b'{"title": 5}\n'),
    ("parse", Reason.NO_ARTICLE): ("x.html", b"<html><body><nav>Home</nav></body></html>"),
    ("normalise", Reason.NO_ARTICLE): ("x.jsonl", b'{"id": 5}\n'),
}


@pytest.fixture
def faulty_feeds() -> Iterator[dict[str, Reason]]:
    """URLs of feeds that cannot be had, and why not."""
    with serving() as site:
        late = Event()
        site["/gone"] = Reply(status=410)
        site["/circle"] = Reply(status=302, headers={"Location": "/circle"})
        site["/broken"] = Reply(b"no gzip", headers={"Content-Encoding": "gzip"})
        site["/slow"] = lambda _: Reply(b"late" if late.wait(30) else b"")
        yield {
            "http://127.0.0.1:0/": Reason.BAD_URL,
            "http://nowhere.invalid/": Reason.NO_ADDRESS,
            "http://10.0.0.1/": Reason.FORBIDDEN_ADDRESS,
            "http://127.0.0.1:9/": Reason.UNREACHABLE,
            f"{site.url}/slow": Reason.TIMED_OUT,
            f"{site.url}/none": Reason.HTTP_ERROR,
            f"{site.url}/gone": Reason.GONE,
            f"{site.url}/circle": Reason.BAD_REDIRECT,
            f"{site.url}/broken": Reason.BAD_RESPONSE,
        }
        late.set()


def test_all_reasons_arise_where_is_said(
    tmp_path: Path, shell: Callable[[Path], Shell], faulty_feeds: dict[str, Reason]
) -> None:
    inputs = tmp_path / "inputs"
    expected = {url: ("read", reason.value) for url, reason in faulty_feeds.items()}
    for (stage, reason), (name, content) in BROKEN.items():
        path = inputs / f"{stage}-{reason}-{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        expected[f"inputs/{path.name}"] = (stage, reason.value)
    (inputs / "folder").mkdir()
    expected["inputs/folder"] = ("read", "unreadable")
    config = {
        "inputs": {"files": ["inputs/*"], "feeds": list(faulty_feeds)},
        "themes": [str(ROOT / "configs" / "themes" / "*.yaml")],
        "fetching": {
            "gap": "0s",
            "retries": 0,
            "allow_private": ["127.0.0.0/8"],
            "timeouts": {"connect": "2s", "read": "2s"},
        },
    }
    (tmp_path / "pipeline.yaml").write_text(json.dumps(config))
    done = shell(tmp_path)("policywire run --quiet --as-of 2026-11-24T06:00Z")
    assert done.returncode == 0, done.stdout
    letters = (tmp_path / "out/runs/20261124T060000Z/dead_letters.jsonl").read_text()
    found = {
        letter["origin"]["path"]: (letter["stage"], letter["reason"])
        for letter in map(json.loads, letters.splitlines())
    }
    assert found == expected
    said = table(COMMANDS, "Reasons", "reason")
    documented = {
        (stage, reason)
        for reason, stages in zip(said.column(0), said.column(1), strict=True)
        for stage in stages.split(", ")
        if stage != "–"  # of pages, which are no items
    }
    assert documented == set(expected.values())
