"""Digests are delivered: when the time has come, with all that waits by then.

A run's delivery waits in the outbox until a message may be sent, and later runs wait behind
it. Then the alerts of all of them are put in the queue, which is on the disk before anything
is sent: what was not taken, and what was held back, is in it for the next message.
"""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pipeline.history import alerts_of
from pipeline.runs import CompleteRun
from pipeline.sinks.base import Delivery, TooEarlyError
from pipeline.sinks.digest.hours import first_loud, next_at
from pipeline.sinks.digest.memory import MemoryFile
from pipeline.sinks.digest.message import Covered, Message, compose
from pipeline.sinks.digest.queue import Memory, after_message, choose, let_go, put_in
from pipeline.sinks.digest.settings import DigestSettings, Route
from pipeline.sinks.digest.target import send
from pipeline.sinks.variables import value_of

FOLDER: Final = "digests"
"""Below the output folder."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Digest:
    """Tells teams what is new."""

    def __init__(
        self,
        settings: DigestSettings,
        out: Path,
        *,
        environ: Mapping[str, str] = os.environ,
        now: Callable[[], datetime] = _utc_now,
        send: Callable[[str, str, Message], None] = send,
    ) -> None:
        self._settings = settings
        self._folder = out / FOLDER / settings.name
        self._environ = environ
        self._now = now
        self._send = send
        self._routes = {part: route for route in settings.routes for part in route.parts}

    def deliver(self, delivery: Delivery, /) -> None:
        manifest = delivery.run.manifest
        file = MemoryFile(self._folder / f"{delivery.part}.json")
        memory = file.read() or Memory(taken=manifest.sequence - 1, told=manifest.sequence - 1)
        if memory.told >= manifest.sequence:
            return
        now = self._now()
        self._wait(delivery.run, memory, now)
        route = self._routes[delivery.part]
        before = memory.told
        for run in delivery.history.runs:
            if run.manifest.sequence > memory.taken:
                memory = _put_in(memory, run, route)
        memory = let_go(memory, now - self._settings.wait_at_most)
        file.write(memory)
        settings, today = self._settings, now.astimezone(self._settings.zone).date()
        choice = choose(memory, today, settings.most_stories, settings.most_a_day)
        if not choice.told and not settings.even_empty:
            return
        covered = Covered.of(
            run for run in delivery.history.runs if before < run.manifest.sequence <= memory.taken
        )
        message = compose(route.name, choice, memory, covered, settings)
        variable = f"${delivery.part.partition('/')[2]}"
        self._send(variable, value_of(variable, self._environ), message)
        file.write(after_message(memory, choice, today))

    def _wait(self, run: CompleteRun, memory: Memory, now: datetime) -> None:
        """Raises TooEarlyError where the time for a message has not come."""
        settings, zone = self._settings, self._settings.zone
        moment = now
        if settings.at is not None:
            moment = max(now, next_at(run.manifest.finished_at, settings.at, zone))
        spent = settings.most_a_day is not None and memory.told_that_day >= settings.most_a_day
        if spent and memory.day == moment.astimezone(zone).date():
            moment = next_at(moment, "00:00", zone)
        moment = first_loud(moment, settings.quiet, zone)
        if moment > now:
            raise TooEarlyError(
                f"the next message is sent at {moment.astimezone(zone):%Y-%m-%d %H:%M %Z}",
                after=moment - now,
            )

    def close(self) -> None:
        """There is nothing to give up."""


def _put_in(memory: Memory, run: CompleteRun, route: Route) -> Memory:
    wanted = [alert for alert in alerts_of(run) if route.only.takes(alert)]
    listed = [alert for alert in wanted if route.backfill or not alert.backfill]
    memory = put_in(memory, listed, run.manifest.finished_at)
    return memory.model_copy(
        update={
            "taken": run.manifest.sequence,
            "backfill": memory.backfill + len(wanted) - len(listed),
        }
    )
