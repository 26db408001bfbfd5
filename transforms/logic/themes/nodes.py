"""Compiled queries: trees that say what they match in one article, and what nearly did.

A node says which words it cannot match without, so that it is asked only where
they are. docs/themes.md defines what each operator finds.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import accumulate, chain, groupby, islice
from operator import itemgetter
from typing import Protocol

from transforms.logic.themes.expressions import (
    And,
    AndNot,
    AtLeast,
    Expression,
    InField,
    Near,
    NotNear,
    Or,
    Property,
    QueryField,
    Stated,
    Term,
    Together,
    Unit,
    gives_evidence,
)
from transforms.logic.themes.folding import alike, fold
from transforms.logic.themes.phrases import Phrase
from transforms.logic.themes.reading import Match, Reading
from transforms.logic.themes.spelling import spellings
from transforms.logic.themes.terms import expression

# Pairs that NEAR looks at in one article: a text that repeats two words a thousand times has
# a million of them.
_MOST_PAIRS = 10_000

# Of each of these sets of anchors one must be in the article, or nothing matches.
Needs = tuple[frozenset[str], ...]


class Node(Protocol):
    """A part of a compiled query."""

    needs: Needs

    def matches(self, reading: Reading) -> list[Match]:
        """All matches, in text order; they may overlap."""

    def near_misses(self, reading: Reading) -> Iterator[str]:
        """Where it nearly matches, what kept it from matching, in words."""


class Condition(Protocol):
    """A part of a compiled query that holds or does not, and has no words to show for it."""

    def holds(self, reading: Reading) -> bool:
        """Whether it holds for an article."""


class Compiler:
    """Makes the nodes of a query.

    Args:
        accents: Whether accents count.
        haystack_accents: Whether the articles keep theirs.
    """

    def __init__(self, *, accents: bool, haystack_accents: bool) -> None:
        self._accents = accents
        self._haystack_accents = haystack_accents
        #: All that the nodes look for in an article.
        self.anchors: set[str] = set()

    def node(self, query: Expression, field: QueryField | None = None) -> Node:
        """The node of a query that gives evidence; in one *field*, or in all."""
        match query:
            case Term():
                return self._term(query, field)
            case Or(parts):
                return _Either([self.node(part, field) for part in parts])
            case And(parts):
                nodes = [self.node(part, field) for part in parts if gives_evidence(part)]
                conditions = [self._condition(part) for part in parts if not gives_evidence(part)]
                node = nodes[0] if len(nodes) == 1 else _Groups(nodes, None)
                return _Where(node, conditions) if conditions else node
            case AndNot(wanted, unwanted) if gives_evidence(unwanted):
                return _Without(self.node(wanted, field), self.node(unwanted, field))
            case AndNot(wanted, unwanted):
                return _Where(self.node(wanted, field), [_Not(self._condition(unwanted))])
            case Near(left, right, distance, ordered):
                return _Near(self.node(left, field), self.node(right, field), distance, ordered)
            case Together(left, right, unit):
                return _Groups([self.node(left, field), self.node(right, field)], unit)
            case NotNear(wanted, unwanted, distance, unit):
                kept, refused = self.node(wanted, field), self.node(unwanted, field)
                return _Apart(kept, refused, distance, unit)
            case InField(name, inner):
                return self._in_field(name, inner, field)
            case AtLeast(count, inner):
                return _AtLeast(count, self.node(inner, field))
            case Stated():
                raise ValueError(f"{query} finds no words")

    def _condition(self, query: Expression) -> Condition:
        match query:
            case Stated(name, pattern):
                return _Stated(name, pattern, accents=self._haystack_accents)
            case Or(parts):
                return _Some(list(map(self._condition, parts)))
            case And(parts):
                return _All(list(map(self._condition, parts)))
            case AndNot(wanted, unwanted):
                return _All([self._condition(wanted), _Not(self._condition(unwanted))])
            case _:
                return _IsThere(self.node(query))

    def _in_field(self, name: QueryField, inner: Expression, outer: QueryField | None) -> Node:
        if outer not in (None, name) and "title" in (outer, name):
            return _Either([])
        narrower = "lead" if "lead" in (outer, name) else name
        return _InField(narrower, self.node(inner, narrower), lambda: self.node(inner))

    def _term(self, term: Term, field: QueryField | None) -> "_Term":
        keeps = self._haystack_accents
        if term.exact is not None:
            written = alike(term.exact)
            phrases = [Phrase(fold(term.words, accents=keeps), written, is_cased=True)]
        else:
            check = self._accents and not keeps
            phrases = [
                Phrase(fold(exact, accents=keeps), exact if check else None)
                for exact in spellings(term.words)
            ]
        self.anchors.update(phrase.anchor for phrase in phrases)
        return _Term(phrases, field)


class _Term:
    """A word or phrase, in all its spellings."""

    def __init__(self, phrases: Sequence[Phrase], field: QueryField | None) -> None:
        self._phrases = phrases
        self._field = field
        self.needs: Needs = (frozenset(phrase.anchor for phrase in phrases),)

    @property
    def is_one_a_place(self) -> bool:
        """Whether each place of an anchor has no more than one match, which begins there."""
        (anchors,) = self.needs
        begin_there = all(phrase.begins_with_anchor for phrase in self._phrases)
        return begin_there and len(anchors) == len(self._phrases)

    def matches(self, reading: Reading) -> list[Match]:
        places = reading.places
        found = [
            phrase.matches(reading, places[phrase.anchor])
            for phrase in self._phrases
            if phrase.anchor in places
        ]
        matches = found[0] if len(found) == 1 else sorted(set(chain.from_iterable(found)))
        if not self._field:
            return matches
        first, end = reading.bounds(self._field)
        return [match for match in matches if first <= match[0] < end]

    def near_misses(self, reading: Reading) -> Iterator[str]:
        return iter(())


class _Either:
    """One of several parts."""

    def __init__(self, parts: Sequence[Node]) -> None:
        self._parts = parts
        self._woken: dict[str, list[int]] = {}
        for number, part in enumerate(parts):
            for anchor in part.needs[0]:
                self._woken.setdefault(anchor, []).append(number)
        self.needs: Needs = (frozenset(self._woken),)

    def matches(self, reading: Reading) -> list[Match]:
        awake = {
            number
            for anchor in self._woken.keys() & reading.places.keys()
            for number in self._woken[anchor]
        }
        found = [matches for number in awake if (matches := self._parts[number].matches(reading))]
        if len(found) == 1:
            return found[0]
        return sorted(set(chain.from_iterable(found)))

    def near_misses(self, reading: Reading) -> Iterator[str]:
        if not self.matches(reading):
            for part in self._parts:
                yield from part.near_misses(reading)


class _Groups:
    """A match of each part, in one sentence or paragraph if a unit is given.

    The tightest group is a match first, then the next; no part's match belongs
    to two groups.
    """

    def __init__(self, parts: Sequence[Node], unit: Unit | None) -> None:
        self._parts = parts
        self._unit = unit
        self.needs: Needs = _all_needs(parts)

    def matches(self, reading: Reading) -> list[Match]:
        found = []
        used: set[tuple[int, Match]] = set()
        for group in sorted(self._groups(reading), key=_tightest_first):
            members = set(enumerate(group))
            if used.isdisjoint(members):
                used |= members
                found.append(_joined(group))
        return sorted(found)

    def _groups(self, reading: Reading) -> list[tuple[Match, ...]]:
        """Where a match ends, of each part the match that begins last of those that have ended."""
        found: list[tuple[int, Match, int]] = []
        for number, part in enumerate(self._parts):
            matches = part.matches(reading)
            if not matches:
                return []
            found += ((match[-1], match, number) for match in matches)
        groups = []
        latest: dict[int, Match] = {}
        place = None
        for _, ending in groupby(sorted(found), key=itemgetter(0)):
            for _, match, number in ending:
                unit = _unit(match, self._unit, reading) if self._unit else 0
                if unit is None:
                    continue
                if unit != place:
                    place = unit
                    latest.clear()
                if number not in latest or match[0] > latest[number][0]:
                    latest[number] = match
            if len(latest) == len(self._parts):
                groups.append(tuple(latest[number] for number in range(len(latest))))
        return groups

    def near_misses(self, reading: Reading) -> Iterator[str]:
        if self.matches(reading):
            return
        missing = yield from _missing(self._parts, reading)
        if self._unit and not missing:
            yield self._distance(reading, self._unit)

    def _distance(self, reading: Reading, unit: Unit) -> str:
        left, right = _nearest(*(part.matches(reading) for part in self._parts))
        units = _unit(left, unit, reading), _unit(right, unit, reading)
        operator, pair = f"NEAR/{unit[0].upper()}", _named(reading, left, right)
        if not reading.is_in_one_field(left, right):
            return f"{operator}: {pair} are in the title and in the text"
        if units[0] is None or units[1] is None:
            return f"{operator}: {pair} are not in one {unit} as a whole"
        apart = abs(units[0] - units[1])
        return f"{operator}: {pair} are {apart} {unit}{'s' * (apart > 1)} apart"


class _Near:
    """Both parts, few words apart, with no word in common: all such pairs."""

    def __init__(self, left: Node, right: Node, distance: int, ordered: bool) -> None:
        self._left = left
        self._right = right
        self._distance = distance
        self._ordered = ordered
        self.needs: Needs = _all_needs((left, right))

    def matches(self, reading: Reading) -> list[Match]:
        left = self._left.matches(reading)
        right = self._right.matches(reading) if left else []
        pairs = self._followed(left, right, reading, include_same=True)
        if not self._ordered:
            pairs = chain(pairs, self._followed(right, left, reading, include_same=False))
        return sorted({_joined(pair) for pair in islice(pairs, _MOST_PAIRS)})

    def _followed(
        self, first: Sequence[Match], second: Sequence[Match], reading: Reading, include_same: bool
    ) -> Iterator[tuple[Match, Match]]:
        """The pairs of which the *first* begins first."""
        begins = [match[0] for match in second]
        bisect = bisect_left if include_same else bisect_right
        for one in first:
            begin = one[-1] + 1 if self._ordered else one[0]
            low = bisect(begins, begin)
            high = bisect_right(begins, one[-1] + self._distance)
            for other in second[low:high]:
                if _is_apart(one, other) and reading.is_in_one_field(one, other):
                    yield one, other

    def near_misses(self, reading: Reading) -> Iterator[str]:
        if self.matches(reading):
            return
        missing = yield from _missing((self._left, self._right), reading)
        if not missing:
            yield self._miss(reading)

    def _miss(self, reading: Reading) -> str:
        operator = f"{'ADJ' if self._ordered else 'NEAR'}/{self._distance}"
        left, right = _nearest(self._left.matches(reading), self._right.matches(reading))
        pair = _named(reading, left, right)
        if not reading.is_in_one_field(left, right):
            return f"{operator}: {pair} are in the title and in the text"
        if not _is_apart(left, right):
            return f"{operator}: {pair} are the same words"
        if self._ordered and right[0] <= left[-1]:
            return f"{operator}: {pair} stand the other way round"
        return f"{operator}: {pair} are {_distance(left, right)} apart"


class _Without:
    """What is wanted, where what is unwanted is nowhere."""

    def __init__(self, wanted: Node, unwanted: Node) -> None:
        self._wanted = wanted
        self._unwanted = unwanted
        self.needs: Needs = wanted.needs

    def matches(self, reading: Reading) -> list[Match]:
        wanted = self._wanted.matches(reading)
        return [] if wanted and self._unwanted.matches(reading) else wanted

    def near_misses(self, reading: Reading) -> Iterator[str]:
        yield from self._wanted.near_misses(reading)
        if self._wanted.matches(reading):
            for match in self._unwanted.matches(reading)[:1]:
                yield f"excluded by {reading.original(match)!r}"


class _Apart:
    """What is wanted, where nothing unwanted is near."""

    def __init__(
        self, wanted: Node, unwanted: Node, distance: int | None, unit: Unit | None
    ) -> None:
        self._wanted = wanted
        self._unwanted = unwanted
        self._distance = distance
        self._unit = unit
        self.needs: Needs = wanted.needs

    def matches(self, reading: Reading) -> list[Match]:
        return [match for match, near in self._judged(reading) if near is None]

    def near_misses(self, reading: Reading) -> Iterator[str]:
        yield from self._wanted.near_misses(reading)
        for match, near in self._judged(reading):
            if near is not None:
                one, other = map(reading.original, (match, near))
                yield f"{one!r} excluded by {other!r}"

    def _judged(self, reading: Reading) -> Iterator[tuple[Match, Match | None]]:
        """What is wanted, each with something unwanted that is near."""
        wanted = self._wanted.matches(reading)
        unwanted = self._unwanted.matches(reading) if wanted else []
        if self._unit:
            by_unit = {_unit(other, self._unit, reading): other for other in unwanted}
            by_unit.pop(None, None)
            for match in wanted:
                yield match, by_unit.get(_unit(match, self._unit, reading))
            return
        unwanted = [other for other in unwanted if reading.is_in_one_field(other, other)]
        begins = [other[0] for other in unwanted]
        # Of those up to each, the one that ends last: no other one is nearer.
        latest = list(accumulate(unwanted, _later_ending))
        for match in wanted:
            at = bisect_left(begins, match[0])
            around = [*unwanted[at : at + 1], *latest[max(at - 1, 0) : at]]
            near = (other for other in around if self._is_near(match, other, reading))
            yield match, next(near, None)

    def _is_near(self, match: Match, other: Match, reading: Reading) -> bool:
        is_close = _distance(match, other) <= (self._distance or 0)
        return is_close and reading.is_in_one_field(match, other)


class _InField:
    """What is found in one field alone.

    Args:
        inner: What looks in that field.
        everywhere: Makes what looks in all fields, to tell what was found elsewhere.
    """

    def __init__(self, field: QueryField, inner: Node, everywhere: Callable[[], Node]) -> None:
        self._field = field
        self._inner = inner
        self._everywhere = everywhere
        self.needs: Needs = inner.needs

    def matches(self, reading: Reading) -> list[Match]:
        return self._inner.matches(reading)

    def near_misses(self, reading: Reading) -> Iterator[str]:
        yield from self._inner.near_misses(reading)
        if not self._inner.matches(reading):
            for match in self._everywhere().matches(reading)[:1]:
                words = reading.original(match)
                if match[0] < reading.text_start:
                    yield f"{self._field}: {words!r} is in the title"
                else:
                    at = reading.text_offset(match[0])
                    yield f"{self._field}: {words!r} is in the text, at character {at:,}"


class _AtLeast:
    """So many matches, or none counts. Of those that overlap only one is counted."""

    def __init__(self, count: int, inner: Node) -> None:
        self._count = count
        self._inner = inner
        self.needs: Needs = inner.needs

    def matches(self, reading: Reading) -> list[Match]:
        matches = without_overlaps(self._inner.matches(reading))
        return matches if len(matches) >= self._count else []

    def near_misses(self, reading: Reading) -> Iterator[str]:
        matches = without_overlaps(self._inner.matches(reading))
        if not matches:
            yield from self._inner.near_misses(reading)
        elif len(matches) < self._count:
            yield f"ATLEAST/{self._count}: {len(matches)} found"


class _Where:
    """A part, where conditions hold."""

    def __init__(self, part: Node, conditions: Sequence[Condition]) -> None:
        self._part = part
        self._conditions = conditions
        self.needs: Needs = part.needs

    def matches(self, reading: Reading) -> list[Match]:
        holds = all(condition.holds(reading) for condition in self._conditions)
        return self._part.matches(reading) if holds else []

    def near_misses(self, reading: Reading) -> Iterator[str]:
        yield from self._part.near_misses(reading)
        if self._part.matches(reading):
            for condition in self._conditions:
                if not condition.holds(reading):
                    yield f"only where {condition}"


class _Stated:
    """The source has these words in its name, or the language is this one."""

    def __init__(self, name: Property, pattern: str, *, accents: bool) -> None:
        self._name = name
        self._pattern = pattern
        folded = expression(fold(pattern, accents=accents), marked=False)
        self._words = re.compile(rf"(?<!\w){folded.pattern}(?!\w)")

    def holds(self, reading: Reading) -> bool:
        if self._name == "lang":
            return reading.language == self._pattern
        return self._words.search(reading.source) is not None

    def __str__(self) -> str:
        return f"{self._name} is {self._pattern!r}"


class _All:
    def __init__(self, parts: Sequence[Condition]) -> None:
        self._parts = parts

    def holds(self, reading: Reading) -> bool:
        return all(part.holds(reading) for part in self._parts)

    def __str__(self) -> str:
        return " and ".join(f"({part})" for part in self._parts)


class _Some:
    def __init__(self, parts: Sequence[Condition]) -> None:
        self._parts = parts

    def holds(self, reading: Reading) -> bool:
        return any(part.holds(reading) for part in self._parts)

    def __str__(self) -> str:
        return " or ".join(f"({part})" for part in self._parts)


class _Not:
    def __init__(self, part: Condition) -> None:
        self._part = part

    def holds(self, reading: Reading) -> bool:
        return not self._part.holds(reading)

    def __str__(self) -> str:
        return f"not ({self._part})"


class _IsThere:
    """Words that are unwanted together with a source or language."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def holds(self, reading: Reading) -> bool:
        return bool(self._node.matches(reading))

    def __str__(self) -> str:
        return "the words are there"


def is_one_a_place(node: Node) -> bool:
    """Whether each place of an anchor has no more than one match, which begins there."""
    return isinstance(node, _Term) and node.is_one_a_place


def without_overlaps(matches: Iterable[Match]) -> list[Match]:
    """Of matches with a word in common the one with most words, and then the first; in order."""
    taken: set[int] = set()
    chosen = []
    for match in sorted(matches, key=lambda match: (-len(match), match)):
        if taken.isdisjoint(match):
            taken.update(match)
            chosen.append(match)
    return sorted(chosen)


def _all_needs(parts: Iterable[Node]) -> Needs:
    """What all parts need, first that which the fewest articles are expected to have."""
    needs = dict.fromkeys(chain.from_iterable(part.needs for part in parts))
    return tuple(sorted(needs, key=_commonness))


def _commonness(anchors: Iterable[str]) -> float:
    """The lower it is, the fewer articles are expected to have one: long words are rare."""
    return sum(0.5 ** len(anchor) for anchor in anchors)


def _missing(parts: Iterable[Node], reading: Reading) -> Generator[str, None, bool]:
    """Whether a part does not match; if all such parts nearly do, what kept them from it."""
    misses: list[str] = []
    missing = False
    for part in parts:
        if not part.matches(reading):
            missing = True
            of_part = list(part.near_misses(reading))
            if not of_part:
                return True
            misses += of_part
    yield from misses
    return missing


def _tightest_first(group: tuple[Match, ...]) -> tuple[int, int, tuple[Match, ...]]:
    start = min(match[0] for match in group)
    return max(match[-1] for match in group) - start, start, group


def _joined(parts: Iterable[Match]) -> Match:
    """The words of all *parts* as one match."""
    return tuple(sorted(set(chain.from_iterable(parts))))


def _later_ending(one: Match, other: Match) -> Match:
    return max(one, other, key=lambda match: match[-1])


def _is_apart(one: Match, other: Match) -> bool:
    """Whether two matches have no word in common."""
    return one[-1] < other[0] or other[-1] < one[0] or set(one).isdisjoint(other)


def _distance(one: Match, other: Match) -> int:
    """From where the earlier one ends to where the later one begins, in words."""
    earlier, later = sorted((one, other))
    return later[0] - earlier[-1]


def _unit(match: Match, unit: Unit, reading: Reading) -> int | None:
    """The sentence or paragraph that a match is in, None where it is not in one alone."""
    first, last = reading.unit(match[0], unit), reading.unit(match[-1], unit)
    return first if first == last else None


def _nearest(left: Sequence[Match], right: Sequence[Match]) -> tuple[Match, Match]:
    """The two that are fewest words apart."""
    begins = [match[0] for match in right]
    pairs = (
        (one, other)
        for one in left
        for at in (bisect_left(begins, one[0]),)
        for other in right[max(at - 1, 0) : at + 2]
    )
    return min(pairs, key=lambda pair: (not _is_apart(*pair), abs(_distance(*pair))))


def _named(reading: Reading, one: Match, other: Match) -> str:
    return f"{reading.original(one)!r} and {reading.original(other)!r}"
