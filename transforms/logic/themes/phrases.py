"""Words and phrases with wildcards: what to look for first, and where they stand."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from transforms.logic.themes.folding import alike, spaced_out
from transforms.logic.themes.reading import Match, Reading
from transforms.logic.themes.terms import expression, split_wildcards


class Phrase:
    """One spelling of a term.

    Args:
        folded: As the articles are that it is looked for in.
        written: What must stand there as it was written, where that is more than *folded* says.
        is_cased: Whether the case of *written* counts; its accents do.
    """

    def __init__(self, folded: str, written: str | None = None, *, is_cased: bool = False) -> None:
        self._folded = folded
        self._written = written
        self._is_cased = is_cased
        spaced = "".join(
            part if part in ("*", "?") else spaced_out(part)
            for part in split_wildcards(f" {folded} ")
        )
        self._length = len(spaced.split())
        # What stands before and after the words without a blank: the `#` of a hashtag.
        self._before = len(spaced) - len(spaced.lstrip(" ")) - 1
        self._after = len(spaced) - len(spaced.rstrip(" ")) - 1
        pieces = split_wildcards(spaced)
        at = max(range(0, len(pieces), 2), key=lambda at: len(pieces[at].strip(" ")))
        #: Its longest part without a wildcard, with a blank for each end of a word.
        self.anchor = pieces[at]
        self.begins_with_anchor = at == 0
        # Where in the anchor its first letter is, and in which of the words.
        self._letter = len(self.anchor) - len(self.anchor.lstrip(" "))
        before = "".join(pieces[:at])
        self._word = len(before.split()) - (before != "" and self._letter == 0)
        # Nothing but the anchor is to be looked at, or only what stands between its words.
        is_prefix = pieces[1:] == ["*", " "] and self.anchor[-1] != " "
        self._is_plain = written is None and (is_prefix or len(pieces) == 1)
        self._beginning = folded.removesuffix("*")
        self._is_word = self._is_plain and self._length == 1 and not self._before + self._after

    def matches(self, reading: Reading, places: Sequence[int]) -> list[Match]:
        """Where it stands, among the *places* where its anchor does; each match once."""
        starts = reading.starts
        if self._is_word:
            return [(bisect_right(starts, place + 1) - 1,) for place in places]
        length = self._length
        if self._is_plain:
            words, folded = self._beginning, reading.haystack.folded
            return [
                tuple(range(first, first + length))
                for place in places
                if folded.startswith(words, place + 1)
                for first in (bisect_right(starts, place + self._letter) - 1,)
            ]
        firsts = {bisect_right(starts, place + self._letter) - 1 - self._word for place in places}
        matches = (
            tuple(range(first, first + length))
            for first in sorted(firsts)
            if 0 <= first <= len(starts) - length
        )
        return [match for match in matches if self._stands(match, reading)]

    def _stands(self, match: Match, reading: Reading) -> bool:
        start = reading.starts[match[0]] - self._before
        end = reading.end(match[-1]) + self._after
        haystack, spaced = reading.haystack, reading.spaced
        if start < 1 or end >= len(spaced) or spaced[start - 1] != " " or spaced[end] != " ":
            return False
        letters = self._marked if haystack.marked else self._unmarked
        if not letters.fullmatch(haystack.folded, start, end):
            return False
        if self._written is None:
            return True
        text: str | None
        if self._is_cased:
            text = alike(haystack.original(start, end))
        else:
            text = haystack.exact(start, end)
        return text is not None and self._exactly.fullmatch(text) is not None

    @cached_property
    def _unmarked(self) -> re.Pattern[str]:
        return expression(self._folded, marked=False)

    @cached_property
    def _marked(self) -> re.Pattern[str]:
        return expression(self._folded, marked=True)

    @cached_property
    def _exactly(self) -> re.Pattern[str]:
        return expression(self._written or "", marked=True)
