"""Finds the themes of an article: each word is looked up, and rules are tried where theirs are."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from transforms.logic.themes.evidence import MOST_EVIDENCE, Passages
from transforms.logic.themes.explanation import RuleExplanation, ThemeExplanation
from transforms.logic.themes.model import Rule, Theme, check_themes
from transforms.logic.themes.nodes import Compiler, Needs, Node, is_one_a_place
from transforms.logic.themes.reading import Anchors, Reading
from transforms.logic.themes.scoring import (
    NOTHING,
    Matched,
    Score,
    overlap,
    points,
    repeated,
    score,
    without_covered,
)
from transforms.records import Level, ThemeHit

__all__ = ["MOST_EVIDENCE", "ThemeMatcher"]

UNKNOWN = "und"
_MOST_MISSES = 10  # that are told of one rule


class ThemeMatcher:
    """Themes, compiled. Build it once a process: it is not meant to be pickled.

    A rule with a language is tried on articles in that language, and on those of
    which the language is not known.

    Raises:
        ValueError: Two themes have one name.
    """

    def __init__(self, themes: Sequence[Theme]) -> None:
        check_themes(themes)
        self._keeps_accents = all(theme.accents == "exact" for theme in themes)
        self._themes = [
            _CompiledTheme(
                theme,
                {
                    rule.id: _CompiledRule(
                        rule,
                        accents=theme.accents == "exact",
                        haystack_accents=self._keeps_accents,
                    )
                    for rule in theme.rules
                },
            )
            for theme in sorted(themes, key=lambda theme: theme.theme)
        ]
        self._languages = {rule.language for theme in themes for rule in theme.rules}
        self._indexes: dict[str | None, _Index] = {}

    @property
    def literals(self) -> Sequence[str]:
        """What is looked for in a text first, folded and sorted."""
        rules = (rule for theme in self._themes for rule in theme.rules.values())
        return sorted({anchor.strip() for rule in rules for anchor in rule.anchors})

    def hits(
        self, title: str, text: str, *, language: str = UNKNOWN, source: str = ""
    ) -> tuple[ThemeHit, ...]:
        """The themes that reach their threshold for a mention, by name.

        Offsets of the evidence point into *title* and *text* as they are given.
        """
        reading = self._read(title, text, language, source)
        passages = Passages(title, text, reading)
        hits = []
        for number, rules in self._index(language).awake(reading):
            theme = self._themes[number]
            result = theme.evaluate(reading, rules)
            if result and (level := result.score.level):
                hits.append(_hit(theme.theme, result, level, passages))
        return tuple(hits)

    def explain(
        self, title: str, text: str, *, language: str = UNKNOWN, source: str = ""
    ) -> tuple[ThemeExplanation, ...]:
        """Every theme by name: its score, what made it, and what nearly did."""
        reading = self._read(title, text, language, source)
        passages = Passages(title, text, reading)
        return tuple(_explanation(theme, reading, passages) for theme in self._themes)

    def _read(self, title: str, text: str, language: str, source: str) -> Reading:
        return Reading(
            title,
            text,
            language=language,
            source=source,
            accents=self._keeps_accents,
            anchors=self._index(language).anchors,
        )

    def _index(self, language: str) -> "_Index":
        """The rules for articles in a language: one index for all languages without rules."""
        key = language if language == UNKNOWN or language in self._languages else None
        index = self._indexes.get(key)
        if index is None:
            index = self._indexes[key] = _Index(self._themes, language)
        return index


class _CompiledRule:
    """A rule with its tree, which is made when the first article comes that it is for."""

    def __init__(self, rule: Rule, *, accents: bool, haystack_accents: bool) -> None:
        self.rule = rule
        self._compiler = Compiler(accents=accents, haystack_accents=haystack_accents)

    @cached_property
    def node(self) -> Node:
        return self._compiler.node(self.rule.expression)

    @cached_property
    def anchors(self) -> frozenset[str]:
        """All that the tree looks for."""
        _ = self.node
        return frozenset(self._compiler.anchors)

    def is_for(self, language: str) -> bool:
        return self.rule.language in (None, language) or language == UNKNOWN


class _Result(NamedTuple):
    """What a theme has in one article: the matches that count, those that do not, the score."""

    counted: Matched
    covered: Matched
    score: Score


@dataclass(frozen=True, slots=True)
class _CompiledTheme:
    theme: Theme
    rules: Mapping[str, _CompiledRule]

    def evaluate(self, reading: Reading, rules: Iterable[_CompiledRule]) -> _Result | None:
        """Match and score these rules; no other one can match.

        Returns:
            None where nothing matches.
        """
        counted: Matched = [
            (one.rule, matches) for one in rules if (matches := one.node.matches(reading))
        ]
        covered: Matched = []
        if not counted:
            return None
        if overlap(counted):
            counted, covered = without_covered(counted)
        return _Result(counted, covered, score(self.theme, counted, reading))


class _Index:
    """The rules that are for articles in one language, by an anchor that they need."""

    def __init__(self, themes: Sequence[_CompiledTheme], language: str) -> None:
        self._mention = [theme.theme.thresholds.mention for theme in themes]
        # The most that a match counts for: in the lead, and anywhere.
        self._most_in_lead = max([1.0, *(theme.theme.lead_weight for theme in themes)])
        self._most = max([self._most_in_lead, *(theme.theme.title_weight for theme in themes)])
        self._woken: dict[str, list[_Entry]] = {}
        anchors: set[str] = set()
        for number, theme in enumerate(themes):
            for rule in theme.rules.values():
                if rule.is_for(language):
                    anchors |= rule.anchors
                    first, *others = rule.node.needs
                    entry = _Entry(number, rule, tuple(others), is_one_a_place(rule.node))
                    for anchor in first:
                        self._woken.setdefault(anchor, []).append(entry)
        self.anchors = Anchors(anchors)

    def awake(self, reading: Reading) -> list[tuple[int, Iterable[_CompiledRule]]]:
        """The themes that may be mentioned, in order, each with the rules that may match."""
        present = reading.places.keys()
        # Of each theme its rules, with the most that the matches of each count for.
        awake: dict[int, dict[_CompiledRule, float]] = {}
        for anchor, places in reading.places.items():
            for theme, rule, others, is_bounded in self._woken.get(anchor, ()):
                if not others or not any(map(present.isdisjoint, others)):
                    rules = awake.setdefault(theme, {})
                    amount = self._most_amount(places, reading) if is_bounded else math.inf
                    rules[rule] = rules.get(rule, 0.0) + amount
        return [
            (theme, rules)
            for theme, rules in sorted(awake.items())
            if _most_points(rules) >= self._mention[theme]
        ]

    def _most_amount(self, places: Sequence[int], reading: Reading) -> float:
        """The most that matches which begin at these places count for."""
        first = places[0] + 1  # after the blank that an anchor begins with
        if first >= reading.lead_end_place:
            return len(places)
        in_title = first < reading.haystack.text_start
        return len(places) * (self._most if in_title else self._most_in_lead)


class _Entry(NamedTuple):
    """A rule of a theme, and what it needs beside the anchor that it is found by.

    Attributes:
        is_bounded: Whether it matches no more often than its anchors are there.
    """

    theme: int
    rule: _CompiledRule
    others: Needs
    is_bounded: bool


def _most_points(rules: Mapping[_CompiledRule, float]) -> float:
    """More than these rules add up to, whatever is covered; the score is rounded."""
    most = 0.001
    for one, amount in rules.items():
        if one.rule.weight > 0:
            most += one.rule.weight * repeated(amount) + 0.001
    return most


def _hit(theme: Theme, result: _Result, level: Level, passages: Passages) -> ThemeHit:
    # Validating all at once takes half of the time of one record after the other.
    return ThemeHit.model_validate(
        {
            "theme": theme.theme,
            "score": result.score.value,
            "level": level,
            "evidence": passages.best(result.counted),
            "queries": [
                {"query": query, "matches": matches}
                for query, matches in sorted(
                    [(rule.id, len(matches)) for rule, matches in result.counted]
                )
            ],
        }
    )


def _explanation(
    compiled: _CompiledTheme, reading: Reading, passages: Passages
) -> ThemeExplanation:
    theme = compiled.theme
    rules = [rule for rule in compiled.rules.values() if rule.is_for(reading.language)]
    result = compiled.evaluate(reading, rules) or _Result([], [], NOTHING)
    scored = result.score
    counted = {rule.id: matches for rule, matches in result.counted}
    owners = {
        word: rule for rule, matches in counted.items() for match in matches for word in match
    }
    covered = Counter(
        rule.id
        for rule, matches in result.covered
        for match in matches
        if any(owners.get(word, rule.id) != rule.id for word in match)
    )
    explained = []
    for one in rules:
        name = one.rule.id
        matches = counted.get(name, ())
        value, title, lead, rest = points(theme, one.rule, matches, reading)
        explanation = RuleExplanation(
            query=name,
            text=one.rule.query,
            weight=one.rule.weight,
            points=value,
            title=title,
            lead=lead,
            rest=rest,
            matches=tuple(piece for match in matches for piece in passages.evidence(name, match)),
            covered=covered[name],
            near_misses=tuple(dict.fromkeys(islice(one.node.near_misses(reading), _MOST_MISSES))),
        )
        if explanation.matches or explanation.covered or explanation.near_misses:
            explained.append(explanation)
    return ThemeExplanation(
        theme=theme.theme,
        score=scored.value,
        level=scored.level,
        mention=theme.thresholds.mention,
        focus=theme.thresholds.focus,
        title_weight=theme.title_weight,
        lead_weight=theme.lead_weight,
        stands_out=scored.stands_out,
        queries=tuple(sorted(explained, key=lambda one: (-one.points, one.query))),
        near_misses=tuple(_missed_levels(theme, scored)),
    )


def _missed_levels(theme: Theme, scored: Score) -> Iterator[str]:
    if scored.level is None and scored.value > 0:
        needed = theme.thresholds.mention
        yield f"mention needs {needed:g}, the score is {scored.value:g}"
    if scored.level == "mention":
        needed = theme.thresholds.focus
        if scored.value < needed:
            yield f"focus needs {needed:g}, the score is {scored.value:g}"
        else:
            yield "focus needs the theme in the title, in the lead or all over the text"
