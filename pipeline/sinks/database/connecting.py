"""How a database is connected to, by its URL."""

import sqlite3
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, quote_plus

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from pipeline.sinks.base import DeliveryError

_WAIT_SECONDS: Final = 30  # for another process's transaction, and for a server to answer


class Database(NamedTuple):
    """A database, to which no connection may have been made yet.

    Attributes:
        name: What people read of it; it holds no password.
    """

    engine: Engine
    name: str

    def without_password(self, text: str) -> str:
        """*text* with its password masked, however it is written."""
        password = str(self.engine.url.password or "")
        for written in {password, quote(password, safe=""), quote_plus(password)} - {""}:
            text = text.replace(written, "***")
        return text


def connect_to(url: str) -> Database:
    """The database at *url*.

    Raises:
        DeliveryError: it is no URL of a database that is supported, or a driver is missing.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DeliveryError("the URL of the database cannot be read") from None
    if parsed.drivername == "sqlite" and parsed.database:
        return Database(_sqlite(parsed), parsed.database)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        parsed = parsed.set(drivername="postgresql+psycopg")
        return Database(_postgres(parsed), parsed.render_as_string(hide_password=True))
    raise DeliveryError(f"{parsed.drivername} is not supported: take sqlite:/// or postgresql://")


def _postgres(url: URL) -> Engine:
    defaults = {"application_name": "policywire", "connect_timeout": _WAIT_SECONDS}
    arguments = {name: value for name, value in defaults.items() if name not in url.query}
    try:
        return create_engine(
            url, connect_args=arguments, hide_parameters=True, json_serializer=_to_json
        )
    except ImportError as error:
        install = "pip install 'policywire[postgres]'"
        raise DeliveryError(f"PostgreSQL needs the driver psycopg: {install}") from error


def _sqlite(url: URL) -> Engine:
    try:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeliveryError(f"cannot write {url.database}: {error.strerror or error}") from error
    arguments = {"timeout": _WAIT_SECONDS}
    engine = create_engine(
        url, connect_args=arguments, hide_parameters=True, json_serializer=_to_json
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # transactions begin in _begin, for changes of tables too
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")  # who reads does not wait, nor is waited for


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()
