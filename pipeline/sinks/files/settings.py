"""What can be set of a sink of the kind `files`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pipeline.sinks.base import Sink
from pipeline.sinks.places import FolderSettings

FileFormat = Literal["jsonl", "csv", "parquet"]
TableName = Literal[
    "runs",
    "alerts",
    "evidence",
    "articles",
    "article_themes",
    "counts",
    "monitored",
    "dead_letters",
]
ALL: tuple[TableName, ...] = (
    *("runs", "alerts", "evidence", "articles"),
    *("article_themes", "counts", "monitored", "dead_letters"),
)


class FilesSettings(FolderSettings):
    """Of a sink that writes tables to files; docs/sinks.md explains each field."""

    kind: Literal["files"]
    format: FileFormat = "parquet"
    tables: Annotated[tuple[TableName, ...], Field(min_length=1)] = ALL
    partition_by: tuple[Literal["day", "theme"], ...] = ()

    def open(self, out: Path) -> Sink:
        from pipeline.sinks.files.sink import FilesSink

        return FilesSink(self, self.place(out))
