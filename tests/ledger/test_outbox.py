"""What is to be delivered comes with its run, and stays until it has arrived."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.ledger import DeliveryState, Ledger, Pruned, RunChange
from tests.ledger.samples import HOUR, NOW, seen

MINUTE = timedelta(minutes=1)


def delivery(sequence: int, sink: str = "one", part: str = "", **more: Any) -> DeliveryState:
    values = {"next_at": NOW, "changed_at": NOW} | more
    return DeliveryState(
        sink=sink, part=part, run_id=f"run {sequence}", sequence=sequence, **values
    )


def put(ledger: Ledger, *new: DeliveryState) -> None:
    ledger.outbox.add(new)


def every(ledger: Ledger) -> list[DeliveryState]:
    return ledger.outbox.deliveries("pending", "delivered", "dead", "dropped")


def test_deliveries_come_with_their_run(ledger: Ledger) -> None:
    new = [delivery(1), delivery(1, "two", "a"), delivery(1, "two", "b")]
    assert ledger.apply("run 1", 1, NOW, [seen(1)], new)
    assert every(ledger) == new
    done = ledger.outbox.deliver(new[0], NOW + HOUR)
    assert not ledger.apply("run 1", 1, NOW, [seen(1)], new)
    assert every(ledger) == [done, *new[1:]]


def test_a_run_that_is_not_applied_brings_no_deliveries(ledger: Ledger) -> None:
    def torn() -> Iterable[DeliveryState]:
        yield delivery(1)
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        ledger.apply("run 1", 1, NOW, [seen(1)], torn())
    assert every(ledger) == []
    assert ledger.is_empty()


def test_what_waits_is_in_the_order_of_the_runs(ledger: Ledger) -> None:
    put(ledger, delivery(10), delivery(9), delivery(8, "two"), delivery(7, part="a"))
    assert [one.sequence for one in ledger.outbox.pending("one", "")] == [9, 10]
    assert ledger.outbox.pending("one", "b") == []
    assert ledger.outbox.parts() == {("one", ""), ("one", "a"), ("two", "")}
    assert ledger.outbox.pending_runs(["one"]) == {"run 7", "run 9", "run 10"}
    assert ledger.outbox.pending_runs([]) == set()


def test_an_attempt_counts_before_it_has_ended(ledger: Ledger) -> None:
    put(ledger, delivery(1))
    begun = ledger.outbox.begin(delivery(1), NOW + MINUTE, HOUR)
    assert (begun.attempts, begun.next_at) == (1, NOW + MINUTE + HOUR)
    assert "did not come to its end" in begun.error
    assert ledger.outbox.pending("one", "") == [begun]


def test_an_attempt_ends(ledger: Ledger) -> None:
    outbox = ledger.outbox
    put(ledger, delivery(1), delivery(2), delivery(3))
    first, second, third = [outbox.begin(one, NOW, HOUR) for one in every(ledger)]
    outbox.note(second, "half of it")
    arrived = outbox.deliver(first, NOW)
    failed = outbox.fail(second, NOW, "no answer", NOW + 2 * HOUR)
    dead = outbox.bury(third, NOW, "no such place")
    assert every(ledger) == [
        arrived,
        failed.model_copy(update={"progress": "half of it"}),
        dead,
    ]
    assert (arrived.state, arrived.error, arrived.attempts) == ("delivered", "", 1)
    assert (failed.state, failed.error, failed.next_at) == ("pending", "no answer", NOW + 2 * HOUR)
    assert (dead.state, dead.error) == ("dead", "no such place")
    assert outbox.pending_runs(["one"]) == {"run 2"}


def test_what_failed_can_be_tried_again(ledger: Ledger) -> None:
    outbox = ledger.outbox
    put(ledger, delivery(1), delivery(2), delivery(3), delivery(4, "two"), delivery(5))
    outbox.deliver(outbox.begin(delivery(1), NOW, HOUR), NOW)
    for dead in (delivery(2), delivery(4, "two")):
        outbox.bury(outbox.begin(dead, NOW, HOUR), NOW, "gone")
    outbox.begin(delivery(3), NOW, HOUR)
    assert outbox.again(NOW + MINUTE, "one") == 2
    waiting = outbox.pending("one", "")
    assert [(one.sequence, one.attempts) for one in waiting] == [(2, 0), (3, 0), (5, 0)]
    assert [one.next_at for one in waiting] == [NOW + MINUTE, NOW + MINUTE, NOW]
    assert [one.sink for one in outbox.deliveries("dead")] == ["two"]
    assert outbox.again(NOW) == 1


def test_what_is_dead_can_be_dropped(ledger: Ledger) -> None:
    outbox = ledger.outbox
    put(ledger, delivery(1), delivery(2), delivery(3, "two"))
    for dead in (delivery(1), delivery(3, "two")):
        outbox.bury(dead, NOW, "gone")
    assert outbox.drop(NOW, "one") == 1
    assert [one.state for one in every(ledger)] == ["dropped", "pending", "dead"]
    assert outbox.again(NOW, "one") == 0


def test_old_deliveries_are_forgotten_but_the_newest_of_each_sink_and_part(ledger: Ledger) -> None:
    old, lately = {"changed_at": NOW - HOUR}, {"changed_at": NOW + HOUR}
    put(
        ledger,
        delivery(1, state="delivered", **old),
        delivery(2, state="pending", **lately),
        delivery(3, state="dead", **old),
        delivery(4, state="delivered", **old),
        delivery(1, "two", state="delivered", **old),
        delivery(1, "three", "a", state="delivered", **old),
        delivery(2, "three", "b", state="delivered", **old),
    )
    assert ledger.prune(NOW) == Pruned(0, 0, 0, 0, deliveries=2)
    left = [(one.sink, one.part, one.sequence) for one in every(ledger)]
    assert left == [
        ("one", "", 2),
        ("one", "", 4),
        ("three", "a", 1),
        ("three", "b", 2),
        ("two", "", 1),
    ]


def test_what_waits_for_too_long_is_given_up_and_not_forgotten(ledger: Ledger) -> None:
    put(ledger, delivery(1, changed_at=NOW - HOUR), delivery(2, changed_at=NOW))
    ledger.prune(NOW)
    given_up, waiting = every(ledger)
    assert (given_up.state, given_up.error) == ("dead", "it has waited for too long")
    assert waiting == delivery(2, changed_at=NOW)
    ledger.prune(NOW + timedelta(microseconds=1))
    assert every(ledger)[0] == given_up
    ledger.prune(datetime.now(UTC) + HOUR)
    assert [one.sequence for one in every(ledger)] == [2]


def test_deliveries_are_exported(ledger: Ledger) -> None:
    ledger.apply("run 1", 1, NOW, [seen(1)], [delivery(1), delivery(1, "two", "ä")])
    ledger.outbox.begin(delivery(1), NOW, HOUR)
    exported = list(ledger.export())
    assert [one for one in exported if isinstance(one, DeliveryState)] == every(ledger)
    changes: list[RunChange] = []
    assert not ledger.apply("run 1", 1, NOW, changes)
