"""The command line: parse arguments, call, print.

Modules of the application are imported where a command needs them, so that
`--help` and wrong usage answer at once.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from transforms.errors import ConfigError, PolicywireError

if TYPE_CHECKING:
    from pipeline.explain import Explained
    from pipeline.ledger import Ledger
    from pipeline.manifest import Manifest
    from transforms.records import Article, Evidence

FAILED, DEAD_LETTERS = 1, 3  # other errors bring their own

app = typer.Typer(
    name="policywire",
    help="Find policy themes in news articles, and say which sentence made it think so.",
    epilog=(
        "Exit codes: 0 done; 1 the run failed, or what was checked does not hold; "
        "2 wrong usage or configuration; 3 done, with dead letters, when asked to fail on them; "
        "4 another run holds the ledger."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help starts three times as fast
    pretty_exceptions_enable=False,
)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="The configuration; configs/pipeline.yaml where it is there."),
]


OutOption = Annotated[
    Path | None, typer.Option("--out", help="Output folder instead of the configuration's.")
]


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"


class Schema(StrEnum):
    """What there is a JSON Schema of."""

    ALERT = "alert"
    ARTICLE = "article"
    AGGREGATE = "aggregate"
    DEAD_LETTER = "dead-letter"
    MANIFEST = "manifest"


def main() -> None:
    """Run the command; the process exits with its exit code."""
    app()


def _show_version(asked: bool) -> None:
    if asked:
        from pipeline import __version__

        typer.echo(f"policywire {__version__}")
        raise typer.Exit


@app.callback()
def _policywire(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    from pipeline.console import set_up_logging

    set_up_logging("text", quiet=True, verbose=False)


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
    with _plain_errors():
        from pipeline.config import load_config
        from pipeline.console import progress_for, set_up_logging

        set_up_logging(log_format.value, quiet=quiet, verbose=verbose)
        moment = _moment(as_of)
        loaded = load_config(config)
        from pipeline.run import run as run_once

        result = run_once(
            loaded,
            inputs=inputs,
            out=out,
            as_of=moment,
            beam_arguments=beam_options or [],
            wait=timedelta(seconds=wait),
            progress=progress_for(quiet=quiet, log_format=log_format.value),
        )
    if not quiet:
        _print_summary(result.run_dir, result.manifest)
    if fail_on_dead_letters and result.manifest.counts.dead_letters:
        raise typer.Exit(DEAD_LETTERS)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put it.")],
) -> None:
    """Write an editable copy of the default configuration and themes."""
    with _plain_errors():
        from pipeline.config import default_config_dir

        source = default_config_dir()
        names = ["pipeline.yaml"]
        names += sorted(f"themes/{path.name}" for path in (source / "themes").glob("*.yaml"))
        taken = [str(folder / name) for name in names if (folder / name).exists()]
        if taken:
            raise ConfigError(*(f"{name}: is there already" for name in taken))
        try:
            for name in names:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes((source / name).read_bytes())
                typer.echo(f"wrote {folder / name}")
        except OSError as error:
            raise ConfigError(f"{folder}: {error.strerror}") from error
    typer.echo(f"Next: policywire run --config {folder / 'pipeline.yaml'} --input 'FILES'")


@app.command()
def check(
    config: Annotated[Path | None, typer.Argument(help="The configuration to check.")] = None,
) -> None:
    """Check the configuration and the themes, without reading anything else."""
    with _plain_errors():
        from pipeline.config import load_config
        from transforms.logic.themes.matcher import ThemeMatcher

        loaded = load_config(config)
        ThemeMatcher(loaded.themes)
    rows = [
        (
            theme.theme,
            len(theme.by_id),
            f"{theme.thresholds.mention:g}",
            f"{theme.thresholds.focus:g}",
            theme.version,
        )
        for theme in loaded.themes
    ]
    _print_table(("theme", "queries", "mention", "focus", "version"), rows)
    typer.echo(f"{loaded.path}: nothing is wrong")


@app.command()
def explain(
    source: Annotated[str, typer.Argument(metavar="FILE", help="Any format; '-' is stdin.")],
    config: ConfigOption = None,
    entry: Annotated[int, typer.Option(min=1, help="Which article of the file.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show why an article matches its themes, and what nearly did."""
    with _plain_errors():
        from pipeline.config import load_config
        from pipeline.explain import explain as explain_article

        explained = explain_article(source, load_config(config), entry)
    if as_json:
        _print_json(
            {
                "article": explained.article.model_dump(mode="json"),
                "themes": [theme.model_dump(mode="json") for theme in explained.themes],
            }
        )
    else:
        _print_explanation(explained)


@app.command("eval")
def evaluate(
    labelled: Annotated[Path, typer.Argument(help="JSON Lines: title, text, themes, unsure.")],
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure the themes against labelled articles."""
    with _plain_errors():
        from pipeline.config import load_config
        from pipeline.console import printable
        from pipeline.evaluate import evaluate as measure
        from pipeline.evaluate import read_labelled
        from transforms.logic.themes.matcher import ThemeMatcher

        loaded = load_config(config)
        names = [theme.theme for theme in loaded.themes]
        articles = read_labelled(labelled, frozenset(names))
        result = measure(articles, names, ThemeMatcher(loaded.themes).hits)
    if as_json:
        _print_json(result.as_json())
        return
    rows = [
        (name, *(f"{value:.3f}" for value in figures[:3]), figures.support)
        for name, figures in (
            *result.themes.items(),
            ("micro", result.micro),
            ("macro", result.macro),
        )
    ]
    _print_table(("theme", "precision", "recall", "F1", "support"), rows)
    for wrong in result.wrong:
        words = ", ".join(dict.fromkeys(wrong.words))
        typer.echo(printable(f"{wrong.theme}: {wrong.kind}: {wrong.article}  {words}".rstrip()))


@app.command()
def verify(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
) -> None:
    """Read a run's inputs again, and check its files and all its evidence."""
    with _plain_errors():
        from pipeline.verify import verify as verify_run

        verified = verify_run(run_dir)
    for problem in verified.problems:
        typer.echo(problem, err=True)
    typer.echo(
        f"{_number(verified.alerts, 'alert')} with "
        f"{_number(verified.spans, 'evidence span')}: "
        f"{_number(len(verified.problems), 'problem')}"
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
    with _plain_errors():
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
        headline = _short(article["title"] or article["url"] or article["article_id"])
        what = f" ({', '.join(one.what)})" if one.what else ""
        typer.echo(printable(f"{one.kind} {one.theme}: {one.alert['level']}: {headline}{what}"))
    typer.echo(f"{_number(len(differences), 'difference')} to the run {run.manifest.run_id}")
    if write is not None:
        typer.echo(f"wrote {write}")


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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show how the runs are doing; exits with 1 where something is wrong."""
    with _plain_errors():
        from pipeline.config import load_config
        from pipeline.status import status as look
        from pipeline.status import write_prometheus

        settings = load_config(config).config
        folder = out or Path(settings.out)
        state = look(settings, folder, datetime.now(UTC), timedelta(minutes=max_age))
        if prometheus is not None:
            try:
                write_prometheus(state, prometheus)
            except OSError as error:
                raise ConfigError(f"{prometheus}: {error.strerror}") from error
    if as_json:
        _print_json(state.model_dump(mode="json"))
    else:
        shown = state.model_dump(mode="json", exclude={"problems", "now"})
        _print_table(("what", "value"), [(n, v) for n, v in _flat(shown) if v is not None])
    for problem in state.problems:
        typer.echo(f"policywire: {problem}", err=True)
    if state.problems:
        raise typer.Exit(FAILED)


ledger_app = typer.Typer(help="What earlier runs saw.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(ledger_app, name="ledger")


@ledger_app.command("stats")
def ledger_stats(
    config: ConfigOption = None,
    out: OutOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what the ledger holds."""
    with _plain_errors(), _opened_ledger(config, out) as ledger:
        stats = ledger.stats().model_dump(mode="json")
    if as_json:
        _print_json(stats)
        return
    _print_table(("what", "value"), [(name, value) for name, value in _flat(stats)])


@ledger_app.command("prune")
def ledger_prune(
    config: ConfigOption = None,
    out: OutOption = None,
    keep: Annotated[
        float | None,
        typer.Option(min=0, max=36_500, help="Days, instead of the configuration's."),
    ] = None,
) -> None:
    """Forget what was not seen for longer than the ledger keeps."""
    with _plain_errors():
        from pipeline.config import load_config
        from pipeline.ledger import hold

        settings = load_config(config).config
        url = settings.ledger.url_below(out or Path(settings.out))
        span = settings.ledger.keep if keep is None else timedelta(days=keep)
        with (
            hold(url, f"policywire ledger prune, process {os.getpid()}", timedelta()),
            _opened_ledger(config, out) as ledger,
        ):
            pruned = ledger.prune(datetime.now(UTC) - span)
    _print_table(("what", "forgotten"), list(pruned._asdict().items()))


@ledger_app.command("export")
def ledger_export(config: ConfigOption = None, out: OutOption = None) -> None:
    """Print all that the ledger holds, as JSON Lines."""
    with _plain_errors(), _opened_ledger(config, out) as ledger:
        for record in ledger.export():
            typer.echo(record.model_dump_json())


@contextmanager
def _opened_ledger(config: Path | None, out: Path | None) -> "Iterator[Ledger]":
    from pipeline.config import load_config
    from pipeline.ledger import Ledger

    settings = load_config(config).config
    with Ledger.open(settings.ledger.url_below(out or Path(settings.out))) as ledger:
        yield ledger


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@app.command()
def schema(name: Annotated[Schema, typer.Argument(help="What to describe.")]) -> None:
    """Print the JSON Schema of an output."""
    from pipeline.manifest import Manifest
    from transforms import records

    models: dict[Schema, type[records.Record]] = {
        Schema.ALERT: records.Alert,
        Schema.ARTICLE: records.ClassifiedArticle,
        Schema.AGGREGATE: records.ThemeCount,
        Schema.DEAD_LETTER: records.DeadLetter,
        Schema.MANIFEST: Manifest,
    }
    described = models[name].model_json_schema(mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    _print_json(head | {"$id": f"urn:policywire:{name.value}:{records.SCHEMA_VERSION}"} | described)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Errors of policywire as plain sentences, with their exit code."""
    try:
        yield
    except PolicywireError as error:
        _fail(error, error.exit_code)
    except KeyboardInterrupt:
        from pipeline.console import report_error

        report_error("interrupted, nothing was written")
        raise typer.Exit(130) from None


def _fail(error: PolicywireError, code: int) -> NoReturn:
    from pipeline.console import report_error

    for line in str(error).splitlines():
        report_error(line)
    raise typer.Exit(code) from None


def _moment(raw: str | None) -> datetime | None:
    if raw is None:
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError:
        raise ConfigError(f"--as-of {raw!r}: no ISO 8601 time, like 2026-11-01T06:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _print_json(value: Any) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _print_table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """A table in colour on a terminal, in plain columns elsewhere."""
    texts = [tuple(map(str, row)) for row in rows]
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*header)
        for row in texts:
            table.add_row(*map(Text, row))
        Console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(header, *texts, strict=True)]
    for row in (header, *texts):
        typer.echo("  ".join(map(str.ljust, row, widths)).rstrip())


def _print_summary(run_dir: Path, manifest: "Manifest") -> None:
    from pipeline.manifest import DEAD_LETTERS as DEAD_LETTER_FILE
    from pipeline.manifest import alert_file

    counts = manifest.counts
    typer.echo(
        f"{counts.read:,} read = {counts.classified:,} classified + "
        f"{_number(counts.duplicates, 'duplicate')} + {counts.already_seen:,} already seen + "
        f"{_number(counts.dead_letters, 'dead letter')}"
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
    _print_table(("theme", "focus", "mention", "of these backfill", "alerts"), rows)


_SHOWN = 10  # alerts
_WIDEST = 60  # characters of a headline or of the words found


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
    shown = _number(total, "alert")
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
                _short(first["words"]),
                _short(alert["article"]["title"] or first["sentence"]),
            )
        )
    _print_table(("kind", "theme", "level", "score", "words", "headline or sentence"), rows)


def _short(text: str) -> str:
    from pipeline.console import printable

    text = printable(text).replace("\n", " ")
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1].rstrip()}…"


def _print_explanation(explained: "Explained") -> None:
    from rich.console import Console
    from rich.text import Text

    from pipeline.console import printable

    console = Console(highlight=False, soft_wrap=True)
    article = explained.article

    def line(text: str, style: str = "") -> None:
        console.print(Text(printable(text), style=style))

    line(article.title or "(no title)", "bold")
    dated = f"{article.published_at:%Y-%m-%d %H:%M} UTC, by the {article.published_from}"
    line(f"{article.source} · {article.language} · {dated} · {len(article.text):,} characters")
    for theme in explained.themes:
        line("")
        level = theme.level or "no hit"
        line(
            f"{theme.theme}: {level}, score {theme.score:g} "
            f"(mention from {theme.mention:g}, focus from {theme.focus:g})",
            "bold green" if theme.level else "bold",
        )
        for query in theme.queries:
            line(f"  {query.points:+g}  {query.query} (weight {query.weight:g})")
            for match in query.matches:
                before, words, after = _around(match, article)
                shown = Text(f"      {match.field} {match.start}: ", style="dim")
                shown.append(printable(before), style="not dim")
                shown.append(printable(words), style="not dim bold reverse")
                shown.append(printable(after), style="not dim")
                console.print(shown)
            if query.covered:
                line(f"      {query.covered} more inside longer matches", "dim")
            for miss in query.near_misses:
                line(f"      nearly: {miss}", "yellow")
        for miss in theme.near_misses:
            line(f"  nearly: {miss}", "yellow")


def _around(match: "Evidence", article: "Article") -> tuple[str, str, str]:
    """The sentence of a match: what stands before its words, the words, and the rest."""
    text = article.title if match.field == "title" else article.text
    # The sentence may stand in the text more than once, and the words in the sentence.
    begin = text.find(match.sentence, max(0, match.end - len(match.sentence)))
    at = match.start - begin
    return match.sentence[:at], match.words, match.sentence[at + len(match.words) :]
