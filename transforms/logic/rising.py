"""Terms that rose: words that stand in more of the recent stories than of those before.

The measure is the log-likelihood ratio of Dunning (1993, Computational Linguistics 19:61),
which holds for rare words, too, where a chi-squared test does not.
"""

import math
from collections import Counter
from collections.abc import Iterable, Set
from typing import Final, NamedTuple

FEWEST_STORIES: Final = 3  # recent ones that a term stands in
LEAST: Final = 10.83  # what one term in a thousand that did not rise comes to

_FEWEST_BEFORE = 20  # stories; fewer say nothing of what is usual


class Risen(NamedTuple):
    """A term, in how many stories it stands, and how sure it is that it rose."""

    term: str
    recent: int
    before: int
    likelihood_ratio: float


def risen(recent: Iterable[Set[str]], before: Iterable[Set[str]]) -> list[Risen]:
    """The terms that rose, the surest first; none where too little is known from before.

    Args:
        recent: The terms of each recent story.
        before: The same of the stories before them.
    """
    now, recent_stories = _count(recent)
    then, earlier_stories = _count(before)
    if earlier_stories < _FEWEST_BEFORE:
        return []
    found = [
        Risen(term, count, then[term], ratio)
        for term, count in now.items()
        if count >= FEWEST_STORIES and count * earlier_stories > then[term] * recent_stories
        if (ratio := _likelihood_ratio(count, recent_stories, then[term], earlier_stories)) > LEAST
    ]
    return sorted(found, key=lambda one: (-one.likelihood_ratio, one.term))


def _count(stories: Iterable[Set[str]]) -> tuple[Counter[str], int]:
    terms: Counter[str] = Counter()
    number = 0
    for story in stories:
        terms.update(story)
        number += 1
    return terms, number


def _likelihood_ratio(a: int, of_a: int, b: int, of_b: int) -> float:
    """Twice the logarithm of how much likelier two shares make what was seen than one."""
    apart = _log_likelihood(a, of_a, a / of_a) + _log_likelihood(b, of_b, b / of_b)
    share = (a + b) / (of_a + of_b)
    together = _log_likelihood(a, of_a, share) + _log_likelihood(b, of_b, share)
    return 2 * (apart - together)


def _log_likelihood(with_it: int, of: int, share: float) -> float:
    without = of - with_it
    return (with_it * math.log(share) if with_it else 0.0) + (
        without * math.log1p(-share) if without else 0.0
    )
