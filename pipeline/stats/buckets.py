"""Hours, days and weeks of a time zone."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

Grain = Literal["hour", "day", "week"]
TIME: Final = pa.timestamp("us", tz="UTC")


def bucket_start(moment: datetime, grain: Grain, zone: tzinfo) -> datetime:
    """When the bucket begins that *moment* is in. Weeks begin on Monday."""
    local = moment.astimezone(zone)
    if grain == "hour":
        return local.replace(minute=0, second=0, microsecond=0)
    back = timedelta(days=local.weekday() if grain == "week" else 0)
    return datetime.combine(local.date() - back, time(), zone)


def bucket_end(start: datetime, grain: Grain) -> datetime:
    """When the bucket ends that begins at *start*, exclusive; a day may have 23 hours or 25."""
    if grain == "hour":
        return (start.astimezone(UTC) + timedelta(hours=1)).astimezone(start.tzinfo)
    # With the clocks on the wall: midnight is midnight, whatever they did in between.
    return start + timedelta(days=7 if grain == "week" else 1)


def bucket_label(start: datetime, grain: Grain) -> str:
    """A bucket as ISO 8601 has it: 2026-11-24T06:00+01:00, 2026-11-24, 2026-W48."""
    match grain:
        case "hour":
            return start.isoformat(timespec="minutes")
        case "day":
            return f"{start:%Y-%m-%d}"
        case "week":
            return f"{start:%G-W%V}"


def bucket_starts(times: pa.ChunkedArray, grain: Grain, zone: tzinfo) -> pa.Array:
    """The starts of the buckets of many times."""
    return _by_minute(times, lambda moment: bucket_start(moment, grain, zone))


def _by_minute(times: pa.ChunkedArray, change: Callable[[datetime], datetime]) -> pa.Array:
    # Arrow would need a database of time zones of its own, which not every system has.
    minutes = pc.floor_temporal(times, unit="minute").combine_chunks().dictionary_encode()
    changed = [change(moment) for moment in minutes.dictionary.to_pylist()]
    return pa.array(changed, TIME).take(minutes.indices)
