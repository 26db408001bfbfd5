"""What a theme file may say, and what it means."""

import math
from typing import Any

import pytest
from pydantic import ValidationError

from tests.themes import query_theme, theme
from transforms.logic.themes.model import Query, Theme, Thresholds, check_themes

MINIMAL = {"theme": "asylum", "title": "Asylum", "terms": {1: ["asylum"]}}


def faults(model: type[Query | Theme | Thresholds], values: dict[str, Any]) -> list[str]:
    """Field and message of each thing that is wrong."""
    with pytest.raises(ValidationError) as raised:
        model.model_validate(values)
    return [
        f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in raised.value.errors()
    ]


def test_the_least_that_a_theme_needs() -> None:
    assert Theme.model_validate(MINIMAL).model_dump() == {
        "theme": "asylum",
        "title": "Asylum",
        "description": "",
        "accents": "fold",
        "codes": {},
        "title_weight": 2,
        "thresholds": {"mention": 3, "focus": 9},
        "queries": (),
        "terms": {1: ("asylum",)},
    }


def test_the_least_that_a_query_needs() -> None:
    assert Query.model_validate({"any": ["asylum"]}).model_dump() == {
        "id": None,
        "weight": 1,
        "any": ("asylum",),
        "all": (),
        "none": (),
        "within": None,
        "field": None,
    }


@pytest.mark.parametrize("missing", ["theme", "title"])
def test_name_and_title_must_be_there(missing: str) -> None:
    values = {name: value for name, value in MINIMAL.items() if name != missing}
    assert faults(Theme, values) == [f"{missing}: Field required"]


@pytest.mark.parametrize("name", ["Asylum", "2asylum", "_asylum", "asylum law", "asyl-um", "é", ""])
def test_a_name_is_a_word_in_small_letters(name: str) -> None:
    (fault,) = faults(Theme, {**MINIMAL, "theme": name})
    assert fault.startswith("theme: String should match pattern")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"terms": {}, "queries": []}, "queries: Tuple should have at least 1 item"),
        ({"terms": {1: []}}, "terms.1: Tuple should have at least 1 item"),
        ({"terms": {}}, "terms: Dictionary should have at least 1 item"),
        ({"title": ""}, "title: String should have at least 1 character"),
        ({"terms": {1: [2030]}}, "terms.1.0: Input should be a valid string"),
        ({"terms": {1: ["dam", True]}}, "terms.1.1: Input should be a valid string"),
        ({"terms": {1: "dam"}}, "terms.1: Input should be a valid tuple"),
        ({"terms": {"high": ["dam"]}}, "terms.high.[key]: Input should be a valid number"),
        ({"terms": {True: ["dam"]}}, "terms.1.[key]: yes and no are no numbers"),
        ({"terms": {math.nan: ["dam"]}}, "terms.nan.[key]: Input should be a finite number"),
        ({"title_weight": -1}, "title_weight: Input should be greater than or equal to 0"),
        ({"title_weight": True}, "title_weight: yes and no are no numbers"),
        ({"thresholds": {"mention": 0}}, "thresholds.mention: Input should be greater than 0"),
        ({"thresholds": {"focus": math.inf}}, "thresholds.focus: Input should be a finite number"),
        ({"codes": {"gdelt": []}}, "codes.gdelt: Tuple should have at least 1 item"),
        ({"codes": {"GDELT": ["X"]}}, "codes.GDELT.[key]: String should match pattern"),
        ({"accents": "none"}, "accents: Input should be 'exact' or 'fold'"),
        ({"term": {}}, "term: Extra inputs are not permitted"),
        ({"queries": [{"any": ["dam"], "or": []}]}, "queries.0.or: Extra inputs are not permitted"),
        (
            {"queries": [{"any": ["dam"], "weight": True}]},
            "queries.0.weight: yes and no are no numbers",
        ),
        ({"queries": [{"any": ["dam"], "id": "a b"}]}, "queries.0.id: String should match pattern"),
    ],
)
def test_what_a_theme_cannot_say(changes: dict[str, Any], fault: str) -> None:
    found = [one for one in faults(Theme, MINIMAL | changes) if one.startswith(fault)]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"terms": {1: ["dam", "Dam"]}}, "terms.1: 'Dam' says the same as 'dam'"),
        ({"terms": {1: ["a-b", "a  b"]}}, "terms.1: 'a  b' says the same as 'a-b'"),
        ({"terms": {1: ["d'asile", "d’asile"]}}, "terms.1: 'd’asile' says the same as \"d'asile\""),
        ({"terms": {2: ["dam"], 1.5: ["DAM"]}}, "terms: 'DAM' has two weights, 2 and 1.5"),
        (
            {"terms": {-1: ["dam"]}},
            ": a theme needs terms or queries with a weight above 0",
        ),
        (
            {"terms": {0: ["dam"]}, "queries": [{"any": ["river"], "weight": 0}]},
            ": a theme needs terms or queries with a weight above 0",
        ),
        (
            {"queries": [{"id": "a", "any": ["dam"]}, {"id": "a", "any": ["river"]}]},
            "queries: two queries have the id 'a'",
        ),
        ({"thresholds": {"mention": 10}}, "thresholds: mention (10) is above focus (9)"),
        (
            {"thresholds": {"mention": 2.5, "focus": 1}},
            "thresholds: mention (2.5) is above focus (1)",
        ),
    ],
)
def test_what_contradicts_itself(changes: dict[str, Any], fault: str) -> None:
    assert faults(Theme, MINIMAL | changes) == [fault]


def test_the_thresholds_may_be_equal() -> None:
    assert Thresholds(mention=3, focus=3).focus == 3


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ({"none": ["dam"]}, ": a query needs terms in any or all"),
        ({}, ": a query needs terms in any or all"),
        (
            {"any": ["dam", "river"], "within": 3},
            ": within needs two parts: any, none and each one of all are one each",
        ),
        (
            {"any": ["dam wall"], "none": ["dam"]},
            ": none: 'dam' is found wherever 'dam wall' is, so that 'dam wall' can never match",
        ),
        (
            {"any": ["river"], "all": [["dam", "floods"]], "none": ["flood*"], "within": 9},
            ": none: 'flood*' is found wherever 'floods' is, so that 'floods' can never match",
        ),
        (
            {"any": ["labour"], "none": ["labor"]},
            ": none: 'labor' is found wherever 'labour' is, so that 'labour' can never match",
        ),
        ({"any": ["dam", "dam"]}, "any: 'dam' says the same as 'dam'"),
        ({"any": ["dam AND x"]}, "any: 'dam AND x': unknown operator 'AND': the lists any, all and "
         "none of a query, and within, say how terms go together"),
        ({"any": ["dam"], "within": 1}, "within: Input should be greater than or equal to 2"),
        ({"any": ["dam"], "field": "body"}, "field: Input should be 'title' or 'text'"),
    ],
)  # fmt: skip
def test_what_a_query_cannot_say(query: dict[str, Any], fault: str) -> None:
    assert faults(Query, query) == [fault]


def test_a_part_may_be_one_term_or_a_list() -> None:
    query = Query.model_validate({"any": ["dam"], "all": ["river", ["bank", "shore"]]})
    assert query.parts == (("river",), ("bank", "shore"), ("dam",))


def test_marks_belong_to_the_word_that_must_not_be_there() -> None:
    assert Query.model_validate({"any": ["हिन्दी"], "none": ["हिन"]}).none == ("हिन",)


# Ids


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"any": ["Flood-Defence*"]}, "flood_defence"),
        ({"any": ["Überflutung", "Flut"]}, "uberflutung"),
        ({"any": ["dam", "dyke"], "all": ["river", ["bank", "shore"]]}, "river_bank_dam"),
        ({"any": ["d'asile"]}, "d_asile"),
        ({"id": "Mine", "any": ["dam"]}, "Mine"),
    ],
)
def test_a_query_is_named_by_its_id_or_its_first_terms(query: dict[str, Any], name: str) -> None:
    assert list(query_theme(query).by_id) == [name]


def test_equal_names_are_told_apart_by_a_number() -> None:
    one = theme(
        queries=[{"any": ["dam"]}, {"any": ["dam"], "weight": 3}, {"id": "dam_3", "any": ["x"]}],
        terms={2: ["dam"], 1: ["dam*"]},
    )
    assert list(one.by_id) == ["dam", "dam_2", "dam_3", "dam_4", "dam_5"]
    assert one.by_id["dam_4"] == Query(weight=2, any=("dam",))


def test_two_themes_of_one_name_are_refused() -> None:
    check_themes([theme("dam"), theme("dam", theme="other")])
    with pytest.raises(ValueError, match=r"^two themes have the name 'asylum': 'Asylum' and 'B'$"):
        check_themes([theme("dam"), theme("dam", title="B")])


# Versions

FULL: dict[str, Any] = {
    "theme": "floods",
    "title": "Floods",
    "accents": "fold",
    "codes": {"gdelt": ["A", "B"], "iptc": ["C"]},
    "title_weight": 2,
    "thresholds": {"mention": 3, "focus": 9},
    "queries": [
        {"id": "banks", "any": ["burst", "overflow*"], "all": ["bank*", ["river", "dam"]],
         "none": ["central bank"], "weight": 3, "within": 8},
        {"id": "second", "any": ["rain"], "field": "text"},
    ],
    "terms": {4: ["flash flood", "flood-wall"], 2: ["flood*"]},
}  # fmt: skip


def version(**changes: Any) -> str:
    return Theme.model_validate(FULL | changes).version


def with_query(**changes: Any) -> dict[str, Any]:
    first, second = FULL["queries"]
    return {"queries": [first | changes, second]}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Other"},
        {"description": "For people."},
        {"codes": {"iptc": ["C"], "gdelt": ["A", "B"]}},
        {"title_weight": 2.0},
        {"thresholds": {}},
        {"queries": FULL["queries"][::-1]},
        {"terms": {2.0: ["Flood*"], 4: ["FLOOD wall", "flash\u2011flood"]}},
        with_query(any=["overflow**", "Burst"]),
        with_query(all=[["dam", "river"], "bank*"]),
        with_query(weight=3.0),
    ],
)
def test_what_makes_no_difference_keeps_the_version(changes: dict[str, Any]) -> None:
    assert version(**changes) == version()


@pytest.mark.parametrize("field", ["accents", "title_weight", "thresholds"])
def test_a_default_may_be_stated_or_left_out(field: str) -> None:
    values = {name: value for name, value in FULL.items() if name != field}
    assert Theme.model_validate(values).version == version()


def test_the_weight_of_a_query_may_be_stated_or_left_out() -> None:
    stated, left_out = ({"any": ["dam"], "weight": 1}, {"any": ["dam"]})
    assert query_theme(stated).version == query_theme(left_out).version


@pytest.mark.parametrize(
    "changes",
    [
        {"theme": "other"},
        {"accents": "exact"},
        {"codes": {"gdelt": ["B", "A"], "iptc": ["C"]}},
        {"codes": {}},
        {"title_weight": 1},
        {"thresholds": {"mention": 2}},
        {"thresholds": {"focus": 8}},
        {"queries": FULL["queries"][:1]},
        {"terms": {3: ["flash flood", "flood-wall"], 2: ["flood*"]}},
        {"terms": {4: ["flash flood"], 2: ["flood*", "flood-wall"]}},
        {"terms": {4: ["flash flood", "flood wall", "dyke"], 2: ["flood*"]}},
        with_query(any=["burst"]),
        with_query(all=["bank*", "river", "dam"]),
        with_query(all=["bank*"]),
        with_query(none=["banker"]),
        with_query(within=9),
        with_query(within=None),
        with_query(field="title"),
        with_query(weight=2),
        with_query(id="other"),
    ],
)
def test_what_makes_a_difference_changes_the_version(changes: dict[str, Any]) -> None:
    assert version(**changes) != version()


def test_a_version_is_short_and_stable() -> None:
    assert version() == "9f5d6d5f612f9b29"
