"""Terms that together say one thing: any, all, none, within and field."""

from typing import Any

import pytest

from tests.themes import explained, query_theme, words


def matches(query: dict[str, Any], text: str, title: str = "") -> list[str]:
    """The words that one query matched, a piece a sentence, in text order."""
    return words(query_theme(query), text, title)


def near_misses(query: dict[str, Any], text: str, title: str = "") -> list[str]:
    """What kept one query from matching."""
    queries = explained(query_theme(query), text, title).queries
    return list(queries[0].near_misses) if queries else []


NEAR = {"any": ["police"], "all": ["gang"], "within": 4}


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ({"any": ["gang", "mob"]}, "A mob and a gang", ["mob", "gang"]),
        ({"any": ["gang", "gang war"]}, "A gang war", ["gang war"]),
        ({"any": ["a gang", "gang war"]}, "A gang war", ["A gang"]),
        ({"all": ["gang", "mob"]}, "A mob.\nA gang.", ["mob", "gang"]),
        ({"all": ["gang", "mob"]}, "A gang.\nA gang.", []),
        ({"all": ["gang", ["mob", "clan"]]}, "A gang, a clan", ["gang, a clan"]),
        ({"all": ["gang"], "any": ["mob", "clan"]}, "A gang, a clan", ["gang, a clan"]),
        ({"all": ["police", "police officer"]}, "A police officer", ["police officer"]),
        ({"all": ["gang"]}, "A gang", ["gang"]),
    ],
)
def test_any_and_all(query: dict[str, Any], text: str, found: list[str]) -> None:
    assert matches(query, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The gang met police", ["gang met police"]),
        ("Police met the gang", ["Police met the gang"]),
        ("Police met all the gang", []),
        ("Police of Bob's gang", ["Police of Bob's gang"]),
        ("Police of city-state's gang", []),
        ("Police of e_mail gang", ["Police of e_mail gang"]),
        ("Police, gang", ["Police, gang"]),
        ("Police –– «» –– gang", ["Police –– «» –– gang"]),
        ("The gang ran. Police came.", ["gang", "Police"]),
    ],
)
def test_within_counts_the_first_and_the_last_word(text: str, found: list[str]) -> None:
    assert matches(NEAR, text) == found


def test_within_counts_a_word_with_marks_once() -> None:
    query = {"all": ["सरकार", "हिन्दी"], "within": 3}
    assert matches(query, "सरकार की हिन्दी") == ["सरकार की हिन्दी"]


def test_within_asks_for_one_field() -> None:
    assert matches(NEAR, "Police came", title="A gang") == []
    assert matches({**NEAR, "within": None}, "Police came", title="A gang") == ["gang", "Police"]


def test_the_tightest_group_is_found_first_and_no_word_twice() -> None:
    text = "gang one police two three gang"
    assert matches(NEAR, text) == ["gang one police"]
    assert matches({**NEAR, "within": 9}, text) == ["gang one police"]
    assert matches({**NEAR, "within": 9}, "gang one two police gang") == ["police gang"]


def test_several_groups_are_several_matches() -> None:
    assert matches(NEAR, "Police met gang. No. Gang met police. No.") == [
        "Police met gang",
        "Gang met police",
    ]


@pytest.mark.parametrize(
    ("within", "text", "title", "found"),
    [
        (None, "A bottle of milk", "", ["bottle"]),
        (None, "A bottle. And so on, and on. Wine.", "", []),
        (None, "A bottle", "Wine", []),
        (3, "A bottle. And so on, and on. Wine.", "", ["bottle"]),
        (3, "A bottle of wine", "", []),
        (3, "A wine bottle", "", []),
        (3, "A bottle of the wine", "", ["bottle"]),
        (3, "Bottle", "Wine", ["Bottle"]),
        (3, "A wine bottle and one more bottle", "", ["bottle"]),
        (3, "Wine and so on and on to a bottle of wine", "", []),
    ],
)
def test_none(within: int | None, text: str, title: str, found: list[str]) -> None:
    query = {"any": ["bottle"], "none": ["wine"], "within": within}
    assert matches(query, text, title) == found


def test_none_takes_away_one_group_and_leaves_another() -> None:
    query = {**NEAR, "none": ["film"]}
    text = "A film: police met gang. And then so on it was. Gang met police."
    assert matches(query, text) == ["Gang met police"]


@pytest.mark.parametrize(
    ("field", "found"),
    [("title", ["gang"]), ("text", ["Gang", "gangs"]), (None, ["gang", "Gang", "gangs"])],
)
def test_field(field: str | None, found: list[str]) -> None:
    assert matches({"any": ["gang*"], "field": field}, "Gang of gangs", title="A gang") == found


def test_field_holds_for_what_must_not_be_there() -> None:
    query = {"any": ["bottle"], "none": ["wine"], "field": "title"}
    assert matches(query, "Wine", title="A bottle") == ["bottle"]
    assert matches(query, "", title="A bottle of wine") == []


def test_a_phrase_is_not_found_across_title_and_text() -> None:
    assert matches({"any": ["border guard"]}, "guard", title="border") == []


@pytest.mark.parametrize(
    ("text", "title", "missed"),
    [
        ("Police met all of the gang", "", ["its parts are there, but in 6 words instead of 4"]),
        ("A gang. So and so. Police met all of the gang", "",
         ["its parts are there, but in 5 words instead of 4"]),
        ("Police came", "A gang",
         ["its parts are there, but some in the title and some in the text"]),
        ("Police met all of the gang", "A gang",
         ["its parts are there, but in 6 words instead of 4"]),
        ("Gang. Police one two three gang", "", []),
        ("Police came", "", []),
        ("", "", []),
    ],
)  # fmt: skip
def test_parts_that_are_too_far_apart_are_nearly_a_match(
    text: str, title: str, missed: list[str]
) -> None:
    assert near_misses(NEAR, text, title) == missed


@pytest.mark.parametrize(
    ("within", "text", "missed"),
    [
        (None, "A Bottle of Wine", ["'Bottle' does not count because of 'Wine'"]),
        (None, "Wine", []),
        (None, "A bottle", []),
        (3, "Wine bottle, a bottle", ["'bottle' does not count because of 'Wine'"]),
        (3, "Wine, and one bottle", []),
        (3, "My-wine bottle\N{SOFT HYPHEN}", ["'bottle' does not count because of 'wine'"]),
    ],
)
def test_what_must_not_be_there_is_named(within: int | None, text: str, missed: list[str]) -> None:
    assert near_misses({"any": ["bottle"], "none": ["wine"], "within": within}, text) == missed


def test_a_group_that_does_not_count_is_named_whole() -> None:
    missed = near_misses({**NEAR, "none": ["film"]}, "The gang and police film")
    assert missed == ["'gang and police' does not count because of 'film'"]


def test_an_article_without_all_parts_is_no_near_miss() -> None:
    assert near_misses({"all": ["gang", "mob"]}, "A gang") == []
