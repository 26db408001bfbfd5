"""What each operator of a query finds, and what it tells where it nearly does."""

import pytest

from tests.themes import explained, query_theme, words

SENTENCES = "Police came. A gang ran. The mob and the gang fell.\nPolice left."


def matches(query: str, text: str, title: str = "", **article: str) -> list[str]:
    """The words that a query matched, a piece a sentence, in text order."""
    return words(query_theme(query), text, title, **article)


def near_misses(query: str, text: str, title: str = "", **article: str) -> list[str]:
    """What kept a query from matching."""
    queries = explained(query_theme(query), text, title, **article).queries
    return list(queries[0].near_misses) if queries else []


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("gang OR mob", "A mob and a gang", ["mob", "gang"]),
        ('gang OR "gang war"', "A gang war", ["gang war"]),
        ('"a gang" OR "gang war"', "A gang war", ["A gang"]),
        ("gang AND mob", "A mob.\nA gang.", ["mob", "gang"]),
        ("gang AND mob", "A gang.\nA gang.", []),
        ("gang AND (mob OR clan)", "A gang, a clan", ["gang, a clan"]),
        ("gang AND mob AND clan", "A gang, a clan", []),
        ("gang AND mob AND clan", "A clan, a gang, a mob", ["clan, a gang, a mob"]),
        ('police AND "police officer"', "A police officer", ["police officer"]),
    ],
)
def test_and_and_or(query: str, text: str, found: list[str]) -> None:
    assert matches(query, text) == found


def test_parts_may_be_in_the_title_and_in_the_text() -> None:
    assert matches("police AND gang", "Police came", title="A gang") == ["gang", "Police"]


def test_the_tightest_group_is_found_first_and_no_word_twice() -> None:
    assert matches("police AND gang", "gang one police two three gang") == ["gang one police"]
    assert matches("police AND gang", "gang one two police gang") == ["police gang"]
    assert matches("police AND gang", "Police met gang. Gang met police.") == [
        "Police met gang",
        "Gang met police",
    ]


def test_a_group_takes_what_begins_last_and_has_ended() -> None:
    query = '(police OR "of the police officer") AND mob'
    assert matches(query, "of the police officer mob") == ["police officer mob"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The gang met police", ["gang met police"]),
        ("Police met the gang", ["Police met the gang"]),
        ("Police met all the gang", []),
        ("Police of Bob's gang", []),
        ("Police of city-gang", ["Police of city-gang"]),
        ("Police of e_mail gang", ["Police of e_mail gang"]),
        ("Police, gang", ["Police, gang"]),
        ("Police –– «» –– gang", ["Police –– «» –– gang"]),
        ("The gang ran. The police came.", ["gang", "police"]),
        ("gang police gang", ["gang police"]),
    ],
)
def test_near_counts_the_words_from_end_to_beginning(text: str, found: list[str]) -> None:
    assert matches("police NEAR/3 gang", text) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('"police officer" NEAR/2 gang', ["police officer met gang"]),
        ('"police officer" NEAR/1 gang', []),
        ('gang NEAR/2 "police officer"', ["police officer met gang"]),
        ("police NEAR/2 gang", []),
        ("police ADJ/3 gang", ["police officer met gang"]),
        ("gang ADJ/3 police", []),
        ("police ADJ/2 gang", []),
        ("police NEAR/3 gang NEAR/2 boss", ["police officer met gang boss"]),
        ("police NEAR/3 (gang NEAR/1 boss)", ["police officer met gang boss"]),
        ("police NEAR/1 boss NEAR/9 gang", []),
        ('gang* NEAR/3 (gang OR "gang boss")', []),
        ("officer ADJ/1 officer", []),
    ],
)
def test_near_and_adj(query: str, found: list[str]) -> None:
    assert matches(query, "The police officer met gang boss") == found


def test_near_counts_a_word_with_marks_once() -> None:
    assert matches("सरकार NEAR/2 हिन्दी", "सरकार की हिन्दी") == ["सरकार की हिन्दी"]
    assert matches("सरकार NEAR/1 हिन्दी", "सरकार की हिन्दी") == []


@pytest.mark.parametrize("operator", ["NEAR/9", "ADJ/9", "NEAR/S", "NEAR/P"])
def test_title_and_text_are_never_near(operator: str) -> None:
    assert matches(f"gang {operator} police", "Police came", title="A gang") == []
    found = ["gang and police"]
    assert matches(f"gang {operator} police", "Rain", title="A gang and police") == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("gang NEAR/S mob", ["mob and the gang"]),
        ("mob NEAR/S gang", ["mob and the gang"]),
        ("police NEAR/S gang", []),
        ("police NEAR/P gang", ["Police", "gang"]),
        ("police NEAR/P (mob ADJ/9 gang)", ["Police", "mob and the gang"]),
        ("gang NEAR/S mob NEAR/S fell", ["mob and the gang fell"]),
        ("gang NEAR/S gang", ["gang", "gang"]),
        ("left NEAR/P came", []),
    ],
)
def test_together(query: str, found: list[str]) -> None:
    assert matches(query, SENTENCES) == found


def test_a_part_in_two_sentences_is_in_none() -> None:
    assert matches("(police NEAR/3 gang) NEAR/S ran", SENTENCES) == []
    assert matches("(police NEAR/3 gang) NEAR/P ran", SENTENCES) == ["Police", "gang ran"]


@pytest.mark.parametrize(
    ("query", "text", "title", "found"),
    [
        ("bottle NOT wine", "A bottle of milk", "", ["bottle"]),
        ("bottle NOT wine", "A bottle. And so on, and on. Wine.", "", []),
        ("bottle NOT wine", "A bottle", "Wine", []),
        ("bottle NOT (wine AND red)", "A bottle of wine", "", ["bottle"]),
        ("bottle NOT NEAR/3 wine", "A bottle. And so on, and on. Wine.", "", ["bottle"]),
        ("bottle NOT NEAR/3 wine", "A bottle of wine", "", []),
        ("bottle NOT NEAR/3 wine", "A wine bottle", "", []),
        ("bottle NOT NEAR/2 wine", "A bottle of the wine", "", ["bottle"]),
        ("bottle NOT NEAR/3 wine", "Bottle", "Wine", ["Bottle"]),
        ("bottle NOT NEAR/2 wine", "A wine bottle and one more bottle", "", ["bottle"]),
        ("bottle NOT NEAR/3 wine", "Wine and so on and on to a bottle of wine", "", []),
        ('bank NOT NEAR/1 "central bank"', "A bank, the central bank", "", ["bank"]),
        ('central NOT NEAR/1 "a central bank"', "It is a central bank", "", []),
        ("bottle NOT NEAR/S wine", "A bottle. Wine, bottle, so on.", "", ["bottle"]),
        ("bottle NOT NEAR/P wine", "A bottle. Wine.\nA bottle.", "", ["bottle"]),
        ("bottle NOT NEAR/S wine", "A bottle", "Wine", ["bottle"]),
    ],
)
def test_not(query: str, text: str, title: str, found: list[str]) -> None:
    assert matches(query, text, title) == found


def test_not_near_takes_away_one_group_and_leaves_another() -> None:
    text = "A film: police met gang. And then so on it was. Gang met police."
    assert matches("police NEAR/3 gang NOT NEAR/3 film", text) == ["Gang met police"]


def test_what_is_unwanted_over_title_and_text_hides_nothing_nearer() -> None:
    query = "gang NOT NEAR/3 (film OR (actor AND director))"
    assert matches(query, "film director gang", title="actor") == []


def test_what_is_unwanted_and_ends_last_hides_nothing_nearer() -> None:
    query = 'gang NOT NEAR/1 (police OR "of the police officer met")'
    assert matches(query, "of the police officer met gang") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("title:gang*", ["gang"]),
        ("text:gang*", ["Gang", "gangs"]),
        ("lead:gang*", ["Gang"]),
        ("gang*", ["gang", "Gang", "gangs"]),
        ("lead:(gang* AND boss)", ["Gang boss"]),
        ("lead:(gangs AND boss)", []),
        ("lead:boss AND gangs", ["boss", "gangs"]),
        ("title:(gang* NOT boss)", ["gang"]),
        ("title:gang* NOT boss", []),
        ("text:lead:gang*", ["Gang"]),
        ("lead:text:gang*", ["Gang"]),
    ],
)
def test_fields(query: str, found: list[str]) -> None:
    assert matches(query, f"Gang boss\n{'x ' * 500}\nof gangs", title="A gang") == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('gang AND source:"BBC News"', ["gang"]),
        ("gang AND source:bbc", ["gang"]),
        ("gang AND source:BB", []),
        ("gang AND source:n?ws", ["gang"]),
        ("gang NOT source:bbc", []),
        ("gang NOT source:cnn", ["gang"]),
        ("gang AND (source:cnn OR source:bbc)", ["gang"]),
        ("gang AND (source:cnn OR lang:de)", []),
        ("gang AND lang:en", ["gang"]),
        ("gang AND lang:de", []),
        ("gang NOT (mob AND source:bbc)", []),
        ("gang NOT (mob AND source:cnn)", ["gang"]),
        ("gang AND (source:bbc NOT lang:de)", ["gang"]),
        ("gang NOT (source:bbc NOT lang:en)", ["gang"]),
        ("gang AND (source:bbc NOT mob)", []),
    ],
)
def test_source_and_language(query: str, found: list[str]) -> None:
    assert matches(query, "gang, mob", source="BBC News", language="en") == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ATLEAST/2 gang", ["gang", "gang"]),
        ("ATLEAST/3 gang", []),
        ("ATLEAST/3 (gang OR mob)", ["gang", "gang", "mob"]),
        ('ATLEAST/4 (gang OR mob OR "gang mob")', []),
        ("ATLEAST/2 gang AND mob", ["gang mob"]),
        ("ATLEAST/1 (gang AND mob)", ["gang mob"]),
        ("ATLEAST/2 (gang AND mob)", []),
    ],
)
def test_at_least(query: str, found: list[str]) -> None:
    assert matches(query, "gang\ngang mob") == found


@pytest.mark.parametrize(
    ("query", "text", "found"),
    [
        ("=US", "us US Us", ["US"]),
        ('="Visa Inc"', "visa inc Visa Inc VISA INC Visa-Inc", ["Visa Inc", "Visa-Inc"]),
        ("=Łódź", "Lodz Łódź ŁÓDŹ", ["Łódź"]),
        ("=Labour", "Labour Labor labour", ["Labour"]),
        ("=Mig*", "Migrants migrants MIG", ["Migrants"]),
        ('="Côte d\'Ivoire"', "Côte d’Ivoire, Cote d'Ivoire", ["Côte d’Ivoire"]),
        ("=US ADJ/1 army", "us army, the US army", ["US army"]),
    ],
)
def test_exact_case(query: str, text: str, found: list[str]) -> None:
    assert matches(query, text) == found


def test_a_phrase_is_not_found_across_title_and_text() -> None:
    assert matches('"border guard"', "guard", title="border") == []


@pytest.mark.parametrize(
    ("query", "text", "title", "missed"),
    [
        ("police NEAR/4 gang", "Police met all of the gang", "",
         ["NEAR/4: 'Police' and 'gang' are 5 apart"]),
        ("gang NEAR/4 police", "A gang. So and so and on. Police met all of the gang", "",
         ["NEAR/4: 'gang' and 'Police' are 5 apart"]),
        ("police NEAR/4 gang", "Police came", "A gang",
         ["NEAR/4: 'Police' and 'gang' are in the title and in the text"]),
        ("police NEAR/4 gang", "Gang police one two three gang", "", []),
        ("police NEAR/4 gang", "Police came", "", []),
        ("police ADJ/4 gang", "Gang, police", "",
         ["ADJ/4: 'police' and 'Gang' stand the other way round"]),
        ("gang* NEAR/4 gang", "Gang", "", ["NEAR/4: 'Gang' and 'Gang' are the same words"]),
        ("police NEAR/S mob", SENTENCES, "",
         ["NEAR/S: 'Police' and 'mob' are 1 sentence apart"]),
        ("came NEAR/S fell", SENTENCES, "", ["NEAR/S: 'came' and 'fell' are 2 sentences apart"]),
        ("came NEAR/P left", SENTENCES, "", ["NEAR/P: 'came' and 'left' are 1 paragraph apart"]),
        ("came NEAR/P rain", SENTENCES, "Rain",
         ["NEAR/P: 'came' and 'Rain' are in the title and in the text"]),
        ("(police NEAR/3 gang) NEAR/S ran", SENTENCES, "",
         ["NEAR/S: 'Police came. A gang' and 'ran' are not in one sentence as a whole"]),
        ("bottle NOT wine", "A Bottle of Wine", "", ["excluded by 'Wine'"]),
        ("bottle NOT wine", "Wine", "", []),
        ("bottle NOT NEAR/2 wine", "Wine bottle, one new bottle", "",
         ["'bottle' excluded by 'Wine'"]),
        ("bottle NOT NEAR/S wine", "My-wine bottle", "", ["'bottle' excluded by 'wine'"]),
        ("title:gang", "A gang", "Rain", ["title: 'gang' is in the text, at character 2"]),
        ("lead:gang", "x " * 700 + "gang", "", ["lead: 'gang' is in the text, at character 1,400"]),
        ("text:gang", "Rain", "A gang", ["text: 'gang' is in the title"]),
        ("ATLEAST/3 gang", "Gang, gang", "", ["ATLEAST/3: 2 found"]),
        ("ATLEAST/2 (gang NEAR/1 mob)", "Gang of the mob", "",
         ["NEAR/1: 'Gang' and 'mob' are 3 apart"]),
        ("gang AND source:cnn", "Gang", "", ["only where source is 'cnn'"]),
        ("gang NOT lang:en", "Gang", "", ["only where not (lang is 'en')"]),
        ("gang AND (police NEAR/1 mob)", "Gang. Police of the mob", "",
         ["NEAR/1: 'Police' and 'mob' are 3 apart"]),
        ("gang AND (police NEAR/1 mob)", "Police of the mob", "", []),
        ("gang OR (police NEAR/1 mob)", "Police of the mob", "",
         ["NEAR/1: 'Police' and 'mob' are 3 apart"]),
        ("gang OR (police NEAR/1 mob)", "Gang. Police of the mob", "", []),
        ("gang AND mob", "A gang", "", []),
    ],
)  # fmt: skip
def test_what_nearly_matched_is_told(query: str, text: str, title: str, missed: list[str]) -> None:
    assert near_misses(query, text, title, source="BBC News", language="en") == missed
