"""GDELT's categories as themes: what the published file has of oddities, and what it means."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config import load_config
from pipeline.themes.gdelt import import_gdelt
from pipeline.themes.imported import Importing, write_themes
from tests.unit.theme_tools.imports import Imported, imported
from transforms.errors import ConfigError
from transforms.logic.themes.matcher import ThemeMatcher

Read = Callable[[str], Imported]

ROOT = Path(__file__).parent.parent.parent.parent
PUBLISHED = ROOT.parent / "shared" / "data" / "gdelt_gkg_themes.xml"


def category(*lines: str, name: str = "SMUGGLING", more: str = "") -> str:
    terms = "\n".join(lines)
    return f'<CATEGORY NAME="{name}" TYPE="THEME">\n<TERMS>\n{terms}\n</TERMS>\n{more}</CATEGORY>\n'


@pytest.fixture
def gdelt(tmp_path: Path) -> Read:
    def read(content: str) -> Imported:
        return imported(tmp_path, import_gdelt, content, "gkg.xml")

    return read


def test_a_category_is_a_theme_of_which_one_phrase_is_enough(gdelt: Read) -> None:
    done = gdelt(category("smuggler\t10", "people smuggling\t10"))
    theme = done.themes["smuggling"]
    assert (theme.title, theme.languages) == ("Smuggling", ("en",))
    assert theme.codes["gdelt"].codes == ("SMUGGLING",)
    assert done.finds("smuggling", "The Smuggler was caught.")
    assert done.finds("smuggling", "It was people-smuggling.")
    assert not done.finds("smuggling", "People and smugglers.")
    assert done.notes == []


def test_weights_are_added_up_and_taken_away(gdelt: Read) -> None:
    done = gdelt(category("port\t5", "boat\t5", "boat race\t-100"))
    assert not done.finds("smuggling", "A port.")
    assert done.finds("smuggling", "A port and a boat.")
    assert not done.finds("smuggling", "A port, a boat and a boat race.")


def test_with_a_second_list_a_phrase_of_each_must_be_there(gdelt: Read) -> None:
    more = "<TERMS2>\njail\t10\nthe police\t10\n</TERMS2>\n"
    done = gdelt(category("freed\t10", "record release\t-100", name="RELEASE_PRISON", more=more))
    assert done.finds("release_prison", "He was freed.\nFrom jail.")
    assert not done.finds("release_prison", "He was freed.")
    assert not done.finds("release_prison", "He is in jail.")
    assert not done.finds("release_prison", "Freed from jail for a record release.")


def test_what_counts_beside_numbers_only_is_left_out(gdelt: Read) -> None:
    more = "<COUNTONLYTERMS>\nlives\n</COUNTONLYTERMS>\n"
    done = gdelt(category("killed\t10", "lives\t10", name="KILL", more=more))
    assert not done.finds("kill", "She lives in Rome.")
    assert done.notes == ["gkg.xml:6: kill: left out: 'lives', which counts beside numbers only"]


def test_what_counts_against_all_categories_is_a_sub_query(gdelt: Read, tmp_path: Path) -> None:
    rules = (
        "<GLOBAL>\n<TERMS>\nsoccer\t-100\nin overtime\t-100\nhooligans\t100\n</TERMS>\n</GLOBAL>\n"
    )
    done = gdelt(rules + category("smuggler\t10"))
    assert (
        'gdelt_elsewhere: soccer OR "in overtime"'
        in (tmp_path / "out" / "gkg_definitions.yaml").read_text()
    )
    assert done.notes[1].startswith("gkg.xml:1: global: left out of the themes")
    assert done.notes[0] == (
        "gkg.xml:5: global: left out: 'hooligans', which would count for every category"
    )


@pytest.mark.parametrize(
    ("line", "text", "note"),
    [
        ("honda -100", None, "'honda -100': read as 'honda' with the weight -100"),
        ("unrest", "There was unrest.", "'unrest' has no weight: read as 10"),
        (
            "restore\tpower\t10",
            "To restore power.",
            "read as 'restore power' with the weight 10",
        ),
        ("boxer\t10\t10", "A boxer.", "'boxer\\t10\\t10': read as 'boxer' with the weight 10"),
        ("kud√ºusu\t10", "The Kudüusu.", "'kud√ºusu': read as 'kudüusu'"),
        ("mÈniËre's\t10", "Of Ménière's kind.", '"mÈniËre\'s": read as "ménière\'s"'),
        ("rickettsial†infection\t10", "Rickettsial infection", "read as 'rickettsial infection'"),
        ("army?people\t10", "An army people.", "'army?people': read as 'army people'"),
        ("people&#8217;s army\t10", "The people's army.", None),
        ("jammu & kashmir\t10", "In Jammu & Kashmir.", None),
        ("hiv/aids\t10", "On HIV/AIDS.", None),
        ("e. coli\t10", "Of E. coli.", None),
        ("yes\t10", "Yes.", None),
        ("café\t10", "A café.", None),
    ],
)
def test_oddities_of_the_published_file(
    gdelt: Read, line: str, text: str | None, note: str | None
) -> None:
    done = gdelt(category("smuggler\t10", line))
    assert text is None or done.finds("smuggling", text)
    said = "\n".join(done.notes)
    assert said == "" if note is None else note in said


def test_names_in_curly_quotes_and_a_tag_that_is_not_closed(gdelt: Read) -> None:
    done = gdelt(
        '<CATEGORY NAME=“DRONE” TYPE="THEME">\n<TERMS>\ndrone\t10\n</TERMS>\n'
        '<COMMENTS>a "drone"</COMMENTS\n</CATEGORY>\n' + category("smuggler\t10")
    )
    assert set(done.themes) == {"drone", "smuggling"}


def test_a_phrase_twice_is_written_once_and_the_first_weight_holds(gdelt: Read) -> None:
    done = gdelt(category("famine\t100", "Famine\t100", "famine\t50"))
    assert [rule.weight for rule in done.themes["smuggling"].rules] == [100]
    assert done.notes == [
        "gkg.xml:4: smuggling: 'Famine' stands there twice and is written once",
        "gkg.xml:5: smuggling: left out: 'famine' with the weight 50: it stands there before "
        "with 100",
    ]


def test_a_category_twice_is_one_theme(gdelt: Read) -> None:
    done = gdelt(category("smuggler\t10") + category("contraband\t10"))
    assert done.finds("smuggling", "Contraband.")
    assert done.finds("smuggling", "A smuggler.")
    assert done.notes == [
        "gkg.xml:6: smuggling: SMUGGLING stands there twice: its rules are joined to those before"
    ]


def test_a_category_that_finds_nothing_is_not_written(gdelt: Read) -> None:
    done = gdelt(category("boat race\t-100") + category("drone\t10", name="DRONE"))
    assert set(done.themes) == {"drone"}
    assert done.notes == ["gkg.xml: smuggling: not written: no rule is left that could find it"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("<CATEGORY>\n</CATEGORY>", "gkg.xml:1: <CATEGORY>: it has no NAME"),
        ("\n<THEME/>", "gkg.xml:2: <THEME>: a <CATEGORY> is wanted here"),
        ("<CATEGORY NAME='A'>\n<TERMS>", "gkg.xml:2: no XML: "),
        ("<TERMS>&bomb;</TERMS>", "gkg.xml:1: <TERMS>: a <CATEGORY> is wanted here"),
    ],
)
def test_a_file_of_another_form(gdelt: Read, content: str, why: str) -> None:
    with pytest.raises(ConfigError) as raised:
        gdelt(content)
    assert why in str(raised.value)


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published file is not here")
def test_the_published_file(tmp_path: Path) -> None:
    importing = Importing()
    import_gdelt(PUBLISHED, importing)
    write_themes(importing, tmp_path / "themes", PUBLISHED.name)
    (tmp_path / "pipeline.yaml").write_text('themes: ["themes/*.yaml"]\n')
    themes = load_config(tmp_path / "pipeline.yaml").themes
    found = ThemeMatcher(themes).hits("", "A refugee was killed at the border.", language="en")
    assert {hit.theme for hit in found} >= {"border", "kill", "refugees"}
    rules = sum(len(terms) for theme in importing.themes.values() for terms in theme.terms.values())
    assert (len(importing.themes), rules) == (180, 11_985)
    assert len(importing.notes) == 270
