"""`policywire stats` as a user sees it."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipeline.cli import app
from tests.report.outputs import NOW, article, theme, write_months, write_run

Stats = Callable[..., Result]
FORMULA = '=HYPERLINK("http://evil.example")'
HOSTILE = f"{FORMULA}\x1b[31m\u202e<script>"


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("months")
    write_months(out, days=70, stories=30)
    return out


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    found = theme("migration", words=HOSTILE, sentence=HOSTILE)
    write_run(tmp_path, [article(1, found, title=HOSTILE, source=HOSTILE, tags=(HOSTILE,))])
    return tmp_path


def stats(out: Path, line: str = "") -> Result:
    return CliRunner().invoke(app, ["stats", str(out), *line.split()])


def test_a_table_has_a_row_for_each_group(months: Path) -> None:
    done = stats(months, "--by theme --last 7d --theme migration --theme encryption")
    assert done.exit_code == 0
    header, *rows = [line.split() for line in done.stdout.splitlines()]
    assert header == ["theme", "articles", "stories", "publishers", "monitored", "share"]
    assert {row[0] for row in rows} == {"encryption", "migration"}
    assert all(re.fullmatch(r"\d+\.\d\d%", row[-1]) for row in rows)


def test_csv_and_json_say_the_same(months: Path) -> None:
    line = "--by day,theme --last 3d --change"
    rows = csv.DictReader(io.StringIO(stats(months, f"{line} --csv").stdout))
    found = json.loads(stats(months, f"{line} --json").stdout)
    assert len(found) == 9
    assert list(rows) == [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in found
    ]


def test_the_last_days_are_whole_and_end_with_the_newest_run(months: Path) -> None:
    days = [row["day"] for row in json.loads(stats(months, "--by day --last 3d --json").stdout)]
    assert days == ["2026-11-22", "2026-11-23", "2026-11-24"]
    hours = json.loads(stats(months, "--by hour --last 12h --json").stdout)
    assert min(row["hour"] for row in hours) >= "2026-11-23T19:00+00:00"


def test_times_without_a_zone_are_in_that_of_the_option(tmp_path: Path) -> None:
    late = article(1, published_at=NOW - timedelta(hours=6, minutes=30))
    write_run(tmp_path, [late])
    line = "--by day --since 2026-11-24 --json"
    assert json.loads(stats(tmp_path, line).stdout) == []
    (row,) = json.loads(stats(tmp_path, f"{line} --zone Europe/Brussels").stdout)
    assert row["day"] == "2026-11-24"


def test_bursts_are_shown_and_what_cannot_be_judged_is_said(months: Path) -> None:
    done = stats(months, "--bursts --last 2d --json")
    assert [(row["day"], row["theme"]) for row in json.loads(done.stdout)] == [
        ("2026-11-23", "organised_crime"),
        ("2026-11-24", "organised_crime"),
    ]
    assert not done.stderr
    done = stats(months, "--bursts")
    assert re.fullmatch(r"policywire: too little is known to judge \d+ days\n", done.stderr)


def test_bars_are_as_long_as_their_numbers(tmp_path: Path) -> None:
    write_run(
        tmp_path, [article(n, theme("migration" if n < 4 else "encryption")) for n in range(6)]
    )
    done = stats(tmp_path, "--by theme --chart")
    long, short = (line.count("█") for line in done.stdout.splitlines())
    assert long == pytest.approx(2 * short, abs=1)
    assert re.match(r"migration +4 █+\n", done.stdout)


@pytest.mark.parametrize("what", ["terms --last 7d", "sources", "stories"])
def test_there_is_an_end_to_what_is_on_top(months: Path, what: str) -> None:
    assert 1 < len(stats(months, f"--top {what}").stdout.splitlines()) <= 21
    assert len(stats(months, f"--top {what} --limit 1").stdout.splitlines()) == 2


@pytest.mark.parametrize(
    "line",
    ["--by source,tag", "--by source --chart", "--top stories", "--top sources --chart"],
)
def test_what_others_wrote_is_harmless_in_a_terminal(hostile: Path, line: str) -> None:
    shown = stats(hostile, line).stdout
    assert "HYPERLINK" in shown
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", shown)


def test_what_others_wrote_is_no_formula_in_a_spreadsheet(hostile: Path) -> None:
    for line in ("--by source,tag --csv", "--top stories --csv"):
        cells = [
            cell for row in csv.reader(io.StringIO(stats(hostile, line).stdout)) for cell in row
        ]
        found = [cell for cell in cells if FORMULA in cell]
        assert found
        assert all(cell.startswith("'=") for cell in found)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--by author", "--by 'author': known: hour, day, week, theme"),
        ("--by day,hour", "--by: only one of hour, day and week"),
        ("--zone Mars", "--zone 'Mars' is no time zone"),
        ("--since yesterday", "--since 'yesterday': no ISO 8601 time"),
        ("--since 2026-11-24 --until 2026-11-23", "--since is not before --until"),
        ("--last 7", "--last '7': write a span of time"),
        ("--last 30m", "--last '30m': an hour or more is wanted"),
        ("--last 7d --since 2026-11-24", "--last and --since or --until do not go together"),
        ("--csv --json", "--csv and --json do not go together"),
        ("--bursts --pairs", "--bursts and --pairs do not go together"),
        ("--bursts --change", "--change and --bursts or --pairs do not go together"),
        ("--bursts --by tag", "--bursts and --by tag do not go together"),
        ("--bursts --by source,language", "--bursts --by: only one of source, country, language"),
        ("--pairs --by day", "--pairs and --by day do not go together"),
        ("--top terms", "--top terms needs --last or --since"),
        ("--by theme --change", "--change needs --last, or --since and --until"),
        ("--database news", "an output folder and --database do not go together"),
    ],
)
def test_wrong_usage_is_said_in_a_sentence(months: Path, line: str, why: str) -> None:
    done = stats(months, line)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"policywire: {why}")


def test_an_empty_folder_and_an_unknown_sink_are_said(tmp_path: Path) -> None:
    done = stats(tmp_path)
    assert done.exit_code == 2
    assert "no complete run" in done.stderr
    done = CliRunner().invoke(app, ["stats", "--database", "news"])
    assert done.exit_code == 2
    assert "neither a URL nor a database among the sinks" in done.stderr


def test_columns_are_there_even_when_no_row_is(tmp_path: Path) -> None:
    write_run(tmp_path, [])
    done = stats(tmp_path, "--by theme --last 7d --change --csv")
    assert done.stdout == (
        "theme,articles,stories,publishers,monitored,share,"
        "stories_before,monitored_before,change,change_low,change_high\n"
    )
