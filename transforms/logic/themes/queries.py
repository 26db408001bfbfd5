"""Compiled queries: small trees that are evaluated over what an automaton found.

A node says which anchors it cannot match without, so that it is evaluated only
where one of them was found.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, islice
from typing import Protocol

from transforms.logic.themes.folding import Haystack
from transforms.logic.themes.spelling import spellings
from transforms.logic.themes.terms import Span, Spelling, combining_marks, normal_term
from transforms.records import TextField

# The words that made a query match: spans in text order, none overlapping another.
Match = tuple[Span, ...]


class Reading:
    """One article as the trees see it.

    Args:
        places: Where each anchor stands, in text order, by the anchor.
    """

    __slots__ = ("haystack", "places")

    def __init__(self, haystack: Haystack, places: Mapping[str, Sequence[Span]]) -> None:
        self.haystack = haystack
        self.places = places

    def field(self, match: Match) -> TextField:
        """Where a match begins."""
        return "title" if match[0][0] < self.haystack.text_start else "text"

    def words(self, matches: Iterable[Match], at_most: int | None = None) -> int | None:
        """How many words the shortest stretch with all the *matches* has.

        Returns:
            The number, counted no further than *at_most*; None where they
            stand in title and text.
        """
        matches = tuple(matches)
        if len(set(map(self.field, matches))) > 1:
            return None
        start = min(match[0][0] for match in matches)
        end = max(match[-1][1] for match in matches)
        words = _word(marked=self.haystack.marked).finditer(self.haystack.folded, start, end)
        return sum(1 for _ in islice(words, at_most))

    def together(self, matches: Iterable[Match], within: int | None) -> bool:
        """Whether the *matches* stand in a stretch of *within* words; None asks for nothing."""
        if within is None:
            return True
        words = self.words(matches, within + 1)
        return words is not None and words <= within


class Node(Protocol):
    """A part of a compiled query."""

    #: All anchors that it looks for.
    anchors: frozenset[str]
    #: Sets of anchors: one of each must be in the article, or nothing matches. The set
    #: that the fewest articles are expected to have an anchor of comes first.
    needs: tuple[frozenset[str], ...]

    def matches(self, reading: Reading) -> list[Match]:
        """All matches in text order."""

    def near_misses(self, reading: Reading) -> Iterator[str]:
        """What kept it from matching where it nearly did, in words."""


class AnyOf:
    """One of several terms; where they overlap, the leftmost and then the longest.

    Args:
        terms: As the analyst wrote them.
        accents: Whether accents count.
        haystack_accents: Whether the haystacks keep theirs.
        field: The only field to look in.
    """

    def __init__(
        self,
        terms: Iterable[str],
        *,
        accents: bool,
        haystack_accents: bool,
        field: TextField | None = None,
    ) -> None:
        self._accents = accents
        self._field = field
        self._spellings: dict[str, list[Spelling]] = {}
        for term in terms:
            for exact in spellings(normal_term(term)):
                spelling = Spelling(exact, accents=haystack_accents)
                self._spellings.setdefault(spelling.anchor, []).append(spelling)
        self.anchors = frozenset(self._spellings)
        self.needs: tuple[frozenset[str], ...] = (self.anchors,)

    def matches(self, reading: Reading) -> list[Match]:
        spans: set[Span] = set()
        for anchor in self._spellings.keys() & reading.places.keys():
            for spelling in self._spellings[anchor]:
                spans |= spelling.spans(
                    reading.haystack, reading.places[anchor], accents=self._accents
                )
        found: list[Match] = []
        free = 0
        for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
            match = ((start, end),)
            if start >= free and self._field in (None, reading.field(match)):
                found.append(match)
                free = end
        return found

    def near_misses(self, reading: Reading) -> Iterator[str]:
        return iter(())


class AllOf:
    """Each of several parts, and all of them in a window of words if there is one.

    The tightest group of parts is a match first, then the next; no part's
    match belongs to two groups.
    """

    def __init__(self, parts: Sequence[Node], *, within: int | None = None) -> None:
        self._parts = parts
        self._within = within
        self.anchors = frozenset().union(*(part.anchors for part in parts))
        self.needs = tuple(sorted(chain(*(part.needs for part in parts)), key=_commonness))

    def matches(self, reading: Reading) -> list[Match]:
        found = []
        used: set[tuple[int, Match]] = set()
        for group in sorted(self._groups(reading), key=_width_and_start):
            members = set(enumerate(group))
            if used.isdisjoint(members) and reading.together(group, self._within):
                used |= members
                found.append(_joined(group))
        return sorted(found)

    def near_misses(self, reading: Reading) -> Iterator[str]:
        groups = self._groups(reading)
        if groups and not self.matches(reading):
            widths = [width for group in groups if (width := reading.words(group)) is not None]
            yield (
                f"its parts are there, but in {min(widths)} words instead of {self._within}"
                if widths
                else "its parts are there, but some in the title and some in the text"
            )

    def _groups(self, reading: Reading) -> list[tuple[Match, ...]]:
        """At each match of a part, the latest match of each, in the order of the parts."""
        found: list[tuple[int, int, int, Match]] = []
        for number, part in enumerate(self._parts):
            matches = part.matches(reading)
            if not matches:
                return []
            found += ((match[-1][1], match[0][0], number, match) for match in matches)
        groups = []
        latest: dict[int, Match] = {}
        for _, _, number, match in sorted(found):
            latest[number] = match
            if len(latest) == len(self._parts):
                groups.append(tuple(latest[number] for number in range(len(latest))))
        return groups


class Unless:
    """A part that does not match where terms stand near it or, without a window, anywhere."""

    def __init__(self, part: Node, excluded: AnyOf, *, within: int | None = None) -> None:
        self._part = part
        self._excluded = excluded
        self._within = within
        self.anchors = part.anchors | excluded.anchors
        self.needs = part.needs

    def matches(self, reading: Reading) -> list[Match]:
        matches = self._part.matches(reading)
        excluded = self._excluded.matches(reading) if matches else []
        return [match for match in matches if not self._suppressor(match, excluded, reading)]

    def near_misses(self, reading: Reading) -> Iterator[str]:
        yield from self._part.near_misses(reading)
        excluded = self._excluded.matches(reading)
        for match in self._part.matches(reading):
            if suppressor := self._suppressor(match, excluded, reading):
                words, reason = (
                    reading.haystack.original(found[0][0], found[-1][1])
                    for found in (match, suppressor)
                )
                yield f"{words!r} does not count because of {reason!r}"

    def _suppressor(
        self, match: Match, excluded: Sequence[Match], reading: Reading
    ) -> Match | None:
        # The nearest before and the nearest after its start: those further off are no nearer.
        after = bisect_left(excluded, match[0][0], key=lambda other: other[0][0])
        near = excluded[max(after - 1, 0) : after + 1]
        return next((one for one in near if reading.together((match, one), self._within)), None)


@cache
def _word(*, marked: bool) -> re.Pattern[str]:
    """A word; with combining marks in it, where there may be some."""
    letter = rf"[\w{combining_marks()}]" if marked else r"\w"
    return re.compile(rf"{letter}+(?:'{letter}+)*")


def _commonness(anchors: frozenset[str]) -> int:
    """The lower it is, the fewer articles are expected to have one: long words are rare."""
    return -min(map(len, anchors))


def _width_and_start(group: Sequence[Match]) -> tuple[int, int]:
    start = min(match[0][0] for match in group)
    return max(match[-1][1] for match in group) - start, start


def _joined(parts: Iterable[Match]) -> Match:
    """The spans of all *parts* as one match; overlapping ones become one."""
    joined: list[Span] = []
    for start, end in sorted(span for part in parts for span in part):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(joined)
