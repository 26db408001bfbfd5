"""From the bytes of a text, page or feed to its characters."""

import codecs
import re
from collections.abc import Iterator

from charset_normalizer import from_bytes

from transforms.errors import Reason, RecordError

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# What browsers read under these labels (encoding.spec.whatwg.org): the wider set that
# texts labelled with the narrower one use in fact.
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
# Labels that browsers know and Python does not.
_WHATWG_ONLY = {
    label: codec
    for codec, labels in {
        "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
        "utf-16": "unicode ucs-2 csunicode iso-10646-ucs-2 unicodefeff",
        "cp932": "x-sjis windows-31j",
        "cp949": "ks_c_5601-1987 ks_c_5601-1989 ksc_5601 iso-ir-149 windows-949 cseuckr",
        "euc_jp": "x-euc-jp cseucpkdfmtjapanese",
        "gb18030": "gb_2312 gb_2312-80 csgb2312 x-gbk",
        "big5": "cn-big5 x-x-big5",
        "cp874": "windows-874 dos-874",
        "iso8859_2": "iso88592",
        "iso8859_6": "iso-8859-6-e iso-8859-6-i csiso88596e csiso88596i",
        "iso8859_8": "iso-8859-8-e iso-8859-8-i csiso88598e csiso88598i logical visual",
        "iso8859_15": "csisolatin9",
        "koi8_r": "koi koi8",
        "koi8_u": "koi8-ru",
        "mac_roman": "mac x-mac-roman csmacintosh",
        "mac_cyrillic": "x-mac-cyrillic x-mac-ukrainian",
        "cp1252": "iso88591",
        **{f"cp{number}": f"x-cp{number}" for number in range(1250, 1259)},
    }.items()
    for label in labels.split()
}

# Python has these codecs, but no text is published in them, and some take quadratic time.
_NEVER = {"idna", "punycode", "utf-7", "unicode-escape", "raw-unicode-escape", "undefined"}

_ONE_BYTE = ("cp125", "cp874", "iso8859", "koi8", "mac")
_WIDE = {"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"}

_DECLARATION = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']"""
    rb"""|<meta\s[^>]{0,400}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_PROLOG = 4096  # browsers look for a declaration in the first 1024 bytes; some pages put it later

# What undeclared texts of Europe and East Asia are written in. Where two fit equally well
# the earlier one is taken: charset-normalizer alone reads Spanish as Central European.
_GUESSES = [
    "cp1252", "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1253", "cp1254",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip
_SAMPLE = 1 << 16


def decode(payload: bytes, declared: str | None = None, *, markup: bool = False) -> str:
    """Decode *payload*, without a byte order mark.

    Asked in this order: its byte order mark, or the zeros of UTF-16; *declared*, what
    a header says; with *markup* the declaration inside an XML document or HTML page;
    UTF-8; the same where a few bytes are broken; what it looks like. What is declared
    but does not fit is passed over, and so is a code of single bytes where it is UTF-8.

    Raises:
        RecordError: BAD_ENCODING where nothing fits.
    """
    if (marked := marked_encoding(payload)) is not None:
        return _decode_marked(payload, marked)
    named = _named_encodings(payload, declared, markup)
    tried = [*filter(None, map(_codec, named)), "utf-8"]
    if _is_rather_utf8(payload, tried[0]):
        tried.insert(0, "utf-8")
    for attempt in (_attempt, _mostly):
        for codec in tried:
            if (text := attempt(payload, codec)) is not None:
                return text
    if (text := _guessed(payload)) is not None:
        return text
    raise RecordError(
        Reason.BAD_ENCODING, f"no encoding fits; declared: {', '.join(named) or 'none'}"
    )


def is_as_declared(payload: bytes, declared: str | None = None) -> bool:
    """Whether an XML document can be read in each encoding that it or a header declares."""
    if marked_encoding(payload) is not None:
        return True
    codecs_named = map(_codec, _named_encodings(payload, declared, markup=True))
    return all(
        codec and _attempt(payload, codec) is not None and not _is_rather_utf8(payload, codec)
        for codec in codecs_named
    )


def _is_rather_utf8(payload: bytes, codec: str) -> bool:
    """Whether what is said to be in a code of single bytes is UTF-8.

    Almost anything is a text in those; what is one in UTF-8 too is so by no accident.
    """
    return (
        codec.startswith(_ONE_BYTE)
        and not payload.isascii()
        and _attempt(payload, "utf-8") is not None
    )


def _named_encodings(payload: bytes, declared: str | None, markup: bool) -> list[str]:
    """What a header, and with *markup* the text itself, says of its encoding."""
    named = [declared] if declared else []
    if markup and (found := _DECLARATION.search(payload, 0, _PROLOG)):
        inside = (found[1] or found[2]).decode()
        # What could be read as ASCII is no UTF-16, whatever it says of itself.
        if _codec(inside) not in _WIDE:
            named.append(inside)
    return named


def marked_encoding(head: bytes) -> str | None:
    """The encoding that the first bytes of a text give away: by a mark, or by zeros.

    'utf-8-sig' for UTF-8 with a mark; None where nothing is given away.
    """
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    return _utf16_without_mark(head)


def _utf16_without_mark(head: bytes) -> str | None:
    """'utf-16-le' or 'utf-16-be' where every second byte is zero as in Latin text."""
    head = head[: min(len(head), 1024) & ~1]
    if b"\0" not in head:
        return None
    half = len(head) // 2
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.1 * half:
        return "utf-16-be"
    return None


def _codec(name: str) -> str | None:
    """Python's codec for a declared *name*; None where there is none for texts."""
    name = name.strip().lower()
    name = _WHATWG_ONLY.get(name, name)
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if codec.name in _NEVER or not codec._is_text_encoding:
        return None
    return _WIDER.get(codec.name, codec.name)


def _attempt(payload: bytes, codec: str) -> str | None:
    try:
        return payload.decode(codec)
    except UnicodeError:
        return None


def _decode_marked(payload: bytes, encoding: str) -> str:
    try:
        return payload.decode(encoding)
    except UnicodeError as error:
        # One code unit that the end of the data cuts through is no reason to give it up.
        text = payload.decode(encoding, "replace")
        if text.count("\ufffd") <= 1 + len(text) // 1000:
            return text
        raise RecordError(Reason.BAD_ENCODING, f"not {encoding}: {error}") from error


def _mostly(payload: bytes, codec: str) -> str | None:
    """A text in which a few bytes are broken, as browsers show it."""
    text = payload.decode(codec, "replace")
    cut_through = text.endswith("\ufffd") and text.count("\ufffd") == 1
    return text if cut_through or _is_mostly_good(text) else None


def _is_mostly_good(text: str) -> bool:
    broken = text.count("\ufffd")
    good = sum(character > "\x7f" for character in text) - broken
    return broken * 10 <= good


def encoding_of(head: bytes) -> str:
    """The encoding of a text whose first part, at least a line, is *head*; has no mark.

    It is UTF-8 where that fits but for a few bytes.
    """
    # A character that the end of the head cuts through is no error.
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(head)
    if _is_mostly_good(text):
        return "utf-8"
    return next(_guesses(head), "cp1252")


def _guessed(payload: bytes) -> str | None:
    sample = payload
    if len(payload) > _SAMPLE:  # cut after a line, not inside a character
        sample = payload[: payload.rfind(b"\n", 0, _SAMPLE) + 1] or payload[:_SAMPLE]
    attempts = (_attempt(payload, encoding) for encoding in _guesses(sample))
    return next((text for text in attempts if text is not None), None)


def _guesses(sample: bytes) -> Iterator[str]:
    """Encodings that *sample* can be in, the likeliest first."""
    matches = from_bytes(sample, cp_isolation=_GUESSES)
    best = sorted(matches, key=lambda match: (match.chaos, -match.coherence, _rank(match.encoding)))
    yield from (match.encoding for match in best)


def _rank(encoding: str) -> int:
    return _GUESSES.index(encoding) if encoding in _GUESSES else len(_GUESSES)
