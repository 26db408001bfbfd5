"""Runs as files: what is in them, how they are named, and that they are whole."""

import csv
import io
from pathlib import Path
from typing import Any, get_args

import orjson
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from apache_beam.io.filesystem import BeamIOError, FileSystem
from apache_beam.io.localfilesystem import LocalFileSystem
from pydantic import ValidationError

from pipeline.history import History
from pipeline.runs import CompleteRun
from pipeline.sinks.base import DeliveryError
from pipeline.sinks.files.settings import ALL, FilesSettings, TableName
from pipeline.sinks.rows import TABLES, run_name
from tests.articles import hit, told
from tests.sinks.made_runs import about, dead_letter, delivery_of, evidence, make_run

ASYLUM = evidence("The asylum law, the asylum law.", "asylum law")


def settings(**changes: Any) -> FilesSettings:
    return FilesSettings(**({"kind": "files", "name": "lake"} | changes))


def deliver(out: Path, run: CompleteRun, **changes: Any) -> dict[str, bytes]:
    """All files that there are after a delivery, by their names below the sink's folder."""
    sink = settings(**changes).open(out)
    sink.deliver(delivery_of(run))
    sink.close()
    folder = out / "lake"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def run(out: Path) -> CompleteRun:
    """Two stories of two days; one has two themes, and a second article."""
    two = (hit("encryption", level="mention", score=1.5), hit("migration", evidence=(ASYLUM,)))
    articles = [
        *told(about(1, *two), about(2, hit("migration"), source="=SUM(1)", hours=0.5)),
        *told(about(3, hours=40, title='Law "3"\nof many', tags=("press", "uk"))),
    ]
    return make_run(out, articles, plain=7, dead_letters=[dead_letter(0), dead_letter(9)])


def test_the_tables_that_can_be_named_are_those_that_there_are() -> None:
    assert ALL == get_args(TableName) == tuple(TABLES)


def test_each_table_is_a_file_that_is_named_by_the_run(out: Path, run: CompleteRun) -> None:
    files = deliver(out, run)
    assert set(files) == {f"{table}/{run_name(run)}.parquet" for table in TABLES}
    assert run_name(run).startswith("20261124T060000Z-")


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("partition_by", [(), ("day", "theme")])
def test_a_second_delivery_replaces_the_first(
    out: Path, run: CompleteRun, form: str, partition_by: tuple[str, ...]
) -> None:
    first = deliver(out, run, format=form, partition_by=partition_by)
    assert first
    assert deliver(out, run, format=form, partition_by=partition_by) == first


def test_another_run_adds_its_files(out: Path, run: CompleteRun) -> None:
    first = deliver(out, run)
    second = deliver(out, make_run(out, told(about(4)), sequence=2))
    assert first.items() < second.items()
    assert {name.split("/")[0] for name in second.keys() - first.keys()} == {
        *TABLES,
    } - {"dead_letters"}  # it has none, and so there is no file


def read(content: bytes) -> Any:
    return pq.read_table(io.BytesIO(content)).to_pylist()


def test_rows_are_flat(out: Path, run: CompleteRun) -> None:
    files = {name.split("/")[0]: read(content) for name, content in deliver(out, run).items()}
    (told_by,) = files["runs"]
    assert (told_by["items_read"], told_by["classified"], told_by["dead_letters"]) == (12, 10, 2)
    assert [(row["theme"], row["article_id"][-1]) for row in files["alerts"]] == [
        ("encryption", "1"),
        ("migration", "1"),
        ("migration", "3"),
    ]
    alert = files["alerts"][1]
    assert (alert["story_articles"], alert["story_sources"]) == (2, ["=SUM(1)", "Paper"])
    (asylum,) = (row for row in files["evidence"] if row["words"] == "asylum law")
    assert (asylum["alert_id"], asylum["number"]) == (alert["alert_id"], 1)
    assert (asylum["starts"], asylum["ends"], asylum["sentence"]) == (100, 110, ASYLUM.sentence)
    assert [row["article_id"][-1] for row in files["articles"]] == ["1", "2", "3"]
    assert files["articles"][2]["tags"] == ["press", "uk"]
    assert [(row["article_id"][-1], row["theme"]) for row in files["article_themes"]] == [
        ("1", "encryption"),
        ("1", "migration"),
        ("2", "migration"),
        ("3", "migration"),
    ]
    assert sum(row["articles"] for row in files["counts"]) == 4
    assert sum(row["articles"] for row in files["monitored"]) == 10
    assert [row["byte_offset"] for row in files["dead_letters"]] == [0, 9]
    assert all(row["run"] == run_name(run) for rows in files.values() for row in rows)


def test_partitions_are_read_as_hives(out: Path, run: CompleteRun) -> None:
    files = deliver(out, run, partition_by=["day", "theme"])
    named = f"{run_name(run)}.parquet"
    assert {name for name in files if name.startswith("alerts/")} == {
        f"alerts/day=2026-11-24/theme=encryption/{named}",
        f"alerts/day=2026-11-24/theme=migration/{named}",
        f"alerts/day=2026-11-22/theme=migration/{named}",
    }
    assert {name for name in files if name.startswith("articles/")} == {
        f"articles/day=2026-11-24/{named}",
        f"articles/day=2026-11-22/{named}",
    }
    dataset = ds.dataset(out / "lake" / "counts", partitioning="hive")
    found = dataset.to_table(filter=ds.field("theme") == "migration").to_pylist()
    assert sorted((row["day"], row["articles"]) for row in found) == [
        ("2026-11-22", 1),
        ("2026-11-24", 1),
        ("2026-11-24", 1),
    ]


def test_all_formats_say_the_same(out: Path, run: CompleteRun) -> None:
    name = f"articles/{run_name(run)}"
    files = {
        form: deliver(out, run, format=form, tables=["articles"])[f"{name}.{form}"]
        for form in ("jsonl", "csv", "parquet")
    }
    rows = read(files["parquet"])
    lines = [orjson.loads(line) for line in files["jsonl"].splitlines()]
    cells = list(csv.DictReader(io.StringIO(files["csv"].decode(), newline="")))
    assert len(rows) == len(lines) == len(cells) == 3
    for row, line, cell in zip(rows, lines, cells, strict=True):
        published = row.pop("published_at").strftime("%Y-%m-%dT%H:%M:%SZ")
        assert published == line.pop("published_at") == cell.pop("published_at")
        seen = row.pop("seen_at").strftime("%Y-%m-%dT%H:%M:%SZ")
        assert seen == line.pop("seen_at") == cell.pop("seen_at")
        assert row == line
        assert orjson.loads(cell.pop("tags")) == row.pop("tags")
        assert cell.pop("source").removeprefix("'") == row.pop("source")
        assert cell == {name: "" if one is None else str(one) for name, one in row.items()}
    assert cells[1]["title"] == "Law 2"


def test_no_cell_is_a_formula(out: Path, run: CompleteRun) -> None:
    (content,) = deliver(out, run, format="csv", tables=["articles"]).values()
    assert b",'=SUM(1)," in content


def test_a_folder_of_ones_own(out: Path, run: CompleteRun, tmp_path: Path) -> None:
    assert not deliver(out, run, folder=str(tmp_path / "else where"), tables=["runs"])
    assert [path.name for path in (tmp_path / "else where").rglob("*.parquet")] == [
        f"{run_name(run)}.parquet"
    ]


@pytest.mark.parametrize("name", ["runs", "staging", "report"])
def test_the_folders_of_runs_are_no_sinks(name: str) -> None:
    with pytest.raises(ValidationError, match="has a folder"):
        settings(name=name)
    settings(name=name, folder="elsewhere")


def test_what_cannot_be_written_is_an_error_that_names_it(out: Path, run: CompleteRun) -> None:
    (out / "lake").write_text("a file")
    with pytest.raises(DeliveryError, match=r"cannot write .*lake/runs/2026.*: "):
        deliver(out, run)


class ShelfFileSystem(LocalFileSystem):
    """A file system by URL, `shelf:///PATH`, that as HDFS replaces no file by renaming one."""

    refused = 0

    @classmethod
    def scheme(cls) -> str:
        return "shelf"

    def _path(self, url: str) -> str:
        return url.removeprefix("shelf://")

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath, *paths])

    def create(self, path: str, *arguments: Any, **options: Any) -> Any:
        return super().create(self._path(path), *arguments, **options)

    def rename(self, sources: list[str], destinations: list[str]) -> None:
        if Path(self._path(destinations[0])).exists():
            type(self).refused += 1
            raise BeamIOError("it is there already")
        super().rename([*map(self._path, sources)], [*map(self._path, destinations)])

    def delete(self, paths: list[str]) -> None:
        super().delete([*map(self._path, paths)])


def test_any_file_system_that_beam_knows(out: Path, run: CompleteRun, tmp_path: Path) -> None:
    assert ShelfFileSystem in FileSystem.get_all_subclasses()
    folder = tmp_path / "shelf"
    for _ in range(2):
        assert not deliver(out, run, folder=f"shelf://{folder}", tables=["alerts"])
        (file,) = (path for path in folder.rglob("*") if path.is_file())
        assert file.relative_to(folder).as_posix() == f"alerts/{run_name(run)}.parquet"
        assert len(read(file.read_bytes())) == 3
    assert ShelfFileSystem.refused == 1


def test_a_file_system_that_is_not_known(out: Path) -> None:
    with pytest.raises(DeliveryError, match="cannot write to nowhere://bucket"):
        settings(folder="nowhere://bucket").open(out)


def test_a_disk_that_is_full_leaves_the_file_that_was_there(
    out: Path, run: CompleteRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = deliver(out, run, tables=["alerts"])

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.sinks.places.os.fsync", full)
    with pytest.raises(DeliveryError, match="No space left"):
        deliver(out, run, tables=["alerts"])
    assert (out / "lake" / next(iter(before))).read_bytes() == next(iter(before.values()))


def test_the_history_has_what_the_runs_are_made_with(out: Path, run: CompleteRun) -> None:
    make_run(out, told(about(1, hit("encryption"))), sequence=2)
    history = History(out)
    assert history.runs[0] == run
    newest = {row["article_id"][-1]: row["run_id"] for row in history.articles().to_pylist()}
    assert newest == {"1": "20261124T060500Z", "2": run.manifest.run_id, "3": run.manifest.run_id}
