"""What each language has of a theme, and what the articles of each language show of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.themes.sample import SampleArticle
from transforms.logic.themes.expressions import Term
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme


class LanguageShare(NamedTuple):
    """What a theme has for one language; None: for all of them.

    Of the sample: the articles in that language, and those in which the theme is found.
    """

    theme: str
    language: str | None
    terms: int
    queries: int
    examples: int
    articles: int = 0
    hits: int = 0

    @property
    def per_thousand(self) -> float | None:
        """Hits in 1,000 articles; None where there are no articles."""
        return 1000 * self.hits / self.articles if self.articles else None


class Parity(NamedTuple):
    """All themes and languages, and the languages of the sample that no part is written for."""

    shares: tuple[LanguageShare, ...]
    uncovered: dict[str, int]  # articles, by language


def parity(themes: Sequence[Theme], sample: Iterable[SampleArticle] = ()) -> Parity:
    """Compare the languages of *themes* with one another."""
    matcher = ThemeMatcher(themes)
    articles: Counter[str] = Counter()
    hits: Counter[tuple[str, str]] = Counter()
    for one in sample:
        articles[one.language] += 1
        hits.update((hit.theme, one.language) for hit in one.hits(matcher))
    covered = {language for theme in themes for language in theme.languages}
    shares = []
    for theme in themes:
        for language in (None, *sorted(covered)):
            rules = [rule for rule in theme.rules if rule.language == language]
            terms = sum(isinstance(rule.expression, Term) for rule in rules)
            shares.append(
                LanguageShare(
                    theme=theme.theme,
                    language=language,
                    terms=terms,
                    queries=len(rules) - terms,
                    examples=sum(example.language == language for example in theme.examples),
                    articles=articles[language] if language else articles.total(),
                    hits=sum(
                        count
                        for (name, seen), count in hits.items()
                        if name == theme.theme and language in (None, seen)
                    ),
                )
            )
    uncovered = {
        language: count for language, count in articles.most_common() if language not in covered
    }
    return Parity(tuple(shares), uncovered)
