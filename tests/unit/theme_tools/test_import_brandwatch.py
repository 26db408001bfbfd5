"""Queries of Brandwatch as themes: what they mean, and what has no counterpart."""

from pathlib import Path

import pytest

from pipeline.themes.brandwatch import import_brandwatch
from tests.unit.theme_tools.imports import Imported, imported
from transforms.errors import ConfigError


def read(tmp_path: Path, query: str) -> Imported:
    return imported(tmp_path, import_brandwatch, query, "Small boats.txt")


def query_of(done: Imported) -> str:
    (rule,) = done.themes["small_boats"].rules
    return rule.query


@pytest.mark.parametrize(
    ("query", "ours"),
    [
        ("migrant*", "migrant*"),
        ("Customi?e OR bel??ve", "Customi?e OR bel??ve"),
        ('"small boats"', '"small boats"'),
        ("“small boats”", '"small boats"'),
        ("boat AND sea", "boat AND sea"),
        ("boat sea", "boat AND sea"),
        ("boat NOT race", "boat NOT race"),
        ("boat AND NOT race", "boat NOT race"),
        ("boat NOT (race OR cup) NOT row", "boat NOT (race OR cup OR row)"),
        ("boat AND sea OR lake", "boat AND sea OR lake"),
        ("boat AND (sea OR lake)", "boat AND (sea OR lake)"),
        ("boat NEAR/0 race", "boat NEAR/1 race"),
        ("boat NEAR/5 race", "boat NEAR/6 race"),
        ("boat NEAR/5f race", "boat ADJ/6 race"),
        ("(boat OR ship) NEAR/3 (sea OR lake)", "(boat OR ship) NEAR/4 (sea OR lake)"),
        ("a1 AND boat NEAR/2 sea", "a1 AND boat NEAR/3 sea"),
        ('"boat race"~5', "boat NEAR/6 race"),
        ("{US} OR {Visa Inc}", '=US OR ="Visa Inc"'),
        ("raw:Google+", "=Google+"),
        ("title:boat", "title:boat"),
        ("Title:boat", "title:boat"),
        ('title:(boat OR "the sea")', 'title:(boat OR "the sea")'),
        ("boat AND language:en", "boat AND lang:en"),
        ("boat AND lang:(de OR fr)", "boat AND (lang:de OR lang:fr)"),
        ("boat <<<the race is NOT meant>>> NOT race", "boat NOT race"),
        ("ANDROID OR NOTE OR ORDER", "ANDROID OR NOTE OR ORDER"),
        ('"boat AND race"', '"boat AND race"'),
        ("boat\nOR\n\tship", "boat OR ship"),
    ],
)
def test_what_is_said_in_both_languages(tmp_path: Path, query: str, ours: str) -> None:
    done = read(tmp_path, query)
    assert query_of(done).casefold() == ours.casefold()
    assert done.notes == []


@pytest.mark.parametrize(
    ("query", "found", "passed_over"),
    [
        ("boat NEAR/1 race", "a race by boat", "a boat in a race"),
        ("boat NEAR/1f race", "a boat quick race", "a race quick boat"),
        ('"boat race"~1', "a race by boat", "a race in the boat"),
        ("{US} AND boat", "a US boat", "give us a boat"),
        ("boat* NOT race", "two boats", "two boats in a race"),
        ("(boat OR ship) AND NOT (race OR cup)", "the ship", "the ship and the cup"),
    ],
)
def test_it_finds_what_it_found(tmp_path: Path, query: str, found: str, passed_over: str) -> None:
    done = read(tmp_path, query)
    assert done.finds("small_boats", found)
    assert not done.finds("small_boats", passed_over)


def test_a_title_and_a_site(tmp_path: Path) -> None:
    done = read(tmp_path, "title:boat AND site:bbc.co.uk")
    assert done.finds("small_boats", "", title="A boat", source="bbc.co.uk")
    assert not done.finds("small_boats", "A boat", source="bbc.co.uk")
    assert not done.finds("small_boats", "", title="A boat", source="elsewhere.org")
    assert done.notes == [
        "Small boats.txt:1:16: small_boats: site: is source: now, and compared with the name of "
        "the source"
    ]


MORE, LESS = "so that the query finds more", "so that the query finds less"


@pytest.mark.parametrize(
    ("query", "ours", "at", "what"),
    [
        ("boat OR author:bob", "boat", "1:9", f"author: cannot be said here, {LESS}"),
        ("boat AND country:uk", "boat", "1:10", f"country: cannot be said here, {MORE}"),
        ("boat NOT url:x.org", "boat", "1:10", f"url: cannot be said here, {MORE}"),
        ("boat NOT (sea OR url:x)", "boat NOT sea", "1:18", f"url: cannot be said here, {MORE}"),
        ("boat NOT (sea AND url:x)", "boat NOT sea", "1:19", f"url: cannot be said here, {LESS}"),
        ("boat NOT (sea NOT url:x)", "boat NOT sea", "1:19", f"url: cannot be said here, {LESS}"),
        ("boat OR (sea AND url:x)", "boat OR sea", "1:18", f"url: cannot be said here, {MORE}"),
        ("boat\nOR url:x", "boat", "2:4", f"url: cannot be said here, {LESS}"),
        ("boat title:title:x", "boat", "1:12", f"title: inside title: cannot be said here, {MORE}"),
        ("boat OR (ship sea)~4", "boat", "1:9", f"~ after brackets cannot be said here, {LESS}"),
        ("boat OR NOT sea", "boat", "1:9", f"NOT has nothing beside it that is wanted, {LESS}"),
        ("boat -race", "boat", "1:6", f"'-race': - before a word, {MORE}"),
        ("boat lang:12", "boat", "1:11", f"'12' is no language, {MORE}"),
    ],
)
def test_what_cannot_be_said_is_noted_with_its_place_and_effect(
    tmp_path: Path, query: str, ours: str, at: str, what: str
) -> None:
    done = read(tmp_path, query)
    assert query_of(done) == ours
    assert done.notes == [f"Small boats.txt:{at}: small_boats: left out: {what}"]


@pytest.mark.parametrize(
    ("query", "ours", "what"),
    [
        ("#boat", "boat", "'#boat': read as 'boat'"),
        (
            "boat OR language:de OR ship",
            "boat OR ship",
            "left out: site: and language: beside words, with OR between, so that the query finds "
            "less",
        ),
        (
            '"a boat race"~2',
            "a NEAR/3 boat NEAR/3 race",
            '"a boat race"~2: the number now counts between each word and those before it, so that '
            "the query finds more",
        ),
    ],
)
def test_what_is_said_otherwise_is_noted(tmp_path: Path, query: str, ours: str, what: str) -> None:
    done = read(tmp_path, query)
    assert query_of(done) == ours
    assert done.notes == [f"Small boats.txt:1:1: small_boats: {what}"]


@pytest.mark.parametrize("query", ["author:bob", "NOT boat", "author:bob OR url:x.org", "a*"])
def test_a_query_of_which_nothing_is_left_is_no_theme(tmp_path: Path, query: str) -> None:
    done = read(tmp_path, query)
    assert done.themes == {}
    assert done.notes[-1] == (
        "Small boats.txt: small_boats: not written: no rule is left that could find it"
    )
    assert len(done.notes) >= 2


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("boat AND (race", ":1:11: "),
        ("boat AND", ":1:6: "),
        ("OR boat", ":1:1: "),
        ('boat "race', ":1:6: "),
        ("boat)", ":1:5: "),
        ("", ":1:1: "),
        ("(" * 60 + "boat" + ")" * 60, ":1:51: more than 50 brackets in one another"),
    ],
)
def test_what_is_no_query(tmp_path: Path, query: str, place: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, query)
    assert str(raised.value).startswith(f"{tmp_path / 'Small boats.txt'}{place}")
