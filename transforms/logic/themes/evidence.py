"""The sentences that show why a theme was found, the best first."""

import sys
from collections.abc import Iterator
from typing import NamedTuple

from transforms.logic.text import REACH
from transforms.logic.themes.reading import Match, Reading
from transforms.logic.themes.scoring import Matched
from transforms.records import Evidence, TextField

MOST_EVIDENCE = 10

_Span = tuple[int, int]

# The title is one sentence, and not one of the text.
_TITLE = -1, sys.maxsize


class Passages:
    """Evidence in one article; finds each sentence once."""

    def __init__(self, title: str, text: str, reading: Reading) -> None:
        self._title = title
        self._text = text
        self._reading = reading
        self._sentences: dict[int, _Span] = {}

    def best(self, counted: Matched) -> list[dict[str, object]]:
        """Evidence for a theme, best first, no more than a reader wants; to be validated.

        The first match of each rule comes before all second ones, and so on; among
        these the heavier rule, then the earlier place. What stands in a sentence
        that was already shown comes after all others.
        """
        ranked = sorted(
            [
                (nth, -rule.weight, match, rule.id)
                for rule, matches in counted
                if rule.weight > 0
                for nth, match in enumerate(matches)
            ]
        )
        shown: set[_Span] = set()
        first: list[tuple[str, _Piece]] = []
        later: list[tuple[str, _Piece]] = []
        for _, _, match, rule in ranked:
            for piece in self._pieces(match):
                (later if piece.sentence in shown else first).append((rule, piece))
                shown.add(piece.sentence)
            if len(first) >= MOST_EVIDENCE:
                break
        return [self._evidence(rule, piece) for rule, piece in (first + later)[:MOST_EVIDENCE]]

    def evidence(self, rule: str, match: Match) -> list[Evidence]:
        """The words of a match: one piece a sentence that it has words in."""
        pieces = self._pieces(match)
        return [Evidence.model_validate(self._evidence(rule, piece)) for piece in pieces]

    def _pieces(self, match: Match) -> list["_Piece"]:
        if len(match) == 1:
            return [self._piece(match[0], match[0])]
        pieces: list[_Piece] = []
        for first, last in _runs(match, self._reading.text_start):
            piece = self._piece(first, last)
            before = pieces[-1] if pieces else piece
            if before.field == piece.field and before.start < piece.end <= before.sentence[1]:
                piece = before._replace(end=piece.end)
                pieces = pieces[:-1]
            pieces.append(piece)
        return pieces

    def _piece(self, first: int, last: int) -> "_Piece":
        field, start, end = self._reading.located(first, last)
        if field == "title":
            return _Piece(field, start, end, _TITLE)
        number = self._reading.sentence_at(start)
        sentence = self._sentences.get(number) or self._sentence(number)
        if end > sentence[1]:
            sentence = sentence[0], self._sentence(self._reading.sentence_at(end - 1))[1]
        return _Piece(field, start, end, sentence)

    def _evidence(self, rule: str, piece: "_Piece") -> dict[str, object]:
        field, start, end, (begin, close) = piece
        whole = self._text if field == "text" else self._title
        return {
            "query": rule,
            "words": whole[start:end],
            "field": field,
            "start": start,
            "end": end,
            # Cut off where it goes too far.
            "sentence": whole[max(begin, start - REACH, 0) : min(close, end + REACH)],
        }

    def _sentence(self, number: int) -> _Span:
        """A sentence of the text without blanks around it."""
        begin, end = self._reading.sentence(number)
        inner = self._text[begin:end]
        begin += len(inner) - len(inner.lstrip())
        self._sentences[number] = begin, begin + len(inner.strip())
        return self._sentences[number]


class _Piece(NamedTuple):
    """Words of a match in one field, and the sentence around them."""

    field: TextField
    start: int
    end: int
    sentence: _Span


def _runs(match: Match, text_start: int) -> Iterator[_Span]:
    """The first and the last of words that stand next to each other in one field."""
    first = last = match[0]
    for word in match[1:]:
        if word != last + 1 or word == text_start:
            yield first, last
            first = word
        last = word
    yield first, last
