"""docs/stats.md names all fields and settings."""

import json

import yaml

from pipeline.stats.burst_rules import BurstRule
from pipeline.stats.facts import Dimension
from tests.unit.test_docs import ROOT, bare, fields, parts, table
from tests.unit.test_docs import Table as Shown
from transforms.records import BurstAlert

PAGE = ROOT / "docs" / "stats.md"


def test_all_fields_of_bursts_are_documented() -> None:
    tables = [
        part.column()
        for part in parts(PAGE)
        if isinstance(part, Shown) and part.section == "Bursts as alerts"
    ]
    assert tables == [list(BurstRule.model_fields), [name for name, _ in fields(BurstAlert)]]


def test_the_defaults_of_rules_are_documented() -> None:
    said, *_ = (
        part.dicts()
        for part in parts(PAGE)
        if isinstance(part, Shown) and part.section == "Bursts as alerts"
    )
    for row in said:
        default = BurstRule.model_fields[bare(row["field"])].default
        assert yaml.safe_load(bare(row["default"])) == json.loads(json.dumps(default))


def test_all_that_can_be_counted_by_is_documented() -> None:
    said = ", ".join(table(PAGE, "Counting by", "name").column()).split(", ")
    assert sorted(said) == sorted(Dimension.__args__)  # type: ignore[attr-defined]
