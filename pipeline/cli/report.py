"""The command that writes the page people look at: report."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.base import ConfigOption, app, plain_errors


@app.command()
def report(
    out: Annotated[
        Path | None, typer.Argument(help="Output folder instead of the configuration's.")
    ] = None,
    config: ConfigOption = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
) -> None:
    """Write a page of what the kept runs told, to be opened in a browser."""
    with plain_errors():
        from pipeline.config import load_config
        from pipeline.report import write_report
        from pipeline.runs import find_run

        loaded = load_config(config)
        folder = out or Path(loaded.config.out)
        find_run(folder, "latest")
        path = write_report(folder, {theme.theme: theme.title for theme in loaded.themes})
    typer.echo(path)
    if open_it:
        typer.launch(str(path))
