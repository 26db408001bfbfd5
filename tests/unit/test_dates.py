"""Dates as documents give them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.logic.dates import EARLIEST, LATEST_AHEAD, parse_date, plausible

DAY = datetime(2026, 11, 24, tzinfo=UTC)
TEN = DAY.replace(hour=10)


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("2026-11-24T10:00:00Z", TEN),
        ("2026-11-24T11:00:00+01:00", TEN),
        ("2026-11-24 10:00", TEN),
        ("2026-11-24", DAY),
        ("20261124", DAY),
        ("2026-11-23T24:00:00Z", DAY),
        ("2026-328", DAY),
        ("1795478400", DAY),
        ("1795478400000", DAY),
        ("1795478400000000", DAY),
        ("1795478400000000000", DAY),
        ("20261124100000", TEN),
        ("Tue, 24 Nov 2026 11:00:00 +0100", TEN),
        ("Tue, 24 Nov 2026 05:00:00 EST", TEN),
        ("Tue Nov 24 10:00:00 2026", TEN),
        ("24.11.2026 10:00", TEN),
        ("November 24, 2026 at 10:00 a.m.", TEN),
        ("Nov. 24, 2026", DAY),
    ],
)
def test_parse_date(raw: str, moment: datetime) -> None:
    assert parse_date(raw) == moment


@given(st.integers(10**11, 4 * 10**12))
def test_milliseconds_are_never_taken_for_a_written_day(milliseconds: int) -> None:
    found = parse_date(str(milliseconds))
    assert found is not None
    assert abs(found.timestamp() - milliseconds / 1000) < 0.001


@given(st.text() | st.text("0123456789-/:.TZ+, "))
def test_whatever_is_found_is_in_utc(raw: str) -> None:
    found = parse_date(raw)
    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "raw", ["", "soon", "11/12/2026", "2026-02-30", "20261324100000", "x" * 500]
)
def test_no_date(raw: str) -> None:
    assert parse_date(raw) is None


@pytest.mark.parametrize(
    ("published", "is_plausible"),
    [
        (EARLIEST, True),
        (EARLIEST - timedelta(seconds=1), False),
        (DAY + LATEST_AHEAD, True),
        (DAY + LATEST_AHEAD + timedelta(seconds=1), False),
    ],
)
def test_plausible(published: datetime, is_plausible: bool) -> None:
    assert plausible(published, DAY) is is_plausible
