"""From matches to a score and a level."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.themes import explained, query_theme, theme, words
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme
from transforms.logic.themes.queries import Match
from transforms.logic.themes.scoring import Found, score, split_by_length


def weighted(terms: dict[float, list[str]], **changes: object) -> Theme:
    return theme(terms=terms, **changes)


@pytest.mark.parametrize(
    ("times", "points"), [(0, 0), (1, 4), (2, 6), (3, 7), (4, 7.5), (5, 7.75), (99, 8)]
)
def test_each_repeat_counts_half_as_much(times: int, points: float) -> None:
    assert explained(weighted({4: ["asylum"]}), "asylum. " * times).score == points


@given(st.integers(1, 300), st.integers(0, 3))
def test_one_common_word_never_reaches_the_mention(in_text: int, in_title: int) -> None:
    common = theme(terms={1: ["border"]}, thresholds={}, title_weight=5)
    (found,) = ThemeMatcher([common]).explain("border, " * in_title, "border, " * in_text)
    assert found.level is None
    assert found.score <= 2
    assert found.near_misses == (f"mention needs 3, the score is {found.score:g}",)


def test_several_words_reach_it_together() -> None:
    several = theme("border", "visa", "asylum", thresholds={})
    assert explained(several, "border, visa").level is None
    assert explained(several, "border, visa, asylum").level == "mention"


@pytest.mark.parametrize(
    ("title_weight", "points"), [(0, 4), (0.5, 5.172), (1, 6), (2, 7), (3, 7.5)]
)
def test_a_match_in_the_title_counts_as_several(title_weight: float, points: float) -> None:
    weighted_title = weighted({4: ["asylum"]}, title_weight=title_weight)
    assert explained(weighted_title, "asylum", title="Asylum").score == points


def test_a_title_without_weight_adds_nothing() -> None:
    assert explained(theme("asylum", title_weight=0), "", title="Asylum").level is None


def test_a_group_that_begins_in_the_title_is_a_match_in_the_title() -> None:
    query = query_theme({"all": ["police", "gang"], "weight": 4})
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
    query = {"id": "both", "all": ["police", "gang"]}
    one = query_theme(query, terms={1: ["police", "city"], 2: ["gang war"]})
    found = explained(one, "police, city, gang")
    assert {query.query: query.points for query in found.queries} == {
        "both": 1, "city": 1, "police": 0,
    }  # fmt: skip
    assert {query.query: query.covered for query in found.queries}["police"] == 1


def test_equal_matches_go_to_the_heavier_query_and_then_by_id() -> None:
    two = query_theme({"id": "b", "any": ["gang"]}, {"id": "a", "any": ["gang"]})
    assert explained(two, "gang").queries[0].query == "a"
    heavier = query_theme({"id": "b", "any": ["gang"], "weight": 2}, {"id": "a", "any": ["gang"]})
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
    one = theme("rain", "dam", "river", thresholds={"mention": 2, "focus": 3})
    assert explained(one, text).level == level


def filled(length: int) -> str:
    return ("x" * 9 + " ") * (length // 10) + "x" * (length % 10 - 1) + " " * (length % 10 > 0)


@pytest.mark.parametrize(
    ("title", "text", "stands_out"),
    [
        ("", "asylum" + filled(5000), False),
        ("", "asylum " + filled(5000), True),
        ("", filled(599) + " asylum " + filled(5000), False),
        ("", filled(599) + "asylum " + filled(5000), True),
        ("Asylum", filled(5000), True),
        ("A title that is long", filled(599) + "asylum " + filled(5000), True),
        ("", filled(650) + "asylum ", False),
        ("", filled(650) + "asylum asylum ", True),
        ("", filled(700) + "asylum " * 2 + filled(486), True),
        ("", filled(700) + "asylum " * 2 + filled(487), False),
        ("", "data " + filled(700) + "asylum", False),
    ],
)
def test_a_theme_stands_out(title: str, text: str, stands_out: bool) -> None:
    one = theme(terms={9: ["asylum"], -1: ["data"]}, thresholds={"mention": 1, "focus": 2})
    found = explained(one, text, title)
    assert found.stands_out is stands_out
    if found.score:
        assert found.level == ("focus" if stands_out else "mention")


def test_what_has_no_match_does_not_stand_out() -> None:
    assert not explained(theme("asylum"), "").stands_out
    assert not explained(weighted({1: ["asylum"], -1: ["data"]}), "data").stands_out


def found(query: str, weight: float, *match: tuple[int, int]) -> Found:
    spans: Match = match
    return Found(query, weight, "text", spans)


def test_matches_are_split_into_those_that_count_and_those_that_are_covered() -> None:
    short, long = found("a", 9, (0, 4)), found("b", 1, (2, 8))
    apart, wide = found("c", 1, (8, 9)), found("d", 1, (20, 22), (30, 39))
    inside, between = found("e", 1, (21, 25)), found("f", 1, (22, 30))
    counted, covered = split_by_length([short, inside, between, wide, apart, long], 40)
    assert counted == [long, apart, wide, between]
    assert covered == [short, inside]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.integers(1, 9)), max_size=12)
)
def test_matches_that_count_never_overlap(raw: list[tuple[str, int, int]]) -> None:
    weights = {"a": 1.0, "b": 2.0, "c": -3.0}
    all_found = [found(q, weights[q], (start, start + length)) for q, start, length in raw]
    counted, covered = split_by_length(all_found, 40)
    taken = [at for one in counted for at in range(*one.match[0])]
    assert len(taken) == len(set(taken))
    assert sorted(counted + covered, key=repr) == sorted(all_found, key=repr)
    for one in covered:
        (start, end), length = one.match[0], lambda f: f.match[0][1] - f.match[0][0]
        assert any(
            length(other) >= end - start and other.match[0][0] < end and start < other.match[0][1]
            for other in counted
        )


def test_nothing_found_is_a_score_of_nothing() -> None:
    nothing = score(theme("asylum"), [], text_start=3, text_end=3)
    assert (nothing.value, nothing.level, nothing.points, nothing.stands_out) == (
        0,
        None,
        {},
        False,
    )
