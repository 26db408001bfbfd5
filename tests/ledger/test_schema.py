"""The tables are what the program thinks, and look-ups find their rows by index."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from pipeline.ledger import Ledger, LedgerError, schema, statements
from pipeline.ledger.statements import ask

IDS = [number.to_bytes(17) for number in range(1, 51)]
LOOK_UPS = {
    "KNOWN_ARTICLES": IDS,
    "NUMBERS": IDS,
    "CANDIDATES": list(range(50)),
    "STORIES": IDS,
    "STORY_ARTICLES": IDS,
    "STORY_ALERTS": IDS,
    "STORY_KEYS": IDS,
    "RUNS": ["run 1"],
    "FEEDS": ["https://x.org/feed"],
    "FORGET_TOLD": IDS,
    "FORGET_ALERTS": IDS,
    "FORGET_STORIES": IDS,
}

# Made by the server: one of enough rows that it is worth to look for some of them.
FILLED = """
    INSERT INTO articles (article_id, text_hash, published_at, published_from, last_seen_at)
        SELECT decode(lpad(to_hex(n), 34, '0'), 'hex'), '', 0, 0, 0
        FROM generate_series(1, 20000) n;
    INSERT INTO stories SELECT article_id, 1 FROM articles;
    INSERT INTO told SELECT number, article_id, '', 0, '{}', '', '', '' FROM articles;
    INSERT INTO keys SELECT n, number FROM articles, generate_series(number, number + 3) n;
    INSERT INTO alerts SELECT article_id, 'migration', '', 'focus', '', false FROM articles;
    INSERT INTO runs SELECT 'run ' || number, number, 0 FROM articles;
    INSERT INTO feeds SELECT 'https://x.org/' || number, '{}', 0 FROM articles;
    ANALYZE"""


def test_migrations_make_the_tables_of_the_program(ledger: Ledger) -> None:
    with ledger._reading() as connection:
        options = {"version_table": schema.REVISION_TABLE}
        assert not compare_metadata(
            MigrationContext.configure(connection, opts=options), schema.metadata
        )


def test_migrations_make_the_tables_of_the_program_to_the_letter(sqlite_url: str) -> None:
    statement = text("SELECT sql FROM sqlite_master WHERE sql NOT LIKE '%_revision%' ORDER BY name")
    made = create_engine("sqlite://")
    with Ledger.open(sqlite_url, create=True) as ledger, made.begin() as connection:
        schema.metadata.create_all(connection)
        with ledger._reading() as migrated:
            assert migrated.scalars(statement).all() == connection.scalars(statement).all()
    made.dispose()


def test_the_program_knows_all_revisions() -> None:
    scripts = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(revisions)) == schema.REVISIONS


def test_a_migration_that_fails_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(connection: Connection) -> None:
        schema.upgrade(connection)
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.ledger.store.upgrade", torn)
        with pytest.raises(ZeroDivisionError):
            Ledger.open(url, create=True)
    with pytest.raises(LedgerError, match="there is no ledger"):
        Ledger.open(url)
    Ledger.open(url, create=True).close()


def test_sqlite_walks_through_no_table(sqlite_url: str) -> None:
    plans = {}
    with Ledger.open(sqlite_url, create=True) as ledger, ledger._reading() as connection:
        for name, values in LOOK_UPS.items():
            statement = f"EXPLAIN QUERY PLAN {getattr(statements, name)}"
            plans[name] = [row[3] for row in ask(connection, statement, values)]
    for name, plan in plans.items():
        walked = [step for step in plan if step.startswith("SCAN") and "json_each" not in step]
        assert not walked, f"{name}: {plan}"
        assert any(step.startswith("SEARCH") for step in plan), f"{name}: {plan}"
        assert "AUTOMATIC" not in str(plan), f"{name}: {plan}"


def test_pruning_walks_through_no_articles(sqlite_url: str) -> None:
    statement = text(f"EXPLAIN QUERY PLAN {statements.ENDED_STORIES}")
    with Ledger.open(sqlite_url, create=True) as ledger, ledger._reading() as connection:
        plan = [row[3] for row in connection.execute(statement, {"limit": 0})]
    walked = [step for step in plan if step.startswith("SCAN")]
    assert walked == ["SCAN stories"], plan
    assert "SEARCH articles USING COVERING INDEX articles_last_seen_at_idx (last_seen_at<?)" in plan


def test_postgres_walks_through_no_table(postgres_url: str) -> None:
    plans = {}
    with Ledger.open(postgres_url, create=True) as ledger, ledger._writing() as connection:
        for statement in FILLED.split(";"):
            connection.exec_driver_sql(statement)
        for mode in ("force_custom_plan", "force_generic_plan"):
            connection.exec_driver_sql(f"SET plan_cache_mode = {mode}")
            for name, values in LOOK_UPS.items():
                statement = f"EXPLAIN {getattr(statements, name)}"
                plans[name, mode] = [row[0] for row in ask(connection, statement, values)]
    for name, plan in plans.items():
        assert not any("Seq Scan" in step for step in plan), f"{name}: {plan}"
        assert any("Index" in step for step in plan), f"{name}: {plan}"
