"""The ledger itself: what earlier runs saw, asked by key and changed by whole runs."""

import os
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Connection, delete, exists, func, select, text

from pipeline.ledger import statements
from pipeline.ledger.database import Database, LedgerError
from pipeline.ledger.outbox import Outbox, forget_deliveries
from pipeline.ledger.records import (
    AppliedRun,
    DeliveryState,
    ExportedRow,
    FeedState,
    LedgerStats,
    Pruned,
    RunChange,
    StartedStory,
)
from pipeline.ledger.rows import (
    applied_run,
    delivery_row,
    delivery_state,
    exported_article,
    feed_state,
    known_alert,
    known_article,
    micros,
    moment,
    pack_ids,
    story_article,
    unpack_id,
    unpack_keys,
)
from pipeline.ledger.schema import (
    REVISIONS,
    alerts,
    articles,
    deliveries,
    feeds,
    metadata,
    revision,
    runs,
    stories,
    told,
    upgrade,
)
from pipeline.ledger.statements import ask, forget, tell
from pipeline.ledger.writer import Writer
from transforms.records import (
    AlertChange,
    Candidate,
    KnownAlert,
    KnownArticle,
    KnownStory,
    StoryArticle,
)

_PAGE_BYTES: Final = 8192  # of 1, 2, 4 and 8 KiB the fastest for random ids, to read and to write
_STORIES: Final = 5_000  # that are forgotten at once
_WRITE_LOCK: Final = (
    "SELECT pg_advisory_xact_lock(hashtextextended('policywire write ' || current_schema(), 0))"
)


class Ledger:
    """What earlier runs saw.

    Opened by its URL in each process that asks it. Who changes it holds it meanwhile: see
    `pipeline.ledger.hold`. Times come back exactly as they went in.

    All methods raise LedgerError where the database fails. A change that failed has not
    taken place; where a server was lost, `applied_runs` tells whether it was in time.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._engine = database.engine()

    def __repr__(self) -> str:
        return f"Ledger({self.database.name!r})"

    @classmethod
    def open(cls, url: str, *, create: bool = False) -> Self:
        """The ledger at *url*: `sqlite:///PATH` or `postgresql+psycopg://USER@HOST/DATABASE`.

        Args:
            create: Make the ledger where there is none, and bring the schema of an older
                one up to date.

        Raises:
            LedgerError: there is none, or what is there is something else, is damaged or
                was written by a newer program; it was not changed.
        """
        database = Database(url)
        if database.path:
            _check_file(database.path, create=create)
        ledger = cls(database)
        try:
            ledger._check_schema(create)
        except BaseException:
            ledger.close()
            raise
        return ledger

    def close(self) -> None:
        """Give up all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def outbox(self) -> Outbox:
        """What is to be delivered to sinks."""
        return Outbox(self._reading, self._writing)

    def is_empty(self) -> bool:
        """Whether no run was applied and no article is known."""
        with self._reading() as connection:
            return _is_empty(connection)

    def known_articles(self, ids: Sequence[str]) -> dict[str, KnownArticle]:
        """What is known of the articles of *ids*; without those that are not known."""
        with self._reading() as connection:
            rows = ask(connection, statements.KNOWN_ARTICLES, pack_ids(ids))
            return {known.article_id: known for known in map(known_article, rows)}

    def candidates(self, keys: Sequence[int]) -> list[Candidate]:
        """The articles that have one of *keys*, once for each of them; by key and article_id."""
        with self._reading() as connection:
            rows = ask(connection, statements.CANDIDATES, sorted(set(keys)))
            found = [
                Candidate(
                    key=key,
                    article_id=unpack_id(article_id),
                    story_id=unpack_id(story_id),
                    signature=signature,
                )
                for key, article_id, story_id, signature in rows
            ]
        found.sort(key=attrgetter("key", "article_id"))
        return found

    def stories(self, story_ids: Sequence[str]) -> dict[str, KnownStory]:
        """The stories of *story_ids*; without those that are not known."""
        ids = pack_ids(sorted(set(story_ids)))
        with self._reading() as connection:
            sequences = {row[0]: row[1] for row in ask(connection, statements.STORIES, ids)}
            tellers: dict[bytes, list[StoryArticle]] = {story_id: [] for story_id in sequences}
            for story_id, *article in ask(connection, statements.STORY_ARTICLES, ids):
                tellers[story_id].append(story_article(article))
            raised: dict[bytes, list[KnownAlert]] = {story_id: [] for story_id in sequences}
            for story_id, *alert in ask(connection, statements.STORY_ALERTS, ids):
                raised[story_id].append(known_alert(alert))
        known = (
            KnownStory(
                story_id=unpack_id(story_id),
                sequence=sequence,
                articles=tuple(sorted(tellers[story_id], key=attrgetter("article_id"))),
                alerts=tuple(sorted(raised[story_id], key=attrgetter("theme"))),
            )
            for story_id, sequence in sequences.items()
        )
        return {story.story_id: story for story in known}

    def applied_runs(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Those of *run_ids* whose changes are in the ledger, with their numbers."""
        with self._reading() as connection:
            return dict(ask(connection, statements.RUNS, run_ids))

    def next_sequence(self) -> int:
        """One more than the greatest that was applied; 1 at first."""
        with self._reading() as connection:
            return (connection.execute(select(func.max(runs.c.sequence))).scalar() or 0) + 1

    def apply(
        self,
        run_id: str,
        sequence: int,
        as_of: datetime,
        changes: Iterable[RunChange],
        outgoing: Iterable[DeliveryState] = (),
    ) -> bool:
        """Make the changes of a run: all of them or, where anything fails, none.

        A run says one thing of an article, and one of an alert; their order does not
        matter. What it tells of an article replaces what was known, but for its first date,
        and no article is last seen earlier than before. *changes* are read as they are
        written, so they may be many; what reading them raises is raised here.

        Args:
            outgoing: What of the run is to be delivered: it is put into the outbox.

        Returns:
            Whether they were made: not where the run was applied before.

        Raises:
            LedgerError: also where another run was applied as number *sequence*.
        """
        with self._writing() as connection:
            if any(ask(connection, statements.RUNS, [run_id])):
                return False
            taken = select(runs.c.run_id).where(runs.c.sequence == sequence)
            if other := connection.execute(taken).scalar():
                raise LedgerError(
                    f"run {run_id} was not applied to {self.database.name}: "
                    f"run {other} was, as number {sequence}"
                )
            tell(connection, statements.PUT_RUNS, [(run_id, sequence, micros(as_of))])
            writer = Writer(connection, sequence)
            for change in changes:
                writer.add(change)
            writer.flush()
            tell(connection, statements.PUT_DELIVERIES, [delivery_row(one) for one in outgoing])
        return True

    def prune(self, before: datetime) -> Pruned:
        """Forget the articles that were last seen before *before*, and their stories.

        A story goes as a whole, when none of its articles was seen since: as long as a feed
        lists one of them, the others, the lead and the alerts stay known, and nothing is
        told anew. Applied runs and the states of feeds stay, and so does the newest delivery
        to each sink. A file does not shrink; the room is used again.
        """
        limit = micros(before)
        removed_alerts = removed_keys = 0
        with self._writing() as connection:
            ended = connection.execute(text(statements.ENDED_STORIES), {"limit": limit})
            ids = sorted(ended.scalars())
            for start in range(0, len(ids), _STORIES):
                block = ids[start : start + _STORIES]
                rows = ask(connection, statements.STORY_KEYS, block)
                gone = sorted(
                    {(key, number) for number, packed in rows for key in unpack_keys(packed)}
                )
                tell(connection, statements.DROP_KEYS, gone)
                removed_keys += len(gone)
                removed_alerts += forget(connection, statements.FORGET_ALERTS, block)
                forget(connection, statements.FORGET_TOLD, block)
                forget(connection, statements.FORGET_STORIES, block)
            in_story = exists().where(told.c.number == articles.c.number)
            stale = delete(articles).where(articles.c.last_seen_at < limit, ~in_story)
            removed = connection.execute(stale).rowcount
            settled = forget_deliveries(connection, before, datetime.now(UTC))
        return Pruned(removed, len(ids), removed_alerts, removed_keys, settled)

    def stats(self) -> LedgerStats:
        """How much it holds. Counts every row, which takes a second for some millions."""
        with self._reading() as connection:
            rows = {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in sorted(metadata.tables.items())
            }
            last_seen = articles.c.last_seen_at
            oldest, newest = connection.execute(
                select(func.min(last_seen), func.max(last_seen))
            ).one()
            last = connection.execute(select(runs).order_by(runs.c.sequence.desc()).limit(1))
            return LedgerStats(
                revision=REVISIONS[-1],
                rows=rows,
                bytes=self._size(connection),
                oldest_seen_at=None if oldest is None else moment(oldest),
                newest_seen_at=None if newest is None else moment(newest),
                last_run=next((applied_run(row) for row in last), None),
            )

    def export(self) -> Iterator[ExportedRow]:
        """All that it holds, as of one moment and in one order.

        That is runs by number, stories, articles (each a record of its own) and alerts by
        their ids, feeds by their URLs, deliveries by sink, part and run. `restore` takes it back.
        """
        columns = [*articles.c, *(column for column in told.c if column.name != "number")]
        with self._reading(whole=True) as connection:
            for row in connection.execute(select(runs).order_by(runs.c.sequence)):
                yield applied_run(row)
            for row in connection.execute(select(stories).order_by(stories.c.story_id)):
                yield StartedStory(story_id=unpack_id(row.story_id), sequence=row.sequence)
            known = select(*columns).select_from(articles.outerjoin(told))
            for row in connection.execute(known.order_by(articles.c.article_id)):
                yield exported_article(row)
            raised = select(alerts).order_by(alerts.c.story_id, alerts.c.alert_id, alerts.c.theme)
            for story_id, *alert in connection.execute(raised):
                yield AlertChange(story_id=unpack_id(story_id), alert=known_alert(alert))
            # By code point: a server sorts text by the rules of its locale.
            rows = map(feed_state, connection.execute(select(feeds)))
            yield from sorted(rows, key=attrgetter("url"))
            waiting = map(delivery_state, connection.execute(select(deliveries)))
            yield from sorted(waiting, key=attrgetter("sink", "part", "sequence"))

    def restore(self, rows: Iterable[ExportedRow]) -> None:
        """Take back, all or nothing, what `export` gave, in its order.

        Raises:
            LedgerError: also where this ledger is not empty.
        """
        with self._writing() as connection:
            if not _is_empty(connection):
                raise LedgerError(f"{self.database.name} is not empty, nothing was changed")
            writer = Writer(connection, None)
            for row in rows:
                match row:
                    case AppliedRun():
                        run = (row.run_id, row.sequence, micros(row.as_of))
                        tell(connection, statements.PUT_RUNS, [run])
                    case StartedStory():
                        writer.start(row.story_id, row.sequence)
                    case DeliveryState():
                        tell(connection, statements.PUT_DELIVERIES, [delivery_row(row)])
                    case _:
                        writer.add(row)
            writer.flush()

    def feed_states(self, urls: Sequence[str] | None = None) -> dict[str, FeedState]:
        """What was remembered last of the feeds at *urls*, or of all feeds; by URL.

        Without those of which nothing is remembered.
        """
        with self._reading() as connection:
            if urls is None:
                states = [feed_state(row) for row in connection.execute(select(feeds))]
            else:
                states = [feed_state(row) for row in ask(connection, statements.FEEDS, urls)]
        return {state.url: state for state in sorted(states, key=attrgetter("url"))}

    @contextmanager
    def _reading(self, *, whole: bool = False) -> Iterator[Connection]:
        """A transaction that reads; *whole*: all of it sees one state, and rows are streamed."""
        options: dict[str, Any] = {}
        if whole:
            options = {"stream_results": True, "max_row_buffer": 1000}
            if not self.database.path:
                options["isolation_level"] = "REPEATABLE READ"
        with self.database.reported("read the ledger"), self._engine.connect() as connection:
            yield connection.execution_options(**options)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction that writes, one at a time a ledger; readers go on."""
        engine = self._engine.execution_options(writes=True)
        with self.database.reported("change the ledger"), engine.begin() as connection:
            if not self.database.path:
                connection.exec_driver_sql(_WRITE_LOCK)
            yield connection

    def _check_schema(self, create: bool) -> None:
        name, newest = self.database.name, REVISIONS[-1]
        with self.database.reported("open the ledger"), self._engine.connect() as connection:
            found = revision(connection, name)
        if found == newest:
            return
        if not create:
            older = f"{name} is of an older policywire (schema {found}): the next run migrates it"
            raise LedgerError(older if found else f"there is no ledger at {name}")
        with self._writing() as connection:
            if revision(connection, name) != newest:  # another may have been faster
                upgrade(connection)

    def _size(self, connection: Connection) -> int:
        path = self.database.path
        if path:
            files = (path, path.with_name(f"{path.name}-wal"))
            return sum(file.stat().st_size for file in files if file.exists())
        sizes = (func.pg_total_relation_size(name) for name in metadata.tables)
        return sum(connection.execute(select(*sizes)).one())


def _is_empty(connection: Connection) -> bool:
    tables = (runs, stories, articles)
    return not any(connection.execute(select(table).limit(1)).first() for table in tables)


def _check_file(path: Path, *, create: bool) -> None:
    """Make the file where it may be made; LedgerError where it cannot be a ledger's."""
    try:
        if not path.exists():
            if not create:
                raise LedgerError(f"there is no ledger at {path}")
            _make_file(path)
        if not path.is_file():
            raise LedgerError(f"{path} is no ledger: it is no file")
        if _is_cut_short(path):
            raise LedgerError(f"{path} is no ledger: the file is cut short, nothing was changed")
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise LedgerError(f"cannot open the ledger {path}: {reason}") from error


def _is_cut_short(path: Path) -> bool:
    """Whether the end is missing. SQLite takes less than a page for a new database, and the
    beginning of a page for a page."""
    size = path.stat().st_size
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        return not size  # what is missing may be there
    with path.open("rb") as file:
        header = file.read(32)
    # https://www.sqlite.org/fileformat2.html#the_database_header
    if len(header) < 32:
        return True
    page, pages = int.from_bytes(header[16:18]), int.from_bytes(header[28:32])
    return (
        header.startswith(b"SQLite format 3\0") and size < (page if page > 1 else 1 << 16) * pages
    )


def _make_file(path: Path) -> None:
    """Make an SQLite file without tables; it appears whole, or another's that was faster does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with closing(sqlite3.connect(aside)) as connection:
            connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
            connection.execute("PRAGMA journal_mode=WAL")  # the file remembers both
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            if not path.exists():
                aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)
