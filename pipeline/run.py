"""One run: plan, stage, execute, reconcile, commit.

out/staging/RUN_ID/     while it works; swept by the next start after a crash
out/runs/RUN_ID/        once it is complete: appears whole, by one rename
out/latest.json         names the newest complete run
"""

import itertools
import logging
import os
import re
import shlex
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from apache_beam import Pipeline
from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    StandardOptions,
    WorkerOptions,
)
from filelock import FileLock, Timeout

from pipeline.config import LoadedConfig
from pipeline.console import Progress
from pipeline.graph import DEAD_LETTERS, TABLES, TALLIES, Plan, alert_file, build_graph
from pipeline.manifest import (
    MANIFEST,
    AlertCounts,
    Counts,
    InputFile,
    Manifest,
    Runner,
    output_file,
    versions,
)
from pipeline.memory import return_freed_memory
from pipeline.sinks.files import write_table
from pipeline.sources.files import STDIN, plan, spool_stdin
from pipeline.sources.readers import Limits, Span
from transforms.errors import ConfigError, PolicywireError, Reason, RunError
from transforms.logic.documents import FieldNames

LATEST = "latest.json"
SPOOL = Path("inputs") / "stdin.jsonl"  # below the run's folder, so that verify finds it

_LOCK = ".lock"
_PROGRESS = ".progress"

_LOGGER = logging.getLogger(__name__)
_MULTI_PROCESSING = "multi_processing"
_COMPRESSED = (".gz", ".bz2", ".zst", ".parquet")
_RATIO = 4  # by how much news text grows when it is decompressed, roughly


class RunResult(NamedTuple):
    """A complete run: where its files are, and what its manifest says."""

    run_dir: Path
    manifest: Manifest


def run(
    loaded: LoadedConfig,
    *,
    inputs: Sequence[str] | None,
    out: Path | None,
    as_of: datetime | None,
    beam_options: Sequence[str],
    progress: Progress,
) -> RunResult:
    """Do one run and commit it.

    Args:
        inputs: Patterns that replace the configuration's; '-' is standard input.
        out: Replaces the configuration's output folder.
        as_of: The run's place in time (aware); now where None.
        beam_options: Passed on to Beam as they are.

    Raises:
        ConfigError: an input pattern names no file, or a Beam option is unknown;
            nothing was read.
        RunError: the run failed; nothing of it is visible.
    """
    return_freed_memory()
    config = loaded.config
    started_at = datetime.now(UTC)
    as_of = as_of or started_at.replace(microsecond=0)
    patterns = list(inputs if inputs is not None else config.inputs.files)
    options = _beam_options(beam_options)
    folder = Path(out if out is not None else config.out)
    with _staging(folder, as_of) as (run_id, staging):
        if STDIN in patterns:
            spool_stdin(sys.stdin.buffer, staging / SPOOL)
        spans = plan(patterns, staging / SPOOL)
        runner = _choose_runner(options, spans, loaded, beam_options)
        graph = Plan(
            spans=spans,
            limits=Limits(config.limits.record_bytes, config.limits.file_bytes),
            fields=FieldNames.with_overrides(config.inputs.fields),
            themes=loaded.themes,
            as_of=as_of,
            backfill_after=config.backfill_after,
            table_formats=config.aggregates.formats,
            folder=staging,
            progress=staging / _PROGRESS,
        )
        sizes = {span.name: span.size for span in spans}
        with _watched(graph, sizes, progress):
            _execute(graph, options)
        _complete_files(graph)
        counts, reasons = _reconcile(staging)
        files = {
            path.relative_to(staging).as_posix(): output_file(path)
            for path in sorted(staging.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
        manifest = Manifest(
            run_id=run_id,
            as_of=as_of,
            started_at=started_at,
            finished_at=datetime.now(UTC),
            counts=counts,
            dead_letters=reasons,
            alerts={theme.theme: _count_alerts(staging, theme.theme) for theme in loaded.themes},
            inputs=tuple(InputFile(name=name, bytes=size) for name, size in sizes.items()),
            runner=runner,
            versions=versions(),
            config=config.model_dump(mode="json"),
            themes={theme.theme: theme.version for theme in loaded.themes},
            files=files,
        )
        return RunResult(_commit(folder, staging, manifest), manifest)


def _beam_options(arguments: Sequence[str]) -> PipelineOptions:
    options = PipelineOptions(list(arguments))
    valued = False  # whether the argument before may have this one as its value
    for argument in arguments:
        if not argument.startswith("-") and not valued:
            raise ConfigError(f"{argument!r} is no option; files are named by --input")
        valued = argument.startswith("--") and "=" not in argument
    given = [argument.split("=")[0] for argument in arguments if argument.startswith("--")]
    every = options.get_all_options()
    for name in given:
        plain = name[2:].replace("-", "_")
        # Some switch off what another name switches on.
        if plain not in every and plain.removeprefix("no_") not in every:
            raise ConfigError(f"Beam option {name}: unknown")
    return options


def _choose_runner(
    options: PipelineOptions,
    spans: Sequence[Span],
    loaded: LoadedConfig,
    given: Sequence[str],
) -> Runner:
    """Set runner and workers in *options* where the user did not, by the size of the input.

    Worker processes cost seconds to start: they are worth it for large inputs only.
    """
    standard, direct = options.view_as(StandardOptions), options.view_as(DirectOptions)
    stated = {argument.split("=")[0] for argument in given}
    if "--runner" in stated:
        name = str(standard.runner)
    else:
        standard.runner = name = "FnApiRunner"
    if "--default_sdk_harness_log_level" not in stated:
        # A line that a worker logs travels to the runner: at INFO that halves the rate.
        options.view_as(WorkerOptions).default_sdk_harness_log_level = "WARNING"
    if not stated & {"--direct_num_workers", "--direct_running_mode"}:
        size = {
            span.name: span.size * (_RATIO if span.name.endswith(_COMPRESSED) else 1)
            for span in spans
        }
        wanted = loaded.config.runner.workers
        workers = min(os.cpu_count() or 1, len(spans)) if wanted == "auto" else int(wanted)
        large = sum(size.values()) > loaded.config.runner.multi_process_above
        if workers > 1 and (large or wanted != "auto"):
            direct.direct_running_mode = _MULTI_PROCESSING
            direct.direct_num_workers = workers
    return Runner(
        name=name,
        mode=str(direct.direct_running_mode),
        workers=int(direct.direct_num_workers),
        options=tuple(given),
    )


def _execute(graph: Plan, options: PipelineOptions) -> None:
    standard = options.view_as(StandardOptions)
    runner: Any = standard.runner
    if runner == "FnApiRunner":
        runner = _in_process_runner(options)
    try:
        with Pipeline(runner=runner, options=options) as pipeline:
            build_graph(pipeline, graph)
    except PolicywireError:
        raise
    except Exception as error:
        if _cause(error).startswith("KeyboardInterrupt"):
            # It came while a bundle was at work, and the runner made its own error of it.
            raise KeyboardInterrupt from error
        _LOGGER.debug("the pipeline failed", exc_info=True)
        raise RunError(f"the run failed, nothing was written: {_cause(error)}") from error


def _in_process_runner(options: PipelineOptions) -> Any:
    """Beam's in-process runner itself: DirectRunner might fetch another from the network."""
    from apache_beam.portability.api import beam_provision_api_pb2
    from apache_beam.runners.portability.fn_api_runner import fn_runner
    from apache_beam.runners.portability.portable_runner import JobServiceHandle
    from apache_beam.transforms.environments import SubprocessSDKEnvironment

    encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    info = beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded)
    workers = None
    direct = options.view_as(DirectOptions)
    if direct.direct_running_mode == _MULTI_PROCESSING:
        # The mode itself would start Beam's worker, and not ours.
        direct.direct_running_mode = "in_memory"
        command = f"{shlex.quote(sys.executable)} -m pipeline.worker"
        workers = SubprocessSDKEnvironment.from_command_string(command)
    return fn_runner.FnApiRunner(
        default_environment=workers, provision_info=fn_runner.ExtendedProvisionInfo(info)
    )


_FINAL_LINE = re.compile(r"^\w[\w.]*(?:Error|Exception|Interrupt)\b.*$", re.MULTILINE)


def _cause(error: BaseException) -> str:
    """The line that names the cause: a worker's error arrives as a whole traceback."""
    lines = _FINAL_LINE.findall(str(error))
    return lines[-1] if lines else f"{type(error).__name__}: {error}"


@contextmanager
def _watched(graph: Plan, sizes: dict[str, int], progress: Progress) -> Iterator[None]:
    """Tell *progress* what the reading stage appends to its progress file."""
    progress.start(sum(sizes.values()), len(sizes))
    stop = threading.Event()

    def follow() -> None:
        position = 0
        while not stop.wait(0.2):
            with suppress(OSError), open(str(graph.progress), "rb") as file:
                file.seek(position)
                lines = file.read().split(b"\n")[:-1]
                position += sum(len(line) + 1 for line in lines)
                progress.advance(sum(map(int, lines)))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
        progress.done()
    finally:
        stop.set()
        thread.join()
        progress.stop()


def _complete_files(graph: Plan) -> None:
    """Add the files that nothing was written to: consumers find each name in every run."""
    for name in [DEAD_LETTERS, *(alert_file(theme.theme) for theme in graph.themes)]:
        path = graph.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    aggregates = graph.folder / "aggregates"
    for name, record_type in TABLES.items():
        for table_format in graph.table_formats:
            if not (aggregates / f"{name}.{table_format}").exists():
                write_table(aggregates, name, record_type, (), (table_format,))


def _reconcile(staging: Path) -> tuple[Counts, dict[Reason, int]]:
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
        already_seen=0,
        dead_letters=total,
    )
    if not counts.balanced:
        raise RunError(f"items were lost or counted twice, nothing was written: {counts}")
    return counts, dict(sorted(reasons.items()))


def _count_alerts(staging: Path, theme: str) -> AlertCounts:
    found = {"focus": 0, "mention": 0, "backfill": 0}
    with (staging / alert_file(theme)).open("rb") as file:
        for line in file:
            alert = orjson.loads(line)
            found[alert["level"]] += 1
            found["backfill"] += alert["backfill"]
    return AlertCounts(**found)


@contextmanager
def _staging(out: Path, as_of: datetime) -> Iterator[tuple[str, Path]]:
    """A new run id and its staging folder, which is gone afterwards whatever happens.

    A live run holds the lock in its folder; folders of runs that died are swept.
    """
    parent = out / "staging"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        (out / "runs").mkdir(exist_ok=True)
        with _changing(out):
            _sweep(parent)
            run_id = _new_run_id(out, as_of)
            staging = parent / run_id
            staging.mkdir()
            alive = FileLock(staging / _LOCK)
            alive.acquire()
    except OSError as error:
        raise RunError(f"cannot write to {out}: {error.strerror or error}") from error
    try:
        yield run_id, staging.resolve()
    except OSError as error:
        raise RunError(f"the run failed, nothing was written: {error}") from error
    finally:
        alive.release()
        shutil.rmtree(staging, ignore_errors=True)


def _changing(out: Path) -> FileLock:
    """Held while folders of runs come and go, which is a matter of milliseconds."""
    return FileLock(out / "staging" / _LOCK)


def _sweep(parent: Path) -> None:
    for folder in parent.iterdir():
        if folder.is_dir():
            with suppress(Timeout), FileLock(folder / _LOCK, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)


def _new_run_id(out: Path, as_of: datetime) -> str:
    base = f"{as_of:%Y%m%dT%H%M%SZ}"
    candidates = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
    return next(
        run_id
        for run_id in candidates
        if not (out / "staging" / run_id).exists() and not (out / "runs" / run_id).exists()
    )


def _commit(out: Path, staging: Path, manifest: Manifest) -> Path:
    """Make the run visible: manifest last, then one rename, then the pointer to it."""
    _write_durably(staging / MANIFEST, manifest.model_dump_json(indent=2).encode() + b"\n")
    final = out / "runs" / manifest.run_id
    pointer = {"run_id": manifest.run_id, "path": f"runs/{manifest.run_id}"}
    aside = out / "staging" / LATEST
    with _changing(out):
        for hidden in (_PROGRESS, _LOCK):
            (staging / hidden).unlink(missing_ok=True)
        staging.rename(final)
        _write_durably(aside, orjson.dumps(pointer) + b"\n")
        aside.replace(out / LATEST)
    return final


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
