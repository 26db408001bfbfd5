"""Finds the themes of an article: each word is looked up, and rules are tried where theirs are."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from transforms.logic.themes.evidence import MOST_EVIDENCE, Passages
from transforms.logic.themes.explanation import RuleExplanation, ThemeExplanation
from transforms.logic.themes.model import Rule, Theme, check_themes
from transforms.logic.themes.nodes import Compiler, Needs, Node
from transforms.logic.themes.reading import Anchors, Reading
from transforms.logic.themes.scoring import (
    NOTHING,
    Found,
    Score,
    most_points,
    points_before_overlaps,
    score,
    split_by_length,
)
from transforms.records import Level, QueryCount, ThemeHit

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
            _CompiledTheme(theme, {rule.id: self._compiled(rule, theme) for rule in theme.rules})
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
            mention = theme.theme.thresholds.mention
            result = theme.evaluate(reading, rules, least=mention)
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

    def _compiled(self, rule: Rule, theme: Theme) -> "_CompiledRule":
        compiler = Compiler(accents=theme.accents == "exact", haystack_accents=self._keeps_accents)
        node = compiler.node(rule.expression)
        return _CompiledRule(rule, node, frozenset(compiler.anchors))

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


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    rule: Rule
    node: Node
    anchors: frozenset[str]

    def is_for(self, language: str) -> bool:
        return self.rule.language in (None, language) or language == UNKNOWN


class _Result(NamedTuple):
    """What a theme has in one article: the matches that count, those that do not, the score."""

    counted: list[Found]
    covered: list[Found]
    score: Score


@dataclass(frozen=True, slots=True)
class _CompiledTheme:
    theme: Theme
    rules: Mapping[str, _CompiledRule]

    def evaluate(
        self, reading: Reading, rules: Iterable[_CompiledRule], *, least: float = 0.0
    ) -> _Result | None:
        """Match and score these rules; no other one can match.

        Returns:
            None where nothing matches, or where the score is below *least* for certain.
        """
        matched = [(one.rule, matches) for one in rules if (matches := one.node.matches(reading))]
        if not matched:
            return None
        weighed = ((rule.weight, matches) for rule, matches in matched)
        if points_before_overlaps(self.theme, weighed, reading) < least:
            return None
        found = [
            Found(match, rule.id, rule.weight) for rule, matches in matched for match in matches
        ]
        counted, covered = split_by_length(found)
        return _Result(counted, covered, score(self.theme, counted, reading))


class _Index:
    """The rules that are for articles in one language, by an anchor that they need."""

    def __init__(self, themes: Sequence[_CompiledTheme], language: str) -> None:
        self._mention = [theme.theme.thresholds.mention for theme in themes]
        self._woken: dict[str, list[_Entry]] = {}
        anchors: set[str] = set()
        for number, theme in enumerate(themes):
            for rule in theme.rules.values():
                if rule.is_for(language):
                    anchors |= rule.anchors
                    first, *others = rule.node.needs
                    entry = _Entry(number, rule, tuple(others), most_points(rule.rule.weight))
                    for anchor in first:
                        self._woken.setdefault(anchor, []).append(entry)
        self.anchors = Anchors(anchors)

    def awake(self, reading: Reading) -> list[tuple[int, list[_CompiledRule]]]:
        """The themes that may be mentioned, in order, each with the rules that may match."""
        present = reading.places.keys()
        awake: dict[int, dict[str, _Entry]] = {}
        for anchor in present:
            for entry in self._woken.get(anchor, ()):
                if not any(map(present.isdisjoint, entry.others)):
                    awake.setdefault(entry.theme, {})[entry.rule.rule.id] = entry
        return [
            (theme, [entry.rule for entry in awake[theme].values()])
            for theme in sorted(awake)
            if sum(entry.most_points for entry in awake[theme].values()) >= self._mention[theme]
        ]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A rule of a theme, and what it needs beside the anchor that it is found by."""

    theme: int
    rule: _CompiledRule
    others: Needs
    most_points: float


def _hit(theme: Theme, result: _Result, level: Level, passages: Passages) -> ThemeHit:
    return ThemeHit(
        theme=theme.theme,
        score=result.score.value,
        level=level,
        evidence=passages.best(result.counted),
        queries=tuple(
            QueryCount(query=rule, matches=sum(points[1:]))
            for rule, points in sorted(result.score.points.items())
        ),
    )


def _explanation(
    compiled: _CompiledTheme, reading: Reading, passages: Passages
) -> ThemeExplanation:
    theme = compiled.theme
    rules = [rule for rule in compiled.rules.values() if rule.is_for(reading.language)]
    result = compiled.evaluate(reading, rules) or _Result([], [], NOTHING)
    scored = result.score
    owners = {word: found.rule for found in result.counted for word in found.match}
    covered = Counter(
        found.rule
        for found in result.covered
        if any(owners.get(word, found.rule) != found.rule for word in found.match)
    )
    explained = []
    for one in rules:
        name, points = one.rule.id, scored.points.get(one.rule.id)
        explanation = RuleExplanation(
            query=name,
            text=one.rule.query,
            weight=one.rule.weight,
            points=points.value if points else 0.0,
            title=points.title if points else 0,
            lead=points.lead if points else 0,
            rest=points.rest if points else 0,
            matches=tuple(
                piece
                for found in result.counted
                if found.rule == name
                for piece in passages.evidence(found)
            ),
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
