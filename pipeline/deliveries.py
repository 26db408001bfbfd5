"""Delivering complete runs to sinks, out of the ledger's outbox.

A delivery is put in with the run that it is about, when that is applied to the ledger. It is
taken out after the run has let go of the ledger: runs do not wait for sinks. Each sink has a
thread and a hold of its own, so that one that hangs keeps nothing from the others, nor from
a later run's process that delivers to those.

An attempt is counted before it is made. So a process that dies in it, or is cut short, has
tried; and what arrived just before that is delivered again: at least once, never less.
"""

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.config import PipelineConfig
from pipeline.console import printable
from pipeline.history import History
from pipeline.ledger import DeliveryState, Ledger, LedgerBusy, Outbox, hold
from pipeline.pauses import pass_point
from pipeline.runs import CompleteRun, complete_runs, run_key
from pipeline.sinks.base import Delivery, DeliveryError, Sink, SinkSettings, TooEarlyError
from transforms.errors import PolicywireError

# How long to wait after each attempt that failed, the last one from then on: ten attempts take
# sixteen hours. No wait is much longer than all before: so when a sink is there again, what waits
# for it, and what waits behind that, comes after no longer than it was away.
WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
)
_FOR_ANOTHER: Final = timedelta(seconds=5)  # process that delivers to the same sink
_LONGEST: Final = 500  # characters of an error

_LOGGER = logging.getLogger(__name__)


class Delivered(NamedTuple):
    """What came of one sink.

    Attributes:
        delivered: How many deliveries have arrived.
        failed: Those that have not, as they are now: dead, or waiting for another attempt.
        problem: Why no more could be tried; empty where all was that is due.
    """

    sink: str
    delivered: int
    failed: tuple[DeliveryState, ...]
    problem: str = ""


def outgoing(
    sinks: Iterable[SinkSettings], run_id: str, sequence: int, now: datetime
) -> list[DeliveryState]:
    """What is to be put into the outbox with a run, for each part of each sink.

    Args:
        run_id: By which the ledger knows the run.
        sequence: Its number there.
    """
    return [
        DeliveryState(
            sink=sink.name,
            part=part,
            run_id=run_id,
            sequence=sequence,
            next_at=now,
            changed_at=now,
        )
        for sink in sinks
        for part in sink.parts
    ]


def begin_new_sinks(
    ledger: Ledger, sinks: Iterable[SinkSettings], runs: Sequence[CompleteRun], *, newest: bool
) -> None:
    """Put in what sinks are to have of earlier runs of which nothing was known before.

    Args:
        runs: All complete runs, the oldest first.
        newest: Whether a sink that is not to have all of them begins with the newest of
            these, and not with the next one.
    """
    outbox, now = ledger.outbox, datetime.now(UTC)
    known = outbox.parts()
    unknown = [one for one in sinks if {(one.name, part) for part in one.parts} - known]
    if not unknown:
        return
    applied = ledger.applied_runs([run_key(run.manifest) for run in runs])
    in_order = sorted(applied.items(), key=lambda run: run[1])
    new: list[DeliveryState] = []
    for sink in unknown:
        wanted = in_order if sink.since == "all" else in_order[-1:] if newest else []
        for run_id, sequence in wanted:
            new += outgoing([sink], run_id, sequence, now)
    outbox.add(one for one in new if (one.sink, one.part) not in known)


def deliver(
    config: PipelineConfig,
    out: Path,
    *,
    only: Sequence[str] = (),
    within: timedelta | None = None,
) -> list[Delivered]:
    """Deliver to all sinks, at the same time, what is due.

    Args:
        only: The names of the sinks that are meant; all where it is empty.
        within: How long it may take; a delivery that is under way then is given up, and is
            tried again another time.

    Raises:
        LedgerError: the ledger cannot be opened.
    """
    sinks = [sink for sink in config.sinks if not only or sink.name in only]
    url = config.ledger.url_below(out)
    deadline = None if within is None else time.monotonic() + within.total_seconds()
    with Ledger.open(url) as ledger:
        begin_new_sinks(ledger, sinks, complete_runs(out), newest=True)
    couriers = [_Courier(sink, url, out, config.deliveries.attempts, deadline) for sink in sinks]
    for courier in couriers:
        courier.start()
    try:
        for courier in couriers:
            courier.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
    except KeyboardInterrupt:
        _LOGGER.warning("interrupted: what is under way is delivered another time")
    return [courier.outcome() for courier in couriers]


class _Courier(threading.Thread):
    """Delivers to one sink. It ends with the process, if not before."""

    def __init__(
        self, settings: SinkSettings, url: str, out: Path, attempts: int, deadline: float | None
    ) -> None:
        super().__init__(name=f"sink {settings.name}", daemon=True)
        self._settings = settings
        self._url = url
        self._out = out
        self._attempts = attempts
        self._deadline = deadline
        self._sink: Sink | None = None
        self._delivered = 0
        self._failed: list[DeliveryState] = []
        self._problem = ""

    def outcome(self) -> Delivered:
        """What has come of it so far."""
        problem = self._problem
        if self.is_alive():
            problem = "it has not come to its end, and is tried again later"
        return Delivered(self._settings.name, self._delivered, tuple(self._failed), problem)

    def run(self) -> None:
        """Deliver what is due, until nothing is."""
        name = self._settings.name
        try:
            with (
                hold(self._url, "delivering", _FOR_ANOTHER, sink=name),
                Ledger.open(self._url) as ledger,
            ):
                # Another run may have ended meanwhile.
                while self._deliver_due(ledger.outbox):
                    pass
        except LedgerBusy as error:
            self._problem = str(error)
            _LOGGER.info("%s", error)
        except PolicywireError as error:
            self._problem = str(error)
            _LOGGER.warning("sink %s: %s", name, error)
        finally:
            self._close()

    def _deliver_due(self, outbox: Outbox) -> int:
        """Try what is due; how much has arrived."""
        history = History(self._out)
        runs = {run_key(run.manifest): run for run in history.runs}
        before = self._delivered
        for part in self._settings.parts:
            for waiting in outbox.pending(self._settings.name, part):
                # With an output folder for each machine, another one may have it.
                if (run := runs.get(waiting.run_id)) is None:
                    continue
                late = self._deadline is not None and time.monotonic() > self._deadline
                if late or waiting.next_at > datetime.now(UTC):
                    break
                after = self._try(outbox, waiting, run, history)
                if after.state == "delivered":
                    self._delivered += 1
                    continue
                if after.state == "dead" or after.attempts > waiting.attempts:
                    self._failed.append(after)
                if after.state == "pending":
                    break  # later runs wait for this one
        return self._delivered - before

    def _try(
        self, outbox: Outbox, waiting: DeliveryState, run: CompleteRun, history: History
    ) -> DeliveryState:
        name, run_id = self._settings.name, run.manifest.run_id
        if waiting.attempts >= self._attempts:  # the last one was cut short
            return self._bury(outbox, waiting, run_id, waiting.error)
        wait = WAITS[min(waiting.attempts, len(WAITS) - 1)]
        begun = outbox.begin(waiting, datetime.now(UTC), wait)
        pass_point("delivering")
        note = partial(outbox.note, begun)
        try:
            if self._sink is None:
                self._sink = self._settings.open(self._out)
            self._sink.deliver(Delivery(run, begun.part, history, begun.progress, note))
        except TooEarlyError as error:
            now = datetime.now(UTC)
            _LOGGER.info("sink %s: run %s waits: %s", name, run_id, _sentence(error))
            return outbox.defer(begun, now, _sentence(error), now + error.after)
        except Exception as error:  # a sink may be anybody's
            self._close()
            _LOGGER.debug("sink %s: run %s", name, run_id, exc_info=error)
            sentence = _sentence(error)
            final = isinstance(error, DeliveryError) and not error.again
            if final or begun.attempts >= self._attempts:
                return self._bury(outbox, begun, run_id, sentence)
            if isinstance(error, DeliveryError):
                wait = max(wait, error.after)
            now = datetime.now(UTC)
            _LOGGER.warning("sink %s: run %s did not arrive: %s", name, run_id, sentence)
            return outbox.fail(begun, now, sentence, now + wait)
        pass_point("delivered")
        _LOGGER.info("sink %s: run %s has arrived", name, run_id)
        return outbox.deliver(begun, datetime.now(UTC))

    def _bury(
        self, outbox: Outbox, delivery: DeliveryState, run_id: str, error: str
    ) -> DeliveryState:
        name = self._settings.name
        _LOGGER.warning("sink %s: run %s is given up: %s", name, run_id, error)
        return outbox.bury(delivery, datetime.now(UTC), error)

    def _close(self) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            try:
                sink.close()
            except Exception as error:  # what it had to say has been said
                _LOGGER.debug("sink %s: closing", self._settings.name, exc_info=error)


def _sentence(error: Exception) -> str:
    """What people read of an error, on one line: others may have a say in it."""
    text = str(error) if isinstance(error, PolicywireError) else f"{type(error).__name__}: {error}"
    text = printable(" ".join(text.split()))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
