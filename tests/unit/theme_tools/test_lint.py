"""Rules that do nothing, or too much: what is pointed at, and what is not."""

from typing import Any

import pytest

from pipeline.themes.lint import PROBLEMS, Finding, RuleHits, count_hits, lint, lint_hits
from tests.themes import query_theme, theme
from tests.unit.theme_tools.samples import sample_article
from transforms.logic.themes.model import Theme


def said(*themes: Theme) -> list[tuple[str | None, str]]:
    return [(one.rule, one.kind) for one in lint(themes)]


def weighted(terms: dict[float, list[str]], **changes: Any) -> Theme:
    return theme(terms=terms, **changes)


def test_nothing_is_said_of_what_is_right() -> None:
    parts = {"de": {"terms": {3: ["Asyl"]}}, "fr": {"terms": {3: ["asile"], -2: ["trouver asile"]}}}
    queries = [{"id": "q", "query": "boat NEAR/3 (migrant* OR people) NOT lang:pl"}]
    assert said(weighted({4: ["asylum", "refugee*"]}, parts=parts, queries=queries)) == []


def test_a_rule_of_weight_0_adds_nothing() -> None:
    assert said(weighted({1: ["boat"], 0: ["ship"]})) == [("ship", "unreachable")]


@pytest.mark.parametrize(
    ("query", "reachable"),
    [
        ("boat AND lang:de", True),
        ("boat AND lang:fr", False),
        ("boat AND (lang:de OR lang:fr)", True),
        ("boat AND (lang:fr OR lang:pl)", False),
        ("boat NOT lang:de", False),
        ("boat NOT lang:fr", True),
        ("(boat AND lang:fr) OR ship", True),
        ("(boat AND lang:fr) OR (ship AND lang:pl)", False),
        ("(boat AND lang:fr) NOT sea", False),
    ],
)
def test_a_part_that_wants_another_language(query: str, reachable: bool) -> None:
    parts = {"de": {"queries": [{"id": "q", "query": query}]}}
    assert said(theme("x", parts=parts)) == ([] if reachable else [("q", "unreachable")])


@pytest.mark.parametrize(
    ("terms", "covered"),
    [
        ({4: ["asylum", "asylum seeker*"]}, "asylum_seeker"),
        ({4: ["asylum seeker*"], 2: ["asylum"]}, None),
        ({4: ["seek*"], 2: ["seeker"]}, "seeker"),
        ({4: ["organised crime"], 1: ["organized crime unit"]}, None),
        ({4: ["organised crime", "organized crime unit"]}, "organized_crime_unit"),
        ({4: ["réfugié*"], 3: ["refugies"]}, "refugies"),
        ({1: ["x"], -4: ["bird*"], -2: ["birds"]}, "birds"),
        ({4: ["bird*"], -2: ["birds"]}, None),
        ({4: ["=US", "US visa"]}, None),
    ],
)
def test_a_term_that_is_found_by_another_one_anyway(
    terms: dict[float, list[str]], covered: str | None
) -> None:
    found = [rule for rule, kind in said(weighted(terms)) if kind == "covered"]
    assert found == ([] if covered is None else [covered])


def test_a_longer_term_of_less_weight_takes_weight_away() -> None:
    (finding,) = lint([weighted({4: ["asylum"], 2: ["asylum claim"]})])
    assert finding == Finding(
        "asylum", "asylum_claim", "weaker", "'asylum claim' (2) counts in place of 'asylum' (4)"
    )
    assert finding.kind not in PROBLEMS


def test_accents_count_where_the_theme_says_so() -> None:
    assert said(weighted({4: ["réfugié*"], 3: ["refugies"]}, accents="exact")) == []


def test_queries_that_are_lists_of_terms_cover_and_are_covered() -> None:
    queries = [
        {"id": "wide", "weight": 4, "query": 'asylum OR "small boats"'},
        {"id": "narrow", "weight": 4, "query": '"asylum seekers" OR "asylum claims"'},
        {"id": "partly", "weight": 4, "query": '"asylum law" OR visa'},
        {"id": "near", "weight": 4, "query": "asylum NEAR/3 law"},
    ]
    found = said(query_theme(*queries, terms={4: ["small boats today"]}))
    assert found == [("narrow", "covered"), ("small_boats_today", "covered")]


@pytest.mark.parametrize(("first", "second", "covered"), [("de", "de", 1), ("de", "fr", 0)])
def test_a_part_covers_its_own_language_alone(first: str, second: str, covered: int) -> None:
    wide, narrow = {"terms": {4: ["asyl*"]}}, {"terms": {4: ["asylum"]}}
    both = {"terms": {4: ["asyl*", "asylum"]}}
    parts = {first: both} if first == second else {first: wide, second: narrow}
    kinds = [kind for _, kind in said(theme("x", parts=parts))]
    assert kinds.count("covered") == covered


def test_the_head_covers_its_parts_and_not_the_other_way() -> None:
    head = theme(terms={4: ["asyl*"]}, parts={"de": {"terms": {4: ["asylum"]}}})
    part = theme(terms={4: ["asylum"]}, parts={"de": {"terms": {4: ["asyl*"]}}})
    assert [kind for _, kind in said(head)] == ["covered"]
    assert said(part) == []


def test_what_several_parts_have_may_stand_in_the_head() -> None:
    same = {"terms": {2: ["Frontex"]}, "queries": [{"weight": 3, "query": "boat AND sea"}]}
    other = {"terms": {1: ["Frontex"]}, "queries": [{"weight": 3, "query": "sea AND boat"}]}
    found = lint([theme("x", parts={"de": same, "fr": same, "pl": other})])
    assert [(one.kind, one.what) for one in found] == [
        ("repeated", "'boat AND sea' stands in the parts for de, fr, pl: the head may have it"),
        ("repeated", "'Frontex' stands in the parts for de, fr: the head may have it"),
    ]


@pytest.mark.parametrize(
    ("term", "weight", "hasty"),
    [("mig*", 3, 1), ("migr*", 3, 0), ("mig*", 2, 0), ("mig* law", 3, 0), ("=UN", 3, 0)],
)
def test_a_short_beginning_that_alone_makes_a_mention(term: str, weight: int, hasty: int) -> None:
    one = weighted({weight: [term]}, thresholds={"mention": 3, "focus": 9})
    assert len(said(one)) == hasty


# On a sample


SAMPLE = [
    sample_article("A boat."),
    sample_article("A boat and a ship."),
    sample_article("A boat race."),
    sample_article("Ein Schiff.", language="de"),
]


def test_hits_are_counted_for_themes_and_rules_in_their_language() -> None:
    one = theme(
        terms={3: ["boat"], 1: ["ship"], -9: ["boat race"]},
        thresholds={"mention": 3, "focus": 9},
        parts={"de": {"terms": {3: ["Schiff", "Kahn"]}}},
    )
    assert count_hits([one], SAMPLE) == [
        RuleHits("asylum", None, 3, 4),
        RuleHits("asylum", "boat", 2, 4),  # where it is not part of the longer one
        RuleHits("asylum", "ship", 1, 4),
        RuleHits("asylum", "boat_race", 1, 4),
        RuleHits("asylum", "de_schiff", 1, 1),
        RuleHits("asylum", "de_kahn", 0, 1),
    ]


@pytest.mark.parametrize(
    ("hits", "of", "kind"),
    [
        (21, 100, "broad"),
        (20, 100, "hasty"),
        (2, 100, "hasty"),
        (1, 100, None),
        (0, 100, "unused"),
        (49, 49, None),
        (50, 50, "broad"),
        (0, 1, "unused"),
        (0, 0, None),
    ],
)
def test_what_a_sample_shows_of_a_word_that_alone_makes_a_mention(
    hits: int, of: int, kind: str | None
) -> None:
    rule = RuleHits("asylum", "boat", hits, of)
    found = lint_hits([theme("boat")], [rule], too_broad=0.2)
    assert [one.kind for one in found] == ([] if kind is None else [kind])


def test_a_theme_or_phrase_in_some_articles_is_no_problem() -> None:
    counted = [RuleHits("asylum", None, 20, 100), RuleHits("asylum", "small_boat", 20, 100)]
    assert lint_hits([theme("small boat")], counted, too_broad=0.2) == []


def test_a_broad_theme_is_said_with_its_share() -> None:
    (found,) = lint_hits([theme("a")], [RuleHits("asylum", None, 300, 1000)], too_broad=0.2)
    assert found == Finding(
        "asylum", None, "broad", "the theme is in 300 of 1,000 articles (30.0%)"
    )
