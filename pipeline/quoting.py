"""Text of others, cut and marked to stand on a page or in a message; it is not escaped yet."""

import re
from urllib.parse import urlsplit

# What would turn the direction of text around it; and control characters, line feeds too.
_UNSEEN = re.compile("[\u202a-\u202e\u2066-\u2069]|[\x00-\x1f\x7f-\x9f]+")


def one_line(text: str, most: int) -> str:
    """*text* of others on one line of *most* characters; what is cut off is shown by `…`."""
    text = _UNSEEN.sub(" ", text).strip()
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def marked(sentence: str, words: str, most: int) -> tuple[str, str, str]:
    """What stands before *words* in *sentence*, the words, and what stands after them.

    Both sides are cut where the whole would be longer than *most*.
    """
    before, found, after = sentence.partition(words)
    if not found:
        return one_line(sentence, most), "", ""
    words = one_line(words, most // 2)
    room = (most - len(words)) // 2
    before, after = _UNSEEN.sub(" ", before), _UNSEEN.sub(" ", after)
    # What one side does not need is the other's.
    left = max(room, 2 * room - len(after))
    right = max(room, 2 * room - len(before))
    if len(before) > left:
        before = f"…{before[len(before) - left :].lstrip()}"
    if len(after) > right:
        after = f"{after[:right].rstrip()}…"
    return before, words, after


def web_link(url: str | None) -> str | None:
    """*url* where a browser may be sent there; None for `javascript:` and its like."""
    try:
        return url if url and urlsplit(url).scheme in ("http", "https") else None
    except ValueError:
        return None
