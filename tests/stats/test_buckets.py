"""Hours, days and weeks of time zones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stats.buckets import (
    TIME,
    Grain,
    bucket_end,
    bucket_label,
    bucket_start,
    bucket_starts,
)
from pipeline.zones import zone_of

BRUSSELS = ZoneInfo("Europe/Brussels")
GRAINS = st.sampled_from(["hour", "day", "week"])
ZONES = st.sampled_from(["UTC", "Europe/Brussels", "Asia/Kathmandu", "America/St_Johns"])
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("moment", "grain", "label"),
    [
        ("2026-11-23T23:30Z", "day", "2026-11-24"),
        ("2026-11-22T23:30Z", "week", "2026-W48"),
        ("2026-11-22T22:30Z", "week", "2026-W47"),
        ("2027-01-01T12:00Z", "week", "2026-W53"),
        ("2026-10-25T00:30Z", "hour", "2026-10-25T02:00+02:00"),
        ("2026-10-25T01:30Z", "hour", "2026-10-25T02:00+01:00"),
        ("2026-03-29T01:30Z", "hour", "2026-03-29T03:00+02:00"),
    ],
)
def test_a_bucket_is_that_of_the_clocks_on_the_wall(moment: str, grain: Grain, label: str) -> None:
    start = bucket_start(datetime.fromisoformat(moment), grain, BRUSSELS)
    assert bucket_label(start, grain) == label


def test_a_day_has_as_many_hours_as_it_has() -> None:
    lengths = [
        bucket_end(start, "day").astimezone(UTC) - start.astimezone(UTC)
        for day in (28, 29, 30)
        for start in [datetime(2026, 3, day, tzinfo=BRUSSELS)]
    ]
    assert lengths == [timedelta(hours=24), timedelta(hours=23), timedelta(hours=24)]


@given(MOMENTS, GRAINS, ZONES)
def test_a_moment_is_in_its_bucket_and_in_no_other(
    moment: datetime, grain: Grain, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    start = bucket_start(moment, grain, zone)
    end = bucket_end(start, grain).astimezone(UTC)
    assert start.astimezone(UTC) <= moment < end
    assert bucket_start(start.astimezone(UTC), grain, zone) == start


@given(st.lists(MOMENTS), GRAINS, ZONES)
def test_a_column_is_bucketed_as_its_moments_are(
    moments: list[datetime], grain: Grain, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    found = bucket_starts(pa.chunked_array([pa.array(moments, TIME)]), grain, zone)
    assert found.to_pylist() == [
        bucket_start(moment, grain, zone).astimezone(UTC) for moment in moments
    ]


@pytest.mark.parametrize("name", ["Europe/Brussel", "Europe", "", "../etc/passwd", "\0"])
def test_what_is_no_zone_is_said_to_be_none(name: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        zone_of(name)
