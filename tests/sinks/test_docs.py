"""What docs/sinks.md says of files, databases, feeds and search indexes is true."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter
from sqlalchemy import create_engine, text

from pipeline.config import PipelineConfig
from pipeline.history import alerts_of
from pipeline.sinks.base import SinkSettings
from pipeline.sinks.database.schema import StoryRow
from pipeline.sinks.database.settings import DatabaseSettings
from pipeline.sinks.feeds.settings import FeedsSettings
from pipeline.sinks.files.settings import FilesSettings
from pipeline.sinks.rows import TABLES
from pipeline.sinks.search.settings import SearchSettings
from tests.articles import hit, told
from tests.sinks.made_runs import about, evidence, make_run
from tests.sinks.test_database import deliver, sqlite_url, url
from tests.unit.test_docs import SINKS, Block, bare, parts, table

__all__ = ["sqlite_url", "url"]

SETTINGS = {
    "Files": FilesSettings,
    "Database": DatabaseSettings,
    "Feeds": FeedsSettings,
    "Search index": SearchSettings,
}
QUERIES = [
    part.content
    for part in parts(SINKS)
    if isinstance(part, Block) and (part.section, part.language) == ("Queries", "sql")
]


@pytest.mark.parametrize("section", SETTINGS)
def test_all_settings_are_documented_with_their_defaults(section: str) -> None:
    model = SETTINGS[section]
    real = {
        name: field
        for name, field in model.model_fields.items()
        if name not in SinkSettings.model_fields
    }
    said = table(SINKS, section, "field").dicts()
    assert [bare(row["field"]) for row in said] == list(real)
    for row in said:
        field, default = real[bare(row["field"])], bare(row["default"])
        if field.is_required() or default == "all":
            assert default == ("required" if field.is_required() else "all")
        else:
            annotation: Any = field.rebuild_annotation()
            value = TypeAdapter(annotation).validate_python(_listed(yaml.safe_load(default)))
            assert value == field.default, row["field"]


def _listed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize("section", SETTINGS)
def test_examples_are_right(section: str) -> None:
    (example,) = (
        part
        for part in parts(SINKS)
        if isinstance(part, Block) and (part.section, part.language) == (section, "yaml")
    )
    (sink,) = PipelineConfig.model_validate(yaml.safe_load(example.content)).sinks
    assert type(sink) is SETTINGS[section]


def columns(section: str) -> dict[str, list[str]]:
    return {
        bare(row["table"]): bare(row["columns"]).split(", ")
        for row in table(SINKS, section, "table").dicts()
    }


def test_all_tables_and_columns_are_documented() -> None:
    real = {name: list(one.row.model_fields) for name, one in TABLES.items()}
    assert columns("Tables") == real
    assert columns("Database") == {"stories": list(StoryRow.model_fields)}


# What the queries find


@pytest.fixture
def filled(url: str, tmp_path: Path) -> str:
    """A database with two runs: three stories, one of which lost a theme."""
    out = tmp_path / "out"
    asylum = evidence("The ASYLUM law.", "ASYLUM", query="asylum")
    first = [
        *told(
            about(1, hit("encryption", level="mention"), hit("migration", evidence=(asylum,))),
            about(2, source="Courier", hours=0.5),
        ),
        *told(about(3, hours=24 * 60, title="Old")),
        *told(about(4, hit("encryption"), hours=3)),
    ]
    run = make_run(out, first, plain=6)
    (gone,) = (
        one for one in alerts_of(run) if one.theme == "encryption" and one.level == "mention"
    )
    cancel = {"alert_id": f"1{7:032x}", "kind": "cancel", "refers_to": gone.alert_id}
    cancel |= {"evidence": (), "change": "lost_ground", "cause": "text_edited"}
    edited = told(about(1))[0].model_copy(update={"story": first[0].story})
    later = make_run(out, [edited], alerts=[gone.model_copy(update=cancel)], sequence=2)
    deliver(url, run, later)
    return url


def ask(url: str, number: int) -> list[tuple[Any, ...]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(QUERIES[number]))]
    finally:
        engine.dispose()


def test_what_holds_now(filled: str) -> None:
    assert [row[:4] for row in ask(filled, 0)] == [
        ("migration", "focus", "Law 1", "Paper"),
        ("encryption", "focus", "Law 4", "Paper"),
        ("migration", "focus", "Old", "Paper"),
    ]


def test_the_stories_that_most_papers_told(filled: str) -> None:
    assert ask(filled, 1) == [("Law 1", 2, 2, 1), ("Law 4", 1, 1, 1)]


def test_the_share_of_each_theme(filled: str) -> None:
    found = [(str(day), theme, int(n), float(share)) for day, theme, n, share in ask(filled, 2)]
    assert found == [
        ("2026-09-25", "migration", 1, 100.0),
        ("2026-11-24", "encryption", 2, 20.0),
        ("2026-11-24", "migration", 3, 30.0),
    ]


def test_who_writes_of_what(filled: str) -> None:
    assert ask(filled, 3) == [
        ("Paper", "migration", 2, 2),
        ("Courier", "migration", 1, 1),
        ("Paper", "encryption", 1, 1),
    ]


def test_sentences_with_a_word(filled: str) -> None:
    found = ask(filled, 4)
    assert ("migration", "ASYLUM", "The ASYLUM law.", "Law 1") in found
    assert all("asylum" in sentence.lower() for _, _, sentence, _ in found)
    assert len(found) == 4


def test_what_is_old_is_forgotten(filled: str) -> None:
    engine = create_engine(filled)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        for statement in QUERIES[5].replace("2025-01-01", "2026-10-01").split(";\n"):
            if statement:
                connection.execute(text(statement))
        left = {
            name: connection.execute(text(f"SELECT count(*) FROM pw_{name}")).scalar()  # noqa: S608
            for name in ("alerts", "articles", "stories", "article_themes")
        }
        connection.commit()
    engine.dispose()
    assert left == {"alerts": 4, "articles": 3, "stories": 2, "article_themes": 3}
    assert [row[2] for row in ask(filled, 0)] == ["Law 1", "Law 4"]
