"""Reading a run's inputs again, with today's themes."""

import functools
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson
from pydantic import ValidationError

from pipeline.config import LoadedConfig, PipelineConfig
from pipeline.console import Progress
from pipeline.manifest import alert_file
from pipeline.memory import return_freed_memory
from pipeline.remembering import open_recorded
from pipeline.run import plan_graph, produce
from pipeline.runners import beam_options, choose_runner
from pipeline.runs import PROGRESS, CompleteRun
from pipeline.sources.files import spans_of_run
from transforms.errors import ConfigError


class Difference(NamedTuple):
    """An alert that the run would have now and did not have, or the other way, or otherwise."""

    kind: Literal["gained", "lost", "changed"]
    theme: str
    alert: Mapping[str, Any]  # as it would be now; as it was, where it is lost
    what: tuple[str, ...] = ()  # the fields that changed


def replay(
    run: CompleteRun, loaded: LoadedConfig, *, write: Path | None, progress: Progress
) -> list[Difference]:
    """Do a run again as it was, but with the themes of *loaded*, and compare the alerts.

    Files are read again where they lie, and what was fetched in the run's folder; what
    the ledger said then is taken from there too, and the ledger itself is neither asked
    nor changed. With the same themes and inputs the files that the graph writes are the
    same, byte for byte.

    Args:
        write: A new folder for the files of the replay; None to write nothing.

    Raises:
        ConfigError: an input is no longer there, or *write* exists.
        RunError: the replay failed.
    """
    if write is not None and write.exists():
        raise ConfigError(f"{write}: exists already")
    return_freed_memory()
    manifest = run.manifest
    try:
        config = PipelineConfig.model_validate(manifest.config)
    except ValidationError as error:
        raise ConfigError(f"{run.folder}: a run of another version: {error}") from error
    with tempfile.TemporaryDirectory() as temporary:
        folder = (write or Path(temporary) / "run").resolve()
        folder.mkdir(parents=True)
        spans = spans_of_run(run.folder.resolve(), [one.name for one in manifest.inputs])
        options = beam_options(())
        choose_runner(options, spans, config.runner, ())
        graph = plan_graph(
            config,
            loaded.themes,
            spans=spans,
            as_of=manifest.as_of,
            open_earlier=functools.partial(open_recorded, run.folder.resolve()),
            folder=folder,
            all_backfill=manifest.all_backfill,
        )
        try:
            produce(graph, options, progress)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        (folder / PROGRESS).unlink(missing_ok=True)
        themes = manifest.themes.keys() | {theme.theme for theme in loaded.themes}
        return [
            one
            for theme in sorted(themes)
            for one in _differences(
                theme, _alerts(run.folder / alert_file(theme)), _alerts(folder / alert_file(theme))
            )
        ]


def _alerts(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    alerts = map(orjson.loads, path.read_bytes().splitlines())
    return {alert["alert_id"]: alert for alert in alerts}


_ALWAYS_OTHER = {"theme_version"}


def _differences(
    theme: str, then: Mapping[str, dict[str, Any]], now: Mapping[str, dict[str, Any]]
) -> Iterator[Difference]:
    for alert_id, alert in now.items():
        if alert_id not in then:
            yield Difference("gained", theme, alert)
            continue
        before = then[alert_id]
        names = alert.keys() - _ALWAYS_OTHER
        if what := tuple(sorted(name for name in names if alert[name] != before.get(name))):
            yield Difference("changed", theme, alert, what)
    for alert_id, alert in then.items():
        if alert_id not in now:
            yield Difference("lost", theme, alert)
