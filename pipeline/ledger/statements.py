"""What a ledger says to its database, and how it says it of many rows at once.

The statements are written out and go to the driver as they are: what SQLAlchemy's
expressions add to each row is more than SQLite needs to find it.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    CursorResult,
    LargeBinary,
    SmallInteger,
    Text,
)

from pipeline.ledger.schema import metadata

Value = str | bytes | int

# {given} stands for the values that are asked for, as a table of one column. SQLite walks through
# tables that are cross joined in the order in which they stand: from each value to the rows that
# have it, by a primary key or an index. So what a look-up costs does not grow with the ledger,
# and tests look at the plans of both databases.
KNOWN_ARTICLES: Final = """
    SELECT article_id, text_hash, published_at, published_from, last_seen_at,
        story_id, levels, themes
    FROM {given} CROSS JOIN articles LEFT JOIN told ON told.number = articles.number
    WHERE article_id = given.value"""
NUMBERS: Final = """
    SELECT article_id, articles.number, keys
    FROM {given} CROSS JOIN articles LEFT JOIN told ON told.number = articles.number
    WHERE article_id = given.value"""
CANDIDATES: Final = """
    SELECT key, article_id, story_id, signature
    FROM {given} CROSS JOIN keys CROSS JOIN told CROSS JOIN articles
    WHERE key = given.value AND told.number = keys.number AND articles.number = keys.number"""
STORIES: Final = """
    SELECT story_id, sequence
    FROM {given} CROSS JOIN stories
    WHERE story_id = given.value"""
STORY_ARTICLES: Final = """
    SELECT story_id, article_id, source, published_at, published_from, seen_at, levels
    FROM {given} CROSS JOIN told CROSS JOIN articles
    WHERE story_id = given.value AND articles.number = told.number"""
STORY_ALERTS: Final = """
    SELECT story_id, theme, alert_id, level, article_id, cancelled
    FROM {given} CROSS JOIN alerts
    WHERE story_id = given.value"""
STORY_KEYS: Final = """
    SELECT number, keys
    FROM {given} CROSS JOIN told
    WHERE story_id = given.value"""
RUNS: Final = "SELECT run_id, sequence FROM {given} CROSS JOIN runs WHERE run_id = given.value"
FEEDS: Final = "SELECT url, state, updated_at FROM {given} CROSS JOIN feeds WHERE url = given.value"

# The stories of which no article was seen since, and those that all their articles have left.
# The second part walks through an index of all stories: 0.2 seconds for half a million.
ENDED_STORIES: Final = """
    SELECT DISTINCT story_id
    FROM articles CROSS JOIN told
    WHERE last_seen_at < :limit AND told.number = articles.number AND NOT EXISTS (
        SELECT 1
        FROM told AS other JOIN articles AS lately ON lately.number = other.number
        WHERE other.story_id = told.story_id AND lately.last_seen_at >= :limit)
    UNION
    SELECT story_id
    FROM stories
    WHERE NOT EXISTS (SELECT 1 FROM told WHERE told.story_id = stories.story_id)"""
FORGET_TOLD: Final = "DELETE FROM told WHERE story_id IN (SELECT value FROM {given})"
FORGET_ALERTS: Final = "DELETE FROM alerts WHERE story_id IN (SELECT value FROM {given})"
FORGET_STORIES: Final = "DELETE FROM stories WHERE story_id IN (SELECT value FROM {given})"


class Write(NamedTuple):
    """A statement that writes rows: SQLite is given them one by one, PostgreSQL all at once."""

    sqlite: str
    postgres: str


_TYPES: dict[type[Any], str] = {
    BigInteger: "bigint",
    Boolean: "boolean",
    LargeBinary: "bytea",
    SmallInteger: "smallint",
    Text: "text",
}


def _put(table: str, columns: str, then: str) -> Write:
    names = columns.split()
    types = [type(metadata.tables[table].c[name].type) for name in names]
    arrays = ", ".join(f"%b::{_TYPES[one]}[]" for one in types)
    into = f"INSERT INTO {table} ({', '.join(names)})"
    return Write(
        f"{into} VALUES ({', '.join('?' for _ in names)}) ON CONFLICT {then}",
        f"{into} SELECT * FROM unnest({arrays}) ON CONFLICT {then}",  # noqa: S608 # names of ours
    )


def _replace(*columns: str) -> str:
    return "DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in columns)


# An article keeps its first date. It was last seen when it was last seen, whatever comes late.
PUT_ARTICLES: Final = _put(
    "articles",
    "article_id text_hash published_at published_from last_seen_at",
    "(article_id) DO UPDATE SET text_hash = excluded.text_hash, last_seen_at = "
    "CASE WHEN excluded.last_seen_at > articles.last_seen_at THEN excluded.last_seen_at "
    "ELSE articles.last_seen_at END",
)
PUT_STORIES: Final = _put("stories", "story_id sequence", "(story_id) DO NOTHING")
_TOLD = ("story_id", "source", "seen_at", "levels", "themes", "signature", "keys")
PUT_TOLD: Final = _put("told", f"number {' '.join(_TOLD)}", f"(number) {_replace(*_TOLD)}")
PUT_KEYS: Final = _put("keys", "key number", "(key, number) DO NOTHING")
_ALERT = ("alert_id", "level", "article_id", "cancelled")
PUT_ALERTS: Final = _put(
    "alerts", f"story_id theme {' '.join(_ALERT)}", f"(story_id, theme) {_replace(*_ALERT)}"
)
PUT_RUNS: Final = _put("runs", "run_id sequence as_of", "DO NOTHING")
PUT_DELIVERIES: Final = _put(
    "deliveries",
    "sink part run_id sequence state attempts next_at changed_at error progress",
    "DO NOTHING",
)
PUT_FEEDS: Final = _put("feeds", "url state updated_at", f"(url) {_replace('state', 'updated_at')}")
SEE_AGAIN: Final = Write(
    "UPDATE articles SET last_seen_at = max(last_seen_at, ?) WHERE article_id = ?",
    "UPDATE articles SET last_seen_at = given.last_seen_at "
    "FROM unnest(%b::bigint[], %b::bytea[]) AS given (last_seen_at, article_id) "
    "WHERE articles.article_id = given.article_id AND articles.last_seen_at < given.last_seen_at",
)
DROP_KEYS: Final = Write(
    "DELETE FROM keys WHERE key = ? AND number = ?",
    "DELETE FROM keys USING unnest(%b::bigint[], %b::bigint[]) AS given (key, number) "
    "WHERE keys.key = given.key AND keys.number = given.number",
)

_CUT: Final = "(SELECT substr(?, value, ?) AS value FROM json_each(?)) AS given"
_BLOCK: Final = 512  # values in a look-up
_ROWS: Final = 10_000  # in one statement to PostgreSQL


def ask(connection: Connection, statement: str, values: Sequence[Value]) -> Iterator[Any]:
    """The rows of *statement* for *values*, as the driver gives them."""
    for result in _blocks(connection, statement, values):
        yield from result.cursor.fetchall()


def forget(connection: Connection, statement: str, values: Sequence[Value]) -> int:
    """Delete what *statement* says of *values*; how many rows that were."""
    return sum(result.rowcount for result in _blocks(connection, statement, values))


def tell(connection: Connection, write: Write, rows: list[Any]) -> None:
    """Write *rows*, in their order; no two may be about the same thing."""
    if connection.dialect.name == "sqlite":
        if rows:
            connection.exec_driver_sql(write.sqlite, rows)
        return
    for start in range(0, len(rows), _ROWS):
        columns = tuple(map(list, zip(*rows[start : start + _ROWS], strict=True)))
        connection.exec_driver_sql(write.postgres, columns)


def _blocks(
    connection: Connection, statement: str, values: Sequence[Value]
) -> Iterator[CursorResult[Any]]:
    given_to = _given_to_sqlite if connection.dialect.name == "sqlite" else _given_to_postgres
    for start in range(0, len(values), _BLOCK):
        given, parameters = given_to(list(values[start : start + _BLOCK]))
        yield connection.exec_driver_sql(statement.format(given=given), parameters)


def _given_to_sqlite(block: list[Any]) -> tuple[str, tuple[Any, ...]]:
    """One form for any number of values; a list of as many parameters is sorted first."""
    if isinstance(block[0], bytes):  # JSON has none: ids are cut out of all of them in a row
        return _CUT, (b"".join(block), len(block[0]), _places(len(block), len(block[0])))
    return "(SELECT value FROM json_each(?)) AS given", (orjson.dumps(block).decode(),)


@lru_cache(_BLOCK)
def _places(number: int, size: int) -> str:
    return str(list(range(1, 1 + number * size, size)))


def _given_to_postgres(block: list[Any]) -> tuple[str, tuple[Any, ...]]:
    return f"unnest(%b::{_ARRAYS[type(block[0])]}) AS given (value)", (block,)


_ARRAYS: Final[dict[type[Value], str]] = {bytes: "bytea[]", int: "bigint[]", str: "text[]"}
