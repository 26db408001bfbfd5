"""Themes in an article: all that is there, nothing else, and evidence that holds."""

import dataclasses
import re
from collections.abc import Sequence
from itertools import pairwise
from time import perf_counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.themes import query_theme, theme, words
from tests.unit.themes.generated import Case, cases
from tests.unit.themes.oracle import expected
from transforms.logic.themes.explanation import ThemeExplanation
from transforms.logic.themes.expressions import (
    And,
    AndNot,
    AtLeast,
    Expression,
    Near,
    NotNear,
    Or,
    Term,
    Together,
)
from transforms.logic.themes.matcher import MOST_EVIDENCE, ThemeMatcher
from transforms.logic.themes.model import Rule, Theme
from transforms.records import Evidence, ThemeHit

few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def only_hit(one: Theme, text: str, title: str = "") -> ThemeHit:
    (hit,) = ThemeMatcher([one]).hits(title, text)
    return hit


def shown(hit: ThemeHit) -> list[str]:
    return [evidence.words for evidence in hit.evidence]


def hits_in(case: Case, themes: Sequence[Theme]) -> tuple[ThemeHit, ...]:
    matcher = ThemeMatcher(themes)
    return matcher.hits(case.title, case.text, language=case.language, source=case.source)


def explained_in(case: Case, themes: Sequence[Theme]) -> tuple[ThemeExplanation, ...]:
    matcher = ThemeMatcher(themes)
    return matcher.explain(case.title, case.text, language=case.language, source=case.source)


def place(piece: Evidence) -> tuple[str, int, int]:
    return piece.field, piece.start, piece.end


@settings(few, max_examples=120)
@given(cases())
def test_what_is_found_is_what_a_slow_search_finds(case: Case) -> None:
    hits = {hit.theme: hit for hit in hits_in(case, case.themes)}
    for one, explanation in zip(case.themes, explained_in(case, case.themes), strict=True):
        sought = expected(one, case.title, case.text, language=case.language, source=case.source)
        assert (explanation.score, explanation.level) == (sought.score, sought.level)
        assert {
            query.query: [place(piece) for piece in query.matches]
            for query in explanation.queries
            if query.matches
        } == sought.spans
        hit = hits.get(one.theme)
        assert (hit.level if hit else None) == sought.level
        if hit is not None:
            assert hit.score == sought.score
            assert {count.query: count.matches for count in hit.queries} == sought.counts
            assert [(piece.query, place(piece)) for piece in hit.evidence] == sought.evidence


@few
@given(cases())
def test_evidence_stands_where_it_says(case: Case) -> None:
    pieces = [
        piece for hit in hits_in(case, case.themes) for piece in hit.evidence
    ] + [
        piece
        for explanation in explained_in(case, case.themes)
        for query in explanation.queries
        for piece in query.matches
    ]  # fmt: skip
    for piece in pieces:
        whole = case.title if piece.field == "title" else case.text
        assert piece.words
        assert whole[piece.start : piece.end] == piece.words
        assert piece.words in piece.sentence
        assert piece.sentence in whole


@few
@given(cases())
def test_a_hit_and_its_explanation_agree(case: Case) -> None:
    hits = {hit.theme: hit for hit in hits_in(case, case.themes)}
    explained = explained_in(case, case.themes)
    assert [one.theme for one in explained] == sorted(one.theme for one in case.themes)
    for explanation in explained:
        hit = hits.pop(explanation.theme, None)
        assert explanation.level == (hit.level if hit else None)
        if hit is None:
            continue
        assert explanation.score == hit.score
        by_query = {query.query: query for query in explanation.queries}
        for count in hit.queries:
            assert len(by_query[count.query].matches) >= count.matches
        for piece in hit.evidence:
            matches = by_query[piece.query].matches
            assert (piece.field, piece.start) in [(match.field, match.start) for match in matches]
    assert not hits


@few
@given(cases())
def test_a_theme_finds_the_same_beside_others(case: Case) -> None:
    together = hits_in(case, case.themes)
    assert list(together) == [hit for one in case.themes for hit in hits_in(case, [one])]


# What must hold whatever the queries and the article are


def matched(case: Case, query: Expression) -> list[Evidence]:
    """What one query matches, as far as that can be told apart in the article."""
    rule = Rule("only", 1, None, "", query)
    one = dataclasses.replace(case.themes[0], rules=(rule,))
    (explanation,) = explained_in(case, [one])
    return [piece for query in explanation.queries for piece in query.matches]


def some_queries(case: Case) -> list[Expression]:
    return [rule.expression for one in case.themes for rule in one.rules]


@few
@given(cases())
def test_what_is_said_twice_is_said_once(case: Case) -> None:
    for query in some_queries(case):
        found = matched(case, query)
        assert matched(case, Or((query, query))) == found
        assert matched(case, AtLeast(1, query)) == found
        assert bool(matched(case, And((query, query)))) == bool(found)
        assert matched(case, AndNot(query, query)) == []
        if isinstance(query, Term):
            assert matched(case, NotNear(query, query, 1, None)) == []


@few
@given(cases(), st.integers(1, 4))
def test_operators_keep_what_they_promise(case: Case, distance: int) -> None:
    queries = some_queries(case)
    for left, right in pairwise([queries[-1], *queries]):
        both = bool(matched(case, left)) and bool(matched(case, right))
        assert bool(matched(case, And((left, right)))) == both
        assert bool(matched(case, Or((left, right)))) >= both
        near = matched(case, Near(left, right, distance, ordered=False))
        assert matched(case, Near(right, left, distance, ordered=False)) == near
        assert bool(near) <= bool(matched(case, Near(left, right, distance + 1, ordered=False)))
        ordered = (
            matched(case, Near(*sides, distance, ordered=True))
            for sides in ((left, right), (right, left))
        )
        assert bool(near) >= any(map(bool, ordered))
        in_sentence = bool(matched(case, Together(left, right, "sentence")))
        assert in_sentence <= bool(matched(case, Together(left, right, "paragraph"))) <= both
        assert bool(matched(case, AtLeast(2, left))) <= bool(matched(case, left))


def test_hits_are_in_the_order_of_their_names() -> None:
    matcher = ThemeMatcher([theme("gang", theme=name) for name in ("c", "a", "b")])
    assert [hit.theme for hit in matcher.hits("", "A gang")] == ["a", "b", "c"]
    assert [one.theme for one in matcher.explain("", "")] == ["a", "b", "c"]


def test_an_article_without_words_has_no_hit() -> None:
    matcher = ThemeMatcher([theme("gang")])
    assert matcher.hits("", "") == ()
    assert matcher.hits("A title", "and a text") == ()


def test_what_must_not_be_there_does_not_find_anything() -> None:
    matcher = ThemeMatcher([query_theme("bottle NOT wine")])
    assert matcher.hits("", "Wine, wine, wine") == ()


def test_two_themes_of_one_name_are_refused() -> None:
    why = "two themes have the name 'asylum': 'Asylum' and 'Other'"
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        ThemeMatcher([theme("gang"), theme("mob", title="Other")])


@pytest.mark.parametrize(
    ("language", "found"),
    [
        ("en", ["asylum", "visa"]),
        ("de", ["Asyl", "visa"]),
        ("nl", ["visa"]),
        ("und", ["asylum", "Asyl", "visa"]),
    ],
)
def test_rules_of_a_language_are_for_articles_in_it(language: str, found: list[str]) -> None:
    parts = {"en": {"terms": {1: ["asylum"]}}, "de": {"terms": {1: ["Asyl"]}}}
    one = theme("visa", parts=parts)
    assert words(one, "asylum, Asyl, visa", language=language) == found
    (hit,) = ThemeMatcher([one]).hits("", "asylum, Asyl, visa", language=language)
    assert sorted(shown(hit)) == sorted(found)


def test_an_article_in_a_language_without_rules_has_no_hit() -> None:
    one = theme(parts={"de": {"terms": {1: ["Asyl"]}}})
    matcher = ThemeMatcher([one])
    assert matcher.hits("", "Asyl", language="fr") == ()
    assert [hit.theme for hit in matcher.hits("", "Asyl", language="de")] == ["asylum"]


def test_a_theme_that_cannot_reach_its_threshold_is_found_where_it_can() -> None:
    one = theme(terms={2: ["gang"], -1: ["film"]}, thresholds={"mention": 4, "focus": 9})
    matcher = ThemeMatcher([one])
    assert matcher.hits("", "gang gang gang") == ()
    assert matcher.hits("", "gang " * 99)[0].score == 4
    assert matcher.hits("", "gang " * 99 + "film") == ()


# Evidence


def test_the_first_match_of_each_query_comes_before_all_second_ones() -> None:
    one = theme(terms={1: ["gang"], 3: ["mob"], 2: ["clan"]})
    text = "A gang 1.\nA gang 2.\nA mob 1.\nA clan 1.\nA mob 2.\nA gang 3.\nA mob 3."
    sentences = [evidence.sentence for evidence in only_hit(one, text).evidence]
    assert sentences == [
        "A mob 1.", "A clan 1.", "A gang 1.", "A mob 2.", "A gang 2.", "A mob 3.", "A gang 3.",
    ]  # fmt: skip


def test_among_queries_of_one_weight_the_earlier_match_comes_first() -> None:
    assert shown(only_hit(theme("clan", "gang"), "A gang.\nA clan.")) == ["gang", "clan"]


def test_the_title_comes_before_the_text() -> None:
    hit = only_hit(theme("gang", "clan"), "A gang.", title="Clan news")
    assert [(one.words, one.field, one.sentence) for one in hit.evidence] == [
        ("Clan", "title", "Clan news"),
        ("gang", "text", "A gang."),
    ]


def test_a_sentence_that_was_shown_comes_last() -> None:
    one = theme(terms={3: ["gang"], 2: ["mob"], 1: ["clan"]})
    hit = only_hit(one, "A gang and a mob.\nA clan.\nA gang.")
    assert [(piece.words, piece.sentence) for piece in hit.evidence] == [
        ("gang", "A gang and a mob."),
        ("clan", "A clan."),
        ("gang", "A gang."),
        ("mob", "A gang and a mob."),
    ]


def test_there_is_not_more_evidence_than_a_reader_wants() -> None:
    lines = "".join(f"Gang number {number}.\n" for number in range(MOST_EVIDENCE + 5))
    hit = only_hit(theme("gang"), lines)
    assert len(hit.evidence) == MOST_EVIDENCE == 10
    assert [count.matches for count in hit.queries] == [15]


def test_evidence_is_full_even_where_all_is_in_one_sentence() -> None:
    assert shown(only_hit(theme("gang"), "gang, " * 15)) == ["gang"] * MOST_EVIDENCE


def test_a_group_in_one_sentence_is_one_piece() -> None:
    one = query_theme("police AND gang")
    (piece,) = only_hit(one, "Rain. The police met the gang here. Sun.").evidence
    assert (piece.words, piece.start, piece.end) == ("police met the gang", 10, 29)
    assert piece.sentence == "The police met the gang here."


def test_a_group_in_two_sentences_is_two_pieces() -> None:
    one = query_theme({"id": "met", "query": "police AND gang AND mob"})
    hit = only_hit(one, "Police came. A gang and a mob ran.")
    assert [(piece.query, piece.words, piece.sentence) for piece in hit.evidence] == [
        ("met", "Police", "Police came."),
        ("met", "gang and a mob", "A gang and a mob ran."),
    ]


def test_offsets_are_those_of_the_text_as_it_was_given() -> None:
    text = "Œuvre ﬁnale: İstanbul’s Straße, die Schleu\N{SOFT HYPHEN}ser."
    (piece,) = only_hit(theme("schleuser"), text).evidence
    assert text[piece.start : piece.end] == piece.words == "Schleu\N{SOFT HYPHEN}ser"


def test_a_match_across_lines_has_both_in_its_sentence() -> None:
    (piece,) = only_hit(theme("border guard"), "One. The border\nguard came. Two.").evidence
    assert piece.words == "border\nguard"
    assert piece.sentence == "The border\nguard came."


def test_a_sentence_does_not_depend_on_what_else_is_found() -> None:
    phrase, word = theme("border guard"), theme("guard came", theme="other")
    text = "The border\nguard came."
    alone = ThemeMatcher([word]).hits("", text)
    assert alone[0].evidence[0].sentence == "guard came."
    assert ThemeMatcher([phrase, word]).hits("", text)[1:] == alone


# What hostile articles cost


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("asylum NEAR/5 law", "asylum " * 20_000 + "law " * 20_000),
        ("asylum NEAR/1000 law", "asylum law " * 20_000),
        ("asylum NEAR/50 law NEAR/50 asylum", "asylum law " * 20_000),
        ("asylum NEAR/S law", "asylum law " * 20_000),
        ("asylum NEAR/P law", "asylum law. " * 20_000),
        ("asylum AND law", "asylum law " * 20_000),
        ("asylum NOT NEAR/5 law", "asylum law " * 20_000),
        ("asylum NOT NEAR/S law", "asylum law.\n" * 20_000),
        ("asylum NOT law", "asylum law " * 20_000),
        ("ATLEAST/3 (asylum OR law)", "asylum law " * 20_000),
        ('"asylum seeker" OR "seeker of asylum"', "asylum seeker of " * 8_000),
        ("asylum", f"asylum{'.' * 900}x\n" * 200),
        ("asylum*", "asylum " * 20_000),
        ("asylum", "asylum\n" * 40_000),
        ("*asy*lum*law*", "asylum" * 20_000),
        ("lead:asylum", "x " * 20_000 + "asylum " * 20_000),
    ],
)
def test_hostile_articles_take_linear_time(query: str, text: str) -> None:
    matcher = ThemeMatcher([query_theme(query)])
    begun = perf_counter()
    matcher.hits("", text)
    matcher.explain("", text)
    assert perf_counter() - begun < 10
