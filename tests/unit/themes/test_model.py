"""What theme files may say, and what they mean together."""

import math
import pickle
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from tests.themes import query_theme, theme
from transforms.logic.themes.expressions import Or, Term
from transforms.logic.themes.model import (
    Head,
    Library,
    Part,
    Rule,
    ThemeError,
    ThemeExample,
    Thresholds,
    check_themes,
    kind_of_file,
    merge,
)
from transforms.records import CodeSet

MINIMAL = {"theme": "asylum", "title": "Asylum", "terms": {1: ["asylum"]}}
PART = {"theme": "asylum", "language": "de", "terms": {1: ["Asyl"]}}


def faults(model: type[BaseModel], values: dict[str, Any]) -> list[str]:
    """Field and message of each thing that is wrong with a file."""
    with pytest.raises(ValidationError) as raised:
        model.model_validate(values)
    return [
        f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in raised.value.errors()
    ]


def contradictions(head: dict[str, Any], *parts: dict[str, Any]) -> list[str]:
    """File, field and message of each thing that is wrong with files together."""
    with pytest.raises(ThemeError) as raised:
        merge(
            Head.model_validate({"theme": "asylum", "title": "Asylum"} | head),
            [Part.model_validate({"theme": "asylum"} | part) for part in parts],
        )
    return [f"{fault.file} {fault}" for fault in raised.value.faults]


# Files


def test_the_least_that_a_head_needs() -> None:
    assert Head.model_validate(MINIMAL).model_dump() == {
        "theme": "asylum",
        "title": "Asylum",
        "description": "",
        "accents": "fold",
        "codes": {},
        "title_weight": 2,
        "lead_weight": 1.5,
        "thresholds": {"mention": 3, "focus": 9},
        "define": {},
        "terms": {1: ("asylum",)},
        "queries": (),
        "examples": {"should_match": (), "should_not_match": ()},
    }


def test_the_least_that_a_part_needs() -> None:
    assert Part.model_validate({"theme": "asylum", "language": "de"}).model_dump() == {
        "theme": "asylum",
        "language": "de",
        "define": {},
        "terms": {},
        "queries": (),
        "examples": {"should_match": (), "should_not_match": ()},
    }


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (MINIMAL, Head),
        (PART, Part),
        ({"define": {}}, Library),
        ({"define": {}, "terms": {}}, Library),
        ({"define": {}, "theme": "asylum"}, Head),
        ({"language": "de"}, Part),
        ({}, Head),
        ([], Head),
    ],
)
def test_what_a_file_is_meant_to_be(values: object, kind: type) -> None:
    assert kind_of_file(values) is kind


@pytest.mark.parametrize("missing", ["theme", "title"])
def test_a_head_needs_name_and_title(missing: str) -> None:
    values = {name: value for name, value in MINIMAL.items() if name != missing}
    assert faults(Head, values) == [f"{missing}: Field required"]


@pytest.mark.parametrize("name", ["Asylum", "2asylum", "_asylum", "asylum law", "asyl-um", "é", ""])
def test_a_name_is_a_word_in_small_letters(name: str) -> None:
    for model, values, field in (
        (Head, MINIMAL | {"theme": name}, "theme"),
        (Head, MINIMAL | {"define": {name: "dam"}}, f"define.{name}.[key]"),
        (Library, {"define": {name: "dam"}}, f"define.{name}.[key]"),
    ):
        (fault,) = faults(model, values)
        assert fault.startswith(f"{field}: String should match pattern")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"queries": []}, "queries: Tuple should have at least 1 item"),
        ({"terms": {1: []}}, "terms.1: Tuple should have at least 1 item"),
        ({"terms": {}}, "terms: Dictionary should have at least 1 item"),
        ({"title": ""}, "title: String should have at least 1 character"),
        ({"terms": {1: [2030]}}, "terms.1.0: Input should be a valid string"),
        ({"terms": {1: ["dam", True]}}, "terms.1.1: Input should be a valid string"),
        ({"terms": {1: "dam"}}, "terms.1: Input should be a valid tuple"),
        ({"terms": {1: ["dam", "(x)"]}}, "terms.1.1: character 1: '(' cannot be part of a word"),
        ({"terms": {"high": ["dam"]}}, "terms.high.[key]: Input should be a valid number"),
        ({"terms": {True: ["dam"]}}, "terms.1.[key]: yes and no are no numbers"),
        ({"terms": {math.nan: ["dam"]}}, "terms.nan.[key]: Input should be a finite number"),
        ({"title_weight": -1}, "title_weight: Input should be greater than or equal to 0"),
        ({"title_weight": True}, "title_weight: yes and no are no numbers"),
        ({"lead_weight": -1}, "lead_weight: Input should be greater than or equal to 0"),
        ({"thresholds": {"mention": 0}}, "thresholds.mention: Input should be greater than 0"),
        ({"thresholds": {"focus": math.inf}}, "thresholds.focus: Input should be a finite number"),
        ({"codes": {"gdelt": ["X"]}}, "codes.gdelt: Input should be a valid dictionary"),
        ({"codes": {"gdelt": {"version": "2", "codes": []}}},
         "codes.gdelt.codes: Tuple should have at least 1 item"),
        ({"codes": {"gdelt": {"codes": ["X"]}}}, "codes.gdelt.version: Field required"),
        ({"codes": {"gdelt": {"version": 2, "codes": ["X"]}}},
         "codes.gdelt.version: Input should be a valid string"),
        ({"codes": {"GDELT": {"version": "2", "codes": ["X"]}}},
         "codes.GDELT.[key]: String should match pattern"),
        ({"accents": "none"}, "accents: Input should be 'exact' or 'fold'"),
        ({"term": {}}, "term: Extra inputs are not permitted"),
        ({"queries": [{"weight": 1}]}, "queries.0.query: Field required"),
        ({"queries": [{"query": "a", "any": []}]}, "queries.0.any: Extra inputs are not permitted"),
        ({"queries": [{"query": "a", "weight": True}]},
         "queries.0.weight: yes and no are no numbers"),
        ({"queries": [{"query": "a", "id": "a b"}]}, "queries.0.id: String should match pattern"),
        ({"examples": {"should_match": [{"text": "x"}]}},
         "examples.should_match.0.level: Field required"),
        ({"examples": {"should_match": [{"level": "focus"}]}},
         "examples.should_match.0: an example needs a title or a text"),
        ({"examples": {"should_not_match": [" "]}},
         "examples.should_not_match.0: an example needs a title or a text"),
        ({"examples": {"should_not_match": [{"text": "x", "level": "focus"}]}},
         "examples.should_not_match.0.level: Extra inputs are not permitted"),
        ({"examples": {"should_not_match": [True]}},
         "examples.should_not_match.0: Input should be a valid dictionary"),
    ],
)  # fmt: skip
def test_what_a_head_cannot_say(changes: dict[str, Any], fault: str) -> None:
    found = [one for one in faults(Head, MINIMAL | changes) if one.startswith(fault)]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"language": "german"}, "language: String should match pattern"),
        (
            {"language": "und"},
            "language: what applies in every language stands in the theme's head",
        ),
        ({"title": "Asyl"}, "title: Extra inputs are not permitted"),
        ({"thresholds": {}}, "thresholds: Extra inputs are not permitted"),
    ],
)
def test_what_a_part_cannot_say(changes: dict[str, Any], fault: str) -> None:
    (found,) = faults(Part, PART | changes)
    assert found.startswith(fault)


def test_a_library_holds_definitions_alone() -> None:
    assert faults(Library, {"define": {}, "terms": {}}) == ["terms: Extra inputs are not permitted"]


def test_mention_is_not_above_focus() -> None:
    assert faults(Thresholds, {"mention": 10}) == [": mention (10) is above focus (9)"]
    assert Thresholds(mention=3, focus=3).focus == 3


# What they say together


def test_rules_are_those_of_the_head_and_of_all_parts() -> None:
    one = theme(
        "Frontex",
        parts={
            "en": {"terms": {4: ["asylum seeker*"]}},
            "de": {"queries": [{"id": "schleuser", "weight": 3, "query": "@gangs"}]},
        },
        definitions={"gangs": "Schleuser* OR Schlepper*"},
        codes={"gdelt": {"version": "2.1", "codes": ["REFUGEES"]}},
    )
    assert {rule.id: rule for rule in one.rules} == {
        "frontex": Rule("frontex", 1, None, "Frontex", Term("frontex")),
        "en_asylum_seeker": Rule(
            "en_asylum_seeker", 4, "en", "asylum seeker*", Term("asylum seeker*")
        ),
        "schleuser": Rule(
            "schleuser", 3, "de", "@gangs", Or((Term("schleuser*"), Term("schlepper*")))
        ),
    }
    assert one.languages == ("de", "en")
    assert one.codes == {"gdelt": CodeSet(version="2.1", codes=("REFUGEES",))}
    assert (one.title_weight, one.lead_weight) == (2, 1.5)


def test_a_theme_may_be_a_head_alone_or_have_all_rules_in_its_parts() -> None:
    assert [rule.id for rule in theme("asylum").rules] == ["asylum"]
    assert [rule.id for rule in theme(parts={"en": {"terms": {1: ["asylum"]}}}).rules] == [
        "en_asylum"
    ]


def test_files_may_use_what_other_files_of_the_theme_define() -> None:
    one = theme(
        define={"borders": "border*"},
        parts={"en": {"queries": [{"query": "@borders AND @walls"}], "define": {"walls": "wall*"}}},
    )
    (rule,) = one.rules
    assert rule == Rule("en_border_wall", 1, "en", "@borders AND @walls", rule.expression)


def test_a_theme_travels_to_a_worker() -> None:
    one = theme("asylum", queries=[{"query": "title:a NEAR/2 (b OR c) NOT lang:de"}])
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 # our own


def test_examples_know_their_language() -> None:
    examples = {
        "should_match": [{"level": "focus", "title": "A", "text": "B"}],
        "should_not_match": ["C", {"title": "D"}],
    }
    one = theme("asylum", examples=examples, parts={"en": {"examples": examples}})
    assert one.examples == tuple(
        ThemeExample(language, *rest)
        for language in (None, "en")
        for rest in (("A", "B", "focus"), ("", "C", None), ("D", "", None))
    )


@pytest.mark.parametrize(
    ("head", "parts", "fault"),
    [
        ({"queries": [{"query": "a"}, {"query": "a b"}]}, [],
         "0 queries.1.query: character 3: there is no operator between 'a' and 'b': put quotes "
         "around a phrase, or AND between"),
        ({"terms": {1: ["dam"]}}, [{"language": "de", "queries": [{"query": "@x"}]}],
         "1 queries.0.query: character 1: no definition has the name @x"),
        ({"terms": {1: ["dam", "Dam"]}}, [], "0 terms.1.1: 'Dam' says the same as 'dam'"),
        ({"terms": {1: ["a-b", "a  b"]}}, [], "0 terms.1.1: 'a  b' says the same as 'a-b'"),
        ({"terms": {2: ["dam"], 1.5: ["DAM"]}}, [],
         "0 terms.1.5.0: 'DAM' has two weights, 2 and 1.5"),
        ({"terms": {1: ["dam"]}}, [{"language": "de", "terms": {1: ["Dam"]}}],
         "1 terms.1.0: 'Dam' says the same as 'dam' in the head"),
        ({"terms": {1: ["dam"]}}, [{"language": "de", "terms": {2: ["Dam"]}}],
         "1 terms.2.0: 'Dam' has two weights, 1 in the head and 2"),
        ({}, [{"language": "de", "terms": {1: ["dam"]}}, {"language": "de", "terms": {1: ["Dam"]}}],
         "2 terms.1.0: 'Dam' says the same as 'dam' in the part for de"),
        ({"queries": [{"query": "a OR b"}, {"query": "(B) OR A", "id": "x"}]}, [],
         "0 queries.1.query: '(B) OR A' says the same as 'a OR b'"),
        ({"queries": [{"query": "a NEAR/5 b"}, {"query": "b NEAR/5 a", "weight": 2}]}, [],
         "0 queries.1.query: 'b NEAR/5 a' has two weights, 1 and 2"),
        ({"queries": [{"query": "dam"}], "terms": {1: ["dam"]}}, [],
         "0 terms.1.0: 'dam' says the same as 'dam'"),
        ({"queries": [{"query": "@d"}], "terms": {1: ["dam"]}, "define": {"d": "dam"}}, [],
         "0 terms.1.0: 'dam' says the same as '@d'"),
        ({"queries": [{"query": "a", "id": "x"}, {"query": "b", "id": "x"}]}, [],
         "0 queries.1.id: two queries have the id 'x'"),
        ({"queries": [{"query": "a", "id": "x"}]},
         [{"language": "de", "queries": [{"query": "b", "id": "x"}]}],
         "1 queries.0.id: two queries have the id 'x'"),
        ({"terms": {-1: ["dam"]}}, [],
         "0 file: a theme needs terms or queries with a weight above 0"),
        ({"queries": [{"query": "dam", "weight": 0}]}, [{"language": "de"}],
         "0 file: a theme needs terms or queries with a weight above 0"),
        ({"queries": [{"query": "dam wall"}]}, [],
         "0 queries.0.query: character 5: there is no operator between 'dam' and 'wall': put "
         "quotes around a phrase, or AND between"),
    ],
)  # fmt: skip
def test_what_contradicts_itself(
    head: dict[str, Any], parts: list[dict[str, Any]], fault: str
) -> None:
    assert contradictions(head, *parts) == [fault]


def test_two_languages_may_say_the_same_with_two_weights() -> None:
    parts = {"de": {"terms": {1: ["Migration"]}}, "fr": {"terms": {2: ["migration"]}}}
    assert [rule.weight for rule in theme(parts=parts).rules] == [1, 2]


def test_what_differs_a_little_is_no_repetition() -> None:
    queries = ["a NEAR/5 b", "a NEAR/6 b", "a ADJ/5 b", "b ADJ/5 a", "a NEAR/S b", "a NEAR/P b",
               "a AND b", "a OR b", "title:a", "lead:a", "a", "=A", "=a", "ATLEAST/2 a",
               "ATLEAST/3 a", "a NOT b", "b NOT a", "a NOT NEAR/5 b", "a NOT NEAR/S b",
               "a NOT source:b", "a NOT lang:de"]  # fmt: skip
    assert len(query_theme(*queries).rules) == len(queries)


def test_all_mistakes_are_told_in_the_order_of_the_files() -> None:
    assert contradictions(
        {"queries": [{"query": "a b"}, {"query": "("}], "terms": {1: ["x"]}},
        {"language": "de", "queries": [{"query": ")"}, {"query": "X"}]},
    ) == [
        "0 queries.0.query: character 3: there is no operator between 'a' and 'b': put quotes "
        "around a phrase, or AND between",
        "0 queries.1.query: character 1: nothing stands after '('",
        "1 queries.0.query: character 1: this bracket closes none",
        "1 queries.1.query: 'X' says the same as 'x' in the head",
    ]


# Ids


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("Flood-Defence*", "flood_defence"),
        ("Überflutung OR Flut", "uberflutung"),
        ("(dam OR dyke) AND river NEAR/5 (bank OR shore)", "dam_river_bank"),
        ("title:dam NOT river", "dam"),
        ("ATLEAST/2 dam NOT NEAR/3 river", "dam"),
        ("dam AND source:BBC", "dam"),
        ("d'asile", "d_asile"),
        ("=US", "us"),
        (" AND ".join(["long" * 5] * 9), "_".join(["long" * 5] * 3)[:60]),
    ],
)
def test_a_query_without_an_id_is_named_by_its_first_words(query: str, name: str) -> None:
    assert [rule.id for rule in query_theme(query).rules] == [name]
    parts = {"fr": {"queries": [{"query": query}, {"query": "x", "id": "Mine"}]}}
    assert [rule.id for rule in theme(parts=parts).rules] == [f"fr_{name}", "Mine"]


def test_equal_names_are_told_apart_by_a_number_that_does_not_depend_on_the_order() -> None:
    queries = [{"query": query} for query in ("title:dam", "dam AND lang:en", "lead:dam")]
    queries.append({"id": "dam_3", "query": "x"})
    names = {rule.query: rule.id for rule in query_theme(*queries).rules}
    assert sorted(names.values()) == ["dam", "dam_2", "dam_3", "dam_4"]
    assert names == {rule.query: rule.id for rule in query_theme(*queries[::-1]).rules}


def test_two_themes_of_one_name_are_refused() -> None:
    check_themes([theme("dam"), theme("dam", theme="other")])
    with pytest.raises(ValueError, match=r"^two themes have the name 'asylum': 'Asylum' and 'B'$"):
        check_themes([theme("dam"), theme("dam", title="B")])


# Versions

CODES = {"gdelt": {"version": "2.1", "codes": ["A", "B"]}, "cap": {"version": "1", "codes": ["9"]}}
FULL: dict[str, Any] = {
    "theme": "floods",
    "title": "Floods",
    "codes": CODES,
    "title_weight": 2,
    "thresholds": {"mention": 3, "focus": 9},
    "define": {"rivers": "river OR stream", "unused": "lake"},
    "queries": [
        {"id": "banks", "query": "(burst* OR overflow*) NEAR/8 @rivers NOT bank*", "weight": 3},
        {"id": "second", "query": "text:rain AND title:river"},
    ],
    "terms": {4: ["flash flood", "flood-wall"], 2: ["flood*"]},
}
GERMAN: dict[str, Any] = {"terms": {4: ["Flut", "Hochwasser*"]}}


def version(german: dict[str, Any] = GERMAN, **changes: Any) -> str:
    return theme(parts={"de": german}, **(FULL | changes)).version


def with_query(query: str, **changes: Any) -> dict[str, Any]:
    return {"queries": [FULL["queries"][0] | {"query": query} | changes, FULL["queries"][1]]}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Other"},
        {"description": "For people."},
        {"codes": dict(reversed(CODES.items()))},
        {"title_weight": 2.0},
        {"lead_weight": 1.5},
        {"thresholds": {}},
        {"accents": "fold"},
        {"queries": FULL["queries"][::-1]},
        {"terms": {2.0: ["Flood*"], 4: ["FLOOD wall", "flash\u2011flood"]}},
        {"examples": {"should_not_match": ["A dam."]}},
        {"define": FULL["define"] | {"unused": "pond"}},
        {"define": {"rivers": "(stream) OR River"}},
        {"german": {"terms": {4: ["Hochwasser**", "flut"]}}},
        {"german": GERMAN | {"examples": {"should_not_match": ["Ein Damm."]}}},
        with_query("(overflow* OR (burst*)) NEAR/8 (stream OR river) AND NOT bank*"),
        with_query("@rivers NEAR/8 (overflow* OR burst*) NOT bank*"),
    ],
)
def test_what_makes_no_difference_keeps_the_version(changes: dict[str, Any]) -> None:
    assert version(**changes) == version()


@pytest.mark.parametrize(
    "changes",
    [
        {"theme": "other"},
        {"accents": "exact"},
        {"codes": CODES | {"gdelt": {"version": "2.1", "codes": ["B", "A"]}}},
        {"codes": CODES | {"gdelt": {"version": "2.2", "codes": ["A", "B"]}}},
        {"codes": {}},
        {"title_weight": 1},
        {"lead_weight": 1},
        {"thresholds": {"mention": 2}},
        {"thresholds": {"focus": 8}},
        {"queries": FULL["queries"][:1]},
        {"terms": {3: ["flash flood", "flood-wall"], 2: ["flood*"]}},
        {"terms": {4: ["flash flood"], 2: ["flood*", "flood-wall"]}},
        {"terms": {4: ["flash flood", "flood wall", "dyke"], 2: ["flood*"]}},
        {"define": {"rivers": "river OR stream*"}},
        {"german": {"terms": {4: ["Flut"]}}},
        {"german": {"terms": {3: ["Flut", "Hochwasser*"]}}},
        with_query("(burst* OR overflow*) NEAR/8 @rivers"),
        with_query("(burst* OR overflow*) NEAR/9 @rivers NOT bank*"),
        with_query("(burst* OR overflow*) ADJ/8 @rivers NOT bank*"),
        with_query("(burst* OR overflow*) NEAR/S @rivers NOT bank*"),
        with_query("(burst* AND overflow*) NEAR/8 @rivers NOT bank*"),
        with_query("(=Burst OR overflow*) NEAR/8 @rivers NOT bank*"),
        with_query(FULL["queries"][0]["query"], weight=2),
        with_query(FULL["queries"][0]["query"], id="other"),
    ],
)
def test_what_makes_a_difference_changes_the_version(changes: dict[str, Any]) -> None:
    assert version(**changes) != version()


def test_a_rule_that_changes_its_language_changes_the_version() -> None:
    queries = [{"id": "dam", "query": "dam"}]
    versions = {
        theme(parts={language: {"queries": queries}}).version for language in ("de", "en", "fr")
    } | {theme(queries=queries).version}
    assert len(versions) == 4


def test_a_version_is_short_and_stable() -> None:
    assert version() == "6ed6933d1a24bdc2"
