"""Taking the article out of a web page."""

import logging
import re
from contextlib import suppress
from datetime import timedelta

from lxml import etree
from lxml.html import HtmlElement, HTMLParser
from trafilatura import bare_extraction, load_html

from transforms.errors import Reason, RecordError
from transforms.logic.decoding import decode
from transforms.records import Entry, RawDocument

# What it has to say of a page is said by the dead letter.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

_WORDS = 20  # less is what is left of a menu
_PUBLISHED = (
    "//meta[@property='article:published_time' or @name='article:published_time']/@content",
    "//meta[@itemprop='datePublished']/@content",
    "//meta[@name='date' or @name='pubdate' or @name='DC.date.issued' or @name='dcterms.date']"
    "/@content",
    "//time[@itemprop='datePublished' or @pubdate]/@datetime",
)
_UPDATED = (
    "//meta[@property='article:modified_time' or @name='article:modified_time']/@content",
    "//meta[@itemprop='dateModified']/@content",
)
_LINKED_DATA = "//script[@type='application/ld+json']/text()"


def parse_page(document: RawDocument) -> Entry:
    """The article of a page, with what the page's metadata says of it.

    Raises:
        RecordError: NO_ARTICLE where no article is found; TOO_DEEP for a page
            that cannot be walked.
    """
    html = decode(document.payload, document.encoding, markup=True)
    tree = load_html(html)
    if tree is None:
        raise _no_article(html, "the page holds nothing that can be read")
    published = _first(tree, _PUBLISHED) or _linked(tree, "datePublished")
    updated = _first(tree, _UPDATED) or _linked(tree, "dateModified")
    language = tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang")
    # The library would bound dates by the clock.
    latest = (document.seen_at + timedelta(days=2)).date().isoformat()
    try:
        page = bare_extraction(
            tree,
            fast=True,
            with_metadata=True,
            include_comments=False,
            date_extraction_params={
                "original_date": True,
                "extensive_search": False,
                "max_date": latest,
            },
        )
    except RecursionError as error:
        raise RecordError(Reason.TOO_DEEP, "nested deeper than any page is") from error
    # What the library meets on pages whose root is no html element, and the like.
    except (LookupError, AttributeError, TypeError, ValueError, AssertionError) as error:
        detail = f"the page cannot be walked: {type(error).__name__}: {error}"
        raise RecordError(Reason.NO_ARTICLE, detail) from error
    if page is None or isinstance(page, dict) or len((page.text or "").split()) < _WORDS:
        raise _no_article(html, "no article was found on the page")
    return Entry(
        origin=document.origin,
        seen_at=document.seen_at,
        title=page.title or "",
        text=page.text or "",
        markup="plain",
        url=page.url,
        published=published or page.date,
        updated=updated,
        date_from="page",
        language=language,
        source=page.sitename,
        authors=tuple(page.author.split("; ")) if page.author else (),
    )


def _no_article(html: str, detail: str) -> RecordError:
    """The error for a page that gave nothing; the parser stops where it is nested deeply."""
    parser = HTMLParser(encoding="utf-8")
    with suppress(etree.LxmlError):
        etree.fromstring(html.encode(), parser)
    if any("depth" in entry.message for entry in parser.error_log):
        return RecordError(Reason.TOO_DEEP, "nested deeper than any page is")
    return RecordError(Reason.NO_ARTICLE, detail)


def _first(tree: HtmlElement, paths: tuple[str, ...]) -> str | None:
    for path in paths:
        for value in tree.xpath(path):
            if value.strip():
                return str(value.strip())
    return None


def _linked(tree: HtmlElement, name: str) -> str | None:
    """The first value of *name* in the linked data, which is often no valid JSON."""
    for script in tree.xpath(_LINKED_DATA):
        if found := re.search(rf'"{name}"\s*:\s*"([^"\\]+)"', script):
            return found[1]
    return None
