"""The configuration and its themes: what they may say, and how a mistake is told."""

import os
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import get_args

import pytest

from pipeline.config import LoadedConfig, PipelineConfig, default_config_dir, load_config
from pipeline.sinks import base
from transforms.errors import ConfigError
from transforms.logic.themes.matcher import ThemeMatcher

THEME = "theme: floods\ntitle: Floods\n"
TERMS = "terms: {3: [flood]}\n"

Load = Callable[..., LoadedConfig]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Writes a configuration and theme files, all relative to the working directory, and loads."""
    monkeypatch.chdir(tmp_path)

    def write_and_load(pipeline: str | bytes = "", **themes: str | bytes) -> LoadedConfig:
        files = {"pipeline.yaml": pipeline}
        files |= {f"themes/{name}.yaml": theme for name, theme in themes.items()}
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_config(Path("pipeline.yaml"))

    return write_and_load


def problems(load: Load, pipeline: str | bytes = "", **themes: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(pipeline, **themes)
    return list(raised.value.problems)


# What holds


def test_the_default_configuration_holds() -> None:
    loaded = load_config(default_config_dir() / "pipeline.yaml")
    assert loaded.config == PipelineConfig()
    assert [theme.theme for theme in loaded.themes] == [
        "encryption", "migration", "organised_crime",
    ]  # fmt: skip
    (hit,) = ThemeMatcher(loaded.themes).hits("", "They were asylum seekers from Syria.")
    assert hit.theme == "migration"


def test_an_empty_configuration_is_the_default(load: Load) -> None:
    assert load("", floods=THEME + TERMS).config == PipelineConfig()
    assert load("# Nothing yet.\n", floods=THEME + TERMS).config == PipelineConfig()


def test_themes_are_in_the_order_of_their_names(load: Load) -> None:
    loaded = load(
        a=f"theme: c\ntitle: C\n{TERMS}",
        b=f"theme: a\ntitle: A\n{TERMS}",
        c=f"theme: b\ntitle: B\n{TERMS}",
    )
    assert [theme.theme for theme in loaded.themes] == ["a", "b", "c"]


@pytest.mark.parametrize("folder", ["configs", "."])
def test_the_configuration_of_the_working_directory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    place = tmp_path / folder
    (place / "themes").mkdir(parents=True)
    (place / "pipeline.yaml").write_text("out: here")
    (place / "themes" / "floods.yaml").write_text(THEME + TERMS)
    loaded = load_config(None)
    assert (loaded.path, loaded.config.out) == (Path(folder) / "pipeline.yaml", "here")


def test_where_there_is_none_the_default_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config(None).path == default_config_dir() / "pipeline.yaml"


@pytest.mark.parametrize("folder", ["plain", "[brackets]", "a*?", "ä b"])
def test_themes_are_found_beside_the_configuration_wherever_it_is(
    tmp_path: Path, folder: str
) -> None:
    place = tmp_path / folder / "themes"
    place.mkdir(parents=True)
    (place / "floods.yaml").write_text(THEME + TERMS)
    (place.parent / "pipeline.yaml").write_text("")
    (theme,) = load_config(place.parent / "pipeline.yaml").themes
    assert theme.theme == "floods"


def test_a_theme_that_two_patterns_name_is_read_once(load: Load) -> None:
    once = load("themes: [themes/*.yaml]", floods=THEME + TERMS)
    (theme,) = load("themes: [themes/*.yaml, themes/floods.yaml]", floods=THEME + TERMS).themes
    assert (theme,) == once.themes


def test_a_pattern_may_be_absolute(load: Load, tmp_path: Path) -> None:
    (theme,) = load(f"themes: ['{tmp_path}/themes/*.yaml']", floods=THEME + TERMS).themes
    assert theme.theme == "floods"


@pytest.mark.parametrize(
    ("stated", "size"),
    [("500", 500), ("10 MB", 10**7), ("1.5kb", 1500), ("2GB", 2 * 10**9), ("7 B", 7)],
)
def test_sizes(load: Load, stated: str, size: int) -> None:
    config = load(f"limits: {{record_bytes: {stated}}}", floods=THEME + TERMS).config
    assert config.limits.record_bytes == size


@pytest.mark.parametrize(
    ("stated", "span"),
    [
        ("90m", timedelta(minutes=90)),
        ("1.5 h", timedelta(minutes=90)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("P1DT12H", timedelta(days=1.5)),
    ],
)
def test_spans_of_time(load: Load, stated: str, span: timedelta) -> None:
    assert load(f"backfill_after: {stated}", floods=THEME + TERMS).config.backfill_after == span


def test_a_byte_order_mark_is_passed_over(load: Load) -> None:
    loaded = load(b"\xef\xbb\xbfout: here\n", floods=b"\xef\xbb\xbf" + (THEME + TERMS).encode())
    assert loaded.config.out == "here"


# Versions


def test_comments_and_layout_keep_the_version_of_a_theme(load: Load) -> None:
    (compact,) = load(floods=THEME + TERMS).themes
    (spacious,) = load(
        floods="# Floods.\nterms:\n  3.0:\n    # The word.\n    - 'flood'\n\n"
        "title: Other\ntheme: floods\nthresholds: {focus: 9, mention: 3.0}\n"
    ).themes
    assert spacious.version == compact.version


def test_a_changed_term_changes_the_version_of_a_theme(load: Load) -> None:
    (before,) = load(floods=THEME + TERMS).themes
    (after,) = load(floods=THEME + "terms: {3: [floods]}\n").themes
    assert after.version != before.version


def test_the_digest_is_that_of_all_files(load: Load) -> None:
    digests = {
        load("", floods=THEME + TERMS).sha256,
        load("# A comment.", floods=THEME + TERMS).sha256,
        load("", floods=THEME + TERMS + "# A comment.").sha256,
    }
    assert len(digests) == 3
    assert load("", floods=THEME + TERMS).sha256 in digests


# What does not hold: the configuration


@pytest.mark.parametrize(
    ("pipeline", "problem"),
    [
        ("input: {}", "1: input: unknown field; did you mean 'inputs'?"),
        ("\n\nzzz: 1", "3: zzz: unknown field; known: inputs, themes, out, keep_runs, "
         "backfill_after, fetching, stories, ledger, limits, aggregates, bursts, sinks, "
         "deliveries, report, runner"),
        ("limits:\n  record_byte: 5", "2: limits.record_byte: unknown field; did you mean "
         "'record_bytes'?"),
        ("limits: 5", "1: limits: fields with values are wanted here"),
        ("out: [a]", "1: out: a text is wanted here; put it in quotes if it "
         "looks like a number or yes or no"),
        ("inputs:\n  files: []", "1: inputs: files or feeds: there is nothing to read"),
        ("inputs:\n  files:\n    - a\n    - 5",
         "4: inputs.files.1: a text is wanted here; put it in quotes if it "
         "looks like a number or yes or no"),
        ("inputs:\n  fields: {titel: [a]}", "2: inputs.fields: no such field: titel"),
        ("aggregates:\n  formats: [csv, cvs]", "2: aggregates.formats.1: Input should be 'csv' or "
         "'parquet'; did you mean 'csv'?"),
        ("limits: {record_bytes: 0}", "1: limits.record_bytes: Input should be greater than 0"),
        ("backfill_after: 7", "1: backfill_after: 7: write a span of time like 30m, 12h, 7d or 2w"),
        ("backfill_after: -1d", "1: backfill_after: '-1d': write a span of time like 30m, 12h, 7d "
         "or 2w"),
        ("backfill_after: 99999999999w", "1: backfill_after: '99999999999w': longer than a "
         "hundred years"),
        ("keep_runs: 0", "1: keep_runs: 0: the newest run always stays; write a number from 1"),
        ("limits:\n  file_bytes: 10 MiB", "2: limits.file_bytes: '10 MiB': write a size like "
         "10 MB, or a number of bytes"),
        ("out: a\nout: b", "2: out: stands here twice"),
        ("limits:\n  file_bytes: 1\n  file_bytes: 2", "3: limits.file_bytes: stands here twice"),
        ("themes:\n  - none/*.yaml", "2: themes.0: no file matches 'none/*.yaml'"),
        ("themes: [themes/*.yaml, themes/x.yaml]", "1: themes.1: no file matches 'themes/x.yaml'"),
        ("- a", "1: file: fields with values are wanted here"),
        ("sinks: diary", "1: sinks: a list is wanted here"),
        ("sinks:\n- diary", "2: sinks.0: fields with values are wanted here"),
        ("sinks:\n- name: a", "2: sinks.0.kind: this field is needed"),
        ("sinks:\n- kind: diary\n  path: x", "2: sinks.0.name: this field is needed"),
        ("sinks:\n- {kind: diary, name: a, path: x}\n- {kind: diary, name: B, path: x}",
         "3: sinks.1.name: String should match pattern '^[a-z][a-z0-9_-]{0,39}$'"),
        ("sinks:\n- kind: diary\n  name: a\n  paht: x\n  path: x",
         "4: sinks.0.paht: unknown field; did you mean 'path'?"),
        ("sinks:\n- {kind: diary, name: a, path: x}\n- {kind: diary, name: a, path: y}",
         "1: sinks: two sinks are called 'a'"),
        ("sinks:\n- {kind: diary, name: a, path: x, routes: []}",
         "2: sinks.0: a sink without parts is delivered nothing"),
        ("deliveries: {attempts: 0}", "1: deliveries.attempts: Input should be greater than or "
         "equal to 1"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_configuration(
    load: Load, monkeypatch: pytest.MonkeyPatch, pipeline: str, problem: str
) -> None:
    monkeypatch.setitem(base.KINDS, "diary", "tests.diary:DiarySettings")
    assert problems(load, pipeline, floods=THEME + TERMS) == [f"pipeline.yaml:{problem}"]


def test_a_sink_of_an_unknown_kind(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(base.KINDS, "diary", "tests.diary:DiarySettings")
    (problem,) = problems(load, "sinks:\n- {kind: dairy, name: a}", floods=THEME + TERMS)
    known = ", ".join(sorted(base.KINDS))
    assert problem == f"pipeline.yaml:2: sinks.0: 'dairy' is no kind of sink; known: {known}"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("tests.no_such_module:X", "cannot be loaded: No module named 'tests.no_such_module'"),
        ("tests.diary:NoSuchName", "cannot be loaded: module 'tests.diary' has no attribute"),
        ("tests.diary:Diary", "has no SinkSettings, but <class 'tests.diary.Diary'>"),
    ],
)
def test_a_kind_of_another_package_that_is_none(
    load: Load, monkeypatch: pytest.MonkeyPatch, value: str, why: str
) -> None:
    point = EntryPoint("diary", value, base.GROUP)
    monkeypatch.setattr(base, "entry_points", lambda group: EntryPoints([point]))
    (problem,) = problems(load, "sinks:\n- {kind: diary, name: a}", floods=THEME + TERMS)
    assert f"2: sinks.0: the sink kind 'diary' {why}" in problem


def test_each_kind_of_ours_is_there() -> None:
    for kind in base.KINDS:
        fields = base.settings_of(kind).model_fields
        assert get_args(fields["kind"].annotation) == (kind,)


def test_a_configuration_without_themes(load: Load) -> None:
    assert problems(load) == ["pipeline.yaml:1: themes.0: no file matches 'themes/*.yaml'"]


def test_a_configuration_that_is_not_there(load: Load) -> None:
    with pytest.raises(ConfigError) as raised:
        load_config(Path("nowhere.yaml"))
    assert raised.value.problems == ("nowhere.yaml: No such file or directory",)


def test_a_folder_in_place_of_a_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / "themes" / "folder.yaml").mkdir(parents=True)
    assert problems(load) == ["themes/folder.yaml: Is a directory"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(load: Load, tmp_path: Path) -> None:
    load(floods=THEME + TERMS)
    (tmp_path / "pipeline.yaml").chmod(0)
    with pytest.raises(ConfigError, match=r"^pipeline\.yaml: Permission denied$"):
        load_config(Path("pipeline.yaml"))


# What does not hold: a theme


@pytest.mark.parametrize(
    ("theme", "problem"),
    [
        (THEME + TERMS + "threshold: {mention: 2}",
         "4: threshold: unknown field; did you mean 'thresholds'?"),
        (THEME + TERMS + "thresholds: {mentoin: 2}",
         "4: thresholds.mentoin: unknown field; did you mean 'mention'?"),
        (THEME + "queries:\n  - query: dam\n    weigth: 3",
         "5: queries.0.weigth: unknown field; did you mean 'weight'?"),
        (THEME + "queries:\n  - query: dam\n  - query: river\n    zzz: 3",
         "6: queries.1.zzz: unknown field; known: id, weight, query"),
        (THEME + TERMS + "examples:\n  should_match:\n  - text: Dam\n    level: focsu",
         "7: examples.should_match.0.level: Input should be 'mention' or 'focus'; did you mean "
         "'focus'?"),
        (THEME + TERMS + "examples:\n  should_not_mach: []",
         "5: examples.should_not_mach: unknown field; did you mean 'should_not_match'?"),
        (THEME + TERMS + "accents: without",
         "4: accents: Input should be 'exact' or 'fold'; known: exact, fold"),
        (THEME + TERMS + "codes:\n  gdelt: [REFUGEES]",
         "5: codes.gdelt: fields with values are wanted here"),
        (THEME + TERMS + "codes:\n  cap: {version: 2019, codes: ['9']}",
         "5: codes.cap.version: a text is wanted here; put it in quotes if it looks like a number "
         "or yes or no"),
        (THEME + "terms: [flood]", "3: terms: fields with values are wanted here"),
        (THEME + "terms:\n  3: flood", "4: terms.3: a list is wanted here"),
        (THEME + "terms:\n  3:\n  - dam\n  - no", "6: terms.3.1: a text is wanted here; "
         "put it in quotes if it looks like a number or yes or no"),
        (THEME + "terms:\n  3: [flood,\n    2030]", "5: terms.3.1: a text is wanted here; "
         "put it in quotes if it looks like a number or yes or no"),
        (THEME + "terms:\n  high: [flood]",
         "4: terms.high: Input should be a valid number, unable to parse string as a number"),
        (THEME + "queries:\n  - query: dam\n    weight: yes",
         "5: queries.0.weight: yes and no are no numbers"),
        (THEME + "terms:\n  2: [dam]\n  3: []",
         "5: terms.3: the list is empty"),
        (THEME + "terms:\n  3:\n  - river\n  - dam AND river",
         "6: terms.3.1: character 5: 'AND' is an operator, and stands in queries alone: a term is "
         "a word or phrase"),
        (THEME + "terms:\n  3: ['--']",
         "4: terms.3.0: character 1: '--' can never match: it has no letter or digit"),
        (THEME + "queries:\n  - id: a\n    query: river NEAR/5",
         "5: queries.0.query: character 7: nothing stands after 'NEAR/5'"),
        (THEME + "queries:\n  - query: |\n      (river AND\n      dam wall)\n",
         "4: queries.0.query: character 16: there is no operator between 'dam' and 'wall': put "
         "quotes around a phrase, or AND between"),
        (THEME + "queries:\n  - id: a\n    query: '\"dam wall\" NOT dam'",
         "5: queries.0.query: character 1: 'dam wall' can never match: 'dam', which is unwanted, "
         "is found wherever it is"),
        (THEME + "queries:\n  - {id: a, query: dam}\n  - query: river\n    id: a",
         "6: queries.1.id: two queries have the id 'a'"),
        (THEME + TERMS + "queries:\n  - query: '@rivers'\ndefine:\n  river: river",
         "5: queries.0.query: character 1: no definition has the name @rivers; did you mean "
         "@river?"),
        (THEME + "queries:\n  - query: '@river'\ndefine:\n  river: river*)",
         "6: define.river: character 7: this bracket closes none"),
        (THEME + TERMS + "define:\n  river: [a]", "5: define.river: a text is wanted here; put it "
         "in quotes if it looks like a number or yes or no"),
        (THEME + "terms:\n  3: [dam, river,\n    Dam]",
         "5: terms.3.2: 'Dam' says the same as 'dam'"),
        (THEME + "terms:\n  3.0: [dam]\n  2.5:\n  - river\n  - DAM",
         "7: terms.2.5.1: 'DAM' has two weights, 3 and 2.5"),
        (THEME + TERMS + "thresholds:\n  mention: 9\n  focus: 3",
         "4: thresholds: mention (9) is above focus (3)"),
        (THEME + TERMS + "thresholds:\n  mention: .nan",
         "5: thresholds.mention: Input should be a finite number"),
        (THEME + "terms: {-3: [dam]}",
         "1: file: a theme needs terms or queries with a weight above 0"),
        ("theme: floods\n" + TERMS, "1: title: this field is needed"),
        ("theme: Floods\ntitle: F\n" + TERMS,
         "1: theme: String should match pattern '^[a-z][a-z0-9_]*$'"),
        (THEME + TERMS + "title: Again", "4: title: stands here twice"),
        (THEME + "terms:\n  3: [dam]\n  3: [river]", "5: terms.3: stands here twice"),
        (THEME + "terms:\n  3: [dam]\n  3.0: [river]", "5: terms.3.0: stands here twice"),
        (THEME + "terms:\n  3: [dam]\n  '3': [river]", "5: terms.3: stands here twice"),
        (THEME + TERMS + "queries:\n  - query: dam\n    query: river",
         "6: queries.0.query: stands here twice"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_theme(load: Load, theme: str, problem: str) -> None:
    assert problems(load, floods=theme) == [f"themes/floods.yaml:{problem}"]


UNREADABLE = [
    (THEME + "terms: {3: &dams [dam], 2: *dams}", ":3: aliases are not supported"),
    (THEME + "terms: {3: [dam}", ":3: no YAML: "),
    (THEME + TERMS + "---\na: b", ":4: no YAML: but found another document"),
    (THEME + TERMS + "description: a: b", ":4: no YAML: mapping values are not allowed"),
    (THEME + TERMS + 'description: "a\0"', ":4: no YAML: "),
    (THEME + TERMS + "description: \a", ":4: no YAML: "),
    (THEME + TERMS + "description: 2026-13-45", ":4: '2026-13-45' is no timestamp"),
    (THEME + TERMS + "description: !!int dam", ":4: 'dam' is no int"),
    (THEME + TERMS + "description: !!bool dam", ":4: 'dam' is no bool"),
    (THEME + TERMS + "? [a, b]\n: c", ":4: no YAML: found unhashable key"),
    (THEME + TERMS + "description: !!python/name:os.system x",
     ":4: no YAML: could not determine a constructor for the tag "
     "'tag:yaml.org,2002:python/name:os.system'"),
    (THEME + TERMS + "codes: " + "[" * 21, ":4: more than 20 lists and mappings in one another"),
    (THEME + TERMS + "codes: " + "[" * 100_000, ":4: "),
    (THEME + "terms:\n" + "- " * 10_000 + "a",
     ":4: more than 20 lists and mappings in one another"),
    ((THEME + TERMS).encode() + b"description: \xff", ":4: no UTF-8"),
    ((THEME + TERMS).encode("utf-16"), ":1: no UTF-8"),
    (THEME + TERMS + "# " + "x" * (1 << 20), ": larger than 1,048,576 bytes"),
    (THEME + 'terms:\n  3:\n    - "dam\\ud800"', ":5: "),
]  # fmt: skip


@pytest.mark.parametrize(("theme", "problem"), UNREADABLE)
def test_a_file_that_cannot_be_read(load: Load, theme: str | bytes, problem: str) -> None:
    (found,) = problems(load, floods=theme)
    assert found.startswith(f"themes/floods.yaml{problem}")


def test_a_huge_file_is_not_read_to_its_end(load: Load, tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    with (tmp_path / "themes" / "huge.yaml").open("wb") as huge:
        huge.truncate(100_000_000)
    tracemalloc.start()
    found = problems(load)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == ["themes/huge.yaml: larger than 1,048,576 bytes"]
    assert peak < 10_000_000


@pytest.mark.parametrize("theme", ["", "# Nothing yet.\n", "---\n"])
def test_an_empty_theme_lacks_its_name_and_title(load: Load, theme: str) -> None:
    assert [one.partition(": ")[2] for one in problems(load, floods=theme)] == [
        "theme: this field is needed",
        "title: this field is needed",
    ]


# Themes of several files

GERMAN = "theme: floods\nlanguage: de\nterms: {3: [Flut]}\n"


def test_a_theme_is_its_head_and_its_parts(load: Load) -> None:
    (theme,) = load(
        **{
            "floods": THEME + TERMS + "queries: [{query: '@rivers AND @walls'}]",
            "floods.de": GERMAN,
            "floods.en": "theme: floods\nlanguage: en\nqueries: [{query: '@walls'}]",
            "names": "define: {rivers: river* OR stream*, walls: wall*}",
        }
    ).themes
    assert {rule.id: rule.language for rule in theme.rules} == {
        "river_wall": None,
        "flood": None,
        "de_flut": "de",
        "en_wall": "en",
    }


def test_it_does_not_matter_in_which_files_a_theme_is(load: Load) -> None:
    (apart,) = load(**{"floods": THEME + TERMS, "floods.de": GERMAN}).themes
    (elsewhere,) = load("themes: [themes/x*.yaml]", xz=THEME + TERMS, xa=GERMAN).themes
    assert apart == elsewhere


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"b": "title: Other\ntheme: floods\n" + TERMS},
         "b.yaml:2: theme: the name 'floods' is taken by themes/a.yaml"),
        ({"b": GERMAN, "c": GERMAN},
         "c.yaml:2: language: themes/b.yaml is the part of 'floods' for de"),
        ({"b": "theme: flods\nlanguage: de\nterms: {3: [Flut]}"},
         "b.yaml:1: theme: no file is the head of this theme; did you mean 'floods'?"),
        ({"b": "define: {rivers: river}", "c": "define:\n  rivers: stream"},
         "c.yaml:2: define.rivers: the name is taken by themes/b.yaml"),
        ({"b": "define:\n  rivers: '@streams'\n  streams: '@rivers OR a'"},
         "b.yaml:2: define.rivers: character 1: in @streams: @rivers is made of itself: @rivers → "
         "@streams → @rivers"),
        ({"b": "define:\n  rivers: a b\n  streams: '@rivers'", "c": GERMAN + "queries:\n"
          "- query: '@streams'"},
         "b.yaml:2: define.rivers: character 3: there is no operator between 'a' and 'b': put "
         "quotes around a phrase, or AND between"),
        ({"b": "define:\n  rivers: a\nterms: {3: [dam]}"}, "b.yaml:3: terms: unknown field; known: "
         "define"),
        ({"b": GERMAN + "thresholds: {focus: 7}"}, "b.yaml:4: thresholds: unknown field; known: "
         "theme, define, terms, queries, examples, language"),
        ({"b": GERMAN + "queries:\n- query: floods\n  weight: 2\n- query: FLOOD"},
         "b.yaml:7: queries.1.query: 'FLOOD' has two weights, 3 in the head and 1"),
        ({"b": "theme: floods\nlanguage: DE"},
         "b.yaml:2: language: String should match pattern '^[a-z]{2,3}$'"),
        ({"b": "theme: floods\nlanguage: no"}, "b.yaml:2: language: a text is wanted here; put it "
         "in quotes if it looks like a number or yes or no"),
    ],
)  # fmt: skip
def test_a_mistake_among_several_files(load: Load, files: dict[str, str], problem: str) -> None:
    assert problems(load, a=THEME + TERMS, **files)[:1] == [f"themes/{problem}"]


def test_a_mistake_in_a_file_does_not_make_others_seem_wrong(load: Load) -> None:
    found = problems(
        load,
        a="theme: floods\ntitle: F\nzzz: 1\nterms: {3: [dam]}",
        b=GERMAN,
        c="define:\n  rivers: river\n  zzz: a b",
        d="theme: other\ntitle: O\nqueries: [{query: '@rivers'}]",
    )
    assert [problem.partition(": ")[0] for problem in found] == [
        "themes/a.yaml:3",
        "themes/c.yaml:3",
    ]


def test_all_problems_of_all_files_are_told_in_their_order(load: Load) -> None:
    theme = "theme: a\nterms:\n  3: []\n  3: [dam]\nzzz: 1\n"
    assert problems(load, "themes: [x/*.yaml, themes/*.yaml]", a=theme, b=theme) == [
        "pipeline.yaml:1: themes.0: no file matches 'x/*.yaml'",
        *(
            f"themes/{name}.yaml:{problem}"
            for name in "ab"
            for problem in (
                "1: title: this field is needed",
                "4: terms.3: stands here twice",
                "5: zzz: unknown field; known: theme, define, terms, queries, examples, title, "
                "description, accents, codes, title_weight, lead_weight, thresholds",
            )
        ),
    ]


def test_an_error_is_one_line_a_problem(load: Load) -> None:
    with pytest.raises(ConfigError) as raised:
        load("input: 1\noutput: 2\n")
    assert str(raised.value).splitlines() == list(raised.value.problems)
    assert len(raised.value.problems) == 2
