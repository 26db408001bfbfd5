"""What a run says of itself: the file that makes it complete."""

import hashlib
import platform
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from pipeline import __version__
from transforms.errors import Reason
from transforms.records import SCHEMA_VERSION, Record

# The files of a run, by their names in its folder.
MANIFEST = "manifest.json"
DEAD_LETTERS = "dead_letters.jsonl"
ARTICLES = "articles.jsonl.zst"
LEDGER_CHANGES = "ledger_changes"  # a folder
LEDGER_ANSWERS = "ledger_answers.jsonl.zst"
FEEDS = "feeds.jsonl"
TALLIES = "tallies.jsonl"  # gone when the run is complete
FEED_READINGS = "feed_readings.jsonl"  # this too


def alert_file(theme: str) -> str:
    """The file of a theme's alerts."""
    return f"alerts/{theme}.jsonl"


class InputFile(Record):
    """A file that the run read."""

    name: str
    bytes: int


class Runner(Record):
    """What executed the graph."""

    name: str = Field(description="The Beam runner's class.")
    mode: str = Field(description="in_memory, multi_processing, … as Beam names it.")
    workers: int
    options: tuple[str, ...] = Field(description="Beam options as the user gave them.")


class Counts(Record):
    """Where the items ended: read = classified + duplicates + already_seen + dead_letters."""

    read: int
    classified: int
    duplicates: int
    already_seen: int
    dead_letters: int

    @property
    def balanced(self) -> bool:
        """Whether every item ended somewhere, and only once."""
        ended = self.classified + self.duplicates + self.already_seen + self.dead_letters
        return self.read == ended


class AlertCounts(Record):
    """Alerts of one theme."""

    focus: int = 0
    mention: int = 0
    backfill: int = Field(default=0, description="How many of both are marked backfill.")
    updates: int = Field(default=0, description="How many of both are updates.")
    cancels: int = Field(default=0, description="Alerts that were taken back, besides.")


class FeedCounts(Record):
    """Where the feeds ended: feeds = read + unchanged + failed + not_due."""

    feeds: int = 0
    read: int = Field(default=0, description="Something new came, or had changed.")
    unchanged: int = 0
    failed: int = 0
    not_due: int = Field(default=0, description="They were not asked.")
    silent: int = Field(
        default=0, description="Of those that were asked: without news, against their habit."
    )


class ToldCounts(Record):
    """The articles in `articles.jsonl.zst`: those that have a theme, or had one."""

    articles: int = 0
    published_first: datetime | None = Field(default=None, description="Of the earliest one.")
    published_last: datetime | None = Field(default=None, description="Of the latest one.")


class OutputFile(Record):
    """A file of the run."""

    sha256: str
    bytes: int


class Manifest(Record):
    """A complete run."""

    schema_version: Literal["1"] = SCHEMA_VERSION
    run_id: str
    sequence: int = Field(description="Its place among all runs of its ledger, from 1.")
    as_of: datetime
    all_backfill: bool = Field(
        description="Whether nothing counted as new, since the ledger had been lost."
    )
    started_at: datetime
    finished_at: datetime
    counts: Counts
    dead_letters: dict[Reason, int]
    alerts: dict[str, AlertCounts]
    told: ToldCounts = ToldCounts()
    inputs: tuple[InputFile, ...]
    feeds: FeedCounts = FeedCounts()
    runner: Runner
    versions: dict[str, str]
    config: dict[str, Any] = Field(description="The configuration in force, defaults included.")
    themes: dict[str, str] = Field(description="The version of each theme, by name.")
    files: dict[str, OutputFile] = Field(description="All other files of the run, by name.")


def versions() -> dict[str, str]:
    """What this run's program consists of."""
    names = ("apache-beam", "pydantic", "feedparser", "httpx", "trafilatura")
    own = {"policywire": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in names}


def output_files(folder: Path) -> dict[str, OutputFile]:
    """The finished files below *folder*, by their names in it."""
    return {
        path.relative_to(folder).as_posix(): output_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def output_file(path: Path) -> OutputFile:
    """Size and digest of a finished file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return OutputFile(sha256=digest, bytes=path.stat().st_size)
