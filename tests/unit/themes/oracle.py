"""What a matcher should find, found slowly: each term tried at each place, letter by letter.

Written to be obviously right and to share nothing with what it checks: it folds
by the names that Unicode gives to characters, compares letter by letter, takes
all pairs where an operator joins two sides, and knows of no automaton. Only
where sentences end is taken from what finds them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise, product
from typing import NamedTuple

from transforms.logic.text import sentence_ends
from transforms.logic.themes.expressions import (
    And,
    AndNot,
    AtLeast,
    Expression,
    InField,
    Near,
    NotNear,
    Or,
    Stated,
    Term,
    Together,
)
from transforms.logic.themes.model import Theme

#: The words that generated terms have in two spellings.
TWO_SPELLINGS = {"labour": "labor", "organise": "organize", "realis*": "realiz*"}

_TWINS = TWO_SPELLINGS | {american: british for british, american in TWO_SPELLINGS.items()}
_LEAD, _LONGEST_LEAD, _STRETCH = 600, 1200, 600


class Letter(NamedTuple):
    """A letter as it is compared, and the character of the article that it stands for."""

    folded: str
    field: str
    at: int


class Word(NamedTuple):
    """The letters of a word: from *start* to before *end*."""

    start: int
    end: int


# The numbers of the words that made a query match.
Match = frozenset[int]

# A field and where in it.
Span = tuple[str, int, int]


class Found(NamedTuple):
    """A match of a rule."""

    rule: str
    weight: float
    match: Match


class Expected(NamedTuple):
    """What a theme has in an article."""

    score: float
    level: str | None
    counts: dict[str, int]
    spans: dict[str, list[Span]]
    evidence: list[tuple[str, Span]]


class Article:
    """An article as letters and words, with blanks around its fields that no term has."""

    def __init__(self, title: str, text: str, *, language: str, source: str, accents: bool) -> None:
        self.title = title
        self.text = text
        self.language = language
        self.source = source
        self.accents = accents
        self.letters = list(_letters(title, text, accents))
        self.words = list(self._words())
        self._sentence_ends = sentence_ends(text)
        self._paragraph_ends = [at for at, char in enumerate(text) if char == "\n"]
        end = text.find("\n", _LEAD - 1)
        self._lead_end = min(end if end >= 0 else len(text), _LONGEST_LEAD)

    def _words(self) -> Iterator[Word]:
        start = None
        for at, letter in enumerate(self.letters):
            if _is_word(letter.folded) and start is None:
                start = at
            if not _is_word(letter.folded) and start is not None:
                yield Word(start, at)
                start = None

    def fields(self, word: int) -> set[str]:
        """The fields that a word begins in."""
        letter = self.letters[self.words[word].start]
        if letter.field == "title":
            return {"title"}
        return {"text", "lead"} if letter.at < self._lead_end else {"text"}

    def is_in_one_field(self, match: Match) -> bool:
        """Whether it has words of the title alone, or of the text alone."""
        return len({"title" in self.fields(word) for word in match}) == 1

    def units(self, match: Match, unit: str) -> set[int]:
        """The sentences or paragraphs that the words of a match begin in; -1 is the title."""
        ends = self._sentence_ends if unit == "sentence" else self._paragraph_ends
        found = set()
        for word in match:
            letter = self.letters[self.words[word].start]
            is_title = letter.field == "title"
            found.add(-1 if is_title else sum(end <= letter.at for end in ends))
        return found

    def sentence(self, words: Iterable[int]) -> tuple[int, int]:
        """The sentences that words begin in, as one stretch without blanks around it."""
        numbers = self.units(frozenset(words), "sentence")
        borders = [0, *self._sentence_ends, len(self.text)]
        start, end = borders[min(numbers)], borders[max(numbers) + 1]
        while self.text[start].isspace():
            start += 1
        while self.text[end - 1].isspace():
            end -= 1
        return start, end

    def span(self, first: int, last: int) -> Span:
        """Field and offsets of words, with the accents that follow the last letter."""
        return self.letter_span(self.words[first].start, self.words[last].end)

    def letter_span(self, start: int, end: int) -> Span:
        """Field and offsets of letters, with the accents that follow the last one."""
        first, last = self.letters[start], self.letters[end - 1]
        field = self.title if first.field == "title" else self.text
        following = self.letters[end]
        limit = following.at if following.field == first.field else len(field)
        stop = last.at + 1
        for at in range(stop, limit):
            if _is_accent(field[at]):
                stop = at + 1
        return first.field, first.at, stop


def expected(
    theme: Theme, title: str, text: str, *, language: str = "und", source: str = ""
) -> Expected:
    """The score, the level and all matches of *theme*."""
    accents = theme.accents == "exact"
    article = Article(title, text, language=language, source=source, accents=accents)
    found = [
        Found(rule.id, rule.weight, match)
        for rule in theme.rules
        if language == "und" or rule.language in (None, language)
        for match in _find(rule.expression, article, {"title", "text"})
    ]
    found.sort(key=lambda one: (-len(one.match), -abs(one.weight), sorted(one.match), one.rule))
    counted: list[Found] = []
    for one in found:
        if not any(one.match & other.match for other in counted):
            counted.append(one)
    counted.sort(key=lambda one: (sorted(one.match), one.rule))
    points = []
    for rule in theme.rules:
        amount = 0.0
        for one in counted:
            if one.rule == rule.id:
                fields = article.fields(min(one.match))
                weights = {"title": theme.title_weight, "lead": theme.lead_weight, "text": 1.0}
                amount += next(weights[name] for name in weights if name in fields)
        used = any(one.rule == rule.id for one in counted)
        points.append(round(rule.weight * (2 - 2 ** (1 - amount)), 3) if used else 0.0)
    score = max(0.0, round(sum(points), 3))
    telling = [one for one in counted if one.weight > 0]
    in_front = any({"title", "lead"} & article.fields(min(one.match)) for one in telling)
    length = sum(letter.field == "text" for letter in article.letters)
    stands_out = in_front or len(telling) * _STRETCH >= length
    level = None
    if telling and score >= theme.thresholds.mention:
        is_focus = stands_out and score >= theme.thresholds.focus
        level = "focus" if is_focus else "mention"
    pieces = [(one, _pieces(one.match, article)) for one in counted]
    spans: dict[str, list[Span]] = {}
    for one, parts in pieces:
        spans.setdefault(one.rule, []).extend(span for span, _ in parts)
    return Expected(
        score,
        level,
        {rule: sum(one.rule == rule for one in counted) for rule in sorted(spans)},
        spans,
        _evidence([(one, parts) for one, parts in pieces if one.weight > 0]),
    )


def _pieces(match: Match, article: Article) -> list[tuple[Span, tuple[int, int]]]:
    """The words of a match: one piece a sentence; words side by side are never parted."""
    words = sorted(match)
    breaks = [
        at
        for at, (one, other) in enumerate(pairwise(words), 1)
        if other != one + 1 or not article.is_in_one_field(frozenset((one, other)))
    ]
    pieces: list[tuple[Span, tuple[int, int]]] = []
    for start, end in pairwise([0, *breaks, len(words)]):
        first, last = words[start], words[end - 1]
        span = article.span(first, last)
        is_title = span[0] == "title"
        sentence = (0, len(article.title)) if is_title else article.sentence((first, last))
        if pieces and pieces[-1][0][0] == span[0] and span[2] <= pieces[-1][1][1]:
            (_, begin, _), sentence = pieces.pop()
            span = span[0], begin, span[2]
        pieces.append((span, sentence))
    return pieces


def _evidence(
    pieces: list[tuple[Found, list[tuple[Span, tuple[int, int]]]]],
) -> list[tuple[str, Span]]:
    """Round by round a match of each rule, the heavier first; sentences shown before last."""
    rounds: dict[str, int] = {}
    ranked = []
    for one, parts in pieces:
        rounds[one.rule] = rounds.get(one.rule, 0) + 1
        ranked.append(((rounds[one.rule], -one.weight, sorted(one.match)), one.rule, parts))
    ranked.sort(key=lambda entry: entry[0])
    shown, new, repeated = set(), [], []
    for _, rule, parts in ranked:
        for span, sentence in parts:
            (repeated if (span[0], sentence) in shown else new).append((rule, span))
            shown.add((span[0], sentence))
    return (new + repeated)[:10]


def _find(query: Expression, article: Article, fields: set[str]) -> set[Match]:
    """All matches of a query in some fields."""

    def find(part: Expression) -> set[Match]:
        return _find(part, article, fields)

    match query:
        case Term():
            places = _places(query, article)
            return {one for one in places if fields & article.fields(min(one))}
        case Or(parts):
            return set().union(*map(find, parts))
        case And(parts):
            with_words = [part for part in parts if _has_words(part)]
            without = [part for part in parts if not _has_words(part)]
            if not all(_holds(part, article) for part in without):
                return set()
            return _groups([find(part) for part in with_words], article, None)
        case AndNot(wanted, unwanted):
            refused = find(unwanted) if _has_words(unwanted) else _holds(unwanted, article)
            return set() if refused else find(wanted)
        case Near(left, right, distance, ordered):
            return {
                one | other
                for one, other in product(find(left), find(right))
                if not one & other
                and _is_near(one, other, distance, article)
                and (not ordered or max(one) < min(other))
            }
        case Together(left, right, unit):
            return _groups([find(left), find(right)], article, unit)
        case NotNear(wanted, unwanted, distance, unit):
            return {
                one
                for one in find(wanted)
                if not any(
                    len(article.units(one | other, unit)) == 1
                    if unit
                    else _is_near(one, other, distance or 0, article)
                    for other in find(unwanted)
                )
            }
        case InField(name, inner):
            return _find(inner, article, _narrowed(fields, name))
        case AtLeast(count, inner):
            apart: list[Match] = []
            for one in sorted(find(inner), key=lambda one: (-len(one), sorted(one))):
                if not any(one & other for other in apart):
                    apart.append(one)
            return set(apart) if len(apart) >= count else set()
    raise AssertionError(query)


def _narrowed(fields: set[str], name: str) -> set[str]:
    """The *fields* as far as they are in the field *name*; the lead is part of the text."""
    if name == "lead":
        return {"lead"} if fields & {"lead", "text"} else set()
    if name == "text" and fields == {"lead"}:
        return fields
    return fields & {name}


def _has_words(query: Expression) -> bool:
    match query:
        case Stated():
            return False
        case Or(parts) | And(parts):
            return any(map(_has_words, parts))
        case AndNot(wanted, _):
            return _has_words(wanted)
    return True


def _holds(query: Expression, article: Article) -> bool:
    """Whether what has no words to show for it holds."""
    match query:
        case Stated("lang", pattern):
            return article.language == pattern
        case Stated(_, pattern):
            name = Article(article.source, "", language="und", source="", accents=article.accents)
            return bool(_places(Term(pattern), name, respelled=False))
        case Or(parts):
            return any(_holds(part, article) for part in parts)
        case And(parts):
            return all(_holds(part, article) for part in parts)
        case AndNot(wanted, unwanted):
            return _holds(wanted, article) and not _holds(unwanted, article)
    return bool(_find(query, article, {"title", "text"}))


def _is_near(one: Match, other: Match, distance: int, article: Article) -> bool:
    """Whether from the end of the earlier to the beginning of the later are few words."""
    earlier, later = sorted((one, other), key=sorted)
    is_near = min(later) - max(earlier) <= distance
    return is_near and article.is_in_one_field(one | other)


def _groups(parts: list[set[Match]], article: Article, unit: str | None) -> set[Match]:
    """A match of each part: the tightest groups, no match being in two of them.

    Where a match ends, the group there is made of what began last and has ended.
    """
    if len(parts) == 1:
        return parts[0]
    groups = []
    for end in {max(one) for part in parts for one in part}:
        numbers = article.units(frozenset({end}), unit) if unit else set()
        ended = [
            [
                one
                for one in part
                if max(one) <= end and (not unit or article.units(one, unit) == numbers)
            ]
            for part in parts
        ]
        if all(ended):
            groups.append(
                [min(part, key=lambda one: (-min(one), max(one), sorted(one))) for part in ended]
            )
    groups.sort(key=lambda group: (_width(group), min(map(min, group)), [*map(sorted, group)]))
    chosen: list[list[Match]] = []
    for group in groups:
        if not any(
            mine == theirs for other in chosen for mine, theirs in zip(group, other, strict=True)
        ):
            chosen.append(group)
    return {frozenset().union(*group) for group in chosen}


def _width(group: list[Match]) -> int:
    return max(map(max, group)) - min(map(min, group))


# Letters


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
    shape = _shape(char)
    name = unicodedata.name(char, "CONTROL")
    if shape != char:
        return shape
    return "".join(letter if accents else _bare(letter) for letter in _small(char, name))


def _shape(char: str) -> str:
    """One character in the shape that stands for all that look like it."""
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
    return char


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


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter)[0] == "M"


# Terms


def _places(term: Term, article: Article, *, respelled: bool = True) -> set[Match]:
    """Where a term stands, whole words alone."""
    patterns = set(_spelled(term.words, article.accents, respelled and term.exact is None))
    borders = [
        at
        for at in range(1, len(article.letters))
        if not (_is_word(article.letters[at - 1].folded) and _is_word(article.letters[at].folded))
    ]
    found = set()
    for start, end in product(borders, borders):
        if (
            start >= end
            or _is_word(article.letters[start - 1].folded)
            or _is_word(article.letters[end].folded)
        ):
            continue
        piece = "".join(letter.folded for letter in article.letters[start:end])
        if any(_fits(pattern, piece) for pattern in patterns) and (
            term.exact is None or _is_written(term.exact, article, start, end)
        ):
            found.add(
                frozenset(
                    number for number, word in enumerate(article.words) if start <= word.start < end
                )
            )
    return found


def _is_written(exact: str, article: Article, start: int, end: int) -> bool:
    """Whether what stands there is *exact* letter by letter."""
    field, first, stop = article.letter_span(start, end)
    original = (article.title if field == "title" else article.text)[first:stop]
    shaped, wanted = (
        "".join(map(_shape, unicodedata.normalize("NFC", one))) for one in (original, exact)
    )
    return _fits(wanted, shaped)


def _spelled(term: str, accents: bool, respelled: bool) -> Iterator[str]:
    """The term as it is compared, in all its spellings."""
    words = re.split(r"([^\w*?]+)", term)
    twins = [{word, _TWINS.get(word, word)} if respelled else {word} for word in words]
    for spelled in product(*twins):
        yield "".join(char if accents or char in "*?" else _bare(char) for char in "".join(spelled))


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
