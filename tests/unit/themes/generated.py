"""Generated themes, and articles made to collide with them."""

import unicodedata
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.themes import query_theme
from tests.unit.themes.oracle import TWO_SPELLINGS
from transforms.logic.themes.model import Query, Theme
from transforms.logic.themes.terms import check_term, normal_term

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
_OTHERS = (".", ",", "—", "“", '"', "  ")


class Case(NamedTuple):
    """Themes and an article."""

    themes: list[Theme]
    title: str
    text: str


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Themes of few terms, and an article in which these stand, and what looks like them."""
    marked = draw(st.booleans())
    terms = draw(
        st.lists(_terms(marked).filter(_is_term), min_size=2, max_size=5, unique_by=normal_term)
    )
    queries = st.lists(_queries(terms).filter(_is_query), min_size=1, max_size=3)
    themes = [
        query_theme(
            *draw(queries),
            {"any": [terms[0]], "weight": draw(st.sampled_from((1, 2)))},
            theme=f"t{number}",
            accents=draw(st.sampled_from(("exact", "fold"))),
            title_weight=draw(st.sampled_from((0, 1, 2))),
            thresholds={"mention": draw(st.sampled_from((0.5, 1, 3))), "focus": 4},
        )
        for number in range(draw(st.sampled_from((1, 1, 2))))
    ]
    return Case(themes, draw(_texts(terms, marked, 1)), draw(_texts(terms, marked, 8)))


@st.composite
def _terms(draw: st.DrawFn, marked: bool) -> str:
    letters = st.sampled_from(_LETTERS + _MARKED * marked)
    words = st.lists(letters, min_size=1, max_size=3).map("".join)
    wild_words = st.lists(st.sampled_from(_WILD), min_size=4, max_size=5).map("".join)
    known_words = st.sampled_from([*TWO_SPELLINGS.items()]).flatmap(st.sampled_from)
    word = words | words | wild_words | known_words
    term = draw(word)
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        term += draw(st.sampled_from((" ", " ", "-", "'", "’"))) + draw(word)
    return term


def _is_term(term: str) -> bool:
    try:
        check_term(term)
    except ValueError:
        return False
    return True


@st.composite
def _queries(draw: st.DrawFn, terms: list[str]) -> dict[str, Any]:
    some = st.lists(st.sampled_from(terms), min_size=1, max_size=2, unique=True)
    query: dict[str, Any] = {"weight": draw(st.sampled_from((1, 1, 2.5, 3, -1)))}
    if draw(st.booleans()):
        query["any"] = draw(some)
    if "any" not in query or draw(st.booleans()):
        query["all"] = draw(st.lists(some, min_size=1, max_size=2))
    if draw(st.integers(0, 2)) == 0:
        query["none"] = draw(some)
    parts = ("any" in query) + len(query.get("all", ())) + ("none" in query)
    if parts > 1 and draw(st.booleans()):
        query["within"] = draw(st.integers(2, 5))
    if draw(st.integers(0, 3)) == 0:
        query["field"] = draw(st.sampled_from(("title", "text")))
    return query


def _is_query(query: dict[str, Any]) -> bool:
    try:
        Query.model_validate(query)
    except ValueError:
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
