"""What runs have told, read from the tables of a sink of the kind `database`."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote

import pyarrow as pa
from pydantic import ValidationError
from sqlalchemy import Connection, RowMapping, create_engine, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from pipeline.config import PipelineConfig
from pipeline.history import ARTICLE, MONITORED
from pipeline.sinks.database.connecting import Database, connect_to
from pipeline.sinks.database.schema import tables
from pipeline.sinks.database.settings import DatabaseSettings
from transforms.errors import ConfigError

_BATCH: Final = 2_000  # articles that are Python objects at a time
_DAY: Final = timedelta(days=1)
_OF_THEME: Final = ("theme", "level", "score", "query", "words", "field", "sentence")


class ToldInDatabase:
    """A database, as `Told`; it is only read. What was monitored is known by day alone.

    Raises:
        ConfigError: it is not there, or cannot be read; also from its methods.
    """

    def __init__(self, settings: DatabaseSettings) -> None:
        self._database = _open(os.path.expandvars(settings.url))
        self._tables = tables(settings.in_schema, settings.prefix)

    def close(self) -> None:
        """Give up its connections."""
        self._database.engine.dispose()

    def newest(self) -> datetime:
        """The place in time of the newest run."""
        runs = self._tables.runs
        asked = select(runs.c.as_of).order_by(runs.c.sequence.desc()).limit(1)
        with self._reading() as connection:
            as_of = connection.scalar(asked)
        if as_of is None:
            raise ConfigError(f"{self._database.name}: no run was delivered to it")
        return _in_utc(as_of)

    def articles(self, since: datetime | None = None, until: datetime | None = None) -> pa.Table:
        """As `Told.articles`."""
        articles, themes = self._tables.articles, self._tables.article_themes
        published_at = articles.c.published_at
        asked = (
            select(
                *(articles.c[name] for name in ARTICLE.names if name != "themes"),
                *(themes.c[name] for name in _OF_THEME),
                themes.c.starts.label("start"),
                themes.c.ends.label("end"),
            )
            .join(themes, articles.c.article_id == themes.c.article_id)
            .order_by(published_at, articles.c.article_id, themes.c.theme)
        )
        if since is not None:
            asked = asked.where(published_at >= since.astimezone(UTC))
        if until is not None:
            asked = asked.where(published_at < until.astimezone(UTC))
        with self._reading() as connection:
            rows = connection.execution_options(yield_per=_BATCH).execute(asked).mappings()
            of_article = groupby(rows, key=itemgetter("article_id"))
            found = (_article(list(group)) for _, group in of_article)
            return pa.Table.from_batches(_batches(found), ARTICLE)

    def monitored(
        self,
        by: Literal["day", "hour"] = "day",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pa.Table:
        """As `Told.monitored`; nothing by hour."""
        if by == "hour":
            return MONITORED.empty_table()
        table = self._tables.monitored
        keys = table.c.day, table.c.source, table.c.language
        asked = select(*keys, func.sum(table.c.articles)).group_by(*keys).order_by(*keys)
        if since is not None:
            asked = asked.where(table.c.day >= since.astimezone(UTC).date())
        if until is not None:
            asked = asked.where(table.c.day < until.astimezone(UTC).date())
        with self._reading() as connection:
            rows = [
                (start := _midnight(day), start + _DAY, source, language, int(articles))
                for day, source, language, articles in connection.execute(asked)
            ]
        named = [dict(zip(MONITORED.names, row, strict=True)) for row in rows]
        return pa.Table.from_pylist(named, MONITORED)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._database.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            why = self._database.without_password(" ".join(str(cause).split()))
            raise ConfigError(f"cannot read {self._database.name}: {why}") from error


def database_settings(named: str, config: PipelineConfig) -> DatabaseSettings:
    """Where a database is: its URL, or the name of a sink of the configuration.

    Raises:
        ConfigError: there is no such sink.
    """
    if "://" in named:
        try:
            return DatabaseSettings(kind="database", name="stats", url=named)
        except ValidationError as error:
            raise ConfigError(f"--database: {error.errors()[0]['msg']}") from None
    for sink in config.sinks:
        if sink.name == named and isinstance(sink, DatabaseSettings):
            return sink
    raise ConfigError(f"--database {named!r}: neither a URL nor a database among the sinks")


def _open(url: str) -> Database:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError("the URL of the database cannot be read") from None
    if parsed.drivername != "sqlite":
        return connect_to(url)
    path = Path(parsed.database or "")
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such database")
    uri = f"file:{quote(str(path))}?mode=ro"  # it must not come into being by being asked
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True))
    return Database(engine, str(path))


def _article(rows: Sequence[RowMapping]) -> dict[str, Any]:
    """An article of its rows, one for each of its themes."""
    article = dict(rows[0])
    for name in ("published_at", "updated_at", "seen_at"):
        article[name] = article[name] and _in_utc(article[name])
    # The schema takes of each row what it has a place for.
    return article | {"themes": [{**row, "evidence": dict(row)} for row in rows]}


def _batches(articles: Iterable[dict[str, Any]]) -> Iterator[pa.RecordBatch]:
    source = iter(articles)
    while batch := list(islice(source, _BATCH)):
        yield pa.RecordBatch.from_pylist(batch, ARTICLE)


def _in_utc(moment: datetime) -> datetime:
    """SQLite knows no zones: what it has is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
