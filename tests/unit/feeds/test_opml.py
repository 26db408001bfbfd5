"""OPML: what is read of it, what is refused, and that nothing is lost on the way back."""

import os
import stat
import tempfile
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feeds.model import Feed, FeedList, checked_url, name_of, tag_of, url_key
from pipeline.feeds.opml import (
    MOST_BYTES,
    add_feeds,
    is_opml,
    read_opml,
    write_opml,
)
from transforms.errors import ConfigError

OURS = 'xmlns:p="urn:policywire:opml:1"'


def opml(body: str) -> bytes:
    return f'<opml version="2.0" {OURS}><head/><body>\n{body}\n</body></opml>'.encode()


def read(body: str) -> FeedList:
    return read_opml(opml(body), "feeds.opml")


def refused(content: bytes) -> str:
    with pytest.raises(ConfigError) as raised:
        read_opml(content, "feeds.opml")
    return str(raised.value)


def test_an_outline_says_what_a_feed_is() -> None:
    (feed,) = read(
        '<outline type="rss" text="Example" title="The example" xmlUrl=" https://example.org/rss "'
        ' htmlUrl="https://example.org" language="en-gb" category="/News/World,uk"'
        ' p:interval="12h" p:fullText="true" p:identity="guid"/>'
    ).feeds
    assert feed == Feed(
        url="https://example.org/rss",
        name="Example",
        tags=("news", "uk", "world"),
        language="en",
        interval=timedelta(hours=12),
        full_text=True,
        identity="guid",
    )


def test_folders_are_tags_at_any_depth() -> None:
    feeds = read(
        """<outline text="News">
             <outline title="United Kingdom">
               <outline text="A" xmlUrl="https://a.org/"><outline xmlUrl="https://b.org/"/></outline>
             </outline>
             <outline xmlUrl="https://c.org/"/>
           </outline>
           <outline xmlUrl="https://d.org/"/>"""
    ).feeds
    assert [(feed.url, feed.tags) for feed in feeds] == [
        ("https://a.org/", ("news", "united-kingdom")),
        ("https://b.org/", ("news", "united-kingdom")),
        ("https://c.org/", ("news",)),
        ("https://d.org/", ()),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b'<OPML version="1.0"><BODY><Outline XMLURL="https://a.org/" TEXT="A"/></BODY></OPML>',
        b'<opml version="1.1"><body><outline type="atom" xmlurl="https://a.org/" title="A"/>'
        b"</body></opml>",
        b'\n\n<?xml version="1.0"?><!-- mine --><opml><outline xmlUrl="https://a.org/" text="A"/>'
        b"</opml>",
        b'<!DOCTYPE opml SYSTEM "opml.dtd"><opml><body>'
        b'<outline xmlUrl="https://a.org/" text="A"/></body></opml>',
        '\ufeff<opml><body><outline xmlUrl="https://a.org/" text="A"/></body></opml>'.encode(),
        '<?xml version="1.0" encoding="utf-16"?><opml><body><outline xmlUrl="https://a.org/"'
        ' text="A"/></body></opml>'.encode("utf-16"),
    ],
)
def test_files_as_they_are_found_are_read(content: bytes) -> None:
    assert is_opml(content)
    assert read_opml(content, "f").feeds == (Feed(url="https://a.org/", name="A"),)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<rss><channel/></rss>",
        b"<html><body>opml</body></html>",
        b"<opmlx/>",
        b"<!-- <opml> --><rss/>",
        b"https://example.org/opml",
        b"<!--" * 20_000,
    ],
)
def test_what_is_no_opml_is_not_taken_for_it(content: bytes) -> None:
    assert not is_opml(content)
    assert refused(content).startswith("feeds.opml")


def test_an_outline_that_cannot_be_used_costs_only_itself() -> None:
    found = read(
        '<outline xmlUrl="ftp://a.org/"/>\n'
        '<outline xmlUrl="https://b.org/"/>\n'
        '<outline xmlUrl="https://me:hunter2@c.org/"/>\n'
        '<outline xmlUrl="https://d.org/" p:interval="often" p:identity="name"/>\n'
        '<outline type="include" text="More" url="https://e.org/more.opml"/>\n'
        '<outline text="no feed" xmlUrl=" "/>'
    )
    assert [feed.url for feed in found.feeds] == ["https://b.org/"]
    assert found.problems == (
        "feeds.opml:2: xmlUrl: neither http nor https: ftp://a.org/",
        "feeds.opml:4: xmlUrl: user and password stand in basic_auth, not in the URL",
        "feeds.opml:5: interval: 'often': write a span of time like 30m, 12h, 7d or 2w",
        "feeds.opml:5: identity: Input should be 'link', 'guid' or 'text'",
        "feeds.opml:6: include: a list in the list is not followed: https://e.org/more.opml",
    )


def test_what_is_no_language_is_no_fault() -> None:
    (feed,) = read('<outline xmlUrl="https://a.org/" language="unknown tongue"/>').feeds
    assert feed.language is None


def test_a_name_that_is_the_url_is_none() -> None:
    (feed,) = read('<outline xmlUrl="https://a.org/" text="https://a.org/"/>').feeds
    assert feed.name is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<rss/>", "feeds.opml:1: no OPML: it begins with <rss>"),
        (b"<opml>\n<body>\n</opml>", "feeds.opml:3: no OPML: Opening and ending tag mismatch"),
        (opml('<outline xmlUrl="https://a.org/?b&c"/>'), "feeds.opml:2: no OPML: EntityRef"),
        (b'<opml a="\xe9"/>', "feeds.opml:1: no OPML: Invalid bytes in character encoding"),
        (b"", "feeds.opml: no OPML"),
        (b"<opml>" + b"<outline>" * 300, "feeds.opml:1: no OPML: Excessive depth"),
        (b"<opml>" + b" " * MOST_BYTES, "feeds.opml: larger than 10,000,000 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(content: bytes, message: str) -> None:
    assert refused(content).startswith(message)


@pytest.mark.parametrize(
    "definitions",
    [
        '<!ENTITY a "https://a.org/">',
        '<!ENTITY a SYSTEM "file:///etc/hostname">',
        '<!ENTITY % a SYSTEM "https://evil.org/dtd"> %a;',
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">',
    ],
)
def test_definitions_are_refused(definitions: str) -> None:
    content = f"<!DOCTYPE opml [{definitions}]>{opml('').decode()}".encode()
    assert refused(content) == "feeds.opml: it defines entities, which may grow without end"


def test_a_bomb_does_not_go_off() -> None:
    """Not even in an attribute of the root, which is read before definitions are seen."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE opml [<!ENTITY l0 "{"ha" * 50}">{laughs}]><opml a="&l9;"/>'.encode()
    tracemalloc.start()
    try:
        assert refused(bomb).startswith("feeds.opml")
        assert tracemalloc.get_traced_memory()[1] < 10**7
    finally:
        tracemalloc.stop()


def test_a_list_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.feeds.opml.MOST_FEEDS", 2)
    outline = '<outline xmlUrl="http://a.b"/>'
    assert len(read(outline * 2).feeds) == 2
    assert refused(opml(outline * 3)) == "feeds.opml: more than 2 feeds"


urls = (
    st.text(st.characters(exclude_categories=["C", "Z"]), max_size=30)
    .map("https://example.org/".__add__)
    .filter(lambda url: "\\" not in url)
)
feeds = st.builds(
    Feed,
    url=urls,
    name=st.none() | st.text(max_size=30).map(name_of),
    tags=st.lists(st.text(max_size=20).map(tag_of).filter(bool), max_size=4).map(tuple),
    interval=st.none() | st.integers(1, 10_000).map(lambda minutes: timedelta(minutes=minutes)),
    language=st.sampled_from([None, "en", "de", "fr"]),
    full_text=st.booleans(),
    identity=st.sampled_from([None, "guid", "link", "text"]),
)


def by_url(feed: Feed) -> str:
    return feed.url


@given(st.lists(feeds, max_size=5, unique_by=by_url))
def test_what_is_written_is_read_again(written: list[Feed]) -> None:
    content = write_opml(written)
    found = read_opml(content, "feeds.opml")
    assert sorted(found.feeds, key=by_url) == sorted(written, key=by_url)
    assert not found.problems
    assert write_opml(found.feeds) == content == write_opml(written[::-1])


def test_what_is_written_looks_as_a_reader_wants_it() -> None:
    content = write_opml(
        [
            Feed(url="https://b.org/?a&b", name='"B"', tags=("uk", "news"), language="en"),
            Feed(url="https://a.org/", interval=timedelta(minutes=90)),
        ],
        title="My feeds",
        created_at=datetime(2026, 9, 1, 8, 30, tzinfo=UTC),
    )
    assert content.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<opml xmlns:policywire="urn:policywire:opml:1" version="2.0">\n'
        "  <head>\n"
        "    <title>My feeds</title>\n"
        "    <dateCreated>Tue, 01 Sep 2026 08:30:00 +0000</dateCreated>\n"
        "  </head>\n"
        "  <body>\n"
        '    <outline type="rss" text="https://a.org/" xmlUrl="https://a.org/"'
        ' policywire:interval="90m"/>\n'
        '    <outline text="news">\n'
        '      <outline type="rss" text="&quot;B&quot;" title="&quot;B&quot;"'
        ' xmlUrl="https://b.org/?a&amp;b" category="news,uk" language="en"/>\n'
        "    </outline>\n"
        "  </body>\n"
        "</opml>\n"
    )


def test_secrets_are_never_written() -> None:
    secret = Feed(
        url="https://a.org/?key=$KEY",
        headers={"X-Token": "hunter2"},
        basic_auth="$LOGIN",
        expands=True,
    )
    content = write_opml([secret])
    assert b"$KEY" in content
    assert b"hunter2" not in content
    assert b"LOGIN" not in content


MINE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE opml SYSTEM "opml.dtd">
<!-- my list -->
<?style plain?>
<opml version="1.1">
  <head><title>Mine</title></head>
  <body>
    <!-- the best first -->
    <outline text="Governments" custom="kept">
      <outline text="Z" xmlUrl="https://z.org/"/>
    </outline>
    <outline text="A" xmlUrl="https://a.org"/>
  </body>
</opml>
<!-- the end -->
"""


def test_what_is_in_a_file_stays_when_feeds_are_added(tmp_path: Path) -> None:
    path = tmp_path / "feeds.opml"
    path.write_text(MINE)
    added = add_feeds(
        path,
        [
            Feed(url="https://A.org:443/", name="known"),
            Feed(url="https://b.org/", tags=("governments", "uk")),
            Feed(url="https://b.org/#twice"),
            Feed(url="https://c.org/", name="C", full_text=True),
        ],
    )
    assert [feed.url for feed in added] == ["https://b.org/", "https://c.org/"]
    new_in_folder = (
        '\n      <outline xmlns:policywire="urn:policywire:opml:1" type="rss"'
        ' text="https://b.org/" xmlUrl="https://b.org/" category="governments,uk"/>'
    )
    new_last = (
        '\n    <outline xmlns:policywire="urn:policywire:opml:1" type="rss" text="C" title="C"'
        ' xmlUrl="https://c.org/" policywire:fullText="true"/>'
    )
    z, a = '"https://z.org/"/>', '"https://a.org"/>'
    assert path.read_text() == MINE.replace(z, z + new_in_folder).replace(a, a + new_last)


def test_nothing_is_written_when_nothing_is_new(tmp_path: Path) -> None:
    path = tmp_path / "feeds.opml"
    path.write_text(MINE)
    path.chmod(0o400)
    before = path.stat()
    assert add_feeds(path, [Feed(url="https://a.org/")]) == ()
    assert path.stat() == before


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "new.opml"
    feed = Feed(url="https://a.org/", name="A", tags=("x",))
    assert add_feeds(path, [feed]) == (feed,)
    assert read_opml(path.read_bytes(), "f").feeds == (feed,)


def test_a_file_is_replaced_at_once_with_its_mode_and_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "feeds.opml"
    path.write_text(MINE)
    path.chmod(0o640)
    link = tmp_path / "link.opml"
    link.symlink_to(path)
    add_feeds(link, [Feed(url="https://b.org/")])
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert b"https://b.org/" in path.read_bytes()

    def broken(*_: object) -> None:
        raise OSError("disk full")

    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        add_feeds(path, [Feed(url="https://c.org/")])
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [path, link]


def test_a_file_that_cannot_be_read_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "feeds.opml"
    path.write_text("<opml><body>")
    with pytest.raises(ConfigError, match=r"feeds\.opml:1: no OPML"):
        add_feeds(path, [Feed(url="https://a.org/")])
    assert path.read_text() == "<opml><body>"


@given(st.lists(feeds, max_size=4, unique_by=by_url), st.lists(feeds, max_size=4))
def test_one_list_added_to_another_has_the_feeds_of_both(
    mine: list[Feed], theirs: list[Feed]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feeds.opml"
        path.write_bytes(write_opml(mine))
        add_feeds(path, theirs)
        found = read_opml(path.read_bytes(), "f").feeds
    keys = {url_key(feed.url) for feed in found}
    assert keys == {url_key(checked_url(feed.url)) for feed in [*mine, *theirs]}
    assert len(found) == len(mine) + len(keys - {url_key(feed.url) for feed in mine})
