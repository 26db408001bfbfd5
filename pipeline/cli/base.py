"""The application object, and what its commands share: options, errors, exit codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from transforms.errors import PolicywireError

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

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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


@contextmanager
def plain_errors() -> Iterator[None]:
    """Errors of policywire as plain sentences, with their exit code."""
    try:
        yield
    except PolicywireError as error:
        fail(error, error.exit_code)
    except KeyboardInterrupt:
        from pipeline.console import report_error

        report_error("interrupted, nothing was written")
        raise typer.Exit(130) from None


def fail(error: PolicywireError, code: int) -> NoReturn:
    from pipeline.console import report_error

    for line in str(error).splitlines():
        report_error(line)
    raise typer.Exit(code) from None
