"""What executes a run: which of Beam's runners, with how many workers."""

import logging
import os
import re
import shlex
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from apache_beam import Pipeline
from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    StandardOptions,
    WorkerOptions,
)

from pipeline.config import RunnerChoice
from pipeline.console import Progress
from pipeline.graph import Plan, build_graph
from pipeline.manifest import Runner
from pipeline.sources.readers import Span
from transforms.errors import ConfigError, PolicywireError, RunError

_LOGGER = logging.getLogger(__name__)
_MULTI_PROCESSING = "multi_processing"
_COMPRESSED = (".gz", ".bz2", ".zst", ".parquet")
_RATIO = 4  # by how much news text grows when it is decompressed, roughly
_FETCHED_RATIO = 40  # feeds grow by more, and take several times as long as records


def beam_options(arguments: Sequence[str]) -> PipelineOptions:
    """Beam's options of the command line.

    Raises:
        ConfigError: an argument is no option, or Beam does not know it.
    """
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


def choose_runner(
    options: PipelineOptions,
    spans: Sequence[Span],
    choice: RunnerChoice,
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
        size = {span.name: span.size * _ratio(span) for span in spans}
        wanted = choice.workers
        workers = min(os.cpu_count() or 1, len(spans)) if wanted == "auto" else int(wanted)
        large = sum(size.values()) > choice.multi_process_above
        if workers > 1 and (large or wanted != "auto"):
            direct.direct_running_mode = _MULTI_PROCESSING
            direct.direct_num_workers = workers
    return Runner(
        name=name,
        mode=str(direct.direct_running_mode),
        workers=int(direct.direct_num_workers),
        options=tuple(given),
    )


def _ratio(span: Span) -> int:
    if span.kind == "spool":
        return _FETCHED_RATIO
    return _RATIO if span.name.endswith(_COMPRESSED) else 1


def execute(graph: Plan, options: PipelineOptions) -> None:
    """Build the graph and run it to its end.

    Raises:
        RunError: it failed.
    """
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
def watched(graph: Plan, sizes: dict[str, int], progress: Progress) -> Iterator[None]:
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
