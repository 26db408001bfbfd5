"""The command about sinks: deliver."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.base import FAILED, ConfigOption, JsonOption, OutOption, app, plain_errors
from pipeline.cli.printing import counted, print_json, print_table, short
from transforms.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.deliveries import Delivered
    from pipeline.ledger import DeliveryState, Outbox


@app.command()
def deliver(
    sinks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SINK]...", help="Names of sinks; all without.", show_default=False
        ),
    ] = None,
    config: ConfigOption = None,
    out: OutOption = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Show what waits and what was given up instead.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Try now what failed or was given up.")
    ] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Forget instead what was given up.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Deliver to sinks what is due; exits with 1 where something did not arrive."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.deliveries import deliver as deliver_due
        from pipeline.ledger import Ledger

        if sum((listed, again, drop)) > 1:
            raise ConfigError("--list, --again and --drop: only one of them")
        settings = load_config(config).config
        names = [sink.name for sink in settings.sinks]
        if unknown := [name for name in sinks or () if name not in names]:
            known = ", ".join(names) or "none"
            raise ConfigError(
                f"there is no sink {unknown[0]!r} in the configuration; known: {known}"
            )
        if not names:
            raise ConfigError("the configuration has no sinks")
        meant = [name for name in names if not sinks or name in sinks]
        folder = out or Path(settings.out)
        with Ledger.open(settings.ledger.url_below(folder)) as ledger:
            if listed:
                _print_list(ledger.outbox, meant, as_json=as_json)
                return
            now = datetime.now(UTC)
            if drop:
                dropped = sum(ledger.outbox.drop(now, name) for name in meant)
                typer.echo(f"{counted(dropped, 'delivery', 'deliveries')} dropped")
                return
            if again:
                for name in meant:
                    ledger.outbox.again(now, name)
        results = deliver_due(settings, folder, only=meant)
        with Ledger.open(settings.ledger.url_below(folder)) as ledger:
            dead = {one.sink for one in ledger.outbox.deliveries("dead")}
    if as_json:
        print_json([_as_json(one) for one in results])
    else:
        print_delivered(results)
    if any(one.failed or one.problem or one.sink in dead for one in results):
        raise typer.Exit(FAILED)


def print_delivered(results: Sequence["Delivered"]) -> None:
    """A line for each sink, and one for each delivery to it that failed."""
    from pipeline.console import printable

    for one in results:
        said = f"{counted(one.delivered, 'delivery', 'deliveries')} arrived"
        if one.failed:
            said += f", {len(one.failed)} failed"
        if one.problem:
            said += f"; {one.problem}"
        typer.echo(printable(f"sink {one.sink}: {said}"))


def _as_json(result: "Delivered") -> dict[str, object]:
    failed = [one.model_dump(mode="json", exclude={"change"}) for one in result.failed]
    return {**result._asdict(), "failed": failed}


def _print_list(outbox: "Outbox", names: Sequence[str], *, as_json: bool) -> None:
    found = [one for one in outbox.deliveries("pending", "dead") if one.sink in names]
    if as_json:
        print_json([one.model_dump(mode="json", exclude={"change"}) for one in found])
        return
    header = ("sink", "part", "run", "state", "attempts", "next", "error")
    print_table(header, [_row(one) for one in found])


def _row(one: "DeliveryState") -> tuple[str, ...]:
    run_id = one.run_id.partition(" ")[0]
    due = f"{one.next_at:%Y-%m-%dT%H:%M:%SZ}" if one.state == "pending" else ""
    return one.sink, one.part, run_id, one.state, str(one.attempts), due, short(one.error)
