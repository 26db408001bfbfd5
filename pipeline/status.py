"""How the runs of an output folder are doing, for people and for monitors."""

import os
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import Field

from pipeline.config import PipelineConfig
from pipeline.ledger import Ledger
from pipeline.manifest import AlertCounts, Counts
from pipeline.runs import complete_runs, run_key
from transforms.errors import PolicywireError
from transforms.records import Record

# A run that is there was not applied yet when this looks in between.
_APPLIED_WITHIN = timedelta(minutes=10)


class LedgerState(Record):
    """What can be said of a ledger at a glance."""

    articles: int
    stories: int
    alerts: int
    bytes: int
    unapplied_runs: int = Field(description="Complete runs that the next start will apply.")


class Status(Record):
    """The state of an output folder at one moment."""

    now: datetime
    runs: int = Field(description="Complete runs that are kept.")
    last_run: str | None = Field(description="The id of the newest.")
    finished_at: datetime | None
    age_seconds: float | None
    counts: Counts | None
    alerts: dict[str, AlertCounts]
    ledger: LedgerState | None
    problems: tuple[str, ...] = Field(description="A sentence each; none where all is well.")


def status(config: PipelineConfig, out: Path, now: datetime, max_age: timedelta) -> Status:
    """Look at the newest run and at the ledger; neither is changed.

    Args:
        max_age: How old the newest run may be.
    """
    problems: list[str] = []
    runs = complete_runs(out)
    newest = runs[-1].manifest if runs else None
    if newest is None:
        problems.append(f"there is no complete run in {out / 'runs'}")
    elif now - newest.finished_at > max_age:
        problems.append(f"the newest run is {_span(now - newest.finished_at)} old")
    ledger = None
    try:
        with Ledger.open(config.ledger.url_below(out)) as opened:
            stats = opened.stats()
            applied = opened.applied_runs([run_key(run.manifest) for run in runs])
            ledger = LedgerState(
                articles=stats.rows["articles"],
                stories=stats.rows["stories"],
                alerts=stats.rows["alerts"],
                bytes=stats.bytes,
                unapplied_runs=len(runs) - len(applied),
            )
            waits = newest is not None and now - newest.finished_at > _APPLIED_WITHIN
            if ledger.unapplied_runs and waits:
                problems.append(f"runs that the ledger does not know yet: {ledger.unapplied_runs}")
    except PolicywireError as error:
        problems.append(str(error))
    return Status(
        now=now,
        runs=len(runs),
        last_run=newest.run_id if newest else None,
        finished_at=newest.finished_at if newest else None,
        age_seconds=(now - newest.finished_at).total_seconds() if newest else None,
        counts=newest.counts if newest else None,
        alerts=newest.alerts if newest else {},
        ledger=ledger,
        problems=tuple(problems),
    )


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def write_prometheus(state: Status, path: Path) -> None:
    """Write *state* in the text format that Prometheus' node exporter collects from files.

    The file is replaced whole, as its collector asks:
    https://github.com/prometheus/node_exporter#textfile-collector
    """
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        aside.write_text("".join(f"{line}\n" for line in _prometheus(state)), encoding="utf-8")
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _prometheus(state: Status) -> Iterator[str]:
    def gauge(name: str, text: str, *samples: tuple[str, float]) -> Iterator[str]:
        yield f"# HELP policywire_{name} {text}"
        yield f"# TYPE policywire_{name} gauge"
        for labels, value in samples:
            yield (
                f"policywire_{name}{labels} {value:g}"
                if value < 1e6
                else (f"policywire_{name}{labels} {value:.0f}")
            )

    yield from gauge("up", "1 where nothing is wrong.", ("", 0 if state.problems else 1))
    yield from gauge("runs", "Complete runs that are kept.", ("", state.runs))
    if state.finished_at is not None and state.counts is not None:
        moment = state.finished_at.timestamp()
        yield from gauge("last_run_timestamp_seconds", "When it was finished.", ("", moment))
        ends = state.counts.model_dump(exclude={"read"})
        yield from gauge(
            "last_run_read", "Items that the newest run read.", ("", state.counts.read)
        )
        yield from gauge(
            "last_run_items",
            "Where the items of the newest run ended.",
            *((f'{{end="{end}"}}', number) for end, number in ends.items()),
        )
        yield from gauge(
            "last_run_alerts",
            "Alerts of the newest run.",
            *(
                (f'{{theme="{theme}",level="{level}"}}', getattr(counts, level))
                for theme, counts in sorted(state.alerts.items())
                for level in ("focus", "mention")
            ),
        )
        yield from gauge(
            "last_run_changes",
            "Updates, which are among the alerts, and cancels of the newest run.",
            *(
                (f'{{theme="{theme}",kind="{kind}"}}', getattr(counts, kind))
                for theme, counts in sorted(state.alerts.items())
                for kind in ("updates", "cancels")
            ),
        )
    if state.ledger is not None:
        yield from gauge(
            "ledger_rows",
            "What the ledger holds.",
            *(
                (f'{{table="{table}"}}', getattr(state.ledger, table))
                for table in ("articles", "stories", "alerts")
            ),
        )
        yield from gauge("ledger_bytes", "Its size.", ("", state.ledger.bytes))
        unapplied = state.ledger.unapplied_runs
        yield from gauge("unapplied_runs", "Runs that it does not know yet.", ("", unapplied))
