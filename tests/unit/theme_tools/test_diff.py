"""What another version of the themes would find: counted, and shown with its evidence."""

from pipeline.themes.diff import DiffRow, as_markdown, diff_themes
from tests.themes import theme
from tests.unit.theme_tools.samples import sample_article

OLD = theme("gang*", "mafia", theme="gangs")
NEW = theme("clan*", theme="gangs", terms={1: ["clan*"], 9: ["mafia"]})
SAMPLE = [
    sample_article("Two gangs met.", "A gang"),
    sample_article("It was said at noon.\nThe clans met in Rome. No one else came."),
    sample_article("The mafia met.", "Mafia"),
    sample_article("Der Clan.", language="de"),
    sample_article("Rain."),
]


def test_hits_are_gained_lost_and_changed() -> None:
    result = diff_themes([OLD], [NEW], SAMPLE)
    assert result.articles == 5
    assert result.rows == (
        DiffRow("gangs", "de", old=0, new=1, gained=1, lost=0, changed=0),
        DiffRow("gangs", "en", old=2, new=2, gained=1, lost=1, changed=1),
    )
    said = [(one.kind, one.language, one.evidence) for one in result.changes]
    assert sorted(said) == [
        ("changed", "en", "Mafia"),
        ("gained", "de", "Der Clan."),
        ("gained", "en", "The clans met in Rome."),
        ("lost", "en", "A gang"),
    ]
    (changed,) = (one for one in result.changes if one.kind == "changed")
    assert changed.old
    assert changed.new
    assert (changed.old.level, changed.new.level) == ("mention", "focus")


def test_the_same_themes_find_the_same() -> None:
    result = diff_themes([OLD], [OLD], SAMPLE)
    assert result.changes == ()
    assert result.rows == (DiffRow("gangs", "en", 2, 2, 0, 0, 0),)


def test_a_theme_that_is_new_or_gone() -> None:
    mobs = theme("mafia", theme="mobs")
    result = diff_themes([OLD], [mobs], SAMPLE)
    assert {(one.kind, one.theme) for one in result.changes} == {
        ("lost", "gangs"),
        ("gained", "mobs"),
    }


def test_the_strongest_changes_come_first() -> None:
    sample = [sample_article("A clan."), sample_article("A clan, clans, the clan.", "Clans")]
    result = diff_themes([OLD], [NEW], sample)
    assert [one.article.title for one in result.changes] == ["Clans", ""]


def test_markdown_has_a_table_and_some_examples() -> None:
    result = diff_themes([OLD], [NEW], SAMPLE)
    assert as_markdown(result, most=1).splitlines() == [
        "### Themes on 5 articles",
        "",
        "| theme | language | before | after | gained | lost | other level |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
        "| gangs | de | 0 | 1 | 1 | 0 | 0 |",
        "| gangs | en | 2 | 2 | 1 | 1 | 1 |",
        "",
        "#### gangs: gained 2",
        "",
        next(
            f"- mention **{one.article.text[:80]}** (The Paper, {one.language}): {one.evidence}"
            for one in result.changes
        ).replace("\n", " "),
        "- … and 1 more",
        "",
        "#### gangs: lost 1",
        "",
        "- mention **A gang** (The Paper, en): A gang",
        "",
        "#### gangs: changed 1",
        "",
        "- mention → focus **Mafia** (The Paper, en): Mafia",
    ]


def test_texts_of_others_are_no_markup() -> None:
    text = "A clan of @someone closes #12 with <3 *this* [link](x) `code` | \u202e\x1b[31m."
    shown = as_markdown(diff_themes([OLD], [NEW], [sample_article(text)]), most=9)
    line = shown.splitlines()[-1]
    assert "@<!-- -->someone" in line
    assert "#<!-- -->12" in line
    assert r"\<3 \*this\* \[link\]\(x\) \`code\` \|" in line
    assert "\u202e" not in line
    assert "\x1b" not in line
