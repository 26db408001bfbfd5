"""What the command says, and the code that it exits with."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.corpus import write_corpus
from tests.end_to_end.test_run import ROOT, lines, policywire, run

TWO_WORKERS = ("--", "--direct_running_mode=multi_processing", "--direct_num_workers=2")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "seeds/articles.jsonl"), "'seeds/articles.jsonl' is no option"),
        (("run", "--input", "nowhere/*"), "input 'nowhere/*': no file matches"),
        (("run", "--input", "gs://bucket/x"), "input 'gs://bucket/x': "),
        (("run", "--as-of", "yesterday"), "--as-of 'yesterday': no ISO 8601 time"),
        (("run", "--", "--no_such_option=1"), "Beam option --no_such_option: unknown"),
        (("run", "--config", "nowhere.yaml"), "nowhere.yaml: No such file"),
        (("explain", "nowhere.txt"), "nowhere.txt"),
        (("explain", "seeds/seed_article.txt", "--entry", "2"), "fewer than 2 articles"),
        (("verify", "nowhere"), "nowhere: no complete run"),
        (("schema", "nothing"), "Invalid value"),
    ],
)
def test_wrong_usage_is_said_in_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    more = ("--out", tmp_path / "out") if arguments[0] == "run" and "--" not in arguments else ()
    done = policywire(*arguments, *more)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_failed_run_does_not_claim_to_be_done(tmp_path: Path) -> None:
    done = policywire("run", "--input", "seeds/*", "--out", tmp_path, "--", "--runner=Nope")
    assert done.returncode in (1, 2)
    assert b"everything is read" not in done.stderr


def test_errors_are_log_lines_where_those_are_json(tmp_path: Path) -> None:
    done = policywire("run", "--log-format", "json", "--input", "nowhere", "--out", tmp_path)
    logged = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["level"] for line in logged] == ["ERROR"]
    assert "nowhere" in logged[0]["message"]


def test_workers_say_nothing_while_they_start(tmp_path: Path) -> None:
    done = policywire(
        "run", "--input", "seeds/articles.csv", "--out", tmp_path, "--quiet", *TWO_WORKERS
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_summary_shows_the_alerts_and_their_files(tmp_path: Path) -> None:
    done = policywire("run", "--input", "seeds/seed_article.txt", "--out", tmp_path)
    said = done.stdout.decode()
    assert "1 read = 1 classified + 0 duplicates + 0 already seen + 0 dead letters" in said
    assert "\n3 alerts:\n" in said
    assert "end-to-end encryption" in said
    for path in tmp_path.glob("runs/*/alerts/*.jsonl"):
        assert str(path) in said


def test_help_answers_without_loading_beam() -> None:
    program = """
import sys
from pipeline.cli import app
app(["--help"], standalone_mode=False)
print("apache_beam" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_an_interrupted_run_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    write_corpus(corpus, 20_000)
    command = [sys.executable, "-m", "pipeline", "run", "--input", str(corpus)]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out")], cwd=ROOT, stderr=subprocess.PIPE
    )
    time.sleep(3)
    process.send_signal(2)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said.decode()
    assert b"interrupted, nothing was written" in said
    assert b"Traceback" not in said
    assert not list((tmp_path / "out").glob("runs/*"))


def test_every_schema_describes_what_is_written(tmp_path: Path) -> None:
    run_dir = run(tmp_path, "seeds/articles.jsonl")
    written = {
        "alert": lines(run_dir / "alerts" / "migration.jsonl")[0],
        "dead-letter": lines(run_dir / "dead_letters.jsonl")[0],
        "manifest": json.loads((run_dir / "manifest.json").read_text()),
    }
    for name, record in written.items():
        schema = json.loads(policywire("schema", name).stdout)
        assert schema["properties"].keys() == record.keys()
        assert set(schema["required"]) <= record.keys()
