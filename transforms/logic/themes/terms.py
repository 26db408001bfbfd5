"""Terms: words and phrases with wildcards, and where they stand in a text.

A term is one or more words. `*` stands for any number of letters or digits of
one word, `?` for exactly one. A term is found on whole words alone.
"""

import re
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache, cached_property

from transforms.logic.themes.folding import Haystack, fold, is_mark, is_word_character
from transforms.logic.themes.spelling import spellings

Span = tuple[int, int]

_RESERVED = re.compile(r'["()\[\]{}|~^\\]|^@')
_OPERATOR = re.compile(r"\b(?:AND|OR|NOT|NEAR)\b(?!$)")
_WILDCARD = re.compile(r"([*?])")


def normal_term(term: str) -> str:
    """The term as it is compared, accents kept: two terms with the same one mean the same."""
    composed = unicodedata.normalize("NFC", term)  # as the texts are
    return re.sub(r"\*+", "*", " ".join(fold(composed, accents=True).split()))


def check_term(term: str) -> str:
    """Return *term* if it can match something.

    Raises:
        ValueError: It has no word, a wildcard with too few letters beside it,
            or characters that mean something in query languages.
    """
    if reserved := _RESERVED.search(term):
        raise ValueError(
            f"{term!r}: {reserved[0]!r} cannot be part of a term: a term is words, with the "
            "wildcards * and ?"
        )
    if operator := _OPERATOR.search(term):
        raise ValueError(
            f"{term!r}: unknown operator {operator[0]!r}: the lists any, all and none of a query, "
            "and within, say how terms go together"
        )
    normal = normal_term(term)
    if not any(map(str.isalnum, normal)):
        raise ValueError(f"{term!r} can never match: it has no letter or digit")
    for word in normal.split():
        if _WILDCARD.search(word) and sum(map(str.isalnum, word)) < 3:
            raise ValueError(
                f"{term!r}: a word with a wildcard needs at least 3 letters or digits beside it"
            )
    return term


def covers(pattern: str, term: str) -> bool:
    """Whether *pattern* is found in every text in which *term* is found."""
    return all(
        any(_covers(one, spelling) for one in spellings(normal_term(pattern)))
        for spelling in spellings(normal_term(term))
    )


def _covers(pattern: str, term: str) -> bool:
    marks = combining_marks() if any(map(is_mark, term)) else ""
    letter = rf"[\w?][{marks}]*" if marks else r"[\w?]"
    wild = {"*": rf"[\w{marks}*?]*", "?": letter}
    expression = "".join(wild.get(part) or re.escape(part) for part in _parts(pattern))
    return bool(re.search(rf"(?<![\w{marks}*?]){expression}(?![\w{marks}*?])", term))


class Spelling:
    """One spelling of a term: an anchor for the automaton, and what must stand around it.

    Args:
        exact: The folded term, accents kept.
        accents: Whether the haystacks that it is looked for in keep theirs.
    """

    def __init__(self, exact: str, *, accents: bool) -> None:
        self._exact = exact
        plain = fold(exact, accents=accents)
        self._is_bare = plain != exact
        parts = _parts(plain)
        literals = [(len(part), -at) for at, part in enumerate(parts) if part not in "*?"]
        at = -max(literals)[1]
        #: The longest part without wildcards.
        self.anchor = parts[at]
        # What precedes is read backwards: an expression cannot be matched up to a place.
        self._before = [part[::-1] for part in reversed(parts[:at])]
        self._spaces_before = sum(part.count(" ") for part in self._before)
        self._after = parts[at + 1 :]

    def spans(self, haystack: Haystack, anchors: Iterable[Span], *, accents: bool) -> set[Span]:
        """Where the spelling stands, among the places where its anchor does.

        Args:
            accents: Whether accents count, even if the haystack has lost them.
        """
        folded = haystack.folded
        if self._before or self._after:
            found = set()
            before, after = self._around_in_marked if haystack.marked else self._around
            for start, end in anchors:
                left = before.match(folded[self._reach(folded, start) : start][::-1])
                right = left and after.match(folded, end)
                if left and right:
                    found.add((start - left.end(), right.end()))
        else:
            found = {
                (start, end)
                for start, end in anchors
                if not is_word_character(folded[start - 1]) and not is_word_character(folded[end])
            }
        if accents and (self._is_bare or haystack.bare):
            return {span for span in found if self._is(haystack.exact(*span))}
        return found

    def _reach(self, folded: str, start: int) -> int:
        """Before which place nothing decides whether the spelling stands around *start*."""
        if not self._before:
            return max(start - 1, 0)
        # No wildcard stands for a space: the first one too many is before the spelling.
        for _ in range(self._spaces_before + 1):
            start = folded.rfind(" ", 0, start)
            if start <= 0:
                return 0
        return start

    def _is(self, exact: str | None) -> bool:
        """Whether the folded words *exact* are this spelling, accents and all."""
        if exact is None or exact == self._exact:
            return exact is not None
        expression = _expression(_parts(self._exact), marked=any(map(is_mark, exact)))
        return re.fullmatch(expression, exact) is not None

    @cached_property
    def _around(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        return (
            re.compile(_expression(self._before, marked=False) + r"(?!\w)"),
            re.compile(_expression(self._after, marked=False) + r"(?!\w)"),
        )

    @cached_property
    def _around_in_marked(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        border = rf"(?![\w{combining_marks()}])"
        return (
            re.compile(_expression(self._before, marked=True, backwards=True) + border),
            re.compile(_expression(self._after, marked=True) + border),
        )


def _parts(term: str) -> list[str]:
    return [part for part in _WILDCARD.split(term) if part]


def _expression(parts: Iterable[str], *, marked: bool, backwards: bool = False) -> str:
    """A regular expression for the parts; *marked* where the text may hold combining marks."""
    wild = {"*": r"\w*", "?": r"\w"}
    if marked:
        marks = combining_marks()
        letter = rf"[{marks}]*\w" if backwards else rf"\w[{marks}]*"
        wild = {"*": rf"[\w{marks}]*", "?": letter}
    return "".join(wild.get(part) or re.escape(part) for part in parts)


@cache
def combining_marks() -> str:
    """All combining marks, as the inside of a character class."""
    codes = range(0x300, sys.maxunicode + 1)
    return "".join(chr(code) for code in codes if is_mark(chr(code)))
