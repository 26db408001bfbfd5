"""Alert definitions of the Europe Media Monitor's kind: what they mean, and what is refused."""

from pathlib import Path

import pytest

from pipeline.themes.emm import import_emm
from tests.unit.theme_tools.imports import Imported, imported
from transforms.errors import ConfigError


def alert(content: str, attributes: str = 'id="Boats" threshold="30" language="en"') -> str:
    return f"<alerts>\n<alert {attributes}>\n{content}\n</alert>\n</alerts>\n"


def read(tmp_path: Path, content: str) -> Imported:
    return imported(tmp_path, import_emm, content, "emm.xml")


def test_keywords_add_up_to_the_threshold(tmp_path: Path) -> None:
    done = read(
        tmp_path,
        alert(
            '<title>Boats</title><keyword weight="20">small+boat%</keyword>\n'
            '<keyword weight="10">migrant_</keyword><keyword weight="-100">boat+race</keyword>'
        ),
    )
    assert done.themes["boats"].thresholds.model_dump() == {"mention": 30, "focus": 90}
    assert done.finds("boats", "Small boats with migrants.")
    assert not done.finds("boats", "Small boats.")
    assert not done.finds("boats", "Small boats with a migrant.")  # `_` is one letter
    assert not done.finds("boats", "Boats, small, with migrants.")  # `+` is next to each other
    assert not done.finds("boats", "Small boats with migrants in a boat race.")
    assert done.notes == []


COMBINATION = (
    "<combination{}>\n<group><keyword>smuggl%</keyword><keyword>traffick%</keyword></group>\n"
    "<group><keyword>people</keyword></group>\n{}</combination>"
)


def test_a_combination_is_enough_by_itself(tmp_path: Path) -> None:
    done = read(tmp_path, alert(COMBINATION.format("", "")))
    assert done.finds("boats", "Smugglers met.\nMany people came.")
    assert not done.finds("boats", "Smugglers and traffickers.")


def test_a_proximity_says_how_far_apart(tmp_path: Path) -> None:
    done = read(tmp_path, alert(COMBINATION.format(' proximity="2"', "")))
    assert done.finds("boats", "People are smuggled.")
    assert not done.finds("boats", "People are being smuggled.")


def test_what_a_combination_excludes_is_nowhere(tmp_path: Path) -> None:
    unwanted = "<not><keyword>drug%</keyword><keyword>to_acco</keyword></not>\n"
    done = read(tmp_path, alert(COMBINATION.format("", unwanted)))
    assert done.finds("boats", "Smugglers of people.")
    assert not done.finds("boats", "Smugglers of people.\nThere were drugs.")
    assert not done.finds("boats", "Smugglers of people and tobacco.")


def test_what_cannot_be_said_is_noted_with_its_line(tmp_path: Path) -> None:
    done = read(
        tmp_path,
        alert(
            '<keyword weight="30">boat</keyword>\n<keyword weight="30">a%</keyword>\n'
            '<keyword weight="30">why?</keyword>\n<schedule/>\n'
            "<combination><group><keyword>x%</keyword></group></combination>",
            'id="Boats" threshold="30" owner="me"',
        ),
    )
    assert [rule.query for rule in done.themes["boats"].rules] == ["boat"]
    assert done.notes == [
        "emm.xml:2: boats: left out: the attribute 'owner'",
        "emm.xml:4: boats: left out: 'a*': 'a*': a word with a wildcard needs at least 3 letters "
        "or digits",
        "emm.xml:5: boats: left out: 'why?': it would mean something else in a theme file",
        "emm.xml:6: boats: left out: <schedule>",
        "emm.xml:7: boats: left out: 'x*': 'x*': a word with a wildcard needs at least 3 letters "
        "or digits",
        "emm.xml:7: boats: left out: a combination with an empty group",
    ]


def test_a_declared_encoding_makes_no_difference(tmp_path: Path) -> None:
    declared = '<?xml version="1.0" encoding="iso-8859-1"?>\n'
    done = read(tmp_path, declared + alert('<keyword weight="30">Übersee</keyword>'))
    assert done.finds("boats", "Nach Übersee.")


def test_several_alerts_and_one_alone(tmp_path: Path) -> None:
    one = '<alert id="{}" threshold="1"><keyword weight="1">{}</keyword></alert>'
    both = read(tmp_path, f"<alerts>{one.format('A', 'apple')}{one.format('B', 'pear')}</alerts>")
    assert both.finds("a", "An apple.")
    assert both.finds("b", "A pear.")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<alerts><thing/></alerts>", "emm.xml:1: <thing>: an <alert> is wanted here"),
        ("<alerts>\n<alert threshold='1'/></alerts>", "emm.xml:2: <alert>: it has neither an id"),
        ("<alert id='a'/>", "emm.xml:1: <alert>: it needs a threshold above 0"),
        ("<alert id='a' threshold='many'/>", "threshold 'many' is no whole number"),
        ("<alert id='a' threshold='1' language='so-so-so!'/>", "'so-so-so!' is no language"),
        (
            "<alert id='a' threshold='1'><keyword>x</keyword></alert>",
            "<keyword>: it needs a weight",
        ),
        (
            "<alert id='a' threshold='1'><combination><keyword/></combination></alert>",
            "<keyword>: <group> or <not> belong here",
        ),
        (
            "<alert id='a' threshold='1'><combination proximity='0'><group><keyword>boat</keyword>"
            "</group></combination></alert>",
            "<combination>: proximity 0 is below 1",
        ),
        ("<alerts>\n<alert", "emm.xml:2: no XML: "),
        (
            '<!DOCTYPE a [<!ENTITY x SYSTEM "/etc/passwd">]><alerts/>',
            "emm.xml: document types are not supported",
        ),
        (
            '<!DOCTYPE a [<!ENTITY x "xx"><!ENTITY y "&x;&x;">]><alerts>&y;</alerts>',
            "emm.xml: document types are not supported",
        ),
    ],
)
def test_a_file_of_another_form(tmp_path: Path, content: str, why: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, content)
    assert why in str(raised.value)


def test_a_name_twice(tmp_path: Path) -> None:
    one = '<alert id="A" threshold="1"><keyword weight="1">apple</keyword></alert>'
    with pytest.raises(ConfigError, match="the name 'a' is there already"):
        read(tmp_path, f"<alerts>{one}{one}</alerts>")
