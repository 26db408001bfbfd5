"""What can be set of a sink of the kind `database`."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.sinks.base import Sink, SinkSettings

_URL = re.compile(r"(?:sqlite:///.|postgresql(?:\+psycopg)?://|\$[A-Za-z_{])")


def _url(value: str) -> str:
    if not _URL.match(value) or re.search(r"[?&]\w*password=", value, re.IGNORECASE):
        raise ValueError(
            "write sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE, or $NAME for what "
            "the environment has; a password stands between USER: and @, and nowhere else"
        )
    return value


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,29}$")]


class DatabaseSettings(SinkSettings):
    """Of a sink that fills tables; docs/sinks.md explains each field."""

    kind: Literal["database"]
    url: Annotated[str, AfterValidator(_url)]
    in_schema: Name | None = None
    prefix: Annotated[str, Field(pattern=r"^(?:[a-z][a-z0-9_]{0,29})?$")] = "pw_"

    @model_validator(mode="after")
    def _has_schemas(self) -> Self:
        if self.in_schema and self.url.startswith("sqlite:"):
            raise ValueError("in_schema: SQLite has none; take a prefix, or a file of its own")
        return self

    def open(self, out: Path) -> Sink:
        from pipeline.sinks.database.sink import DatabaseSink

        return DatabaseSink(os.path.expandvars(self.url), self.in_schema, self.prefix)

    def without_secrets(self) -> Self:
        url = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", self.url)
        return self.model_copy(update={"url": url})
