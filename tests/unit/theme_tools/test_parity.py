"""What each language has of the themes, and what none is written for."""

from pipeline.themes.parity import LanguageShare, parity
from tests.themes import theme
from tests.unit.theme_tools.samples import sample_article

PARTS = {
    "de": {
        "terms": {1: ["Bande", "Clan"]},
        "queries": [{"query": "Bande NEAR/3 Geld"}],
        "examples": {"should_not_match": ["Ein Band.", "Zwei Bänder."]},
    },
    "fr": {"terms": {1: ["bande"]}},
}
GANGS = theme("mafia", theme="gangs", parts=PARTS)
MOBS = theme("mob", theme="mobs")


def test_rules_and_examples_are_counted_for_each_language() -> None:
    result = parity([GANGS, MOBS])
    assert [one[:5] for one in result.shares] == [
        ("gangs", None, 1, 0, 0),
        ("gangs", "de", 2, 1, 2),
        ("gangs", "fr", 1, 0, 0),
        ("mobs", None, 1, 0, 0),
        ("mobs", "de", 0, 0, 0),
        ("mobs", "fr", 0, 0, 0),
    ]
    assert {one.per_thousand for one in result.shares} == {None}
    assert result.uncovered == {}


def test_hits_in_a_thousand_articles_of_a_language() -> None:
    sample = [
        *(sample_article("Die Bande.", language="de") for _ in range(3)),
        sample_article("Regen.", language="de"),
        sample_article("La mafia.", language="fr"),
        *(sample_article("Zon.", language="nl") for _ in range(2)),
        sample_article("Sol.", language="pt"),
    ]
    result = parity([GANGS], sample)
    assert result.shares == (
        LanguageShare("gangs", None, 1, 0, 0, articles=8, hits=4),
        LanguageShare("gangs", "de", 2, 1, 2, articles=4, hits=3),
        LanguageShare("gangs", "fr", 1, 0, 0, articles=1, hits=1),
    )
    assert [one.per_thousand for one in result.shares] == [500, 750, 1000]
    assert list(result.uncovered.items()) == [("nl", 2), ("pt", 1)]
