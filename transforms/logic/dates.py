"""From a date as a document gives it to a moment in UTC, and whether it can be true."""

import re
from calendar import timegm
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from time import struct_time
from typing import NamedTuple

from babel import Locale
from feedparser.datetimes.asctime import _parse_date_asctime
from feedparser.datetimes.greek import _parse_date_greek
from feedparser.datetimes.hungarian import _parse_date_hungarian
from feedparser.datetimes.korean import _parse_date_nate, _parse_date_onblog
from feedparser.datetimes.perforce import _parse_date_perforce
from feedparser.datetimes.rfc822 import _parse_date_rfc822
from feedparser.datetimes.w3dtf import _parse_date_w3dtf

from transforms.logic.language import normalise_code

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

# Ways of writing a date that tables and pages use and that can be read in one way only;
# 11/12/2026 cannot.
_WRITTEN = tuple(
    day + time
    for day in ("%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d", "%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y")
    for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
)
_ABBREVIATED = re.compile(r"\b([A-Z][a-z]{2})\.")
_LONGEST = 100

# Day, name of a month and year, as RFC 822 and half of Europe write them.
_NAMED = re.compile(
    r"""
    (?:(?P<weekday>[^\W\d][^\d,]*)(?:,\s?|\s))?
    (?P<day>\d{1,2})(?:\.|er|º|ª)?[\s-]+
    (?:de\s|d[’'])?(?P<month>[^\W\d_]+(?:\sfómhair)?)\.?,?[\s-]+
    (?:del?\s)?(?P<year>\d{4}|\d\d)(?!\d)(?:\s?[гр]\.|\s?r\.)?
    (?:
        ,?\s?(?:
            (?:[-–|/]|at|à|às|a\slas|alle(?:\sore)?|ore|um|kl\.?|o|godz\.?|klo|в|о)\s
        )?
        (?P<hour>\d{1,2})
        (?:[:.h](?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d+)?)?|(?=\s?(?:h|Uhr)\b))
        (?:\s?(?P<half>[ap])\.?m\.?)?
        (?:\s?(?:h|Uhr)\b)?
    )?
    (?:
        \s?(?:GMT|UTC|UT)?(?P<sign>[+-])(?P<zone_hour>\d{1,2}):?(?P<zone_minute>\d\d)?
        |\s?(?P<zone>[A-Z]{1,5})
    )?
    (?:\s\([^()]*\))?
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MONTHS = {
    name: number
    for number, (short, rest) in enumerate(
        [
            *(("jan", "uary"), ("feb", "ruary"), ("mar", "ch"), ("apr", "il"), ("may", "")),
            *(("jun", "e"), ("jul", "y"), ("aug", "ust"), ("sep", "tember"), ("oct", "ober")),
            *(("nov", "ember"), ("dec", "ember")),
        ],
        start=1,
    )
    for name in (short, short + rest)
}
_MONTHS["sept"] = 9
_DAYS = frozenset(
    name
    for short, rest in [
        *(("mon", "day"), ("tue", "sday"), ("wed", "nesday"), ("thu", "rsday"), ("fri", "day")),
        *(("sat", "urday"), ("sun", "day"), ("tues", ""), ("weds", ""), ("thur", "s")),
    ]
    for name in (short, short + rest)
)
# Hours east of Greenwich: the zones of RFC 822, then those whose names news uses and that mean
# one thing there. What else is named is read as UTC.
_ZONES = {
    "edt": -4,
    "est": -5,
    "cdt": -5,
    "cst": -6,
    "mdt": -6,
    "mst": -7,
    "pdt": -7,
    "pst": -8,
    "wet": 0,
    "west": 1,
    "bst": 1,
    "cet": 1,
    "cest": 2,
    "met": 1,
    "mest": 2,
    "mez": 1,
    "mesz": 2,
    "eet": 2,
    "eest": 3,
    "sast": 2,
    "msk": 3,
    "trt": 3,
    "hkt": 8,
    "sgt": 8,
    "awst": 8,
    "jst": 9,
    "kst": 9,
    "aest": 10,
    "aedt": 11,
    "nzst": 12,
    "nzdt": 13,
    "adt": -3,
    "ast": -4,
    "akdt": -8,
    "akst": -9,
    "hst": -10,
    "brt": -3,
}
# The languages of Europe; from Unicode's CLDR come the names of months and days in them.
_LANGUAGES = (
    "be bg bs ca cs cy da de el en es et eu fi fr ga gl hr hu is it lb lt lv mk mt nb nl nn pl pt "
    "ro ru sk sl sq sr sr_Latn sv tr uk"
).split()


def parse_date(raw: str, language: str | None = None) -> datetime | None:
    """The moment that *raw* names, in UTC; None where it names none.

    Understood: ISO 8601, seconds since 1970 or thousandths, millionths or billionths of
    them, RFC 822 with the names of months and days in any language of Europe, all that
    feedparser knows, and a few written forms. Without a zone it is read as UTC, without
    a time as midnight. What leaves out the year says no date, and the century may be left
    out only after the name of a month: 24-11-26 is no date, 24 Nov 26 is one.

    Args:
        language: The language that *raw* is in, which decides what a name means that
            stands for several months: 'listopad' is October in Croatian, November in
            Polish and Czech. Without it such a date is none.
    """
    # `datetime.fromisoformat` takes some numbers of milliseconds for a day and a time.
    if raw.isdecimal() and len(raw) > 8:
        return _parse_other(raw, language)
    try:
        return _in_utc(datetime.fromisoformat(raw))
    except (ValueError, OverflowError):
        return _parse_other(raw, language)


def plausible(published: datetime, seen_at: datetime) -> bool:
    """Whether something first seen at *seen_at* can have been published then."""
    return EARLIEST <= published <= seen_at + LATEST_AHEAD


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _parse_other(raw: str, language: str | None) -> datetime | None:
    text = " ".join(raw.split())
    if not text or len(text) > _LONGEST:
        return None
    if compact := _COMPACT.fullmatch(text):
        return _parse_iso(f"{compact[1]}T{compact[2]}")
    if _EPOCH.fullmatch(text):
        return _from_epoch(float(text))
    if named := _NAMED.fullmatch(text):
        return _from_names(named, language)
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
    try:
        return _in_utc(datetime.fromisoformat(text.upper())) + later
    except (ValueError, OverflowError):
        return None


def _from_names(found: re.Match[str], language: str | None) -> datetime | None:
    month = _month(found["month"].lower(), normalise_code(language))
    weekday = found["weekday"]
    if month is None or (weekday and not _is_day(weekday.rstrip(". ").lower())):
        return None
    year, hour = int(found["year"]), int(found["hour"] or 0)
    if len(found["year"]) == 2:
        year += 2000 if year < 90 else 1900
    if found["half"]:
        hour = hour % 12 + (12 if found["half"] in "pP" else 0)
    minute, second = int(found["minute"] or 0), int(found["second"] or 0)
    # A day may end at 24:00, and a minute with a leap second.
    if hour * 60 + minute > 24 * 60 or minute > 59 or second > 60:
        return None
    east = timedelta(hours=_ZONES.get((found["zone"] or "").lower(), 0))
    if found["sign"]:
        digits, minutes = found["zone_hour"], int(found["zone_minute"] or 0)
        east = timedelta(hours=int(digits), minutes=minutes) * (-1 if found["sign"] == "-" else 1)
    try:
        day = datetime(year, month, int(found["day"]), tzinfo=UTC)
        return day + timedelta(hours=hour, minutes=minute, seconds=second) - east
    except (ValueError, OverflowError):
        return None


def _month(name: str, language: str | None) -> int | None:
    """The number of a month by its name or the beginning of it, where that is beyond doubt."""
    if number := _MONTHS.get(name):
        return number
    names = _names().months
    if name in names:
        alike = [names[name]]
    else:
        alike = [names[full] for full in names if len(name) > 2 and full.startswith(name)]
    numbers = {months[language] for months in alike if language in months}
    numbers = numbers or {number for months in alike for number in months.values()}
    return numbers.pop() if len(numbers) == 1 else None


def _is_day(name: str) -> bool:
    return name in _DAYS or name in _names().days


class _Names(NamedTuple):
    months: Mapping[str, Mapping[str | None, int]]  # by name and language
    days: frozenset[str]


@cache
def _names() -> _Names:
    """Loaded at the first use: few dates need them."""
    months: defaultdict[str, dict[str | None, int]] = defaultdict(dict)
    days: set[str] = set()
    for language in _LANGUAGES:
        locale = Locale.parse(language)
        for context, width in product(("format", "stand-alone"), ("wide", "abbreviated", "short")):
            for number, name in locale.months[context].get(width, {}).items():
                months[_bare(name)][locale.language] = number
            days.update(map(_bare, locale.days[context].get(width, {}).values()))
    return _Names(months, frozenset(days))


def _bare(name: str) -> str:
    """A name as it is looked up; CLDR gives Catalan months with their preposition."""
    return re.sub(r"^(?:de |d’)|\.$", "", name.lower())


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
