"""A run as flat tables, which the kinds `files` and `database` deliver.

Columns that begin, end or are counted have names that SQL has no use for.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, Final, NamedTuple, TypeVar, get_args

import pyarrow as pa

from pipeline.history import (
    MONITORED,
    aggregate_of,
    alerts_of,
    articles_of,
    dead_letters_of,
)
from pipeline.runs import CompleteRun, run_key
from transforms.records import Alert, ArticleSummary, Evidence, Record

_BATCH: Final = 2_000  # rows that are Python objects at a time
_COUNTS: Final = pa.schema(
    {
        "bucket_start": pa.timestamp("us", tz="UTC"),
        "bucket_end": pa.timestamp("us", tz="UTC"),
        "theme": pa.string(),
        "source": pa.string(),
        "language": pa.string(),
        "articles": pa.int64(),
        "stories": pa.int64(),
        "publishers": pa.int64(),
        "focus": pa.int64(),
        "mention": pa.int64(),
    }
)


class RunRow(Record):
    """A run."""

    run: str
    run_id: str
    sequence: int
    as_of: datetime
    finished_at: datetime
    items_read: int
    classified: int
    duplicates: int
    already_seen: int
    dead_letters: int


class AlertRow(Record):
    """An alert, update or cancel, without its evidence."""

    alert_id: str
    kind: str
    refers_to: str | None
    change: str | None
    cause: str | None
    theme: str
    theme_version: str
    level: str
    score: float
    backfill: bool
    story_id: str
    story_articles: int
    story_sources: tuple[str, ...]
    article_id: str
    url: str | None
    title: str
    source: str
    language: str
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    published_at: datetime
    seen_at: datetime
    text_hash: str
    as_of: datetime
    sequence: int
    run: str


class EvidenceRow(Record):
    """A piece of evidence of an alert; number 1 is the best."""

    alert_id: str
    number: int
    theme: str
    query: str
    words: str
    field: str
    starts: int
    ends: int
    sentence: str
    published_at: datetime
    run: str


class ArticleRow(Record):
    """An article that has a theme, or had one."""

    article_id: str
    story_id: str
    url: str | None
    title: str
    source: str
    language: str
    tags: tuple[str, ...]
    published_at: datetime
    updated_at: datetime | None
    seen_at: datetime
    text_hash: str
    sequence: int
    run: str


class ArticleThemeRow(Record):
    """A theme of an article, with its best piece of evidence."""

    article_id: str
    theme: str
    level: str
    score: float
    query: str
    words: str
    field: str
    starts: int
    ends: int
    sentence: str
    published_at: datetime
    run: str


class CountRow(Record):
    """How much of a day, theme, source and language a run classified."""

    run: str
    day: date
    theme: str
    source: str
    language: str
    articles: int
    stories: int
    publishers: int
    focus: int
    mention: int


class MonitoredRow(Record):
    """How many articles of a day, source and language a run classified."""

    run: str
    day: date
    source: str
    language: str
    articles: int


class DeadLetterRow(Record):
    """A dead letter, by its place in the run's file."""

    run: str
    number: int
    as_of: datetime
    stage: str
    reason: str
    detail: str
    path: str
    byte_offset: int | None
    record_number: int | None
    entry_number: int | None
    excerpt: str


def kind_of(annotation: Any) -> tuple[Any, bool]:
    """The type of a column by the annotation of its field, and whether it may hold nothing."""
    if not isinstance(annotation, UnionType):
        return annotation, False
    (kind,) = set(get_args(annotation)) - {NoneType}
    return kind, True


def run_name(run: CompleteRun) -> str:
    """What a run is called outside its output folder: runs of two may have one id."""
    return run_key(run.manifest).replace(" ", "-")


def run_row(run: CompleteRun) -> RunRow:
    """The row of a run itself."""
    manifest = run.manifest
    counts = manifest.counts
    return RunRow(
        run=run_name(run),
        run_id=manifest.run_id,
        sequence=manifest.sequence,
        as_of=manifest.as_of,
        finished_at=manifest.finished_at,
        items_read=counts.read,
        classified=counts.classified,
        duplicates=counts.duplicates,
        already_seen=counts.already_seen,
        dead_letters=counts.dead_letters,
    )


def alert_row(alert: Alert, run: RunRow) -> AlertRow:
    """The row of an alert that *run* raised."""
    article = alert.article
    return AlertRow(
        **(_taken(AlertRow, article) | _taken(AlertRow, alert)),
        story_id=alert.story.story_id,
        story_articles=alert.story.articles,
        story_sources=alert.story.sources,
        as_of=run.as_of,
        sequence=run.sequence,
        run=run.run,
    )


def evidence_rows(alert: Alert, run: RunRow) -> Iterator[EvidenceRow]:
    """The rows of the evidence of an alert that *run* raised."""
    for number, evidence in enumerate(alert.evidence, start=1):
        yield EvidenceRow(
            **_evidence(evidence),
            alert_id=alert.alert_id,
            number=number,
            theme=alert.theme,
            published_at=alert.article.published_at,
            run=run.run,
        )


def article_row(article: ArticleSummary, run: RunRow) -> ArticleRow:
    """The row of an article as *run* has it."""
    return ArticleRow(**_taken(ArticleRow, article), sequence=run.sequence, run=run.run)


def article_theme_rows(article: ArticleSummary, run: RunRow) -> Iterator[ArticleThemeRow]:
    """The rows of the themes of an article as *run* has it."""
    for hit in article.themes:
        yield ArticleThemeRow(
            **_evidence(hit.evidence),
            article_id=article.article_id,
            theme=hit.theme,
            level=hit.level,
            score=hit.score,
            published_at=article.published_at,
            run=run.run,
        )


def _taken(row: type[Record], record: Record) -> dict[str, Any]:
    """The values of *record* that *row* has under the same name."""
    names = row.model_fields.keys() & type(record).model_fields.keys()
    return {name: getattr(record, name) for name in names}


def _evidence(evidence: Evidence) -> dict[str, Any]:
    values = evidence.model_dump()
    return {"starts": values.pop("start"), "ends": values.pop("end")} | values


def _runs(run: CompleteRun) -> Iterator[RunRow]:
    yield run_row(run)


def _alerts(run: CompleteRun) -> Iterator[AlertRow]:
    told_by = run_row(run)
    return (alert_row(alert, told_by) for alert in alerts_of(run))


def _evidence_of(run: CompleteRun) -> Iterator[EvidenceRow]:
    told_by = run_row(run)
    return (row for alert in alerts_of(run) for row in evidence_rows(alert, told_by))


def _articles(run: CompleteRun) -> Iterator[ArticleRow]:
    told_by = run_row(run)
    return (article_row(article, told_by) for article in articles_of(run))


def _article_themes(run: CompleteRun) -> Iterator[ArticleThemeRow]:
    told_by = run_row(run)
    return (row for article in articles_of(run) for row in article_theme_rows(article, told_by))


def _counts(run: CompleteRun) -> Iterator[CountRow]:
    table = aggregate_of(run, "theme_source_language_by_day", _COUNTS)
    return _by_day(CountRow, table, run)


def _monitored(run: CompleteRun) -> Iterator[MonitoredRow]:
    return _by_day(MonitoredRow, aggregate_of(run, "monitored_by_day", MONITORED), run)


_R = TypeVar("_R", CountRow, MonitoredRow)


def _by_day(row: type[_R], table: pa.Table | None, run: CompleteRun) -> Iterator[_R]:
    name = run_name(run)
    for count in _dicts(table) if table is not None else ():
        day = count.pop("bucket_start").date()
        del count["bucket_end"]
        yield row(run=name, day=day, **count)


def _dicts(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=_BATCH):
        yield from batch.to_pylist()


def _dead_letters(run: CompleteRun) -> Iterator[DeadLetterRow]:
    name = run_name(run)
    for number, letter in enumerate(dead_letters_of(run), start=1):
        yield DeadLetterRow(
            **_taken(DeadLetterRow, letter),
            run=name,
            number=number,
            as_of=run.manifest.as_of,
            path=letter.origin.path,
            byte_offset=letter.origin.offset,
            record_number=letter.origin.record,
            entry_number=letter.origin.entry,
        )


class FlatTable(NamedTuple):
    """One of the tables.

    Attributes:
        row: What its rows are.
        rows: The rows of a run, in the order of its files.
        moment: The column that says which day a row belongs to.
    """

    row: type[Record]
    rows: Callable[[CompleteRun], Iterator[Record]]
    moment: str


TABLES: Final[dict[str, FlatTable]] = {
    "runs": FlatTable(RunRow, _runs, "as_of"),
    "alerts": FlatTable(AlertRow, _alerts, "published_at"),
    "evidence": FlatTable(EvidenceRow, _evidence_of, "published_at"),
    "articles": FlatTable(ArticleRow, _articles, "published_at"),
    "article_themes": FlatTable(ArticleThemeRow, _article_themes, "published_at"),
    "counts": FlatTable(CountRow, _counts, "day"),
    "monitored": FlatTable(MonitoredRow, _monitored, "day"),
    "dead_letters": FlatTable(DeadLetterRow, _dead_letters, "as_of"),
}
