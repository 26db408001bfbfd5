"""A feed as a configuration names it, and as it is asked for."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from pipeline.feeds.model import (
    Feed,
    FeedChoice,
    FeedSource,
    OpmlChoice,
    checked_url,
    tag_of,
    url_key,
)
from transforms.errors import ConfigError

URL = "https://example.org/rss"


class Inputs(BaseModel):
    """Stands for the part of the configuration that has the feeds."""

    feeds: tuple[FeedSource, ...] = ()


def read(*feeds: Any) -> Inputs:
    return Inputs.model_validate({"feeds": list(feeds)})


def choice(**settings: Any) -> FeedChoice:
    return FeedChoice.model_validate({"url": URL} | settings)


def feed(**settings: Any) -> Feed:
    return Feed.model_validate({"url": URL, "expands": True} | settings)


def faults(value: Any) -> list[tuple[str, str]]:
    """Field and message of each problem."""
    with pytest.raises(ValidationError) as raised:
        read(value)
    return [
        (".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, "))
        for one in raised.value.errors()
    ]


def test_a_feed_is_an_url_or_settings_and_a_list_is_opml() -> None:
    assert read(URL, {"url": URL, "name": "Example"}, {"opml": "feeds.opml"}).feeds == (
        choice(),
        choice(name="Example"),
        OpmlChoice(opml="feeds.opml"),
    )


def test_all_settings_are_read() -> None:
    read_choice = choice(
        url="https://example.org/atom?key=$API_KEY",
        name="  An\n example ",
        tags=["UK", "Human Rights", "uk"],
        interval="30m",
        language="en-GB",
        headers={"Authorization": "Bearer ${TOKEN}"},
        full_text=True,
        identity="guid",
    )
    assert read_choice.name == "An example"
    assert read_choice.tags == ("human-rights", "uk")
    assert read_choice.interval == timedelta(minutes=30)
    assert read_choice.language == "en"
    assert read_choice.full_text
    assert read_choice.identity == "guid"


def test_a_configuration_is_what_its_manifest_says() -> None:
    inputs = read(
        {"url": URL, "interval": "12h", "basic_auth": "$LOGIN", "tags": ["a"]}, {"opml": "x"}
    )
    assert Inputs.model_validate(inputs.model_dump(mode="json")) == inputs


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        ({"url": "ftp://example.org"}, "url", "neither http nor https: ftp://example.org"),
        ({"url": "example.org/rss"}, "url", "neither http nor https"),
        ({"url": "https:///rss"}, "url", "no host"),
        ({"url": "https://[::1/rss"}, "url", "no URL: Invalid IPv6 URL"),
        ({"url": "https://example.org:port/"}, "url", "no URL: Port could not be cast"),
        ({"url": "https://example.org/a b"}, "url", "an URL holds no ' '"),
        ({"url": "https://example.org/\x00"}, "url", "an URL holds no '\\x00'"),
        ({"url": "https://example.org\\evil.org/"}, "url", "an URL holds no '\\\\'"),
        ({"url": f"https://example.org/{'a' * 4096}"}, "url", "longer than 4,096 characters"),
        ({"url": "https://$HOST/rss"}, "url", "the host stands there itself"),
        ({"url": "https://example.org/?$=1"}, "url", "write $$ for the character itself"),
        ({"name": "no url"}, "url", "Field required"),
        ({"url": URL, "tag": "uk"}, "tag", "Extra inputs are not permitted"),
        ({"url": URL, "tags": ["uk", " / "]}, "tags.1", "' / ': a tag has at least one letter"),
        ({"url": URL, "interval": "0m"}, "interval", "whole number of minutes"),
        ({"url": URL, "interval": "1.5m"}, "interval", "whole number of minutes"),
        ({"url": URL, "interval": "often"}, "interval", "'often': write a span of time like 30m"),
        ({"url": URL, "language": "?"}, "language", "'?': write a language like en"),
        ({"url": URL, "identity": "title"}, "identity", "Input should be 'link', 'guid' or 'text'"),
        ({"url": URL, "basic_auth": "user:pass"}, "basic_auth", "write $NAME"),
        ({"url": URL, "headers": {"a b": "c"}}, "headers", "'a b' is no name of a header"),
        ({"url": URL, "headers": {"Host": "x"}}, "headers", "Host: this header is set by the"),
        ({"url": URL, "headers": {"X": "a\r\nb"}}, "headers", "X: no line breaks"),
        ({"url": URL, "headers": {"X": "5 $"}}, "headers", "write $$ for the character itself"),
        ({"opml": "a", "name": "b"}, "name", "Extra inputs are not permitted"),
        ({"opml": ""}, "opml", "String should have at least 1 character"),
    ],
)
def test_a_fault_is_told_at_its_field(value: Any, field: str, message: str) -> None:
    (found,) = faults(value)
    assert found[0] == f"feeds.0.{field}"
    assert message in found[1]


@pytest.mark.parametrize("url", ["https://me:hunter2@example.org/", "https://me:hunter2@ex ample/"])
def test_a_password_in_an_url_is_refused_and_not_shown(url: str) -> None:
    assert faults(url) == [("feeds.0.url", "user and password stand in basic_auth, not in the URL")]


def test_a_feed_is_authorised_in_one_way() -> None:
    (found,) = faults(
        {"url": URL, "basic_auth": "$LOGIN", "headers": {"authorization": "Bearer $TOKEN"}}
    )
    assert found[0] == "feeds.0"
    assert "only one of them can be sent" in found[1]


def test_variables_are_filled_in_when_the_feed_is_fetched() -> None:
    asked = feed(
        url="https://example.org/atom?key=$KEY&price=$$5",
        headers={"X-Token": "a ${TOKEN} b", "X-Price": "$$5"},
    )
    environ = {"KEY": "a/b&c=d é", "TOKEN": "t"}
    assert (
        asked.request_url(environ) == "https://example.org/atom?key=a%2Fb%26c%3Dd%20%C3%A9&price=$5"
    )
    assert asked.request_headers(environ) == {"X-Token": "a t b", "X-Price": "$5"}
    assert asked.url == "https://example.org/atom?key=$KEY&price=$$5"


def test_a_login_comes_from_its_variable() -> None:
    environ = {"LOGIN": "me:with:colons"}
    assert feed().auth({}) is None
    assert feed(basic_auth="$LOGIN").auth(environ) == ("me", "with:colons")
    assert feed(basic_auth="${LOGIN}").auth(environ) == ("me", "with:colons")


@pytest.mark.parametrize(
    ("settings", "environ", "message"),
    [
        ({"url": f"{URL}?k=$KEY"}, {}, f"{URL}?k=$KEY: the environment variable KEY is not set"),
        ({"headers": {"X": "$T"}}, {}, f"{URL}: the environment variable T is not set"),
        ({"headers": {"X": "$T"}}, {"T": "a\nb: c"}, f"{URL}: header X: its variable holds"),
        ({"basic_auth": "$LOGIN"}, {}, f"{URL}: the environment variable LOGIN is not set"),
        ({"basic_auth": "$LOGIN"}, {"LOGIN": "secret"}, f"{URL}: $LOGIN holds no user:password"),
    ],
)
def test_a_variable_that_is_missing_or_wrong_is_told_with_its_feed(
    settings: dict[str, Any], environ: dict[str, str], message: str
) -> None:
    def ask(asked: Feed) -> None:
        asked.request_url(environ)
        asked.request_headers(environ)
        asked.auth(environ)

    with pytest.raises(ConfigError) as raised:
        ask(feed(**settings))
    assert str(raised.value).startswith(f"feed {message}")
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_feed_from_elsewhere_sees_nothing_of_the_environment() -> None:
    listed = Feed(url="https://example.org/?$filter=x&k=$HOME")
    assert listed.request_url({"HOME": "/root", "filter": "y"}) == listed.url


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Bearer $TOKEN", "Bearer $TOKEN"),
        ("Authorization", "Bearer abc", "***"),
        ("Authorization", "Bearer $TOKEN.abc", "***"),
        ("X-Api-Key", "${KEY}", "${KEY}"),
        ("X-Api-Key", "0123", "***"),
        ("Cookie", "session=0123", "***"),
        ("Accept-Language", "en", "en"),
    ],
)
def test_a_header_that_may_be_secret_is_masked(name: str, value: str, shown: str) -> None:
    masked = choice(headers={name: value}).without_secrets()
    assert masked.headers == {name: shown}
    assert FeedChoice.model_validate(masked.model_dump()) == masked


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("HTTPS://Example.ORG/a", "https://example.org/a"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:80", "http://example.org/"),
        ("https://example.org?a=b", "https://example.org/?a=b"),
        ("https://example.org/a#news", "https://example.org/a"),
        ("http://[::1]:80/a", "http://[::1]/a"),
    ],
)
def test_urls_that_differ_in_spelling_alone_are_one(url: str, same: str) -> None:
    assert url_key(checked_url(url)) == url_key(checked_url(same))


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("http://example.org/a", "https://example.org/a"),
        ("https://example.org/a", "https://example.org/A"),
        ("https://example.org/a", "https://example.org/a/"),
        ("https://example.org/a", "https://example.org:8443/a"),
        ("https://example.org/?a=1&b=2", "https://example.org/?b=2&a=1"),
        ("https://example.org/a", "https://www.example.org/a"),
    ],
)
def test_urls_that_a_server_may_tell_apart_are_two(url: str, other: str) -> None:
    assert url_key(checked_url(url)) != url_key(checked_url(other))


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("Human Rights", "human-rights"),
        ("  EU / asylum_policy ", "eu-asylum-policy"),
        ("R&D", "r&d"),
        ("Österreich", "österreich"),
        ("A" * 100, "a" * 60),
        (" - ", ""),
    ],
)
def test_tags_are_words_in_lower_case(text: str, tag: str) -> None:
    assert tag_of(text) == tag


@given(st.text(max_size=80))
def test_a_tag_is_a_tag_already(text: str) -> None:
    assert tag_of(tag_of(text)) == tag_of(text)


@given(st.text(max_size=60).map("https://example.org/".__add__))
def test_whatever_stands_behind_the_host_is_kept_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert checked_url(text) == text
        assert url_key(text).startswith("https://example.org/")
