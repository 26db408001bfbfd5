"""Two processes, and processes that die."""

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.ledger import Ledger, LedgerBusy, LedgerError, hold
from tests.ledger.process import changes, inside
from tests.ledger.samples import NOW, an_id, seen

AT_ONCE, SOON = timedelta(), timedelta(seconds=20)
HOST = socket.gethostname().partition(".")[0]


def test_a_run_killed_in_the_middle_of_its_changes_leaves_none(url: str, ledger: Ledger) -> None:
    ledger.apply("before", 1, NOW, [seen(9)])
    before = list(ledger.export())
    with inside("apply", url) as process:
        assert list(ledger.export()) == before
        process.kill()
    with Ledger.open(url) as again:
        assert list(again.export()) == before
        assert again.applied_runs(["killed"]) == {}
        assert again.apply("killed", 2, NOW, changes())
        assert len(again.known_articles([an_id(number) for number in range(10)])) == 5


def test_readers_do_not_wait_for_a_writer(url: str, ledger: Ledger) -> None:
    ledger.apply("before", 1, NOW, [seen(9)])
    with inside("apply", url):
        started = time.monotonic()
        assert set(ledger.known_articles([an_id(1), an_id(9)])) == {an_id(9)}
        assert time.monotonic() - started < 5


def test_a_ledger_is_held_once(url: str) -> None:
    with (
        inside("hold", url) as process,
        pytest.raises(LedgerBusy, match="run 20261124T060000Z") as caught,
        hold(url, "run 2", AT_ONCE),
    ):
        pytest.fail("it is held")
    assert f"process {process.pid} on {HOST}" in str(caught.value)


def test_the_same_process_cannot_hold_it_twice(url: str) -> None:
    with hold(url, "run 1", AT_ONCE):
        started = time.monotonic()
        with (
            pytest.raises(LedgerBusy, match=rf"process {os.getpid()} .*0:00:00\.3"),
            hold(url, "run 2", timedelta(seconds=0.3)),
        ):
            pytest.fail("it is held")
        assert 0.3 <= time.monotonic() - started < 5
    with hold(url, "run 2", AT_ONCE):
        pass


def test_a_holder_is_waited_for(url: str) -> None:
    released = threading.Event()

    def first() -> None:
        with hold(url, "run 1", AT_ONCE):
            released.wait(20)

    thread = threading.Thread(target=first)
    thread.start()
    threading.Timer(0.5, released.set).start()
    time.sleep(0.2)
    with hold(url, "run 2", SOON):
        assert released.is_set()
    thread.join()


def test_a_dead_holder_holds_nothing(url: str) -> None:
    with inside("hold", url) as process:
        process.kill()
        process.wait()
        with hold(url, "run 2", SOON) as held:
            held.check()


def test_a_body_that_fails_lets_go(url: str) -> None:
    with pytest.raises(ZeroDivisionError), hold(url, "run 1", AT_ONCE):
        raise ZeroDivisionError
    with hold(url, "run 2", AT_ONCE):
        pass


def test_two_ledgers_are_held_apart(sqlite_url: str, postgres_url: str, tmp_path: Path) -> None:
    other = postgres_url.replace("search_path%3D", "search_path%3Dpublic%2C")
    with (
        hold(sqlite_url, "run 1", AT_ONCE),
        hold(f"sqlite:///{tmp_path}/other.sqlite", "run 1", AT_ONCE),
        hold(postgres_url, "run 1", AT_ONCE),
        hold(other, "run 1", AT_ONCE),
    ):
        pass


def test_sinks_are_held_apart_from_the_ledger_and_from_each_other(url: str) -> None:
    with (
        hold(url, "run 1", AT_ONCE),
        hold(url, "delivering", AT_ONCE, sink="one"),
        hold(url, "delivering", AT_ONCE, sink="two") as held,
    ):
        held.check()
        with (
            pytest.raises(LedgerBusy, match=r"the sink one of the ledger .* is held by .*deliver"),
            hold(url, "delivering", AT_ONCE, sink="one"),
        ):
            pytest.fail("it is held")
    with hold(url, "delivering", AT_ONCE, sink="one"):
        pass


def test_the_holder_of_a_file_can_be_read(sqlite_url: str, tmp_path: Path) -> None:
    note = tmp_path / "ledger.sqlite.holder"
    with hold(sqlite_url, "run 1", AT_ONCE):
        assert note.read_text().startswith(f"process {os.getpid()} on {HOST}, run 1, since 2")
    assert not note.exists()


def test_whose_hold_was_taken_over_is_said(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with inside("hold", sqlite_url) as process:
        process.kill()
        process.wait()
    with hold(sqlite_url, "run 2", SOON):
        pass
    assert f"process {process.pid} on {HOST}, run 20261124T060000Z" in caplog.text


def test_threads_may_ask_one_ledger(ledger: Ledger) -> None:
    ledger.apply("run", 1, NOW, [seen(*range(100))])
    ids = [an_id(number) for number in range(100)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ledger.known_articles(ids), range(50)))
    assert all(len(answer) == 100 for answer in answers)


def test_two_processes_may_make_one_ledger(url: str) -> None:
    failed: list[BaseException] = []

    def make() -> None:
        try:
            Ledger.open(url, create=True).close()
        except LedgerError as error:
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with Ledger.open(url) as ledger:
        assert ledger.is_empty()
