"""From matches to a score and a level. docs/themes.md states the same in words and figures.

Inside a theme the longest match wins: words that belong to a longer match do
not match again. A rule's first match gives its weight, repeats give less and
less, never more than the weight again; the score of a theme is the sum. So one
common word stays small however often it stands there, and several different
ones add up. A match counts for more in the title and in the lead.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from transforms.logic.themes.model import Rule, Theme
from transforms.logic.themes.reading import LEAD, Match, Reading
from transforms.records import Level

# Characters of text in which an article that is about a theme names it once or more.
_STRETCH = LEAD


# The rules of a theme that match, each with its matches in text order.
Matched = Sequence[tuple[Rule, Sequence[Match]]]


class Found(NamedTuple):
    """A match of a rule of the theme that is scored. In text order where sorted."""

    match: Match
    rule: str
    weight: float


class Score(NamedTuple):
    """How strongly an article speaks of a theme, and why.

    Attributes:
        value: The score, not below 0, rounded to 3 places.
        level: None below the theme's threshold for a mention.
        stands_out: Whether the theme is in the title, in the lead or all over the text.
    """

    value: float
    level: Level | None
    stands_out: bool


NOTHING = Score(0.0, None, stands_out=False)


def repeated(amount: float) -> float:
    """How many times its weight a rule adds, which is 2 at most.

    Args:
        amount: How many matches it has, those in the title and the lead by their weights.
    """
    return 2.0 - math.exp2(1.0 - amount)


def overlap(matched: Matched) -> bool:
    """Whether two matches have a word in common."""
    if len(matched) == 1 == len(matched[0][1]):
        return False
    words = [word for _, matches in matched for match in matches for word in match]
    return len(set(words)) < len(words)


def without_covered(matched: Matched) -> tuple[Matched, Matched]:
    """Matches that count, and those that have a word in common with a longer one."""
    rules = {rule.id: rule for rule, _ in matched}
    found = (Found(match, rule.id, rule.weight) for rule, matches in matched for match in matches)
    counted, covered = split_by_length(found)
    return _by_rule(rules, counted), _by_rule(rules, covered)


def _by_rule(rules: Mapping[str, Rule], found: Iterable[Found]) -> Matched:
    matches: dict[str, list[Match]] = {}
    for match, rule, _ in found:
        matches.setdefault(rule, []).append(match)
    return [(rules[rule], matches[rule]) for rule in matches]


def split_by_length(found: Iterable[Found]) -> tuple[list[Found], list[Found]]:
    """Matches that count, and those that have a word in common with a longer one.

    Of matches of equally many words the one with more weight counts, then the
    first. Both lists are in text order.
    """
    taken: set[int] = set()
    chosen: list[Found] = []
    covered: list[Found] = []
    for one in sorted(found, key=_longest_first):
        if taken.isdisjoint(one.match):
            taken.update(one.match)
            chosen.append(one)
        else:
            covered.append(one)
    return sorted(chosen), sorted(covered)


def _longest_first(one: Found) -> tuple[int, float, Match, str]:
    return -len(one.match), -abs(one.weight), one.match, one.rule


def score(theme: Theme, counted: Matched, reading: Reading) -> Score:
    """Score the matches that count in one article."""
    values = []
    telling, is_early = 0, False
    for rule, matches in counted:
        value, title, lead, _ = points(theme, rule, matches, reading)
        values.append(value)
        if rule.weight > 0:
            telling += len(matches)
            is_early = is_early or title + lead > 0
    value = max(0.0, round(math.fsum(values), 3))
    stands_out = is_early or (telling > 0 and telling * _STRETCH >= reading.text_length)
    level: Level | None = None
    if telling and value >= theme.thresholds.mention:
        level = "focus" if stands_out and value >= theme.thresholds.focus else "mention"
    return Score(value, level, stands_out)


def points(
    theme: Theme, rule: Rule, matches: Sequence[Match], reading: Reading
) -> tuple[float, int, int, int]:
    """What a rule adds, and how many matches it has in the title, the lead and the rest."""
    title = lead = 0
    if matches and matches[0][0] < reading.lead_end:
        title = bisect_left(matches, (reading.text_start,))
        lead = bisect_left(matches, (reading.lead_end,), title) - title
    rest = len(matches) - title - lead
    amount = title * theme.title_weight + lead * theme.lead_weight + rest
    # A zero without the sign that a negative weight would give it.
    value = round(rule.weight * repeated(amount), 3) or 0.0
    return value, title, lead, rest
