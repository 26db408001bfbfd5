"""Why an article of a file matched, through the same reading as a run."""

import io
import sys
from pathlib import Path

import pytest

from pipeline.config import Inputs, LoadedConfig, PipelineConfig, SizeLimits
from pipeline.explain import Explained, explain
from tests.themes import query_theme, theme
from transforms.errors import ConfigError
from transforms.logic.themes.matcher import ThemeMatcher

THEMES = (theme("gang*", theme="gangs"), theme("mob*", theme="mobs"))


def configured(**parts: object) -> LoadedConfig:
    config = PipelineConfig.model_validate(parts)
    return LoadedConfig(Path("pipeline.yaml"), config, THEMES, "")


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A file of articles of which the second and the fourth are none."""
    path = tmp_path / "articles.jsonl"
    path.write_text(
        '{"title": "A", "text": "A gang and more gangs."}\n{broken\n'
        '{"title": "B", "text": "A mob"}\n{"title": " "}\n{"title": "C"}\n'
    )
    return str(path)


def written(tmp_path: Path, name: str, content: str) -> str:
    (tmp_path / name).write_text(content)
    return str(tmp_path / name)


def problem(source: str, entry: int = 1, loaded: LoadedConfig | None = None) -> str:
    with pytest.raises(ConfigError) as raised:
        explain(source, loaded or configured(), entry)
    return str(raised.value).replace(source, "FILE")


def levels(explained: Explained) -> dict[str, str | None]:
    return {one.theme: one.level for one in explained.themes}


def test_an_article_is_explained_by_every_theme(source: str) -> None:
    explained = explain(source, configured())
    assert explained.article.title == "A"
    assert levels(explained) == {"gangs": "mention", "mobs": None}
    (query,) = explained.themes[0].queries
    assert [match.words for match in query.matches] == ["gang", "gangs"]


def test_an_explanation_and_a_hit_agree(source: str) -> None:
    article, themes = explain(source, configured())
    (hit,) = ThemeMatcher(THEMES).hits(article.title, article.text)
    assert (hit.score, hit.level) == (themes[0].score, themes[0].level)


def test_language_and_source_of_the_article_are_told_to_the_themes(tmp_path: Path) -> None:
    parts = {"de": {"terms": {1: ["Bande"]}}}
    themes = (theme("gang", parts=parts), query_theme("Bande AND source:zeitung", theme="other"))
    loaded = LoadedConfig(Path("pipeline.yaml"), PipelineConfig(), themes, "")
    record = '{"title": "A", "text": "Bande", "language": "%s", "source": "%s"}\n'
    content = record % ("de", "Die Zeitung") + record % ("en", "The Paper")
    path = written(tmp_path, "x.jsonl", content)
    assert levels(explain(path, loaded)) == {"asylum": "mention", "other": "mention"}
    assert levels(explain(path, loaded, 2)) == {"asylum": None, "other": None}


@pytest.mark.parametrize(("entry", "title"), [(1, "A"), (2, "B"), (3, "C")])
def test_what_cannot_be_used_is_passed_over(source: str, entry: int, title: str) -> None:
    assert explain(source, configured(), entry).article.title == title


def test_there_are_fewer_articles(source: str) -> None:
    assert problem(source, entry=4) == "FILE: it has fewer than 4 articles"


@pytest.mark.parametrize(
    ("name", "content", "titles"),
    [
        (
            "x.txt",
            "A headline\n\nFirst there was a sentence, and it was long.\n\nThen more.",
            ["A headline"],
        ),
        ("x.csv", "title,text\nA,x\nB,y\n", ["A", "B"]),
        ("x.json", '[{"title": "A"}, {"title": "B"}]', ["A", "B"]),
        (
            "x.rss",
            '<rss version="2.0"><channel><title>T</title><item><title>A</title></item>'
            "<item><title> </title></item><item><title>B</title></item></channel></rss>",
            ["A", "B"],
        ),
    ],
)
def test_any_format_of_a_run_is_read(
    tmp_path: Path, name: str, content: str, titles: list[str]
) -> None:
    path = written(tmp_path, name, content)
    entries = range(1, len(titles) + 1)
    assert [explain(path, configured(), entry).article.title for entry in entries] == titles
    assert problem(path, len(titles) + 1).endswith(f"fewer than {len(titles) + 1} articles")


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b'{"title": "A"}\n{"title": "A mob"}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    explained = explain("-", configured(), entry=2)
    assert explained.article.origin.path == "-"
    assert levels(explained) == {"gangs": None, "mobs": "mention"}


def test_the_names_of_fields_are_those_of_the_configuration(tmp_path: Path) -> None:
    path = written(tmp_path, "x.jsonl", '{"fliesstext": "A gang"}\n')
    inputs = Inputs(fields={"text": ("fliesstext",)})
    assert explain(path, configured(inputs=inputs)).article.text == "A gang"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("x.jsonl", "{broken\n", "FILE: malformed_json: "),
        ("x.jsonl", '{"title": 5}\n{broken\n', "FILE: wrong_type: title: "),
        ("x.jsonl", '{"title": ""}\n', "FILE: no_article: neither a title nor a text"),
        ("x.txt", "", "FILE: empty: FILE: nothing stands in it"),
    ],
)
def test_a_file_without_an_article_says_why(
    tmp_path: Path, name: str, content: str, why: str
) -> None:
    assert problem(written(tmp_path, name, content)).startswith(why)


def test_a_record_over_the_limit_is_no_article(tmp_path: Path) -> None:
    loaded = configured(limits=SizeLimits(record_bytes=100))
    path = written(tmp_path, "x.jsonl", f'{{"title": "{"x" * 200}"}}\n')
    assert problem(path, loaded=loaded) == (
        "FILE: too_large: the record is over the limit of 100 bytes"
    )


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere.txt")
    assert problem(path) == "FILE: unreadable: FILE: No such file or directory"
