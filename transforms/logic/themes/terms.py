"""Terms: words and phrases with wildcards, and where they stand in a text.

A term is one or more words. `*` stands for any number of letters or digits of
one word, `?` for exactly one. A term is found on whole words alone.
"""

import re
import sys
import unicodedata
from functools import cache

from transforms.logic.themes.folding import fold, is_mark
from transforms.logic.themes.spelling import spellings

_WILDCARD = re.compile(r"([*?])")


def normal_term(term: str) -> str:
    """The term as it is compared, accents kept: two terms with the same one mean the same."""
    composed = unicodedata.normalize("NFC", term)  # as the texts are
    return re.sub(r"\*+", "*", " ".join(fold(composed, accents=True).split()))


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


def split_wildcards(term: str) -> list[str]:
    """The parts of a term, and between them its wildcards."""
    return _WILDCARD.split(term)


def expression(term: str, *, marked: bool) -> re.Pattern[str]:
    """What a folded term matches from its first letter to its last one, in linear time.

    Args:
        marked: Whether there may be combining marks in the text.
    """
    marks = combining_marks() if marked else ""
    letters = rf"[\w{marks}]" if marked else r"\w"
    letter = rf"\w[{marks}]*" if marked else r"\w"
    first, *others = (
        "".join(letter if part == "?" else re.escape(part) for part in split_wildcards(piece))
        for piece in term.split("*")
    )
    if not others:
        return re.compile(first)
    # Where a part between two wildcards may stand, its first place is as good as any.
    middle = "".join(f"(?>{letters}*?{piece})" for piece in others[:-1])
    return re.compile(f"{first}{middle}{letters}*{others[-1]}")


def _parts(term: str) -> list[str]:
    return [part for part in split_wildcards(term) if part]


@cache
def combining_marks() -> str:
    """All combining marks, as the inside of a character class."""
    codes = range(0x300, sys.maxunicode + 1)
    return "".join(chr(code) for code in codes if is_mark(chr(code)))
