"""Sizes and spans of time, as a configuration says them."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?B)", re.IGNORECASE)
_SPANS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_LONGEST = timedelta(days=36_500)


def read_size(value: object) -> object:
    """Bytes for '10 MB'; an integer as it is.

    Raises:
        ValueError: neither of them.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r}: write a size like 10 MB, or a number of bytes")
    return round(float(match[1]) * _UNITS[match[2].upper()])


def read_span(value: object) -> object:
    """A span for '30m', '12h', '7d' or '2w'; one in ISO 8601, as a manifest has it, as it is.

    Raises:
        ValueError: none of them.
    """
    if isinstance(value, timedelta) or (isinstance(value, str) and value.startswith("P")):
        return value
    match = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r}: write a span of time like 30m, 12h, 7d or 2w")
    if float(match[1]) > _LONGEST / _SPANS[match[2]]:
        raise ValueError(f"{value!r}: longer than a hundred years")
    return float(match[1]) * _SPANS[match[2]]


def write_span(span: timedelta) -> str:
    """A span of whole minutes as `read_span` reads it, in the largest unit that fits."""
    unit = next(unit for unit in reversed(_SPANS) if not span % _SPANS[unit])
    return f"{span // _SPANS[unit]}{unit}"


Size = Annotated[int, BeforeValidator(read_size), Field(gt=0)]
TimeSpan = Annotated[timedelta, BeforeValidator(read_span), Field(ge=timedelta(0))]
PositiveSpan = Annotated[timedelta, BeforeValidator(read_span), Field(gt=timedelta(0))]
