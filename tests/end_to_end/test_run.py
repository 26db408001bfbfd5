"""The command as a user runs it: on the seeds, on broken input, and killed on the way."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
AS_OF = "2026-11-24T06:00Z"
END_TO_END = "end-to-end encryption"


def policywire(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, check=False)


def run(out: Path, *inputs: object, more: tuple[object, ...] = (), stdin: bytes = b"") -> Path:
    chosen = [part for pattern in inputs for part in ("--input", pattern)]
    done = policywire("run", *chosen, "--out", out, "--as-of", AS_OF, *more, stdin=stdin)
    assert done.returncode == 0, done.stderr.decode()
    return out / json.loads((out / "latest.json").read_text())["path"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def alerts(run_dir: Path) -> list[dict[str, Any]]:
    return [alert for path in sorted((run_dir / "alerts").iterdir()) for alert in lines(path)]


def outputs(run_dir: Path) -> dict[str, bytes]:
    return {
        path.relative_to(run_dir).as_posix(): path.read_bytes()
        for path in sorted(run_dir.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("seeds"), "seeds/*")


def test_the_seed_article_has_all_three_themes(tmp_path: Path) -> None:
    run_dir = run(tmp_path, "seeds/seed_article.txt")
    assert {alert["theme"]: alert["level"] for alert in alerts(run_dir)} == {
        "migration": "focus",
        "organised_crime": "focus",
        "encryption": "mention",
    }
    (encryption,) = lines(run_dir / "alerts" / "encryption.jsonl")
    assert any(
        END_TO_END in evidence["words"] and END_TO_END in evidence["sentence"]
        for evidence in encryption["evidence"]
    )


def test_every_item_of_the_seeds_ends_somewhere(seeds: Path) -> None:
    manifest = json.loads((seeds / "manifest.json").read_text())
    counts = manifest["counts"]
    ended = ("classified", "duplicates", "already_seen", "dead_letters")
    assert counts["read"] == sum(counts[name] for name in ended)
    assert counts["duplicates"] == 1
    assert manifest["dead_letters"] == {"malformed_json": 1}
    assert manifest["runner"]["name"] == "FnApiRunner"


def test_a_story_under_two_links_is_one_alert(seeds: Path) -> None:
    stories = [alert["story"] for alert in lines(seeds / "alerts" / "migration.jsonl")]
    assert len({story["story_id"] for story in stories}) == len(stories)
    assert ["Courier", "The Gazette"] in [story["sources"] for story in stories]


def test_the_evidence_of_the_seeds_holds(seeds: Path) -> None:
    done = policywire("verify", seeds)
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()


def test_a_changed_input_is_noticed(tmp_path: Path) -> None:
    article = tmp_path / "article.txt"
    article.write_text((ROOT / "seeds/seed_article.txt").read_text())
    run_dir = run(tmp_path / "out", article)
    article.write_text(article.read_text().replace("encryption", "decoration"))
    done = policywire("verify", run_dir)
    assert done.returncode == 1
    assert b"has changed" in done.stdout + done.stderr


def test_two_runs_write_the_same_bytes(seeds: Path, tmp_path: Path) -> None:
    assert outputs(run(tmp_path, "seeds/*")) == outputs(seeds)


def test_two_workers_write_the_same_bytes(seeds: Path, tmp_path: Path) -> None:
    two = ("--", "--direct_running_mode=multi_processing", "--direct_num_workers=2")
    run_dir = run(tmp_path, "seeds/*", more=two)
    assert outputs(run_dir) == outputs(seeds)
    assert json.loads((run_dir / "manifest.json").read_text())["runner"]["workers"] == 2


def test_the_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    texts = (ROOT / "seeds/articles.jsonl").read_text().splitlines(keepends=True)[:-1]
    found = []
    for seed in (1, 2):
        random.Random(seed).shuffle(texts)
        run_dir = run(tmp_path / str(seed), "-", stdin="".join(texts).encode())
        found.append([{**alert, "article": None} for alert in alerts(run_dir)])
    assert sorted(found[0], key=str) == sorted(found[1], key=str)


def test_standard_input_can_be_verified(tmp_path: Path) -> None:
    run_dir = run(tmp_path, "-", stdin=(ROOT / "seeds/articles.jsonl").read_bytes())
    assert alerts(run_dir)[0]["article"]["origin"]["path"] == "-"
    assert policywire("verify", run_dir).returncode == 0


GOOD = b'{"title": "Asylum seekers", "text": "Asylum seekers were deported.", "url": "https://x.example/1"}\n'


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.jsonl.gz", b"\x1f\x8b\x08\x00broken", "truncated"),
        ("x.csv", b'title,text\n"broken\n', "malformed_table"),
        ("x.jsonl", GOOD.replace(b"/1", b"/2") + b"{broken\n", "malformed_json"),
        ("x.jsonl", b'{"title": "' + b"x" * 11_000_000 + b'"}\n', "too_large"),
        ("x.jsonl", b'{"title": NaN}\n', "malformed_json"),
        ("x.jsonl", b'{"title": "a", "title": "b"}\n', "duplicate_keys"),
        ("x.jsonl", b'{"title": 5}\n', "wrong_type"),
        ("x.jsonl", b'{"title": "a\0b"}\n', "malformed_json"),
        ("x.rss", b"<rss><channel><item><title>Half", "truncated"),
        (
            "x.rss",
            b"<rss><channel><item><title>A & B</title></item></channel></rss>",
            "malformed_feed",
        ),
        ("x.rss", b'<rss version="2.0"><channel><title>E</title></channel></rss>', "empty"),
        (
            "x.xml",
            b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss version="2.0">'
            b"<channel><item><title>&b;</title></item></channel></rss>",
            "unsafe_xml",
        ),
        ("x.html", b"<html><body><nav>Home</nav></body></html>", "no_article"),
        ("x.txt", b"", "empty"),
        ("x.parquet", b"PAR1 broken", "malformed_table"),
    ],
)
def test_bad_input_costs_itself_alone(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / "good.jsonl").write_bytes(GOOD)
    (tmp_path / name).write_bytes(content)
    run_dir = run(tmp_path / "out", tmp_path / "good.jsonl", tmp_path / name)
    assert reason in [letter["reason"] for letter in lines(run_dir / "dead_letters.jsonl")]
    assert "https://x.example/1" in [alert["article"]["url"] for alert in alerts(run_dir)]


def test_deeply_nested_pages_and_directories_are_survived(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    (inputs / "folder").mkdir(parents=True)
    (inputs / "good.jsonl").write_bytes(GOOD)
    (inputs / "deep.html").write_bytes(b"<div>" * 100_000)
    run_dir = run(tmp_path / "out", inputs / "*")
    assert len(lines(run_dir / "dead_letters.jsonl")) == 2
    assert len(alerts(run_dir)) == 1


def test_an_utf16_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(GOOD.decode().encode("utf-16"))
    assert len(alerts(run(tmp_path / "out", tmp_path / "x.jsonl"))) == 1


def test_dead_letters_can_fail_the_command(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"{broken\n")
    arguments = ("run", "--input", tmp_path / "x.jsonl", "--out", tmp_path / "out")
    assert policywire(*arguments, "--fail-on-dead-letters").returncode == 3
    assert policywire(*arguments).returncode == 0


def test_a_pattern_without_files_stops_the_run_before_it_begins(tmp_path: Path) -> None:
    done = policywire("run", "--input", tmp_path / "*.jsonl", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert b"no file matches" in done.stderr
    assert not list((tmp_path / "out").glob("runs/*"))


def test_an_output_that_cannot_be_written_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file, no folder")
    done = policywire("run", "--input", "seeds/*", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert b"cannot write" in done.stderr


@pytest.mark.skipif(not os.access("/dev/full", os.W_OK), reason="no /dev/full here")
def test_a_full_disk_fails_the_run_whole(tmp_path: Path) -> None:
    # A small file system of its own, where one can be mounted.
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        done = policywire("run", "--input", "seeds/*", "--out", disk)
        assert done.returncode == 1
        assert b"No space left" in done.stderr
        assert not list(disk.glob("runs/*"))
        assert not (disk / "latest.json").exists()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("seconds", [0.5, 1.5, 2.0, 2.5, 3.0])
def test_a_killed_run_leaves_nothing_half_visible(tmp_path: Path, seconds: float) -> None:
    command = [sys.executable, "-m", "pipeline", "run", "--input", "seeds/*"]
    command += ["--out", str(tmp_path), "--as-of", AS_OF]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for run_dir in tmp_path.glob("runs/*"):
        assert (run_dir / "manifest.json").exists()
    complete = run(tmp_path, "seeds/*")
    assert (complete / "manifest.json").exists()
    assert [path.name for path in (tmp_path / "staging").iterdir()] == [".lock"]
