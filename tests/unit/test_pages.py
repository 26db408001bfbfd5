"""Web pages: the article on them, what they say of it, and pages that have none."""

import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.articles import SEEN_AT
from transforms.errors import RecordError
from transforms.logic.pages import parse_page
from transforms.records import Entry, Origin, RawDocument

SENTENCES = [
    "The minister said on Monday that asylum claims would be decided within three months.",
    "Lawyers doubt it, since the courts of the city have had no new judges for five years.",
    "A second reading of the bill in the upper house is expected before the end of the winter.",
]
TEXT = "\n".join(SENTENCES)
PARAGRAPHS = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)


def page(body: str = PARAGRAPHS, head: str = "", attributes: str = ' lang="en"') -> str:
    return (
        f"<!DOCTYPE html><html{attributes}><head><title>Bill | Paper</title>{head}</head><body>"
        f"<nav><a href='/'>Home</a> <a href='/news'>News</a></nav><main><article>"
        f"<h1>New asylum bill</h1>{body}</article></main>"
        f"<footer>All rights reserved</footer><script>var a = '<p>none</p>';</script></body></html>"
    )


def read(html: str | bytes, encoding: str | None = None) -> Entry:
    payload = html.encode() if isinstance(html, str) else html
    return parse_page(
        RawDocument(
            origin=Origin(path="x"),
            format="html",
            payload=payload,
            encoding=encoding,
            seen_at=SEEN_AT,
        )
    )


def reason(html: str | bytes) -> str:
    with pytest.raises(RecordError) as caught:
        read(html)
    return caught.value.reason.value


def test_the_article_without_what_is_around_it() -> None:
    entry = read(page())
    assert (entry.title, entry.language) == ("New asylum bill", "en")
    assert (entry.markup, entry.date_from) == ("plain", "page")
    assert entry.text.removeprefix("New asylum bill\n") == TEXT
    assert (entry.published, entry.url, entry.source, entry.authors) == (None, None, None, ())


def test_the_same_page_gives_the_same_entry_again() -> None:
    assert len({read(page()).model_dump_json() for _ in range(5)}) == 1


LINKED_DATA = """<script type="application/ld+json">{"@type": "NewsArticle", "headline": "H",
"datePublished": "2026-11-22T10:00:00Z", "dateModified": "2026-11-23"}</script>"""


@pytest.mark.parametrize(
    ("head", "fields"),
    [
        (
            '<meta property="article:published_time" content="2026-11-22T10:00:00+01:00">'
            '<meta property="article:modified_time" content="2026-11-23">',
            {"published": "2026-11-22T10:00:00+01:00", "updated": "2026-11-23"},
        ),
        ('<meta itemprop="datePublished" content=" 2026-11-22 ">', {"published": "2026-11-22"}),
        ('<meta name="date" content="Mon, 23 Nov 2026"/>', {"published": "Mon, 23 Nov 2026"}),
        ('<meta name="DC.date.issued" content="2026-11-22">', {"published": "2026-11-22"}),
        (LINKED_DATA, {"published": "2026-11-22T10:00:00Z", "updated": "2026-11-23"}),
        (LINKED_DATA.replace("}", ",}"), {"published": "2026-11-22T10:00:00Z"}),
        ('<meta name="date" content=""><meta name="pubdate" content="x">', {"published": "x"}),
        ('<link rel="canonical" href="https://p.example/1">', {"url": "https://p.example/1"}),
        ('<meta property="og:site_name" content="Paper">', {"source": "Paper"}),
        ('<meta name="author" content="Ana Ruiz">', {"authors": ("Ana Ruiz",)}),
        (
            '<meta property="og:title" content="Tom &amp; Ana &ndash; caf&eacute;">',
            {"title": "Tom & Ana – café"},
        ),
    ],
)
def test_what_a_page_says_of_its_article(head: str, fields: dict[str, Any]) -> None:
    entry = read(page(head=head))
    assert {name: getattr(entry, name) for name in fields} == fields


def test_a_date_may_stand_on_the_page_itself() -> None:
    stamped = '<time itemprop="datePublished" datetime="2026-11-22T10:00Z">Sunday</time>'
    assert read(page(stamped + PARAGRAPHS)).published == "2026-11-22T10:00Z"
    assert (
        read(page('<span class="date">22 Nov 2026</span>' + PARAGRAPHS)).published == "2026-11-22"
    )


def test_a_day_without_a_year_is_no_date() -> None:
    # It would be taken from the clock.
    for day in ("<time>22 November</time>", '<time datetime="10:30">10:30</time>'):
        assert read(page(day + PARAGRAPHS)).published is None


def test_references_to_characters() -> None:
    odd = "<p>Caf&eacute; &amp; &#8220;bar&#8221; &#x1F600; &#xD83D; &#0; &#x110000; &unknown;</p>"
    text = read(page(odd + PARAGRAPHS)).text
    assert "Café & “bar” 😀 " in text
    text.encode()


@pytest.mark.parametrize(
    ("declaration", "encoding", "words"),
    [
        ('<meta charset="iso-8859-1">', "cp1252", "préfet — “oui”"),
        (
            '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">',
            "cp932",
            "内務大臣",
        ),
        ("<meta charset=windows-1251>", "cp1251", "министр"),
        ('<meta charset="gb2312">', "gb18030", "内政部长"),
        ('<meta charset="utf-8">', "utf-8", "préfet — “oui”"),
        ('<meta charset="utf-16">', "utf-8", "préfet — “oui”"),
        ("", "utf-8-sig", "préfet — “oui”"),
        ("", "utf-16", "内務大臣"),
    ],
)
def test_a_page_in_the_encoding_that_it_declares(
    declaration: str, encoding: str, words: str
) -> None:
    html = page(f"<p>{words}</p>{PARAGRAPHS}", declaration)
    assert words in read(html.encode(encoding)).text


def test_xhtml() -> None:
    html = page(attributes=' xmlns="http://www.w3.org/1999/xhtml" xml:lang="en-GB"')
    entry = read(f'<?xml version="1.0" encoding="UTF-8"?>{html}')
    assert SENTENCES[0] in entry.text


@pytest.mark.parametrize(
    "html",
    [
        "",
        " \n",
        "\0",
        "<",
        "<!-- only this -->",
        "no page at all",
        "<html></html>",
        "<html><body><nav>Home</nav></body></html>",
        page("<p>Too short.</p>"),
        "<html><head><title>Video</title></head><body><video src='x'></video></body></html>",
        "<frameset><frame src='x'></frameset>",
        "<svg><form>" + PARAGRAPHS[:40],
    ],
)
def test_a_page_without_an_article(html: str) -> None:
    assert reason(html) == "no_article"


@pytest.mark.parametrize(
    "tag", ["div", "b", "span", "ul><li", "table><tr><td", "blockquote", "svg"]
)
@pytest.mark.parametrize("times", [300, 10_000])
def test_a_deeply_nested_page(tag: str, times: int) -> None:
    assert reason(f"<html><body>{f'<{tag}>' * times}{PARAGRAPHS}") == "too_deep"


def test_an_article_before_what_is_nested_deeply_is_found() -> None:
    assert SENTENCES[0] in read(page() + "<div>" * 10_000).text


def test_bytes_that_are_no_text() -> None:
    assert reason(b"<html>" + bytes(range(128, 256)) * 8) == "bad_encoding"


def test_entities_that_a_page_defines_are_not_expanded() -> None:
    bomb = '<!DOCTYPE html [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    text = read(bomb + page(f"<p>&b;</p>{PARAGRAPHS}").removeprefix("<!DOCTYPE html>")).text
    assert "aaaaaaaa" not in text


WHOLE = page(
    f"{PARAGRAPHS}<ul><li>a</li></ul><table><tr><td>b</td></tr></table><a href='x'>c</a>"
    "<figure><img src='i' alt='d'><figcaption>e</figcaption></figure>",
    f'{LINKED_DATA}<meta name="author" content="A"><link rel="canonical" href="https://p.example/1">',
)
ODD = st.sampled_from(
    [
        "<",
        ">",
        "&",
        '"',
        "<!--",
        "-->",
        "<p>",
        "</p>",
        "</article>",
        "<table>",
        "<form>",
        "<svg>",
        "<html>",
        "<head>",
        "</body>",
        "<base href='http://['>",
        "<a href='http://['>",
        "<template>",
        '<script type="application/ld+json">',
        "{",
        "}",
        "[",
        '"author": 5,',
        "null",
        "\0",
        "&#xD800;",
        '<meta name="date" content="0000-00-00">',
        '<link rel="canonical" href="//[">',
        "<x:y>",
        "<![",
    ]
)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), ODD | st.text(max_size=3)), max_size=6)
)
@settings(deadline=None, max_examples=150)
def test_a_damaged_page_is_refused_at_most(changes: list[tuple[float, int, str]]) -> None:
    html = WHOLE
    for place, length, inserted in changes:
        at = int(place * len(html))
        html = html[:at] + inserted + html[at + length :]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # dateutil's, of time zones that it does not know
        try:
            entry = read(html.encode("utf-8", "replace"))
        except RecordError as error:
            assert error.reason.value in ("no_article", "too_deep", "bad_encoding")  # noqa: PT017
        else:
            assert Entry.model_validate_json(entry.model_dump_json()) == entry
