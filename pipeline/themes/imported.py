"""Rules of other systems as theme files, with a note of all that could not be carried over."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from transforms.errors import ConfigError
from transforms.logic.themes.expressions import Expression, Term
from transforms.logic.themes.folding import fold
from transforms.logic.themes.syntax import QueryError, parse_query, parse_term, to_text

MOST_BYTES = 50_000_000


class Note(NamedTuple):
    """Something that the theme files do not say as the original did."""

    place: str  # file:line, or file:line:column
    theme: str  # its name in the theme files
    what: str


@dataclass
class ImportedTheme:
    """A theme as it will be written.

    Attributes:
        codes: Version and codes, by the name of the other vocabulary.
        terms: Words and phrases by their weight and normal form.
    """

    name: str
    title: str
    description: str
    mention: float
    focus: float
    language: str | None = None
    codes: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    terms: dict[float, dict[str, str]] = field(default_factory=dict)
    queries: list[dict[str, Any]] = field(default_factory=list)

    def finds_something(self) -> bool:
        """Whether a rule is left that speaks for the theme."""
        return any(weight > 0 and terms for weight, terms in self.terms.items()) or any(
            query["weight"] > 0 for query in self.queries
        )


class Importing:
    """Gathers themes and notes while a file is read."""

    def __init__(self) -> None:
        self.themes: dict[str, ImportedTheme] = {}
        self.definitions: dict[str, str] = {}
        self.notes: list[Note] = []

    def note(self, place: str, theme: str, what: str) -> None:
        """Note what is not as it was in the original."""
        self.notes.append(Note(place, theme, what))

    def define(self, name: str, expression: Expression) -> None:
        """Add a named sub-query."""
        self.definitions[name] = to_text(expression)

    def term(self, words: str, place: str, theme: str) -> Term | None:
        """*words* as a word or phrase of a rule; None, and noted, where they can be none."""
        try:
            return parse_term(words)
        except QueryError as error:
            self.note(place, theme, f"left out: {words!r}: {error.message}")
            return None

    def add_term(self, theme: ImportedTheme, words: str, weight: float, place: str) -> None:
        """Add a word or phrase, or note why it cannot be one."""
        term = self.term(words, place, theme.name)
        if term is None:
            return
        for other, terms in theme.terms.items():
            if term.words in terms:
                self.note(
                    place,
                    theme.name,
                    f"{words!r} stands there twice and is written once"
                    if other == weight
                    else f"left out: {words!r} with the weight {weight:g}: it stands there before "
                    f"with {other:g}",
                )
                return
        theme.terms.setdefault(weight, {})[term.words] = words

    def add_query(
        self, theme: ImportedTheme, expression: Expression, weight: float, place: str, name: str
    ) -> None:
        """Add a query, or note why it cannot be one."""
        query = to_text(expression)
        try:
            parse_query(query)
        except QueryError as error:
            self.note(place, theme.name, f"left out: {query!r}: {error.message}")
            return
        number = sum(one["id"].startswith(name) for one in theme.queries)
        theme.queries.append(
            {
                "id": f"{name}_{number + 1}" if number else name,
                "weight": plain(weight),
                "query": query,
            }
        )


def identifier(title: str) -> str:
    """*title* as the name of a theme, a query or a definition."""
    name = "_".join(re.findall(r"[a-z0-9]+", fold(title, accents=False)))
    return name if name[:1].isalpha() else f"theme_{name}".rstrip("_")


def plain(number: float) -> float:
    """10 for 10.0, as a person would write it."""
    return int(number) if number == int(number) else number


def read_text(path: Path) -> str:
    """The text of a file to import.

    Raises:
        ConfigError: it cannot be read, is too large or is no UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ConfigError(f"{path}: larger than {MOST_BYTES:,} bytes")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: no UTF-8") from error


class _Flow(list[str]):
    """A list that is written within lines."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(
    _Flow,
    lambda dumper, terms: dumper.represent_sequence(
        "tag:yaml.org,2002:seq", terms, flow_style=True
    ),
)


def write_themes(importing: Importing, out: Path, source: str) -> list[Path]:
    """Write what was gathered as theme files into *out*: a head and a part for the language.

    Themes in which nothing is left are noted, not written.

    Raises:
        ConfigError: a file is there already, or cannot be written.
    """
    files: dict[str, dict[str, Any]] = {}
    for name, theme in sorted(importing.themes.items()):
        if not theme.finds_something():
            importing.note(source, name, "not written: no rule is left that could find it")
            continue
        head: dict[str, Any] = {"theme": name, "title": theme.title}
        if theme.description:
            head["description"] = theme.description
        if theme.codes:
            head["codes"] = {
                name: {"version": version, "codes": _Flow(codes)}
                for name, (version, codes) in theme.codes.items()
            }
        # The originals count a match the same wherever it stands.
        head |= {"title_weight": 1, "lead_weight": 1}
        head["thresholds"] = {"mention": plain(theme.mention), "focus": plain(theme.focus)}
        rules = _rules(theme)
        if theme.language is None:
            files[f"{name}.yaml"] = head | rules
        else:
            files[f"{name}.yaml"] = head
            part = {"theme": name, "language": theme.language}
            files[f"{name}.{theme.language}.yaml"] = part | rules
    if importing.definitions:
        files[f"{identifier(Path(source).stem)}_definitions.yaml"] = {
            "define": dict(importing.definitions)
        }
    try:
        out.mkdir(parents=True, exist_ok=True)
        if there := [str(out / name) for name in files if (out / name).exists()]:
            raise ConfigError(*(f"{path}: is there already" for path in there))
        for name, content in files.items():
            text = yaml.dump(
                content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
            )
            (out / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}") from error
    return [out / name for name in files]


def _rules(theme: ImportedTheme) -> dict[str, Any]:
    rules: dict[str, Any] = {}
    terms = {
        plain(weight): _Flow(said.values())
        for weight, said in sorted(theme.terms.items(), reverse=True)
        if said
    }
    if terms:
        rules["terms"] = terms
    if theme.queries:
        rules["queries"] = theme.queries
    return rules
