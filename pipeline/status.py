"""How the runs of an output folder are doing, for people and for monitors."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import Field

from pipeline.config import PipelineConfig
from pipeline.feeds.model import Feed
from pipeline.feeds.state import FeedMemory, memories_of, silent_since
from pipeline.ledger import DeliveryState, Ledger
from pipeline.manifest import AlertCounts, Counts
from pipeline.runs import complete_runs, run_key
from pipeline.whole_files import replacing
from transforms.errors import PolicywireError
from transforms.records import Record

# A run that is there was not applied yet when this looks in between.
_APPLIED_WITHIN = timedelta(minutes=10)
_FAILURES = 3  # of a feed, before somebody should look at it
_ATTEMPTS = 2  # of a delivery: one that fails is tried again at once, or is under way
_OVERDUE = timedelta(hours=1)
_NAMED = 3  # feeds, in a sentence


class LedgerState(Record):
    """What can be said of a ledger at a glance."""

    articles: int
    stories: int
    alerts: int
    bytes: int
    unapplied_runs: int = Field(description="Complete runs that the next start will apply.")


class DeliveriesState(Record):
    """What can be said of the deliveries to the sinks that are configured."""

    pending: dict[str, int] = Field(description="How many wait, by sink.")
    dead: dict[str, int] = Field(description="How many were given up, by sink.")
    failing: dict[str, str] = Field(description="What went wrong last, by sink that fails.")


class FeedsState(Record):
    """What can be said of the feeds at a glance."""

    feeds: int = Field(description="That the configuration names.")
    asked: int = Field(description="Those of them that were asked at least once.")
    failing: tuple[str, ...] = Field(description="Not read for three times or more.")
    gone: tuple[str, ...] = Field(description="Those that say that they are no longer there.")
    silent: tuple[str, ...] = Field(description="Without news, against their habit.")
    overdue: int = Field(description="Due for more than an hour, and not asked.")


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
    feeds: FeedsState | None
    deliveries: DeliveriesState | None
    problems: tuple[str, ...] = Field(description="A sentence each; none where all is well.")
    warnings: tuple[str, ...] = Field(
        default=(), description="What somebody should look at, though the runs are well."
    )


def status(
    config: PipelineConfig, feeds: Sequence[Feed], out: Path, now: datetime, max_age: timedelta
) -> Status:
    """Look at the newest run and at the ledger; neither is changed.

    Args:
        max_age: How old the newest run may be.
    """
    problems: list[str] = []
    warnings: list[str] = []
    runs = complete_runs(out)
    newest = runs[-1].manifest if runs else None
    if newest is None:
        problems.append(f"there is no complete run in {out / 'runs'}")
    elif now - newest.finished_at > max_age:
        problems.append(f"the newest run is {_span(now - newest.finished_at)} old")
    ledger = state = deliveries = None
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
            if feeds:
                state = _state_of(feeds, memories_of(opened, feeds), now)
                warnings += _warnings(state)
                if state.asked > 1 and len(state.failing) * 2 > state.asked:
                    problems.append(f"more than half of the feeds fail: {len(state.failing)}")
            if config.sinks:
                names = [sink.name for sink in config.sinks]
                deliveries = _deliveries(names, opened.outbox.deliveries("pending", "dead"))
                if given_up := [name for name in names if deliveries.dead[name]]:
                    number = sum(deliveries.dead.values())
                    problems.append(f"deliveries were given up: {number}: {', '.join(given_up)}")
                warnings += (
                    f"the sink {name} fails: {error}" for name, error in deliveries.failing.items()
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
        feeds=state,
        deliveries=deliveries,
        problems=tuple(problems),
        warnings=tuple(warnings),
    )


def _deliveries(names: Sequence[str], known: Iterable[DeliveryState]) -> DeliveriesState:
    pending, dead = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    failing: dict[str, str] = {}
    for one in known:
        if one.sink in pending and one.state == "pending":
            pending[one.sink] += 1
            if one.attempts >= _ATTEMPTS:
                failing[one.sink] = one.error
        elif one.sink in dead and one.state == "dead":
            dead[one.sink] += 1
    return DeliveriesState(pending=pending, dead=dead, failing=failing)


def _state_of(
    feeds: Sequence[Feed], memories: Mapping[str, FeedMemory], now: datetime
) -> FeedsState:
    asked = [(feed.url, memories[feed.url]) for feed in feeds if feed.url in memories]
    return FeedsState(
        feeds=len(feeds),
        asked=len(asked),
        failing=tuple(url for url, one in asked if one.failures >= _FAILURES and not one.gone),
        gone=tuple(url for url, one in asked if one.gone),
        silent=tuple(url for url, one in asked if silent_since(one, now)),
        overdue=sum(now - one.next_at > _OVERDUE for _, one in asked),
    )


def _warnings(state: FeedsState) -> Iterator[str]:
    for what, urls in (
        ("fail", state.failing),
        ("are gone", state.gone),
        ("have gone silent", state.silent),
    ):
        if urls:
            shown = ", ".join(urls[:_NAMED]) + (", …" if len(urls) > _NAMED else "")
            yield f"feeds that {what}: {len(urls)}: {shown}"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def write_prometheus(state: Status, path: Path) -> None:
    """Write *state* in the text format that Prometheus' node exporter collects from files.

    The file is replaced whole, as its collector asks:
    https://github.com/prometheus/node_exporter#textfile-collector
    """
    with replacing(path) as aside:
        aside.write_text("".join(f"{line}\n" for line in _prometheus(state)), encoding="utf-8")


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
    if state.deliveries is not None:
        counts = {"pending": state.deliveries.pending, "dead": state.deliveries.dead}
        yield from gauge(
            "deliveries",
            "Deliveries that wait, and that were given up.",
            *(
                (f'{{sink="{sink}",state="{name}"}}', number)
                for name, by_sink in counts.items()
                for sink, number in by_sink.items()
            ),
        )
    if state.feeds is not None:
        told = state.feeds
        states = {
            "failing": len(told.failing),
            "gone": len(told.gone),
            "silent": len(told.silent),
            "overdue": told.overdue,
            "never_asked": told.feeds - told.asked,
        }
        yield from gauge("feeds", "Feeds that the configuration names.", ("", told.feeds))
        yield from gauge(
            "feeds_in_trouble",
            "Feeds that somebody should look at.",
            *((f'{{state="{name}"}}', number) for name, number in states.items()),
        )
