"""Each sink is delivered each run, by itself, in order, until it has arrived or is given up."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import PipelineConfig
from pipeline.deliveries import WAITS, Delivered, begin_new_sinks, deliver, outgoing
from pipeline.ledger import DeliveryState, Ledger, hold
from pipeline.manifest import MANIFEST
from pipeline.run import roll_forward
from pipeline.runs import complete_runs, rotate, run_key
from pipeline.sinks import base
from tests.diary import read
from tests.unit.test_status import manifest

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
A, B = "one", "two"


@pytest.fixture(autouse=True)
def _kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(base.KINDS, "diary", "tests.diary:DiarySettings")
    monkeypatch.setattr("pipeline.deliveries._FOR_ANOTHER", timedelta(seconds=0.5))


def config(*names: str, attempts: int = 10, **more: Any) -> PipelineConfig:
    sinks = [{"kind": "diary", "name": name, "path": f"{name}.txt", **more} for name in names]
    return PipelineConfig.model_validate({"sinks": sinks, "deliveries": {"attempts": attempts}})


class Monitor:
    """An output folder, its runs and its ledger."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.url = PipelineConfig().ledger.url_below(out)
        out.mkdir()

    def run(self, number: int, settings: PipelineConfig, *, apply: bool = True) -> None:
        """A complete run; what it is to deliver waits."""
        changes = {"ledger_changes/a": {"sha256": f"{number:064}", "bytes": 0}}
        made = manifest(number, NOW, run_id=f"run-{number}", files=changes)
        folder = self.out / "runs" / made.run_id
        folder.mkdir(parents=True)
        (folder / MANIFEST).write_text(made.model_dump_json())
        if apply:
            key = run_key(made)
            new = outgoing(settings.sinks, key, number, NOW)
            with Ledger.open(self.url, create=True) as ledger:
                ledger.apply(key, number, NOW, (), new)

    def start(self, settings: PipelineConfig) -> None:
        """What the next run does first."""
        with Ledger.open(self.url, create=True) as ledger:
            roll_forward(self.out, ledger, settings.sinks)

    def diary(self, name: str) -> list[str]:
        return read(self.out / f"{name}.txt")

    def let(self, what: str, sentence: str = "") -> Path:
        path = self.out / what
        path.write_text(sentence)
        return path

    def known(self, *states: str) -> list[DeliveryState]:
        with Ledger.open(self.url) as ledger:
            return ledger.outbox.deliveries(*states or ("pending", "delivered", "dead"))

    def pass_time(self) -> None:
        """All waits are over."""
        with Ledger.open(self.url) as ledger, ledger._writing() as connection:
            connection.exec_driver_sql("UPDATE deliveries SET next_at = 0")


@pytest.fixture
def monitor(tmp_path: Path) -> Monitor:
    return Monitor(tmp_path / "out")


def test_each_sink_is_delivered_each_run_once_and_in_order(monitor: Monitor) -> None:
    both = config(A, B)
    for number in (2, 10, 11):
        monitor.run(number, both)
    assert deliver(both, monitor.out) == [Delivered(A, 3, ()), Delivered(B, 3, ())]
    assert deliver(both, monitor.out) == [Delivered(A, 0, ()), Delivered(B, 0, ())]
    assert monitor.diary(A) == monitor.diary(B) == ["run-2", "run-10", "run-11"]


def test_a_sink_that_fails_holds_up_its_own_later_runs_alone(monitor: Monitor) -> None:
    both = config(A, B)
    monitor.run(1, both)
    monitor.run(2, both)
    fail = monitor.let("one.fail", "no answer\nfrom there")
    first, second = deliver(both, monitor.out)
    assert second == Delivered(B, 2, ())
    (failed,) = first.failed
    assert (failed.run_id.partition(" ")[0], failed.error) == ("run-1", "no answer from there")
    assert (failed.state, failed.attempts) == ("pending", 1)
    monitor.pass_time()
    fail.unlink()
    assert deliver(both, monitor.out)[0] == Delivered(A, 2, ())
    assert monitor.diary(A) == ["run-1  +", "run-2"]
    assert monitor.diary(B) == ["run-1", "run-2"]


def test_it_is_not_tried_again_before_its_time(monitor: Monitor) -> None:
    one = config(A)
    monitor.run(1, one)
    fail = monitor.let("one.fail", "no")
    before = datetime.now(UTC)
    deliver(one, monitor.out)
    fail.unlink()
    (waiting,) = monitor.known()
    assert timedelta() <= waiting.next_at - before - WAITS[0] < timedelta(seconds=60)
    assert deliver(one, monitor.out) == [Delivered(A, 0, ())]
    assert monitor.diary(A) == []


def test_waits_grow_and_then_it_is_given_up(monitor: Monitor) -> None:
    one = config(A, attempts=12)
    monitor.run(1, one)
    monitor.let("one.fail", "no")
    waits = []
    for attempt in range(1, 12):
        deliver(one, monitor.out)
        (waiting,) = monitor.known("pending")
        assert waiting.attempts == attempt
        waits.append((waiting.next_at - waiting.changed_at).total_seconds())
        monitor.pass_time()
    assert waits == [wait.total_seconds() for wait in (*WAITS, WAITS[-1], WAITS[-1])]
    ((dead,),) = (one.failed for one in deliver(one, monitor.out))
    assert (dead.state, dead.attempts, dead.error) == ("dead", 12, "no")
    monitor.pass_time()
    assert deliver(one, monitor.out) == [Delivered(A, 0, ())]


def test_what_is_given_up_lets_later_runs_pass(monitor: Monitor) -> None:
    one = config(A)
    monitor.run(1, one)
    refuse = monitor.let("one.refuse", "never")
    (first,) = deliver(one, monitor.out)
    assert [(gone.state, gone.error) for gone in first.failed] == [("dead", "never")]
    refuse.unlink()
    monitor.run(2, one)
    assert deliver(one, monitor.out) == [Delivered(A, 1, ())]
    with Ledger.open(monitor.url) as ledger:
        assert ledger.outbox.again(NOW) == 1
    assert deliver(one, monitor.out) == [Delivered(A, 1, ())]
    assert monitor.diary(A) == ["run-2", "run-1"]


def test_a_sink_with_a_fault_is_one_that_fails(monitor: Monitor) -> None:
    one = config(A)
    monitor.run(1, one)
    monitor.let("one.break")
    (first,) = deliver(one, monitor.out)
    assert [failed.error for failed in first.failed] == ["ZeroDivisionError: it is broken"]


def test_a_sink_that_cannot_be_opened_is_one_that_fails(monitor: Monitor) -> None:
    one = config(A)
    monitor.run(1, one)
    shut = monitor.let("one.shut")
    (first,) = deliver(one, monitor.out)
    assert [failed.error for failed in first.failed] == ["the diary is shut"]
    shut.unlink()
    monitor.pass_time()
    assert deliver(one, monitor.out) == [Delivered(A, 1, ())]


def test_an_error_is_kept_short(monitor: Monitor) -> None:
    one = config(A)
    monitor.run(1, one)
    monitor.let("one.fail", "no " * 10_000)
    deliver(one, monitor.out)
    (failed,) = monitor.known()
    assert len(failed.error) == 500


def test_parts_do_not_hold_each_other_up(monitor: Monitor) -> None:
    one = config(A, routes=("a", "b"))
    monitor.run(1, one)
    monitor.run(2, one)
    fail = monitor.let("one.fail.a", "no")
    deliver(one, monitor.out)
    assert monitor.diary(A) == ["run-1 b", "run-2 b"]
    fail.unlink()
    monitor.pass_time()
    deliver(one, monitor.out)
    assert monitor.diary(A) == ["run-1 b", "run-2 b", "run-1 a +", "run-2 a"]


def test_a_sink_that_hangs_is_left_behind(monitor: Monitor) -> None:
    both = config(A, B)
    monitor.run(1, both)
    hang = monitor.let("one.hang")
    started = time.monotonic()
    first, second = deliver(both, monitor.out, within=timedelta(seconds=1))
    assert time.monotonic() - started < 20
    assert "has not come to its end" in first.problem
    assert second == Delivered(B, 1, ())
    (waiting,) = monitor.known("pending")
    assert (waiting.sink, waiting.attempts) == (A, 1)
    # It is still at it: another process delivers to the other sink meanwhile.
    monitor.run(2, both)
    first, second = deliver(both, monitor.out, within=timedelta(seconds=20))
    assert f"the sink {A} " in first.problem
    assert "is held by process" in first.problem
    assert second == Delivered(B, 1, ())
    hang.unlink()
    for thread in threading.enumerate():
        if thread.name == f"sink {A}":
            thread.join(60)
    assert monitor.diary(A) == ["run-1"]  # late, but it has arrived
    assert deliver(both, monitor.out)[0] == Delivered(A, 1, ())
    assert monitor.diary(A) == ["run-1", "run-2"]


def test_what_was_cut_short_too_often_is_given_up(monitor: Monitor) -> None:
    one = config(A, attempts=2)
    monitor.run(1, one)
    with Ledger.open(monitor.url) as ledger:  # two processes that died in it
        for _ in range(2):
            (waiting,) = ledger.outbox.pending(A, "")
            ledger.outbox.begin(waiting, NOW, timedelta())
    (first,) = deliver(one, monitor.out)
    assert [(dead.state, dead.attempts) for dead in first.failed] == [("dead", 2)]
    assert monitor.diary(A) == []


def test_a_run_that_ends_meanwhile_is_delivered_too(monitor: Monitor) -> None:
    one = config(A)
    monitor.run(1, one)
    with hold(monitor.url, "a test", timedelta(), sink=A):
        thread = threading.Thread(target=deliver, args=(one, monitor.out))
        thread.start()
        monitor.run(2, one)
    thread.join(60)
    assert monitor.diary(A) == ["run-1", "run-2"]


# Where a sink begins


def test_a_new_sink_begins_with_the_next_run(monitor: Monitor) -> None:
    monitor.run(1, config(A))
    both = config(A, B)
    monitor.start(both)
    monitor.run(2, both)
    deliver(both, monitor.out)
    assert monitor.diary(B) == ["run-2"]


def test_a_new_sink_that_is_delivered_to_by_hand_begins_with_the_newest_run(
    monitor: Monitor,
) -> None:
    monitor.run(1, config())
    monitor.run(2, config())
    deliver(config(A), monitor.out)
    assert monitor.diary(A) == ["run-2"]


def test_a_new_sink_may_have_all_runs(monitor: Monitor) -> None:
    monitor.run(1, config())
    monitor.run(2, config())
    everything = config(A, since="all")
    monitor.start(everything)
    monitor.run(3, everything)
    monitor.start(everything)
    deliver(everything, monitor.out)
    assert monitor.diary(A) == ["run-1", "run-2", "run-3"]


def test_a_new_part_begins_like_a_new_sink(monitor: Monitor) -> None:
    monitor.run(1, config(A, routes=("a",)))
    both = config(A, routes=("a", "b"), since="all")
    deliver(both, monitor.out)
    assert monitor.diary(A) == ["run-1 a", "run-1 b"]


@pytest.mark.parametrize("since", ["newest", "all"])
def test_a_run_that_was_not_applied_is_delivered(monitor: Monitor, since: str) -> None:
    one = config(A, since=since)
    monitor.run(1, one, apply=False)  # the very first one, killed after it was committed
    monitor.start(one)
    monitor.run(2, one, apply=False)
    monitor.start(one)
    deliver(one, monitor.out)
    assert monitor.diary(A) == ["run-1", "run-2"]


@pytest.mark.parametrize(
    ("since", "delivered"), [("newest", ["run-3"]), ("all", ["run-1", "run-2", "run-3"])]
)
def test_after_a_lost_ledger_sinks_begin_anew(
    monitor: Monitor, since: str, delivered: list[str]
) -> None:
    one = config(A, since=since)
    for number in (1, 2, 3):
        monitor.run(number, one)
    for path in monitor.out.glob("ledger.sqlite*"):
        path.unlink()
    monitor.start(one)
    deliver(one, monitor.out)
    assert monitor.diary(A) == delivered


def test_a_sink_that_is_taken_out_and_put_back_begins_with_the_next_run(monitor: Monitor) -> None:
    one = config(A)
    monitor.run(1, one)
    deliver(one, monitor.out)
    monitor.run(2, config())
    monitor.run(3, one)
    deliver(one, monitor.out)
    assert monitor.diary(A) == ["run-1", "run-3"]


# What is kept


def test_runs_that_wait_are_kept(monitor: Monitor) -> None:
    one = config(A)
    for number in (1, 2, 3, 4):
        monitor.run(number, one)
    monitor.let("one.fail", "no")
    deliver(one, monitor.out)
    with Ledger.open(monitor.url) as ledger:
        needed = ledger.outbox.pending_runs([A])
        assert rotate(monitor.out, 1, needed) == []
        assert rotate(monitor.out, 1, ledger.outbox.pending_runs([B])) == [
            "run-1",
            "run-2",
            "run-3",
        ]


def test_runs_of_another_folder_are_left_to_it(monitor: Monitor, tmp_path: Path) -> None:
    one = config(A)
    monitor.run(1, one)
    elsewhere = tmp_path / "elsewhere"
    monitor.out.joinpath("runs").rename(elsewhere)
    monitor.run(2, one)
    assert deliver(one, monitor.out) == [Delivered(A, 1, ())]
    assert [waiting.run_id.partition(" ")[0] for waiting in monitor.known("pending")] == ["run-1"]


def test_new_sinks_are_looked_for_once(monitor: Monitor) -> None:
    everything = config(A, since="all")
    monitor.run(1, everything)
    runs = complete_runs(monitor.out)
    with Ledger.open(monitor.url) as ledger:
        before = ledger.outbox.deliveries("pending")
        begin_new_sinks(ledger, everything.sinks, runs, newest=True)
        assert ledger.outbox.deliveries("pending") == before
