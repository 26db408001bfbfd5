"""When a message may be sent: at an hour of the day, and not in quiet hours."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

_DAY: Final = timedelta(days=1)
_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_WINDOWS: Final = 14  # one after the other without a gap: then there is none in a week

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""As in '07:30'."""


class QuietHours(BaseModel):
    """Hours in which nothing is sent, on some days of the week or on all.

    Attributes:
        start: When they begin, on the days that are named.
        end: When they end, on the next day where it is not after *start*.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Clock
    end: Clock
    days: Annotated[
        tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...], Field(min_length=1)
    ] = _WEEK

    def end_at(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours end in which *moment* is; None where it is in none."""
        today = moment.astimezone(zone).date()
        for day in (today - _DAY, today):
            if _WEEK[day.weekday()] not in self.days:
                continue
            last = day if self.end > self.start else day + _DAY
            if at_clock(day, self.start, zone) <= moment < (end := at_clock(last, self.end, zone)):
                return end
        return None


def at_clock(day: date, clock: str, zone: ZoneInfo) -> datetime:
    """The moment at which clocks in *zone* show *clock* on *day*."""
    # In UTC: Python compares times of one zone by what their clocks show.
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)


def next_at(after: datetime, clock: str, zone: ZoneInfo) -> datetime:
    """The first moment later than *after* at which clocks in *zone* show *clock*."""
    day = after.astimezone(zone).date()
    moment = at_clock(day, clock, zone)
    return moment if moment > after else at_clock(day + _DAY, clock, zone)


def first_loud(moment: datetime, quiet: Iterable[QuietHours], zone: ZoneInfo) -> datetime:
    """The first moment from *moment* on that is in no quiet hours.

    Raises:
        ValueError: there is none in a week.
    """
    windows = list(quiet)
    for _ in range(_MOST_WINDOWS):
        ends = [end for window in windows if (end := window.end_at(moment, zone))]
        if not ends:
            return moment
        moment = max(ends)
    raise ValueError("these quiet hours have no end")
