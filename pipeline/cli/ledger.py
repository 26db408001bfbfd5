"""The commands about the ledger."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.base import ConfigOption, JsonOption, OutOption, app, plain_errors
from pipeline.cli.printing import flat, print_json, print_table

if TYPE_CHECKING:
    from pipeline.ledger import Ledger

ledger_app = typer.Typer(help="What earlier runs saw.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(ledger_app, name="ledger")


@ledger_app.command("stats")
def ledger_stats(
    config: ConfigOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the ledger holds."""
    with plain_errors(), _opened_ledger(config, out) as ledger:
        stats = ledger.stats().model_dump(mode="json")
    if as_json:
        print_json(stats)
        return
    print_table(("what", "value"), [(name, value) for name, value in flat(stats)])


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
    with plain_errors():
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
    print_table(("what", "forgotten"), list(pruned._asdict().items()))


@ledger_app.command("export")
def ledger_export(config: ConfigOption = None, out: OutOption = None) -> None:
    """Print all that the ledger holds, as JSON Lines."""
    with plain_errors(), _opened_ledger(config, out) as ledger:
        for record in ledger.export():
            typer.echo(record.model_dump_json())


@contextmanager
def _opened_ledger(config: Path | None, out: Path | None) -> "Iterator[Ledger]":
    from pipeline.config import load_config
    from pipeline.ledger import Ledger

    settings = load_config(config).config
    with Ledger.open(settings.ledger.url_below(out or Path(settings.out))) as ledger:
        yield ledger
