"""Templates, and what they say of dates and languages."""

import base64
import hashlib
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import jinja2
from babel import Locale
from markupsafe import Markup

from pipeline.quoting import one_line, web_link

_ASSETS: Final = Path(__file__).parent / "assets"


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
