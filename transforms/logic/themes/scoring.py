"""From matches to a score and a level. docs/themes.md states the same in words and figures.

Inside a theme the longest match wins: words that belong to a longer match do
not match again. A query's first match gives its weight, repeats give less and
less, never more than the weight again; the score of a theme is the sum. So one
common word stays small however often it stands there, and several different
ones add up.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from transforms.logic.themes.model import Theme
from transforms.logic.themes.queries import Match
from transforms.records import Level, TextField

# Characters of text: the lead of an article, and the stretch in which an article
# that is about a theme names it once or more. About a hundred words.
STRETCH = 600


@dataclass(frozen=True, slots=True)
class Found:
    """A match of a query of the theme that is scored."""

    query: str
    weight: float
    field: TextField
    match: Match

    @property
    def start(self) -> int:
        """Where its first word begins."""
        return self.match[0][0]


@dataclass(frozen=True, slots=True)
class Score:
    """How strongly an article speaks of a theme, and why.

    Attributes:
        value: The score, not below 0, rounded to 3 places.
        level: None below the theme's threshold for a mention.
        points: What each query that counts adds, by its id.
        stands_out: Whether the theme is in the title, in the lead or all over the text.
    """

    value: float
    level: Level | None
    points: dict[str, float]
    stands_out: bool


def split_by_length(found: Iterable[Found], length: int) -> tuple[list[Found], list[Found]]:
    """Matches that count, and those that have a word in common with a longer one.

    Of equally long ones the one with more weight counts, then the first. Both
    lists are in text order.

    Args:
        length: A bound of all offsets.
    """
    taken = bytearray(length)
    counted: list[Found] = []
    covered: list[Found] = []
    for one in sorted(found, key=_longest_first):
        if any(taken.find(1, start, end) >= 0 for start, end in one.match):
            covered.append(one)
            continue
        counted.append(one)
        for start, end in one.match:
            taken[start:end] = b"\1" * (end - start)
    counted.sort(key=_in_text_order)
    covered.sort(key=_in_text_order)
    return counted, covered


def _longest_first(one: Found) -> tuple[int, float, int, str]:
    length = sum(end - start for start, end in one.match)
    return -length, -abs(one.weight), one.start, one.query


def _in_text_order(one: Found) -> tuple[int, str]:
    return one.start, one.query


def score(theme: Theme, found: Sequence[Found], *, text_start: int, text_end: int) -> Score:
    """Score the matches that count in one article.

    Args:
        text_start: Offset at which the text begins, after the title.
        text_end: Offset at which it ends.
    """
    amounts: dict[str, float] = {}
    weights: dict[str, float] = {}
    for one in found:
        amount = theme.title_weight if one.field == "title" else 1.0
        amounts[one.query] = amounts.get(one.query, 0.0) + amount
        weights[one.query] = one.weight
    points = {
        query: round(weights[query] * (2 - 2 ** (1 - amount)), 3)
        for query, amount in sorted(amounts.items())
    }
    value = max(0.0, round(fsum(points.values()), 3))
    telling = [one for one in found if one.weight > 0]
    stands_out = bool(telling) and (
        telling[0].start < text_start + STRETCH or len(telling) * STRETCH >= text_end - text_start
    )
    level: Level | None = None
    if telling and value >= theme.thresholds.mention:
        level = "focus" if stands_out and value >= theme.thresholds.focus else "mention"
    return Score(value, level, points, stands_out)
