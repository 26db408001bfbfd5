"""From matches to a score and a level. docs/themes.md states the same in words and figures.

Inside a theme the longest match wins: words that belong to a longer match do
not match again. A rule's first match gives its weight, repeats give less and
less, never more than the weight again; the score of a theme is the sum. So one
common word stays small however often it stands there, and several different
ones add up. A match counts for more in the title and in the lead.
"""

from collections.abc import Iterable, Sequence
from math import fsum
from typing import NamedTuple

from transforms.logic.themes.model import Theme
from transforms.logic.themes.reading import LEAD, Match, Reading
from transforms.records import Level

# Characters of text in which an article that is about a theme names it once or more.
_STRETCH = LEAD


class Found(NamedTuple):
    """A match of a rule of the theme that is scored. In text order where sorted."""

    match: Match
    rule: str
    weight: float


class Points(NamedTuple):
    """What a rule adds to the score, and from how many matches."""

    value: float
    title: int
    lead: int
    rest: int


class Score(NamedTuple):
    """How strongly an article speaks of a theme, and why.

    Attributes:
        value: The score, not below 0, rounded to 3 places.
        level: None below the theme's threshold for a mention.
        points: What each rule that counts adds, by its id.
        stands_out: Whether the theme is in the title, in the lead or all over the text.
    """

    value: float
    level: Level | None
    points: dict[str, Points]
    stands_out: bool


NOTHING = Score(0.0, None, {}, stands_out=False)


def most_points(weight: float) -> float:
    """More than a rule of this weight can add, however often it matches."""
    return max(2 * weight, 0.0) + 0.001


def points_before_overlaps(
    theme: Theme, matched: Iterable[tuple[float, Sequence[Match]]], reading: Reading
) -> float:
    """More than a theme's score, told before it is known which matches count.

    Args:
        matched: Weights of rules, each with its matches.
    """
    text_start, lead_end = reading.text_start, reading.lead_end
    points = 0.001
    for weight, matches in matched:
        if weight > 0:
            amount = 0.0
            for match in matches:
                if match[0] >= lead_end:
                    amount += 1
                else:
                    in_title = match[0] < text_start
                    amount += theme.title_weight if in_title else theme.lead_weight
            points += weight * (2 - 2 ** (1 - amount)) + 0.001
    return points


def split_by_length(found: Iterable[Found]) -> tuple[list[Found], list[Found]]:
    """Matches that count, and those that have a word in common with a longer one.

    Of matches of equally many words the one with more weight counts, then the
    first. Both lists are in text order.
    """
    counted = sorted(found)
    if not _overlap(counted):
        return counted, []
    taken: set[int] = set()
    chosen: list[Found] = []
    covered: list[Found] = []
    for one in sorted(counted, key=_longest_first):
        if taken.isdisjoint(one.match):
            taken.update(one.match)
            chosen.append(one)
        else:
            covered.append(one)
    return sorted(chosen), sorted(covered)


def _overlap(found: Sequence[Found]) -> bool:
    words = [word for one in found for word in one.match]
    return len(set(words)) < len(words)


def _longest_first(one: Found) -> tuple[int, float, Match, str]:
    return -len(one.match), -abs(one.weight), one.match, one.rule


def score(theme: Theme, found: Sequence[Found], reading: Reading) -> Score:
    """Score the matches that count in one article, which are in text order."""
    text_start, lead_end = reading.text_start, reading.lead_end
    weights: dict[str, float] = {}
    tallies: dict[str, list[int]] = {}
    telling: list[int] = []
    for match, rule, weight in found:
        if rule not in tallies:
            weights[rule], tallies[rule] = weight, [0, 0, 0]
        tallies[rule][(match[0] >= text_start) + (match[0] >= lead_end)] += 1
        if weight > 0:
            telling.append(match[0])
    points = {}
    for rule, (title, lead, rest) in tallies.items():
        amount = title * theme.title_weight + lead * theme.lead_weight + rest
        points[rule] = Points(round(weights[rule] * (2 - 2 ** (1 - amount)), 3), title, lead, rest)
    value = max(0.0, round(fsum(value for value, *_ in points.values()), 3))
    stands_out = bool(telling) and (
        telling[0] < lead_end or len(telling) * _STRETCH >= reading.text_length
    )
    level: Level | None = None
    if telling and value >= theme.thresholds.mention:
        level = "focus" if stands_out and value >= theme.thresholds.focus else "mention"
    return Score(value, level, points, stands_out)
