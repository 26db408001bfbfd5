"""One article as the trees of queries see it: a row of words, numbered through title and text.

A word is a run of letters, digits and `_`, with their marks. All that is found
are words, and so everything else is told in their numbers.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cached_property

import numpy as np
from ahocorasick_rs import MATCHKIND_STANDARD, AhoCorasick, Implementation

from transforms.logic.text import sentence_ends
from transforms.logic.themes.expressions import QueryField, Unit
from transforms.logic.themes.folding import Haystack, fold, spaced_out
from transforms.records import TextField

# The words that made a query match: their numbers, in order, none twice.
Match = tuple[int, ...]

# Characters: paragraphs that begin in the first so many are the lead of a text, but no
# more than twice as many. About a hundred words.
LEAD = 600
_LONGEST_LEAD = 2 * LEAD


class Anchors:
    """Literals that are looked for in all articles at once, in one pass.

    Args:
        literals: In folded text, with a blank for what is no word.
    """

    def __init__(self, literals: Iterable[str]) -> None:
        self._literals = sorted(literals)
        self._automaton = AhoCorasick(
            self._literals,
            matchkind=MATCHKIND_STANDARD,
            implementation=Implementation.ContiguousNFA,
            store_patterns=False,
        )

    def places(self, spaced: str) -> dict[str, list[int]]:
        """Where each literal begins that is there."""
        places: dict[str, list[int]] = {}
        literals = self._literals
        for number, start, _ in self._automaton.find_matches_as_indexes(spaced, overlapping=True):
            literal = literals[number]
            if literal in places:
                places[literal].append(start)
            else:
                places[literal] = [start]
        return places


class Reading:
    """One article, and where in it the anchors are.

    Args:
        accents: Whether accents are kept.
    """

    def __init__(
        self,
        title: str,
        text: str,
        *,
        language: str,
        source: str,
        accents: bool,
        anchors: Anchors,
    ) -> None:
        self._text = text
        self._source = source
        self._accents = accents
        self.language = language
        self.haystack = Haystack(title, text, accents=accents)
        #: The folded article with a blank for each character that belongs to no word.
        self.spaced = spaced_out(self.haystack.folded)
        #: Where each anchor begins that is there.
        self.places = anchors.places(self.spaced)

    @cached_property
    def source(self) -> str:
        """Where the article is from, folded."""
        return fold(self._source, accents=self._accents)

    @cached_property
    def starts(self) -> list[int]:
        """Where words begin, in the folded article."""
        if self.spaced.isascii():
            letters = np.frombuffer(self.spaced.encode(), np.uint8)
        else:
            letters = np.frombuffer(self.spaced.encode("utf-32-le", "surrogatepass"), "<u4")
        is_word = letters != ord(" ")
        starts: list[int] = ((is_word[1:] > is_word[:-1]).nonzero()[0] + 1).tolist()
        return starts

    def end(self, word: int) -> int:
        """Where a word ends, in the folded article."""
        return self.spaced.find(" ", self.starts[word])

    def original(self, match: Match) -> str:
        """What stands from the first word of a match to its last one."""
        return self.haystack.original(self.starts[match[0]], self.end(match[-1]))

    @cached_property
    def text_start(self) -> int:
        """The number of the first word of the text: below it are those of the title."""
        return bisect_left(self.starts, self.haystack.text_start)

    @cached_property
    def lead_end_place(self) -> int:
        """Where the lead ends, in the folded article."""
        end = self._text.find("\n", LEAD - 1, _LONGEST_LEAD)
        if end < 0:
            end = min(len(self._text), _LONGEST_LEAD)
        return self.haystack.text_position(end)

    @cached_property
    def lead_end(self) -> int:
        """The number of the first word after the lead."""
        return bisect_left(self.starts, self.lead_end_place)

    def bounds(self, field: QueryField) -> tuple[int, int]:
        """The number of the first word of a field, and that of the first one after it."""
        if field == "title":
            return 0, self.text_start
        return self.text_start, self.lead_end if field == "lead" else len(self.starts)

    def field(self, match: Match) -> TextField:
        """Where a match begins."""
        return "title" if match[0] < self.text_start else "text"

    def is_in_one_field(self, one: Match, other: Match) -> bool:
        """Whether title or text has all from the first word of both to the last one."""
        first, last = min(one[0], other[0]), max(one[-1], other[-1])
        return first >= self.text_start or last < self.text_start

    def text_offset(self, word: int) -> int:
        """Where a word begins in the text; below 0 for one of the title."""
        return self.haystack.text_offset(self.starts[word])

    def located(self, first: int, last: int) -> tuple[TextField, int, int]:
        """Where words stand: the field, and offsets in it."""
        return self.haystack.located(self.starts[first], self.end(last))

    @property
    def text_length(self) -> int:
        """Characters of the folded text."""
        return len(self.haystack.folded) - 1 - self.haystack.text_start

    @cached_property
    def _sentence_ends(self) -> list[int]:
        return sentence_ends(self._text)

    @cached_property
    def _paragraph_ends(self) -> list[int]:
        return [at for at, char in enumerate(self._text) if char == "\n"]

    def unit(self, word: int, unit: Unit) -> int:
        """The number of the sentence or paragraph that a word begins in; the title is -1."""
        if word < self.text_start:
            return -1
        ends = self._sentence_ends if unit == "sentence" else self._paragraph_ends
        return bisect_right(ends, self.text_offset(word))

    def sentence_at(self, offset: int) -> int:
        """The number of the sentence at an offset in the text."""
        return bisect_right(self._sentence_ends, offset)

    def sentence(self, number: int) -> tuple[int, int]:
        """From where to where in the text a sentence goes, with the blanks around it."""
        ends = self._sentence_ends
        return (
            ends[number - 1] if number else 0,
            ends[number] if number < len(ends) else len(self._text),
        )
