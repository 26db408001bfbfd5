"""What can stand where a ledger should be. None of it is changed."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline.ledger import DeliveryState, Ledger, LedgerError, schema
from tests.ledger.process import ROOT
from tests.ledger.samples import NOW, an_id, seen, told


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """The body leaves each file as it is, and no other."""

    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    before = contents()
    yield
    assert contents() == before


@pytest.fixture
def file(sqlite_url: str, tmp_path: Path) -> Path:
    """A ledger with some articles, closed."""
    with Ledger.open(sqlite_url, create=True) as ledger:
        numbers = range(2, 2000)
        ledger.apply("run", 1, NOW, [seen(*numbers), told(1, 100, keys=tuple(range(99)))])
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.sqlite"]
    return tmp_path / "ledger.sqlite"


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("kept", [0, 1, 99, 100, 4096, 0.1, 0.5, 0.99, -1])
def test_a_truncated_file(sqlite_url: str, file: Path, kept: float, create: bool) -> None:
    whole = file.read_bytes()
    size = int(len(whole) * kept) if 0 < kept < 1 else kept if kept >= 0 else len(whole) - 1
    file.write_bytes(whole[: int(size)])
    with unchanged(file.parent), pytest.raises(LedgerError, match=r"is no ledger: .*not.* changed"):
        Ledger.open(sqlite_url, create=create)


@pytest.mark.parametrize("create", [False, True])
def test_a_file_of_another_kind(sqlite_url: str, tmp_path: Path, create: bool) -> None:
    (tmp_path / "ledger.sqlite").write_text("date,title\n" * 1000)
    with unchanged(tmp_path), pytest.raises(LedgerError, match="is no ledger: file is not a"):
        Ledger.open(sqlite_url, create=create)


@pytest.mark.parametrize("create", [False, True])
def test_a_database_of_another_program(sqlite_url: str, tmp_path: Path, create: bool) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    with unchanged(tmp_path), pytest.raises(LedgerError, match=r"has tables \(alembic_version\)"):
        Ledger.open(sqlite_url, create=create)


def test_a_schema_with_tables_of_our_names(postgres_url: str) -> None:
    with Ledger.open(postgres_url, create=True) as ledger, ledger._writing() as connection:
        connection.execute(text("DROP TABLE ledger_revision"))
    for create in (False, True):
        with pytest.raises(LedgerError, match=r"is no ledger: it has tables \(alerts, articles, "):
            Ledger.open(postgres_url, create=create)


def test_a_schema_with_tables_of_another_program(postgres_url: str) -> None:
    with Ledger.open(postgres_url, create=True) as ledger, ledger._writing() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
    with Ledger.open(postgres_url, create=True) as ledger:
        assert ledger.is_empty()


@pytest.mark.parametrize("create", [False, True])
def test_a_newer_ledger(url: str, create: bool) -> None:
    with Ledger.open(url, create=True) as ledger, ledger._writing() as connection:
        connection.execute(text("UPDATE ledger_revision SET version_num = 'r9999'"))
    newer = "was written by a newer policywire: its schema is r9999"
    with pytest.raises(LedgerError, match=newer):
        Ledger.open(url, create=create)


def test_an_older_ledger_is_migrated_by_who_may(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Ledger.open(url, create=True) as ledger:
        ledger.apply("run", 1, NOW, [seen(1)])
    newer = (*schema.REVISIONS, "r9999")
    monkeypatch.setattr("pipeline.ledger.schema.REVISIONS", newer)
    monkeypatch.setattr("pipeline.ledger.store.REVISIONS", newer)
    migrated = []
    monkeypatch.setattr("pipeline.ledger.store.upgrade", migrated.append)
    with pytest.raises(LedgerError, match=r"is of an older policywire \(schema r0002\)"):
        Ledger.open(url)
    assert not migrated
    with Ledger.open(url, create=True) as ledger:
        assert ledger.known_articles([an_id(1)])
    assert len(migrated) == 1


def test_a_ledger_from_before_there_were_sinks(url: str) -> None:
    with Ledger.open(url, create=True) as ledger:
        ledger.apply("run 1", 1, NOW, [seen(1)])
        before = list(ledger.export())
        with ledger._writing() as connection:
            connection.execute(text("DROP TABLE deliveries"))
            connection.execute(text("UPDATE ledger_revision SET version_num = 'r0001'"))
    with pytest.raises(LedgerError, match=r"is of an older policywire \(schema r0001\)"):
        Ledger.open(url)
    with Ledger.open(url, create=True) as ledger:
        assert list(ledger.export()) == before
        new = DeliveryState(
            sink="a", part="", run_id="run 2", sequence=2, next_at=NOW, changed_at=NOW
        )
        ledger.apply("run 2", 2, NOW, [seen(2)], [new])
        assert ledger.outbox.pending("a", "") == [new]


def test_no_ledger(url: str, tmp_path: Path) -> None:
    with unchanged(tmp_path), pytest.raises(LedgerError, match="there is no ledger at"):
        Ledger.open(url)


def test_folders_are_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/one/ledger.sqlite"
    with pytest.raises(LedgerError, match="there is no ledger at"):
        Ledger.open(url)
    assert not list(tmp_path.iterdir())
    Ledger.open(url, create=True).close()
    Ledger.open(url).close()


def test_a_file_system_without_hard_links(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(_: Path, __: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    Ledger.open(sqlite_url, create=True).close()
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.sqlite"]


def test_a_machine_without_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LedgerError, match=r"pip install 'policywire\[postgres\]'"):
        Ledger.open("postgresql+psycopg://policywire@localhost/news")


def test_names_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a ?%20#é&mode=memory.sqlite"
    with Ledger.open(f"sqlite:///{str(path).replace('?', '%3F')}", create=True) as ledger:
        assert ledger.is_empty()


def test_a_folder(tmp_path: Path) -> None:
    for create in (False, True):
        with pytest.raises(LedgerError, match="is no ledger: it is no file"):
            Ledger.open(f"sqlite:///{tmp_path}", create=create)


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    for create in (False, True):
        with pytest.raises(LedgerError, match=r"out/ledger\.sqlite"):
            Ledger.open(f"sqlite:///{tmp_path}/out/ledger.sqlite", create=create)


@pytest.mark.parametrize(
    "url",
    ["", "ledger.sqlite", "sqlite://", "sqlite:///:memory:", "sqlite:///x?mode=ro", "http://x"],
)
def test_what_is_no_url_of_a_ledger(url: str) -> None:
    with pytest.raises(LedgerError, match="it is sqlite:///PATH or postgresql"):
        Ledger.open(url, create=True)


def test_a_ledger_that_breaks_while_it_is_used(sqlite_url: str, file: Path) -> None:
    with Ledger.open(sqlite_url) as ledger:
        with file.open("r+b") as broken:
            broken.seek(8192)
            broken.write(b"\xff" * (file.stat().st_size - 8192))
        with pytest.raises(LedgerError, match="is no ledger: "):
            ledger.known_articles([an_id(number) for number in range(2000)])
        with pytest.raises(LedgerError, match="is no ledger: "):
            ledger.apply("other", 2, NOW, [seen(9)])


def test_a_ledger_that_was_not_closed(sqlite_url: str, file: Path, tmp_path: Path) -> None:
    """What is in the log alone is read from there."""
    with Ledger.open(sqlite_url) as ledger:
        ledger.apply("other", 2, NOW, [seen(5000)])
        (tmp_path / "copy").mkdir()
        for path in (file, file.with_name(f"{file.name}-wal")):
            shutil.copy(path, tmp_path / "copy")
    with Ledger.open(f"sqlite:///{tmp_path}/copy/ledger.sqlite") as ledger:
        assert ledger.known_articles([an_id(5000)])


WITHOUT_RIGHTS = """
import sys
from pipeline.ledger import Ledger, LedgerError, hold
from datetime import timedelta
for use in (
    lambda: Ledger.open(sys.argv[1]),
    lambda: Ledger.open(sys.argv[1], create=True),
    lambda: hold(sys.argv[1], "run", timedelta()).__enter__(),
):
    try:
        use()
        print("done")
    except LedgerError as error:
        print(error)
"""


@pytest.mark.parametrize("there", [False, True], ids=["empty", "with a ledger"])
def test_a_folder_that_may_not_be_written(sqlite_url: str, tmp_path: Path, there: bool) -> None:
    command = [sys.executable, "-c", WITHOUT_RIGHTS, sqlite_url]
    if os.geteuid() == 0:  # who may write everywhere, unless that is taken away
        if not shutil.which("setpriv"):
            pytest.skip("root may write everywhere")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    if there:
        Ledger.open(sqlite_url, create=True).close()
        (tmp_path / "ledger.sqlite").chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        with unchanged(tmp_path):
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        tmp_path.chmod(0o755)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == 3
    assert all(sqlite_url.removeprefix("sqlite:///") in line for line in said), said
    assert all(line.startswith(("cannot ", "there is no ledger")) for line in said), said
