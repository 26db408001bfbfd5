"""Feeds of all kinds: what their entries say, and what is left of broken ones."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.articles import SEEN_AT
from transforms.logic.feeds import read_feed
from transforms.records import Entry, Origin, RawDocument


def read(payload: bytes | str) -> tuple[list[Entry], str, str]:
    """The entries of a feed, and the reason and the detail of what was broken."""
    content = payload.encode() if isinstance(payload, str) else payload
    document = RawDocument(origin=Origin(path="x"), format="feed", payload=content, seen_at=SEEN_AT)
    entries, reading = read_feed(document)
    assert reading.entries == len(entries)
    reason, detail = reading.error or ("", "")
    return entries, str(reason), detail


def said(payload: bytes | str) -> dict[str, Any]:
    """What the only entry of a good feed says, without what it does not."""
    (entry,), reason, _ = read(payload)
    assert reason == ""
    assert (entry.origin.entry, entry.date_from) == (1, "feed")
    left_out = {"origin", "seen_at", "date_from", "identity"}
    return entry.model_dump(exclude_defaults=True, exclude=left_out)


def titles(payload: bytes | str) -> tuple[list[str], str]:
    entries, reason, _ = read(payload)
    return [entry.title for entry in entries], reason


def rss(*items: str, head: str = "") -> str:
    inside = "".join(f"<item>{item}</item>" for item in items)
    return f'<rss version="2.0"><channel><title>Paper</title>{head}{inside}</channel></rss>'


RSS_090 = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    xmlns="http://my.netscape.com/rdf/simple/0.9/">
<channel><title>Paper</title><link>https://p.example/</link><description>D</description></channel>
<item><title>One</title><link>https://p.example/1</link></item>
</rdf:RDF>"""

RSS_091 = """<?xml version="1.0"?>
<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"
    "http://my.netscape.com/publish/formats/rss-0.91.dtd">
<rss version="0.91"><channel>
<title>Paper</title><link>https://p.example/</link><description>D</description>
<language>en-gb</language>
<item><title>One</title><link>https://p.example/1</link><description>Text</description></item>
</channel></rss>"""

RSS_092 = """<rss version="0.92"><channel>
<title>Paper</title><link>https://p.example/</link><description>D</description>
<item><description>No title, &lt;b&gt;only&lt;/b&gt; this</description>
<source url="https://q.example/rss">Other</source></item>
</channel></rss>"""

RSS_10 = """<?xml version="1.0" encoding="utf-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel rdf:about="https://p.example/rdf"><title>Paper</title><link>https://p.example/</link>
<description>D</description><dc:language>en</dc:language>
<items><rdf:Seq><rdf:li rdf:resource="https://p.example/1"/></rdf:Seq></items></channel>
<item rdf:about="https://p.example/1"><title>One</title><link>https://p.example/1</link>
<description>Short</description><dc:creator>A B</dc:creator><dc:date>2026-11-23T03:00Z</dc:date>
<content:encoded><![CDATA[<p>Long text</p>]]></content:encoded></item>
</rdf:RDF>"""

RSS_20 = """<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"
    xmlns:content="http://purl.org/rss/1.0/modules/content/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>Paper</title><link>https://p.example/</link><description>D</description>
<atom:link href="https://p.example/rss" rel="self"/><language>en</language>
<image><title>Logo</title><url>https://p.example/i.png</url><link>https://p.example/</link></image>
<item><title>One</title><link>https://p.example/1</link><guid isPermaLink="false">p-1</guid>
<pubDate>Mon, 23 Nov 2026 06:40:00 GMT</pubDate><dc:creator>A B</dc:creator>
<description>Short</description>
<media:content url="https://p.example/i.jpg" medium="image"><media:title>A picture</media:title>
<media:description>What can be seen on the picture</media:description></media:content>
<enclosure url="https://p.example/1.mp3" type="audio/mpeg" length="1"/>
<content:encoded><![CDATA[<p>Long &amp; whole text</p>]]></content:encoded></item>
</channel></rss>"""

ATOM_03 = """<feed version="0.3" xmlns="http://purl.org/atom/ns#" xml:lang="en">
<title>Paper</title><link rel="alternate" type="text/html" href="https://p.example/"/>
<modified>2026-11-23T12:00:00Z</modified>
<entry><title>One</title><link rel="alternate" type="text/html" href="https://p.example/1"/>
<id>tag:p.example,2026:1</id><issued>2026-11-23T10:00:00Z</issued>
<modified>2026-11-23T12:00:00Z</modified><author><name>A B</name></author>
<content type="text/html" mode="escaped">&lt;p&gt;Text&lt;/p&gt;</content></entry></feed>"""

ATOM_10 = """<feed xmlns="http://www.w3.org/2005/Atom"
    xml:base="https://p.example/en/" xml:lang="en">
<title>Paper</title><id>tag:p.example,2026:feed</id><updated>2026-11-23T12:00:00Z</updated>
<entry><title type="html">Tom &amp;amp; Ana</title><id>tag:p.example,2026:1</id>
<link rel="self" href="1.atom"/><link href="1"/>
<published>2026-11-23T10:00:00Z</published><updated>2026-11-23T12:00:00Z</updated>
<author><name>A B</name></author><author><name>C D</name></author>
<summary>Short</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Text &lt; 5</p></div></content>
</entry></feed>"""

ATOM_WITH_PREFIX = """<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>Paper</a:title>
<a:entry><a:title>One</a:title><a:id>https://p.example/1</a:id></a:entry></a:feed>"""

JSON_FEED_1 = {
    "version": "https://jsonfeed.org/version/1",
    "title": "Paper",
    "home_page_url": "https://p.example/",
    "author": {"name": "A B"},
    "items": [{"id": 1, "external_url": "https://p.example/1", "content_text": "Text < 5"}],
}
JSON_FEED_11 = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Paper",
    "feed_url": "https://p.example/feed.json",
    "language": "en",
    "items": [
        {
            "id": "p-1",
            "url": "/1",
            "title": "One",
            "content_html": "<p>Text</p>",
            "content_text": "Text",
            "summary": "Short",
            "date_published": "2026-11-23T10:00:00Z",
            "date_modified": "2026-11-23T12:00:00Z",
            "authors": [{"name": "A B"}, {"url": "https://p.example/c"}, {"name": "E F"}],
            "language": "fr",
        }
    ],
}

FEEDS = {
    "RSS 0.90": (
        RSS_090,
        {
            "title": "One",
            "url": "https://p.example/1",
            "base_url": "https://p.example/",
            "source": "Paper",
        },
    ),
    "RSS 0.91": (
        RSS_091,
        {
            "title": "One",
            "text": "Text",
            "markup": "html",
            "url": "https://p.example/1",
            "base_url": "https://p.example/",
            "language": "en-gb",
            "source": "Paper",
        },
    ),
    "RSS 0.92": (
        RSS_092,
        {
            "text": "No title, <b>only</b> this",
            "markup": "html",
            "base_url": "https://p.example/",
            "source": "Other",
        },
    ),
    "RSS 1.0": (
        RSS_10,
        {
            "title": "One",
            "text": "<p>Long text</p>",
            "markup": "html",
            "url": "https://p.example/1",
            "base_url": "https://p.example/",
            "guid": "https://p.example/1",
            "updated": "2026-11-23T03:00Z",
            "language": "en",
            "source": "Paper",
            "authors": ("A B",),
        },
    ),
    "RSS 2.0": (
        RSS_20,
        {
            "title": "One",
            "text": "<p>Long &amp; whole text</p>",
            "markup": "html",
            "url": "https://p.example/1",
            "base_url": "https://p.example/",
            "guid": "p-1",
            "published": "Mon, 23 Nov 2026 06:40:00 GMT",
            "language": "en",
            "source": "Paper",
            "authors": ("A B",),
        },
    ),
    "Atom 0.3": (
        ATOM_03,
        {
            "title": "One",
            "text": "<p>Text</p>",
            "markup": "html",
            "url": "https://p.example/1",
            "base_url": "https://p.example/",
            "guid": "tag:p.example,2026:1",
            "published": "2026-11-23T10:00:00Z",
            "updated": "2026-11-23T12:00:00Z",
            "language": "en",
            "source": "Paper",
            "authors": ("A B",),
        },
    ),
    "Atom 1.0": (
        ATOM_10,
        {
            "title": "Tom &amp; Ana",
            "text": "<p>Text &lt; 5</p>",
            "markup": "html",
            "url": "https://p.example/en/1",
            "base_url": "https://p.example/en/",
            "guid": "tag:p.example,2026:1",
            "published": "2026-11-23T10:00:00Z",
            "updated": "2026-11-23T12:00:00Z",
            "language": "en",
            "source": "Paper",
            "authors": ("A B", "C D"),
        },
    ),
    "Atom with a prefix": (
        ATOM_WITH_PREFIX,
        {
            "title": "One",
            "url": "https://p.example/1",
            "guid": "https://p.example/1",
            "source": "Paper",
        },
    ),
    "JSON Feed 1": (
        json.dumps(JSON_FEED_1),
        {
            "text": "Text < 5",
            "markup": "plain",
            "url": "https://p.example/1",
            "base_url": "https://p.example/",
            "guid": "1",
            "source": "Paper",
            "authors": ("A B",),
        },
    ),
    "JSON Feed 1.1": (
        json.dumps(JSON_FEED_11),
        {
            "title": "One",
            "text": "<p>Text</p>",
            "markup": "html",
            "url": "/1",
            "base_url": "https://p.example/feed.json",
            "guid": "p-1",
            "published": "2026-11-23T10:00:00Z",
            "updated": "2026-11-23T12:00:00Z",
            "language": "fr",
            "source": "Paper",
            "authors": ("A B", "E F"),
        },
    ),
}
XML_FEEDS = [feed for feed, _ in FEEDS.values() if feed.lstrip().startswith("<")]


@pytest.mark.parametrize("kind", FEEDS)
def test_a_feed(kind: str) -> None:
    feed, fields = FEEDS[kind]
    assert said(feed) == fields
    assert said(f"\ufeff{feed}") == fields
    assert said(f"\n \n{feed}\n<!-- cached -->\n" if feed[0] == "<" else f"\n{feed}\n") == fields


def test_words_under_a_picture_are_text_only_where_there_is_no_other() -> None:
    picture = (
        "<media:content url='i'><media:title>A picture</media:title>"
        "<media:description type='plain'>The harbour by night</media:description></media:content>"
    )
    head = "<rss xmlns:media='http://search.yahoo.com/mrss/'"
    for item, title, text in [
        (f"<title>One</title>{picture}<description>Text</description>", "One", "Text"),
        (f"<title>One</title><description>Text</description>{picture}", "One", "Text"),
        (f"{picture}<description>Text</description>", "", "Text"),
        (f"<title>A film</title>{picture}", "A film", "The harbour by night"),
    ]:
        (entry,), _, _ = read(rss(item).replace("<rss", head))
        assert (entry.title, entry.text) == (title, text)


@pytest.mark.parametrize(
    ("item", "title"),
    [
        ("<title>Tom &amp; Ana</title>", "Tom & Ana"),
        ("<title>Tom &amp;amp; Ana &amp;ndash; caf&#233;</title>", "Tom &amp; Ana &ndash; café"),
        ("<title><![CDATA[Tom & <b>Ana</b>]]></title>", "Tom & <b>Ana</b>"),
        ("<title>&#8220;Quoted&#x201d;</title>", "“Quoted”"),
        (
            "<title>Half an emoji &#xD83D;&#xDE00; or &#55357;&#56832;</title>",
            "Half an emoji 😀 or 😀",
        ),
        ("<title>Lost half &#xD83D; and &#56832;</title>", "Lost half \ufffd and \ufffd"),
        (
            "<title>No characters: &#0;&#x1F;&#x110000;&#99999999999999999999;</title>",
            "No characters: " + "\ufffd" * 4,
        ),
    ],
)
def test_what_stands_in_a_title(item: str, title: str) -> None:
    assert titles(rss(item)) == ([title], "")


@pytest.mark.parametrize(
    ("dates", "published", "updated"),
    [
        ("<pubDate>1795478400</pubDate>", "1795478400", None),
        ("<pubDate>yesterday</pubDate>", "yesterday", None),
        ("<pubDate></pubDate>", None, None),
        ("<dc:date>2026-11-23</dc:date>", None, "2026-11-23"),
        ("<pubDate>a</pubDate><dc:date>b</dc:date>", "a", "b"),
        ("<dcterms:modified>2026-11-23</dcterms:modified>", None, "2026-11-23"),
    ],
)
def test_dates_are_left_as_they_are(dates: str, published: str | None, updated: str | None) -> None:
    feed = rss(f"<title>T</title>{dates}").replace(
        "<rss",
        '<rss xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"',
    )
    (entry,), _, _ = read(feed)
    assert (entry.published, entry.updated) == (published, updated)


@pytest.mark.parametrize(
    "encoding", ["iso-8859-1", "windows-1252", "utf-8", "utf-16", "iso-8859-15"]
)
def test_a_feed_in_the_encoding_that_it_declares(encoding: str) -> None:
    feed = f'<?xml version="1.0" encoding="{encoding}"?>' + rss("<title>Café à Genève</title>")
    assert titles(feed.encode(encoding)) == (["Café à Genève"], "")


GOOD = ["<title>One</title><description>Text</description>", "<title>Three</title>"]


@pytest.mark.parametrize(
    ("broken", "title"),
    [
        ("<title>A & B</title>", "A & B"),
        ("<title>A &nbsp;B</title>", "A \xa0B"),
        ("<title>A \x0b\0B</title>", "A \x0b\0B"),
        ("<title>A</title><link>https://p.example/?a=1&b=2</link>", "A"),
        ("<title>A</title><media:thumbnail url='x'/>", "A"),
        ("<title>A</title><description><p>B<br>C</description>", "A"),
        ("<title>A</title><guid isPermaLink=false>1</guid>", "A"),
        ("<title>A<description>B</description>", ""),
        ("<title>A</description>", ""),
        ("<title>A</title><a:b></c:d>", "A"),
    ],
)
def test_a_malformed_entry_costs_at_most_itself(broken: str, title: str) -> None:
    feed = rss(GOOD[0], broken, GOOD[1])
    assert titles(feed) == (["One", title, "Three"], "malformed_feed")
    entries, _, detail = read(feed)
    assert detail.startswith("3 entries were recovered; line 1: ")
    assert [entry.source for entry in entries] == ["Paper"] * 3
    assert entries[0].text == "Text"


def test_an_entry_that_is_not_closed_ends_where_the_next_begins() -> None:
    feed = rss(*GOOD).replace("Text</description></item>", "Text</description>")
    assert titles(feed) == (["One", "Three"], "malformed_feed")
    feed = rss(*GOOD).replace("Three</title></item>", "Three</title>")
    assert titles(feed) == (["One", "Three"], "malformed_feed")


def test_a_malformed_head_costs_no_entry() -> None:
    feed = rss(*GOOD, head="<description>A & B</description><language>en</language>")
    entries, reason, _ = read(feed)
    assert reason == "malformed_feed"
    assert [(e.title, e.source, e.language) for e in entries] == [
        ("One", "Paper", "en"),
        ("Three", "Paper", "en"),
    ]


@pytest.mark.parametrize("feed", [ATOM_10, ATOM_WITH_PREFIX, RSS_10])
def test_other_kinds_are_recovered_too(feed: str) -> None:
    (good,), _, _ = read(feed)
    (recovered,), reason, _ = read(feed.replace("</", "&broken;</", 1))
    assert reason == "malformed_feed"
    assert recovered.title.startswith(good.title[:3])
    assert (recovered.url, recovered.text) == (good.url, good.text)


@pytest.mark.parametrize(
    ("feed", "found", "reason"),
    [
        ("<rss version='2.0'><channel><item><title>Half", [], "truncated"),
        ("<rss version='2.0'><channel><title>Pap", [], "truncated"),
        (rss(*GOOD)[:-1], ["One", "Three"], "truncated"),
        (rss(*GOOD)[:-8], ["One", "Three"], "truncated"),
        (rss(*GOOD)[:-30], ["One"], "truncated"),
        (rss(*GOOD)[:-45], ["One"], "truncated"),
        (rss(GOOD[0], "<title>T</title><description><![CDATA[<p>Ha")[:-30], ["One"], "truncated"),
        (ATOM_10[:-7], ["Tom &amp; Ana"], "truncated"),
        (ATOM_10[:-20], [], "truncated"),
        (RSS_10[:-11], ["One"], "truncated"),
        (rss(*GOOD) + "<p>Served in 5 ms</p>", ["One", "Three"], "malformed_feed"),
        ("<rss", [], "malformed_feed"),
        ("no feed at all", [], "malformed_feed"),
        ("", [], "malformed_feed"),
        ("<urlset><url><loc>https://p.example/</loc></url></urlset>", [], "malformed_feed"),
        ("<!-- x --><!DOCTYPE html><html><body>404</body></html>", [], "malformed_feed"),
        (rss(), [], "empty"),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><title>P</title></feed>', [], "empty"),
        ('{"version": "https://jsonfeed.org/version/1", "items": []}', [], "empty"),
        ('{"version": "https://jsonfeed.org/version/1"}', [], "wrong_type"),
        ('{"version": "https://jsonfeed.org/version/1", "items": [', [], "malformed_json"),
        ('{"version": 1, "items": []}', [], "malformed_feed"),
    ],
)
def test_a_feed_that_is_cut_off_empty_or_none(feed: str, found: list[str], reason: str) -> None:
    assert titles(feed) == (found, reason)


def test_bytes_that_are_no_text() -> None:
    assert titles(b"<rss>" + bytes(range(128, 256)) * 8) == ([], "bad_encoding")


BOMB = '<!DOCTYPE lol [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "definition",
    [
        BOMB,
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE r SYSTEM "https://evil.example/x.dtd" [<!ELEMENT r ANY>]>',
        '<!doctype r [<!entity % p "x">]>',
        '<!-- <rss> --><!ENTITY a "b">',
    ],
)
def test_definitions_are_refused(definition: str) -> None:
    assert titles(definition + rss("<title>&b;</title>")) == ([], "unsafe_xml")


def test_the_text_of_an_article_may_speak_of_definitions() -> None:
    text = "<title>T</title><description><![CDATA[<!DOCTYPE html><!ENTITY a 'b'>]]></description>"
    assert titles(rss(text, "<title>U</title><!-- <!ENTITY c 'd'> -->")) == (["T", "U"], "")


def test_what_is_nested_too_deeply_costs_itself_alone() -> None:
    deep = "<title>T</title><description>" + "<b>" * 1000 + "</b>" * 1000 + "</description>"
    assert titles(rss(GOOD[0], deep, GOOD[1])) == (["One", "Three"], "too_deep")
    assert titles(rss(*GOOD, head="<x>" * 1000 + "</x>" * 1000)) == (["One", "Three"], "too_deep")
    unclosed = "<title>T</title><description><p>a<br>b</description>"
    assert titles(rss(*[unclosed] * 150, GOOD[0]))[1] == "too_deep"
    assert len(titles(rss(*[unclosed] * 150, GOOD[0]))[0]) == 151


def test_a_malformed_feed_of_very_many_entries_is_recovered_as_a_whole() -> None:
    begun = time.process_time()
    found, reason = titles(rss("<title>A & B</title>", *["<title>T</title>"] * 5001))
    assert (found[0], len(found), reason) == ("A & B", 5002, "malformed_feed")
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "hostile",
    [
        "<!-- a -->" * 100_000,
        "<!--" * 100_000,
        " " * 1_000_000,
        "<?xml " * 100_000,
        "<![CDATA[" * 100_000,
        "<!DOCTYPE " * 100_000,
        "&#" + "0" * 1_000_000,
        "<" * 100_000,
    ],
)
def test_hostile_beginnings_take_no_time(hostile: str) -> None:
    begun = time.process_time()
    read(hostile + rss(*GOOD))
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    ("items", "guids", "problem"),
    [
        ([{"id": "1"}, 7, {"id": "3"}], ["1", "3"], "entry 2: an item is an object"),
        ([{"id": "1", "title": 5}, {"id": "2"}], ["2"], "entry 1: title: wanted a string"),
        (
            [{"id": "1", "url": []}, None, {"id": "3"}],
            ["3"],
            "entry 1: url: wanted a string; 1 more",
        ),
        ([{"id": 1.5}], ["1.5"], ""),
        ([{"id": "1", "authors": "A", "author": 5}], ["1"], ""),
    ],
)
def test_a_broken_item_of_a_json_feed(items: list[Any], guids: list[str], problem: str) -> None:
    entries, reason, detail = read(json.dumps({**JSON_FEED_1, "items": items}))
    assert [entry.guid for entry in entries] == guids
    assert reason == ("wrong_type" if problem else "")
    assert detail.startswith(problem)


ODD = st.sampled_from(
    [
        "<", ">", "&", "&#xD800;", "<item>", "</item>", "<entry>", "</title>", "<![CDATA[", "]]>",
        "<!--", '"', "\0", "<link/>", '<link href="http://["/>', 'xml:base="http://["',
        "<guid isPermaLink='true'>http://[</guid>", "<source><link>x</link></source>", "<author/>",
        "<content type='application/xml'><x/></content>", "<content mode='base64'>!</content>",
        "<gml:posList>1 2</gml:posList>", "<georss:point>x</georss:point>", "<georss:where>",
        "<itunes:image href='x'/>", "<media:rating/>", "<category/>", "<enclosure/>", "<dc:date/>",
        "<psc:chapter start='a:b'/>", "<summary type='xhtml'>", "<textinput>", "<image>",
    ]
)  # fmt: skip


@given(
    st.sampled_from(XML_FEEDS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), ODD | st.text(max_size=3)), max_size=5),
)
@settings(deadline=None, max_examples=150)
def test_a_damaged_feed_is_refused_at_most(
    feed: str, changes: list[tuple[float, int, str]]
) -> None:
    for place, length, inserted in changes:
        at = int(place * len(feed))
        feed = feed[:at] + inserted + feed[at + length :]
    for entry in read(feed.encode("utf-8", "replace"))[0]:
        assert Entry.model_validate_json(entry.model_dump_json()) == entry
