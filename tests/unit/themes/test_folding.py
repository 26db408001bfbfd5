"""What counts as the same letter, and the way back to the text as it was given."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.logic.themes.folding import Haystack, fold, is_accent, is_mark, is_word_character

HYPHENS = "-\u2010\u2011\u2012\u2013\ufe63\uff0d"
APOSTROPHES = "'‘’‚‛ʼ＇´`"
DOUBLE_QUOTES = '"“”„‟＂'
SPACES = " \t\r\n\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
UNSEEN = "\N{SOFT HYPHEN}\u200b\u2060\ufeff"

TEXTS = st.text(
    st.sampled_from("aAsSßẞİıIiﬁfœéE\u0301\u0307ŁłØ移क\u093f" + HYPHENS + UNSEEN + "’ \n.")
    | st.characters(exclude_categories=["Cs"]),
    max_size=20,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ASYLUM", "asylum"),
        ("Straße", "STRASSE"),
        ("STRAẞE", "strasse"),
        ("ﬁnance", "FINANCE"),
        ("Œuvre", "oeuvre"),
        ("Ægis", "AEGIS"),
        ("ΣΟΦΟΣ", "σοφος"),
        ("ΣΟΦΟΣ", "σοφοσ"),
        ("ÉTAT", "état"),
        ("İzmir", "i\N{COMBINING DOT ABOVE}zmir"),
        ("\N{KELVIN SIGN}", "k"),
        ("Ǆ", "ǆ"),
    ],
)
@pytest.mark.parametrize("accents", [True, False])
def test_case_and_ligatures_make_no_difference(one: str, other: str, accents: bool) -> None:
    assert fold(one, accents=accents) == fold(other, accents=accents)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("état", "etat"),
        ("e\N{COMBINING ACUTE ACCENT}tat", "état"),
        ("Łódź", "lodz"),
        ("İstanbul", "istanbul"),
        ("Isparta", "ısparta"),
        ("Đà Nẵng", "da nang"),
        ("Ø", "o"),
        ("Ǿ", "o"),
        ("ΆΛΦΑ", "αλφα"),
        ("Ё", "е"),
    ],
)
def test_accents_count_only_where_they_are_asked_for(one: str, other: str) -> None:
    assert fold(one, accents=False) == fold(other, accents=False)
    assert fold(one, accents=True) != fold(other, accents=True)


@pytest.mark.parametrize("word", ["한국", "हिन्दी", "が", "移民", "الهجرة"])
def test_marks_that_are_no_accents_stay(word: str) -> None:
    assert fold(word, accents=False) == word


@pytest.mark.parametrize(
    ("alike", "folded"),
    [(HYPHENS, " "), (SPACES, " "), (APOSTROPHES, "'"), (DOUBLE_QUOTES, '"'), (UNSEEN, "")],
)
@pytest.mark.parametrize("accents", [True, False])
def test_characters_that_mean_the_same(alike: str, folded: str, accents: bool) -> None:
    assert {fold(char, accents=accents) for char in alike} == {folded}


@pytest.mark.parametrize("char", ["—", "/", "_", ".", "·", "«", "‹"])
def test_other_punctuation_stays_what_it_is(char: str) -> None:
    assert fold(char, accents=False) == char


def test_folding_again_changes_nothing() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if char.casefold() == char and not unicodedata.decomposition(char):
            continue
        for accents in (True, False):
            folded = fold(char, accents=accents)
            assert fold(folded, accents=accents) == folded, hex(code)
            assert fold(fold(char, accents=True), accents=accents) == folded, hex(code)


@pytest.mark.parametrize(
    ("char", "mark", "accent", "word"),
    [
        ("a", False, False, True),
        ("_", False, False, True),
        ("9", False, False, True),
        ("移", False, False, True),
        ("'", False, False, False),
        ("-", False, False, False),
        ("\N{COMBINING ACUTE ACCENT}", True, True, True),
        ("\N{DEVANAGARI SIGN VIRAMA}", True, False, True),
    ],
)
def test_kinds_of_characters(char: str, mark: bool, accent: bool, word: bool) -> None:
    assert (is_mark(char), is_accent(char), is_word_character(char)) == (mark, accent, word)


@given(TEXTS, TEXTS, st.booleans())
def test_an_article_is_folded_as_its_characters_are(title: str, text: str, accents: bool) -> None:
    haystack = Haystack(title, text, accents=accents)
    assert haystack.folded == fold(f"\n{title}\n\n{text}\n", accents=accents)
    assert haystack.text_start == len(fold(f"\n{title}\n\n", accents=accents))


@given(TEXTS, TEXTS, st.booleans())
def test_each_letter_leads_back_to_its_character(title: str, text: str, accents: bool) -> None:
    original = f"\n{title}\n\n{text}\n"
    haystack = Haystack(title, text, accents=accents)
    sources = [at for at, char in enumerate(original) for _ in fold(char, accents=accents)]
    for position, at in enumerate(sources[:-1]):
        start, end = haystack.original_span(position, position + 1)
        assert start == at
        assert end > at
        assert fold(original[start:end], accents=accents) == fold(original[at], accents=accents)


@pytest.mark.parametrize("first", ["ß", "œ", "ﬁ", "İ", "\N{SOFT HYPHEN}", "a", "é"])
@pytest.mark.parametrize("accents", [True, False])
def test_the_first_letter_of_a_text_is_not_in_the_title(first: str, accents: bool) -> None:
    haystack = Haystack("", f"{first}a", accents=accents)
    assert haystack.located(haystack.text_start, haystack.text_start + 1)[0] == "text"
    assert haystack.text_start == 3


def test_a_span_is_given_in_the_offsets_of_its_field() -> None:
    haystack = Haystack("Straße", "Ein ﬁnales Wort", accents=True)
    title, word = haystack.folded.index("strasse"), haystack.folded.index("finales")
    assert haystack.located(title, title + 7) == ("title", 0, 6)
    assert haystack.located(word, word + 7) == ("text", 4, 10)
    assert haystack.original(word, word + 7) == "ﬁnales"


def test_a_span_ends_after_the_accents_of_its_last_letter() -> None:
    text = "cafe\N{SOFT HYPHEN}\N{COMBINING ACUTE ACCENT}\N{SOFT HYPHEN} noir"
    haystack = Haystack("", text, accents=False)
    at = haystack.folded.index("cafe")
    assert haystack.located(at, at + 4) == ("text", 0, 6)


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("un café noir", "café"),
        ("un CAFÉ noir", "café"),
        ("un ca\N{SOFT HYPHEN}fé\N{SOFT HYPHEN} noir", "café"),
        ("uncafé", None),
        ("caféine", None),
        ("\N{COMBINING ACUTE ACCENT}café", None),
        ("ʼcaféʼ", "café"),
    ],
)
def test_accents_that_were_taken_away_can_be_looked_up(text: str, exact: str | None) -> None:
    haystack = Haystack("", text, accents=False)
    at = haystack.folded.index("cafe")
    assert haystack.bare
    assert haystack.exact(at, at + 4) == exact
