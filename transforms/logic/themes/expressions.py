"""What a query says, as a tree: the contract between the parser and the matcher.

The parser guarantees: `Or` and `And` have two parts or more, none of which is
of the same kind; references are replaced by what they stand for; a query as a
whole, and each operand of `Near`, `Together`, `NotNear`, `InField` and
`AtLeast`, gives evidence (`gives_evidence`); an `And` may have parts that do
not, and so may the unwanted side of `AndNot`, which only hold or do not hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Unit = Literal["sentence", "paragraph"]
QueryField = Literal["title", "lead", "text"]
Property = Literal["source", "lang"]


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase, maybe with wildcards.

    Attributes:
        words: As it is compared, accents kept: what `normal_term` makes of it.
        exact: As it was written (NFC), where case counts.
        at: Where it begins in the query's text.
    """

    words: str
    exact: str | None = None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """One of the parts."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class And:
    """Each of the parts, anywhere in the article."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class AndNot:
    """What is wanted, where what is unwanted is nowhere in the article."""

    wanted: "Expression"
    unwanted: "Expression"


@dataclass(frozen=True, slots=True)
class Near:
    """Both, at most *distance* words apart; the left one first if *ordered*."""

    left: "Expression"
    right: "Expression"
    distance: int
    ordered: bool


@dataclass(frozen=True, slots=True)
class Together:
    """Both, in one sentence or one paragraph."""

    left: "Expression"
    right: "Expression"
    unit: Unit


@dataclass(frozen=True, slots=True)
class NotNear:
    """What is wanted, where nothing unwanted is near: either *distance* or *unit* says how near."""

    wanted: "Expression"
    unwanted: "Expression"
    distance: int | None
    unit: Unit | None


@dataclass(frozen=True, slots=True)
class InField:
    """What is found in one field alone; the lead is the beginning of the text."""

    field: QueryField
    inner: "Expression"


@dataclass(frozen=True, slots=True)
class Stated:
    """Holds where the article's source or language is this; there are no words to show for it."""

    field: Property
    pattern: str


@dataclass(frozen=True, slots=True)
class AtLeast:
    """So many matches, or none counts."""

    count: int
    inner: "Expression"


Expression = Term | Or | And | AndNot | Near | Together | NotNear | InField | Stated | AtLeast


def children(expression: Expression) -> tuple[Expression, ...]:
    """What an expression is directly made of, in the order of the query."""
    match expression:
        case Or(parts) | And(parts):
            return parts
        case Near(left, right) | Together(left, right):
            return left, right
        case AndNot(wanted, unwanted) | NotNear(wanted, unwanted):
            return wanted, unwanted
        case InField(inner=inner) | AtLeast(inner=inner):
            return (inner,)
        case _:
            return ()


def wanted_children(expression: Expression) -> tuple[Expression, ...]:
    """The children without an unwanted one."""
    if isinstance(expression, AndNot | NotNear):
        return (expression.wanted,)
    return children(expression)


def wanted_terms(expression: Expression) -> Iterator[Term]:
    """The terms that may be words of a match."""
    if isinstance(expression, Term):
        yield expression
    for child in wanted_children(expression):
        yield from wanted_terms(child)


def gives_evidence(expression: Expression) -> bool:
    """Whether a match of it has words; what has none only holds or does not hold."""
    if isinstance(expression, Term | Stated):
        return isinstance(expression, Term)
    return any(map(gives_evidence, wanted_children(expression)))
