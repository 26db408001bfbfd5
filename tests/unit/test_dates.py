"""Dates as documents give them."""

import calendar
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.logic import dates
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
        ("24 Nov 26 10:00 GMT", TEN),
        ("Tuesday, 24-Nov-26 10:00:00 GMT", TEN),
        ("24 Nov 2026 10:00 AM", TEN),
        ("Tue,24 Nov 2026 10:00:00Z", TEN),
        ("Mon, 23 Nov 2026 24:00:00 GMT", DAY),
        ("Mon, 23 Nov 2026 23:59:60 GMT", DAY),
    ],
)
def test_parse_date(raw: str, moment: datetime) -> None:
    assert parse_date(raw) == moment


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("Mo, 25 Jun 2018", "2018-06-25T00:00"),
        ("25 juin 2018 14:00", "2018-06-25T14:00"),
        ("1er juillet 2018 à 14h30", "2018-07-01T14:30"),
        ("sam., 24 janv. 2026 14 h", "2026-01-24T14:00"),
        ("Montag, 25. Juni 2018, 14:00 Uhr", "2018-06-25T14:00"),
        ("Do., 24. Dez. 2026 08:05", "2026-12-24T08:05"),
        ("24 März 2026", "2026-03-24T00:00"),
        ("25 de junio de 2018 a las 14:00", "2018-06-25T14:00"),
        ("segunda-feira, 23 de novembro de 2026 às 10:00", "2026-11-23T10:00"),
        ("lun, 25 giu 2018 14:00:00 +0200", "2018-06-25T12:00"),
        ("24 novembre 2026 - 10.30", "2026-11-24T10:30"),
        ("poniedziałek, 25 czerwca 2018, godz. 14:00", "2018-06-25T14:00"),
        ("25 июня 2018 г., 14:00", "2018-06-25T14:00"),
        ("чт, 24 ноя 2026 10:00:00 +0300", "2026-11-24T07:00"),
        ("Τρί, 24 Νοε 2026 10:00:00 +0200", "2026-11-24T08:00"),
        ("24 d’abril de 2026", "2026-04-24T00:00"),
        ("24 sierp 2026", "2026-08-24T00:00"),
    ],
)
def test_names_of_months_and_days(raw: str, moment: str) -> None:
    found = parse_date(raw)
    assert found is not None
    assert f"{found:%Y-%m-%dT%H:%M}" == moment


@pytest.mark.parametrize(
    ("raw", "language", "month"),
    [
        ("24 listopada 2026", "pl", 11),
        ("24 listopada 2026", "hr-HR", 10),
        ("24 lis 2026", "cs", 11),
        ("24 lis 2026", "en", None),
        ("24 lis 2026", None, None),
        ("24 mar 2026", "pl", 3),
        ("24 j 2026", "en", None),
        ("24 ma 2026", "en", None),
    ],
)
def test_a_name_of_several_months_is_read_in_its_language_alone(
    raw: str, language: str | None, month: int | None
) -> None:
    found = parse_date(raw, language)
    assert (found and found.month) == month


@pytest.mark.parametrize(
    ("zone", "hour"),
    [
        *(("", 12), ("Z", 12), ("GMT", 12), ("UTC", 12), ("XYZ", 12)),
        *(("+0200", 10), ("-05:30", 17), ("GMT+2", 10), ("+0100 (CET)", 11)),
        *(("CET", 11), ("CEST", 10), ("MESZ", 10), ("BST", 11), ("EEST", 9), ("MSK", 9)),
        *(("EST", 17), ("EDT", 16), ("PDT", 19), ("JST", 3)),
    ],
)
def test_zones(zone: str, hour: int) -> None:
    found = parse_date(f"Tue, 24 Nov 2026 12:00:00 {zone}")
    assert found is not None
    minute = 30 if zone == "-05:30" else 0
    assert found == DAY.replace(hour=hour, minute=minute)


@pytest.mark.parametrize("number", range(1, 13))
def test_no_english_month_means_another_one_elsewhere(number: int) -> None:
    names = {calendar.month_name[number].lower(), calendar.month_abbr[number].lower()}
    elsewhere = [set(dates._names().months.get(name, {}).values()) for name in names]
    assert set.union(*elsewhere) == {number}
    for name in names:
        found = parse_date(f"3 {name} 2026", "pl")
        assert found is not None
        assert found.month == number


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
    "raw",
    [
        *("", "soon", "11/12/2026", "24-11-26", "2026-02-30", "20261324100000", "x" * 500),
        *("24 Nov", "31 Feb 2026", "24 Nov 2026 25:00", "24 Nov 2026 10:61", "24 of 2026"),
        *("Someday, 24 Nov 2026", "0 Nov 2026"),
    ],
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
