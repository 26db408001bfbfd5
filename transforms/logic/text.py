"""Cleaning text, taking text out of HTML, and finding the sentence around a span."""

import re
import unicodedata

from selectolax.lexbor import LexborHTMLParser

_DROPPED = "\u00ad\u200b\u2060\ufeff"  # soft hyphen, zero width space, word joiner, BOM
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f" + _DROPPED + "]")
_BREAKS = re.compile(r"[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_BLANKS = re.compile(r" [^\S\n]+|[^\S\n ][^\S\n]*")  # all but a space alone
_LINE_ENDS = re.compile(r"[\r\n]+")
_BLANK_LINES = re.compile(r" ?\n[ \n]*")
_TAG = re.compile(
    r"</?(?:p|br|div|span|a|b|i|em|strong|u|h[1-6]|ul|ol|li|img|table|tr|td|th|blockquote|"
    r"figure|figcaption|script|style|iframe|section|article|html|body|hr|pre|code|font)\b[^<>]*>"
    r"|&(?:[a-z]{2,8}|#\d{1,7}|#x[0-9a-f]{1,6});",
    re.IGNORECASE,
)
_ELEMENT = re.compile(
    r"</(?:p|div|span|a|b|i|em|strong|h[1-6]|ul|ol|li|table|td|blockquote|figure)\s*>"
    r"|<(?:p|br|hr|img)\b[^<>]*>",
    re.IGNORECASE,
)
_BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd"),
        *("details", "dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer"),
        *("form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol"),
        *("p", "pre", "section", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr"),
        "ul",
    }
)
_SILENT = frozenset(
    {
        *("script", "style", "noscript", "template", "head", "svg", "math", "iframe", "object"),
        *("embed", "select", "button"),
    }
)


def clean_text(text: str) -> str:
    """Plain text as it is stored: NFC, one space between words, one line a paragraph.

    Control characters, soft hyphens and zero width spaces are out; all kinds of
    blanks are spaces, all kinds of line breaks and blank lines one line feed.
    Idempotent; clean ASCII text comes back as the same object.
    """
    if text.isascii():
        flat = text.replace("\n", " ")
        if flat.isprintable() and "  " not in flat:
            return text if text[:1] not in " \n" and text[-1:] not in " \n" else text.strip(" \n")
    else:
        text = unicodedata.normalize("NFC", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub("", text)
    # One step after the other: a single expression for it all takes quadratic time.
    text = _BLANKS.sub(" ", _BREAKS.sub("\n", text))
    text = _BLANK_LINES.sub("\n", text).strip()
    # What was taken out may have stood between characters that compose.
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def looks_like_html(text: str) -> bool:
    """Whether *text* holds a tag or entity of HTML, and so is not plain text."""
    return ("<" in text or "&" in text) and _TAG.search(text) is not None


def looks_like_markup(text: str) -> bool:
    """Whether *text* holds elements of HTML: none that it merely names, as '<b>' alone."""
    return "<" in text and _ELEMENT.search(text) is not None


def html_to_text(html: str) -> str:
    """The text a reader of *html* would see, cleaned; block elements end paragraphs.

    Never raises; nesting costs no recursion.
    """
    if "<" not in html and "&" not in html:
        return clean_text(_LINE_ENDS.sub(" ", html))
    root = LexborHTMLParser(html).root
    parts: list[str] = []
    node, leaving, depth = root, False, 0
    # A walk by hand: the tree of a hostile page is deeper than Python's stack.
    while node is not None:
        tag = node.tag
        if not leaving:
            if tag == "-text":
                parts.append((node.text_content or "").replace("\n", " "))
            elif tag in _BLOCKS:
                parts.append("\n")
            if node.child is not None and tag not in _SILENT:
                node, depth = node.child, depth + 1
                continue
        if tag in _BLOCKS:
            parts.append("\n")
        # Not `node == root`, which compares the HTML of both.
        if depth == 0:
            break
        if node.next is not None:
            node, leaving = node.next, False
        else:
            node, leaving, depth = node.parent, True, depth - 1
    return clean_text("".join(parts))


REACH = 1000  # characters of a sentence that are shown each way
# It begins with one set of characters, which is what the search for it can skip to.
_END = re.compile(
    r"[.!?…。！？\n](?:(?<=\n)|(?<!\n)[.!?…。！？]*+[\"'”’»)\]]*+(?=\s)|(?<=[。！？]))"
)
_ABBREVIATIONS = frozenset(
    "Mr Mrs Ms Dr Prof St Sgt Lt Col Gen Capt Sen Rep Gov Hon Jr Sr No Nr vs etc Inc Ltd Co Corp "
    "approx est Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mme Mlle Sr Sra Sig Dott Avv Hr "
    "Fr bzw ca usw Abs Art art ul prof dr św tys mln mld np tzw im str p pp cf al".split()
)
_SHORT = re.compile(
    r"(?:^|[\s(\"'“‘«])(?:[^\W\d_]|(?:[^\W\d_]\.)+[^\W\d_]|"
    + "|".join(sorted(_ABBREVIATIONS))
    + r")\.$"
)


def sentence_ends(text: str) -> list[int]:
    """Where the sentences of a text end, in order.

    A line feed always ends a sentence, a full stop after an abbreviation, an initial or
    inside a number does not.
    """
    ends: list[int] = []
    last = -1
    for match in _END.finditer(text):
        start, end = match.span()
        if start == last:
            ends[-1] = last = end
        elif end - start > 1 or text[start] != "." or not _is_short(text, start):
            ends.append(end)
            last = end
    return ends


def _is_short(text: str, end: int) -> bool:
    """Whether the full stop at *end* belongs to an abbreviation or initial."""
    low = max(0, end - 12)
    word = text[max(low, text.rfind(" ", low, end) + 1) : end]
    if word.isalpha():
        return len(word) == 1 or word in _ABBREVIATIONS
    # Most numbers and closing brackets need no search.
    is_letter = word[-1:].isalnum() and not word[-1].isdecimal()
    return is_letter and _SHORT.search(f"{text[low:end]}.") is not None
