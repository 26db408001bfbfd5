"""Which articles are near-copies of one another: MinHash signatures, and pairs that share a band.

Two articles are as similar as the sets of their shingles, five words in a row,
overlap: by the Jaccard index |A ∩ B| / |A ∪ B|. A signature estimates it. Under a
random order of all shingles the first one of A is the first one of B with a chance
of just that index (Broder 1997, "On the resemblance and containment of
documents"). A signature holds, for 128 orders, four bits of a hash of the first
shingle: b-bit minwise hashing (Li & König 2010, "b-Bit Minwise Hashing").

Eight values in a row are a band. Two articles of Jaccard index J agree in a value
with a chance of p = J + (1 - J) / 16, and share one of the sixteen bands with a
chance of 1 - (1 - p^8)^16 (Leskovec, Rajaraman & Ullman, "Mining of Massive
Datasets", 3.4.2): 0.9999 for J = 0.9, 0.97 for 0.8, 0.31 for 0.6, under 1e-8 for 0.
"""

import hashlib
import struct
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Signatures = npt.NDArray[np.uint8]

SIGNATURE_BYTES: Final = 64
BANDS: Final = 16

_SHINGLE = 5  # words
_VALUES = 2 * SIGNATURE_BYTES
_BY_CHANCE = _VALUES // 16  # values that agree in signatures that have nothing in common
_SEED = 3  # with it all real near-copies known to us fall on the right side of 0.8
_SHINGLE_BLOCK = 1024  # shingles that are ordered at once: half a megabyte
_PAIR_BLOCK = 1 << 16
_REACH = 128  # how far apart two signatures in one bucket may stand and still be compared

# Odd constants of good linear generators (Steele & Vigna 2021, "Computationally easy,
# spectrally good multipliers for congruential pseudorandom number generators").
_BASE = 0xD1342543DE82EF95
_MIX_WORD = np.uint64(0xAF251AF3B0F025B5)
_MIX_SHINGLE = np.uint64(0xF1357AEA2E62A9C5)
_MIX_VALUE = np.uint32(0x93D765DD)

_BAND_FORM = struct.Struct(f"<{BANDS}I")
_LOW_BITS = int.from_bytes(b"\x11" * SIGNATURE_BYTES)
_AGREEING = np.array([(byte < 16) + (byte & 15 == 0) for byte in range(256)], np.uint8)


def signature(title: str, text: str) -> bytes:
    """64 bytes that say which articles this one is similar to. Never raises.

    The shingles go from the title into the text. Words are runs of letters, marks,
    digits and underscores, whatever their case; in Chinese, Japanese, Thai, Lao,
    Khmer and Burmese, which put no blanks between words, each character is one. A
    text of one to four words has one shingle, of all its words. One without words
    has an empty shingle: it is a copy of others without words, similar to no more.

    Byte k holds value 2k in its lower and value 2k + 1 in its upper half; bytes 4i
    to 4i + 3 are band i. Stored by users: the same text has the same signature on
    every platform and in every version of Python, as far as that folds the case of
    its letters alike.
    """
    shingles = _shingles(_words(f"\n{title}\n{text}\n".casefold()))
    lowest = np.full(_VALUES, np.iinfo(np.uint32).max, np.uint32)
    for start in range(0, len(shingles), _SHINGLE_BLOCK):
        ranks = _MULTIPLIERS * shingles[start : start + _SHINGLE_BLOCK]
        np.minimum(lowest, ranks.min(axis=1), out=lowest)
    # The low bits of a product tell of no more than the low bits of its factors: by
    # them alone, one pair of short texts in sixteen would agree in every value.
    lowest ^= lowest >> 15
    lowest *= _MIX_VALUE
    values = (lowest >> 28).astype(np.uint8)
    return (values[::2] | values[1::2] << 4).tobytes()


def band_keys(signature: bytes) -> tuple[int, ...]:
    """The sixteen bands of a signature, as integers from 0 to under 2^36.

    The upper bits are the number of the band, so that keys of different bands differ.
    """
    return tuple(band << 32 | value for band, value in enumerate(_BAND_FORM.unpack(signature)))


def similarity(left: bytes, right: bytes) -> float:
    """The estimated Jaccard index of two articles, from 0 to 1, in steps of 1/120.

    Of the values that do not come from one shingle a sixteenth agrees by chance, so the
    estimate is (share that agrees - 1/16) / (1 - 1/16), or 0 where that is negative: Li &
    König 2010, theorem 1, for sets that are small beside all shingles there could be.
    Its standard error is sqrt(p (1 - p) / 128) / (15/16), with p = J + (1 - J) / 16:
    0.037 for a Jaccard index of 0.8, 0.027 for 0.9.
    """
    differing = int.from_bytes(left) ^ int.from_bytes(right)
    differing |= differing >> 1
    differing |= differing >> 2
    agreeing = _VALUES - (differing & _LOW_BITS).bit_count()
    return max(0.0, (agreeing - _BY_CHANCE) / (_VALUES - _BY_CHANCE))


def similarities(left: Signatures, right: Signatures) -> npt.NDArray[np.float64]:
    """The `similarity` of each pair of rows; one signature beside many is compared with each."""
    agreeing = _AGREEING[left ^ right].sum(axis=-1, dtype=np.int64)
    estimates: npt.NDArray[np.float64] = (agreeing - _BY_CHANCE) / (_VALUES - _BY_CHANCE)
    return np.maximum(estimates, 0.0)


def similar_pairs(signatures: Sequence[bytes], threshold: float) -> Iterator[tuple[int, int]]:
    """Pairs of indices that connect all signatures that are alike, the lower index first.

    Alike are two that share a band and whose `similarity` is *threshold* or more. The
    pairs are a forest: no more than one fewer than there are signatures. What they
    connect depends on the signatures alone, not on their order.

    Time grows in step with the number of signatures: equal ones count once, and of more
    than 129 different ones that share a band each is compared with the 128 on either
    side of it, in the order of the next band. That loses a pair only where so many stand
    between the two in each band that they share, and nothing else connects them: of
    30,000 texts of one template, 0.5 to 0.7 alike, it lost under one pair in a hundred
    of index 0.83, and one in three thousand of 0.9. Takes about 220 bytes a signature
    beside the signatures themselves.
    """
    first: dict[bytes, int] = {}
    for index, one in enumerate(signatures):
        earlier = first.setdefault(one, index)
        if earlier != index:
            yield earlier, index
    distinct = sorted(first)
    indices = [first[one] for one in distinct]
    matrix = np.frombuffer(b"".join(distinct), np.uint8).reshape(-1, SIGNATURE_BYTES)
    del first, distinct
    for left, right in _links(matrix, threshold):
        low, high = sorted((indices[left], indices[right]))
        yield low, high


def _multipliers(seed: int) -> npt.NDArray[np.uint32]:
    """128 random orders of 32-bit numbers: by their products with odd numbers, modulo 2^32."""
    drawn = hashlib.shake_256(f"policywire near-duplicates {seed}".encode()).digest(4 * _VALUES)
    odd: npt.NDArray[np.uint32] = np.frombuffer(drawn, "<u4").astype(np.uint32) | np.uint32(1)
    return odd.reshape(-1, 1)


_MULTIPLIERS = _multipliers(_SEED)

# What a character is: a separator (0), a part of a word, or a word of its own.
_LETTER, _WORD = 1, 2
_UNSPACED = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF)),  # Thai, Lao; Burmese; Khmer
    *((0x3005, 0x3007), (0x3041, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F)),  # kana
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)),  # Chinese characters
)

# Of unknown characters (Cn) and halves of a pair (Cs) most are letters too.
_LETTERS = frozenset("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Cn Cs".split())


def _kinds() -> npt.NDArray[np.uint8]:
    """What each unit of UTF-16 is, by a version of Unicode that every Python holds."""
    category = unicodedata.ucd_3_2_0.category
    letters = (category(char) in _LETTERS or char == "_" for char in map(chr, range(1 << 16)))
    kinds = np.fromiter(letters, np.uint8, 1 << 16)
    for low, high in _UNSPACED:
        kinds[low : high + 1] *= _WORD
    return kinds


_KINDS = _kinds()
_ASCII_KINDS = _KINDS[:256].tobytes()


def _powers(base: int, most: int) -> npt.NDArray[np.uint64]:
    return np.cumprod(np.full(most, base, np.uint64), dtype=np.uint64)


_BASE_INVERSE = pow(_BASE, -1, 1 << 64)
_POWERS = _powers(_BASE, 1 << 15)
_INVERSES = _powers(_BASE_INVERSE, 1 << 15)


def _words(folded: str) -> npt.NDArray[np.uint64]:
    """A hash of each word in *folded*, which begins and ends with a separator.

    A word's hash is a polynomial of its UTF-16 units, as in Karp & Rabin 1987, modulo
    2^64: a difference of two sums up to a place in the text, divided by the power of
    the place where the word starts.
    """
    units: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    if folded.isascii():
        ascii_bytes = folded.encode()
        units = np.frombuffer(ascii_bytes, np.uint8)
        kinds = np.frombuffer(ascii_bytes.translate(_ASCII_KINDS), np.uint8)
    else:
        units = np.frombuffer(folded.encode("utf-16-le", "surrogatepass"), "<u2")
        kinds = _KINDS[units]
    before, after = kinds[:-1], kinds[1:]
    joined = before & after & _LETTER
    starts = np.flatnonzero(after > joined) + 1
    lasts = np.flatnonzero(before > joined)
    powers, inverses = _POWERS, _INVERSES
    if len(units) > len(powers):
        powers, inverses = _powers(_BASE, len(units)), _powers(_BASE_INVERSE, len(units))
    sums = np.cumsum(units * powers[: len(units)])
    words: npt.NDArray[np.uint64] = (sums[lasts] - sums[starts - 1]) * inverses[starts]
    words ^= words >> 32
    words *= _MIX_WORD
    return words


def _shingles(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint32]:
    """A hash of each five words in a row, or one of all words where there are fewer."""
    if len(words) < _SHINGLE:
        words = np.append(words, np.zeros(_SHINGLE - len(words), np.uint64))
    shingles = np.correlate(words, _POWERS[:_SHINGLE], "valid")
    shingles ^= shingles >> 32
    shingles *= _MIX_SHINGLE
    # Odd, for zero would come first in every order, and multiples of high powers of two seldom.
    # With x = 2u + 1 and a = 2k + 1, a x mod 2^32 stands for (a u + k) mod 2^31: nothing is fixed.
    return (shingles >> 32).astype(np.uint32) | np.uint32(1)


def _links(matrix: Signatures, threshold: float) -> Iterator[tuple[int, int]]:
    """`similar_pairs` of the rows of *matrix*, which are distinct and sorted."""
    bands = matrix.view("<u4")
    parent = np.arange(len(matrix))
    for band in range(BANDS):
        values, following = bands[:, band], bands[:, (band + 1) % BANDS]
        order = np.argsort(values.astype(np.uint64) << 32 | following, kind="stable")
        values = values[order]
        places = np.arange(len(matrix))
        for distance in range(1, _REACH + 1):
            places = places[places + distance < len(matrix)]
            places = places[values[places] == values[places + distance]]
            if not len(places):
                break
            yield from _joined(order[places], order[places + distance], matrix, parent, threshold)


def _joined(
    lefts: npt.NDArray[np.intp],
    rights: npt.NDArray[np.intp],
    matrix: Signatures,
    parent: npt.NDArray[np.intp],
    threshold: float,
) -> Iterator[tuple[int, int]]:
    """Of these pairs of rows those that are alike and join two trees of *parent*; joins them."""
    apart = _roots(parent, lefts) != _roots(parent, rights)
    lefts, rights = lefts[apart], rights[apart]
    nodes = parent.data  # single items far faster than the array gives them
    for start in range(0, len(lefts), _PAIR_BLOCK):
        block = slice(start, start + _PAIR_BLOCK)
        alike = similarities(matrix[lefts[block]], matrix[rights[block]]) >= threshold
        pairs = zip(lefts[block][alike].tolist(), rights[block][alike].tolist(), strict=True)
        for left, right in pairs:
            low, high = sorted((_root(nodes, left), _root(nodes, right)))
            if low != high:
                nodes[high] = low
                yield left, right


def _roots(parent: npt.NDArray[np.intp], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The root of each row's tree; the rows hang on their roots from now on."""
    roots = parent[rows]
    while not np.array_equal(roots, above := parent[roots]):
        parent[rows] = roots = above
    return roots


def _root(nodes: memoryview, node: int) -> int:
    """The root of one row's tree, with path halving."""
    while nodes[node] != node:
        nodes[node] = nodes[nodes[node]]
        node = nodes[node]
    return node
