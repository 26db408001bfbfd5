"""What bursts a configuration asks for."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.zones import ZoneName

GroupedBy = Literal["source", "country", "language"]
BurstGrain = Literal["hour", "day"]


class BurstRule(BaseModel):
    """Bursts that raise an alert.

    Attributes:
        theme: One theme; each of them where it is None.
        by: Each source, country or language by itself; all together where it is None.
        every: The spans of time that are judged.
        fewest: Stories that it takes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: str | None = None
    by: GroupedBy | None = None
    every: BurstGrain = "day"
    time_zone: ZoneName = "UTC"
    fewest: Annotated[int, Field(ge=3)] = 3
