"""From a date as a document gives it to a moment in UTC, and whether it can be true."""

import re
from calendar import timegm
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import struct_time

from feedparser.datetimes.asctime import _parse_date_asctime
from feedparser.datetimes.greek import _parse_date_greek
from feedparser.datetimes.hungarian import _parse_date_hungarian
from feedparser.datetimes.korean import _parse_date_nate, _parse_date_onblog
from feedparser.datetimes.perforce import _parse_date_perforce
from feedparser.datetimes.rfc822 import _parse_date_rfc822
from feedparser.datetimes.w3dtf import _parse_date_w3dtf

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Before there was news on the web: what claims to be older has a default as its date,
such as 1970-01-01 or 0001-01-01."""

LATEST_AHEAD = timedelta(hours=48)
"""An article may carry tomorrow's date: the day begins in Kiribati 14 hours before it does
in UTC, and weeklies are dated ahead. More than two days is a slip or an event's date."""

# feedparser's handlers are called one by one, in its order, and not through its
# _parse_date: the one left out, for ISO 8601, reads the clock and the local time zone.
# They are private; feedparser is pinned below its next major version, and a test has a
# date for each of them.
_HANDLERS: tuple[Callable[[str], struct_time | tuple[int, ...] | None], ...] = (
    _parse_date_w3dtf,
    _parse_date_rfc822,
    _parse_date_asctime,
    _parse_date_perforce,
    _parse_date_hungarian,
    _parse_date_greek,
    _parse_date_nate,
    _parse_date_onblog,
)

_EPOCH = re.compile(r"\d{9,19}(?:\.\d{1,9})?")
_COMPACT = re.compile(r"((?:19|20)\d{6})(\d{6})")  # as a number since 1970: the year 2570 on
_MIDNIGHT = re.compile(r"[T ]24:00(?::00(?:\.0+)?)?(?!\d)")
_LEAP_SECOND = re.compile(r"(:\d\d):60(?!\d)")
_ORDINAL = re.compile(r"(\d{4})-?(\d{3})")
_SHORT_YEAR = re.compile(r"\d\d-\d\d-\d\d(?!\d)")

# Ways of writing a date that tables and pages use and that can be read in one way only;
# 11/12/2026 cannot.
_WRITTEN = tuple(
    day + time
    for day in ("%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d", "%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y")
    for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
)
_ABBREVIATED = re.compile(r"\b([A-Z][a-z]{2})\.")
_LONGEST = 100


def parse_date(raw: str) -> datetime | None:
    """The moment that *raw* names, in UTC; None where it names none.

    Understood: ISO 8601, seconds since 1970 or thousandths, millionths or billionths of
    them, RFC 822, all that feedparser knows, and a few written forms. Without a zone it
    is read as UTC, without a time as midnight. What leaves out year or century says no
    date.
    """
    # `datetime.fromisoformat` takes some numbers of milliseconds for a day and a time.
    if raw.isdecimal() and len(raw) > 8:
        return _parse_other(raw)
    try:
        return _in_utc(datetime.fromisoformat(raw))
    except (ValueError, OverflowError):
        return _parse_other(raw)


def plausible(published: datetime, seen_at: datetime) -> bool:
    """Whether something first seen at *seen_at* can have been published then."""
    return EARLIEST <= published <= seen_at + LATEST_AHEAD


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _parse_other(raw: str) -> datetime | None:
    text = " ".join(raw.split())
    if not text or len(text) > _LONGEST:
        return None
    if compact := _COMPACT.fullmatch(text):
        return _parse_iso(f"{compact[1]}T{compact[2]}")
    if _EPOCH.fullmatch(text):
        return _from_epoch(float(text))
    return _parse_iso(text) or _parse_handlers(text) or _parse_written(text)


def _from_epoch(number: float) -> datetime | None:
    # 1e11 seconds are in the year 5138, 1e14 milliseconds too: larger is finer.
    while number >= 1e11:
        number /= 1000
    return datetime.fromtimestamp(number, UTC)


def _parse_iso(text: str) -> datetime | None:
    """ISO 8601 beyond what `datetime.fromisoformat` reads in all Python versions."""
    later = timedelta()
    if _MIDNIGHT.search(text):
        text, later = _MIDNIGHT.sub("T00:00", text), timedelta(days=1)
    elif _LEAP_SECOND.search(text):
        text, later = _LEAP_SECOND.sub(r"\1:59", text), timedelta(seconds=1)
    elif ordinal := _ORDINAL.fullmatch(text):
        text, later = f"{ordinal[1]}-01-01", timedelta(days=int(ordinal[2]) - 1)
    elif _SHORT_YEAR.match(text):
        text = f"20{text}"
    try:
        return _in_utc(datetime.fromisoformat(text.upper())) + later
    except (ValueError, OverflowError):
        return None


def _parse_handlers(text: str) -> datetime | None:
    for handler in _HANDLERS:
        try:
            found = handler(text)
            if found:
                return datetime.fromtimestamp(timegm(found), UTC)
        # What feedparser itself expects of its handlers, and dates that do not exist.
        except (KeyError, IndexError, OverflowError, ValueError, AttributeError, TypeError):
            continue
    return None


def _parse_written(text: str) -> datetime | None:
    text = _ABBREVIATED.sub(r"\1", text).replace(",", " ").replace(" at ", " ")
    text = re.sub(r"\b([ap])\.m\.?", r"\1m", " ".join(text.split()))
    for form in _WRITTEN:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
