"""From bytes in an unknown encoding to text."""

import codecs
import re

from charset_normalizer import from_bytes

from transforms.errors import Reason, RecordError

_BOMS = (  # the longer first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,100}?\sencoding\s*=\s*["']([\w.:-]{1,40})"""
    rb"""|<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_LOOKED_AT = 1 << 16  # bytes, for declarations and for guessing
# Nobody writes pages in them, and hostile input can make them slow.
_REFUSED = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"})


def wide_encoding(head: bytes) -> str | None:
    """The encoding that a byte order mark, or the zero bytes of UTF-16 without one, give away."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    sample = head[:512]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > len(sample) // 4 and even * 8 < odd:
        return "utf-16-le"
    if even > len(sample) // 4 and odd * 8 < even:
        return "utf-16-be"
    return None


def decode(payload: bytes, encoding: str | None = None, *, markup: bool = False) -> str:
    """Decode *payload*, by the first of these that it allows.

    Its byte order mark or the zero bytes of UTF-16; *encoding*; with *markup* what
    it declares in its first lines; UTF-8; the best guess. A declaration that its own
    bytes disprove is overruled. Single broken bytes in UTF-8 become U+FFFD.

    Raises:
        RecordError: BAD_ENCODING where the byte order mark is disproved or nothing fits.
    """
    if marked := wide_encoding(payload):
        try:
            return payload.decode(marked)
        except UnicodeError as error:
            raise RecordError(Reason.BAD_ENCODING, f"not {marked}: {error}") from error
    candidates = [encoding, "utf-8"]
    if markup and (declared := _DECLARED.search(payload, 0, _LOOKED_AT)):
        candidates.insert(1, (declared[1] or declared[2]).decode())
    for name in candidates:
        if name is not None and (text := _decoded(payload, name)) is not None:
            return text
    text = payload.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if sum(map(len, re.findall(r"[^\x00-\x7f]+", text))) > 2 * broken:
        return text  # more good characters outside ASCII than broken ones
    best = from_bytes(payload[:_LOOKED_AT]).best()
    if best is None:
        raise RecordError(Reason.BAD_ENCODING, "the bytes are text in no encoding that is known")
    return payload.decode(best.encoding, "replace")


def _decoded(payload: bytes, name: str) -> str | None:
    try:
        codec = codecs.lookup(name).name
        if codec in _REFUSED:
            return None
        # As browsers do: what calls itself Latin-1 is Windows-1252 far more often.
        return payload.decode("cp1252" if codec in ("iso8859-1", "ascii") else codec)
    except (LookupError, ValueError):
        return None
