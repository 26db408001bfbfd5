"""Valid themes for tests: the factory takes what the test is about."""

from collections.abc import Mapping, Sequence
from typing import Any

from transforms.logic.themes.explanation import ThemeExplanation
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Head, Part, Theme, merge


def theme(
    *terms: str,
    parts: Mapping[str, Mapping[str, Any]] | None = None,
    definitions: Mapping[str, str] | None = None,
    **changes: Any,
) -> Theme:
    """A theme of which each match of a term, weight 1, is a mention.

    Args:
        parts: What the parts say, by their languages.
        definitions: What names in queries stand for; by default what the files define.
        changes: Fields of the head.
    """
    values: dict[str, Any] = {
        "theme": "asylum",
        "title": "Asylum",
        "thresholds": {"mention": 0.001, "focus": 9},
    }
    if terms:
        values["terms"] = {1: list(terms)}
    head = Head.model_validate(values | changes)
    loaded = [
        Part.model_validate({"theme": head.theme, "language": language, **part})
        for language, part in (parts or {}).items()
    ]
    return merge(head, loaded, definitions)


def query_theme(*queries: str | Mapping[str, Any], **changes: Any) -> Theme:
    """A theme of *queries*, as a file states them; a text alone is one with weight 1."""
    stated = [{"query": query} if isinstance(query, str) else query for query in queries]
    return theme(queries=stated, **changes)


def explained(
    themes: Theme | Sequence[Theme], text: str, title: str = "", **article: str
) -> ThemeExplanation:
    """What the first theme makes of an article; *article* is its language and source."""
    several = [themes] if isinstance(themes, Theme) else themes
    found = ThemeMatcher(several).explain(title, text, **article)
    return {one.theme: one for one in found}[several[0].theme]


def words(themes: Theme | Sequence[Theme], text: str, title: str = "", **article: str) -> list[str]:
    """The words that the first theme's matches are, in text order."""
    found = explained(themes, text, title, **article)
    pieces = [piece for query in found.queries for piece in query.matches]
    return [piece.words for piece in sorted(pieces, key=lambda p: (p.field != "title", p.start))]
