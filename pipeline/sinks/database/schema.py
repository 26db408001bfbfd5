"""The tables of a database sink, and how a database comes to have them."""

from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from pipeline.sinks.rows import TABLES, kind_of
from transforms.records import Record

_TYPES: Final[dict[Any, TypeEngine[Any]]] = {
    str: Text(),
    int: BigInteger().with_variant(Integer(), "sqlite"),
    float: Double(),
    bool: Boolean(),
    date: Date(),
    datetime: DateTime(timezone=True),
    tuple[str, ...]: JSON().with_variant(JSONB(), "postgresql"),
}


class StoryRow(Record):
    """A story, as the articles that the database has tell it.

    The lead is the earliest published, ties by article_id.
    """

    story_id: str
    articles: int
    sources: int
    languages: tuple[str, ...]
    lead_article_id: str
    title: str
    url: str | None
    source: str
    first_published_at: datetime
    last_published_at: datetime


_ROWS: Final[dict[str, type[Record]]] = {
    **{name: table.row for name, table in TABLES.items()},
    "stories": StoryRow,
}
_KEYS: Final = {
    "runs": ("run",),
    "alerts": ("alert_id",),
    "evidence": ("alert_id", "number"),
    "articles": ("article_id",),
    "article_themes": ("article_id", "theme"),
    "stories": ("story_id",),
    "counts": ("run", "day", "theme", "source", "language"),
    "monitored": ("run", "day", "source", "language"),
    "dead_letters": ("run", "number"),
}
_OWNERS: Final = {"evidence": ("alerts", "alert_id"), "article_themes": ("articles", "article_id")}
_INDEXED: Final = {
    "alerts": ("story_id", "published_at"),
    "articles": ("story_id", "published_at"),
    "article_themes": ("theme",),
    "counts": ("day",),
    "monitored": ("day",),
}


class Tables(NamedTuple):
    """All tables, each with the columns of its row."""

    metadata: MetaData
    runs: Table
    alerts: Table
    evidence: Table
    articles: Table
    article_themes: Table
    stories: Table
    counts: Table
    monitored: Table
    dead_letters: Table


def tables(schema: str | None, prefix: str) -> Tables:
    """The tables in *schema*, with names that begin with *prefix*."""
    metadata = MetaData(
        schema=schema,
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "ix": "%(table_name)s_%(column_0_name)s_idx",
        },
    )
    made = {
        name: Table(f"{prefix}{name}", metadata, *_columns(name, row, schema, prefix))
        for name, row in _ROWS.items()
    }
    return Tables(metadata=metadata, **made)


def _columns(name: str, row: type[Record], schema: str | None, prefix: str) -> list[Column[Any]]:
    owner, owned = _OWNERS.get(name, (None, None))
    columns = []
    for field, info in row.model_fields.items():
        kind, optional = kind_of(info.annotation)
        place = ".".join(filter(None, [schema, f"{prefix}{owner}", field]))
        # What is deleted takes what belongs to it along.
        link = [ForeignKey(place, ondelete="CASCADE")] if field == owned else []
        columns.append(
            Column(
                field,
                _TYPES[kind],
                *link,
                primary_key=field in _KEYS[name],
                nullable=optional,
                index=field in _INDEXED.get(name, ()) or None,
                autoincrement=False,
            )
        )
    return columns


def upgrade(connection: Connection, schema: str | None, prefix: str) -> None:
    """Bring the tables to the newest revision, within the connection's transaction.

    Raises:
        alembic.util.CommandError: they are of a newer program.
    """
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection, "schema": schema, "prefix": prefix})
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")


def revision_table(prefix: str) -> str:
    """The table that says which revision the others are of."""
    return f"{prefix}revision"
