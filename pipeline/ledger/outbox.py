"""What is to be delivered to sinks, and what became of it.

A delivery is one part of one run for one sink. It is put in when its run is applied, in the
same transaction: no crash can lose it.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select, update

from pipeline.ledger import statements
from pipeline.ledger.records import DeliveryState, DeliveryStatus
from pipeline.ledger.rows import delivery_row, delivery_state, micros
from pipeline.ledger.schema import deliveries
from pipeline.ledger.statements import tell

_CUT_SHORT: Final = "the last attempt did not come to its end"
_TOO_LONG: Final = "it has waited for too long"


class _Transaction(Protocol):
    def __call__(self) -> AbstractContextManager[Connection]: ...


class Outbox:
    """The deliveries of a ledger: `Ledger.outbox`.

    All methods raise LedgerError where the database fails.
    """

    def __init__(self, reading: _Transaction, writing: _Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def deliveries(self, *states: DeliveryStatus) -> list[DeliveryState]:
        """All that are in one of *states*, by sink, part and the number of the run."""
        asked = select(deliveries).where(deliveries.c.state.in_(states))
        with self._reading() as connection:
            found = [delivery_state(row) for row in connection.execute(asked)]
        return sorted(found, key=lambda one: (one.sink, one.part, one.sequence))

    def pending(self, sink: str, part: str) -> list[DeliveryState]:
        """What waits for a sink, in the order of the runs."""
        waits = _of(sink, part) & (deliveries.c.state == "pending")
        asked = select(deliveries).where(waits).order_by(deliveries.c.sequence)
        with self._reading() as connection:
            return [delivery_state(row) for row in connection.execute(asked)]

    def pending_runs(self, sinks: Iterable[str]) -> set[str]:
        """The runs of which something waits for one of *sinks*."""
        waits = (deliveries.c.state == "pending") & deliveries.c.sink.in_(list(sinks))
        with self._reading() as connection:
            asked = select(deliveries.c.run_id).where(waits).distinct()
            return set(connection.execute(asked).scalars())

    def parts(self) -> set[tuple[str, str]]:
        """The sinks and parts of which anything is known."""
        asked = select(deliveries.c.sink, deliveries.c.part).distinct()
        with self._reading() as connection:
            return {(sink, part) for sink, part in connection.execute(asked)}

    def add(self, new: Iterable[DeliveryState]) -> None:
        """Put deliveries in; those that are known stay as they are."""
        rows = [delivery_row(one) for one in new]
        with self._writing() as connection:
            tell(connection, statements.PUT_DELIVERIES, rows)

    def begin(self, delivery: DeliveryState, now: datetime, wait: timedelta) -> DeliveryState:
        """Count an attempt before it is made: so one counts, too, that ends in a crash.

        Args:
            wait: How long it waits if this one fails, or is never heard of again.
        """
        begun = {
            "attempts": delivery.attempts + 1,
            "next_at": now + wait,
            "changed_at": now,
            "error": _CUT_SHORT,
        }
        return self._set(delivery, begun)

    def note(self, delivery: DeliveryState, progress: str) -> None:
        """Keep how far a delivery has come, for the next attempt."""
        self._set(delivery, {"progress": progress})

    def deliver(self, delivery: DeliveryState, now: datetime) -> DeliveryState:
        """It has arrived."""
        done = {"state": "delivered", "changed_at": now, "error": "", "progress": ""}
        return self._set(delivery, done)

    def fail(
        self, delivery: DeliveryState, now: datetime, error: str, next_at: datetime
    ) -> DeliveryState:
        """The attempt failed; there will be another one."""
        return self._set(delivery, {"next_at": next_at, "changed_at": now, "error": error})

    def defer(
        self, delivery: DeliveryState, now: datetime, why: str, next_at: datetime
    ) -> DeliveryState:
        """Its time has not come: as if the attempt had not been made."""
        before = {"attempts": delivery.attempts - 1, "next_at": next_at}
        return self._set(delivery, before | {"changed_at": now, "error": why})

    def bury(self, delivery: DeliveryState, now: datetime, error: str) -> DeliveryState:
        """It is not tried again."""
        return self._set(delivery, {"state": "dead", "changed_at": now, "error": error})

    def again(self, now: datetime, sink: str | None = None) -> int:
        """Let what failed be tried at once, as if for the first time; how many those are.

        That are the dead ones, and those that wait for another attempt; of all sinks, or of one.
        """
        failed = (deliveries.c.state == "dead") | (
            (deliveries.c.state == "pending") & (deliveries.c.attempts > 0)
        )
        return self._set_all(failed, sink, {"state": "pending", "attempts": 0, "next_at": now}, now)

    def drop(self, now: datetime, sink: str | None = None) -> int:
        """Give the dead ones up; how many those are."""
        return self._set_all(deliveries.c.state == "dead", sink, {"state": "dropped"}, now)

    def _set(self, delivery: DeliveryState, values: dict[str, Any]) -> DeliveryState:
        one = _of(delivery.sink, delivery.part) & (deliveries.c.run_id == delivery.run_id)
        with self._writing() as connection:
            connection.execute(update(deliveries).where(one).values(_columns(values)))
        return delivery.model_copy(update=values)

    def _set_all(
        self, which: ColumnElement[bool], sink: str | None, values: dict[str, Any], now: datetime
    ) -> int:
        if sink is not None:
            which = and_(which, deliveries.c.sink == sink)
        change = update(deliveries).where(which).values(_columns({**values, "changed_at": now}))
        with self._writing() as connection:
            return connection.execute(change).rowcount


def _of(sink: str, part: str) -> ColumnElement[bool]:
    return and_(deliveries.c.sink == sink, deliveries.c.part == part)


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: micros(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def forget_deliveries(connection: Connection, before: datetime, now: datetime) -> int:
    """Delete what was settled before then; how many those are.

    The newest of each sink and part stays: by it the sink is known. What has waited since then,
    and was not tried, is given up: nothing is forgotten that nobody was told of.
    """
    later = deliveries.alias()
    newer = exists().where(
        later.c.sink == deliveries.c.sink,
        later.c.part == deliveries.c.part,
        later.c.sequence > deliveries.c.sequence,
    )
    old, waits = deliveries.c.changed_at < micros(before), deliveries.c.state == "pending"
    settled = connection.execute(delete(deliveries).where(old, ~waits, newer)).rowcount
    dead = {"state": "dead", "changed_at": now, "error": _TOO_LONG}
    connection.execute(update(deliveries).where(old, waits).values(_columns(dead)))
    return settled
