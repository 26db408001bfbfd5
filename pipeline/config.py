"""The models of configs/, and how their files are read: each problem with file, line and field."""

import difflib
import glob
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from transforms.errors import ConfigError
from transforms.logic.documents import FieldNames
from transforms.logic.themes.model import Theme

_M = TypeVar("_M", bound=BaseModel)

_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?B)", re.IGNORECASE)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([mhdw])")
_MOST = 1 << 20  # bytes; no theme or configuration is larger


def _size(value: object) -> object:
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return round(float(match[1]) * _UNITS[match[2].upper()]) if match else value


def _span(value: object) -> object:
    match = _SPAN.fullmatch(value.strip()) if isinstance(value, str) else None
    units = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
    return timedelta(**{units[match[2]]: float(match[1])}) if match else value


def _known_fields(value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    FieldNames.with_overrides(value)
    return value


Size = Annotated[int, BeforeValidator(_size), Field(gt=0)]
TimeSpan = Annotated[timedelta, BeforeValidator(_span)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Inputs(_Part):
    """What is read."""

    files: Annotated[tuple[str, ...], Field(min_length=1)] = ("seeds/*",)
    fields: Annotated[dict[str, tuple[str, ...]], AfterValidator(_known_fields)] = {}


class SizeLimits(_Part):
    """Sizes in bytes, after decompression, over which a record or file is refused."""

    record_bytes: Size = 10 * 10**6
    file_bytes: Size = 20 * 10**9


class Aggregates(_Part):
    """How tables are written."""

    formats: Annotated[tuple[Literal["csv", "parquet"], ...], Field(min_length=1)] = (
        "csv",
        "parquet",
    )


class RunnerChoice(_Part):
    """How the in-process runner is set up."""

    workers: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    multi_process_above: Size = 100 * 10**6


class PipelineConfig(_Part):
    """pipeline.yaml; docs/configuration.md explains each field."""

    inputs: Inputs = Inputs()
    themes: Annotated[tuple[str, ...], Field(min_length=1)] = ("themes/*.yaml",)
    out: str = "out"
    backfill_after: TimeSpan = timedelta(days=7)
    limits: SizeLimits = SizeLimits()
    aggregates: Aggregates = Aggregates()
    runner: RunnerChoice = RunnerChoice()


class LoadedConfig(NamedTuple):
    """A configuration that holds, with its themes in the order of their names."""

    path: Path
    config: PipelineConfig
    themes: tuple[Theme, ...]
    sha256: str


def default_config_dir() -> Path:
    """The configuration that travels with the program: in a wheel, or in the checkout."""
    packaged = Path(__file__).parent / "defaults"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "configs"


def load_config(path: Path | None) -> LoadedConfig:
    """Read a configuration and its themes.

    Without *path* it is `configs/pipeline.yaml` or `pipeline.yaml` where one is in
    the working directory, else the default.

    Raises:
        ConfigError: with all problems of all files, in the order of files and lines.
    """
    if path is None:
        here = (Path("configs/pipeline.yaml"), Path("pipeline.yaml"))
        default = default_config_dir() / "pipeline.yaml"
        path = next((candidate for candidate in here if candidate.is_file()), default)
    problems: list[str] = []
    digest = hashlib.sha256()
    config = _load(path, PipelineConfig, problems, digest)
    themes: dict[str, tuple[Theme, Path]] = {}
    for pattern in config.themes if config else ():
        files = sorted(glob.glob(str(path.parent / pattern)))
        if not files:
            problems.append(f"{path}: themes: no file matches {pattern!r}")
        for file in map(Path, files):
            theme = _load(file, Theme, problems, digest)
            if theme is None:
                continue
            if theme.theme in themes:
                other = themes[theme.theme][1]
                if other != file:
                    problems.append(f"{file}: theme: the name {theme.theme!r} is taken by {other}")
            else:
                themes[theme.theme] = theme, file
    if problems or config is None:
        raise ConfigError(*problems)
    ordered = tuple(theme for _, (theme, _) in sorted(themes.items()))
    return LoadedConfig(path, config, ordered, digest.hexdigest())


def _load(path: Path, model: type[_M], problems: list[str], digest: "hashlib._Hash") -> _M | None:
    """The model that the YAML file *path* holds; None, and problems, where it does not."""
    try:
        content = path.read_bytes()
        if len(content) > _MOST:
            raise ValueError(f"larger than {_MOST:,} bytes")
        text = content.decode()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise ValueError("aliases are not supported")
    except OSError as error:
        problems.append(f"{path}: {error.strerror}")
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problems.append(f"{path}{line}: no YAML: {getattr(error, 'problem', None) or error}")
        return None
    except ValueError as error:
        problems.append(f"{path}: {error}")
        return None
    digest.update(content)
    found = len(problems)
    if node is not None:
        problems += [f"{path}:{line}: {why}" for line, why in sorted(_repeated_keys(node))]
    lines = dict(_key_lines(node)) if node is not None else {}
    try:
        value = yaml.safe_load(text) if node is not None else {}
        model_value = model.model_validate(value)
    except ValidationError as error:
        faults = [_problem(fault, lines, model) for fault in error.errors()]
        problems += [f"{path}:{line}: {why}" for line, why in sorted(faults)]
        return None
    except (yaml.YAMLError, ValueError) as error:
        problems.append(f"{path}: {error}")
        return None
    return model_value if len(problems) == found else None


def _problem(
    fault: Mapping[str, Any], lines: dict[tuple[str, ...], int], model: type[BaseModel]
) -> tuple[int, str]:
    place = tuple(str(part) for part in fault["loc"])
    known = place
    while known and known not in lines:
        known = known[:-1]
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "unknown field" + _suggestion(place[-1], _fields_at(model, place[:-1]))
    elif fault["type"] == "literal_error":
        message += _suggestion(str(fault["input"]), re.findall(r"'(\w+)'", message))
    return lines.get(known, 1), f"{'.'.join(place) or 'file'}: {message}"


def _fields_at(model: type[BaseModel], place: tuple[str, ...]) -> list[str]:
    """The names of the fields that may stand at *place*."""
    current: Any = model
    for part in place:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(part)
            found = _models_in(field.annotation) if field else []
            current = found[0] if found else None
    return list(current.model_fields) if current is not None else []


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]


def _suggestion(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(known)}"


def _repeated_keys(node: yaml.Node) -> Iterator[tuple[int, str]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if str(key.value) in seen:
                yield key.start_mark.line + 1, f"{key.value}: stands here twice"
            seen.add(str(key.value))
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _key_lines(
    node: yaml.Node, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], int]]:
    """The line, from 1, of each field below *node*."""
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            yield from _key_lines(value, below)
            yield below, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _key_lines(item, (*path, str(index)))
