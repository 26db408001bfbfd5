"""One run at a time a ledger, and one process at a time that delivers to a sink."""

import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout
from sqlalchemy import Connection, text

from pipeline.ledger.database import Database, LedgerBusy, LedgerError

_LOGGER = logging.getLogger(__name__)
_POLL_SECONDS: Final = 0.1
_NAME_BYTES: Final = 63  # that PostgreSQL keeps of an application's name

# Keys of each schema's own; the server keeps the locks of its databases apart.
_TRY: Final = text("""
    SELECT pg_try_advisory_lock(hashtextextended(:key || current_schema(), 0))""")
_HOLDERS: Final = text("""
    SELECT activity.application_name, activity.pid, activity.pid = pg_backend_pid() AS own
    FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
        AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid::bigint << 32 | objid::bigint
            = hashtextextended(:key || current_schema(), 0)""")

# Where a holder's machine vanishes without a word, the server notices within a minute.
_KEEP_ALIVE: Final = (
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
)
_SET: Final = text("SELECT set_config(:setting, :value, false)")


class Held:
    """The hold on a ledger, or on a sink of it."""

    def __init__(self, database: Database, connection: Connection | None, key: str) -> None:
        self._database = database
        self._connection = connection
        self._key = key

    def check(self) -> None:
        """Raise LedgerError where it was lost, which only happens when a server ends a session.

        Worth a call before something is done that cannot be undone.
        """
        if self._connection is None:
            return  # the kernel takes no lock from a process that lives
        with self._database.reported("go on holding the ledger"), self._connection.begin():
            holders = self._connection.execute(_HOLDERS, {"key": self._key}).all()
        if not any(holder.own for holder in holders):
            raise LedgerError(f"the ledger {self._database.name} is not held any longer")


@contextmanager
def hold(url: str, holder: str, wait: timedelta, *, sink: str = "") -> Iterator[Held]:
    """Hold the ledger at *url*, which need not be there yet, while the body runs.

    A holder that dies loses it at once: to the kernel, or to the server. With PostgreSQL
    the hold is that of a session: no pooler that lends one session to many may stand
    between.

    Args:
        holder: What people read of the holder beside its process: "run 20261124T060000Z".
        wait: How long another holder is waited for.
        sink: Hold not the ledger but the deliveries to this sink, while runs go on.

    Raises:
        LedgerBusy: another one still holds it; the message says who.
        LedgerError: the place cannot be written to, or the server cannot be reached.
    """
    database = Database(url)
    what = f"the ledger {database.name}"
    if sink:
        what = f"the sink {sink} of {what}"
    if database.path:
        name = f"{database.path.name}.{sink}" if sink else database.path.name
        with _lock_file(database.path.with_name(name), what, holder, wait):
            yield Held(database, None, "")
    else:
        key = f"policywire sink {sink} " if sink else "policywire run "
        with _session(database, key, what, holder, wait) as connection:
            yield Held(database, connection, key)


@contextmanager
def _lock_file(path: Path, what: str, holder: str, wait: timedelta) -> Iterator[None]:
    lock = FileLock(path.with_name(f"{path.name}.lock"), poll_interval=_POLL_SECONDS)
    note = path.with_name(f"{path.name}.holder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=max(0.0, wait.total_seconds()))
    except Timeout:
        raise _busy(what, _read(note) or "another process", wait) from None
    except OSError as error:
        raise LedgerError(f"cannot hold {what}: {error.strerror}") from error
    try:
        if dead := _read(note):
            _LOGGER.warning("took %s over from one that died: %s", what, dead)
        try:
            note.write_text(f"{_name(holder)}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        except OSError as error:
            raise LedgerError(f"cannot hold {what}: {error.strerror}") from error
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _read(note: Path) -> str:
    try:
        return note.read_text(errors="replace")
    except FileNotFoundError:
        return ""


@contextmanager
def _session(
    database: Database, key: str, what: str, holder: str, wait: timedelta
) -> Iterator[Connection]:
    name = f"policywire {_name(holder)}".encode("ascii", "replace")[:_NAME_BYTES].decode()
    with database.reported("hold the ledger"):
        connection = database.engine(pooled=False).connect()
    try:
        with database.reported("hold the ledger"):
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            for setting, value in ("application_name", name), *_KEEP_ALIVE:
                connection.execute(_SET, {"setting": setting, "value": value})
            _acquire(connection, key, what, wait)
            connection.commit()  # what SQLAlchemy takes for a transaction; the session goes on
        yield connection
    finally:
        connection.invalidate()  # ends the session itself, and the hold with it
        connection.close()


def _acquire(connection: Connection, key: str, what: str, wait: timedelta) -> None:
    deadline = time.monotonic() + wait.total_seconds()
    while not connection.execute(_TRY, {"key": key}).scalar():
        if time.monotonic() >= deadline:
            holders = connection.execute(_HOLDERS, {"key": key}).all()
            names = [f"{one.application_name} (server process {one.pid})" for one in holders]
            raise _busy(what, ", ".join(names) or "another session", wait)
        time.sleep(_POLL_SECONDS)


def _name(holder: str) -> str:
    return f"process {os.getpid()} on {socket.gethostname().partition('.')[0]}, {holder}"


def _busy(what: str, holder: str, wait: timedelta) -> LedgerBusy:
    waited = f", after a wait of {wait}" if wait else ""
    return LedgerBusy(f"{what} is held by {holder}{waited}")
