"""The commands about runs: run, status, verify, replay."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.base import (
    DEAD_LETTERS,
    FAILED,
    ConfigOption,
    JsonOption,
    OutOption,
    app,
    plain_errors,
)
from pipeline.cli.deliver import print_delivered
from pipeline.cli.printing import counted, flat, print_json, print_table, short
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.manifest import Manifest


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


@app.command()
def run(
    beam_options: Annotated[
        list[str] | None, typer.Argument(help="Options for Beam, after '--'.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", help="Glob of files to read instead of the configuration's; '-' is stdin."
        ),
    ] = None,
    feeds: Annotated[
        list[str] | None,
        typer.Option(
            "--feeds",
            help="URL of a feed, or a list of them (OPML, or an URL a line), to read instead.",
        ),
    ] = None,
    all_feeds: Annotated[
        bool, typer.Option("--all-feeds", help="Ask all feeds, also those that are not due.")
    ] = False,
    out: OutOption = None,
    as_of: Annotated[
        str | None, typer.Option(help="The run's place in time, ISO 8601, UTC without a zone.")
    ] = None,
    wait: Annotated[
        float,
        typer.Option(
            min=0, max=86_400, help="Seconds to wait for another run that holds the ledger."
        ),
    ] = 0,
    fail_on_dead_letters: Annotated[
        bool, typer.Option("--fail-on-dead-letters", help="Exit with 3 where there are any.")
    ] = False,
    log_format: Annotated[LogFormat, typer.Option(help="How log lines look.")] = LogFormat.TEXT,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but problems.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log causes in full.")] = False,
) -> None:
    """Read, classify, and write alerts, counts and dead letters."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.console import progress_for, set_up_logging

        set_up_logging(log_format.value, quiet=quiet, verbose=verbose)
        moment = moment_of(as_of)
        loaded = load_config(config)
        from pipeline.run import run as run_once

        result = run_once(
            loaded,
            inputs=inputs,
            feeds=feeds,
            all_feeds=all_feeds,
            out=out,
            as_of=moment,
            beam_arguments=beam_options or [],
            wait=timedelta(seconds=wait),
            progress=progress_for(quiet=quiet, log_format=log_format.value),
        )
    if not quiet:
        print_summary(result.run_dir, result.manifest)
        print_delivered(result.delivered)
    if fail_on_dead_letters and result.manifest.counts.dead_letters:
        raise typer.Exit(DEAD_LETTERS)


@app.command()
def status(
    config: ConfigOption = None,
    out: OutOption = None,
    max_age: Annotated[
        float,
        typer.Option(min=0, max=5_000_000, help="Minutes that the newest run may be old."),
    ] = 60,
    prometheus: Annotated[
        Path | None, typer.Option(help="Also write a file for Prometheus' textfile collector.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how the runs are doing; exits with 1 where something is wrong."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.console import printable
        from pipeline.feeds.listing import load_feeds
        from pipeline.status import status as look
        from pipeline.status import write_prometheus

        loaded = load_config(config)
        settings = loaded.config
        folder = out or Path(settings.out)
        feeds = load_feeds(settings.inputs.feeds, loaded.path.parent).feeds
        state = look(settings, feeds, folder, datetime.now(UTC), timedelta(minutes=max_age))
        if prometheus is not None:
            try:
                write_prometheus(state, prometheus)
            except OSError as error:
                raise ConfigError(f"{prometheus}: {error.strerror}") from error
    if as_json:
        print_json(state.model_dump(mode="json"))
    else:
        shown = state.model_dump(mode="json", exclude={"problems", "warnings", "now"})
        print_table(("what", "value"), [(n, v) for n, v in flat(shown) if v is not None])
    for problem in (*state.problems, *state.warnings):
        typer.echo(printable(f"policywire: {problem}"), err=True)
    if state.problems:
        raise typer.Exit(FAILED)


@app.command()
def verify(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
) -> None:
    """Read a run's inputs again, and check its files and all its evidence."""
    with plain_errors():
        from pipeline.verify import verify as verify_run

        verified = verify_run(run_dir)
    for problem in verified.problems:
        typer.echo(problem, err=True)
    typer.echo(
        f"{counted(verified.alerts, 'alert')} with "
        f"{counted(verified.spans, 'evidence span')}: "
        f"{counted(len(verified.problems), 'problem')}"
    )
    if verified.problems:
        raise typer.Exit(FAILED)


@app.command()
def replay(
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run; or 'latest'.")],
    config: ConfigOption = None,
    out: OutOption = None,
    write: Annotated[
        Path | None, typer.Option(help="A new folder for the files of the replay.")
    ] = None,
) -> None:
    """Read a run's inputs again with today's themes, and show what would differ."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.console import printable, progress_for
        from pipeline.replay import replay as replay_run
        from pipeline.runs import find_run

        loaded = load_config(config)
        run = find_run(out or Path(loaded.config.out), run_id)
        progress = progress_for(quiet=False, log_format="text")
        differences = replay_run(run, loaded, write=write, progress=progress)
    for one in differences:
        article = one.alert["article"]
        headline = short(article["title"] or article["url"] or article["article_id"])
        what = f" ({', '.join(one.what)})" if one.what else ""
        typer.echo(printable(f"{one.kind} {one.theme}: {one.alert['level']}: {headline}{what}"))
    typer.echo(f"{counted(len(differences), 'difference')} to the run {run.manifest.run_id}")
    if write is not None:
        typer.echo(f"wrote {write}")


def moment_of(raw: str | None) -> datetime | None:
    if raw is None:
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        raise ConfigError(f"--as-of {raw!r}: no ISO 8601 time, like 2026-11-01T06:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def print_summary(run_dir: Path, manifest: "Manifest") -> None:
    from pipeline.manifest import DEAD_LETTERS as DEAD_LETTER_FILE
    from pipeline.manifest import FEEDS, alert_file

    counts = manifest.counts
    typer.echo(
        f"{counts.read:,} read = {counts.classified:,} classified + "
        f"{counted(counts.duplicates, 'duplicate')} + {counts.already_seen:,} already seen + "
        f"{counted(counts.dead_letters, 'dead letter')}"
    )
    if manifest.feeds.feeds:
        told = manifest.feeds
        typer.echo(
            f"{counted(told.feeds, 'feed')} = {told.read:,} read + {told.unchanged:,} unchanged + "
            f"{told.failed:,} failed + {told.not_due:,} not due ({run_dir / FEEDS})"
        )
    for reason, number in manifest.dead_letters.items():
        typer.echo(f"dead letters: {number:,} {reason.value} ({run_dir / DEAD_LETTER_FILE})")
    files = {theme: run_dir / alert_file(theme) for theme in manifest.alerts}
    _print_alerts(files.values())
    typer.echo()
    rows = [
        (theme, found.focus, found.mention, found.backfill, files[theme])
        for theme, found in manifest.alerts.items()
    ]
    print_table(("theme", "focus", "mention", "of these backfill", "alerts"), rows)


_SHOWN = 10  # alerts


def _print_alerts(files: Iterable[Path]) -> None:
    """The alerts that matter most: new before backfill, focus before mention, then by score."""
    import heapq

    import orjson

    def rank(alert: dict[str, Any]) -> tuple[Any, ...]:
        return alert["backfill"], alert["level"] != "focus", -alert["score"], alert["alert_id"]

    total = 0

    def alerts() -> Iterator[dict[str, Any]]:
        nonlocal total
        for path in files:
            with path.open("rb") as lines:
                for line in lines:
                    total += 1
                    yield orjson.loads(line)

    strongest = heapq.nsmallest(_SHOWN, alerts(), key=rank)
    if not strongest:
        return
    shown = counted(total, "alert")
    if total > _SHOWN:
        shown = f"the first {_SHOWN} of {shown}"
    typer.echo(f"\n{shown}:")
    rows = []
    for alert in strongest:
        first = (alert["evidence"] or [{"words": "", "sentence": ""}])[0]  # a cancel has none
        rows.append(
            (
                alert["kind"],
                alert["theme"],
                alert["level"],
                f"{alert['score']:g}",
                short(first["words"]),
                short(alert["article"]["title"] or first["sentence"]),
            )
        )
    print_table(("kind", "theme", "level", "score", "words", "headline or sentence"), rows)
