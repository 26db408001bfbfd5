"""Finds the themes of an article: all terms of all themes in one pass over the text."""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from ahocorasick_rs import MATCHKIND_STANDARD, AhoCorasick, Implementation

from transforms.logic.text import REACH, sentence_span
from transforms.logic.themes.explanation import QueryExplanation, ThemeExplanation
from transforms.logic.themes.folding import Haystack
from transforms.logic.themes.model import Query, Theme, check_themes
from transforms.logic.themes.queries import AllOf, AnyOf, Node, Reading, Unless
from transforms.logic.themes.scoring import Found, Score, score, split_by_length
from transforms.logic.themes.terms import Span
from transforms.records import Evidence, Level, QueryCount, TextField, ThemeHit

MOST_EVIDENCE = 10

# Bytes of patterns up to which the automaton is a table of all transitions. It
# reads a text in two thirds of the time, and takes 85 bytes for each of these.
_LARGEST_TABLE = 500_000


class ThemeMatcher:
    """Themes, compiled. Build it once a process: it is not meant to be pickled.

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
                    name: _CompiledQuery(
                        query.weight, _compile(query, theme, haystack_accents=self._keeps_accents)
                    )
                    for name, query in theme.by_id.items()
                },
            )
            for theme in sorted(themes, key=lambda theme: theme.theme)
        ]
        #: By anchor, the queries that cannot match without it or one like it, and what else
        #: they need.
        self._woken: dict[str, list[tuple[int, str, tuple[frozenset[str], ...]]]] = {}
        anchors: set[str] = set()
        for number, theme in enumerate(self._themes):
            for name, query in theme.queries.items():
                anchors |= query.node.anchors
                first, *others = query.node.needs
                for anchor in first:
                    self._woken.setdefault(anchor, []).append((number, name, tuple(others)))
        self._anchors = sorted(anchors)
        small = sum(len(anchor.encode()) for anchor in anchors) <= _LARGEST_TABLE
        self._automaton = AhoCorasick(
            self._anchors,
            matchkind=MATCHKIND_STANDARD,
            implementation=Implementation.DFA if small else Implementation.ContiguousNFA,
            store_patterns=False,
        )

    @property
    def literals(self) -> Sequence[str]:
        """What is looked for in a text first, folded and sorted."""
        return self._anchors

    def hits(self, title: str, text: str) -> tuple[ThemeHit, ...]:
        """The themes that reach their threshold for a mention, by name.

        Offsets of the evidence point into *title* and *text* as they are given.
        """
        reading = self._read(title, text)
        if not reading.places:
            return ()
        awake: dict[int, set[str]] = {}
        for anchor in reading.places:
            for number, name, others in self._woken.get(anchor, ()):
                if not any(needed.isdisjoint(reading.places) for needed in others):
                    awake.setdefault(number, set()).add(name)
        passages = _Passages(title, text, reading.haystack)
        hits = []
        for number in sorted(awake):
            result = self._themes[number].evaluate(reading, awake[number])
            if level := result.score.level:
                hits.append(_hit(self._themes[number].theme, result, level, passages))
        return tuple(hits)

    def explain(self, title: str, text: str) -> tuple[ThemeExplanation, ...]:
        """Every theme by name: its score, what made it, and what nearly did."""
        reading = self._read(title, text)
        passages = _Passages(title, text, reading.haystack)
        return tuple(_explanation(theme, reading, passages) for theme in self._themes)

    def _read(self, title: str, text: str) -> Reading:
        haystack = Haystack(title, text, accents=self._keeps_accents)
        places: dict[str, list[Span]] = {}
        for number, start, end in self._automaton.find_matches_as_indexes(
            haystack.folded, overlapping=True
        ):
            places.setdefault(self._anchors[number], []).append((start, end))
        return Reading(haystack, places)


@dataclass(frozen=True, slots=True)
class _CompiledQuery:
    weight: float
    node: Node


@dataclass(frozen=True, slots=True)
class _Result:
    """What a theme has in one article: the matches that count, those that do not, the score."""

    counted: list[Found]
    covered: list[Found]
    score: Score


_NOTHING = _Result([], [], Score(0.0, None, {}, stands_out=False))


@dataclass(frozen=True, slots=True)
class _CompiledTheme:
    theme: Theme
    queries: Mapping[str, _CompiledQuery]

    def evaluate(self, reading: Reading, names: Iterable[str]) -> _Result:
        """Match and score the queries of these *names*; no other one can match."""
        found = [
            Found(name, self.queries[name].weight, reading.field(match), match)
            for name in names
            for match in self.queries[name].node.matches(reading)
        ]
        if not found:
            return _NOTHING
        haystack = reading.haystack
        counted, covered = split_by_length(found, len(haystack.folded))
        return _Result(
            counted,
            covered,
            score(
                self.theme,
                counted,
                text_start=haystack.text_start,
                text_end=len(haystack.folded) - 1,
            ),
        )


def _compile(query: Query, theme: Theme, *, haystack_accents: bool) -> Node:
    def any_of(terms: Iterable[str]) -> AnyOf:
        return AnyOf(
            terms,
            accents=theme.accents == "exact",
            haystack_accents=haystack_accents,
            field=query.field,
        )

    parts = [any_of(part) for part in query.parts]
    node: Node = parts[0] if len(parts) == 1 else AllOf(parts, within=query.within)
    return Unless(node, any_of(query.none), within=query.within) if query.none else node


class _Passages:
    """Evidence in one article; finds each sentence once."""

    def __init__(self, title: str, text: str, haystack: Haystack) -> None:
        self._title = title
        self._text = text
        self._haystack = haystack
        self._sentences: list[Span] = []

    def evidence(self, found: Found) -> list[Evidence]:
        """The words of a match: one piece a sentence that it has words in."""
        spans: list[tuple[TextField, int, int, Span]] = []
        for field, start, end in (self._haystack.located(*span) for span in found.match):
            if spans and spans[-1][0] == field and end <= spans[-1][3][1]:
                _, first, _, sentence = spans.pop()
                spans.append((field, first, end, sentence))
            else:
                spans.append((field, start, end, self._sentence(field, start, end)))
        return [self._piece(found.query, *span) for span in spans]

    def _piece(
        self, query: str, field: TextField, start: int, end: int, sentence: Span
    ) -> Evidence:
        whole = self._title if field == "title" else self._text
        return Evidence(
            query=query,
            words=whole[start:end],
            field=field,
            start=start,
            end=end,
            sentence=whole[slice(*sentence)],
        )

    def _sentence(self, field: TextField, start: int, end: int) -> Span:
        if field == "title":
            return 0, len(self._title)
        at = bisect_right(self._sentences, (start, len(self._text))) - 1
        if at >= 0 and end <= self._sentences[at][1]:
            return self._sentences[at]
        first, last = sentence = sentence_span(self._text, start, end)
        # Kept where all words in it have the same one: where it is one sentence, and not cut off.
        is_whole = start - first < REACH and last - end < REACH
        if is_whole and sentence_span(self._text, start, start + 1) == sentence:
            insort(self._sentences, sentence)
        return sentence


def _hit(theme: Theme, result: _Result, level: Level, passages: _Passages) -> ThemeHit:
    counts = Counter(found.query for found in result.counted)
    return ThemeHit(
        theme=theme.theme,
        score=result.score.value,
        level=level,
        evidence=tuple(islice(_best_evidence(result.counted, passages), MOST_EVIDENCE)),
        queries=tuple(QueryCount(query=query, matches=counts[query]) for query in sorted(counts)),
    )


def _best_evidence(counted: Iterable[Found], passages: _Passages) -> Iterator[Evidence]:
    """Evidence for a theme, best first.

    The first match of each query comes before all second ones, and so on; among
    these the heavier query, then the earlier place. What stands in a sentence
    that was already shown comes after all others.
    """
    seen: Counter[str] = Counter()
    ranked = []
    for found in counted:
        if found.weight > 0:
            ranked.append((seen[found.query], -found.weight, found.start, found))
            seen[found.query] += 1
    shown: set[str] = set()
    later = []
    for *_, found in sorted(ranked, key=lambda ranks: ranks[:3]):
        for piece in passages.evidence(found):
            if piece.sentence in shown:
                later.append(piece)
            else:
                shown.add(piece.sentence)
                yield piece
    yield from later


def _explanation(
    compiled: _CompiledTheme, reading: Reading, passages: _Passages
) -> ThemeExplanation:
    theme, queries = compiled.theme, compiled.queries
    result = compiled.evaluate(reading, queries)
    scored = result.score
    covered = Counter(found.query for found in result.covered)
    explained = []
    for name, query in queries.items():
        explanation = QueryExplanation(
            query=name,
            weight=query.weight,
            points=scored.points.get(name, 0.0),
            matches=tuple(
                piece
                for found in result.counted
                if found.query == name
                for piece in passages.evidence(found)
            ),
            covered=covered[name],
            near_misses=tuple(query.node.near_misses(reading)),
        )
        if explanation.matches or explanation.covered or explanation.near_misses:
            explained.append(explanation)
    return ThemeExplanation(
        theme=theme.theme,
        score=scored.value,
        level=scored.level,
        mention=theme.thresholds.mention,
        focus=theme.thresholds.focus,
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
