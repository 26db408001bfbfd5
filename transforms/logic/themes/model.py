"""Themes: the files that analysts write, and what they say together. docs/themes.md explains both.

A theme is a head and a part for each language, each a file; a library is a file
of definitions alone. `merge` makes one `Theme` of a head and its parts.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from transforms.logic.themes.expressions import (
    And,
    AndNot,
    AtLeast,
    Expression,
    InField,
    Near,
    NotNear,
    Or,
    Stated,
    Term,
    Together,
    wanted_children,
)
from transforms.logic.themes.folding import fold
from transforms.logic.themes.syntax import Definitions, QueryError, parse_query, parse_term
from transforms.records import CodeSet, Level

# Part of every version: raise it when the same file begins to mean something else.
_MEANING = 2

_LONGEST_SLUG = 60  # characters

Accents = Literal["exact", "fold"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("yes and no are no numbers")
    return value


Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_no_truth)]


def _check_term(text: str) -> str:
    parse_term(text)
    return text


Terms = Annotated[tuple[Annotated[str, AfterValidator(_check_term)], ...], Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


# Files


class Thresholds(_Model):
    """The scores from which an article touches a theme, and from which it is about it."""

    mention: Annotated[Number, Field(gt=0)] = 3.0
    focus: Annotated[Number, Field(gt=0)] = 9.0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.mention > self.focus:
            raise ValueError(f"mention ({self.mention:g}) is above focus ({self.focus:g})")
        return self


class WeightedQuery(_Model):
    """A query in the language of `syntax`, and what its first match adds to the score."""

    id: Annotated[str, Field(pattern=r"^\w+$")] | None = None
    weight: Number = 1.0
    query: str


class Example(_Model):
    """A piece of an article that is not to match; a text alone may stand for it."""

    title: str = ""
    text: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.title.strip() and not self.text.strip():
            raise ValueError("an example needs a title or a text")
        return self


class MatchingExample(Example):
    """A piece of an article that is to match, at this level."""

    level: Level


def _text_alone(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


class Examples(_Model):
    """What a theme is to find, and what not."""

    should_match: tuple[MatchingExample, ...] = ()
    should_not_match: tuple[Annotated[Example, BeforeValidator(_text_alone)], ...] = ()


class Library(_Model):
    """A file of definitions: queries that others refer to by `@name`."""

    define: dict[Name, str]


class _WithRules(_Model):
    theme: Name
    define: dict[Name, str] = {}
    terms: Annotated[dict[Number, Terms], Field(min_length=1)] = {}
    queries: Annotated[tuple[WeightedQuery, ...], Field(min_length=1)] = ()
    examples: Examples = Examples()


class Part(_WithRules):
    """A theme's file for one language."""

    language: Language

    @field_validator("language")
    @classmethod
    def _is_known(cls, language: str) -> str:
        if language == "und":
            raise ValueError("what applies in every language stands in the theme's head")
        return language


class Head(_WithRules):
    """A theme's first file; its own rules apply in every language."""

    title: Annotated[str, Field(min_length=1)]
    description: str = ""
    accents: Accents = "fold"
    codes: dict[Name, CodeSet] = {}
    title_weight: Annotated[Number, Field(ge=0)] = 2.0
    lead_weight: Annotated[Number, Field(ge=0)] = 1.5
    thresholds: Thresholds = Thresholds()


def kind_of_file(values: object) -> type[Head] | type[Part] | type[Library]:
    """Which model the *values* of a file are meant for."""
    if isinstance(values, Mapping):
        if "language" in values:
            return Part
        if "define" in values and not {"theme", "title"} & values.keys():
            return Library
    return Head


# What they say together


@dataclass(frozen=True, slots=True)
class Rule:
    """A term or a query, with its weight.

    Attributes:
        language: The language of the articles that it applies to; None: all.
        query: As it was written.
    """

    id: str
    weight: float
    language: str | None
    query: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class ThemeExample:
    """An example of a theme; without a level it is one that is not to match."""

    language: str | None
    title: str
    text: str
    level: Level | None


@dataclass(frozen=True)
class Theme:
    """One policy theme, as all its files say it."""

    theme: str
    title: str
    description: str
    codes: Mapping[str, CodeSet]
    accents: Accents
    title_weight: float
    lead_weight: float
    thresholds: Thresholds
    rules: tuple[Rule, ...]
    examples: tuple[ThemeExample, ...]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that it has rules of their own for, sorted."""
        return tuple(sorted({rule.language for rule in self.rules if rule.language}))

    @cached_property
    def version(self) -> str:
        """Hash of what the files mean.

        Layout, comments, order, title, description and examples do not count, and neither
        does how a query is written. A changed definition counts where it is used.
        """
        meaning = {
            "meaning": _MEANING,
            "theme": self.theme,
            "accents": self.accents,
            "codes": {name: codes.model_dump() for name, codes in self.codes.items()},
            "title_weight": self.title_weight,
            "lead_weight": self.lead_weight,
            "thresholds": self.thresholds.model_dump(),
            "rules": {
                rule.id: [rule.weight, rule.language, meaning_of(rule.expression)]
                for rule in self.rules
            },
        }
        canonical = json.dumps(meaning, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


class Fault(NamedTuple):
    """A mistake in one of the files of a theme.

    Attributes:
        file: 0 is the head, 1 the first part.
        place: The field, from the outermost to the innermost.
        name: The definition that the mistake is in, if it is in one.
    """

    file: int
    place: tuple[str, ...]
    message: str
    name: str | None = None

    def __str__(self) -> str:
        return f"{'.'.join(self.place) or 'file'}: {self.message}"


class ThemeError(ValueError):
    """What is wrong with a theme, all of it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


def merge(
    head: Head, parts: Sequence[Part] = (), definitions: Mapping[str, str] | None = None
) -> Theme:
    """The theme that a head and its parts are together.

    Args:
        definitions: What the names in queries stand for; by default what *head*
            and *parts* define.

    Raises:
        ThemeError: A query does not hold, two rules contradict each other, or no
            rule can find anything.
    """
    files: tuple[Head | Part, ...] = (head, *parts)
    if definitions is None:
        definitions = {name: text for file in files for name, text in file.define.items()}
    definitions = Definitions.of(definitions)
    faults: list[Fault] = []
    written: list[_Written] = []
    for number, file in enumerate(files):
        for rule in _rules_of(file, number, definitions):
            if isinstance(rule, Fault):
                faults.append(rule)
            else:
                written.append(rule)
    faults += _repeated_ids(written)
    faults += _contradictions(written, files)
    if not faults and not any(rule.weight > 0 for rule in written):
        faults.append(Fault(0, (), "a theme needs terms or queries with a weight above 0"))
    if faults:
        raise ThemeError(sorted(faults, key=lambda fault: fault.file))
    return Theme(
        theme=head.theme,
        title=head.title,
        description=head.description,
        codes=head.codes,
        accents=head.accents,
        title_weight=head.title_weight,
        lead_weight=head.lead_weight,
        thresholds=head.thresholds,
        rules=tuple(
            Rule(name, rule.weight, rule.language, rule.query, rule.expression)
            for name, rule in zip(_ids(written), written, strict=True)
        ),
        examples=tuple(example for file in files for example in _examples_of(file)),
    )


def check_themes(themes: Iterable[Theme]) -> None:
    """Raise ValueError where two themes have one name."""
    seen: dict[str, Theme] = {}
    for theme in themes:
        if other := seen.get(theme.theme):
            raise ValueError(
                f"two themes have the name {theme.theme!r}: {other.title!r} and {theme.title!r}"
            )
        seen[theme.theme] = theme


def versions_hash(themes: Iterable[Theme]) -> str:
    """Hash of the versions of all *themes*: the same where an article would be classified alike."""
    versions = sorted((theme.theme, theme.version) for theme in themes)
    return hashlib.sha256(json.dumps(versions).encode()).hexdigest()[:16]


def meaning_of(expression: Expression) -> list[Any]:
    """An expression without what makes no difference: the same for two that find the same.

    The order of the parts does not count where it means nothing.
    """
    match expression:
        case Term(words, exact):
            return ["term", words] if exact is None else ["exact", exact]
        case Stated(name, pattern):
            return [name, pattern]
        case Or(parts) | And(parts):
            return [type(expression).__name__.lower(), *_any_order(parts)]
        case Near(left, right, distance, ordered=False):
            return ["near", distance, *_any_order((left, right))]
        case Near(left, right, distance):
            return ["adj", distance, meaning_of(left), meaning_of(right)]
        case Together(left, right, unit):
            return ["near", unit, *_any_order((left, right))]
        case AndNot(wanted, unwanted):
            return ["not", meaning_of(wanted), meaning_of(unwanted)]
        case NotNear(wanted, unwanted, distance, unit):
            return ["not near", unit or distance, meaning_of(wanted), meaning_of(unwanted)]
        case InField(name, inner):
            return ["in", name, meaning_of(inner)]
        case AtLeast(count, inner):
            return ["at least", count, meaning_of(inner)]


def _any_order(parts: Iterable[Expression]) -> list[list[Any]]:
    return sorted(map(meaning_of, parts), key=repr)


@dataclass(frozen=True, slots=True)
class _Written:
    """A rule, and where it is written."""

    id: str | None
    weight: float
    language: str | None
    query: str
    expression: Expression
    file: int
    place: tuple[str, ...]

    @property
    def slug(self) -> str:
        """A readable id: its first words, after its language."""
        words = " ".join(_first_words(self.expression))
        slug = "_".join(re.findall(r"\w+", fold(words, accents=False)))[:_LONGEST_SLUG]
        return f"{self.language}_{slug}" if self.language else slug

    def speaks_with(self, other: "_Written") -> bool:
        """Whether there are articles that both apply to by their language."""
        return None in (self.language, other.language) or self.language == other.language


def _rules_of(
    file: Head | Part, number: int, definitions: Mapping[str, str]
) -> Iterator[_Written | Fault]:
    language = file.language if isinstance(file, Part) else None
    for index, query in enumerate(file.queries):
        place = ("queries", str(index), "query")
        try:
            expression = parse_query(query.query, definitions)
        except QueryError as error:
            yield Fault(number, place, str(error), error.name)
        else:
            yield _Written(query.id, query.weight, language, query.query, expression, number, place)
    for weight, terms in file.terms.items():
        for index, term in enumerate(terms):
            place = ("terms", f"{weight:g}", str(index))
            yield _Written(None, weight, language, term, parse_term(term), number, place)


def _examples_of(file: Head | Part) -> Iterator[ThemeExample]:
    language = file.language if isinstance(file, Part) else None
    for wanted in file.examples.should_match:
        yield ThemeExample(language, wanted.title, wanted.text, wanted.level)
    for unwanted in file.examples.should_not_match:
        yield ThemeExample(language, unwanted.title, unwanted.text, None)


def _repeated_ids(written: Iterable[_Written]) -> Iterator[Fault]:
    seen: set[str] = set()
    for rule in written:
        if rule.id in seen:
            place = (*rule.place[:-1], "id")
            yield Fault(rule.file, place, f"two queries have the id {rule.id!r}")
        if rule.id is not None:
            seen.add(rule.id)


def _contradictions(written: Iterable[_Written], files: Sequence[Head | Part]) -> Iterator[Fault]:
    """Rules that say the same as one before them in the same language."""
    seen: dict[str, list[_Written]] = {}
    for rule in written:
        same = seen.setdefault(repr(meaning_of(rule.expression)), [])
        for other in same:
            if rule.speaks_with(other):
                where = "" if other.file == rule.file else f" in {_file_name(files[other.file])}"
                yield Fault(
                    rule.file,
                    rule.place,
                    f"{rule.query!r} says the same as {other.query!r}{where}"
                    if rule.weight == other.weight
                    else f"{rule.query!r} has two weights, {other.weight:g}{where} and "
                    f"{rule.weight:g}",
                )
                break
        same.append(rule)


def _file_name(file: Head | Part) -> str:
    return f"the part for {file.language}" if isinstance(file, Part) else "the head"


def _ids(written: Sequence[_Written]) -> list[str]:
    """An id for each rule; those with the same slug are told apart by a number.

    The numbers do not depend on where in its file a rule stands.
    """
    ids = {at: rule.id for at, rule in enumerate(written) if rule.id is not None}
    taken = set(ids.values())
    unnamed = [
        (rule.slug, repr(meaning_of(rule.expression)), at)
        for at, rule in enumerate(written)
        if rule.id is None
    ]
    for slug, _, at in sorted(unnamed):
        name, number = slug, 1
        while name in taken:
            number += 1
            name = f"{slug}_{number}"
        taken.add(name)
        ids[at] = name
    return [ids[at] for at in range(len(written))]


def _first_words(expression: Expression) -> Iterator[str]:
    """The first term of each part that must be there."""
    match expression:
        case Term(words):
            yield words
        case Or(parts):
            yield from _first_words(parts[0])
        case _:
            for child in wanted_children(expression):
                yield from _first_words(child)
