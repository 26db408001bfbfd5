"""Feeds that any reader takes: valid, with ids that stay, and what others wrote as text."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import struct_time
from typing import Any
from uuid import UUID

import feedparser
import pytest
from lxml import etree, html
from pydantic import ValidationError

from pipeline.history import alerts_of
from pipeline.runs import CompleteRun
from pipeline.sinks.feeds.settings import FeedsSettings
from tests.articles import hit, told
from tests.sinks.made_runs import NOW, THEMES, about, delivery_of, evidence, make_run
from transforms.records import Alert

BASE = "https://monitor.example/feeds"
ATOM = "{http://www.w3.org/2005/Atom}"
MINUTES = timedelta(minutes=5)  # between two runs
HOSTILE = '<script>alert("1")</script> & \u202eevil\u202c \x0b\uffff \'"'


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def deliver(out: Path, run: CompleteRun, **changes: Any) -> None:
    values = {"kind": "feeds", "name": "feeds", "base_url": BASE} | changes
    sink = FeedsSettings.model_validate(values).open(out)
    sink.deliver(delivery_of(run))
    sink.close()


def atom(out: Path, name: str = "all-themes") -> Any:
    parsed = feedparser.parse((out / "feeds" / f"{name}.atom").read_bytes())
    assert not parsed.bozo, parsed.get("bozo_exception")
    return parsed


def json_feed(out: Path, name: str = "all-themes") -> dict[str, Any]:
    whole: dict[str, Any] = json.loads((out / "feeds" / f"{name}.json").read_bytes())
    return whole


def alerts(run: CompleteRun) -> list[Alert]:
    return list(alerts_of(run))


def update(alert: Alert, number: int = 1) -> Alert:
    values = {
        "alert_id": f"1{number:032x}",
        "kind": "update",
        "refers_to": alert.alert_id,
        "change": "rose_to_focus",
        "cause": "text_edited",
    }
    return alert.model_copy(update=values)


def cancel(alert: Alert) -> Alert:
    values = {"kind": "cancel", "change": "lost_ground", "evidence": (), "score": 0.0}
    return update(alert, 2).model_copy(update=values)


def two_stories(out: Path, **changes: Any) -> CompleteRun:
    both = (hit("encryption", level="mention"), hit("migration"))
    articles = [*told(about(1, *both), about(2, source="Courier")), *told(about(3, hours=3))]
    return make_run(out, articles, **changes)


def moment(parsed: struct_time) -> datetime:
    return datetime(*parsed[:6], tzinfo=UTC)


def test_there_is_a_feed_a_theme_and_one_of_all(out: Path) -> None:
    deliver(out, two_stories(out))
    names = {path.name for path in (out / "feeds").iterdir()}
    assert names == {
        f"{name}.{suffix}" for name in (*THEMES, "all-themes") for suffix in ("atom", "json")
    }
    assert len(atom(out).entries) == len(json_feed(out)["items"]) == 3
    (entry,) = atom(out, "encryption").entries
    assert [tag.term for tag in entry.tags] == ["encryption", "mention"]
    assert len(atom(out, "migration").entries) == len(json_feed(out, "migration")["items"]) == 2


def test_an_entry_says_what_was_found_where(out: Path) -> None:
    asylum = evidence("The asylum law is the new asylum law.", "asylum law")
    run = make_run(out, told(about(1, hit("migration", evidence=(asylum,)))))
    deliver(out, run)
    (entry,) = atom(out).entries
    assert (entry.title, entry.author, entry.link) == ("Law 1", "Paper", "https://paper.example/1")
    assert moment(entry.published_parsed) == run.manifest.as_of - timedelta(hours=1)
    assert moment(entry.updated_parsed) == run.manifest.as_of
    (item,) = json_feed(out)["items"]
    content = html.fromstring(item["content_html"])
    assert [mark.text for mark in content.iter("mark")] == ["asylum law", "asylum law"]
    assert content.find("blockquote").text_content() == asylum.sentence
    assert "migration, focus: Paper, 2026-11-24 05:00 UTC." in content.text_content()
    assert content.find("p/a").get("href") == "https://paper.example/1"
    assert item["url"] == "https://paper.example/1"


def test_a_story_that_several_tell_names_them(out: Path) -> None:
    papers = [about(number, source=f"Paper {number:02}") for number in range(1, 13)]
    deliver(out, make_run(out, told(*papers)))
    (item,) = json_feed(out)["items"]
    names = ", ".join(f"Paper {number:02}" for number in range(1, 11))
    assert f"Told by 12 articles: {names} and 2 more." in item["content_html"]


# What the formats demand

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]+)*")


def check_atom(content: bytes) -> None:
    """The rules of RFC 4287 on what must be there, once, and how ids, dates and links look."""
    root = etree.fromstring(content)
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    for one in (root, *entries):
        for name in ("id", "title", "updated"):
            assert len(one.findall(f"{ATOM}{name}")) == 1, name
        assert URI.fullmatch(one.findtext(f"{ATOM}id"))
        authors = one.findall(f"{ATOM}author")
        assert authors
        assert all(author.findtext(f"{ATOM}name") for author in authors)
        for name in ("updated", "published"):
            for date in one.findall(f"{ATOM}{name}"):
                assert RFC_3339.fullmatch(date.text)
        for link in one.findall(f"{ATOM}link"):
            assert URI.fullmatch(link.get("href"))
        relations = [link.get("rel") for link in one.findall(f"{ATOM}link")]
        assert len(relations) == len(set(relations))
        assert all(category.get("term") for category in one.findall(f"{ATOM}category"))
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(ids) == len(set(ids))
    for entry in entries:
        (body,) = entry.findall(f"{ATOM}content")
        assert body.get("type") == "html"
        assert len(body) == 0  # HTML is escaped, and no elements
        assert len(entry.findall(f"{ATOM}published")) == 1
        language = entry.get("{http://www.w3.org/XML/1998/namespace}lang")
        assert language is None or LANGUAGE.fullmatch(language)
    dates = [entry.findtext(f"{ATOM}updated") for entry in entries]
    assert dates == sorted(dates, reverse=True)
    assert not dates or root.findtext(f"{ATOM}updated") == dates[0]


def check_json_feed(content: bytes) -> None:
    """The rules of JSON Feed 1.1 on what must be there, and of what type it is."""
    whole = json.loads(content)
    assert whole["version"] == "https://jsonfeed.org/version/1.1"
    assert isinstance(whole["title"], str)
    assert isinstance(whole["items"], list)
    assert all(URI.fullmatch(whole[name]) for name in ("feed_url",) if name in whole)
    ids = [item["id"] for item in whole["items"]]
    assert len(ids) == len(set(ids))
    for item in whole["items"]:
        assert isinstance(item["id"], str)
        assert item.get("content_html") or item.get("content_text")
        assert all(RFC_3339.fullmatch(item[name]) for name in ("date_published", "date_modified"))
        assert all(isinstance(author, dict) and author for author in item["authors"])
        assert all(isinstance(tag, str) for tag in item["tags"])
        assert URI.fullmatch(item.get("url", BASE))
        assert LANGUAGE.fullmatch(item.get("language", "en"))


@pytest.mark.parametrize("base_url", [BASE, None])
def test_feeds_are_valid(out: Path, base_url: str | None) -> None:
    first = two_stories(out)
    hostile = about(
        4,
        hit("migration", evidence=(evidence(HOSTILE, "<script>"), evidence("", ""))),
        title=HOSTILE,
        source=HOSTILE,
        url="javascript:alert(1)",
        language="und",
    )
    said = [update(alerts(first)[0]), cancel(alerts(first)[1])]
    other = make_run(out / "other", told(hostile, about(5, title="", url=None)))
    deliver(out, make_run(out, alerts=[*said, *alerts(other)], sequence=2), base_url=base_url)
    feeds = list((out / "feeds").iterdir())
    assert len(feeds) == 6
    for path in feeds:
        check = check_atom if path.suffix == ".atom" else check_json_feed
        check(path.read_bytes())
    assert len(atom(out).entries) == 4
    linked = [link.href for link in atom(out).feed.get("links", []) if link.rel == "self"]
    assert linked == ([f"{BASE}/all-themes.atom"] if base_url else [])
    assert json_feed(out).get("feed_url") == (f"{BASE}/all-themes.json" if base_url else None)


@pytest.mark.parametrize("name", THEMES)
def test_a_feed_without_entries_is_valid(out: Path, name: str) -> None:
    deliver(out, make_run(out))
    check_atom((out / "feeds" / f"{name}.atom").read_bytes())
    check_json_feed((out / "feeds" / f"{name}.json").read_bytes())
    assert atom(out, name).entries == []


def test_what_others_wrote_is_text(out: Path) -> None:
    hostile = about(
        1,
        hit("migration", evidence=(evidence(HOSTILE, "evil"),)),
        title=HOSTILE,
        source=HOSTILE,
        url="javascript:alert(1)",
    )
    deliver(out, make_run(out, told(hostile)))
    text = '<script>alert("1")</script> & evil \'"'
    (item,) = json_feed(out)["items"]
    assert item["title"] == item["authors"][0]["name"] == text
    assert "url" not in item
    content = html.fromstring(item["content_html"])
    assert {one.tag for one in content.iter()} == {"div", "p", "blockquote", "mark"}
    assert content.find("blockquote").text_content() == text
    entry = etree.fromstring((out / "feeds" / "all-themes.atom").read_bytes()).find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == text
    assert entry.findtext(f"{ATOM}content") == item["content_html"]
    assert entry.find(f"{ATOM}link") is None


# Over several runs


def ids(out: Path) -> list[str]:
    found = [entry.id for entry in atom(out).entries]
    assert found == [item["id"] for item in json_feed(out)["items"]]
    return found


def test_ids_are_urns_that_stay(out: Path) -> None:
    run = two_stories(out)
    deliver(out, run)
    first = ids(out)
    assert all(UUID(one.removeprefix("urn:uuid:")).version == 5 for one in first)
    deliver(out, run, base_url="https://moved.example/")
    assert ids(out) == first
    # Golden: readers have it.
    (entry,) = atom(out, "encryption").entries
    assert entry.id == "urn:uuid:5321169a-0387-5ba3-9b6e-ae95af02d955"


def test_an_update_is_the_same_entry_later(out: Path) -> None:
    first = two_stories(out)
    deliver(out, first)
    before = {entry.id: entry for entry in atom(out).entries}
    changed = update(alerts(first)[0])
    second = make_run(out, alerts=[changed], sequence=2)
    deliver(out, second)
    after = {entry.id: entry for entry in atom(out).entries}
    assert after.keys() == before.keys()
    moved = {one for one in after if after[one].updated != before[one].updated}
    assert [moment(after[one].updated_parsed) for one in moved] == [NOW + MINUTES]
    assert atom(out).entries[0].id in moved
    assert {after[one].published for one in moved} == {before[one].published for one in moved}


def test_a_theme_that_came_back_is_the_same_entry(out: Path) -> None:
    first = two_stories(out)
    deliver(out, first)
    before = set(ids(out))
    (alert, *_) = alerts(first)
    make_run(out, alerts=[cancel(alert)], sequence=2)
    again = update(alert, 3).model_copy(update={"change": "gained_theme"})
    deliver(out, make_run(out, alerts=[again], sequence=3))
    assert set(ids(out)) == before
    assert not [entry for entry in atom(out).entries if entry.title.startswith("Withdrawn")]


def test_a_cancel_is_marked(out: Path) -> None:
    first = two_stories(out)
    deliver(out, first)
    before = set(ids(out))
    deliver(out, make_run(out, alerts=[cancel(alerts(first)[0])], sequence=2))
    assert set(ids(out)) == before
    newest = atom(out).entries[0]
    assert newest.title == "Withdrawn: Law 1"
    assert "speaks of the theme any more" in newest.content[0].value
    assert "<blockquote>" not in newest.content[0].value


def test_what_is_old_is_left_out(out: Path) -> None:
    two_stories(out)
    later = make_run(out, told(about(9)), sequence=1 + 14 * 24 * 12)
    deliver(out, later)
    assert len(ids(out)) == 4  # just not older than fourteen days
    deliver(out, later, keep="13d")
    assert [entry.title for entry in atom(out).entries] == ["Law 9"]


def test_no_more_entries_than_there_may_be(out: Path) -> None:
    many = [one for number in range(1, 8) for one in told(about(number, hours=number))]
    deliver(out, make_run(out, many), most=5)
    assert [entry.title for entry in atom(out).entries] == [f"Law {n}" for n in range(1, 6)]
    assert len(json_feed(out, "migration")["items"]) == 5


def test_what_was_old_when_it_was_first_seen_is_no_news(out: Path) -> None:
    run = make_run(out, [*told(about(1, hours=24 * 30)), *told(about(2))])
    assert [alert.backfill for alert in alerts(run)] == [True, False]
    deliver(out, run)
    assert [entry.title for entry in atom(out).entries] == ["Law 2"]
    deliver(out, run, backfill=True)
    assert [entry.title for entry in atom(out).entries] == ["Law 2", "Law 1"]


def test_feeds_are_as_of_the_newest_run(out: Path) -> None:
    first = two_stories(out)
    deliver(out, first)
    files = {path: path.stat().st_mtime_ns for path in (out / "feeds").iterdir()}
    second = make_run(out, told(about(9)), sequence=2)
    deliver(out, first)  # once more, and too late
    assert {path: path.stat().st_mtime_ns for path in (out / "feeds").iterdir()} == files
    deliver(out, second)
    assert len(ids(out)) == 4


def test_a_second_delivery_writes_the_same(out: Path) -> None:
    run = two_stories(out)
    deliver(out, run)
    before = {path.name: path.read_bytes() for path in (out / "feeds").iterdir()}
    deliver(out, run)
    assert {path.name: path.read_bytes() for path in (out / "feeds").iterdir()} == before


@pytest.mark.parametrize("base_url", ["ftp://host/", "monitor.example", "https://a b/", "https://"])
def test_addresses_that_are_none(base_url: str) -> None:
    with pytest.raises(ValidationError, match="base_url"):
        FeedsSettings.model_validate({"kind": "feeds", "name": "feeds", "base_url": base_url})
