"""What an analyst is told of an article: what matched, what it gave, and what nearly matched."""

import pytest

from tests.themes import explained, query_theme, theme
from transforms.logic.themes.matcher import ThemeMatcher


def test_every_theme_is_explained_found_or_not() -> None:
    matcher = ThemeMatcher([theme("gang", theme="b"), theme("mob", theme="a")])
    first, second = matcher.explain("A gang", "")
    assert (first.theme, first.score, first.level, first.queries) == ("a", 0, None, ())
    assert (second.theme, second.score, second.level) == ("b", 1.5, "mention")
    assert first.near_misses == ()


def test_the_thresholds_are_told() -> None:
    found = explained(theme("gang", thresholds={"mention": 2, "focus": 4}), "")
    assert (found.mention, found.focus) == (2, 4)


def test_queries_come_by_what_they_add_and_then_by_id() -> None:
    terms = {1: ["gang", "clan"], 3: ["mob"], -2: ["film"], 9: ["unheard"]}
    one = theme(terms=terms, lead_weight=1)
    found = explained(one, "A gang, a clan, a mob and a film: a mob film")
    assert [(query.query, query.weight, query.points) for query in found.queries] == [
        ("mob", 3, 4.5),
        ("clan", 1, 1),
        ("gang", 1, 1),
        ("film", -2, -3),
    ]
    assert found.score == 3.5


def test_all_matches_that_count_are_shown_in_text_order() -> None:
    found = explained(theme("gang"), "gang, " * 15, title="A gang")
    (query,) = found.queries
    assert [(match.field, match.start) for match in query.matches] == [
        ("title", 2), *(("text", at) for at in range(0, 90, 6)),
    ]  # fmt: skip


def test_a_match_with_a_negative_weight_is_shown() -> None:
    found = explained(theme(terms={1: ["gang"], -1: ["film"]}), "A film")
    assert [(query.query, query.matches[0].words) for query in found.queries] == [("film", "film")]


def test_matches_that_lost_to_a_longer_one_are_counted() -> None:
    found = explained(theme("gang", "gang war"), "A gang war, a gang war, a gang")
    assert {query.query: (len(query.matches), query.covered) for query in found.queries} == {
        "gang": (1, 2), "gang_war": (2, 0),
    }  # fmt: skip


def test_a_query_of_which_all_matches_lost_is_shown() -> None:
    found = explained(theme("gang", "gang war", lead_weight=1), "A gang war")
    assert [(query.query, query.points, query.covered) for query in found.queries] == [
        ("gang_war", 1, 0),
        ("gang", 0, 1),
    ]


def test_matches_that_overlap_others_of_their_own_rule_did_not_lose() -> None:
    (query,) = explained(query_theme('gang OR gang* OR "gang war"'), "A gang war").queries
    assert ([match.words for match in query.matches], query.covered) == (["gang war"], 0)


def test_a_query_that_nearly_matched_is_shown() -> None:
    one = query_theme({"id": "near", "query": "police NEAR/2 gang"})
    (query,) = explained(one, "Police met one gang").queries
    assert (query.query, query.points, query.matches) == ("near", 0, ())
    assert query.near_misses == ("NEAR/2: 'Police' and 'gang' are 3 apart",)


def test_a_rule_is_shown_as_it_was_written() -> None:
    one = query_theme({"id": "near", "query": "police  NEAR/2 gang"}, terms={2: ["Mob*"]})
    rules = explained(one, "Police gang mob").queries
    assert [rule.text for rule in rules] == ["Mob*", "police  NEAR/2 gang"]


def test_what_the_points_of_a_rule_come_from_is_shown() -> None:
    one = theme("gang", title_weight=2, lead_weight=1.5)
    found = explained(one, f"gang gang{' x' * 600} gang", title="A gang")
    (rule,) = found.queries
    assert (rule.title, rule.lead, rule.rest) == (1, 2, 1)
    assert (found.title_weight, found.lead_weight) == (2, 1.5)
    assert rule.points == found.score == round(2 - 2 ** (1 - (2 + 2 * 1.5 + 1)), 3)


def test_rules_of_another_language_are_not_shown() -> None:
    parts = {"en": {"terms": {1: ["gang"]}}, "de": {"terms": {1: ["Gang"]}}}
    one = theme(parts=parts)
    assert [rule.text for rule in explained(one, "gang", language="de").queries] == ["Gang"]
    assert explained(one, "gang", language="fr").queries == ()


def test_only_so_many_near_misses_are_told() -> None:
    one = query_theme("gang NOT NEAR/2 film")
    text = " ".join(f"gang{number} film x x x" for number in range(20))
    (rule,) = explained(query_theme("gang* NOT NEAR/2 film"), text).queries
    assert len(rule.near_misses) == 10
    (rule,) = explained(one, "gang film x x x gang film").queries
    assert rule.near_misses == ("'gang' excluded by 'film'",)


@pytest.mark.parametrize(
    ("text", "missed"),
    [
        ("", ()),
        ("film", ()),
        ("gang", ("mention needs 2, the score is 1",)),
        ("gang, gang", ("mention needs 2, the score is 1.5",)),
        ("gang, mob", ("focus needs 3.5, the score is 2",)),
        ("gang, mob, gang, mob", ("focus needs 3.5, the score is 3",)),
        ("gang, mob, clan, clan", ()),
        ("x " * 400 + "gang, mob, clan, clan", ()),
        ("x " * 2000 + "gang, mob, clan, clan",
         ("focus needs the theme in the title, in the lead or all over the text",)),
    ],
)  # fmt: skip
def test_what_the_next_level_needs(text: str, missed: tuple[str, ...]) -> None:
    one = theme(
        terms={1: ["gang", "mob", "clan"], -1: ["film"]},
        thresholds={"mention": 2, "focus": 3.5},
        lead_weight=1,
    )
    assert explained(one, text).near_misses == missed


def test_a_score_of_negative_weights_alone_misses_nothing() -> None:
    assert explained(theme(terms={1: ["gang"], -1: ["film"]}), "gang film").near_misses == ()
