"""Where a ledger is: its URL, how it is connected to, and what goes wrong there.

No message, log line or repr of this package holds a password.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from transforms.errors import PolicywireError

_FORMS: Final = "it is sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE"
_OLDEST_SQLITE: Final = (3, 37)  # the first with STRICT tables
_WAIT_SECONDS: Final = 30  # for another process's transaction, and for a server to answer

_PRAGMAS: Final = (
    "foreign_keys=ON",
    # An applied run is still there after a power cut. In WAL mode that is one fsync a commit:
    # nothing beside what a run costs.
    "synchronous=FULL",
    "cache_size=-65536",  # 64 MiB; the default of 2 writes each page several times in a large run
    # Look-ups of random ids are twice as fast as through that cache. Workers share the pages, and
    # the system takes them back when it needs them, though they count as theirs until then.
    # SQLite lowers this to what it was compiled for: 2 GiB, mostly.
    "mmap_size=1099511627776",
    "journal_size_limit=67108864",  # gives back what a large run needed of the log
)


class LedgerError(PolicywireError):
    """The ledger cannot be used as asked; what was asked for changed nothing in it."""


class LedgerBusy(LedgerError):  # noqa: N818 # what is wrong, as in the rest of the tree
    """Another run holds the ledger; the message names it."""

    exit_code = 4


class Database:
    """The database that a ledger is in, by its URL.

    Attributes:
        name: What people read of it: a path, or an URL without its password.
        path: Its file; None where it is PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        # In an URL that cannot be taken apart a password may stand anywhere.
        shown = "this" if re.search("@|password", url, re.IGNORECASE) else repr(url)
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            raise LedgerError(f"{shown} is no URL of a ledger: {_FORMS}") from None
        self.path: Path | None = None
        if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
            if parsed.database in (None, "", ":memory:") or parsed.host or parsed.query:
                raise LedgerError(f"{shown} is no URL of a ledger: {_FORMS}")
            self.path = Path(str(parsed.database))
        elif parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        else:
            raise LedgerError(f"{parsed.drivername} holds no ledger: {_FORMS}")
        self._url = parsed
        self._secrets = _secrets_of(parsed)
        self.name = str(self.path) if self.path else self._without_secrets(_masked(parsed))

    def __repr__(self) -> str:
        return f"Database({self.name!r})"

    def engine(self, *, pooled: bool = True) -> Engine:
        """Connections to it; none is made yet."""
        return _sqlite(self.path) if self.path else self._postgres(pooled)

    def _postgres(self, pooled: bool) -> Engine:
        arguments = {"application_name": "policywire", "connect_timeout": _WAIT_SECONDS}
        try:
            return create_engine(
                self._url,
                connect_args={k: v for k, v in arguments.items() if k not in self._url.query},
                poolclass=QueuePool if pooled else NullPool,
                pool_pre_ping=pooled,  # so that a server may be restarted between two look-ups
                hide_parameters=True,
            )
        except ImportError as error:
            install = "pip install 'policywire[postgres]'"
            raise LedgerError(f"{self.name} needs the driver psycopg: {install}") from error

    @contextmanager
    def reported(self, doing: str) -> Iterator[None]:
        """Errors of the database in the body become LedgerErrors: "cannot DOING NAME: …"."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
            reason = self._without_secrets(" ".join(str(cause).split()))
            code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # without the extended part
            if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                message = f"{self.name} is no ledger: {reason}, nothing was changed"
            else:
                message = f"cannot {doing} {self.name}: {reason}"
            raise LedgerError(message) from error

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _sqlite(path: Path) -> Engine:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise LedgerError(f"a ledger needs SQLite 3.37 or later, this is {sqlite3.sqlite_version}")

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode=rw",  # never makes a file
            uri=True,
            timeout=_WAIT_SECONDS,
            isolation_level=None,  # transactions begin in _begin, for changes of the schema too
            check_same_thread=False,  # the pool lends a connection to one thread at a time
        )
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, hide_parameters=True)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    # A transaction that will write says so at once: after a read it may not, where another
    # process has written meanwhile.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _secrets_of(url: URL) -> tuple[str, ...]:
    found = [str(url.password or "")]
    for name, value in url.query.items():
        if "password" in name.lower():
            found += [value] if isinstance(value, str) else value
    written = {form for one in found for form in (one, quote(one, safe=""), quote_plus(one))}
    return tuple(sorted(written - {""}, key=lambda secret: (-len(secret), secret)))


def _masked(url: URL) -> str:
    shown = {name: "***" if "password" in name.lower() else v for name, v in url.query.items()}
    return url.set(query=shown).render_as_string(hide_password=True)
