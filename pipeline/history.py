"""What the runs below an output folder have told, taken together.

It is read from the files of the runs that are kept: those that `keep_runs` has removed
are not in it.
"""

import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq
import zstandard

from pipeline.cells import FORMULA
from pipeline.feeds.outcomes import FeedReport
from pipeline.manifest import ARTICLES, DEAD_LETTERS, FEEDS, alert_file
from pipeline.runs import CompleteRun, complete_runs
from transforms.errors import Reason
from transforms.records import Alert, ArticleSummary, DeadLetter

_TIME: Final = pa.timestamp("us", tz="UTC")
_GUARDED: Final = f"^'({FORMULA})"

EVIDENCE: Final = pa.struct(
    {
        "query": pa.string(),
        "words": pa.string(),
        "field": pa.string(),
        "start": pa.int64(),
        "end": pa.int64(),
        "sentence": pa.string(),
    }
)
THEME: Final = pa.struct(
    {"theme": pa.string(), "level": pa.string(), "score": pa.float64(), "evidence": EVIDENCE}
)
ARTICLE: Final = pa.schema(
    {
        "article_id": pa.string(),
        "story_id": pa.string(),
        "url": pa.string(),
        "title": pa.string(),
        "source": pa.string(),
        "language": pa.string(),
        "tags": pa.list_(pa.string()),
        "published_at": _TIME,
        "updated_at": _TIME,
        "seen_at": _TIME,
        "text_hash": pa.string(),
        "themes": pa.list_(THEME),
    }
)
"""The columns of `ArticleSummary`, as Arrow has them."""

ARTICLES_OF_RUNS: Final = ARTICLE.append(pa.field("run_id", pa.string()))
MONITORED: Final = pa.schema(
    {
        "bucket_start": _TIME,
        "bucket_end": _TIME,
        "source": pa.string(),
        "language": pa.string(),
        "articles": pa.int64(),
    }
)


class AlertState(NamedTuple):
    """What holds of one theme and story after all runs.

    Attributes:
        alert: The last thing said: an alert, the update that supersedes it, or a cancel.
        run_id: The run that said it.
    """

    alert: Alert
    run_id: str

    @property
    def cancelled(self) -> bool:
        """Whether it was taken back."""
        return self.alert.kind == "cancel"


class FeedState(NamedTuple):
    """The newest report of a feed, and the run that asked it."""

    report: FeedReport
    run_id: str


class DeadLetterCount(NamedTuple):
    """How many dead letters of one reason a run has."""

    run_id: str
    as_of: datetime
    reason: Reason
    dead_letters: int


class History:
    """The complete runs below an output folder.

    It is as of when it was made: a later run is not in it. A run that is removed
    meanwhile has said nothing. Spans of time are by `published_at`, from *since* on, and
    before *until*.

    Attributes:
        out: The output folder.
    """

    def __init__(self, out: Path) -> None:
        self.out = out

    @cached_property
    def runs(self) -> tuple[CompleteRun, ...]:
        """All of them, the oldest first."""
        return tuple(complete_runs(self.out))

    def articles(self, since: datetime | None = None, until: datetime | None = None) -> pa.Table:
        """All articles with a theme, or that had one, as the newest run that read each has it.

        The columns are those of `ArticleSummary` and `run_id`; the rows are in the order of
        `published_at`, then `article_id`. Only runs are read that have an article of that
        time; what is held in memory is the table that is given back and one run's more.
        """
        found: set[str] = set()
        tables = []
        for run in reversed(self.runs):
            told = run.manifest.told
            # An article keeps its first date: no other run can have a newer version of it.
            if not told.articles or not told.published_first or not told.published_last:
                continue
            if since is not None and told.published_last < since:
                continue
            if until is not None and told.published_first >= until:
                continue
            table = article_table(run)
            ids = table["article_id"].to_pylist()
            wanted = pa.array([one not in found for one in ids], pa.bool_())
            found.update(ids)
            table = within(table.filter(wanted), "published_at", since, until)
            run_ids = pa.array([run.manifest.run_id] * len(table), pa.string())
            tables.append(table.append_column(ARTICLES_OF_RUNS.field("run_id"), run_ids))
        whole = pa.concat_tables([ARTICLES_OF_RUNS.empty_table(), *tables])
        return whole.sort_by([("published_at", "ascending"), ("article_id", "ascending")])

    def alerts(self) -> Iterator[AlertState]:
        """What holds of each theme and story, what the newest run said first.

        Only the keys of what was given out are held in memory.
        """
        found: set[tuple[str, str]] = set()
        for run in reversed(self.runs):
            for alert in alerts_of(run):
                key = alert.theme, alert.story.story_id
                if key not in found:
                    found.add(key)
                    yield AlertState(alert, run.manifest.run_id)

    def feeds(self) -> list[FeedState]:
        """The newest report of each feed that was asked, by URL."""
        found: dict[str, FeedState] = {}
        for run in self.runs:
            for report in feed_reports_of(run):
                found[report.url] = FeedState(report, run.manifest.run_id)
        return [found[url] for url in sorted(found)]

    def dead_letters(self) -> list[DeadLetterCount]:
        """How many dead letters each run has of each reason, the oldest run first."""
        return [
            DeadLetterCount(run.manifest.run_id, run.manifest.as_of, reason, number)
            for run in self.runs
            for reason, number in sorted(run.manifest.dead_letters.items())
        ]

    def monitored(
        self,
        by: Literal["day", "hour"] = "day",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pa.Table:
        """How many articles were classified, a bucket, source and language.

        The columns are those of `MonitoredCount`; an article that has changed since counts
        in each run that classified it.
        """
        keys = ["bucket_start", "bucket_end", "source", "language"]
        tables = [
            within(table, "bucket_start", since, until)
            for run in self.runs
            if (table := aggregate_of(run, f"monitored_by_{by}", MONITORED)) is not None
        ]
        whole = pa.concat_tables([MONITORED.empty_table(), *tables])
        summed = whole.group_by(keys).aggregate([("articles", "sum")])
        summed = summed.rename_columns([*keys, "articles"]).cast(MONITORED)
        return summed.sort_by([(key, "ascending") for key in keys])


def article_table(run: CompleteRun) -> pa.Table:
    """The articles of a run as a table with the columns `ARTICLE`, by article_id."""
    lines = b"".join(_lines_of(run.folder / ARTICLES))
    if not lines:
        return ARTICLE.empty_table()
    options = pa.json.ParseOptions(explicit_schema=ARTICLE, unexpected_field_behavior="ignore")
    blocks = pa.json.ReadOptions(block_size=len(lines))  # a line that is longer is an error
    return pa.json.read_json(io.BytesIO(lines), blocks, options).select(ARTICLE.names)


def articles_of(run: CompleteRun) -> Iterator[ArticleSummary]:
    """The articles of a run that have a theme, or had one, by article_id."""
    yield from map(ArticleSummary.model_validate_json, _lines_of(run.folder / ARTICLES))


def alerts_of(run: CompleteRun) -> Iterator[Alert]:
    """The alerts, updates and cancels of a run, theme by theme."""
    for theme in run.manifest.alerts:
        yield from map(Alert.model_validate_json, _lines_of(run.folder / alert_file(theme)))


def feed_reports_of(run: CompleteRun) -> Iterator[FeedReport]:
    """How the feeds did that a run asked, by URL."""
    yield from map(FeedReport.model_validate_json, _lines_of(run.folder / FEEDS))


def dead_letters_of(run: CompleteRun) -> Iterator[DeadLetter]:
    """The dead letters of a run."""
    yield from map(DeadLetter.model_validate_json, _lines_of(run.folder / DEAD_LETTERS))


def aggregate_of(run: CompleteRun, name: str, schema: pa.Schema | None = None) -> pa.Table | None:
    """One of a run's aggregates, from Parquet or else from CSV; None where it has none."""
    path = run.folder / "aggregates" / f"{name}.parquet"
    if path.exists():
        return pq.read_table(path, schema=schema)
    path = path.with_suffix(".csv")
    if not path.exists():
        return None
    types = pa.csv.ConvertOptions(column_types=schema, strings_can_be_null=True)
    table = pa.csv.read_csv(path, convert_options=types)
    for number, column in enumerate(table.schema):
        if pa.types.is_string(column.type):
            plain = pc.replace_substring_regex(table[column.name], _GUARDED, r"\1")
            table = table.set_column(number, column, plain)
    return table


def within(
    table: pa.Table, column: str, since: datetime | None, until: datetime | None
) -> pa.Table:
    """The rows whose time in *column* is *since* or later, and before *until*."""
    if since is not None:
        table = table.filter(pc.greater_equal(table[column], pa.scalar(since, _TIME)))
    if until is not None:
        table = table.filter(pc.less(table[column], pa.scalar(until, _TIME)))
    return table


def _lines_of(path: Path) -> Iterator[bytes]:
    """The lines of a file; none where its run was removed, or is of a version without it."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        if path.suffix != ".zst":
            yield from file
            return
        with zstandard.ZstdDecompressor().stream_reader(file) as source:
            yield from io.BufferedReader(source)
