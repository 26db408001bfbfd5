"""How commands print: tables, JSON, and text of others made safe."""

import os
import sys
from collections.abc import Iterator
from typing import Any

import typer


def counted(number: int, noun: str, nouns: str = "") -> str:
    """The number with its noun; *nouns* is the plural where that is not *noun* with an s."""
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"


_WIDEST = 60  # characters of a headline or of the words found


def short(text: str) -> str:
    """*text* of others as one short line that is safe to print."""
    from pipeline.console import printable

    text = printable(text).replace("\n", " ")
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1].rstrip()}…"


def flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested mappings, by their names joined with dots."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield f"{prefix}{name}", len(value)
        else:
            yield f"{prefix}{name}", value


def print_json(value: Any) -> None:
    """Print *value* as indented JSON."""
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def print_table(header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """A table in colour on a terminal, in plain columns elsewhere."""
    from pipeline.console import printable

    texts = [tuple(printable(str(cell)) for cell in row) for row in rows]
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
