"""Near-copies: signatures are as they are for ever, say how alike two texts are, and find pairs.

`by_hand` is the signature again, in plain Python and one number at a time.
"""

import hashlib
import random
import re
import struct
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.logic import near_duplicates
from transforms.logic.copies import connect
from transforms.logic.near_duplicates import (
    band_keys,
    signature,
    similar_pairs,
    similarities,
    similarity,
)


def by_hand(title: str, text: str) -> bytes:
    """The signature of a text in a script with blanks, whose marks are part of its letters."""
    words = [mixed(polynomial(units(word)), 0xAF251AF3B0F025B5) for word in split(title, text)]
    words += [0] * (5 - len(words))
    shingles = [
        mixed(0xD1342543DE82EF95 * polynomial(words[i : i + 5]), 0xF1357AEA2E62A9C5) >> 32 | 1
        for i in range(len(words) - 4)
    ]
    drawn = hashlib.shake_256(b"policywire near-duplicates 3").digest(512)
    values = []
    for i in range(128):
        odd = int.from_bytes(drawn[4 * i : 4 * i + 4], "little") | 1
        lowest = min(shingle * odd % 2**32 for shingle in shingles)
        values.append((lowest ^ lowest >> 15) * 0x93D765DD % 2**32 >> 28)
    return bytes(values[i] | values[i + 1] << 4 for i in range(0, 128, 2))


def split(title: str, text: str) -> list[str]:
    return re.findall(r"\w+", f"{title}\n{text}".casefold())


def units(word: str) -> list[int]:
    return [unit for (unit,) in struct.iter_unpack("<H", word.encode("utf-16-le"))]


def polynomial(coefficients: list[int]) -> int:
    return sum(
        number * pow(0xD1342543DE82EF95, place, 2**64) for place, number in enumerate(coefficients)
    )


def mixed(number: int, factor: int) -> int:
    number %= 2**64
    return (number ^ number >> 32) * factor % 2**64


def prose(words: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [f"w{chance.randrange(5000)}" for _ in range(words)]


def groups(pairs: Iterable[tuple[bytes, bytes]]) -> set[frozenset[bytes]]:
    """The connected components over *pairs*."""
    found: dict[str, set[bytes]] = {}
    for member, root in connect((left.hex(), right.hex()) for left, right in pairs).items():
        found.setdefault(root, set()).add(bytes.fromhex(member))
    return {frozenset(group) for group in found.values() if len(group) > 1}


def groups_found(signatures: Sequence[bytes], threshold: float = 0.8) -> set[frozenset[bytes]]:
    pairs = similar_pairs(signatures, threshold)
    return groups((signatures[left], signatures[right]) for left, right in pairs)


def changed(original: bytes, places: Iterable[int]) -> bytes:
    """The signature *original* with the values at *places* changed."""
    number = int.from_bytes(original, "little")
    for place in places:
        number ^= 1 << 4 * place
    return number.to_bytes(64, "little")


families = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.integers(0, 127), max_size=40)), max_size=24
).map(
    lambda drawn: [
        changed(hashlib.shake_256(bytes([base])).digest(64), places) for base, places in drawn
    ]
)


# Signatures


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        (
            "",
            "",
            "62ca5da30d88f0a0f7b732433395d64b28f61018704ee0e062b7c75902ab0d2e"
            "564302a2a1860a3dc2beb2baefea6b3b40c576ed597e038d23572d9d62700e7e",
        ),
        (
            "G6 summit",
            "Ministers met.",
            "24328cb156659f36d3deb9ccf2262b61d2f207bb7d26b2397e53c0a14fee7ec6"
            "1b3ebeec51d2d4079381b88339afe4b4ace246428ac9e9ef411c0605465f7e36",
        ),
        (
            "Ministers agree on asylum",
            "The six ministers agreed to share data on asylum seekers.",
            "93875beb374d2f9857762a5a9da3fe526d51ec3e7b2c5437054415ca443e65ea"
            "38d13a6ca99007e26d7055843ce1ed8d068a602dcf50c7dd246ee35167e71eb2",
        ),
        (
            "Štát",
            "Öffentliche Sicherheit: „Straße“ — l’état d’urgence, план по миграции 🔥",
            "bf75fcdf9356d43b64b9fed5995290b77c759acc9da955160484b87bc8790f5c"
            "8e55d67ce562521414562b654249ba5b13d4b36ca3111457bb7debebeb6ffc09",
        ),
        (
            "移民",
            "六国内政部长讨论了移民问题。",
            "10e7db14e7fa9c08f3f93d675fa95af5d9d0b72bb71412c4383079214eed1866"
            "6e9c5c0a1a7b95be107992d112858374b166d8214fc4a16db8ee69f293c77414",
        ),
    ],
)
def test_signatures_stay_as_they_are(title: str, text: str, expected: str) -> None:
    assert signature(title, text).hex() == expected.replace(" ", "")


@given(st.text("aA bßΣ.,'’\n_9é€𝐁", max_size=80), st.text("ab cd.E\n", max_size=80))
def test_a_signature_is_what_it_is_by_hand(title: str, text: str) -> None:
    assert signature(title, text) == by_hand(title, text)


@pytest.mark.parametrize("end", ["", "é"])
def test_long_texts_are_cut_nowhere(end: str) -> None:
    text = " ".join(prose(8_000, 1)) + end
    assert len(text) > 1 << 15
    assert signature("", text) == by_hand("", text)


@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=60))
def test_any_text_has_a_signature(title: str, text: str) -> None:
    assert len(signature(title, text)) == 64


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\0", "\U0010ffff" * 9])
def test_even_broken_text_has_a_signature(text: str) -> None:
    assert len(signature(text, text)) == 64


def test_case_punctuation_and_blanks_do_not_count() -> None:
    text = "The minister’s plan – “asylum”, he said – isn't one: ÉTAT, Straße!"
    same = 'the MINISTER\'S plan asylum he\nsaid ("isn’t one") état STRASSE'
    assert signature("", text) == signature("", same)


def test_a_word_counts_wherever_it_stands() -> None:
    assert signature("one two three", "four five six") == signature(
        "one", "two three four five six"
    )


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("六国内政部长昨天在柏林讨论了移民和加密问题并同意共享数据", "共", "分"),
        ("ウクライナからの避難民を受け入れると大臣が発表しました", "発表", "説明"),
        ("รัฐมนตรีหกประเทศประชุมเรื่องผู้ลี้ภัยและการเข้ารหัส", "หัส", "หัน"),
    ],
)
def test_scripts_without_blanks_are_compared_by_character(text: str, old: str, new: str) -> None:
    other = text.replace(old, new)
    assert 0.4 < similarity(signature("", text), signature("", other)) < 1


def test_a_word_of_hindi_holds_its_vowel_signs() -> None:
    assert signature("", "हिंदी") != signature("", "ह द")
    words = "हिंदी में लिखा हुआ समाचार"
    assert signature("", words) == signature("", words.replace(" ", "। "))


def test_texts_without_words_are_like_each_other_alone() -> None:
    empty = signature("", "")
    assert empty == signature("…", "—!?")
    others = [signature("", " ".join(prose(words, words))) for words in range(1, 200)]
    assert max(similarity(empty, other) for other in others) < 0.15


def test_short_texts_are_alike_only_where_they_are_equal() -> None:
    texts = [f"word{i}" for i in range(150)] + [f"a b c d{i}" for i in range(150)]
    rows = np.array([list(signature("", text)) for text in texts], np.uint8)
    left, right = np.triu_indices(len(rows), 1)
    estimates = similarities(rows[left], rows[right])
    assert estimates.max() < 0.2
    assert estimates.mean() < 0.02
    assert len(set(map(bytes, rows))) == len(texts)


# Similarity


@pytest.mark.parametrize("shared", [0.0, 0.3, 0.5, 0.8, 0.95])
def test_the_estimate_is_right_on_average_and_as_exact_as_theory_says(shared: float) -> None:
    errors, expected = [], 0.0
    for seed in range(400):
        words = [f"w{seed}x{i}" for i in range(300)]
        change = round(300 * shared)
        other = words[:change] + [f"v{seed}x{i}" for i in range(300 - change)]
        sets = [{tuple(one[i : i + 5]) for i in range(296)} for one in (words, other)]
        exact = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
        left, right = signature("", " ".join(words)), signature("", " ".join(other))
        agreeing = sum(
            (a & 15 == b & 15) + (a >> 4 == b >> 4) for a, b in zip(left, right, strict=True)
        )
        errors.append((agreeing - 8) / 120 - exact)
        chance = exact + (1 - exact) / 16
        expected = (chance * (1 - chance) / 128) ** 0.5 / (15 / 16)
    assert abs(np.mean(errors)) < 4 * expected / 20
    assert 0.85 < np.std(errors) / expected < 1.15


@given(st.binary(min_size=64, max_size=64), st.lists(st.integers(0, 127), unique=True))
def test_similarity_counts_the_values_that_agree(one: bytes, places: list[int]) -> None:
    other = changed(one, places)
    assert similarity(one, other) == max(0.0, (120 - len(places)) / 120)
    assert similarity(other, one) == similarity(one, other)


@given(families)
def test_many_pairs_at_once_are_as_one_by_one(signatures: list[bytes]) -> None:
    rows = np.frombuffer(b"".join(signatures), np.uint8).reshape(-1, 64)
    assert similarities(rows, rows[::-1]).tolist() == list(
        map(similarity, signatures, signatures[::-1])
    )
    for one in signatures:
        row = np.frombuffer(one, np.uint8)
        assert similarities(row, rows).tolist() == [similarity(one, other) for other in signatures]


# Bands


@given(st.binary(min_size=64, max_size=64), st.integers(0, 127))
def test_a_value_belongs_to_one_band(one: bytes, place: int) -> None:
    keys, others = band_keys(one), band_keys(changed(one, [place]))
    assert [band for band in range(16) if keys[band] != others[band]] == [place // 8]


@given(st.binary(min_size=64, max_size=64))
def test_keys_of_bands_are_small_and_apart(one: bytes) -> None:
    keys = band_keys(one)
    assert [key >> 32 for key in keys] == list(range(16))
    assert all(0 <= key < 2**63 for key in keys)
    assert b"".join((key & 0xFFFFFFFF).to_bytes(4, "little") for key in keys) == one


# Pairs


@given(families, st.sampled_from([0.0, 0.5, 0.7, 0.8, 0.95, 1.0]))
def test_pairs_connect_what_is_alike(signatures: list[bytes], threshold: float) -> None:
    alike = [
        (left, right)
        for left, right in combinations(signatures, 2)
        if set(band_keys(left)) & set(band_keys(right)) and similarity(left, right) >= threshold
    ]
    assert groups_found(signatures, threshold) == groups(alike)


@given(families)
def test_pairs_are_alike_and_form_a_forest(signatures: list[bytes]) -> None:
    parts = {index: {index} for index in range(len(signatures))}
    for left, right in similar_pairs(signatures, 0.8):
        assert left < right
        assert similarity(signatures[left], signatures[right]) >= 0.8
        assert parts[left].isdisjoint(parts[right])
        joined = parts[left] | parts[right]
        parts.update(dict.fromkeys(joined, joined))


@pytest.mark.parametrize("reach", [1, 2, 128])
@given(signatures=families, chance=st.randoms())
def test_groups_do_not_depend_on_the_order(
    reach: int, signatures: list[bytes], chance: random.Random
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "_REACH", reach)
        shuffled = signatures.copy()
        chance.shuffle(shuffled)
        assert groups_found(shuffled) == groups_found(signatures)


def test_who_is_compared_in_a_crowd_does_not_depend_on_the_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(near_duplicates, "_REACH", 1)
    chance = random.Random(1)
    crowd = [b"in bands" + chance.randbytes(56) for _ in range(40)]
    partners = [changed(one, range(23, 128, 8)) for one in crowd]  # they share two bands alone
    signatures = crowd + partners
    chance.shuffle(signatures)
    assert groups_found(signatures) == {
        frozenset(pair) for pair in zip(crowd, partners, strict=True)
    }


def test_a_thousand_copies_are_connected_without_comparing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "similarities", None)
    copies = [signature("", "One text in many papers")] * 1000
    assert list(similar_pairs(copies, 0.8)) == [(0, index) for index in range(1, 1000)]


def test_a_crowd_in_one_band_costs_no_more_than_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def counted(left: near_duplicates.Signatures, right: near_duplicates.Signatures) -> object:
        nonlocal compared
        compared += len(left)
        return similarities(left, right)

    monkeypatch.setattr(near_duplicates, "similarities", counted)
    chance = random.Random(1)
    crowd = [b"band" + chance.randbytes(60) for _ in range(3000)]
    near = changed(crowd[7], [127])
    assert groups_found([*crowd, near]) == {frozenset({crowd[7], near})}
    assert 2900 * 128 < compared <= 3001 * 128


@pytest.mark.parametrize("signatures", [[], [bytes(64)]])
def test_few_articles_have_no_pairs(signatures: list[bytes]) -> None:
    assert list(similar_pairs(signatures, 0.8)) == []
