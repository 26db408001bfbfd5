"""Runs in a database: each in one transaction, so that it is there whole or not at all.

Rows are told by keys that stay the same. What is there of a newer run is never replaced by
that of an older one, and what is there of the same run is replaced by the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, islice
from typing import Any, Final, TypeVar

from alembic.util import CommandError
from sqlalchemy import Connection, Row, Table, delete, insert, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.schema import CreateSchema

from pipeline.history import alerts_of, articles_of
from pipeline.runs import CompleteRun
from pipeline.sinks.base import Delivery, DeliveryError
from pipeline.sinks.database.connecting import connect_to
from pipeline.sinks.database.schema import StoryRow, Tables, tables, upgrade
from pipeline.sinks.rows import (
    TABLES,
    alert_row,
    article_row,
    article_theme_rows,
    evidence_rows,
    run_row,
)
from transforms.records import Record

_T = TypeVar("_T")

_BATCH: Final = 500  # alerts or articles at a time
_OF_ONE_RUN: Final = ("counts", "monitored", "dead_letters")
_INSERT: Final[dict[str, Callable[[Table], Any]]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


class DatabaseSink:
    """Fills the tables of one database, which it makes where they are not there.

    Raises:
        DeliveryError: it cannot be used now.
    """

    def __init__(self, url: str, schema: str | None, prefix: str) -> None:
        self._database = connect_to(url)
        self._tables = tables(schema, prefix)
        try:
            with self._transaction("open") as connection:
                if schema and not inspect(connection).has_schema(schema):
                    connection.execute(CreateSchema(schema))
                upgrade(connection, schema, prefix)
        except BaseException:
            self.close()
            raise

    def deliver(self, delivery: Delivery, /) -> None:
        with self._transaction("write to") as connection:
            _fill(connection, self._tables, delivery.run)

    def close(self) -> None:
        self._database.engine.dispose()

    @contextmanager
    def _transaction(self, doing: str) -> Iterator[Connection]:
        name = self._database.name
        try:
            with self._database.engine.begin() as connection:
                yield connection
        except CommandError as error:
            raise DeliveryError(f"{name} has tables of a newer policywire: {error}") from error
        except SQLAlchemyError as error:
            cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
            reason = self._database.without_password(" ".join(str(cause).split()))
            raise DeliveryError(f"cannot {doing} {name}: {reason}") from error


def _fill(connection: Connection, into: Tables, run: CompleteRun) -> None:
    told_by = run_row(run)
    _put(connection, into.runs, [told_by])
    for alerts in _batches(alerts_of(run)):
        kept = _put(connection, into.alerts, [alert_row(alert, told_by) for alert in alerts])
        pieces = [
            row
            for alert in alerts
            if alert.alert_id in kept
            for row in evidence_rows(alert, told_by)
        ]
        _replace(connection, into.evidence, "alert_id", kept, pieces)
    for articles in _batches(articles_of(run)):
        story_ids = _stories_of(connection, into, [one.article_id for one in articles])
        rows = [article_row(article, told_by) for article in articles]
        kept = _put(connection, into.articles, rows)
        themes = [
            row
            for article in articles
            if article.article_id in kept
            for row in article_theme_rows(article, told_by)
        ]
        _replace(connection, into.article_themes, "article_id", kept, themes)
        _tell_stories(connection, into, story_ids | {one.story_id for one in articles})
    for name in _OF_ONE_RUN:
        _replace(connection, getattr(into, name), "run", {told_by.run}, TABLES[name].rows(run))


def _put(connection: Connection, table: Table, rows: Sequence[Record]) -> set[str]:
    """Insert *rows* of one run, or update those not of a newer one; the keys of what was put."""
    values = list(map(_values, rows))
    (key,) = table.primary_key.columns
    new = _INSERT[connection.dialect.name](table)
    changed = {column.name: new.excluded[column.name] for column in table.c if column is not key}
    put = new.on_conflict_do_update(
        index_elements=[key], set_=changed, where=table.c.sequence <= new.excluded.sequence
    )
    # Not with RETURNING: psycopg would take 2.6 times as long for the run, parsing parameters.
    connection.execute(put, values)
    asked = select(key).where(
        key.in_([one[key.name] for one in values]), table.c.run == values[0]["run"]
    )
    return set(connection.scalars(asked))


def _replace(
    connection: Connection, table: Table, owner: str, owners: set[str], rows: Iterable[Record]
) -> None:
    """Let *rows* be all that belongs to *owners*, which the column *owner* names."""
    connection.execute(delete(table).where(table.c[owner].in_(owners)))
    for batch in _batches(rows):
        connection.execute(insert(table), list(map(_values, batch)))


def _stories_of(connection: Connection, tables: Tables, article_ids: Iterable[str]) -> set[str]:
    """The stories that the database has these articles in."""
    columns = tables.articles.c
    asked = select(columns.story_id).where(columns.article_id.in_(article_ids)).distinct()
    return set(connection.scalars(asked))


def _tell_stories(connection: Connection, tables: Tables, story_ids: set[str]) -> None:
    """Let the database say of these stories what its articles say."""
    columns = tables.articles.c
    asked = (
        select(tables.articles)
        .where(columns.story_id.in_(story_ids))
        .order_by(columns.story_id, columns.published_at, columns.article_id)
    )
    members = groupby(connection.execute(asked), key=lambda article: article.story_id)
    stories = [_story(list(articles)) for _, articles in members]
    _replace(connection, tables.stories, "story_id", story_ids, stories)


def _story(articles: Sequence[Row[Any]]) -> StoryRow:
    lead = articles[0]
    return StoryRow(
        story_id=lead.story_id,
        articles=len(articles),
        sources=len({one.source for one in articles}),
        languages=tuple(sorted({one.language for one in articles})),
        lead_article_id=lead.article_id,
        title=lead.title,
        url=lead.url,
        source=lead.source,
        first_published_at=lead.published_at,
        last_published_at=articles[-1].published_at,
    )


def _values(row: Record) -> dict[str, Any]:
    return {name: _storable(value) for name, value in row.model_dump().items()}


def _storable(value: Any) -> Any:
    """*value* without the one character that PostgreSQL has no place for."""
    match value:
        case str():
            return value.replace("\0", "")
        case tuple():
            return [_storable(one) for one in value]
        case _:
            return value


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    source = iter(items)
    while batch := list(islice(source, _BATCH)):
        yield batch
