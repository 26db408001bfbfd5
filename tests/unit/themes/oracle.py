"""What a matcher should find, found slowly: each term tried at each place, letter by letter.

Written to be obviously right and to share nothing with what it checks: it folds
by the names that Unicode gives to characters, compares letter by letter, and
knows of no automaton. Articles are taken to be short, so that every theme in
them stands out.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from transforms.logic.themes.model import Query, Theme

#: The words that generated terms have in two spellings.
TWO_SPELLINGS = {"labour": "labor", "organise": "organize", "realis*": "realiz*"}

_TWINS = TWO_SPELLINGS | {american: british for british, american in TWO_SPELLINGS.items()}


class Letter(NamedTuple):
    """A letter as it is compared, and the character of the article that it stands for."""

    folded: str
    field: str
    at: int


class Place(NamedTuple):
    """Letters from *start* to before *end*."""

    start: int
    end: int

    def overlaps(self, other: "Place") -> bool:
        return self.start < other.end and other.start < self.end


Match = tuple[Place, ...]


class Article(NamedTuple):
    """An article as letters, with blanks around its fields that no term has."""

    title: str
    text: str
    letters: tuple[Letter, ...]

    def is_word(self, position: int) -> bool:
        return _is_word(self.letters[position].folded)

    def field(self, match: Match) -> str:
        return self.letters[match[0].start].field

    def span(self, place: Place) -> tuple[str, int, int]:
        """Field and offsets of a place, with the accents that follow its last letter."""
        first, last = self.letters[place.start], self.letters[place.end - 1]
        field = self.title if first.field == "title" else self.text
        following = self.letters[place.end]
        limit = following.at if following.field == first.field else len(field)
        end = last.at + 1
        for at in range(end, limit):
            if _is_accent(field[at]):
                end = at + 1
        return first.field, first.at, end


class Expected(NamedTuple):
    """What a theme has in an article."""

    score: float
    level: str | None
    counts: dict[str, int]
    spans: dict[str, list[list[tuple[str, int, int]]]]


def expected(theme: Theme, title: str, text: str) -> Expected:
    """The score, the level and all matches of *theme*."""
    accents = theme.accents == "exact"
    article = Article(title, text, tuple(_letters(title, text, accents)))
    found = [
        (name, query.weight, match)
        for name, query in theme.by_id.items()
        for match in _matches(article, query, accents)
    ]
    found.sort(key=lambda one: (-_length(one[2]), -abs(one[1]), one[2][0].start, one[0]))
    counted: list[tuple[str, float, Match]] = []
    for one in found:
        if not any(_overlap(one[2], other[2]) for other in counted):
            counted.append(one)
    counted.sort(key=lambda one: (one[2][0].start, one[0]))
    points = []
    for name, query in theme.by_id.items():
        amount = sum(
            theme.title_weight if article.field(match) == "title" else 1
            for other, _, match in counted
            if other == name
        )
        points.append(round(query.weight * (2 - 2 ** (1 - amount)), 3) if amount else 0)
    score = max(0.0, round(sum(points), 3))
    is_told = score >= theme.thresholds.mention and any(weight > 0 for _, weight, _ in counted)
    level = ("focus" if score >= theme.thresholds.focus else "mention") if is_told else None
    spans: dict[str, list[list[tuple[str, int, int]]]] = {}
    for name, _, match in counted:
        spans.setdefault(name, []).append([article.span(place) for place in match])
    return Expected(score, level, {name: len(spans[name]) for name in sorted(spans)}, spans)


def _letters(title: str, text: str, accents: bool) -> Iterator[Letter]:
    yield Letter(" ", "outside", 0)
    for field, content in (("title", title), ("text", text)):
        for at, char in enumerate(content):
            for letter in fold(char, accents):
                yield Letter(letter, field, at)
        yield Letter(" ", "outside", 0)
        yield Letter(" ", "outside", 0)


def fold(char: str, accents: bool) -> str:
    """One character as it is compared."""
    name = unicodedata.name(char, "CONTROL")
    if name in ("SOFT HYPHEN", "ZERO WIDTH SPACE", "WORD JOINER", "ZERO WIDTH NO-BREAK SPACE"):
        return ""
    if char in "\t\n\r" or name.endswith(("SPACE", "HYPHEN", "HYPHEN-MINUS", "EN DASH")):
        return " "
    if name == "FIGURE DASH":
        return " "
    if "APOSTROPHE" in name or "SINGLE" in name or name in ("GRAVE ACCENT", "ACUTE ACCENT"):
        return "'"
    if "DOUBLE" in name and "QUOTATION MARK" in name:
        return '"'
    return "".join(letter if accents else _bare(letter) for letter in _small(char, name))


def _small(char: str, name: str) -> str:
    if name.startswith("LATIN") and "LIGATURE" in name:
        return name.rpartition(" ")[2].lower()
    if name in ("LATIN SMALL LETTER SHARP S", "LATIN CAPITAL LETTER SHARP S"):
        return "ss"
    if name.endswith("LETTER AE"):
        return "ae"
    if name == "LATIN CAPITAL LETTER I WITH DOT ABOVE":
        return "i\N{COMBINING DOT ABOVE}"
    if " FINAL SIGMA" in name:
        return "σ"
    if " CAPITAL " in name:
        return unicodedata.lookup(name.replace(" CAPITAL ", " SMALL "))
    return char


def _bare(letter: str) -> str:
    name = unicodedata.name(letter)
    if _is_accent(letter):
        return ""
    if name == "LATIN SMALL LETTER DOTLESS I":
        return "i"
    return unicodedata.lookup(name.partition(" WITH ")[0])


def _is_accent(char: str) -> bool:
    return unicodedata.name(char, "").startswith("COMBINING ")


def _is_word(letter: str) -> bool:
    return letter == "_" or unicodedata.category(letter)[0] in "LNM"


def _spelled(term: str, accents: bool) -> Iterator[str]:
    """The term as it is compared, in all its spellings."""
    composed = unicodedata.normalize("NFC", term)
    folded = "".join(char if char in "*?" else fold(char, True) for char in composed)
    words = re.split(r"([^\w*?]+)", " ".join(folded.split()))
    for spelled in product(*({word, _TWINS.get(word, word)} for word in words)):
        yield "".join(char if accents or char in "*?" else _bare(char) for char in "".join(spelled))


def _places(article: Article, terms: Sequence[str], accents: bool) -> Iterator[Place]:
    """Where one of the *terms* stands, whole words alone."""
    patterns = {pattern for term in terms for pattern in _spelled(term, accents)}
    length = len(article.letters)
    for start in range(1, length):
        if article.is_word(start - 1):
            continue
        for end in range(start + 1, length):
            if not article.is_word(end):
                piece = "".join(letter.folded for letter in article.letters[start:end])
                if any(_fits(pattern, piece) for pattern in patterns):
                    yield Place(start, end)


def _fits(pattern: str, piece: str) -> bool:
    if not pattern:
        return not piece
    first, rest = pattern[0], pattern[1:]
    if first == "*":
        return _fits(rest, piece) or (
            bool(piece) and _is_word(piece[0]) and _fits(pattern, piece[1:])
        )
    if not piece:
        return False
    if first == "?":
        if not _is_word(piece[0]) or _is_mark(piece[0]):
            return False
        marks = 1
        while not _fits(rest, piece[marks:]):
            if marks == len(piece) or not _is_mark(piece[marks]):
                return False
            marks += 1
        return True
    return first == piece[0] and _fits(rest, piece[1:])


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "M"


def _any_of(
    article: Article, terms: Sequence[str], field: str | None, accents: bool
) -> list[Match]:
    """The leftmost and then longest places of the *terms*, none overlapping another."""
    chosen: list[Match] = []
    for place in sorted(_places(article, terms, accents), key=lambda p: (p.start, -p.end)):
        in_field = field in (None, article.letters[place.start].field)
        if in_field and not any(place.overlaps(other[0]) for other in chosen):
            chosen.append((place,))
    return chosen


def _matches(article: Article, query: Query, accents: bool) -> list[Match]:
    parts = [_any_of(article, part, query.field, accents) for part in query.parts]
    matches = parts[0] if len(parts) == 1 else _all_of(article, parts, query.within)
    excluded = _any_of(article, query.none, query.field, accents) if query.none else []
    return [
        match
        for match in matches
        if not any(_together(article, (match, other), query.within) for other in excluded)
    ]


def _all_of(article: Article, parts: list[list[Match]], within: int | None) -> list[Match]:
    """The tightest groups of one match of each part; no match is in two of them."""
    events = sorted(
        (match[0].end, match[0].start, number, match)
        for number, part in enumerate(parts)
        for match in part
    )
    groups = []
    for count in range(1, len(events) + 1):
        latest = [
            [event for event in events[:count] if event[2] == number][-1:]
            for number in range(len(parts))
        ]
        if all(latest):
            groups.append([event[3][0] for (event,) in latest])
    groups.sort(key=lambda group: (_width(group), min(place.start for place in group)))
    taken: list[list[Place]] = []
    for group in groups:
        shares = any(
            mine == theirs for other in taken for mine, theirs in zip(group, other, strict=True)
        )
        if not shares and _together(article, [(place,) for place in group], within):
            taken.append(group)
    return sorted(map(_merged, taken))


def _width(group: list[Place]) -> int:
    return max(place.end for place in group) - min(place.start for place in group)


def _merged(group: list[Place]) -> Match:
    merged: list[Place] = []
    for place in sorted(group):
        if merged and merged[-1].overlaps(place):
            merged[-1] = Place(merged[-1].start, max(merged[-1].end, place.end))
        else:
            merged.append(place)
    return tuple(merged)


def _together(article: Article, matches: Sequence[Match], within: int | None) -> bool:
    """Whether the stretch that holds all *matches* is in one field and has few enough words."""
    if within is None:
        return True
    if len({article.field(match) for match in matches}) > 1:
        return False
    start = min(match[0].start for match in matches)
    end = max(match[-1].end for match in matches)
    stretch = "".join(letter.folded for letter in article.letters[start:end])
    return _words(stretch) <= within


def _words(stretch: str) -> int:
    """An apostrophe between two letters is inside a word."""
    words, inside = 0, False
    for at, letter in enumerate(stretch):
        if _is_word(letter):
            words += not inside
            inside = True
        else:
            joins = letter == "'" and stretch[at + 1 : at + 2] and _is_word(stretch[at + 1])
            inside = bool(inside and joins)
    return words


def _length(match: Match) -> int:
    return sum(place.end - place.start for place in match)


def _overlap(one: Match, other: Match) -> bool:
    return any(mine.overlaps(theirs) for mine in one for theirs in other)
