"""Valid themes for tests: the factory takes what the test is about."""

from collections.abc import Sequence
from typing import Any

from transforms.logic.themes.explanation import ThemeExplanation
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme


def theme(*terms: str, **changes: Any) -> Theme:
    """A theme of which each match of a term, weight 1, is a mention."""
    values: dict[str, Any] = {
        "theme": "asylum",
        "title": "Asylum",
        "thresholds": {"mention": 0.001, "focus": 9},
    }
    if terms:
        values["terms"] = {1: list(terms)}
    return Theme.model_validate(values | changes)


def query_theme(*queries: dict[str, Any], **changes: Any) -> Theme:
    """A theme of *queries*, as a file states them."""
    return theme(queries=list(queries), **changes)


def explained(themes: Theme | Sequence[Theme], text: str, title: str = "") -> ThemeExplanation:
    """What the first theme makes of an article."""
    several = [themes] if isinstance(themes, Theme) else themes
    named = {one.theme: one for one in ThemeMatcher(several).explain(title, text)}
    return named[several[0].theme]


def words(themes: Theme | Sequence[Theme], text: str, title: str = "") -> list[str]:
    """The words that the first theme's matches are, in text order."""
    pieces = [piece for query in explained(themes, text, title).queries for piece in query.matches]
    return [piece.words for piece in sorted(pieces, key=lambda p: (p.field != "title", p.start))]
