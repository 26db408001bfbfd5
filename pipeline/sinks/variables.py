"""Secrets: a configuration names the environment variable that holds one."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from transforms.errors import ConfigError

Variable = Annotated[str, Field(pattern=r"^\$[A-Za-z_][A-Za-z0-9_]*$")]
"""`$NAME`."""


def value_of(variable: str, environ: Mapping[str, str]) -> str:
    """What *variable* holds.

    Raises:
        ConfigError: it is not set, or is empty.
    """
    if value := environ.get(variable[1:], "").strip():
        return value
    raise ConfigError(f"the environment variable {variable[1:]} is not set")
