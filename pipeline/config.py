"""The models of configs/, and how their files are read: each problem with file, line and field."""

import difflib
import glob
import hashlib
import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar, get_args

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    model_validator,
)

from pipeline.feeds.model import FeedChoice, FeedSource
from pipeline.quantities import PositiveSpan, Size, TimeSpan, read_span
from pipeline.sinks.base import SinkSettings, settings_of
from pipeline.stats.burst_rules import BurstRule
from transforms.errors import ConfigError
from transforms.logic.documents import FieldNames
from transforms.logic.themes.model import (
    Head,
    Part,
    Theme,
    ThemeError,
    kind_of_file,
    merge,
)
from transforms.logic.themes.syntax import Definitions, QueryError, parse_definition

_M = TypeVar("_M", bound=BaseModel)

_MOST = 1 << 20  # bytes; no theme or configuration is larger
_DEEPEST = 20  # lists and mappings in one another
_Lines = dict[tuple[str, ...], int]


def _count_or_span(value: object) -> object:
    if not isinstance(value, int) or isinstance(value, bool):
        return read_span(value)
    if value < 1:
        raise ValueError(f"{value}: the newest run always stays; write a number from 1")
    return value


def _host_or_network(value: str) -> str:
    if "/" in value or ":" in value:
        ipaddress.ip_network(value)
    elif not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", value):
        raise ValueError(f"{value!r}: write a host name, or a network like 10.0.0.0/8")
    return value


def _known_fields(value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    FieldNames.with_overrides(value)
    return value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Inputs(_Part):
    """What is read."""

    files: tuple[str, ...] = ("seeds/*",)
    feeds: tuple[FeedSource, ...] = ()
    fields: Annotated[dict[str, tuple[str, ...]], AfterValidator(_known_fields)] = {}

    @model_validator(mode="after")
    def _has_some(self) -> Self:
        if not self.files and not self.feeds:
            raise ValueError("files or feeds: there is nothing to read")
        return self


class Timeouts(_Part):
    """How long the network may take: to connect, for the next bytes, for all of a fetch."""

    connect: PositiveSpan = timedelta(seconds=10)
    read: PositiveSpan = timedelta(seconds=20)
    whole: PositiveSpan = timedelta(seconds=60)


class Intervals(_Part):
    """The bounds of the time between two fetches of a feed."""

    least: PositiveSpan = timedelta(minutes=10)
    most: PositiveSpan = timedelta(days=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError("least is more than most")
        return self


class Fetching(_Part):
    """How feeds and pages are fetched."""

    contact: Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,200}$")] | None = None
    per_host: Annotated[int, Field(ge=1, le=100)] = 2
    gap: TimeSpan = timedelta(seconds=1)
    at_once: Annotated[int, Field(ge=1, le=1000)] = 100
    timeouts: Timeouts = Timeouts()
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    interval: Intervals = Intervals()
    allow_private: tuple[Annotated[str, AfterValidator(_host_or_network)], ...] = ()


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


class Stories(_Part):
    """When articles are one story."""

    similar: Annotated[float, Field(gt=0, le=1)] = 0.8


class LedgerChoice(_Part):
    """Where it is remembered what runs saw, and for how long."""

    url: str | None = None
    keep: TimeSpan = timedelta(days=30)

    def url_below(self, out: Path) -> str:
        """The ledger's URL: the one that is set, else that of the SQLite file in *out*."""
        if self.url is not None:
            return os.path.expandvars(self.url)
        return f"sqlite:///{(out / 'ledger.sqlite').absolute()}"


class Deliveries(_Part):
    """How runs are delivered to sinks."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 10
    within: PositiveSpan = timedelta(minutes=1)


def _read_sink(value: object) -> object:
    """The settings of a sink as the model of its kind; its problems are those of this field."""
    if not isinstance(value, dict) or not isinstance(kind := value.get("kind"), str):
        return value
    settings = settings_of(kind).model_validate(value)
    if not settings.parts:
        raise ValueError("a sink without parts is delivered nothing")
    return settings


Sink = Annotated[SerializeAsAny[SinkSettings], BeforeValidator(_read_sink)]


def _distinct(sinks: tuple[SinkSettings, ...]) -> tuple[SinkSettings, ...]:
    names = [sink.name for sink in sinks]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two sinks are called {twice[0]!r}")
    return sinks


class PipelineConfig(_Part):
    """pipeline.yaml; docs/configuration.md explains each field."""

    inputs: Inputs = Inputs()
    themes: Annotated[tuple[str, ...], Field(min_length=1)] = ("themes/*.yaml",)
    out: str = "out"
    keep_runs: Annotated[int | timedelta, BeforeValidator(_count_or_span)] = timedelta(days=30)
    backfill_after: TimeSpan = timedelta(days=7)
    fetching: Fetching = Fetching()
    stories: Stories = Stories()
    ledger: LedgerChoice = LedgerChoice()
    limits: SizeLimits = SizeLimits()
    aggregates: Aggregates = Aggregates()
    bursts: tuple[BurstRule, ...] = ()
    sinks: Annotated[tuple[Sink, ...], AfterValidator(_distinct)] = ()
    deliveries: Deliveries = Deliveries()
    report: bool = False
    runner: RunnerChoice = RunnerChoice()

    def without_secrets(self) -> Self:
        """As it may be shown: the password in the ledger's URL, headers of feeds and what
        sinks hold, which may stand there plainly, are masked."""
        url = self.ledger.url and re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", self.ledger.url)
        feeds = tuple(
            one.without_secrets() if isinstance(one, FeedChoice) else one
            for one in self.inputs.feeds
        )
        return self.model_copy(
            update={
                "ledger": self.ledger.model_copy(update={"url": url}),
                "inputs": self.inputs.model_copy(update={"feeds": feeds}),
                "sinks": tuple(sink.without_secrets() for sink in self.sinks),
            }
        )


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
    main = _File(path)
    config = main.validated(PipelineConfig)
    files = {path: main}
    for number, pattern in enumerate(config.themes if config else ()):
        found = sorted(glob.glob(str(Path(glob.escape(str(path.parent))) / pattern)))
        if not found:
            main.blame(("themes", str(number)), f"no file matches {pattern!r}")
        for file in map(Path, found):
            if file not in files:
                files[file] = _File(file)
    themes = _merged([file for file in files.values() if file is not main])
    names = [theme.theme for theme in themes]
    for number, rule in enumerate(config.bursts if config else ()):
        if rule.theme is not None and rule.theme not in names:
            why = f"no theme is called {rule.theme!r}" + _suggestion(rule.theme, names)
            main.blame(("bursts", str(number), "theme"), why)
    problems = [problem for file in files.values() for problem in file.problems()]
    if problems or config is None:
        raise ConfigError(*problems)
    digest = hashlib.sha256(b"".join(file.content for file in files.values()))
    return LoadedConfig(path, config, themes, digest.hexdigest())


class _File:
    """A YAML file, and what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content = b""
        self.value: Any = None
        self.is_readable = False
        self._lines: _Lines = {}
        self._faults: list[tuple[int, str]] = []  # 0 where there is no line
        try:
            with path.open("rb") as file:
                self.content = file.read(_MOST + 1)
            node, self.value = _parse(self.content)
        except OSError as error:
            self._faults.append((0, str(error.strerror)))
        except _FileError as error:
            self._faults.append((error.line or 0, str(error)))
        else:
            self.is_readable = True
            if node is not None:
                self._lines = dict(_key_lines(node))
                self._faults += _faults(node)

    def validated(self, model: type[_M]) -> _M | None:
        """What the file says, None where there is something wrong with it."""
        if not self.is_readable:
            return None
        validated = None
        try:
            validated = model.model_validate(self.value)
        except ValidationError as error:
            for fault in error.errors():
                # A list with an item at fault would be called empty, too.
                if fault["type"] != "too_short" or not fault["input"]:
                    self.blame(*_problem(fault, model, self.value))
        return None if self._faults else validated

    def blame(self, place: tuple[str, ...], message: str) -> None:
        """Note a problem with the field at *place*."""
        name = ".".join(place) or "file"
        self._faults.append((_line(self._lines, place), f"{name}: {message}"))

    def problems(self) -> list[str]:
        """All problems, in the order of their lines."""
        return [
            f"{self.path}:{line}: {why}" if line else f"{self.path}: {why}"
            for line, why in sorted(self._faults)
        ]

    @property
    def definitions(self) -> dict[str, str]:
        """The named queries of a theme file, also of one with a mistake elsewhere."""
        defined = self.value.get("define") if isinstance(self.value, dict) else None
        items = defined.items() if isinstance(defined, dict) else ()
        return {str(name): text for name, text in items if isinstance(text, str)}


def _merged(files: list[_File]) -> tuple[Theme, ...]:
    """The themes that *files* hold, by name; what is wrong is noted with its file."""
    definitions, broken = _definitions(files)
    heads: dict[str, tuple[Head, _File]] = {}
    parts: dict[str, dict[str, tuple[Part, _File]]] = {}
    # Of these themes not all is known: what seems to be missing may be in a file with a mistake.
    incomplete: set[object] = set()
    for file in files:
        loaded = file.validated(kind_of_file(file.value))
        match loaded:
            case Head(theme=theme):
                if theme in heads:
                    file.blame(("theme",), f"the name {theme!r} is taken by {heads[theme][1].path}")
                heads.setdefault(theme, (loaded, file))
            case Part(theme=theme, language=language):
                known = parts.setdefault(theme, {})
                if language in known:
                    taken_by = known[language][1].path
                    file.blame(("language",), f"{taken_by} is the part of {theme!r} for {language}")
                known.setdefault(language, (loaded, file))
            case None:
                incomplete.add(file.value.get("theme") if isinstance(file.value, dict) else None)
    for theme in parts.keys() - heads.keys() - incomplete:
        guess = _suggestion(theme, sorted(heads)) if heads else ""
        for _, file in parts[theme].values():
            file.blame(("theme",), f"no file is the head of this theme{guess}")
    themes = []
    for theme, head in sorted(heads.items()):
        others = [pair for _, pair in sorted(parts.get(theme, {}).items())]
        sources = [head[1], *(file for _, file in others)]
        try:
            themes.append(merge(head[0], [part for part, _ in others], definitions))
        except ThemeError as error:
            for fault in error.faults:
                is_known = fault.name in broken or (not fault.place and theme in incomplete)
                if not is_known:
                    sources[fault.file].blame(fault.place, fault.message)
    return tuple(themes)


def _definitions(files: list[_File]) -> tuple[Definitions, set[str]]:
    """All named queries by their names, and which of them do not hold."""
    texts: dict[str, str] = {}
    sources: dict[str, _File] = {}
    for file in files:
        for name, text in file.definitions.items():
            if name in sources:
                file.blame(("define", name), f"the name is taken by {sources[name].path}")
            else:
                texts[name], sources[name] = text, file
    definitions = Definitions(texts)
    broken = set()
    for name, file in sources.items():
        try:
            parse_definition(name, definitions)
        except QueryError as error:
            broken.add(name)
            if error.name in (None, name):
                file.blame(("define", name), str(error))
    return definitions, broken


class _FileError(Exception):
    """Why a file cannot be read at all, and in which line that shows."""

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.line = line


# libyaml's reads a theme with hundreds of examples ten times as fast; not every platform has it.
_BaseLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BaseLoader):
    """Says where a value stands that looks like a date or a number, but is none."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            kind = node.tag.rpartition(":")[2]
            raise _FileError(f"{node.value!r} is no {kind}", node.start_mark.line + 1) from error


def _parse(content: bytes) -> tuple[yaml.Node | None, Any]:
    """The nodes of a YAML file, and what it says."""
    if len(content) > _MOST:
        raise _FileError(f"larger than {_MOST:,} bytes")
    try:
        text = content.decode()
        _check_shape(text)
        loader = _Loader(text)
        node = loader.get_single_node()
        value = None if node is None else loader.construct_document(node)
        return node, {} if value is None else value
    except UnicodeDecodeError as error:
        raise _FileError("no UTF-8", content.count(b"\n", 0, error.start) + 1) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _FileError(f"no YAML: the character U+{error.character:04X}", line) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _FileError(f"no YAML: {error.problem}", line) from error


def _check_shape(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise _FileError("aliases are not supported", line)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _FileError(f"more than {_DEEPEST} lists and mappings in one another", line)


# What pydantic says of these is about Python.
_PLAINLY = {
    "tuple_type": "a list is wanted here",
    "too_short": "the list is empty",
    "model_type": "fields with values are wanted here",
    "dict_type": "fields with values are wanted here",
    "string_type": "a text is wanted here; put it in quotes if it looks like a number or yes or no",
    "missing": "this field is needed",
}


def _problem(
    fault: Mapping[str, Any], model: type[BaseModel], value: Any
) -> tuple[tuple[str, ...], str]:
    """Place and message of what pydantic finds wrong in a file that says *value*."""
    place = tuple(str(part) for part in fault["loc"] if part != "[key]")
    message = _PLAINLY.get(fault["type"]) or str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "unknown field" + _suggestion(place[-1], _fields_at(model, place[:-1], value))
    elif fault["type"] == "literal_error":
        message += _suggestion(str(fault["input"]), re.findall(r"'(\w+)'", message))
    return place, message


def _line(lines: _Lines, place: tuple[str, ...]) -> int:
    """The line of a field, or of the nearest around it that the file has."""
    place = tuple(map(_plain_number, place))
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _plain_number(key: str) -> str:
    """One way to write a key that is a number: a weight may be 3 or 3.0."""
    try:
        return f"{float(key):g}"
    except ValueError:
        return key


def _fields_at(model: type[BaseModel], place: tuple[str, ...], value: Any) -> list[str]:
    """The names of the fields that may stand at *place* of a file that says *value*."""
    current: Any = model
    for part in place:
        value = value[int(part) if isinstance(value, list) else part]
        if current is SinkSettings and isinstance(value.get("kind"), str):
            current = settings_of(value["kind"])
        elif current is not None and not part.isdigit():
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


def _faults(node: yaml.Node, place: tuple[str, ...] = ()) -> Iterator[tuple[int, str]]:
    """Line and description of each key that its mapping has twice, and of text that is none."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str | float] = set()
        for key, value in node.value:
            below = (*place, str(key.value))
            if (identity := _identity(key)) in seen:
                yield key.start_mark.line + 1, f"{'.'.join(below)}: stands here twice"
            seen.add(identity)
            yield from _faults(value, below)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _faults(item, (*place, str(index)))
    elif re.search("[\ud800-\udfff]", node.value):
        name = ".".join(place) or "file"
        yield node.start_mark.line + 1, f"{name}: half a surrogate pair is no character"


def _identity(key: yaml.Node) -> str | float:
    """What makes a key another one: 3 and 3.0 are the same weight."""
    try:
        return float(key.value)
    except (TypeError, ValueError):
        return str(key.value)


def _key_lines(
    node: yaml.Node, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], int]]:
    """The line, from 1, of each field below *node*."""
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, _plain_number(str(key.value)))
            yield from _key_lines(value, below)
            yield below, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _key_lines(item, (*path, str(index)))
