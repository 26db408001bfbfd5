"""Complete runs in an output folder, made of articles without a pipeline."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import zstandard

from pipeline.graph import TABLES
from pipeline.history import History
from pipeline.manifest import (
    ARTICLES,
    DEAD_LETTERS,
    LEDGER_CHANGES,
    MANIFEST,
    AlertCounts,
    Counts,
    Manifest,
    Runner,
    ToldCounts,
    alert_file,
    output_files,
)
from pipeline.runs import CompleteRun
from pipeline.sinks.base import Delivery
from pipeline.sinks.run_files import json_line, write_arrow, write_table
from tests.articles import classified, hit
from transforms.errors import Reason
from transforms.logic.counts import MonitoredTally, count, count_monitored, facts_of
from transforms.logic.stories import ThemeFacts, alerts_of, summary_of
from transforms.records import (
    Alert,
    ClassifiedArticle,
    CodeSet,
    DeadLetter,
    Evidence,
    Origin,
    Record,
    ToldArticle,
)

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
THEMES = ("encryption", "migration")
CODES = {"iptc": CodeSet(version="2025", codes=("20000001",))}
FACTS = {theme: ThemeFacts("0123456789abcdef", CODES) for theme in THEMES}


def evidence(sentence: str, words: str, **changes: Any) -> Evidence:
    values: dict[str, Any] = {
        "query": "asylum",
        "words": words,
        "field": "text",
        "start": 100,
        "end": 100 + len(words),
        "sentence": sentence,
    }
    return Evidence(**(values | changes))


def about(
    number: int, *hits: Any, hours: float = 1, source: str = "Paper", **changes: Any
) -> ClassifiedArticle:
    """An article of its own text, published so many hours before NOW."""
    values: dict[str, Any] = {
        "article_id": f"1{number:032x}",
        "title": f"Law {number}",
        "text": f"Law {number} is like no other.",
        "url": f"https://paper.example/{number}",
        "canonical_url": f"https://paper.example/{number}",
        "published_at": NOW - hours * HOUR,
        "seen_at": NOW,
        "source": source,
        "hits": hits or (hit(),),
    }
    return classified(**(values | changes))


def dead_letter(number: int) -> DeadLetter:
    return DeadLetter(
        stage="parse",
        reason=Reason.MALFORMED_JSON,
        detail="line 1 column 2: what is this?",
        origin=Origin(path="articles.jsonl", offset=number),
        excerpt="{broken",
    )


def make_run(
    out: Path,
    told: Iterable[ToldArticle] = (),
    *,
    alerts: Sequence[Alert] | None = None,
    sequence: int = 1,
    plain: int = 0,
    dead_letters: Iterable[DeadLetter] = (),
) -> CompleteRun:
    """A run five minutes after the one before, the first as of NOW.

    Args:
        told: Its articles with a theme, or that had one.
        alerts: What it says; by default what new stories of *told* make it say.
        plain: How many articles without a theme it classified, in German.
    """
    told, letters = list(told), list(dead_letters)
    if alerts is None:
        alerts = [alert for one in told for alert in alerts_of(one, FACTS, timedelta(days=7))]
    as_of = NOW + (sequence - 1) * timedelta(minutes=5)
    run_id = f"{as_of:%Y%m%dT%H%M%SZ}"
    folder = out / "runs" / run_id
    for theme in THEMES:
        _write(folder / alert_file(theme), [one for one in alerts if one.theme == theme])
    _write(folder / DEAD_LETTERS, letters)
    _write(
        folder / LEDGER_CHANGES / "0.jsonl.zst",
        [summary_of(one) for one in told],
        zstandard.compress,
    )
    summaries = sorted(map(summary_of, told), key=lambda one: one.article_id)
    _write(folder / ARTICLES, summaries, zstandard.compress)
    _write_counts(folder / "aggregates", told, plain)
    dates = [one.published_at for one in summaries]
    manifest = Manifest(
        run_id=run_id,
        sequence=sequence,
        as_of=as_of,
        all_backfill=False,
        started_at=as_of,
        finished_at=as_of + timedelta(seconds=7),
        counts=Counts(
            read=len(told) + plain + len(letters),
            classified=len(told) + plain,
            duplicates=0,
            already_seen=0,
            dead_letters=len(letters),
        ),
        dead_letters={Reason.MALFORMED_JSON: len(letters)} if letters else {},
        alerts={theme: AlertCounts() for theme in THEMES},
        told=ToldCounts(
            articles=len(told),
            published_first=min(dates, default=None),
            published_last=max(dates, default=None),
        ),
        inputs=(),
        runner=Runner(name="FnApiRunner", mode="in_memory", workers=1, options=()),
        versions={},
        config={},
        themes={theme: FACTS[theme].version for theme in THEMES},
        files=output_files(folder),
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    return CompleteRun(folder, manifest)


def _write(
    path: Path, records: Iterable[Record], encode: Callable[[bytes], bytes] = lambda lines: lines
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(b"".join(json_line(record) + b"\n" for record in records)))


def _write_counts(folder: Path, told: Sequence[ToldArticle], plain: int) -> None:
    facts = (fact for one in told for fact in facts_of(one))
    fine = [one for one in count(facts) if one.source and one.language]
    days = [one for one in fine if one.bucket_end - one.bucket_start == timedelta(days=1)]
    name = "theme_source_language_by_day"
    write_table(folder, name, TABLES[name], days, ("parquet",))
    tally = MonitoredTally()
    moment = (NOW - HOUR).timestamp()
    tally.add([(moment, "Blatt", "de")] * plain)
    tally.add(
        (one.article.published_at.timestamp(), one.article.source, one.article.language)
        for one in told
    )
    monitored = dict(count_monitored([tally.frame()]))
    write_arrow(folder, "monitored_by_day", monitored[timedelta(days=1)], ("parquet",))


def delivery_of(run: CompleteRun) -> Delivery:
    """The delivery of a run that nobody has tried to deliver."""
    return Delivery(run, "", History(run.folder.parent.parent), "", lambda _: None)
