"""What people see while the command works: progress and log lines."""

import json
import logging
import sys
import time
from typing import Literal, Protocol

LogFormat = Literal["text", "json"]

_EVERY = 10.0  # seconds between two log lines of progress
_LEAST = 1_000_000  # bytes that are worth them


class Progress(Protocol):
    """Told by a run how far its reading is, in bytes as they lie on disk.

    `done` is told where all went well, `stop` at the end in any case.
    """

    def start(self, total_bytes: int, files: int) -> None: ...
    def advance(self, read: int) -> None: ...
    def done(self) -> None: ...
    def stop(self) -> None: ...


class LoggedProgress:
    """Progress as log lines, for files and pipes."""

    def __init__(self) -> None:
        self._total = self._read = 0
        self._spoke = 0.0
        self._log = logging.getLogger("policywire")

    def start(self, total_bytes: int, files: int) -> None:
        self._total, self._spoke = total_bytes, time.monotonic()
        self._log.info("reading %d files, %.1f MB", files, total_bytes / 1e6)

    def advance(self, read: int) -> None:
        self._read += read
        if self._total >= _LEAST and time.monotonic() - self._spoke > _EVERY:
            self._spoke = time.monotonic()
            self._log.info("read %.1f of %.1f MB", self._read / 1e6, self._total / 1e6)

    def done(self) -> None:
        self._log.info("everything is read and processed")

    def stop(self) -> None:
        pass


class BarProgress:
    """Progress as a bar, for a terminal."""

    def start(self, total_bytes: int, files: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self._bar = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
        self._task = self._bar.add_task(f"reading {files} files", total=total_bytes)
        self._bar.start()

    def advance(self, read: int) -> None:
        self._bar.advance(self._task, read)

    def done(self) -> None:
        pass

    def stop(self) -> None:
        self._bar.stop()


def progress_for(*, quiet: bool, log_format: LogFormat) -> Progress:
    """A bar on a terminal, log lines elsewhere."""
    return (
        BarProgress()
        if sys.stderr.isatty() and not quiet and log_format == "text"
        else LoggedProgress()
    )


def set_up_logging(log_format: LogFormat, *, quiet: bool, verbose: bool) -> None:
    """Log to standard error; libraries speak of warnings only, Beam of errors only."""
    output = logging.StreamHandler(sys.stderr)
    if log_format == "json":
        output.setFormatter(_JsonFormatter())
    else:
        output.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    # Libraries that log to no logger of their own speak of what they do without.
    output.addFilter(lambda record: record.name != "root" or record.levelno >= logging.ERROR)
    logging.basicConfig(level=logging.WARNING, handlers=[output], force=True)
    # What it says of an error comes with a traceback; the run itself names the cause.
    logging.getLogger("apache_beam").setLevel(logging.ERROR if verbose else logging.CRITICAL)
    level = logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO
    for name in ("policywire", "pipeline", "transforms"):
        logging.getLogger(name).setLevel(level)


def report_error(line: str) -> None:
    """Say on standard error why the command fails; as a log line where those are JSON."""
    handlers = logging.getLogger().handlers
    if any(isinstance(handler.formatter, _JsonFormatter) for handler in handlers):
        logging.getLogger("policywire").error(line)
    else:
        print(f"policywire: {line}", file=sys.stderr)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


_BIDI = dict.fromkeys((*range(8234, 8239), *range(8294, 8298), 8206, 8207))


def printable(text: str) -> str:
    """*text* of others, safe to print: no control characters, no change of direction."""
    shown = text.translate(_BIDI)
    return "".join(c if c.isprintable() or c == "\n" else " " for c in shown)
