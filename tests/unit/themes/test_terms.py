"""Where a term is found, and what cannot be one."""

import re
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.themes import theme, words
from tests.unit.themes.test_folding import APOSTROPHES, HYPHENS, UNSEEN
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.syntax import parse_term
from transforms.logic.themes.terms import covers, normal_term

LETTERS = st.sampled_from("aAzZéßıİ移क\u093f9_")


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("asylum", "Asylum, ASYLUM; asylum's (asylum)", ["Asylum", "ASYLUM", "asylum", "asylum"]),
        ("asylum", "asylums, an_asylum, asylum2, xasylum", []),
        ("border guard", "border  guard", []),
        ("border guard", "border\nguard", ["border\nguard"]),
        ("border guard", "border. Guard", []),
        ("border-guard", "a border guard", ["border guard"]),
        ("strasse", "Straße STRASSE", ["Straße", "STRASSE"]),
        ("straße", "STRASSE", ["STRASSE"]),
        ("stras", "Straße", []),
        ("ﬁnance", "FINANCE", ["FINANCE"]),
        ("istanbul", "İSTANBUL İstanbul Istanbul", ["İSTANBUL", "İstanbul", "Istanbul"]),
        ("ısparta", "ISPARTA", ["ISPARTA"]),
        ("état", "e\N{COMBINING ACUTE ACCENT}tat", ["e\N{COMBINING ACUTE ACCENT}tat"]),
        ("e\N{COMBINING ACUTE ACCENT}tat", "un état", ["état"]),
        ("etat", "etat\N{COMBINING ACUTE ACCENT}", ["etat\N{COMBINING ACUTE ACCENT}"]),
        ("#metoo", "It is #MeToo.", ["MeToo"]),
        ("#metoo", "x#metoo #metoos ##metoo", ["metoo"]),
        ("#metoo", "It is MeToo.", []),
        ("u.s.", "the U.S. Senate", ["U.S"]),
        ("u.s. senate", "the U.S. Senate, the US Senate", ["U.S. Senate"]),
        ("移民", "移民 政策", ["移民"]),
        ("移民", "移民政策", []),
        ("सरकार", "सरकार की", ["सरकार"]),
        ("हिन", "हिन्दी", []),
    ],
)
def test_a_term_is_found(term: str, text: str, found: list[str]) -> None:
    assert words(theme(term), text) == found


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("état", "état ÉTAT etat", ["état", "ÉTAT"]),
        ("etat", "état etat", ["etat"]),
        ("e\N{COMBINING ACUTE ACCENT}tat", "état", ["état"]),
        ("cafe", "cafe\N{COMBINING ACUTE ACCENT}", []),
        ("café", "\N{COMBINING ACUTE ACCENT}café", []),
        ("strasse", "Straße", ["Straße"]),
        ("istanbul", "İSTANBUL", []),
        ("İstanbul", "İSTANBUL", ["İSTANBUL"]),
        ("isparta", "ISPARTA", ["ISPARTA"]),
        ("ısparta", "ISPARTA", []),
        ("réfugié", "un refugie", []),
    ],
)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside a theme that folds"])
def test_a_term_with_accents_is_found(term: str, text: str, found: list[str], alone: bool) -> None:
    themes = [theme(term, accents="exact"), theme("other", theme="other")]
    assert words(themes[:1] if alone else themes, text) == found


@pytest.mark.parametrize("apostrophe", APOSTROPHES)
@pytest.mark.parametrize("term", ["d'asile", "d’asile"])
@pytest.mark.parametrize("accents", ["exact", "fold"])
def test_the_shape_of_an_apostrophe_makes_no_difference(
    term: str, apostrophe: str, accents: str
) -> None:
    themes = [theme(term, accents=accents), theme("other", theme="other")]
    assert words(themes, f"droit D{apostrophe}Asile") == [f"D{apostrophe}Asile"]
    assert words(themes, "droit dasile, droit d asile") == []


@pytest.mark.parametrize("accents", ["exact", "fold"])
def test_an_apostrophe_ends_a_word(accents: str) -> None:
    themes = [theme("border", accents=accents), theme("other", theme="other")]
    for apostrophe in APOSTROPHES:
        assert words(themes, f"the border{apostrophe}s end") == ["border"]


@pytest.mark.parametrize("hyphen", HYPHENS)
@pytest.mark.parametrize("term", ["end-to-end", "end to end", "end\u2011to\u2013end"])
def test_a_hyphen_is_a_space(term: str, hyphen: str) -> None:
    text = f"End{hyphen}to{hyphen}end"
    assert words(theme(term), f"{text}, endtoend, end—to—end") == [text]


@pytest.mark.parametrize("unseen", UNSEEN)
def test_unseen_characters_are_passed_over(unseen: str) -> None:
    text = f"the asy{unseen}lum{unseen} law"
    assert words(theme("asylum"), text) == [f"asy{unseen}lum"]
    assert words(theme(f"asy{unseen}lum"), "asylum") == ["asylum"]


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("migrant*", "migrant migrants migrant-led immigrants", ["migrant", "migrants", "migrant"]),
        ("*migrant", "migrant immigrant migrants", ["migrant", "immigrant"]),
        ("*migrant*", "immigrants", ["immigrants"]),
        ("m*grant", "migrant mgrant m grant", ["migrant", "mgrant"]),
        ("m?grant", "migrant mgrant miigrant", ["migrant"]),
        ("gro?e", "große", []),
        ("gro??e", "große", ["große"]),
        ("caf?", "café CAFE caf", ["café", "CAFE"]),
        ("asylum*", "asylum's", ["asylum"]),
        ("ban* on asylum", "banning on asylum", ["banning on asylum"]),
        ("demand* d'asile", "demandeurs d’asile", ["demandeurs d’asile"]),
        ("हिन्द*", "हिन्दी", ["हिन्दी"]),
        ("abc?", "abcक\u093f abc", ["abcक\u093f"]),
        ("?abc", "क\u093fabc", ["क\u093fabc"]),
    ],
)  # fmt: skip
def test_wildcards(term: str, text: str, found: list[str]) -> None:
    assert words(theme(term), text) == found


@pytest.mark.parametrize("accents", ["exact", "fold"])
def test_a_wildcard_stands_for_a_letter_with_its_accents(accents: str) -> None:
    text = "cafe\N{COMBINING ACUTE ACCENT}"
    themes = [theme("caf?", accents=accents), theme("other", theme="other")]
    assert words(themes[:1], text) == words(themes, text) == [text]


@given(
    st.text(LETTERS, max_size=3), st.text(LETTERS, max_size=3), st.sampled_from(["fold", "exact"])
)
def test_a_part_of_a_word_is_never_found(before: str, after: str, accents: str) -> None:
    found = words(theme("asylum", accents=accents), f"the {before}asylum{after} law")
    assert found == ([] if before or after else ["asylum"])


@pytest.mark.parametrize("term", ["migrant*", "*migrant", "the migrant*", "m*grants came"])
def test_wildcards_take_linear_time(term: str) -> None:
    matcher = ThemeMatcher([theme(term)])
    text = "the migrants came, the migrant left, " * 20_000
    begun = perf_counter()
    (hit,) = matcher.hits("", text)
    assert hit.queries[0].matches >= 20_000
    assert perf_counter() - begun < 5


@pytest.mark.parametrize("term", ["", " - ", "__", "***", "\N{SOFT HYPHEN}"])
def test_a_term_without_a_letter_can_never_match(term: str) -> None:
    with pytest.raises(ValueError, match=r"can never match: it has no letter or digit$") as raised:
        parse_term(term)
    assert repr(term.strip()) in str(raised.value)


@pytest.mark.parametrize(
    ("term", "at", "word"),
    [
        ("fl*", 1, "fl*"),
        ("f?l", 1, "f?l"),
        ("ß*", 1, "ß*"),
        ("flood *", 7, "*"),
        ("a-b*-flood", 3, "b*"),
    ],
)
def test_a_wildcard_needs_letters_beside_it(term: str, at: int, word: str) -> None:
    why = f"character {at}: {word!r}: a word with a wildcard needs at least 3 letters or digits"
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        parse_term(term)


@pytest.mark.parametrize(
    ("term", "why"),
    [
        ("(dam)", "1: '(' cannot be part of a word or phrase"),
        ("dam)", "4: ')' cannot be part of a word or phrase"),
        ('"dam"', "1: a term is a phrase as a whole: leave out the quotes"),
        ("@dam", "1: a name such as @this stands in queries alone"),
        ("dam|river", "4: '|' cannot be part of a word or phrase"),
        ("dam~2", "4: '~' cannot be part of a word or phrase"),
        ("dam^2", "4: '^' cannot be part of a word or phrase"),
        ("[dam]", "1: '[' cannot be part of a word or phrase"),
        ("{dam}", "1: '{' cannot be part of a word or phrase"),
        ("dam\\", r"4: '\\' cannot be part of a word or phrase"),
    ],
)
def test_characters_that_mean_something_in_queries(term: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^character {re.escape(why)}$"):
        parse_term(term)


@pytest.mark.parametrize(
    ("term", "at", "operator"),
    [
        ("dam AND river", 5, "AND"),
        ("dam OR river", 5, "OR"),
        ("NOT dam", 1, "NOT"),
        ("dam NEAR/3 river", 5, "NEAR/3"),
    ],
)
def test_operators_stand_in_queries_alone(term: str, at: int, operator: str) -> None:
    why = (
        f"character {at}: {operator!r} is an operator, and stands in queries alone: a term is a "
        "word or phrase"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        parse_term(term)


@pytest.mark.parametrize(
    "term", ["and", "not now", "OR", "R&D", "a", "9", "#metoo", "abc*", "?bcd", "e@mail", "ORACLE"]
)
def test_what_can_be_a_term(term: str) -> None:
    assert parse_term(term).words == term.casefold()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Border  Guard", "border-guard"),
        ("d’asile", "D'ASILE"),
        ("encrypt**", "encrypt*"),
        ("e\N{COMBINING ACUTE ACCENT}tat", "état"),
        ("\N{DEVANAGARI LETTER QA}", "\N{DEVANAGARI LETTER KA}\N{DEVANAGARI SIGN NUKTA}"),
        ("\N{ANGSTROM SIGN}", "å"),
    ],
)
def test_terms_that_mean_the_same(one: str, other: str) -> None:
    assert normal_term(one) == normal_term(other)


@pytest.mark.parametrize(
    ("one", "other"), [("état", "etat"), ("labour", "labor"), ("a b", "ab"), ("abc*", "abc")]
)
def test_terms_that_do_not_mean_the_same(one: str, other: str) -> None:
    assert normal_term(one) != normal_term(other)


@pytest.mark.parametrize(
    ("pattern", "term"),
    [
        ("asylum", "Asylum"),
        ("asylum", "asylum seeker*"),
        ("asylum*", "asylums"),
        ("encrypt*", "encrypted chat*"),
        ("*crypt*", "encrypt*"),
        ("a?ylum", "asylum"),
        ("a?ylum", "a?ylum"),
        ("border guard", "the border-guard"),
        ("labor", "labour camp"),
        ("labour", "labor camp"),
        ("organis*", "organized crime"),
        ("हिन*", "हिन्दी"),
        ("?न*", "हिन्दी"),
    ],
)
def test_a_term_that_covers_another(pattern: str, term: str) -> None:
    assert covers(pattern, term)


@pytest.mark.parametrize(
    ("pattern", "term"),
    [
        ("asylum", "asylum*"),
        ("asylum", "asylums"),
        ("asylum seeker", "asylum"),
        ("a?ylum", "a*ylum"),
        ("asylum", "asyl?m"),
        ("labour", "labourer"),
        ("four", "for"),
        ("हिन", "हिन्दी"),
        ("दी", "हिन्दी"),
    ],
)
def test_a_term_that_does_not_cover_another(pattern: str, term: str) -> None:
    assert not covers(pattern, term)
