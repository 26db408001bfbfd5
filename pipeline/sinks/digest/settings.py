"""What is said of digests in a configuration."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pipeline.quantities import PositiveSpan
from pipeline.sinks.base import SinkSettings
from pipeline.sinks.digest.hours import Clock, QuietHours, first_loud
from pipeline.sinks.selection import Selection
from pipeline.sinks.variables import Variable
from pipeline.zones import ZoneName, zone_of
from transforms.errors import ConfigError

if TYPE_CHECKING:  # a configuration is checked without them
    from pipeline.sinks.digest.sink import Digest


class Route(BaseModel):
    """Which alerts go to a team, and where that is reached.

    Attributes:
        to: Variables, each with one URL of apprise.
        backfill: Whether what was old when it was first seen is told, too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    to: Annotated[tuple[Variable, ...], Field(min_length=1)]
    only: Selection = Selection()
    backfill: bool = False

    @property
    def parts(self) -> list[str]:
        """One for each address."""
        return [f"{self.name}/{variable[1:]}" for variable in dict.fromkeys(self.to)]


def _distinct(routes: tuple[Route, ...]) -> tuple[Route, ...]:
    names = [route.name for route in routes]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two routes are called {twice[0]!r}")
    return routes


class DigestSettings(SinkSettings):
    """Digests with one schedule and one budget.

    Attributes:
        every: A message for each run, or one a day.
        at: When on a day.
        most_stories: In a message.
        most_a_day: In all messages of a day in *time_zone*; None for any number.
        wait_at_most: How long a story waits for its turn before it is let go.
        even_empty: Whether there is a message where there is no story.
    """

    kind: Literal["digest"]
    routes: Annotated[tuple[Route, ...], Field(min_length=1), AfterValidator(_distinct)]
    every: Literal["run", "day"] = "run"
    at: Clock | None = None
    time_zone: ZoneName = "UTC"
    quiet: tuple[QuietHours, ...] = ()
    most_stories: Annotated[int, Field(ge=1, le=200)] = 20
    most_a_day: Annotated[int, Field(ge=1)] | None = None
    wait_at_most: PositiveSpan = timedelta(days=7)
    even_empty: bool = False

    @model_validator(mode="after")
    def _is_loud_at_times(self) -> Self:
        first_loud(datetime(2026, 1, 1, tzinfo=UTC), self.quiet, self.zone)
        if (self.every == "day") != (self.at is not None):
            raise ValueError("every: day and at: an hour, as in '07:30', need one another")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the people who read them."""
        return zone_of(self.time_zone)

    @property
    def parts(self) -> list[str]:
        return [part for route in self.routes for part in route.parts]

    def open(self, out: Path) -> "Digest":
        try:
            from pipeline.sinks.digest.sink import Digest
        except ModuleNotFoundError as error:
            raise ConfigError(f"digests need {error.name}: install policywire[notify]") from error
        return Digest(self, out)
