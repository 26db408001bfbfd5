"""What README.md and docs/ say is true: links, fields, defaults, options, and what themes match.

`tests/end_to_end/test_docs.py` runs the commands that they show.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.cli import app
from pipeline.cli.base import DEAD_LETTERS, FAILED
from pipeline.cli.settings import Schema
from pipeline.config import PipelineConfig, load_config
from pipeline.evaluate import Labelled
from pipeline.feeds.model import FeedChoice, OpmlChoice
from pipeline.feeds.outcomes import FeedReport
from pipeline.ledger import LedgerBusy, LedgerStats
from pipeline.manifest import Manifest
from pipeline.sinks.base import SinkSettings
from pipeline.stats.burst_rules import BurstRule
from pipeline.status import Status
from transforms.errors import ConfigError, Reason
from transforms.logic.dates import parse_date
from transforms.logic.documents import FieldNames, sniff
from transforms.logic.text import clean_text
from transforms.logic.themes.explanation import ThemeExplanation
from transforms.logic.themes.matcher import MOST_EVIDENCE, ThemeMatcher
from transforms.logic.themes.model import Head, Library, Part, Theme
from transforms.logic.themes.reading import LEAD
from transforms.logic.themes.spelling import spellings
from transforms.logic.themes.syntax import DEEPEST, LARGEST, LONGEST, QueryError, parse_query
from transforms.records import (
    Alert,
    ArticleSummary,
    DeadLetter,
    MonitoredCount,
    OddityCode,
    QueryTotal,
    ThemeCount,
    ThemePair,
)

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
COMMANDS = ROOT / "docs" / "commands.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"
THEMES = ROOT / "docs" / "themes.md"
FEEDS = ROOT / "docs" / "feeds.md"
SINKS = ROOT / "docs" / "sinks.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]


@dataclass(frozen=True)
class Block:
    """A piece of code; `language` is 'indented' where there is no fence."""

    line: int
    section: str
    language: str
    content: str
    saved_as: str | None


@dataclass(frozen=True)
class Table:
    """A table, with the text of its cells."""

    line: int
    section: str
    header: list[str]
    rows: list[list[str]]

    def column(self, number: int = 0) -> list[str]:
        return [bare(row[number]) for row in self.rows]

    def dicts(self) -> list[dict[str, str]]:
        return [dict(zip(self.header, row, strict=True)) for row in self.rows]


def parts(page: Path) -> Iterator[Block | Table]:
    """The code and the tables of a page, in its order."""
    lines = page.read_text().splitlines()
    section, before, at = "", "", 0
    while at < len(lines):
        line, begin = lines[at], at
        at += 1
        if line.startswith("```"):
            while lines[at] != "```":
                at += 1
            saved_as = re.search(r"[Ss]ave this as `([^`]+)`:\s*\Z", before)
            content = "\n".join(lines[begin + 1 : at]) + "\n"
            yield Block(begin + 1, section, line[3:], content, saved_as and saved_as[1])
            at += 1
        elif line.startswith("    "):
            while at < len(lines) and (lines[at].startswith("    ") or not lines[at]):
                at += 1
            content = "\n".join(row[4:] for row in lines[begin:at])
            yield Block(begin + 1, section, "indented", content, None)
        elif line.startswith("|"):
            while at < len(lines) and lines[at].startswith("|"):
                at += 1
            header, _, *rows = (
                [cell.strip() for cell in row[1:-1].split("|")] for row in lines[begin:at]
            )
            yield Table(begin + 1, section, header, rows)
        elif heading := re.match(r"#+ (.*)", line):
            section = heading[1]
        if line:
            before = line


def bare(cell: str) -> str:
    """A cell without the marks around code and links."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", cell).replace("`", "")


def table(page: Path, section: str, first: str) -> Table:
    """The table below a heading whose first column is called *first*."""
    (found,) = (
        part
        for part in parts(page)
        if isinstance(part, Table) and part.section == section and part.header[0] == first
    )
    return found


# Links


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)", text, re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", bare(heading).lower()).replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", page.read_text()):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_command_escapes_its_test(page: Path) -> None:
    for part in parts(page):
        if isinstance(part, Block) and part.language not in ("console", "sh", "crontab"):
            assert not re.search(r"^\W*policywire [a-z]", part.content, re.MULTILINE), part.line


# Commands


def all_commands(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The commands by their names; those of a group have two words."""
    for name, one in group.commands.items():
        if hasattr(one, "commands"):
            yield from all_commands(one, f"{prefix}{name} ")
        else:
            yield prefix + name, one


BY_NAME = dict(all_commands(typer.main.get_command(app)))
NAMES = sorted(BY_NAME)


def options(command: str) -> set[str]:
    parameters = BY_NAME[command].params
    return {name for one in parameters for name in one.opts if name.startswith("--")} - {"--help"}


def test_all_commands_are_documented() -> None:
    assert sorted(table(COMMANDS, "Commands", "command").column()) == NAMES
    sections = {part.section for part in parts(COMMANDS)}
    assert sections >= set(NAMES)


@pytest.mark.parametrize("command", NAMES)
def test_all_options_are_documented(command: str) -> None:
    said = [
        name
        for part in parts(COMMANDS)
        if isinstance(part, Table) and (part.section, part.header[0]) == (command, "option")
        for name in part.column()
    ]
    assert sorted(said) == sorted(options(command))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_sentences_exist(page: Path) -> None:
    for line in re.findall(r"`policywire ([a-z][^`]*)`", page.read_text()):
        words = line.split()
        (command,) = {" ".join(words[:1]), " ".join(words[:2])} & set(NAMES)
        assert set(re.findall(r"--[a-z-]+", line)) <= options(command) | {"--help"}


def test_all_exit_codes_are_documented() -> None:
    codes = table(COMMANDS, "Exit codes", "code").column()
    real = (0, FAILED, ConfigError.exit_code, DEAD_LETTERS, LedgerBusy.exit_code, 130)
    assert codes == [str(code) for code in real]


def test_all_schemas_are_documented() -> None:
    assert table(COMMANDS, "schema", "name").column() == [name.value for name in Schema]


# Fields


HAVE_OWN_TABLES = (SinkSettings, BurstRule)  # elsewhere; they stand in lists


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """The fields of *model* and of the models in it; `*` stands for any key.

    A field that holds one of several models is one field: they have tables of their own.
    """
    for name, field in model.model_fields.items():
        inner = models_in(field.annotation)
        keyed = ".*" if str(field.annotation).startswith("dict[") else ""
        if len(inner) == 1 and inner[0] not in HAVE_OWN_TABLES:
            yield from fields(inner[0], f"{prefix}{name}{keyed}.")
        else:
            yield prefix + name, field


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


@pytest.mark.parametrize(
    ("section", "first", "model"),
    [
        ("explain", "field", ThemeExplanation),
        ("Alerts", "field", Alert),
        ("status", "field", Status),
        ("ledger stats", "field", LedgerStats),
        ("Columns of theme counts", "column", ThemeCount),
        ("Columns of theme_pairs", "column", ThemePair),
        ("Columns of queries", "column", QueryTotal),
        ("Articles", "field", ArticleSummary),
        ("Columns of monitored counts", "column", MonitoredCount),
        ("Dead letters", "field", DeadLetter),
        ("Manifest", "field", Manifest),
    ],
)
def test_all_fields_of_outputs_are_documented(
    section: str, first: str, model: type[BaseModel]
) -> None:
    assert table(COMMANDS, section, first).column() == [name for name, _ in fields(model)]


def test_all_fields_of_the_report_on_feeds_are_documented() -> None:
    said = table(FEEDS, "feeds.jsonl", "field").column()
    assert said == [name for name, _ in fields(FeedReport)]


def test_all_oddities_of_feeds_are_documented() -> None:
    assert table(FEEDS, "Oddities", "code").column() == list(get_args(OddityCode))


@pytest.mark.parametrize(
    ("section", "model"), [("Settings of a feed", FeedChoice), ("Lists in OPML", OpmlChoice)]
)
def test_all_settings_of_feeds_are_documented_with_their_defaults(
    section: str, model: type[BaseModel]
) -> None:
    said = table(FEEDS, section, "field").dicts()
    assert [bare(row["field"]) for row in said] == list(model.model_fields)
    for row in said:
        field, default = model.model_fields[bare(row["field"])], bare(row["default"])
        if field.is_required():
            assert default == "required"
        else:
            assert yaml.safe_load(default) == json.loads(json.dumps(field.default)), row["field"]


def test_the_settings_of_every_sink_are_documented_with_their_defaults() -> None:
    said = table(SINKS, "Settings of every sink", "field").dicts()
    assert [bare(row["field"]) for row in said] == list(SinkSettings.model_fields)
    for row in said:
        field, default = SinkSettings.model_fields[bare(row["field"])], bare(row["default"])
        assert default == ("required" if field.is_required() else field.default)


def test_all_fields_of_labelled_articles_are_documented() -> None:
    said = ", ".join(table(COMMANDS, "eval", "field").column()).split(", ")
    assert said == sorted(Labelled.model_fields, key=said.index)


def test_all_reasons_are_documented() -> None:
    assert table(COMMANDS, "Reasons", "reason").column() == [reason.value for reason in Reason]


def test_all_fields_of_the_configuration_are_documented_with_their_defaults() -> None:
    said = table(CONFIGURATION, "Fields", "field").dicts()
    assert [bare(row["field"]) for row in said] == [name for name, _ in fields(PipelineConfig)]
    stated: dict[str, Any] = {}
    for row in said:
        *outer, name = bare(row["field"]).split(".")
        place = stated
        for part in outer:
            place = place.setdefault(part, {})
        place[name] = yaml.safe_load(bare(row["default"]))
    assert PipelineConfig.model_validate(stated) == PipelineConfig()


def test_the_default_configuration_states_all_defaults() -> None:
    text = (ROOT / "configs" / "pipeline.yaml").read_text()
    stated = yaml.safe_load(text)
    assert PipelineConfig.model_validate(stated) == PipelineConfig()
    for name, _ in fields(PipelineConfig):
        place = stated
        for part in name.split("."):
            assert part in place, name
            place = place[part]


def test_all_fields_of_a_theme_are_documented_with_their_defaults() -> None:
    said = table(THEMES, "A theme's files", "field").dicts()
    kinds = {"head": Head, "part": Part, "library": Library}
    real = {kind: dict(fields(model)) for kind, model in kinds.items()}
    stated: dict[str, set[str]] = {kind: set() for kind in kinds}
    for row in said:
        name, default = bare(row["field"]), bare(row["default"])
        for kind in row["in"].split(", "):
            stated[kind].add(name)
            field = real[kind][name]
            if default == "required":
                assert field.is_required(), name
            elif kind != "library":
                found = json.loads(json.dumps(field.default))
                assert yaml.safe_load(default) == (found or None if found == [] else found), name
    assert stated == {kind: set(names) for kind, names in real.items()}


# Input


def test_the_names_of_fields_are_documented() -> None:
    said = table(CONFIGURATION, "Names of fields", "field")
    real = tuple((field, ", ".join(names)) for field, names in FieldNames().names)
    assert tuple(zip(said.column(0), said.column(1), strict=True)) == real


KINDS = {
    "JSON Lines": "jsonl",
    "JSON": "json",
    "a table with a header;": "csv",
    "a table with a header and tabs": "tsv",
    "Parquet": "parquet",
    "a web page": "html",
    "a feed": "feed",
    "one article in plain text": "text",
}


def test_suffixes_mean_what_is_said() -> None:
    said = table(CONFIGURATION, "Input formats", "suffix")
    for suffixes, meaning in zip(said.column(0), said.column(1), strict=True):
        kind = next(kind for begin, kind in KINDS.items() if meaning.startswith(begin))
        for suffix in suffixes.split(", "):
            for compression in ("", ".gz", ".bz2", ".zst"):
                assert sniff(f"x{suffix}{compression}", b"some words") == kind


@pytest.mark.parametrize(
    "row",
    table(CONFIGURATION, "Input formats", "name").dicts(),
    ids=lambda row: row["begins with"][:30],
)
def test_content_means_what_is_said(row: dict[str, str]) -> None:
    head = row["begins with"].strip("`").replace("\\n", "\n")
    assert sniff(bare(row["name"]), head.encode()) == row["read as"]


@pytest.mark.parametrize(
    "row", table(CONFIGURATION, "Dates", "date").dicts(), ids=lambda row: bare(row["date"])
)
def test_dates_are_read_as_said(row: dict[str, str]) -> None:
    found = parse_date(bare(row["date"]))
    said = row["read as"]
    assert said == (f"{found:%Y-%m-%dT%H:%M:%SZ}" if found else said)
    assert (found is None) == said.startswith("no date")


# Themes


@dataclass(frozen=True)
class Claim:
    """A row that says what a theme makes of a text."""

    page: Path
    line: int
    theme: str
    row: dict[str, str]

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def themes(page: Path) -> list[Block]:
    return [
        part
        for part in parts(page)
        if isinstance(part, Block)
        and part.language == "yaml"
        and re.search("^theme:", part.content, re.MULTILINE)
        and not re.search("^language:", part.content, re.MULTILINE)
        and part.saved_as != "floods/broken.yaml"
    ]


def claims(page: Path) -> Iterator[Claim]:
    for part in parts(page):
        if isinstance(part, Table) and "text" in part.header:
            before = [block.content for block in themes(page) if block.line < part.line]
            for number, row in enumerate(part.dicts(), start=part.line + 2):
                query = row.pop("query", None)
                yield Claim(page, number, of_query(query) if query else before[-1], row)


def of_query(cell: str) -> str:
    """A theme of the one query that a cell holds."""
    values = {"theme": "example", "title": "Example", "queries": [{"query": cell.strip("`")}]}
    return yaml.safe_dump(values)


CLAIMS = [*claims(README), *claims(THEMES)]


def written(cell: str) -> str:
    r"""The text that a cell means: `\u00ad`, `¶` and `(500 characters)` are written out."""
    text = re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), cell)
    text = re.sub(
        r"\(([\d,]+) characters\)", lambda found: "x " * (int(found[1].replace(",", "")) // 2), text
    )
    return clean_text(text.replace("¶", "\n"))


def loaded(theme: str, folder: Path) -> Theme:
    (folder / "theme.yaml").write_text(theme)
    (folder / "pipeline.yaml").write_text("themes: [theme.yaml]")
    (only,) = load_config(folder / "pipeline.yaml").themes
    return only


def test_there_are_claims() -> None:
    assert len(CLAIMS) > 80


@pytest.mark.parametrize("page", [README, THEMES], ids=lambda page: page.name)
def test_the_themes_shown_can_be_loaded(page: Path, tmp_path: Path) -> None:
    assert themes(page)
    for block in themes(page):
        loaded(block.content, tmp_path)


@pytest.mark.parametrize("claim", CLAIMS, ids=str)
def test_a_theme_finds_what_is_said(claim: Claim, tmp_path: Path) -> None:
    theme = loaded(claim.theme, tmp_path)
    title, text = written(claim.row.get("title", "")), written(claim.row["text"])
    article = {name: claim.row[name] for name in ("language", "source") if name in claim.row}
    (found,) = ThemeMatcher([theme]).explain(title, text, **article)
    matches = sorted(
        (match.field == "text", match.start, match.words)
        for query in found.queries
        for match in query.matches
    )
    real = {
        "matches": ", ".join(f"`{words}`" for *_, words in matches) or "–",
        "score": f"{found.score:g}",
        "level": found.level or "–",
        "stands out": "yes" if found.stands_out else "no",
    }
    said = {name: cell for name, cell in claim.row.items() if name in real}
    assert said == {name: real[name] for name in said}
    assert said.keys() == claim.row.keys() - {"title", "text"} - article.keys()


@pytest.mark.parametrize(
    "row",
    table(THEMES, "How a mistake is told", "query").dicts(),
    ids=lambda row: row["query"],
)
def test_a_mistake_is_told_as_said(row: dict[str, str]) -> None:
    with pytest.raises(QueryError) as raised:
        parse_query(row["query"].strip("`"))
    told = raised.value
    assert {"character": str(told.at + 1), "what is said": told.message} == {
        name: cell for name, cell in row.items() if name != "query"
    }


def test_the_figures_in_sentences_are_right() -> None:
    text = " ".join(THEMES.read_text().split())
    assert f"first {LEAD} characters" in text
    assert f"first {2 * LEAD:,} characters" in text
    assert f"every {LEAD} characters" in text
    assert f"at most {LONGEST:,} characters" in text
    assert f"at most {DEEPEST} in one another" in text
    assert f"at most {LARGEST:,} parts" in text
    assert f"up to {MOST_EVIDENCE} pieces" in text


VERSION = """
theme: floods
title: Floods
define: {rivers: river* OR stream}
terms: {2: [flood*, dam]}
queries: [{id: river, query: (burst OR overflow*) NEAR/5 @rivers}]
"""


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("title: Floods", "title: Flooding\ndescription: More. # or less", True),
        ("title:", "examples: {should_not_match: [A dam.]}\ntitle:", True),
        ("[flood*, dam]", "[Dam, FLOOD*]", True),
        ("(burst OR overflow*)", "((overflow*) OR BURST)", True),
        ("{2: ", "{3: ", False),
        ("id: river", "id: rivers", False),
        ("dam]", "dams]", False),
        ("stream}", "brook}", False),
        ("title:", "thresholds: {mention: 2}\ntitle:", False),
    ],
)
def test_a_version_is_a_hash_of_the_meaning(
    before: str, after: str, same: bool, tmp_path: Path
) -> None:
    assert before in VERSION
    version = loaded(VERSION, tmp_path).version
    assert (loaded(VERSION.replace(before, after), tmp_path).version == version) == same


def test_the_pairs_of_spellings_are_right() -> None:
    (sentence,) = re.findall(r"the\s+pairs\s(.*?)\.", THEMES.read_text(), re.DOTALL)
    for word in re.split(r"[,;]\s+", sentence):
        assert len(spellings(word)) > 1, word


def test_every_seed_is_described() -> None:
    said = ROOT / "docs" / "seeds.md"
    names = ", ".join(table(said, "Samples", "file").column()).split(", ")
    assert sorted(names) == sorted(path.name for path in (ROOT / "seeds").iterdir())
