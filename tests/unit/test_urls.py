"""Canonical links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.logic.urls import absolute_url, canonical_url, host_of, is_site_root

PIECES = st.lists(
    st.sampled_from(
        [
            "http",
            "://",
            "/",
            "//",
            "x.org",
            "Ä.de",
            ":80",
            "?",
            "&",
            "=",
            "#",
            "%",
            "%2f",
            "..",
            ".",
            ";",
            "é",
            "[",
            "@",
            "utm_x=1",
        ]
    ),
    max_size=12,
).map("".join)


@given(PIECES | PIECES.map("https://x.org".__add__) | st.text())
def test_canonical_urls_are_canonical(url: str) -> None:
    canonical = canonical_url(url)
    assert canonical is None or canonical_url(canonical) == canonical


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://EXÄMPLE.org:80/a/../b?utm_source=x&b=1&a=2#f",
         "http://xn--exmple-cua.org/b?a=2&b=1"),
        ("https://x.org", "https://x.org/"),
        ("https://x.org/a?", "https://x.org/a"),
        ("https://x.org/a/", "https://x.org/a/"),
        ("https://x.org:8443/a", "https://x.org:8443/a"),
        ("https://x.org/a?id=5&fbclid=1", "https://x.org/a?id=5"),
        ("https://x.org/news?cid=5", "https://x.org/news?cid=5"),
        ("https://user:word@x.org/a", "https://x.org/a"),
    ],
)  # fmt: skip
def test_canonical_url(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    "url", [None, "", "/a", "javascript:1", "http://[::1", "http://x.org:99999/", "ftp://x.org/a"]
)
def test_what_is_no_web_link_has_none(url: str | None) -> None:
    assert canonical_url(url) is None


def test_relative_links_are_resolved() -> None:
    assert canonical_url("../b", "https://x.org/a/c/d") == "https://x.org/a/b"


@pytest.mark.parametrize(
    ("url", "base", "absolute"),
    [
        ("/b?utm_source=x#f", "https://x.org/a/c", "https://x.org/b?utm_source=x#f"),
        ("https://y.org/B#f", "https://x.org/", "https://y.org/B#f"),
        ("b", None, "b"),
        (None, "https://x.org/", None),
        ("http://[", "https://x.org/", "http://["),
    ],
)
def test_links_are_made_absolute_and_else_left_as_they_are(
    url: str | None, base: str | None, absolute: str | None
) -> None:
    assert absolute_url(url, base) == absolute


def test_host_is_without_www() -> None:
    assert host_of("https://www.x.org/a") == "x.org"


@pytest.mark.parametrize(("url", "root"), [("https://x.org/", True), ("https://x.org/?p=1", False)])
def test_site_root(url: str, root: bool) -> None:
    assert is_site_root(url) is root
