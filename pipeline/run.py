"""One run: hold the ledger, stage, fetch, plan, execute, reconcile, commit, apply; deliver.

A run exists when its manifest exists. What the ledger is to know of it is one of its
files, and is applied after that; a start that finds a complete run not yet applied
applies it first. So a crash between any two steps loses nothing and repeats nothing.
Deliveries to sinks come after that, when the ledger is free for the next run.
"""

import functools
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import orjson
import zstandard
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.burst_alerts import write_bursts
from pipeline.config import LoadedConfig, PipelineConfig
from pipeline.console import Progress, printable
from pipeline.deliveries import Delivered, begin_new_sinks, deliver, outgoing
from pipeline.feeds.listing import load_named_feeds
from pipeline.feeds.rounds import feeds_of, fetch_round, finish_round
from pipeline.graph import TABLES, Plan
from pipeline.ledger import Ledger, LedgerError, hold
from pipeline.manifest import (
    ARTICLES,
    DEAD_LETTERS,
    FEED_READINGS,
    LEDGER_ANSWERS,
    TALLIES,
    AlertCounts,
    Counts,
    InputFile,
    Manifest,
    ToldCounts,
    alert_file,
    output_files,
    versions,
)
from pipeline.memory import return_freed_memory
from pipeline.pauses import pass_point
from pipeline.remembering import open_ledger, read_changes
from pipeline.report import need_extra, write_report
from pipeline.runners import beam_options, choose_runner, execute, watched
from pipeline.runs import (
    PROGRESS,
    CompleteRun,
    commit,
    complete_runs,
    next_sequence,
    repair_latest,
    rotate,
    run_key,
    staging,
)
from pipeline.sinks.base import SinkSettings
from pipeline.sinks.run_files import write_table
from pipeline.sources.files import SPOOL, STDIN, plan_spans, spool_stdin, spooled_spans
from pipeline.sources.readers import Limits, Span
from transforms.earlier_runs import NoEarlierRuns, OpenEarlierRuns
from transforms.errors import Reason, RunError
from transforms.logic.documents import FieldNames
from transforms.logic.themes.model import Theme, versions_hash
from transforms.records import FeedReading

_LOGGER = logging.getLogger(__name__)


class RunResult(NamedTuple):
    """A complete run: where its files are, what its manifest says, what came of deliveries."""

    run_dir: Path
    manifest: Manifest
    delivered: Sequence[Delivered] = ()


def run(
    loaded: LoadedConfig,
    *,
    inputs: Sequence[str] | None,
    feeds: Sequence[str] | None = None,
    all_feeds: bool = False,
    out: Path | None,
    as_of: datetime | None,
    beam_arguments: Sequence[str],
    progress: Progress,
    wait: timedelta = timedelta(),
) -> RunResult:
    """Do one run, commit it, apply it to the ledger, and deliver what is due to sinks.

    What does not arrive is no fault of the run: it is tried again by a later one.

    Args:
        inputs: Patterns of files; '-' is standard input.
        feeds: URLs and lists of feeds. Where one of both is given, only that is read;
            else what the configuration says.
        all_feeds: Ask all feeds, also those that are not due.
        out: Replaces the configuration's output folder.
        as_of: The run's place in time (aware); now where None.
        beam_arguments: Passed on to Beam as they are.
        wait: How long to wait for another run that holds the ledger.

    Raises:
        ConfigError: an input pattern names no file, a list of feeds cannot be read, a
            variable that a feed names is not set, a Beam option is unknown, or what draws
            the report is not installed; nothing was read.
        LedgerBusy: another run holds the ledger.
        LedgerError: the ledger cannot be used; it is as it was.
        RunError: the run failed; nothing of it is visible.
    """
    pass_point("started")
    return_freed_memory()
    config = loaded.config
    if config.report:
        need_extra()
    started_at = datetime.now(UTC)
    as_of = as_of or started_at.replace(microsecond=0)
    configured = inputs is None and feeds is None
    patterns = list((config.inputs.files if configured else inputs) or ())
    options = beam_options(beam_arguments)
    listed = feeds_of(loaded) if configured else load_named_feeds(feeds or ())
    for problem in listed.problems:
        _LOGGER.warning("%s", printable(problem))
    folder = Path(out if out is not None else config.out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot write to {folder}: {error.strerror or error}") from error
    url = config.ledger.url_below(folder)
    holder = f"run as of {as_of:%Y-%m-%dT%H:%M:%SZ}"
    with hold(url, holder, wait) as held, Ledger.open(url, create=True) as ledger:
        pass_point("locked")
        forgotten = roll_forward(folder, ledger, config.sinks)
        pass_point("rolled_forward")
        with staging(folder, as_of) as (run_id, staged):
            pass_point("staged")
            if STDIN in patterns:
                spool_stdin(sys.stdin.buffer, staged / SPOOL)
            files = plan_spans(patterns, staged / SPOOL)
            fetched = fetch_round(
                config,
                listed.feeds,
                ledger,
                themes=versions_hash(loaded.themes),
                named=not configured,
                everything=all_feeds,
                run_dir=staged,
                now=started_at,
                seen_at=as_of,
            )
            spans = [*files, *spooled_spans(staged)]
            graph = plan_graph(
                config,
                loaded.themes,
                spans=spans,
                as_of=as_of,
                open_earlier=(
                    NoEarlierRuns if ledger.is_empty() else functools.partial(open_ledger, url)
                ),
                folder=staged,
                all_backfill=forgotten,
            )
            runner = choose_runner(options, spans, config.runner, beam_arguments)
            pass_point("planned")
            produced = produce(graph, options, progress)
            feed_counts = finish_round(fetched, produced.readings, config, staged)
            manifest = Manifest(
                run_id=run_id,
                sequence=max(ledger.next_sequence(), next_sequence(folder)),
                as_of=as_of,
                all_backfill=forgotten,
                started_at=started_at,
                finished_at=datetime.now(UTC),
                counts=produced.counts,
                dead_letters=produced.reasons,
                alerts={theme.theme: count_alerts(staged, theme.theme) for theme in loaded.themes},
                told=count_told(staged),
                inputs=tuple(
                    InputFile(name=name, bytes=size) for name, size in sizes_of(files).items()
                ),
                feeds=feed_counts,
                runner=runner,
                versions=versions(),
                config=config.without_secrets().model_dump(mode="json", exclude={"sinks"}),
                themes={theme.theme: theme.version for theme in loaded.themes},
                files={},
            )
            write_bursts(
                folder, CompleteRun(staged, manifest), config.bursts, config.backfill_after
            )
            pass_point("bursts_written")
            manifest = manifest.model_copy(update={"files": output_files(staged)})
            held.check()
            run_dir = commit(folder, staged, manifest)
        _apply(ledger, run_dir, manifest, config.sinks)
        # A run that is placed in the future forgets no more for that.
        ledger.prune(min(as_of, started_at) - config.ledger.keep)
        pass_point("pruned")
        waiting = ledger.outbox.pending_runs([sink.name for sink in config.sinks])
        rotate(folder, config.keep_runs, needed=waiting)
        pass_point("rotated")
    delivered = _deliver(config, folder)
    if config.report:
        _write_report(loaded.themes, folder)
    return RunResult(run_dir, manifest, delivered)


def _deliver(config: PipelineConfig, out: Path) -> Sequence[Delivered]:
    if not config.sinks:
        return ()
    try:
        return deliver(config, out, within=config.deliveries.within)
    except LedgerError as error:
        _LOGGER.warning("nothing is delivered to sinks: %s", error)
        return ()


def _write_report(themes: Sequence[Theme], out: Path) -> None:
    try:
        write_report(out, {theme.theme: theme.title for theme in themes})
    except Exception as error:  # noqa: BLE001 # the run is complete, whatever is wrong with its page
        _LOGGER.warning("the report is not written: %s", error)


def plan_graph(
    config: PipelineConfig,
    themes: Sequence[Theme],
    *,
    spans: Sequence[Span],
    as_of: datetime,
    open_earlier: OpenEarlierRuns,
    folder: Path,
    all_backfill: bool = False,
) -> Plan:
    """What a run's graph is built from.

    Args:
        folder: Where its files are written.
        all_backfill: Whether nothing is to count as new.
    """
    return Plan(
        spans=spans,
        limits=Limits(config.limits.record_bytes, config.limits.file_bytes),
        fields=FieldNames.with_overrides(config.inputs.fields),
        themes=themes,
        as_of=as_of,
        backfill_after=timedelta.min if all_backfill else config.backfill_after,
        open_earlier=open_earlier,
        # Well before it would be forgotten.
        refresh_after=min(timedelta(days=1), config.ledger.keep / 2),
        similar=config.stories.similar,
        table_formats=config.aggregates.formats,
        folder=folder,
        progress=folder / PROGRESS,
    )


class Produced(NamedTuple):
    """What the graph says of itself: where the items ended, and what feeds hold, by URL."""

    counts: Counts
    reasons: dict[Reason, int]
    readings: dict[str, FeedReading]


def produce(graph: Plan, options: PipelineOptions, progress: Progress) -> Produced:
    """Write the files of a run that come out of its graph.

    Raises:
        RunError: the pipeline failed, or the counts do not add up.
    """
    with watched(graph, sizes_of(graph.spans), progress):
        execute(graph, options)
    pass_point("executed")
    complete_files(graph)
    pass_point("files_completed")
    counts, reasons = reconcile(graph.folder)
    readings = _take_readings(graph.folder)
    pass_point("reconciled")
    return Produced(counts, reasons, readings)


def sizes_of(spans: Sequence[Span]) -> dict[str, int]:
    """The size of each file as it lies on disk, by its name."""
    return {span.name: span.size for span in spans}


def roll_forward(out: Path, ledger: Ledger, sinks: Sequence[SinkSettings]) -> bool:
    """Apply the complete runs below *out* that the ledger does not know, the oldest first.

    After a crash that is the last one. Where the ledger was lost, it is all that are
    kept; what of them was delivered is not known any more, and sinks begin anew.

    Returns:
        Whether runs that are no longer kept may be missing from the ledger: then
        nothing can be told to be new.
    """
    lost = ledger.is_empty()
    runs = complete_runs(out)
    applied = ledger.applied_runs([run_key(run.manifest) for run in runs])
    for run in runs:
        if run_key(run.manifest) not in applied:
            _LOGGER.warning("applying the run %s to the ledger first", run.manifest.run_id)
            begin = [sink for sink in sinks if run is runs[-1] and sink.since == "newest"]
            _apply(ledger, run.folder, run.manifest, begin if lost else sinks)
    begin_new_sinks(ledger, sinks, runs, newest=False)
    repair_latest(out)
    return lost and bool(runs) and runs[0].manifest.sequence > 1


def _apply(
    ledger: Ledger, run_dir: Path, manifest: Manifest, sinks: Sequence[SinkSettings]
) -> None:
    changes = read_changes(run_dir)
    pass_point("applying")
    # Another folder's run may have taken the number since.
    sequence = max(manifest.sequence, ledger.next_sequence())
    key = run_key(manifest)
    to_sinks = outgoing(sinks, key, sequence, datetime.now(UTC))
    ledger.apply(key, sequence, manifest.as_of, changes, to_sinks)
    pass_point("applied")


def complete_files(graph: Plan) -> None:
    """Add the files that nothing was written to: consumers find each name in every run."""
    alerts = (alert_file(theme.theme) for theme in graph.themes)
    for name in (ARTICLES, DEAD_LETTERS, LEDGER_ANSWERS, *alerts):
        path = graph.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(zstandard.compress(b"") if path.suffix == ".zst" else b"")
    aggregates = graph.folder / "aggregates"
    for name, record_type in TABLES.items():
        for table_format in graph.table_formats:
            if not (aggregates / f"{name}.{table_format}").exists():
                write_table(aggregates, name, record_type, (), (table_format,))


def reconcile(staging: Path) -> tuple[Counts, dict[Reason, int]]:
    """Count where the items ended; they are counted again here, from the files.

    Raises:
        RunError: an item is missing or was counted twice.
    """
    tallies: dict[str, int] = {}
    path = staging / TALLIES
    if path.exists():
        for tally in path.read_bytes().splitlines():
            tallies |= orjson.loads(tally)
        path.unlink()
    reasons: dict[Reason, int] = {}
    unread = total = 0
    with (staging / DEAD_LETTERS).open("rb") as file:
        for line in file:
            letter = orjson.loads(line)
            total += 1
            unread += letter["stage"] in ("read", "parse")
            reason = Reason(letter["reason"])
            reasons[reason] = reasons.get(reason, 0) + 1
    counts = Counts(
        read=tallies.get("entries", 0) + unread,
        classified=tallies.get("classified", 0),
        duplicates=tallies.get("duplicates", 0),
        already_seen=tallies.get("already_seen", 0),
        dead_letters=total,
    )
    if not counts.balanced:
        raise RunError(f"items were lost or counted twice, nothing was written: {counts}")
    return counts, dict(sorted(reasons.items()))


def _take_readings(staging: Path) -> dict[str, FeedReading]:
    path = staging / FEED_READINGS
    if not path.exists():
        return {}
    readings = map(FeedReading.model_validate_json, path.read_bytes().splitlines())
    by_url = {reading.url: reading for reading in readings}
    path.unlink()
    return by_url


def count_alerts(staging: Path, theme: str) -> AlertCounts:
    """How many alerts of a theme a run has, by what they are."""
    found = {"focus": 0, "mention": 0, "backfill": 0, "updates": 0, "cancels": 0}
    with (staging / alert_file(theme)).open("rb") as file:
        for line in file:
            alert = orjson.loads(line)
            if alert["kind"] == "cancel":
                found["cancels"] += 1
                continue
            found[alert["level"]] += 1
            found["backfill"] += alert["backfill"]
            found["updates"] += alert["kind"] == "update"
    return AlertCounts(**found)


def count_told(staging: Path) -> ToldCounts:
    """How many articles with a theme, or that had one, a run has, and of what time."""
    with zstandard.open(staging / ARTICLES, "rt", encoding="utf-8", newline="\n") as lines:
        dates = [datetime.fromisoformat(orjson.loads(line)["published_at"]) for line in lines]
    if not dates:
        return ToldCounts()
    return ToldCounts(articles=len(dates), published_first=min(dates), published_last=max(dates))
