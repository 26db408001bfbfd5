"""The theme file: what an analyst writes. docs/themes.md explains each field with examples."""

import hashlib
import json
import re
from collections.abc import Iterable
from functools import cached_property
from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from transforms.logic.themes.folding import fold
from transforms.logic.themes.terms import check_term, covers, normal_term
from transforms.records import TextField

# Part of every version: raise it when the same file begins to mean something else.
_LANGUAGE = 1

Accents = Literal["exact", "fold"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


def _no_truth(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("yes and no are no numbers")
    return value


Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_no_truth)]


def _check_terms(terms: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for term in terms:
        normal = normal_term(check_term(term))
        if normal in seen:
            raise ValueError(f"{term!r} says the same as {seen[normal]!r}")
        seen[normal] = term
    return terms


def _alone(part: object) -> object:
    return (part,) if isinstance(part, str) else part


Terms = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_check_terms)]
Parts = Annotated[tuple[Annotated[Terms, BeforeValidator(_alone)], ...], Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Thresholds(_Part):
    """The scores from which an article touches a theme, and from which it is about it."""

    mention: Annotated[Number, Field(gt=0)] = 3.0
    focus: Annotated[Number, Field(gt=0)] = 9.0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.mention > self.focus:
            raise ValueError(f"mention ({self.mention:g}) is above focus ({self.focus:g})")
        return self


class Query(_Part):
    """Terms that together say one thing.

    One of `any` must be there, and each of `all`, of which each is a term or a
    list of terms of which one is enough; and none of `none`. With `within`
    they must be there together, in a stretch of that many words.
    """

    id: Annotated[str, Field(pattern=r"^\w+$")] | None = None
    weight: Number = 1.0
    any: Terms = ()
    all: Parts = ()
    none: Terms = ()
    within: Annotated[int, Field(ge=2, description="Words, first and last included.")] | None = None
    field: TextField | None = None

    @model_validator(mode="after")
    def _can_match(self) -> Self:
        if not self.any and not self.all:
            raise ValueError("a query needs terms in any or all")
        if self.within is not None and len(self.parts) + bool(self.none) < 2:
            raise ValueError("within needs two parts: any, none and each one of all are one each")
        for excluded in self.none:
            for term in chain.from_iterable(self.parts):
                if covers(excluded, term):
                    raise ValueError(
                        f"none: {excluded!r} is found wherever {term!r} is, so that {term!r} can "
                        "never match"
                    )
        return self

    @property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """What must be there: of each part, one term."""
        return (*self.all, self.any) if self.any else self.all

    @property
    def slug(self) -> str:
        """A readable id: the first term of each part."""
        words = " ".join(part[0] for part in self.parts)
        return "_".join(re.findall(r"\w+", fold(words, accents=False)))


class Theme(_Part):
    """One policy theme, as its file says it."""

    theme: Name
    title: Annotated[str, Field(min_length=1)]
    description: str = ""
    accents: Accents = "fold"
    codes: dict[Name, Annotated[tuple[str, ...], Field(min_length=1)]] = {}
    title_weight: Annotated[Number, Field(ge=0)] = 2.0
    thresholds: Thresholds = Thresholds()
    queries: Annotated[tuple[Query, ...], Field(min_length=1)] = ()
    terms: Annotated[dict[Number, Terms], Field(min_length=1)] = {}

    @field_validator("queries")
    @classmethod
    def _ids_differ(cls, queries: tuple[Query, ...]) -> tuple[Query, ...]:
        seen: set[str] = set()
        for query in queries:
            if query.id in seen:
                raise ValueError(f"two queries have the id {query.id!r}")
            if query.id is not None:
                seen.add(query.id)
        return queries

    @field_validator("terms")
    @classmethod
    def _terms_differ(cls, terms: dict[float, tuple[str, ...]]) -> dict[float, tuple[str, ...]]:
        seen: dict[str, float] = {}
        for weight, group in terms.items():
            for term in group:
                if (other := seen.setdefault(normal_term(term), weight)) != weight:
                    raise ValueError(f"{term!r} has two weights, {other:g} and {weight:g}")
        return terms

    @model_validator(mode="after")
    def _finds_something(self) -> Self:
        if not any(query.weight > 0 for query in self.by_id.values()):
            raise ValueError("a theme needs terms or queries with a weight above 0")
        return self

    @cached_property
    def by_id(self) -> dict[str, Query]:
        """The queries, then each of the terms as a query of its own, by their ids.

        A query without an id has its slug; equal ones are told apart by a number.
        """
        alone = (
            Query(weight=weight, any=(term,))
            for weight, group in self.terms.items()
            for term in group
        )
        taken = {query.id for query in self.queries}
        named: dict[str, Query] = {}
        for query in (*self.queries, *alone):
            name, number = query.id or query.slug, 1
            while query.id is None and name in taken:
                number += 1
                name = f"{query.slug}_{number}"
            taken.add(name)
            named[name] = query
        return named

    @cached_property
    def version(self) -> str:
        """Hash of what the file means: layout, comments, title and description do not count."""
        meaning = {
            "language": _LANGUAGE,
            "theme": self.theme,
            "accents": self.accents,
            "codes": self.codes,
            "title_weight": self.title_weight,
            "thresholds": self.thresholds.model_dump(),
            "queries": {name: _meaning(query) for name, query in self.by_id.items()},
        }
        canonical = json.dumps(meaning, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]


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


def _meaning(query: Query) -> dict[str, object]:
    """A query without what makes no difference: the order and the spelling of its terms."""
    return {
        "weight": query.weight,
        "parts": sorted(sorted(map(normal_term, part)) for part in query.parts),
        "none": sorted(map(normal_term, query.none)),
        "within": query.within,
        "field": query.field,
    }
