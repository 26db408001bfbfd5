"""The tables of a ledger, and how a database comes to have them."""

from pathlib import Path
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    column,
    inspect,
    select,
    table,
)

from pipeline.ledger.database import LedgerError

REVISION_TABLE: Final = "ledger_revision"  # not alembic's name: another program may use that
REVISIONS: Final = ("r0001", "r0002")  # oldest first, as in migrations/versions/

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ix": "%(table_name)s_%(column_0_name)s_idx",
    }
)

# SQLite's STRICT tables know one kind of integer, which is as long as its value.
_LONG = BigInteger().with_variant(Integer, "sqlite")
_SHORT = SmallInteger().with_variant(Integer, "sqlite")
_FLAG = Boolean().with_variant(Integer, "sqlite")

# Ids are kept as 17 bytes, hashes of texts as 16, times as microseconds since 1970 in UTC: as
# they went in they come out, and it is the same in both databases.

# Rows lie in the order in which they came: what a run asks for and puts forward is mostly what
# the last runs brought, and lies together. Kept by their ids, which are random, each would lie
# on another page. The numbers never leave the ledger.
articles = Table(
    "articles",
    metadata,
    Column("number", _LONG, Identity(), primary_key=True),
    Column("article_id", LargeBinary, nullable=False),
    Column("text_hash", LargeBinary, nullable=False),
    Column("published_at", _LONG, nullable=False),
    Column("published_from", _SHORT, nullable=False),
    Column("last_seen_at", _LONG, nullable=False, index=True),  # what to forget
    UniqueConstraint("article_id"),
    sqlite_strict=True,
)

stories = Table(
    "stories",
    metadata,
    Column("story_id", LargeBinary, primary_key=True),
    Column("sequence", _LONG, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# What is known besides of an article that has, or had, a theme: one in ten or fewer.
told = Table(
    "told",
    metadata,
    Column("number", _LONG, ForeignKey("articles.number"), primary_key=True, autoincrement=False),
    Column("story_id", LargeBinary, ForeignKey("stories.story_id"), nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("seen_at", _LONG, nullable=False),
    Column("levels", Text, nullable=False),
    Column("themes", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("keys", LargeBinary, nullable=False),
    sqlite_strict=True,
)

# The way from a key to the articles that have it. told.keys says which rows to remove again: an
# index by number would double the table. For want of it there is no foreign key either.
keys = Table(
    "keys",
    metadata,
    Column("key", _LONG, primary_key=True, autoincrement=False),
    Column("number", _LONG, primary_key=True, autoincrement=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

alerts = Table(
    "alerts",
    metadata,
    Column("story_id", LargeBinary, ForeignKey("stories.story_id"), primary_key=True),
    Column("theme", Text, primary_key=True),
    Column("alert_id", LargeBinary, nullable=False),
    Column("level", Text, nullable=False),
    Column("article_id", LargeBinary, nullable=False),
    Column("cancelled", _FLAG, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("sequence", _LONG, nullable=False),
    Column("as_of", _LONG, nullable=False),
    UniqueConstraint("sequence"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

feeds = Table(
    "feeds",
    metadata,
    Column("url", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("updated_at", _LONG, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# Which parts of which runs are to go to which sinks, and have gone: rows come with the run that
# they are about, in one transaction. They are found by sink and part, and are few.
deliveries = Table(
    "deliveries",
    metadata,
    Column("sink", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("sequence", _LONG, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", _LONG, nullable=False),
    Column("next_at", _LONG, nullable=False),
    Column("changed_at", _LONG, nullable=False),
    Column("error", Text, nullable=False),
    Column("progress", Text, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


def revision(connection: Connection, name: str) -> str | None:
    """The schema's revision; None where the database is free for a ledger.

    Raises:
        LedgerError: what is there is no ledger, or one of a newer program.
    """
    inspector = inspect(connection)
    if not inspector.has_table(REVISION_TABLE):
        others = set(inspector.get_table_names())
        if connection.dialect.name != "sqlite":  # a database may be shared, a file is not
            others &= set(metadata.tables)
        if others:
            tables = ", ".join(sorted(others)[:3])
            raise LedgerError(f"{name} is no ledger: it has tables ({tables}), nothing was changed")
        return None
    found = connection.execute(
        select(column("version_num")).select_from(table(REVISION_TABLE))
    ).scalar()
    if found not in REVISIONS:
        raise LedgerError(
            f"{name} was written by a newer policywire: its schema is {found}, the newest known "
            f"here is {REVISIONS[-1]}; nothing was changed"
        )
    return str(found)


def upgrade(connection: Connection) -> None:
    """Bring the schema to the newest revision, within the connection's transaction."""
    # Workers never change a schema, and start without this.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")
