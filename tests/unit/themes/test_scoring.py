"""From matches to a score and a level."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.themes import explained, query_theme, theme, words
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme
from transforms.logic.themes.scoring import Found, split_by_length


def weighted(terms: dict[float, list[str]], **changes: object) -> Theme:
    """A theme in which the lead is text as any other."""
    return theme(terms=terms, **{"lead_weight": 1} | changes)


def filled(length: int) -> str:
    return ("x" * 9 + " ") * (length // 10) + "x" * (length % 10 - 1) + " " * (length % 10 > 0)


@pytest.mark.parametrize(
    ("times", "points"), [(0, 0), (1, 4), (2, 6), (3, 7), (4, 7.5), (5, 7.75), (99, 8)]
)
def test_each_repeat_counts_half_as_much(times: int, points: float) -> None:
    assert explained(weighted({4: ["asylum"]}), "asylum. " * times).score == points


@given(st.integers(1, 300), st.integers(0, 3))
def test_one_common_word_never_reaches_the_mention(in_text: int, in_title: int) -> None:
    common = theme(terms={1: ["border"]}, thresholds={}, title_weight=5, lead_weight=5)
    (found,) = ThemeMatcher([common]).explain("border, " * in_title, "border, " * in_text)
    assert found.level is None
    assert found.score <= 2
    assert found.near_misses == (f"mention needs 3, the score is {found.score:g}",)


def test_several_words_reach_it_together() -> None:
    several = theme("border", "visa", "asylum", thresholds={}, lead_weight=1)
    assert explained(several, "border, visa").level is None
    assert explained(several, "border, visa, asylum").level == "mention"


@pytest.mark.parametrize(
    ("title_weight", "points"), [(0, 4), (0.5, 5.172), (1, 6), (2, 7), (3, 7.5)]
)
def test_a_match_in_the_title_counts_as_several(title_weight: float, points: float) -> None:
    weighted_title = weighted({4: ["asylum"]}, title_weight=title_weight)
    assert explained(weighted_title, "asylum", title="Asylum").score == points


@pytest.mark.parametrize(
    ("lead_weight", "points"), [(0, 4), (0.5, 5.172), (1, 6), (2, 7), (3, 7.5)]
)
def test_a_match_in_the_lead_counts_as_several(lead_weight: float, points: float) -> None:
    weighted_lead = weighted({4: ["asylum"]}, lead_weight=lead_weight)
    assert explained(weighted_lead, f"asylum{filled(700)}\nasylum").score == 4
    assert explained(weighted_lead, f"asylum {filled(700)}\nasylum").score == points


@pytest.mark.parametrize(
    ("text", "in_lead"),
    [
        ("asylum", True),
        ("x" * 1193 + " asylum", True),
        ("x" * 1198 + " asylum", True),
        ("x" * 1199 + " asylum", False),
        ("x" * 598 + "\nasylum", True),
        ("x" * 599 + "\nasylum", False),
        ("x\n" * 299 + "\nasylum", True),
        ("x\n" * 300 + "asylum", False),
        ("x" * 598 + "\n" + "x" * 500 + " asylum", True),
        ("x" * 598 + "\n" + "x" * 500 + "\nasylum", False),
        ("ß" * 598 + "\nasylum", True),
        ("ß" * 599 + "\nasylum", False),
    ],
)
def test_the_lead_is_the_paragraphs_that_begin_early(text: str, in_lead: bool) -> None:
    (rule,) = explained(theme("asylum"), text, title="A title that is long").queries
    assert (rule.title, rule.lead, rule.rest) == (0, int(in_lead), int(not in_lead))
    assert bool(words(query_theme("lead:asylum"), text)) is in_lead


def test_a_title_without_weight_adds_nothing() -> None:
    assert explained(theme("asylum", title_weight=0), "", title="Asylum").level is None


def test_a_group_that_begins_in_the_title_is_a_match_in_the_title() -> None:
    query = query_theme({"query": "police AND gang", "weight": 4}, lead_weight=1)
    assert explained(query, "A gang", title="Police").score == 6
    assert explained(query, "Police and gang", title="").score == 4


@pytest.mark.parametrize(
    ("terms", "found", "points"),
    [
        ({4: ["flood", "flood insurance"]}, ["flood insurance"], 4),
        ({1: ["flood insurance"], 9: ["flood"]}, ["flood insurance"], 1),
        ({1: ["flood"], 9: ["insurance"]}, ["flood", "insurance"], 10),
        ({4: ["flood"], -3: ["flood insurance"]}, ["flood insurance"], 0),
        ({4: ["flood insurance"], -3: ["flood"]}, ["flood insurance"], 4),
        ({2: ["the flood"], 3: ["flood insurance"]}, ["flood insurance"], 3),
        ({2: ["flood"], 3: ["floo?"]}, ["flood"], 3),
        ({2: ["flood"], -3: ["floo?"], 1: ["insurance"]}, ["flood", "insurance"], 0),
        ({1: ["the flood"], 2: ["insurance"], 9: ["flood"]}, ["the flood", "insurance"], 3),
    ],
)
def test_the_longest_match_wins_then_the_heavier(
    terms: dict[float, list[str]], found: list[str], points: float
) -> None:
    one = weighted(terms)
    assert words(one, "the flood insurance") == found
    assert explained(one, "the flood insurance").score == points


def test_themes_do_not_take_words_from_each_other() -> None:
    themes = [theme("flood"), theme("flood insurance", theme="insurance")]
    assert words(themes, "flood insurance") == ["flood"]
    assert len(ThemeMatcher(themes).hits("", "flood insurance")) == 2


def test_a_group_takes_all_its_words_and_none_between() -> None:
    query = {"id": "both", "query": "police AND gang"}
    one = query_theme(query, terms={1: ["police", "city"], 2: ["gang war"]}, lead_weight=1)
    found = explained(one, "police, city, gang")
    assert {query.query: query.points for query in found.queries} == {
        "both": 1, "city": 1, "police": 0,
    }  # fmt: skip
    assert {query.query: query.covered for query in found.queries}["police"] == 1


def test_equal_matches_go_to_the_heavier_query_and_then_by_id() -> None:
    two = query_theme({"id": "b", "query": "gang OR mob"}, {"id": "a", "query": "gang OR clan"})
    assert explained(two, "gang").queries[0].query == "a"
    heavy = {"id": "b", "query": "gang OR mob", "weight": 2}
    heavier = query_theme(heavy, {"id": "a", "query": "gang OR clan"})
    assert explained(heavier, "gang").queries[0].query == "b"


def test_a_score_is_never_below_zero() -> None:
    found = explained(weighted({1: ["flood"], -4: ["data"]}), "flood of data, data")
    assert found.score == 0
    assert found.level is None
    assert {query.query: query.points for query in found.queries} == {"flood": 1, "data": -6}


def test_a_negative_weight_is_never_evidence() -> None:
    one = weighted({5: ["flood"], -1: ["data"]})
    (hit,) = ThemeMatcher([one]).hits("", "data, flood, data")
    assert [evidence.words for evidence in hit.evidence] == ["flood"]
    assert hit.score == 3.5
    assert [(count.query, count.matches) for count in hit.queries] == [("data", 2), ("flood", 1)]


def test_scores_have_three_places() -> None:
    one = weighted({1 / 3: ["flood"], 0.1: ["river"], 0.2: ["dam"]})
    found = explained(one, "flood, flood, flood, river, dam")
    assert [query.points for query in found.queries] == [0.583, 0.2, 0.1]
    assert found.score == 0.883


@pytest.mark.parametrize(
    ("text", "level"),
    [("rain", None), ("rain, dam", "mention"), ("rain, dam, river", "focus"), ("", None)],
)
def test_a_level_begins_at_its_threshold(text: str, level: str | None) -> None:
    one = theme("rain", "dam", "river", thresholds={"mention": 2, "focus": 3}, lead_weight=1)
    assert explained(one, text).level == level


@pytest.mark.parametrize(
    ("title", "text", "stands_out"),
    [
        ("", "asylum" + filled(5000), False),
        ("", "asylum " + filled(5000), True),
        ("", filled(1200) + "asylum " + filled(5000), False),
        ("", filled(1199) + " asylum " + filled(5000), False),
        ("", filled(1190) + "asylum " + filled(5000), True),
        ("", filled(599) + "\nasylum " + filled(5000), False),
        ("Asylum", filled(5000), True),
        ("A title that is long", filled(1190) + "asylum " + filled(5000), True),
        ("", filled(1300) + "asylum " * 2, False),
        ("", filled(1300) + "asylum " * 3, True),
        ("", filled(1300) + "asylum " * 3 + filled(479), True),
        ("", filled(1300) + "asylum " * 3 + filled(480), False),
        ("", "data " + filled(1300) + "asylum", False),
    ],
)
def test_a_theme_stands_out(title: str, text: str, stands_out: bool) -> None:
    terms = {9: ["asylum"], -1: ["data"]}
    found = explained(weighted(terms, thresholds={"mention": 1, "focus": 2}), text, title)
    assert found.stands_out is stands_out
    if found.score:
        assert found.level == ("focus" if stands_out else "mention")


def test_what_has_no_match_does_not_stand_out() -> None:
    assert not explained(theme("asylum"), "").stands_out
    assert not explained(weighted({1: ["asylum"], -1: ["data"]}), "data").stands_out


def found(rule: str, weight: float, *match: int) -> Found:
    return Found(match, rule, weight)


def test_matches_are_split_into_those_that_count_and_those_that_are_covered() -> None:
    short, long = found("a", 9, 0), found("b", 1, 0, 1)
    apart, wide = found("c", 1, 2), found("d", 1, 4, 5, 8)
    inside, between = found("e", 1, 5, 6), found("f", 1, 6, 7)
    counted, covered = split_by_length([short, inside, between, wide, apart, long])
    assert counted == [long, apart, wide, between]
    assert covered == [short, inside]


def test_matches_that_share_no_word_all_count() -> None:
    one, other = found("a", 9, 3), found("b", 1, 0, 1)
    assert split_by_length([one, other]) == ([other, one], [])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sets(st.integers(0, 12), min_size=1))))
def test_matches_that_count_never_overlap(raw: list[tuple[str, set[int]]]) -> None:
    weights = {"a": 1.0, "b": 2.0, "c": -3.0}
    all_found = [found(rule, weights[rule], *sorted(match)) for rule, match in raw]
    counted, covered = split_by_length(all_found)
    taken = [word for one in counted for word in one.match]
    assert len(taken) == len(set(taken))
    assert sorted(counted + covered) == sorted(all_found)
    for one in covered:
        assert any(
            len(other.match) >= len(one.match) and set(one.match) & set(other.match)
            for other in counted
        )
