"""How text and terms are made alike before they are compared.

Folding removes what a reader does not mean by a difference: case (full case
folding), the shape of an apostrophe, hyphen or single newline in place of a
space, characters that are never seen (soft hyphen), and, where accents do not
count, the accents. Every folded offset can be turned back into one of the text
as it was given.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable

from transforms.records import TextField

_SPACES = "\t\r\n\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_HYPHENS = "-\u2010\u2011\u2012\u2013\ufe63\uff0d"
_IGNORED = "\u00ad\u200b\u2060\ufeff"
_SHAPES = (
    dict.fromkeys(_SPACES + _HYPHENS, " ")
    | dict.fromkeys(_IGNORED, "")
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\uff07\u00b4`", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\uff02", '"')
)
# Ligatures are two letters in every spelling, as case folding has it for ß and ﬁ.
_ALIKE = _SHAPES | {"œ": "oe", "æ": "ae", "ǣ": "ae", "ǽ": "ae"}
# Letters whose stroke Unicode does not count as a mark of its own.
_STROKES = {"ł": "l", "ø": "o", "ǿ": "o", "đ": "d", "ħ": "h", "ı": "i"}

_ASCII = bytes(range(128))
_ASCII_FOLDED = b"".join(
    fold.encode() for fold in (_ALIKE.get(c, c.lower()) for c in map(chr, _ASCII))
) + bytes(range(128, 256))
_ASCII_SPACED = bytes(byte if chr(byte).isalnum() or byte == ord("_") else 32 for byte in _ASCII)
_ASCII_SPACED += bytes(range(128, 256))


def is_mark(char: str) -> bool:
    """Whether *char* is a combining mark of any script."""
    return char > "\u02ff" and unicodedata.category(char)[0] == "M"


def is_accent(char: str) -> bool:
    """Whether *char* is a combining accent: a vowel sign of Hindi, say, is a mark but no accent."""
    return (
        "\u0300" <= char <= "\u036f"
        or "\u1ab0" <= char <= "\u1aff"
        or "\u1dc0" <= char <= "\u1dff"
        or "\u20d0" <= char <= "\u20ff"
    )


def is_word_character(char: str) -> bool:
    """Whether *char* belongs to the word that its neighbour is part of."""
    return char.isalnum() or char == "_" or is_mark(char)


def _exact_image(char: str) -> str:
    return "".join(_ALIKE.get(c, c) for c in char.casefold())


def _plain_image(char: str) -> str:
    letters = "".join(_STROKES.get(c, c) for c in _exact_image(char))
    decomposed = unicodedata.normalize("NFD", letters)
    bare = "".join(c for c in decomposed if not is_accent(c))
    # Recomposing keeps what has no accents as it was: a syllable of Korean, say.
    return letters if bare == decomposed else unicodedata.normalize("NFC", bare)


class _Images(dict[str, str]):
    """What single characters fold to; worked out once a character and process."""

    def __init__(self, image: Callable[[str], str]) -> None:
        super().__init__()
        self._image = image

    def __missing__(self, char: str) -> str:
        image = self[char] = self._image(char)
        return image


_EXACT = _Images(_exact_image)
_PLAIN = _Images(_plain_image)


def fold(text: str, *, accents: bool) -> str:
    """*text* as it is compared; with *accents* they are kept, and count."""
    images = _EXACT if accents else _PLAIN
    return "".join(images[char] for char in text)


def spaced_out(folded: str) -> str:
    """*folded* with a blank in place of each character that belongs to no word."""
    encoded = folded.encode("utf-8", "surrogatepass").translate(_ASCII_SPACED)
    spaced = encoded.decode("utf-8", "surrogatepass")
    if not spaced.isascii():
        for char in set(encoded.translate(None, _ASCII).decode("utf-8", "surrogatepass")):
            if not is_word_character(char):
                spaced = spaced.replace(char, " ")
    return spaced


def alike(text: str) -> str:
    """*text* with one shape of each apostrophe, hyphen and blank; case and accents are kept."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(_SHAPES.get(char, char) for char in composed)


class Haystack:
    """Title and text of an article as one folded string with a way back.

    A blank line stands between title and text, and something that is no word
    before and after all, so that each span has two neighbours. Positions are
    those in `folded` unless a name says otherwise.

    Args:
        accents: Whether accents are kept.
    """

    __slots__ = (
        "_original",
        "_original_starts",
        "_original_text_start",
        "_starts",
        "bare",
        "folded",
        "marked",
        "text_start",
    )

    def __init__(self, title: str, text: str, *, accents: bool) -> None:
        self._original = f"\n{title}\n\n{text}\n"
        #: Where the text begins; what begins before it belongs to the title.
        self.text_start = self._original_text_start = len(title) + 3
        #: Whether accents were taken away, so that what needs them must look at the original.
        self.bare = False
        #: Whether combining marks are left in `folded`: they belong to words, but not to `\w`.
        self.marked = False
        self._starts: list[int] = []
        self._original_starts: list[int] = []
        encoded = self._original.encode("utf-8", "surrogatepass")
        self.folded = encoded.translate(_ASCII_FOLDED).decode("utf-8", "surrogatepass")
        if not self._original.isascii():
            others = encoded.translate(None, _ASCII).decode("utf-8", "surrogatepass")
            self._fold_others(set(others), accents)

    def _fold_others(self, others: set[str], accents: bool) -> None:
        images = _EXACT if accents else _PLAIN
        resized = []
        for char in others:
            image = images[char]
            if len(image) != 1:
                resized.append(char)
            elif image != char:
                self.folded = self.folded.replace(char, image)
            if any(map(is_mark, image)):
                self.marked = True
            if not accents and image != _EXACT[char]:
                self.bare = True
        if resized:
            self._fold_resized(resized, images)

    def _fold_resized(self, resized: list[str], images: _Images) -> None:
        """Fold what changes its length, and note where offsets begin to differ."""
        pieces: list[str] = []
        position = done = 0
        for found in re.finditer(f"[{re.escape(''.join(sorted(resized)))}]", self.folded):
            at = found.start()
            image = images[found[0]]
            pieces += (self.folded[done:at], image)
            position += at - done
            # Each letter of the image stands for the same one character.
            for letter in range(len(image)):
                self._starts.append(position + letter)
                self._original_starts.append(at)
            position += len(image)
            done = at + 1
            self._starts.append(position)
            self._original_starts.append(done)
        pieces.append(self.folded[done:])
        self.folded = "".join(pieces)
        # What was resized before the text: its first letters may be such ones too.
        at = bisect_left(self._original_starts, self._original_text_start) - 1
        if at >= 0:
            self.text_start += self._starts[at] - self._original_starts[at]

    def text_offset(self, position: int) -> int:
        """A position as an offset in the original text; below 0 in the title."""
        return self._original_offset(position) - self._original_text_start

    def text_position(self, offset: int) -> int:
        """Where what stands at an offset in the original text begins."""
        if not self._starts:
            return self.text_start + offset
        return bisect_left(range(len(self.folded)), offset, key=self.text_offset)

    def _original_offset(self, position: int) -> int:
        at = bisect_right(self._starts, position) - 1
        return position if at < 0 else self._original_starts[at] + position - self._starts[at]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The span in the original whose folding is `folded[start:end]`, with its last accents."""
        if not self._starts:
            return start, end
        start, end = self._original_offset(start), self._original_offset(end - 1) + 1
        ahead = end
        while (char := self._original[ahead]) in _IGNORED or is_accent(char):
            ahead += 1
            if is_accent(char):
                end = ahead
        return start, end

    def original(self, start: int, end: int) -> str:
        """What stands at a span in the original."""
        start, end = self.original_span(start, end)
        return self._original[start:end]

    def located(self, start: int, end: int) -> tuple[TextField, int, int]:
        """A span as the field that it stands in, and offsets in that field's original."""
        if self._starts:
            start, end = self.original_span(start, end)
        before = self._original_text_start
        return (
            ("title", start - 1, end - 1)
            if start < before
            else ("text", start - before, end - before)
        )

    def exact(self, start: int, end: int) -> str | None:
        """What stands at a span with its accents, or None where it is not whole words then."""
        start, end = self.original_span(start, end)
        before, after = start - 1, end
        while not (left := _EXACT[self._original[before]]):
            before -= 1
        while not (right := _EXACT[self._original[after]]):
            after += 1
        if is_word_character(left[-1]) or is_word_character(right[0]):
            return None
        return fold(self._original[start:end], accents=True)
