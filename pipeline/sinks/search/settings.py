"""What can be set of a sink of the kind `search`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.quantities import Size
from pipeline.sinks.base import Sink
from pipeline.sinks.places import FolderSettings

IndexName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")]


class SearchSettings(FolderSettings):
    """Of a sink that writes bulk files; docs/sinks.md explains each field."""

    kind: Literal["search"]
    alerts_index: IndexName = "policywire-alerts"
    articles_index: IndexName = "policywire-articles"
    gzip: bool = False
    file_bytes: Size = 20 * 10**6

    @model_validator(mode="after")
    def _has_two_indexes(self) -> Self:
        if self.alerts_index == self.articles_index:
            raise ValueError("articles_index: alerts and articles need an index each")
        return self

    def open(self, out: Path) -> Sink:
        from pipeline.sinks.search.sink import SearchSink

        return SearchSink(self, self.place(out))
