"""Generated themes, and articles made to collide with them."""

import unicodedata
from typing import NamedTuple

from hypothesis import strategies as st

from tests.unit.themes.oracle import TWO_SPELLINGS
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
)
from transforms.logic.themes.model import Rule, Theme, Thresholds
from transforms.logic.themes.syntax import QueryError, parse_term
from transforms.logic.themes.terms import normal_term

# Each can be written for another of its group, in another case, or looks like it.
_LETTERS = (
    *("a", "A", "á", "b", "B", "s", "S", "ss", "ß", "ẞ", "1", "_", "fi", "ﬁ"),
    *("i", "I", "ı", "e", "É", "œ", "oe", "Ł", "l", "ς", "Σ", "σ", "移", "民", "क"),
)
# Marks of their own, in the text or after folding.
_MARKED = ("a\N{COMBINING ACUTE ACCENT}", "İ", "\N{DEVANAGARI VOWEL SIGN I}")
_WILD = (*"aAábsSs", "?", "*")
_SPACES = (" ", "\n", "\t", "\u00a0", "\u202f")
_HYPHENS = ("-", "\u2010", "\u2011", "\u2012", "\u2013")
_APOSTROPHES = ("'", "’", "‘", "ʼ", "`")
_UNSEEN = ("\N{SOFT HYPHEN}", "\u200b", "\u2060", "\ufeff")
_OTHERS = (".", ",", "—", "“", '"', "  ", ". ", "#", "+")
_PLAIN_TERMS = ("gang", "mob", "boss", "gang*", "gang mob", "mob boss", "*ang mob", "boss's")
_PLAIN_WORDS = ("gang", "gang", "mob", "mob", "boss", "gangs", "Gang", "boss's", "and", "and")
_LANGUAGES = ("en", "de")
_SOURCES = ("", "BBC News", "The Daily bbc", "BBCNews")


class Case(NamedTuple):
    """Themes and an article."""

    themes: list[Theme]
    title: str
    text: str
    language: str
    source: str


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Themes of few terms, and an article in which these stand, and what looks like them.

    One case in two is about letters, the other about what operators make of plain words.
    """
    if draw(st.booleans()):
        marked = draw(st.booleans())
        written = draw(st.lists(_written_terms(marked).filter(_is_term), min_size=1, max_size=3))
        title, text = draw(_texts(written, marked, 2)), draw(_texts(written, marked, 9))
    else:
        written = draw(st.lists(st.sampled_from(_PLAIN_TERMS), min_size=2, max_size=4))
        title, text = draw(_plain_texts(3)), draw(_plain_texts(20))
    themes = [
        draw(_themes(f"t{number}", written)) for number in range(draw(st.sampled_from((1, 1, 2))))
    ]
    # One long word, so that what follows is no longer in the lead, or in its last words.
    padding = draw(st.sampled_from(("", "", "x" * 590 + " ", "x" * 601 + "\n", "x" * 1195 + " ")))
    language = draw(st.sampled_from(("und", "und", *_LANGUAGES)))
    return Case(themes, title, padding + text, language, draw(st.sampled_from(_SOURCES)))


@st.composite
def _themes(draw: st.DrawFn, name: str, written: list[str]) -> Theme:
    expressions = draw(st.lists(queries(written), min_size=1, max_size=4))
    languages = st.sampled_from((None, None, None, None, *_LANGUAGES))
    rules = tuple(
        Rule(
            id=f"r{number}",
            weight=draw(st.sampled_from((1, 1, 2.5, 3, -1))),
            language=draw(languages),
            query="",
            expression=expression,
        )
        for number, expression in enumerate(expressions)
    )
    return Theme(
        theme=name,
        title=name,
        description="",
        codes={},
        accents=draw(st.sampled_from(("exact", "fold"))),
        title_weight=draw(st.sampled_from((0, 1, 2))),
        lead_weight=draw(st.sampled_from((0, 1, 1.5))),
        thresholds=Thresholds(mention=draw(st.sampled_from((0.5, 1, 3))), focus=4),
        rules=rules,
        examples=(),
    )


def queries(written: list[str]) -> st.SearchStrategy[Expression]:
    """Queries over some terms, with all operators."""
    terms = st.sampled_from(written).map(lambda term: Term(normal_term(term)))
    exact = st.sampled_from(written).map(
        lambda term: Term(normal_term(term), " ".join(unicodedata.normalize("NFC", term).split()))
    )
    leaves = terms | terms | terms | exact
    pairs = st.tuples(leaves, leaves)
    near = st.builds(Near, leaves, leaves, st.integers(1, 4), st.booleans())
    simple = leaves | leaves | pairs.map(Or) | pairs.map(And) | near
    return leaves | _joined(leaves) | _joined(simple) | _joined(_joined(leaves))


def _joined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    distances = st.integers(1, 5)
    units = st.sampled_from(("sentence", "paragraph"))
    stated = st.builds(Stated, st.just("lang"), st.sampled_from(_LANGUAGES)) | st.builds(
        Stated, st.just("source"), st.sampled_from(("bbc", "bbc news", "*news", "b?c"))
    )
    condition = (
        stated
        | st.tuples(stated, stated).map(Or)
        | st.builds(AndNot, stated, stated)
        | st.tuples(stated, inner).map(And)
    )
    return st.one_of(
        parts.map(Or),
        parts.map(And),
        st.builds(AndNot, inner, inner | condition),
        st.tuples(inner, condition).map(And),
        st.builds(Near, inner, inner, distances, st.booleans()),
        st.builds(Near, inner, inner, distances, st.booleans()),
        st.builds(Together, inner, inner, units),
        st.builds(NotNear, inner, inner, distances, st.none()),
        st.builds(NotNear, inner, inner, st.none(), units),
        st.builds(InField, st.sampled_from(("title", "lead", "text")), inner),
        st.builds(AtLeast, st.integers(1, 3), inner),
    )


@st.composite
def _written_terms(draw: st.DrawFn, marked: bool) -> str:
    letters = st.sampled_from(_LETTERS + _MARKED * marked)
    words = st.lists(letters, min_size=1, max_size=3).map("".join)
    wild_words = st.lists(st.sampled_from(_WILD), min_size=4, max_size=5).map("".join)
    known_words = st.sampled_from([*TWO_SPELLINGS.items()]).flatmap(st.sampled_from)
    word = words | words | wild_words | known_words
    term = draw(word)
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        term += draw(st.sampled_from((" ", " ", "-", "'", "’", ".", "+ "))) + draw(word)
    return draw(st.sampled_from(("", "", "", "#"))) + term + draw(st.sampled_from(("", "", "+")))


def _is_term(term: str) -> bool:
    try:
        parse_term(term)
    except QueryError:
        return False
    return True


@st.composite
def _written(draw: st.DrawFn, term: str) -> str:
    """The *term* as an article may write it, or nearly."""
    for word, twin in TWO_SPELLINGS.items():
        if draw(st.booleans()):
            term = term.replace(word, twin)
    written = []
    for char in term:
        if char == "*":
            written.append(draw(st.lists(st.sampled_from(_LETTERS), max_size=2).map("".join)))
        elif char == "?":
            written.append(draw(st.sampled_from(_LETTERS)))
        elif char in " -":
            written.append(draw(st.sampled_from(_SPACES + _HYPHENS)))
        elif char in "'’":
            written.append(draw(st.sampled_from(_APOSTROPHES)))
        else:
            bare = unicodedata.normalize("NFD", char)[0]
            written.append(draw(st.sampled_from((char, char, char.swapcase(), bare))))
    if draw(st.integers(0, 3)) == 0:
        written.insert(draw(st.integers(0, len(written))), draw(st.sampled_from(_UNSEEN)))
    return "".join(written)


def _texts(terms: list[str], marked: bool, most: int) -> st.SearchStrategy[str]:
    one = st.sampled_from(terms).flatmap(_written)
    piece = one | one | st.sampled_from(_LETTERS + _MARKED * marked)
    gap = st.sampled_from(
        (" ", " ", " ")
        + (_SPACES + _HYPHENS + _APOSTROPHES + _UNSEEN + _OTHERS)
        + ("\N{COMBINING ACUTE ACCENT}",) * marked
    )
    pairs = st.lists(st.tuples(piece, gap), max_size=most)
    return pairs.map(lambda many: "".join(word + after for word, after in many))


def _plain_texts(most: int) -> st.SearchStrategy[str]:
    gap = st.sampled_from((" ", " ", " ", " ", ", ", ". ", "\n"))
    pairs = st.lists(st.tuples(st.sampled_from(_PLAIN_WORDS), gap), max_size=most)
    return pairs.map(lambda many: "".join(word + after for word, after in many))
