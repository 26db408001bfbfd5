"""The command line: parse arguments, call, print.

Modules of the application are imported where a command needs them, so that
`--help` and wrong usage answer at once.
"""

# Each module adds its commands, in the order in which help lists them.
from pipeline.cli import runs, deliver, report, stats, settings, articles, themes, feeds, ledger  # noqa: F401, I001
from pipeline.cli.base import app, main

__all__ = ["app", "main"]
