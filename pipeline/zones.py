"""Time zones, by the names of the IANA database."""

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone; write one like Europe/Brussels") from error


def _known(name: str) -> str:
    zone_of(name)
    return name


ZoneName = Annotated[str, AfterValidator(_known)]
