"""The command as a user runs it: on the seeds, on broken input, and killed on the way."""

import bz2
import gzip
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

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


class Inputs:
    """A folder of input files, and what has to become of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.articles = 0  # each gives one alert
        self.dead: dict[str, list[str]] = {}

    def article(self, **more: Any) -> dict[str, Any]:
        """An article on migration; no two are copies of one another."""
        self.articles += 1
        words = " ".join(random.Random(self.articles).choices(WORDS, k=60))
        return {
            "title": f"Asylum seekers, part {self.articles}",
            "text": f"Asylum seekers were deported. {words}.",
            "url": f"https://paper.example/{self.articles}",
            "published": "2026-11-23T10:00:00Z",
            **more,
        }

    def line(self, **more: Any) -> bytes:
        return json.dumps(self.article(**more)).encode() + b"\n"

    def row(self, template: str = '{title};{url};"{text}"\r\n', **more: Any) -> str:
        return template.format(**self.article(**more))

    def item(self) -> str:
        return self.row(ITEM)

    def write(self, name: str, content: bytes | str, *reasons: str) -> None:
        (self.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        self.dead[name] = sorted(reasons)


WORDS = (
    "harbour winter council evening budget railway teacher window letter garden minister village "
    "bridge market library doctor journey summer weather football kitchen theatre museum forest "
    "island engine station history morning factory planet concert medicine holiday painting"
).split()
ITEM = (
    "<item><title>{title}</title><link>{url}</link><pubDate>Mon, 23 Nov 2026 10:00 GMT</pubDate>"
    "<description>{text}</description></item>"
)
CSV = "title;url;text\r\n"
RSS = '<rss version="2.0"><channel><title>Paper</title>{}</channel></rss>'
PAGE = (
    "<html><head><title>{title}</title><link rel='canonical' href='{url}'></head><body><article>"
    "<p>{text}</p></article></body></html>"
)
COMPRESS = {"gz": gzip.compress, "bz2": bz2.compress, "zst": zstandard.compress}


def parquet(columns: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


def write_good_inputs(to: Inputs) -> None:
    """Every format, and what is odd in a file and yet no fault."""
    to.write("good.jsonl", to.line() + b"\r\n" + to.line().rstrip())
    to.write("marked.jsonl", b"\xef\xbb\xbf" + to.line())
    to.write("utf16.jsonl", (to.line() + to.line()).decode().encode("utf-16"))
    to.write("good.json", json.dumps([to.article(), to.article()]))
    to.write("utf16.json", json.dumps([to.article()], indent=1).encode("utf-16"))
    to.write("object.json", json.dumps(to.article(), indent=2))
    to.write("good.csv", "\ufeff" + CSV + to.row() + to.row(text='Asylum ""law""\r\nand seekers'))
    to.write("wide.csv", CSV + to.row(text="Asylum seekers. " + "word " * 50_000) + to.row())
    to.write("nul.csv", CSV + to.row(title="A\0B") + to.row())
    to.write("latin1.csv", (CSV + to.row(title="Étrangers à Genève")).encode("cp1252"))
    to.write("good.tsv", CSV.replace(";", "\t") + to.row("{title}\t{url}\t{text}\n"))
    rows = [to.article(), to.article()]
    odd = {"day": pa.array([1, 2], pa.timestamp("ns")), "price": [Decimal("1.5"), None]}
    odd |= {"data": [b"\xff", None], "tags": [["a"], []], "place": [{"x": 1.5}, None]}
    to.write("good.parquet", parquet({k: [r[k] for r in rows] for k in rows[0]} | odd))
    to.write("good.html", to.row(PAGE))
    to.write("koi8.html", to.row("<meta charset=koi8-r>" + PAGE).encode("koi8-r"))
    to.write("good.rss", RSS.format(to.item() + to.item()))
    declared = '<?xml version="1.0" encoding="ISO-8859-1"?>'
    to.write("latin1.xml", (declared + RSS.format(to.row(ITEM, title="Café"))).encode("cp1252"))
    for suffix, compress in COMPRESS.items():
        to.write(f"members.jsonl.{suffix}", compress(to.line()) + compress(to.line()))
        to.write(f"good.rss.{suffix}", compress(RSS.format(to.item()).encode()))
    dates = [1795478400, 1795478400000, "1795478400", "soon", "0001-01-01", "2999-01-01", 1e19, ""]
    to.write("dates.jsonl", b"".join(to.line(published=odd_date) for odd_date in dates))
    to.write("no_suffix", to.line() + to.line())
    to.write("wrong_suffix.txt", to.row(PAGE))


def write_bad_inputs(to: Inputs) -> None:
    """Every kind of fault, beside what must survive it."""
    lines = {
        b"{broken": "malformed_json",
        b'{"title": NaN}': "malformed_json",
        b'{"title": "a\0b"}': "malformed_json",
        b'{"title": "a", "title": "b"}': "duplicate_keys",
        b'{"title": 5}': "wrong_type",
        b"[1]": "wrong_type",
        b'{"title": "caf\xe9"}': "bad_encoding",
        b'{"a":' * 5000 + b"1" + b"}" * 5000: "too_deep",
        b'{"other": "a"}': "no_article",
    }
    bad = b"".join(line + b"\n" + to.line() for line in lines)
    to.write("lines.jsonl", to.line() + bad, *lines.values())
    to.write("long.jsonl", to.line() + b"x" * 50_000_000 + b"\n" + to.line(), "too_large")
    elements = b",".join([*lines, to.line(), b'{"title":}', to.line()])
    to.write("array.json", b"[%s]" % elements, *lines.values(), "malformed_json")
    to.write("cut.json", b"[%s,%s" % (to.line(), b'{"title": "a"}'), "truncated")
    to.write("deep.json", b'{"a":' * 100_000, "too_deep")
    for suffix, compress in COMPRESS.items():
        cut = compress(to.line()) + compress(b'{"title": "a"}\n')[:-10]
        to.write(f"cut.jsonl.{suffix}", cut, "truncated")
        bomb = compress(to.line() + b" " * 70_000_000)
        to.write(f"bomb.jsonl.{suffix}", bomb, "too_large", "too_large")
    to.write(
        "cut.rss.gz",
        gzip.compress(RSS.format(to.item() + ITEM * 99).encode())[:-20],
        "truncated",
        "truncated",
    )
    to.write("quote.csv", CSV + to.row() + 'a;b;"c\r\n' + to.row() + to.row(), "malformed_table")
    ragged = f"{to.row()}a;b\r\n{to.row()}a;b;c;d\r\n{to.row()}"
    to.write("ragged.csv", CSV + ragged, "malformed_table", "malformed_table")
    undecodable = CSV.encode() + to.row(title="Ä" * 10).encode() + b"caf\xe9;b;c\r\n"
    to.write("bytes.csv", undecodable + to.row().encode(), "bad_encoding")
    to.write("header.csv", "title,title\na,b\n", "malformed_table")
    to.write("broken.parquet", b"PAR1 broken", "malformed_table")
    to.write("columns.parquet", parquet({"other": [1, 2]}), "no_article", "no_article")
    to.write("types.parquet", parquet({"title": [{"a": 1}], "text": ["b"]}), "wrong_type")
    malformed = to.item() + "<item><title>A & B</title></item><item><title>C</item>" + to.item()
    # The entry whose title is not closed has none.
    to.write("malformed.rss", RSS.format(malformed), "malformed_feed", "no_article")
    to.write("cut.rss", RSS.format(to.item() + to.item() + ITEM)[:-60], "truncated")
    to.write("empty.rss", RSS.format(""), "empty")
    definition = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    to.write("bomb.xml", definition + RSS.format("<item><title>&b;</title></item>"), "unsafe_xml")
    deep = f"<item><title>A</title>{'<b>' * 999}{'</b>' * 999}</item>"
    to.write("deep.rss", RSS.format(to.item() + deep + to.item()), "too_deep")
    to.write("sitemap.xml", "<urlset><url/></urlset>", "malformed_feed")
    items = [{"id": "1", "title": 5}, *({"id": a["url"], **a} for a in [to.article()])]
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": items}
    to.write("feed.json", json.dumps(feed).replace('"text"', '"content_text"'), "wrong_type")
    to.write("deep.html", "<div>" * 100_000, "too_deep")
    to.write("menu.html", "<html><body><nav>Home</nav></body></html>", "no_article")
    to.write("bytes.html", b"<html>" + bytes(range(128, 256)) * 9, "bad_encoding")
    to.write("binary.txt", bytes(range(256)) * 9, "unknown_format")
    for name in ("empty.jsonl", "empty.txt", "empty.parquet", "empty.csv.gz"):
        to.write(name, b"", "empty")
    to.write("blank.csv", "\ufeff\r\n", "empty")
    for name in ("dangling.jsonl", "folder", "pipe", "socket"):
        to.dead[name] = ["unreadable"]
    (to.folder / "dangling.jsonl").symlink_to("nothing")
    (to.folder / "folder").mkdir()
    os.mkfifo(to.folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(to.folder / "socket"))
    if os.geteuid():  # root may read everything
        to.write("secret.jsonl", b"{}", "unreadable")
        (to.folder / "secret.jsonl").chmod(0)


def test_bad_input_costs_itself_alone(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:  # a socket's path must be short
        inputs = Inputs(Path(folder))
        write_good_inputs(inputs)
        write_bad_inputs(inputs)
        config = tmp_path / "pipeline.yaml"
        limits = "limits: {record_bytes: 1 MB, file_bytes: 60 MB}"
        config.write_text(f"themes: [{ROOT}/configs/themes/*.yaml]\n{limits}\n")
        run_dir = run(tmp_path / "out", f"{folder}/*", more=("--config", config))
        verified = policywire("verify", run_dir)
    dead: dict[str, list[str]] = {name: [] for name in inputs.dead}
    for letter in lines(run_dir / "dead_letters.jsonl"):
        assert letter["detail"]
        dead[Path(letter["origin"]["path"]).name].append(letter["reason"])
    assert {name: sorted(reasons) for name, reasons in dead.items()} == inputs.dead
    found = {alert["article"]["url"] for alert in lines(run_dir / "alerts" / "migration.jsonl")}
    assert found == {f"https://paper.example/{n + 1}" for n in range(inputs.articles)}
    assert verified.returncode == 0, verified.stdout.decode()


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
        assert b"disk is full" in done.stderr
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
