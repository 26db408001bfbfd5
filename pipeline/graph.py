"""The order of the stages, and nothing else.

files, ── parse ── normalise ── drop seen ── classify ── drop duplicates ── stories ─┬─ alerts
feeds     │ │           │           │                               │          │     ├─ articles
  │       │ └ readings  │           │                               └──────────┼─────┴─ counts
  │       │             │           └────── what earlier runs saw and told ────┘
  └───────┴─────────────┴── dead letters
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import apache_beam as beam
import pyarrow as pa

from pipeline.manifest import (
    ARTICLES,
    DEAD_LETTERS,
    FEED_READINGS,
    LEDGER_ANSWERS,
    LEDGER_CHANGES,
    TALLIES,
    alert_file,
)
from pipeline.sinks.run_files import Line, WriteArrow, WriteJsonLines, WriteTable, json_line
from pipeline.sources.files import ReadDocuments
from pipeline.sources.readers import Limits, Span
from transforms import coders  # noqa: F401 # registers how records are encoded
from transforms.aggregate import CountMonitored, CountPairs, CountQueries, CountThemes
from transforms.alert import RaiseAlerts
from transforms.classify import ClassifyThemes, DropDuplicates
from transforms.earlier_runs import OpenEarlierRuns
from transforms.logic.documents import FieldNames
from transforms.logic.stories import ThemeFacts, alert_change, summary_of, told_change
from transforms.logic.themes.model import Theme, versions_hash
from transforms.normalise import NormaliseEntries
from transforms.parse import ParseDocuments
from transforms.records import (
    Alert,
    AlertChange,
    Answers,
    DeadLetter,
    FeedReading,
    MonitoredCount,
    QueryTotal,
    Record,
    SeenAgain,
    SeenArticles,
    ThemeCount,
    ThemePair,
    ToldArticle,
    ToldChange,
)
from transforms.seen import DropSeen
from transforms.stories import GroupStories

TABLES: dict[str, type[Record]] = {
    "theme_by_hour": ThemeCount,
    "theme_by_day": ThemeCount,
    "theme_source_by_day": ThemeCount,
    "theme_language_by_day": ThemeCount,
    "theme_source_language_by_hour": ThemeCount,
    "theme_source_language_by_day": ThemeCount,
    "theme_pairs": ThemePair,
    "queries": QueryTotal,
    "monitored_by_hour": MonitoredCount,
    "monitored_by_day": MonitoredCount,
}


class Plan(NamedTuple):
    """All that the graph is built from, as plain values."""

    spans: Sequence[Span]
    limits: Limits
    fields: FieldNames
    themes: Sequence[Theme]
    as_of: datetime
    backfill_after: timedelta
    open_earlier: OpenEarlierRuns
    refresh_after: timedelta
    similar: float
    table_formats: Sequence[str]
    folder: Path
    progress: Path | None


def build_graph(pipeline: beam.Pipeline, plan: Plan) -> None:
    """Add all stages of a run to *pipeline*; it writes its files below `plan.folder`."""
    facts = {theme.theme: ThemeFacts(theme.version, dict(theme.codes)) for theme in plan.themes}
    themes = versions_hash(plan.themes)

    read = pipeline | "Read" >> ReadDocuments(plan.spans, plan.limits, plan.as_of, plan.progress)
    parsed = read.good | "Parse" >> ParseDocuments(plan.fields)
    normalised = parsed.good | "Normalise" >> NormaliseEntries()
    fresh = normalised.good | "DropSeen" >> DropSeen(
        plan.open_earlier, themes, plan.as_of, plan.refresh_after
    )
    classified = fresh.good | "Classify" >> ClassifyThemes(plan.themes)
    distinct = classified | "DropDuplicates" >> DropDuplicates(plan.as_of)
    grouped = distinct.good | "GroupStories" >> GroupStories(plan.open_earlier, plan.similar)
    told = grouped.good
    alerts = told | "RaiseAlerts" >> RaiseAlerts(facts, plan.backfill_after)
    tables = (
        told | "CountThemes" >> CountThemes() | "NameCounts" >> beam.Map(_count_table),
        told | "CountPairs" >> CountPairs() | "NamePairs" >> beam.Map(_named, "theme_pairs"),
        told | "CountQueries" >> CountQueries() | "NameQueries" >> beam.Map(_named, "queries"),
    )
    monitored = (
        distinct.monitored
        | "CountMonitored" >> CountMonitored()
        | "NameMonitored" >> beam.Map(_monitored_table)
    )
    dead = (read.dead, parsed.dead, normalised.dead) | "DeadLetters" >> beam.Flatten()
    tallies = (
        (parsed.tally, fresh.tally, distinct.tally)
        | "Tallies" >> beam.Flatten()
        | "AddUp" >> beam.CombinePerKey(sum)
    )

    lines = (
        alerts | "AlertLines" >> beam.Map(_alert_line),
        dead | "DeadLetterLines" >> beam.Map(_dead_letter_line),
        tallies | "TallyLines" >> beam.Map(_tally_line),
        parsed.readings | "ReadingLines" >> beam.Map(_reading_line),
        grouped.answers | "AnswerLines" >> beam.Map(_answer_line),
        fresh.changes | "SeenAgainLines" >> beam.Map(_change_line),
        distinct.changes | "SeenLines" >> beam.Map(_change_line),
        told | "ArticleLines" >> beam.Map(_article_line),
        told | "ToldLines" >> beam.Map(_told_line, themes=themes, as_of=plan.as_of),
        alerts | "AlertChangeLines" >> beam.Map(_alert_change_line),
    )
    _ = lines | "WriteLines" >> WriteJsonLines(plan.folder)
    _ = (
        tables
        | "Rows" >> beam.Flatten()
        | "WriteTables" >> WriteTable(plan.folder / "aggregates", plan.table_formats)
    )
    _ = monitored | "WriteMonitored" >> WriteArrow(plan.folder / "aggregates", plan.table_formats)


def _alert_line(alert: Alert) -> Line:
    order = f"{alert.article.published_at:%Y%m%d%H%M%S} {alert.alert_id}"
    return Line(alert_file(alert.theme), order, json_line(alert))


def _dead_letter_line(letter: DeadLetter) -> Line:
    origin = letter.origin
    place = f"{origin.offset or 0:020} {origin.record or 0:012} {origin.entry or 0:09}"
    return Line(DEAD_LETTERS, f"{origin.path}\0{place}", json_line(letter))


def _reading_line(reading: FeedReading) -> Line:
    return Line(FEED_READINGS, reading.url, json_line(reading))


def _answer_line(answers: Answers) -> Line:
    return Line(LEDGER_ANSWERS, "", json_line(answers))


def _article_line(told: ToldArticle) -> Line:
    return Line(ARTICLES, told.article.article_id, json_line(summary_of(told)))


def _told_line(told: ToldArticle, themes: str, as_of: datetime) -> Line:
    return _change_line(told_change(told, themes, as_of))


def _alert_change_line(alert: Alert) -> Line:
    return _change_line(alert_change(alert))


def _change_line(change: SeenArticles | SeenAgain | ToldChange | AlertChange) -> Line:
    match change:
        case ToldChange():
            order = change.article.article_id
        case AlertChange():
            order = f"{change.story_id} {change.alert.theme}"
        case _:
            order = change.article_ids[0]
    # In several files, so that none is too large to be sorted.
    file = f"{LEDGER_CHANGES}/{order[1]}.jsonl.zst"
    return Line(file, f"{change.change} {order}", json_line(change))


def _tally_line(tally: tuple[str, int]) -> Line:
    name, number = tally
    return Line(TALLIES, name, f'{{"{name}":{number}}}'.encode())


def _count_table(count: ThemeCount) -> tuple[str, Record]:
    dimensions = ["theme"]
    dimensions += ["source"] if count.source is not None else []
    dimensions += ["language"] if count.language is not None else []
    return f"{'_'.join(dimensions)}_by_{_bucket(count.bucket_end - count.bucket_start)}", count


def _monitored_table(counted: tuple[timedelta, pa.Table]) -> tuple[str, pa.Table]:
    span, table = counted
    return f"monitored_by_{_bucket(span)}", table


def _bucket(span: timedelta) -> str:
    return "hour" if span == timedelta(hours=1) else "day"


def _named(record: ThemePair | QueryTotal, table: str) -> tuple[str, Record]:
    return table, record
