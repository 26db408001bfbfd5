"""The query language: from text to an expression and back. docs/themes.md defines it.

Every mistake is a `QueryError` that says what is wrong and at which character.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Self

from lark import Lark, Token, Transformer_NonRecursive, Tree, UnexpectedCharacters, UnexpectedToken
from lark.exceptions import VisitError

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
    Unit,
    children,
    gives_evidence,
    wanted_children,
)
from transforms.logic.themes.spelling import spellings
from transforms.logic.themes.terms import covers, normal_term

LONGEST = 10_000  # characters of a query
DEEPEST = 200  # brackets, fields and operators in one another
LARGEST = 10_000  # parts of a query, with all that its names stand for
_DEEPEST_NAMES = 20  # named queries in one another
_FARTHEST = 1_000  # words
_TOO_DEEP = f"more than {DEEPEST} operators in one another"

_QUOTES = '"“”„‟«»＂'
_RESERVED = r"()\[\]{}|~\^\\"
_LETTER = rf"[^\s{_RESERVED}{_QUOTES}@=:;,<>]"
_END = rf"(?!{_LETTER})"
_PHRASE = f"[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]"

# The basic lexer, so that an operator is one wherever it stands, and a misplaced one is told.
_GRAMMAR = rf"""
?query: either
?either: both
       | both (OR both)+ -> one_of
?both: near
     | unwanted -> all_of
     | (near | unwanted) (AND (near | unwanted) | unwanted)+ -> all_of
unwanted: NOT near
?near: atom
     | atom (PROXIMITY atom)+ -> row
?atom: WORD -> word
     | PHRASE -> phrase
     | EXACT -> exact
     | NAME -> named
     | FIELD atom -> field
     | ATLEAST atom -> at_least
     | LEFT either RIGHT -> brackets

PROXIMITY.3: /(?:NOT\s+)?NEAR\/(?:\d+|[SP]){_END}|ADJ\/\d+{_END}/
ATLEAST.3: /ATLEAST\/\d+{_END}/
OR.2: /OR{_END}/
AND.2: /AND{_END}/
NOT.2: /NOT{_END}/
FIELD.2: /(?:title|lead|text|source|lang):/
NAME.2: /@\w+/
EXACT.2: /=(?:{_PHRASE}|{_LETTER}+)/
PHRASE.2: /{_PHRASE}/
LEFT: "("
RIGHT: ")"
WORD: /{_LETTER}+/
%ignore /\s+/
"""

_OPERANDS = frozenset({"WORD", "PHRASE", "EXACT", "NAME", "FIELD", "ATLEAST", "LEFT"})
_CLOSING = frozenset({"WORD", "PHRASE", "EXACT", "NAME", "RIGHT"})
_FIELDS = ("title", "lead", "text", "source", "lang")

# Where in an article each field is: the lead is part of the text.
_PLACES = {
    "title": frozenset({"title"}),
    "lead": frozenset({"lead"}),
    "text": frozenset({"lead", "rest"}),
}
_EVERYWHERE = frozenset({"title", "lead", "rest"})

_OPERATOR_IN_TERM = re.compile(r"(?<!\S)(?:AND|OR|NOT|(?:NEAR|ADJ|ATLEAST)(?:/\w*)?)(?!\S)")
_UNFINISHED = re.compile(r"(NEAR|ADJ|ATLEAST)/?(\w*)|((?:near|adj|atleast)/\w+)", re.ASCII)
_FOREIGN = re.compile(r"[A-Z]+/[0-9]+|XOR|NEAR[0-9]+|ADJ[0-9]+|ANDNOT|AND/OR")
_WILDCARD = re.compile(r"[*?]")


class QueryError(ValueError):
    """What is wrong with a query, and where.

    Attributes:
        message: For a person, without the place.
        at: The offset in the query's text.
        name: The definition that the mistake is in, or that is made of itself; None where it
            is in the query itself.
    """

    def __init__(self, message: str, at: int, name: str | None = None) -> None:
        super().__init__(f"character {at + 1}: {message}")
        self.message = message
        self.at = at
        self.name = name


class Definitions(Mapping[str, str]):
    """The text that each `@name` in a query stands for; each is read once."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._expressions: dict[str, Expression] = {}

    @classmethod
    def of(cls, texts: Mapping[str, str] | None) -> Self:
        """The same object where *texts* are definitions already."""
        return texts if isinstance(texts, cls) else cls(texts or {})

    def read(self, name: str, path: tuple[str, ...] = ()) -> Expression:
        """What a name stands for; *path* are the names whose definitions use it."""
        if name not in self._expressions:
            builder = _Builder(self, (*path, name))
            self._expressions[name] = builder.build(self._texts[name])
        return self._expressions[name]

    def __getitem__(self, name: str) -> str:
        return self._texts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)


def parse_query(text: str, definitions: Mapping[str, str] | None = None) -> Expression:
    """What a query says.

    Args:
        definitions: The text that each `@name` stands for, by the name; as `Definitions`
            where many queries share them.

    Raises:
        QueryError: It is no query, or one that can never match.
    """
    expression = _Builder(Definitions.of(definitions)).build(text)
    if not gives_evidence(expression):
        raise QueryError(
            "source: and lang: find no words: put AND and what is to be found beside them",
            _first(text),
        )
    return expression


def parse_definition(name: str, definitions: Mapping[str, str]) -> Expression:
    """What the named query *name* says; it may be made of `source:` and `lang:` alone.

    Raises:
        QueryError: As `parse_query`; the place is one in the definition.
    """
    return Definitions.of(definitions).read(name)


def parse_term(text: str) -> Term:
    """An entry of a list of terms: a word or phrase as a whole; `=` before it: the case counts.

    Raises:
        QueryError: It can never match, or is meant to be a query.
    """
    at = len(text) - len(text.lstrip())
    stripped = text.strip()
    if (operator := _OPERATOR_IN_TERM.search(stripped)) and operator[0] != stripped:
        raise QueryError(
            f"{operator[0]!r} is an operator, and stands in queries alone: a term is a word or "
            "phrase",
            at + operator.start(),
        )
    if found := re.match(r"(?:title|lead|text|source|lang):", stripped):
        raise QueryError(f"{found[0]!r} is a field, and stands in queries alone", at)
    if stripped.startswith("@"):
        raise QueryError("a name such as @this stands in queries alone", at)
    if quote := re.search(f"[{_QUOTES}]", stripped):
        raise QueryError("a term is a phrase as a whole: leave out the quotes", at + quote.start())
    exact = stripped.startswith("=")
    return _term(stripped.removeprefix("="), at, inside=at + exact, exact=exact)


def to_text(expression: Expression) -> str:
    """The expression as a query: what `parse_query` makes the same expression of."""
    return _written(expression, 0)


def either(parts: Iterable[Expression]) -> Expression:
    """One of the parts; a single one is itself."""
    flat = tuple(_flattened(parts, Or))
    return flat[0] if len(flat) == 1 else Or(flat)


def both(parts: Iterable[Expression]) -> Expression:
    """Each of the parts; a single one is itself."""
    flat = tuple(_flattened(parts, And))
    return flat[0] if len(flat) == 1 else And(flat)


def _flattened(parts: Iterable[Expression], kind: type[Or] | type[And]) -> Iterator[Expression]:
    for part in parts:
        if isinstance(part, kind):
            yield from part.parts
        else:
            yield part


def _first(text: str) -> int:
    return len(text) - len(text.lstrip())


# Terms


def _term(written: str, at: int, *, inside: int, exact: bool = False) -> Term:
    """A term that can match something.

    Args:
        at: Where the term begins, for what is found later.
        inside: Where *written* begins, after what marks it as a phrase or as exact.
    """
    written = str(written)  # a token shows itself as one
    if reserved := re.search(f"[{_RESERVED}]", written):
        raise QueryError(
            f"{reserved[0]!r} cannot be part of a word or phrase", inside + reserved.start()
        )
    normal = normal_term(written)
    if not any(map(str.isalnum, normal)):
        raise QueryError(f"{written!r} can never match: it has no letter or digit", at)
    for word in re.finditer(r"[^\s'’‐‑–-]+", written):
        if _WILDCARD.search(word[0]) and sum(map(str.isalnum, word[0])) < 3:
            raise QueryError(
                f"{word[0]!r}: a word with a wildcard needs at least 3 letters or digits",
                inside + word.start(),
            )
    composed = " ".join(unicodedata.normalize("NFC", written).split())
    return Term(normal, composed if exact else None, at)


# Reading


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, start="query", parser="lalr", lexer="basic", keep_all_tokens=True)


def _tree(text: str) -> "Tree[Token]":
    if len(text) > LONGEST:
        raise QueryError(f"longer than {LONGEST:,} characters", LONGEST)
    try:
        tokens = list(_parser().lex(text))
    except UnexpectedCharacters as error:
        raise _stray(text, error.pos_in_stream or 0) from None
    if not tokens:
        raise QueryError("the query is empty", 0)
    for token in tokens:
        if token.type == "WORD":
            _check_word(token)
    parsing = _parser().parse_interactive("")
    try:
        for token in tokens:
            parsing.feed_token(token)
        tree: Tree[Token] = parsing.feed_eof(tokens[-1])  # type: ignore[no-untyped-call]
    except UnexpectedToken:
        raise _misplaced(tokens) from None
    _check_depth(tree, _first(text))
    return tree


def _check_depth(tree: "Tree[Token]", at: int) -> None:
    """Refuse what would be too deep an expression, before it is one."""
    waiting = [(tree, 0)]
    while waiting:
        part, depth = waiting.pop()
        if part.data == "row":
            depth += len(part.children) // 2
        elif part.data not in ("brackets", "unwanted"):
            depth += 1
        if depth > DEEPEST:
            raise QueryError(_TOO_DEEP, at)
        waiting += ((child, depth) for child in part.children if isinstance(child, Tree))


def _check_word(word: Token) -> None:
    """Refuse what looks like an operator, of this language or another one, and is none."""
    if unfinished := _UNFINISHED.fullmatch(word):
        operator = (unfinished[1] or unfinished[3].partition("/")[0]).upper()
        if unfinished[3]:
            raise QueryError(
                f"operators are written in capitals: {word.upper()}; or put quotes around "
                f"{str(word)!r}",
                _at(word),
            )
        units = ", NEAR/S for one sentence or NEAR/P for one paragraph"
        raise QueryError(
            f"{str(word)!r}: {operator} needs a slash and a number behind it: {operator}/5"
            + (units if operator == "NEAR" else ""),
            _at(word),
        )
    if _FOREIGN.fullmatch(word):
        raise QueryError(
            f"unknown operator {str(word)!r}; known: AND, OR, NOT, NEAR/5, NEAR/S, NEAR/P, ADJ/5, "
            "ATLEAST/2; put quotes around what is none",
            _at(word),
        )
    if word[0] in "-+!":
        raise QueryError(
            f"{word[0]!r} before a word means nothing"
            + ("" if word[0] == "+" else ": write NOT")
            + "; or put quotes around it",
            _at(word),
        )
    if word in ("&", "&&"):
        raise QueryError(f"{str(word)!r} means nothing: write AND", _at(word))


def _stray(text: str, at: int) -> QueryError:
    """Why no token begins at *at*."""
    char = text[at]
    if char in _QUOTES:
        return QueryError("this quote is not closed", at)
    if char == ":":
        word = re.search(r"\w*$", text[:at])
        if word and word[0] and not word[0].isdigit():
            close = difflib.get_close_matches(word[0].lower(), _FIELDS, n=1)
            guess = (
                f"did you mean {close[0]}:" if close else "known: title, lead, text, source, lang"
            )
            return QueryError(f"unknown field {word[0] + ':'!r}; {guess}", word.start())
    if char == "=":
        return QueryError("'=' stands right before a word or a quoted phrase: =US", at)
    if char == "@":
        return QueryError("'@' stands right before the name of a definition: @name", at)
    instead = {"|": "write OR", ",": "write OR", ";": "write OR", "~": "write NEAR/5"}.get(
        char, "put quotes around what it is part of"
    )
    if char in "[]{}<>":
        instead = "brackets are ( and )"
    if char in "^\\":
        instead = "leave it out"
    return QueryError(f"{char!r} means nothing here: {instead}", at)


def _misplaced(tokens: Sequence[Token]) -> QueryError:
    """What is wrong in a row of tokens that is no query."""
    before: Token | None = None
    open_brackets: list[Token] = []
    for token in tokens:
        operand_ended = before is not None and before.type in _CLOSING
        if operand_ended and token.type in _OPERANDS:
            return _side_by_side(before, token)
        if token.type == "RIGHT":
            if not open_brackets:
                return QueryError("this bracket closes none", _at(token))
            if before is open_brackets[-1]:
                return QueryError("nothing stands in these brackets", _at(before))
            open_brackets.pop()
        if not operand_ended and token.type not in _OPERANDS:
            if before is None or before.type == "LEFT":
                if token.type != "NOT":
                    return QueryError(f"nothing stands before {str(token)!r}", _at(token))
            elif token.type != "NOT" or before.type not in ("AND", "OR"):
                return _unfinished(before, token)
        if token.type == "LEFT":
            open_brackets.append(token)
        before = token
    assert before is not None  # noqa: S101 # no query is not parsed
    if before.type not in _CLOSING:
        return _unfinished(before, None)
    return QueryError("this bracket is not closed", _at(open_brackets[-1]))


def _unfinished(operator: Token, after: Token | None) -> QueryError:
    if operator.type == "NOT" and after is not None and after.type == "PROXIMITY":
        return QueryError(f"NOT {after} is no operator: NOT NEAR/5 is", _at(operator))
    if operator.type == "PROXIMITY" and after is not None and after.type == "NOT":
        return QueryError(f"NOT stands before NEAR: A NOT {operator} B", _at(after))
    return QueryError(f"nothing stands after {str(operator)!r}", _at(operator))


def _side_by_side(before: Token | None, token: Token) -> QueryError:
    for word in (before, token):
        if word is not None and word in ("and", "or", "not"):
            return QueryError(
                f"{str(word)!r} in small letters is a word: write {word.upper()}, or put quotes "
                "around a phrase",
                _at(word),
            )
    return QueryError(
        f"there is no operator between {_short(before)} and {_short(token)}: put quotes around a "
        "phrase, or AND between",
        _at(token),
    )


def _short(token: Token | None) -> str:
    return repr(str(token)[:40])


def _at(token: Token) -> int:
    return token.start_pos or 0


class _Unwanted:
    """A part of a query behind NOT."""

    def __init__(self, operator: Token, expression: Expression) -> None:
        self.at = _at(operator)
        self.expression = expression


class _Builder(Transformer_NonRecursive[Token, Any]):
    """Makes an expression of a tree, from the leaves up.

    Args:
        path: The names that are being looked up, the outermost first.
    """

    def __init__(self, definitions: Definitions, path: tuple[str, ...] = ()) -> None:
        super().__init__(visit_tokens=False)
        self._definitions = definitions
        self._path = path

    def build(self, text: str) -> Expression:
        try:
            expression: Expression = self.transform(_tree(text))
        except VisitError as error:
            if isinstance(error.orig_exc, QueryError):
                raise error.orig_exc from None
            raise
        _check_size(expression, _first(text))
        return expression

    def word(self, parts: list[Token]) -> Expression:
        (word,) = parts
        return _term(word, _at(word), inside=_at(word))

    def phrase(self, parts: list[Token]) -> Expression:
        (phrase,) = parts
        return self._quoted(phrase, _at(phrase), exact=False)

    def exact(self, parts: list[Token]) -> Expression:
        (written,) = parts
        at, word = _at(written), written[1:]
        if word[0] in _QUOTES:
            return self._quoted(word, at + 1, exact=True)
        return _term(word, at, inside=at + 1, exact=True)

    def _quoted(self, phrase: str, at: int, *, exact: bool) -> Term:
        if not phrase[1:-1].strip():
            raise QueryError("nothing stands in these quotes", at)
        return _term(phrase[1:-1], at, inside=at + 1, exact=exact)

    def named(self, parts: list[Token]) -> Expression:
        (reference,) = parts
        name, at = reference[1:], _at(reference)
        if name not in self._definitions:
            close = difflib.get_close_matches(name, self._definitions, n=1)
            guess = f"; did you mean @{close[0]}?" if close else ""
            raise QueryError(f"no definition has the name @{name}{guess}", at)
        if name in self._path:
            circle = " → ".join(f"@{one}" for one in (*self._path[self._path.index(name) :], name))
            raise QueryError(f"@{name} is made of itself: {circle}", at, name)
        if len(self._path) >= _DEEPEST_NAMES:
            raise QueryError(f"more than {_DEEPEST_NAMES} names in one another", at)
        try:
            expression = self._definitions.read(name, self._path)
        except QueryError as error:
            raise QueryError(f"in @{name}: {error.message}", at, error.name or name) from None
        moved: Expression = _moved(expression, at)
        return moved

    def brackets(self, parts: list[Any]) -> Expression:
        inner: Expression = parts[1]
        return inner

    def field(self, parts: list[Any]) -> Expression:
        written, inner = parts
        match written[:-1]:
            case "source":
                return Stated("source", _name(written, inner).words)
            case "lang":
                code = _name(written, inner).words
                if not re.fullmatch(r"[a-z]{2,3}", code):
                    raise QueryError(
                        f"{code!r} is no language: write a code such as de or en", _at(written)
                    )
                return Stated("lang", code)
            case name:
                _needs_words(inner, written)
                expression = InField(name, inner)
                for term, places in _placed_terms(expression, _EVERYWHERE):
                    if not places:
                        raise QueryError(
                            f"{term.words!r} can never match: it is looked for in two fields at "
                            "once",
                            _at(written),
                        )
                return expression

    def at_least(self, parts: list[Any]) -> Expression:
        operator, inner = parts
        _needs_words(inner, operator)
        return AtLeast(_number(operator), inner)

    def row(self, parts: list[Any]) -> Expression:
        left: Expression = parts[0]
        for operator, right in zip(parts[1::2], parts[2::2], strict=True):
            left = self._joined(left, operator, right)
        return left

    def _joined(self, left: Expression, operator: Token, right: Expression) -> Expression:
        _needs_words(left, operator)
        _needs_words(right, operator)
        unit = _unit(operator)
        distance = 0 if unit else _number(operator)
        if operator.startswith("NOT"):
            _check_possible(left, right)
            return NotNear(left, right, distance or None, unit)
        if not _may_be_near(left, right):
            raise QueryError(
                f"{str(operator)!r} can never match: one side is in the title, the other in the "
                "text",
                _at(operator),
            )
        if unit:
            return Together(left, right, unit)
        return Near(left, right, distance, ordered=operator.startswith("ADJ"))

    def unwanted(self, parts: list[Any]) -> _Unwanted:
        operator, inner = parts
        return _Unwanted(operator, inner)

    def all_of(self, parts: list[Any]) -> Expression:
        parts = [part for part in parts if not isinstance(part, Token)]
        unwanted = [part for part in parts if isinstance(part, _Unwanted)]
        wanted = [part for part in parts if not isinstance(part, _Unwanted)]
        if not wanted:
            raise QueryError(
                "NOT needs something beside it that is wanted: A NOT B", unwanted[0].at
            )
        if not unwanted:
            return both(wanted)
        found = both(wanted)
        for part in unwanted:
            _check_possible(found, part.expression)
        excluded = [part.expression for part in unwanted]
        return AndNot(found, excluded[0] if len(excluded) == 1 else either(excluded))

    def one_of(self, parts: list[Any]) -> Expression:
        alternatives = parts[::2]
        with_words = gives_evidence(alternatives[0])
        for operator, alternative in zip(parts[1::2], alternatives[1:], strict=True):
            if gives_evidence(alternative) != with_words:
                raise QueryError(
                    "source: and lang: find no words: AND stands between them and what is to be "
                    "found, not OR",
                    _at(operator),
                )
        return either(alternatives)


def _name(field: Token, inner: Expression) -> Term:
    if isinstance(inner, Term) and inner.exact is None:
        return inner
    example = "lang:de" if field == "lang:" else 'source:"BBC News"'
    raise QueryError(
        f"{field} takes one word or quoted phrase: {example}; join several with OR", _at(field)
    )


def _needs_words(expression: Expression, operator: Token) -> None:
    if not gives_evidence(expression):
        raise QueryError(
            f"source: and lang: find no words: they cannot stand with {str(operator)!r}, but with "
            "AND and NOT",
            _at(operator),
        )


def _number(operator: Token) -> int:
    digits = operator.rpartition("/")[2]
    number = int(digits) if len(digits) < 6 else _FARTHEST + 1
    if not 1 <= number <= _FARTHEST:
        raise QueryError(
            f"{str(operator)!r}: the number is from 1 (neighbours are 1 apart) to {_FARTHEST:,}"
            if operator.type == "PROXIMITY"
            else f"{str(operator)!r}: the number is from 1 to {_FARTHEST:,}",
            _at(operator),
        )
    return number


def _unit(operator: Token) -> Unit | None:
    if operator.endswith("/S"):
        return "sentence"
    return "paragraph" if operator.endswith("/P") else None


def _moved(expression: Any, at: int) -> Any:
    """An expression, or a tuple of some, with all terms at one place; all else is itself."""
    match expression:
        case Term(words, exact):
            return Term(words, exact, at)
        case tuple():
            return tuple(_moved(part, at) for part in expression)
        case Or() | And() | AndNot() | Near() | Together() | NotNear() | InField() | AtLeast():
            values = (getattr(expression, name) for name in expression.__slots__)
            return type(expression)(*(_moved(value, at) for value in values))
        case _:
            return expression


# What can match


def _check_possible(wanted: Expression, unwanted: Expression) -> None:
    """Refuse a wanted term that is never there without what is unwanted."""
    sufficient = [
        (other, places, tuple(map(_longest_literal, _spellings(other.words))))
        for other, places in _sufficient_terms(unwanted, _EVERYWHERE)
    ]
    for term, places in _placed_terms(wanted, _EVERYWHERE):
        spelled = _spellings(term.words)
        for other, elsewhere, literals in sufficient:
            # Few pairs have letters in common, and looking closer takes long.
            alike = any(literal in spelling for literal in literals for spelling in spelled)
            if alike and places <= elsewhere and _covers(other, term):
                raise QueryError(
                    f"{term.exact or term.words!r} can never match: "
                    f"{other.exact or other.words!r}, which is unwanted, is found wherever it is",
                    term.at,
                )


_spellings = lru_cache(maxsize=10_000)(spellings)


def _longest_literal(words: str) -> str:
    return max(_WILDCARD.split(words), key=len)


def _placed_terms(
    expression: Expression, places: frozenset[str]
) -> Iterator[tuple[Term, frozenset[str]]]:
    """The terms that may be words of a match, and the places where they are looked for."""
    if isinstance(expression, Term):
        yield expression, places
    elif isinstance(expression, InField):
        places &= _PLACES[expression.field]
    for child in wanted_children(expression):
        yield from _placed_terms(child, places)


def _sufficient_terms(
    expression: Expression, places: frozenset[str]
) -> Iterator[tuple[Term, frozenset[str]]]:
    """The terms of which each alone makes the expression match, in these places."""
    match expression:
        case Term():
            yield expression, places
        case Or(parts):
            for part in parts:
                yield from _sufficient_terms(part, places)
        case InField(name, inner):
            yield from _sufficient_terms(inner, places & _PLACES[name])


def _covers(pattern: Term, term: Term) -> bool:
    """Whether *pattern* is found wherever *term* is."""
    if pattern.exact is not None:
        return pattern.exact == term.exact
    return covers(pattern.words, term.words)


def _may_be_near(left: Expression, right: Expression) -> bool:
    """Whether both may be in the title, or both in the text."""
    one, other = (
        {place == "title" for _, places in _placed_terms(side, _EVERYWHERE) for place in places}
        for side in (left, right)
    )
    return bool(one & other)


def _check_size(expression: Expression, at: int) -> None:
    waiting = [(expression, 1)]
    size = 0
    while waiting:
        part, depth = waiting.pop()
        size += 1
        if depth > DEEPEST:
            raise QueryError(_TOO_DEEP, at)
        if size > LARGEST:
            raise QueryError(
                f"more than {LARGEST:,} parts, with those that the names stand for", at
            )
        waiting += ((child, depth + 1) for child in children(part))


# Writing

_EITHER, _BOTH, _NEAR, _ATOM = range(4)  # from loose to tight


def _written(expression: Expression, least: int) -> str:
    """An expression, in brackets where it binds less than *least*."""
    text, tightness = _bare(expression)
    return f"({text})" if tightness < least else text


def _bare(expression: Expression) -> tuple[str, int]:
    match expression:
        case Term(words, exact):
            return (_quoted(words) if exact is None else "=" + _quoted(exact)), _ATOM
        case Stated(name, pattern):
            return f"{name}:{_quoted(pattern)}", _ATOM
        case Or(parts):
            return " OR ".join(_written(part, _BOTH) for part in parts), _EITHER
        case And(parts):
            return " AND ".join(_written(part, _NEAR) for part in parts), _BOTH
        case AndNot(wanted, unwanted):
            least = _BOTH if isinstance(wanted, And) else _NEAR
            return f"{_written(wanted, least)} NOT {_written(unwanted, _NEAR)}", _BOTH
        case Near(left, right, distance, ordered):
            operator = f"{'ADJ' if ordered else 'NEAR'}/{distance}"
        case Together(left, right, unit):
            operator = f"NEAR/{unit[0].upper()}"
        case NotNear(left, right, distance, unit):
            operator = f"NOT NEAR/{unit[0].upper() if unit else distance}"
        case InField(name, inner):
            return f"{name}:{_written(inner, _ATOM)}", _ATOM
        case AtLeast(count, inner):
            return f"ATLEAST/{count} ({_written(inner, _EITHER)})", _ATOM
    return f"{_written(left, _NEAR)} {operator} {_written(right, _ATOM)}", _NEAR


def _quoted(words: str) -> str:
    """A word as it is, in quotes where it would be read as something else."""
    plain = re.fullmatch(rf"(?![-+!&]){_LETTER}+", words)
    if plain and not _OPERATOR_IN_TERM.fullmatch(words) and not _looks_like_operator(words):
        return words
    return f'"{words}"'


def _looks_like_operator(word: str) -> bool:
    return bool(_UNFINISHED.fullmatch(word) or _FOREIGN.fullmatch(word))
