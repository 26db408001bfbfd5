"""Templates, and how text of others gets into them: cut, without controls, and escaped."""

import base64
import hashlib
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jinja2
from babel import Locale
from markupsafe import Markup

_ASSETS: Final = Path(__file__).parent / "assets"

# What would turn the direction of text around it; and control characters, line feeds too.
_UNSEEN = re.compile("[\u202a-\u202e\u2066-\u2069]|[\x00-\x1f\x7f-\x9f]+")


def one_line(text: str, most: int) -> str:
    """*text* of others on one line of *most* characters; what is cut off is shown by `…`."""
    text = _UNSEEN.sub(" ", text).strip()
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def marked(sentence: str, words: str, most: int) -> tuple[str, str, str]:
    """What stands before *words* in *sentence*, the words, and what stands after them.

    Both sides are cut where the whole would be longer than *most*.
    """
    before, found, after = sentence.partition(words)
    if not found:
        return one_line(sentence, most), "", ""
    words = one_line(words, most // 2)
    room = (most - len(words)) // 2
    before, after = _UNSEEN.sub(" ", before), _UNSEEN.sub(" ", after)
    # What one side does not need is the other's.
    left = max(room, 2 * room - len(after))
    right = max(room, 2 * room - len(before))
    if len(before) > left:
        before = f"…{before[len(before) - left :].lstrip()}"
    if len(after) > right:
        after = f"{after[:right].rstrip()}…"
    return before, words, after


def web_link(url: str | None) -> str | None:
    """*url* where a browser may be sent there; None for `javascript:` and its like."""
    try:
        return url if url and urlsplit(url).scheme in ("http", "https") else None
    except ValueError:
        return None


def long_date(day: date) -> str:
    """As in 'Tuesday, 24 November 2026'."""
    return f"{day:%A}, {day.day} {day:%B %Y}"


def short_date(day: date) -> str:
    """As in '24 Nov'."""
    return f"{day.day} {day:%b}"


def moment(time: datetime) -> str:
    """As in '24 November 2026, 06:10 UTC'."""
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def language_name(code: str) -> str:
    """The English name of a language; its code where it has none."""
    if code == "und":
        return "unknown"
    return str(Locale("en").languages.get(code, code))


def render(template: str, **values: Any) -> str:
    """A page, with the style and the script of all pages in it."""
    return _ENVIRONMENT.get_template(template).render(
        style=_STYLE, script=_SCRIPT, script_hash=_hash(_SCRIPT), **values
    )


def render_part(template: str, macro: str, *values: Any) -> Markup:
    """One piece of a page."""
    module = _ENVIRONMENT.get_template(template).module
    return Markup(getattr(module, macro)(*values))  # noqa: S704 # the template escapes


def _asset(name: str) -> Markup:
    return Markup((_ASSETS / name).read_text(encoding="utf-8"))  # noqa: S704 # our own


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_ASSETS),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_ENVIRONMENT.filters.update(
    one_line=one_line,
    web_link=web_link,
    long_date=long_date,
    short_date=short_date,
    moment=moment,
    language=language_name,
)
_STYLE: Final = _asset("style.css")
_SCRIPT: Final = _asset("script.js")
