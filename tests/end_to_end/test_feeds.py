"""The command reads feeds from a site on loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
import zstandard

from pipeline.config import load_config
from pipeline.themes.sample import Sample
from tests.end_to_end.test_run import ROOT
from tests.site import Asked, Reply, Site, conditional, item, rss, serving

ASYLUM = "The interior minister said that asylum seekers would be returned under the new treaty."
GANG = "Europol said that an organised crime gang had been trafficking drugs through the port."
WEATHER = "The rain will stop on Thursday, and the weekend will be dry and mild in the south."

THEMES = ("migration", "organised_crime", "encryption", "*.en")


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as served:
        yield served


@pytest.fixture
def other_site() -> Iterator[Site]:
    with serving("127.0.0.2") as served:
        yield served


class Workplace:
    """A configuration, an output folder, and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.config = folder / "pipeline.yaml"
        self.env: dict[str, str] = {}
        self.feeds()

    def feeds(self, *feeds: object, **fetching: object) -> None:
        """Write the configuration."""
        usual = {
            "gap": "0s",
            "retries": 0,
            "allow_private": ["127.0.0.0/8"],
            "timeouts": {"connect": "2s", "read": "2s", "whole": "5s"},
        }
        config = {
            "inputs": {"files": [] if feeds else ["none"], "feeds": list(feeds)},
            # English ones alone: a run with them starts sooner.
            "themes": [str(ROOT / f"configs/themes/{name}.yaml") for name in THEMES],
            "out": str(self.out),
            "fetching": usual | fetching,
        }
        self.config.write_text(yaml.safe_dump(config))

    def __call__(self, *arguments: object, code: int = 0) -> str:
        """Run a command; what it printed."""
        done = self.start(*arguments)
        printed, said = done.communicate(timeout=120)
        assert done.returncode == code, printed + said
        self.said = said
        return printed

    def start(self, *arguments: object, **env: str) -> "subprocess.Popen[str]":
        """Start a command."""
        command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
        return subprocess.Popen(
            [*command, "--config", str(self.config)],
            cwd=ROOT,
            env=os.environ | self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: object) -> "Run":
        """Do a run."""
        self.summary = self("run", *arguments)
        return Run(self.out / json.loads((self.out / "latest.json").read_text())["path"])


class Run:
    """What a run wrote."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.alerts = [
            json.loads(line)
            for path in sorted((folder / "alerts").iterdir())
            for line in path.read_bytes().splitlines()
        ]
        self.feeds, self.dead = (
            [json.loads(line) for line in (folder / name).read_bytes().splitlines()]
            for name in ("feeds.jsonl", "dead_letters.jsonl")
        )

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(one["kind"], one["theme"], one["article"]["title"]) for one in self.alerts]

    def ended(self, key: str = "outcome") -> list[Any]:
        return [one[key] for one in self.feeds]


@pytest.fixture
def work(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


def ago(**span: float) -> str:
    return format_datetime(datetime.now(UTC) - timedelta(**span))


def news(title: str, text: str, path: str, **more: str) -> str:
    link = f"https://courier.example/{path}"
    return item(title, text, link=link, guid=link, date=ago(hours=2), **more)


def test_a_feed_is_read_and_read_again_only_where_it_changed(work: Workplace, site: Site) -> None:
    url = f"{site.url}/rss"
    body = rss(news("Treaty", ASYLUM, "a"), news("Weather", WEATHER, "b"))
    site["/rss"] = conditional(body)
    work.feeds({"url": url, "name": "Courier", "tags": ["news"], "language": "en"})

    first = work.run()
    assert first.told == [("alert", "migration", "Treaty")]
    (alert,) = first.alerts
    article = alert["article"]
    assert (article["source"], article["tags"], article["language"]) == ("Courier", ["news"], "en")
    assert article["origin"] == {"path": url, "offset": None, "record": None, "entry": 1}
    assert article["url"] == "https://courier.example/a"
    assert (article["published_from"], alert["backfill"]) == ("feed", False)
    assert first.manifest["counts"]["read"] == 2
    assert first.manifest["feeds"]["read"] == 1
    assert "1 feed = 1 read + 0 unchanged + 0 failed + 0 not due" in work.summary
    assert first.feeds[0]["new_entries"] == 2

    second = work.run()
    assert second.manifest["feeds"] == first.manifest["feeds"] | {"read": 0, "not_due": 1}
    assert len(site.asked) == 1, "it was not due"

    third = work.run("--all-feeds")
    assert third.ended() == ["unchanged"]
    assert third.manifest["counts"]["read"] == 0
    assert site.asked[-1].headers["If-None-Match"] == '"1"'

    site["/rss"] = conditional(rss(news("Port", GANG, "c"), news("Treaty", ASYLUM, "a")), '"2"')
    fourth = work.run("--all-feeds")
    assert fourth.told == [("alert", "organised_crime", "Port")]
    assert fourth.manifest["counts"]["already_seen"] == 1
    assert fourth.feeds[0]["new_entries"] == 1


def test_what_was_fetched_can_be_verified_and_replayed(work: Workplace, site: Site) -> None:
    site["/rss"] = rss(news("Treaty", ASYLUM, "a"), news("Port", GANG, "c"))
    work.feeds(f"{site.url}/rss")
    run = work.run()
    del site.pages["/rss"]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "verify", str(run.folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("2 alerts with"), done
    assert done.stdout.rstrip().endswith("0 problems")
    assert work("replay", "latest").startswith("0 differences")
    sample = Sample([str(run.folder)], load_config(work.config).config)
    assert [one.article.title for one in sample] == ["Treaty", "Port"]
    spool = next((run.folder / "inputs/feeds").iterdir())
    spool.write_bytes(spool.read_bytes()[:-20])
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "verify", str(run.folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "differs from what the run wrote" in done.stderr


def test_the_same_bytes_are_no_news_whatever_a_server_says(work: Workplace, site: Site) -> None:
    body = rss(news("Treaty", ASYLUM, "a"))
    site["/rss"] = lambda _: Reply(body, headers={"ETag": f'"{time.monotonic()}"'})
    work.feeds(f"{site.url}/rss")
    work.run()
    assert work.run("--all-feeds").ended() == ["unchanged"]


def test_a_broken_feed_costs_itself_alone(work: Workplace, site: Site, other_site: Site) -> None:
    site["/rss"] = rss(news("Treaty", ASYLUM, "a"))
    site["/gone"] = Reply(status=410)
    other_site["/busy"] = Reply(status=429, headers={"Retry-After": "7200"})
    site["/page"] = b"<!doctype html><html><body>Moved</body></html>"
    site["/empty"] = rss()
    site["/cut"] = rss(news("Port", GANG, "c"), news("Weather", WEATHER, "b"))[:-120]
    site["/private"] = Reply(status=302, headers={"Location": "http://169.254.169.254/latest"})
    other_site["/slow"] = lambda _: time.sleep(8) or Reply()  # type: ignore[func-returns-value]
    paths = "rss gone page empty cut none private".split()
    urls = [f"{site.url}/{path}" for path in paths]
    refused = "http://127.0.0.3:9/refused"
    work.feeds(*urls, f"{other_site.url}/slow", f"{other_site.url}/busy", refused)
    run = work.run()

    outcome = {one["url"].rpartition("/")[2]: one for one in run.feeds}
    reasons = {name: (one["problem"] or {}).get("reason") for name, one in outcome.items()}
    assert reasons == {
        "rss": None,
        "gone": "gone",
        "busy": "http_error",
        "page": "malformed_feed",
        "empty": None,
        "cut": "truncated",
        "none": "http_error",
        "private": "forbidden_address",
        "slow": "timed_out",
        "refused": "unreachable",
    }
    assert sorted(run.told) == [
        ("alert", "migration", "Treaty"),
        ("alert", "organised_crime", "Port"),
    ]
    counts = run.manifest["counts"]
    assert counts["read"] == counts["classified"] + counts["dead_letters"] == 2 + 9
    dead = {one["origin"]["path"]: one["reason"] for one in run.dead}
    assert dead[refused] == "unreachable"
    assert dead[urls[4]] == "truncated"

    due = {name: datetime.fromisoformat(one["next_at"]) for name, one in outcome.items()}
    now = datetime.now(UTC)
    assert timedelta(hours=1.9) < due["busy"] - now < timedelta(hours=2.1)
    assert due["gone"] - now > timedelta(days=6)

    status = json.loads(work("status", "--json"))
    assert status["feeds"]["gone"] == [urls[1]]
    assert "feeds that are gone: 1" in status["warnings"][0]
    listed = work("feeds", "list")
    assert "failing 1: http_error" in listed
    assert "gone" in listed


@pytest.mark.parametrize("point", ["fetched", "executed", "manifest_written", "applying"])
def test_a_killed_run_loses_no_entries(work: Workplace, site: Site, point: str) -> None:
    site["/rss"] = conditional(rss(news("Treaty", ASYLUM, "a"), news("Port", GANG, "c")))
    work.feeds(f"{site.url}/rss")
    reached = work.folder / "reached"
    pause = {"POLICYWIRE_PAUSE_AT": point, "POLICYWIRE_PAUSE_FILE": str(reached)}
    process = work.start("run", **pause)
    deadline = time.monotonic() + 60
    while not reached.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    reached.unlink()

    work.run()
    told = [one for run in (work.out / "runs").iterdir() for one in Run(run).told]
    assert sorted(told) == [("alert", "migration", "Treaty"), ("alert", "organised_crime", "Port")]


def test_full_texts_are_fetched_once_and_only_of_what_is_new(work: Workplace, site: Site) -> None:
    def entry(title: str, path: str) -> str:
        return item(title, "Read more on our site.", link=f"{site.url}{path}", date=ago(hours=2))

    def page(text: str) -> bytes:
        body = f"<p>{text}</p><p>{WEATHER}</p><p>{WEATHER}</p>"
        return f"<html><body><article><h1>News</h1>{body}</article></body></html>".encode()

    site["/rss"] = rss(entry("Treaty", "/a"), entry("Port", "/b"), entry("Closed", "/members/c"))
    site["/a"], site["/members/c"] = page(ASYLUM), page(GANG)
    site["/robots.txt"] = b"User-agent: policywire\nDisallow: /members/\n"
    work.feeds({"url": f"{site.url}/rss", "full_text": True})

    first = work.run()
    assert first.told == [("alert", "migration", "Treaty")]
    assert first.alerts[0]["article"]["full_text"] == "page"
    assert ASYLUM in first.alerts[0]["evidence"][0]["sentence"]
    assert first.feeds[0]["pages"] == 3
    assert first.feeds[0]["pages_failed"] == 2
    assert sorted(site.paths()) == ["/a", "/b", "/rss"], "the page for members is not asked for"

    site["/d"] = page(GANG)
    site["/rss"] = rss(entry("Harbour", "/d"), entry("Treaty", "/a"), entry("Port", "/b"))
    second = work.run("--all-feeds")
    assert second.told == [("alert", "organised_crime", "Harbour")]
    assert site.paths() == ["/rss", "/d"]
    assert second.manifest["counts"]["already_seen"] == 2
    assert second.feeds[0]["pages"] == 1
    assert work("replay", "latest").startswith("0 differences")


def test_a_feed_that_moved_is_asked_in_its_new_place(
    work: Workplace, site: Site, other_site: Site
) -> None:
    other_site["/new"] = conditional(rss(news("Treaty", ASYLUM, "a")))
    site["/old"] = Reply(status=301, headers={"Location": f"{other_site.url}/new"})
    work.feeds(f"{site.url}/old")
    assert work.run().ended("moved_to") == [f"{other_site.url}/new"]
    assert work.run("--all-feeds").ended() == ["unchanged"]
    assert site.paths() == ["/old"]

    del other_site.pages["/new"]
    site["/old"] = rss(news("Treaty", ASYLUM, "a"), news("Port", GANG, "c"))
    back = work.run("--all-feeds")
    assert back.told == [("alert", "organised_crime", "Port")]
    assert back.ended("moved_to") == [None]


def test_credentials_are_sent_and_never_shown(
    work: Workplace, site: Site, other_site: Site
) -> None:
    body = rss(news("Treaty", ASYLUM, "a"))

    def guarded(asked: Asked) -> Reply:
        given = asked.headers["Authorization"], asked.headers["X-Key"]
        good = asked.path == "/rss?key=s3cret-in-query" and given == (
            "Basic dXNlcjpzM2NyZXQtcGFzc3dvcmQ=",
            "s3cret-header",
        )
        return Reply(body) if good else Reply(status=403)

    site["/rss?key=s3cret-in-query"] = guarded
    site["/away?key=s3cret-in-query"] = Reply(
        status=301, headers={"Location": f"{other_site.url}/?key=s3cret-in-query"}
    )
    more = {"headers": {"X-Key": "$HEADER"}, "basic_auth": "$USER_AND_PASSWORD"}
    work.feeds(
        {"url": f"{site.url}/rss?key=$KEY", **more},
        {"url": f"{site.url}/away?key=$KEY", "headers": {"X-Plain": "s3cret-plain"}},
    )
    assert "is not set" in work.start("run").communicate()[1]
    work.env = {
        "KEY": "s3cret-in-query",
        "HEADER": "s3cret-header",
        "USER_AND_PASSWORD": "user:s3cret-password",
    }
    run = work.run("--verbose")
    assert run.told == [("alert", "migration", "Treaty")]
    assert sorted(run.ended()) == ["failed", "read"]
    assert other_site.asked[0].headers["X-Plain"] is None
    printed = work("feeds", "list", "--json") + work("feeds", "export") + work.summary + work.said
    written = b"".join(path.read_bytes() for path in work.out.rglob("*") if path.is_file())
    assert "s3cret" not in printed
    assert b"s3cret" not in written
    for path in (run.folder / "inputs/feeds").iterdir():
        with path.open("rb") as file:
            assert b"s3cret" not in zstandard.ZstdDecompressor().stream_reader(file).read()


def test_private_addresses_are_not_asked(work: Workplace, site: Site) -> None:
    site["/rss"] = rss(news("Treaty", ASYLUM, "a"))
    work.feeds(f"{site.url}/rss", allow_private=[])
    assert work.run().ended("problem")[0]["reason"] == "forbidden_address"
    assert site.asked == []


def test_one_story_in_many_feeds_is_told_once(work: Workplace, site: Site) -> None:
    entry = news("Treaty", ASYLUM, "a")
    tracked = item("Treaty", ASYLUM, link="https://courier.example/a?utm_source=rss#top")
    site["/1"] = site["/2"] = rss(entry)
    site["/3"] = rss(tracked, title="Europe")
    work.feeds(*(f"{site.url}/{number}" for number in "123"))
    run = work.run()
    assert run.told == [("alert", "migration", "Treaty")]
    assert run.manifest["counts"]["duplicates"] == 2


def test_an_entry_that_changes_its_face_is_told_once(work: Workplace, site: Site) -> None:
    """Headline in the guid, a date that is put forward, trackers that change."""

    def entry(title: str, hours: float, tracker: str, number: int) -> str:
        link = f"https://courier.example/{number}?utm_campaign={tracker}"
        return item(
            title, f"{ASYLUM} {number}", link, guid=f"{number}-{title}", date=ago(hours=hours)
        )

    site["/rss"] = rss(*(entry("Treaty", 3, "x", number) for number in range(3)))
    work.feeds(f"{site.url}/rss")
    first = work.run()
    site["/rss"] = rss(*(entry("Treaty: the vote", 1, "y", number) for number in range(3)))
    second = work.run("--all-feeds")
    assert {kind for kind, *_ in first.told} == {"alert"}
    assert second.told == []
    assert second.manifest["counts"]["classified"] == 3, "they were edited, and looked at again"


def test_two_feeds_that_tell_one_article_in_other_words_do_not_take_turns(
    work: Workplace, site: Site
) -> None:
    def body(text: str, more: str = "") -> bytes:
        return rss(*([news("Weather", WEATHER, more)] if more else []), news("Treaty", text, "a"))

    site["/full"], site["/short"] = body(ASYLUM), body("Ministers have met.")
    work.feeds(f"{site.url}/full", f"{site.url}/short")
    assert work.run().told == [("alert", "migration", "Treaty")], "the longer one counts"
    for name, text in (("short", "Ministers have met."), ("full", ASYLUM)):
        site[f"/{name}"] = body(text, name)
        assert work.run("--all-feeds").told == []
    site["/full"] = body("The treaty is off.", "full")
    assert work.run("--all-feeds").told == [("cancel", "migration", "Treaty")]


def test_a_feed_that_has_gone_silent_is_reported(work: Workplace, site: Site) -> None:
    entries = [
        item(f"News {n}", WEATHER, f"https://courier.example/{n}", date=ago(days=20 + n / 10))
        for n in range(12)
    ]
    site["/rss"] = rss(*entries)
    work.feeds(f"{site.url}/rss")
    run = work.run()
    assert run.manifest["feeds"]["silent"] == 1
    assert "feeds that have gone silent: 1" in json.loads(work("status", "--json"))["warnings"][0]
    assert "against its habit" in work("feeds", "check")
    assert "silent since" in work("feeds", "list")


def test_feeds_named_on_the_command_line(work: Workplace, site: Site) -> None:
    site["/rss"] = rss(news("Treaty", ASYLUM, "a"))
    site["/atom"] = rss(news("Port", GANG, "c"))
    site["/list"] = (
        f'<opml version="2.0"><body><outline text="EU"><outline xmlUrl="{site.url}/atom"/>'
        f"</outline></body></opml>"
    ).encode()
    run = work.run("--feeds", f"{site.url}/rss", "--feeds", f"{site.url}/list")
    assert sorted(run.told) == [
        ("alert", "migration", "Treaty"),
        ("alert", "organised_crime", "Port"),
    ]
    assert sorted(run.ended("url")) == [f"{site.url}/atom", f"{site.url}/rss"]
    assert run.manifest["feeds"]["feeds"] == 2
    assert run.manifest["inputs"] == []


def test_a_feed_is_found_behind_a_page_and_added(work: Workplace, site: Site) -> None:
    site["/"] = (
        b'<html><head><link rel="alternate" type="application/rss+xml" href="/broken">'
        b'<link rel="alternate" type="application/atom+xml" title="News" href="/rss"></head></html>'
    )
    site["/rss"] = rss(news("Treaty", ASYLUM, "a"), title="Courier")
    opml = work.folder / "feeds.opml"
    work.feeds({"opml": "feeds.opml"})
    opml.write_text('<opml version="2.0"><body/></opml>')
    said = work("feeds", "add", f"{site.url}/", "--tag", "News")
    assert f"added {site.url}/rss" in said
    assert "was there already" in work("feeds", "add", f"{site.url}/rss")
    assert work.run().told == [("alert", "migration", "Treaty")]
    assert work("feeds", "export").count("xmlUrl") == 1
    more = work.folder / "more.txt"
    more.write_text(f"{site.url}/rss\n{site.url}/atom  # another\nftp://x.org/\n")
    assert work("feeds", "import", more).startswith("added 1 feed to")
    assert "ftp://x.org/" in work.said
    assert work("feeds", "add", f"{site.url}/none", code=2) == ""
    assert "no feed" in work.said or "404" in work.said


def test_feeds_are_checked_without_being_remembered(work: Workplace, site: Site) -> None:
    site["/rss"] = rss(
        item("A", WEATHER, guid="same"),
        item("B", GANG, guid="same"),
        item("C", ASYLUM, guid="same"),
    )
    work.feeds(f"{site.url}/rss", f"{site.url}/none")
    said = work("feeds", "check", code=1)
    assert "guid shared: 3 entries" in said
    assert "http_error" in said
    assert "never asked" in work("feeds", "list")
    assert not work.out.exists()


def test_a_page_and_a_feed_are_explained(work: Workplace, site: Site) -> None:
    site["/a"] = (
        f"<html><head><title>Treaty</title></head><body><article><h1>Treaty</h1><p>{ASYLUM}</p>"
        f"<p>{WEATHER}</p></article></body></html>"
    ).encode()
    site["/rss"] = rss(news("Weather", WEATHER, "b"), news("Port", GANG, "c"))
    work.feeds()
    assert "migration: " in work("explain", f"{site.url}/a")
    said = work("explain", f"{site.url}/rss", "--entry", "2")
    assert said.startswith("Port")
    site["/robots.txt"] = b"User-agent: *\nDisallow: /\n"
    assert work("explain", f"{site.url}/a", code=2) == ""
    assert "robots.txt" in work.said


def test_hostile_texts_do_no_harm_in_a_terminal(work: Workplace, site: Site) -> None:
    title = "Treaty \u202e\u200f" + "x" * 500
    site["/rss"] = rss(news(title, ASYLUM, "a"), title=f"\u009b31mCourier{title}")
    work.feeds(f"{site.url}/rss")
    printed = work("feeds", "check")
    work.run()
    printed += work.summary + work("feeds", "list") + work("status")
    assert not {char for char in printed if not char.isprintable()} - {"\n"}
    assert "\u202e" not in printed
