"""Whether themes find what their examples say, and pass over the rest."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from transforms.logic.language import UNKNOWN, LanguageDetector
from transforms.logic.text import clean_text
from transforms.logic.themes.explanation import ThemeExplanation
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme, ThemeExample
from transforms.records import Level

#: How many examples a theme should have in each language that it has rules for.
ENOUGH = 40


class ExampleResult(NamedTuple):
    """An example, and what became of it."""

    theme: str
    example: ThemeExample
    level: Level | None  # at which the theme was found
    seen_as: str  # the language that its text is taken for
    explanation: ThemeExplanation | None  # why, where it failed

    @property
    def passed(self) -> bool:
        """Whether its theme was found at its level, or not found where it should not be."""
        return self.level == self.example.level

    @property
    def is_seen_otherwise(self) -> bool:
        """Whether a run would take it for another language than the file's."""
        stated = self.example.language
        return stated is not None and self.seen_as not in (stated, UNKNOWN)


class Coverage(NamedTuple):
    """How many examples a theme has in a language; None: for all of them."""

    theme: str
    language: str | None
    examples: int
    passed: int

    @property
    def is_thin(self) -> bool:
        """Whether there are too few to say much."""
        return self.examples < ENOUGH


def check_examples(themes: Sequence[Theme]) -> Iterator[ExampleResult]:
    """Match each example as an article in the language of its file."""
    detector = LanguageDetector()
    for theme in themes:
        matcher = ThemeMatcher([theme])
        for example in theme.examples:
            title, text = clean_text(example.title).replace("\n", " "), clean_text(example.text)
            language = example.language or UNKNOWN
            hits = matcher.hits(title, text, language=language)
            level = hits[0].level if hits else None
            explanation = None
            if level != example.level:
                (explanation,) = matcher.explain(title, text, language=language)
            seen_as = detector.detect(title, text)
            yield ExampleResult(theme.theme, example, level, seen_as, explanation)


def coverage(themes: Sequence[Theme], tested: Sequence[ExampleResult]) -> list[Coverage]:
    """The number of examples of each theme and language that has rules or examples."""
    rows = []
    for theme in themes:
        of_theme = [one for one in tested if one.theme == theme.theme]
        languages = {*theme.languages, *(one.example.language for one in of_theme)}
        for language in sorted(languages, key=lambda one: one or ""):
            those = [one for one in of_theme if one.example.language == language]
            passed = sum(one.passed for one in those)
            rows.append(Coverage(theme.theme, language, len(those), passed))
    return rows
