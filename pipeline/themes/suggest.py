"""Terms that would let a theme find what it misses, or pass over what it finds wrongly.

Terms are ranked by how much more often they stand in the articles concerned than in
the others: by the log-odds ratio with an informative Dirichlet prior, divided by its
standard deviation (Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis 16,
2008, equations 16 and 22). A term counts once an article, and the prior is all
articles: so a term must stand out from what news says anyway.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import log, sqrt
from typing import Literal, NamedTuple

from pipeline.evaluate import Finder, PlainArticle
from transforms.logic.themes.expressions import Term
from transforms.logic.themes.folding import fold
from transforms.logic.themes.model import Theme
from transforms.logic.themes.terms import covers

_LONGEST = 3  # words
_FEWEST = 2  # articles of those concerned that have a term: one is no pattern
_COMMON = 0.1  # the share of articles of a language that have a word which says nothing
_CLEAR = 1.0  # standard deviations

# What a phrase does not reach across.
_BREAK = re.compile(r"[^\w\s'’-]|\n")
_WORD = re.compile(r"\w+")


_Kind = Literal["missed", "false alarm", "right", "neither", "unsure"]
_Wanted = Literal["term", "exclusion"]
# What is suggested, from articles of which kind, and which ones it must not be in.
_COMPARED: tuple[tuple[_Wanted, _Kind, _Kind], ...] = (
    ("term", "missed", "neither"),
    ("exclusion", "false alarm", "right"),
)


class Suggestion(NamedTuple):
    """A term to add to a theme: with a weight above 0, or below it."""

    theme: str
    language: str
    kind: _Wanted
    term: str
    articles: int  # of those that were missed, or found wrongly
    of: int
    elsewhere: int  # articles in which it would do harm
    score: float  # standard deviations of the log-odds ratio above 0


def suggest(
    articles: Sequence[PlainArticle], theme: Theme, hits: Finder, *, most: int
) -> list[Suggestion]:
    """The best *most* terms and the best *most* exclusions for each language."""
    groups: dict[str, dict[_Kind, list[PlainArticle]]] = {}
    for article in articles:
        by_kind = groups.setdefault(article.language, {})
        by_kind.setdefault(_kind(article, theme.theme, hits), []).append(article)
    found: list[Suggestion] = []
    for language, by_kind in sorted(groups.items()):
        common = _common_words(by_kind.get("neither", []))
        for kind, inside, outside in _COMPARED:
            ranked = _told_apart(by_kind.get(inside, []), by_kind.get(outside, []), common)
            known = _known_terms(theme, language, kind)
            unknown = (one for one in ranked if not any(covers(term, one.term) for term in known))
            found += (
                Suggestion(
                    theme=theme.theme,
                    language=language,
                    kind=kind,
                    term=one.term,
                    articles=one.inside,
                    of=len(by_kind[inside]),
                    elsewhere=one.outside,
                    score=round(one.score, 2),
                )
                for one in islice(_without_repeats(unknown), most)
            )
    return found


def _kind(article: PlainArticle, theme: str, hits: Finder) -> _Kind:
    labelled = article.labelled
    if theme in labelled.unsure:
        return "unsure"
    found = hits(article.title, article.text, language=article.language, source=labelled.source)
    is_found = any(hit.theme == theme for hit in found)
    if theme in labelled.themes:
        return "right" if is_found else "missed"
    return "false alarm" if is_found else "neither"


def _known_terms(theme: Theme, language: str, kind: _Wanted) -> list[str]:
    """What the theme has of such terms for a language."""
    return [
        rule.expression.words
        for rule in theme.rules
        if isinstance(rule.expression, Term)
        and rule.language in (None, language)
        and (rule.weight > 0) == (kind == "term")
    ]


class _Ranked(NamedTuple):
    term: str
    inside: int
    outside: int
    score: float


def _common_words(articles: Sequence[PlainArticle]) -> frozenset[str]:
    """Words that say nothing: in any language, those that many other articles have."""
    counts = Counter(word for article in articles for word in _terms(article, longest=1))
    limit = max(_COMMON * len(articles), _FEWEST)
    return frozenset(word for word, count in counts.items() if count > limit)


def _told_apart(
    inside: Sequence[PlainArticle], outside: Sequence[PlainArticle], common: frozenset[str]
) -> list[_Ranked]:
    """Terms of the articles *inside* that tell them from those *outside*, the best first."""
    of_inside = Counter(term for article in inside for term in _terms(article))
    of_outside = Counter(
        term for article in outside for term in _terms(article) if term in of_inside
    )
    ranked = []
    for term, count in of_inside.items():
        words = term.split()
        edges = {words[0], words[-1]}
        if count < _FEWEST or min(map(len, edges)) < 2 or edges & common:
            continue
        score = log_odds(count, len(inside), of_outside[term], len(outside))
        if score >= _CLEAR:
            ranked.append(_Ranked(term, count, of_outside[term], score))
    ranked.sort(key=lambda one: (-one.score, -len(one.term), one.term))
    return ranked


def log_odds(inside: int, of_inside: int, outside: int, of_outside: int) -> float:
    """By how many standard deviations a term is likelier in one of two groups of articles.

    Args:
        inside: Articles of the first group that have the term, of *of_inside*.
        outside: Those of the other group, of *of_outside*.
    """
    prior, of_prior = inside + outside, of_inside + of_outside
    first, second = inside + prior, outside + prior
    # The 1 is for a term that all articles have.
    ratio = log(first / (of_inside + of_prior - first + 1))
    ratio -= log(second / (of_outside + of_prior - second + 1))
    return ratio / sqrt(1 / first + 1 / second)


def _without_repeats(ranked: Iterable[_Ranked]) -> Iterator[_Ranked]:
    """Without terms that say no more than a better one which is part of them, or they of it."""
    taken: list[_Ranked] = []
    for one in ranked:
        if not any(
            (_is_part(one, other) and one[1:3] == other[1:3])
            or (_is_part(other, one) and other.outside <= one.outside)
            for other in taken
        ):
            taken.append(one)
            yield one


def _is_part(piece: _Ranked, whole: _Ranked) -> bool:
    return f" {piece.term} " in f" {whole.term} "


def _terms(article: PlainArticle, longest: int = _LONGEST) -> set[str]:
    """The words and phrases of an article, folded."""
    terms: set[str] = set()
    for passage in _BREAK.split(f"{article.title}\n{article.text}"):
        words = [word for word in _WORD.findall(fold(passage, accents=True)) if not word.isdigit()]
        for length in range(1, longest + 1):
            terms.update(" ".join(words[at : at + length]) for at in range(len(words) - length + 1))
    return terms
