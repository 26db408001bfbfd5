"""Examples of themes: which pass, and what is said of those that do not."""

from typing import Any

import pytest

from pipeline.themes.examples import ENOUGH, Coverage, ExampleResult, check_examples, coverage
from tests.themes import theme
from transforms.logic.themes.model import Theme

LONG = "Die Bande ist gestern in Berlin gesehen worden, sagte ein Sprecher der Polizei am Montag."


def gangs(**examples: Any) -> Theme:
    return theme("gang*", theme="gangs", examples=examples)


def results(*themes: Theme) -> list[ExampleResult]:
    return list(check_examples(themes))


@pytest.mark.parametrize(
    ("examples", "passed"),
    [
        ({"should_match": [{"level": "mention", "text": "A gang."}]}, True),
        ({"should_match": [{"level": "focus", "text": "A gang."}]}, False),
        ({"should_match": [{"level": "mention", "text": "A clan."}]}, False),
        ({"should_match": [{"level": "mention", "title": "Gangs"}]}, True),
        ({"should_not_match": ["A clan."]}, True),
        ({"should_not_match": ["A gang."]}, False),
        ({"should_not_match": [{"title": "A gang", "text": "A clan."}]}, False),
    ],
)
def test_an_example_passes_at_its_level_alone(examples: dict[str, Any], passed: bool) -> None:
    (one,) = results(gangs(**examples))
    assert one.passed is passed
    assert (one.explanation is None) is passed
    assert one.explanation is None or one.explanation.level == one.level


def test_an_example_is_matched_in_the_language_of_its_file() -> None:
    rules = {"terms": {1: ["bande*"]}}
    wanted = {"should_match": [{"level": "mention", "text": "Die Bande."}]}
    parts = {"de": rules | {"examples": wanted}, "en": {"examples": {"should_not_match": [LONG]}}}
    german, english = results(theme("gang", theme="gangs", parts=parts))
    assert (german.passed, german.example.language) == (True, "de")
    assert (english.passed, english.example.language) == (True, "en")


def test_an_example_without_a_language_is_matched_by_all_rules() -> None:
    wanted = {"should_match": [{"level": "mention", "text": "Die Bande."}]}
    parts = {"de": {"terms": {1: ["bande*"]}}}
    (one,) = results(theme("gang", theme="gangs", examples=wanted, parts=parts))
    assert one.passed


def test_a_text_of_another_language_is_pointed_at() -> None:
    unwanted = {"should_not_match": [LONG]}
    parts = {"en": {"examples": unwanted}, "de": {"examples": unwanted}}
    english, german = results(theme("gang", theme="gangs", parts=parts, examples=unwanted))[1:]
    assert (english.seen_as, english.is_seen_otherwise) == ("de", True)
    assert (german.seen_as, german.is_seen_otherwise) == ("de", False)


def test_examples_are_cleaned_as_articles_are() -> None:
    text = "A\u00a0 gang\r\nof e\N{COMBINING ACUTE ACCENT}migre\N{COMBINING ACUTE ACCENT}s"
    wanted = [{"level": "mention", "text": text}]
    (one,) = results(theme("émigrés", accents="exact", examples={"should_match": wanted}))
    assert one.passed


def test_each_part_should_have_enough_examples() -> None:
    many = {"should_not_match": [f"Number {number}." for number in range(ENOUGH)]}
    parts = {"de": {"terms": {1: ["bande*"]}}, "en": {"examples": many}}
    one = theme("gang", theme="gangs", parts=parts)
    assert coverage([one], results(one)) == [
        Coverage("gangs", "de", 0, 0),
        Coverage("gangs", "en", ENOUGH, ENOUGH),
    ]
    assert [row.is_thin for row in coverage([one], results(one))] == [True, False]
