"""The commands for those who write themes, as they run them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.test_run import policywire, run

HEAD = "theme: boats\ntitle: Boats\n"
RULES = "theme: boats\nlanguage: en\nterms: {3: [boat*], -4: [boat race]}\n"
EXAMPLES = """
examples:
  should_match: [{level: mention, text: "A boat came."}]
  should_not_match: ["The boat race."]
"""
HOSTILE = "A \x1b[31mred\x1b[0m \u202eboat"


@pytest.fixture
def boats(tmp_path: Path) -> Path:
    """A folder with a configuration of one theme, and articles."""
    folder = tmp_path / "boats"
    (folder / "themes").mkdir(parents=True)
    (folder / "pipeline.yaml").write_text('themes: ["themes/*.yaml"]\n')
    (folder / "themes" / "boats.yaml").write_text(HEAD)
    (folder / "themes" / "boats.en.yaml").write_text(RULES + EXAMPLES)
    articles = [
        {"title": HOSTILE, "text": "It sank.", "language": "en", "source": "Paper"},
        {"title": "The boat race", "text": "Oxford won.", "language": "en"},
        {"title": "Ein Boot", "text": "Es sank.", "language": "de"},
        {"title": "Een boot", "text": "Het zonk.", "language": "nl"},
    ]
    lines = [json.dumps(article) for article in articles]
    (folder / "articles.jsonl").write_text("\n".join([*lines, "{broken"]) + "\n")
    return folder


def said(*arguments: str | Path, code: int = 0) -> Any:
    """What a command says as JSON."""
    done = policywire("themes", *arguments, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def printed(*arguments: str | Path, code: int = 0) -> str:
    done = policywire("themes", *arguments)
    assert done.returncode == code, done.stderr
    return str(done.stdout.decode())


def test_examples_pass_or_fail(boats: Path) -> None:
    config = ("--config", boats / "pipeline.yaml")
    good = said("test", *config)
    row = {"theme": "boats", "language": "en", "examples": 2, "passed": 2, "is_thin": True}
    assert (good["coverage"], good["failed"]) == ([row], [])
    part = boats / "themes" / "boats.en.yaml"
    part.write_text(part.read_text().replace("The boat race.", "Sing: \\u202eA boat.\\e[0m"))
    (failed,) = said("test", *config, code=1)["failed"]
    assert (failed["wanted"], failed["found"], failed["language"]) == (None, "mention", "en")
    text = printed("test", "boats", *config, code=1)
    assert "boats.en: mention, not no hit: Sing: A boat." in text
    assert not {"\u202e", "\x1b"} & set(text)


def test_lint_counts_on_articles(boats: Path) -> None:
    config = ("--config", boats / "pipeline.yaml")
    assert printed("lint", *config) == "no problems\n"
    found = said("lint", *config, "--on", boats / "articles.jsonl")
    assert found["findings"] == []
    assert [(one["rule"], one["hits"], one["of"]) for one in found["hits"]] == [
        (None, 1, 4),
        ("en_boat", 1, 2),
        ("en_boat_race", 1, 2),
    ]
    part = boats / "themes" / "boats.en.yaml"
    part.write_text(part.read_text().replace("[boat*]", "[boat*, boats]"))
    assert "boats: en_boats: covered" in printed("lint", *config, code=1)


def test_versions_are_compared_on_files_and_on_a_run(boats: Path, tmp_path: Path) -> None:
    old = shutil.copytree(boats, tmp_path / "old")
    part = boats / "themes" / "boats.en.yaml"
    part.write_text(part.read_text().replace("[boat*]", "[sank]"))
    out = tmp_path / "out"
    folder = run(out, boats / "articles.jsonl", more=("--config", boats / "pipeline.yaml"))
    on_files = said("diff", old, boats, "--on", boats / "articles.jsonl")
    on_run = said("diff", old / "pipeline.yaml", boats, "--on", folder)
    assert on_files == on_run
    assert on_files["articles"] == 4
    row = {"theme": "boats", "language": "en", "old": 1, "new": 1}
    assert on_files["themes"] == [row | {"gained": 0, "lost": 0, "changed": 0}]
    part.write_text(part.read_text().replace("sank", "river"))
    for more in ((), ("--markdown",)):
        text = printed("diff", old, boats, "--on", boats / "articles.jsonl", *more)
        assert "lost 1" in text
        assert "boat" in text
        assert not {"\u202e", "\x1b"} & set(text)
    assert (
        "policywire: --on: name the files"
        in policywire("themes", "diff", old, boats).stderr.decode()
    )


def test_parity_names_languages_that_no_part_is_for(boats: Path) -> None:
    arguments = ("parity", "--config", boats / "pipeline.yaml", "--on", boats / "articles.jsonl")
    found = said(*arguments)
    assert found["uncovered"] == {"de": 1, "nl": 1}
    assert [(one["language"], one["articles"], one["hits"]) for one in found["themes"]] == [
        (None, 4, 1),
        ("en", 2, 1),
    ]
    done = policywire("themes", *arguments)
    assert b"no part is for nl: 1 article\n" in done.stdout
    assert done.stderr == b"1 record could not be read\n"


def test_suggestions_are_made_from_labelled_articles(boats: Path) -> None:
    texts = ("A dinghy came.", "The dinghy sank.", "No dinghy left.")
    labelled = [{"text": text, "themes": ["boats"], "language": "en"} for text in texts]
    labelled += [{"text": f"Rain {'x' * at}.", "themes": [], "language": "en"} for at in range(9)]
    path = boats / "labelled.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in labelled))
    (found,) = said("suggest", path, "--config", boats / "pipeline.yaml", "--theme", "boats")
    assert (found["term"], found["articles"], found["elsewhere"]) == ("dinghy", 3, 0)
    arguments = ("suggest", path, "--config", boats / "pipeline.yaml", "--theme", "bots")
    assert b"no theme 'bots'; known: boats" in policywire("themes", *arguments).stderr


def test_imported_rules_can_be_checked_and_are_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "boats.txt").write_text('"small boat*" NOT {UK} NOT author:\u202ebob')
    arguments = (
        "import",
        tmp_path / "boats.txt",
        "--from",
        "brandwatch",
        "--out",
        tmp_path / "new",
    )
    done = said(*arguments)
    assert done["files"] == [str(tmp_path / "new" / "boats.yaml")]
    assert [note["theme"] for note in done["notes"]] == ["boats"]
    again = policywire("themes", *arguments)
    assert again.returncode == 2
    assert b"new/boats.yaml: is there already" in again.stderr
    (tmp_path / "pipeline.yaml").write_text('themes: ["new/*.yaml"]\n')
    assert policywire("check", tmp_path / "pipeline.yaml").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("test", "floods"), "no theme 'floods'; known: encryption"),
        (("lint", "--on", "nowhere/*"), "input 'nowhere/*': no file matches"),
        (("diff", "nowhere", "nowhere", "--on", "seeds/*"), "nowhere: No such file"),
        (("suggest", "nowhere.jsonl"), "nowhere.jsonl: No such file"),
        (("import", "nowhere.xml", "--from", "emm", "--out", "x"), "nowhere.xml: No such file"),
        (("import", "x", "--from", "nobody", "--out", "x"), "Invalid value for '--from'"),
    ],
)
def test_wrong_usage_is_said_in_a_sentence(arguments: tuple[str, ...], why: str) -> None:
    done = policywire("themes", *arguments)
    assert done.returncode == 2
    assert why in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
