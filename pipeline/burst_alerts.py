"""Bursts as alerts: what a run says of the hours and days that are still news."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, timedelta
from pathlib import Path
from typing import Final, Literal

from pipeline.history import History
from pipeline.runs import CompleteRun
from pipeline.stats.buckets import bucket_end, bucket_start
from pipeline.stats.burst_rules import BurstRule
from pipeline.stats.bursts import READ_BEFORE, Bucket, JudgedBucket, Manner, judge
from pipeline.stats.counting import Question
from pipeline.stats.facts import Held, Period, Selection
from pipeline.stats.top import top_stories
from pipeline.zones import zone_of
from transforms.records import Baseline, BurstAlert, BurstStory

BURSTS: Final = "bursts.jsonl"
"""The file of a run; there even when empty."""

_GREW: Final = 1.5  # times as many stories as were last told, to be told again
_MOST_STORIES: Final = 50  # that are named in an alert


def write_bursts(
    out: Path, run: CompleteRun, rules: Sequence[BurstRule], max_age: timedelta
) -> None:
    """Write what a run says of bursts, before it is complete.

    Args:
        out: The output folder, with the runs before it.
        run: Its folder as it is staged, and its manifest but for the files.
        max_age: How long before the run a span may have begun to be told of.
    """
    alerts: list[BurstAlert] = []
    if rules and not run.manifest.all_backfill:
        history = History(out)
        history.runs = (*history.runs, run)
        alerts = burst_alerts(history, rules, max_age)
    lines = [alert.model_dump_json().encode() + b"\n" for alert in alerts]
    (run.folder / BURSTS).write_bytes(b"".join(lines))


def bursts_of(run: CompleteRun) -> Iterator[BurstAlert]:
    """What a run said of bursts, by bucket; nothing where its version did not know them."""
    with suppress(FileNotFoundError), (run.folder / BURSTS).open("rb") as lines:
        yield from map(BurstAlert.model_validate_json, lines)


def burst_alerts(
    history: History, rules: Sequence[BurstRule], max_age: timedelta
) -> list[BurstAlert]:
    """What the newest run has to say of bursts that the runs before it have not said."""
    *earlier, newest = history.runs
    period = Period(newest.manifest.as_of - max_age, newest.manifest.as_of)
    known = _known(earlier, period)
    held = Held(history, Period(newest.manifest.as_of - max_age - READ_BEFORE))
    said: dict[str, BurstAlert] = {}
    for rule in rules:
        manner = Manner(rule.by, rule.every, zone_of(rule.time_zone), rule.fewest)
        selection = Selection(themes=(rule.theme,) if rule.theme else ())
        again = [_bucket(burst) for burst in known.values() if _is_of(burst, rule, manner)]
        for judged in judge(held, period, selection, manner, again):
            burst_id = _burst_id(judged.bucket, manner)
            alert = _alert(held, judged, manner, known.get(burst_id))
            if alert is not None:
                said.setdefault(burst_id, alert)
    return sorted(said.values(), key=lambda one: (one.bucket_start, one.theme, one.alert_id))


def _known(runs: Sequence[CompleteRun], period: Period) -> dict[str, BurstAlert]:
    """What was last said of each burst of the period, by the alert_id of the first."""
    return {
        alert.refers_to or alert.alert_id: alert
        for run in runs
        if (file := run.manifest.files.get(BURSTS)) and file.bytes
        for alert in bursts_of(run)
        if period.holds(alert.bucket_start)
    }


def _is_of(burst: BurstAlert, rule: BurstRule, manner: Manner) -> bool:
    """Whether a rule would find the burst again."""
    start = bucket_start(burst.bucket_start, manner.grain, manner.zone)
    return (
        rule.theme in (None, burst.theme)
        and rule.by == burst.by
        and (start, bucket_end(start, manner.grain)) == (burst.bucket_start, burst.bucket_end)
    )


def _bucket(burst: BurstAlert) -> Bucket:
    return Bucket(burst.theme, burst.group, burst.bucket_start)


def _alert(
    held: Held, judged: JudgedBucket, manner: Manner, known: BurstAlert | None
) -> BurstAlert | None:
    """What is to be said of a bucket: nothing, or that it is a burst, has grown or faded."""
    expected = judged.judged
    if expected.basis is None:
        return None
    change: Literal["grew", "faded"] | None = None
    if expected.burst and expected.stories >= manner.fewest:
        if known and (known.change != "faded" and expected.stories < _GREW * known.stories):
            return None
        change = "grew" if known else None
    elif known is None or known.change == "faded":
        return None
    else:
        change = "faded"
    bucket, burst_id = judged.bucket, _burst_id(judged.bucket, manner)
    end = bucket_end(bucket.start.astimezone(manner.zone), manner.grain)
    return BurstAlert(
        alert_id=_hash(burst_id, change, str(expected.stories)) if change else burst_id,
        refers_to=burst_id if change else None,
        change=change,
        theme=bucket.theme,
        by=manner.by,
        group=bucket.group,
        bucket_start=bucket.start,
        bucket_end=end.astimezone(UTC),
        stories=expected.stories,
        monitored=judged.monitored,
        baseline=Baseline(
            compared_with=expected.basis,
            expected=round(expected.expected, 3),
            low=expected.low,
            high=expected.high,
        ),
        told=tuple(_told(held, Period(bucket.start, end), bucket, manner)),
    )


def _told(held: Held, period: Period, bucket: Bucket, manner: Manner) -> Iterator[BurstStory]:
    selection = Selection(themes=(bucket.theme,))
    if bucket.group is not None:
        match manner.by:
            case "source":
                selection = selection._replace(sources=(bucket.group,))
            case "country":
                selection = selection._replace(countries=(bucket.group,))
            case "language":
                selection = selection._replace(languages=(bucket.group,))
    question = Question(period=period, selection=selection)
    for story in top_stories(held, question)[:_MOST_STORIES]:
        yield BurstStory(
            story_id=story.story_id, title=story.title, url=story.url, sources=story.sources
        )


def _burst_id(bucket: Bucket, manner: Manner) -> str:
    group = (manner.by, bucket.group or "") if manner.by else ()
    return _hash("burst", bucket.theme, manner.grain, bucket.start.isoformat(), *group)


def _hash(*parts: str) -> str:
    return "1" + hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
