"""What can be set of a sink of the kind `feeds`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pipeline.quantities import PositiveSpan
from pipeline.sinks.base import Sink
from pipeline.sinks.places import FolderSettings


class FeedsSettings(FolderSettings):
    """Of a sink that writes feeds; docs/sinks.md explains each field."""

    kind: Literal["feeds"]
    base_url: Annotated[str, Field(pattern=r"^https?://[^\s<>\"?#]+$")] | None = None
    title: Annotated[str, Field(min_length=1, max_length=200)] = "policywire"
    keep: PositiveSpan = timedelta(days=14)
    most: Annotated[int, Field(ge=1, le=5_000)] = 500
    backfill: bool = False

    def open(self, out: Path) -> Sink:
        from pipeline.sinks.feeds.sink import FeedsSink

        return FeedsSink(self, self.place(out))
