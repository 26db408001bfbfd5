"""How well signatures find the near-copies among real articles, whatever their random orders.

An estimate errs by some 0.035, so that a pair of articles near the threshold falls on
its wrong side now and then. The floors are therefore of all seeds together.
"""

import gzip
import re
from collections import defaultdict
from itertools import combinations
from pathlib import Path

import orjson
import pytest

from transforms.logic import near_duplicates
from transforms.logic.copies import connect
from transforms.logic.near_duplicates import band_keys, signature, similar_pairs, similarity

DATA = Path(__file__).parent.parent.parent.parent / "shared" / "data"
ARTICLES = DATA / "bbc_dev.jsonl.gz"
NEAR_COPIES = DATA / "bbc_dev_near_duplicates.json"
SEEDS = range(1, 11)

pytestmark = pytest.mark.skipif(
    not (ARTICLES.exists() and NEAR_COPIES.exists()), reason="the articles are not here"
)


class Corpus:
    """Articles, and how alike they really are."""

    def __init__(self) -> None:
        self.articles: list[dict[str, str]] = [
            orjson.loads(line) for line in gzip.decompress(ARTICLES.read_bytes()).splitlines()
        ]
        place = {article["id"]: index for index, article in enumerate(self.articles)}
        self.known = {
            (min(place[left], place[right]), max(place[left], place[right])): index
            for left, right, index in orjson.loads(NEAR_COPIES.read_bytes())
        }
        self.near = {pair for pair, index in self.known.items() if index >= 0.8}
        self._shingles = [set(shingles(article)) for article in self.articles]

    def jaccard(self, pair: tuple[int, int]) -> float:
        left, right = (self._shingles[index] for index in pair)
        return len(left & right) / len(left | right)

    def signatures(self) -> list[bytes]:
        return [signature(article["title"], article["text"]) for article in self.articles]


def shingles(article: dict[str, str]) -> list[tuple[str, ...]]:
    words = re.findall(r"\w+", f"{article['title']}\n{article['text']}".casefold())
    return [tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))]


def found(signatures: list[bytes]) -> set[tuple[int, int]]:
    """All pairs that share a band and are estimated to be near-copies."""
    sharing: defaultdict[int, list[int]] = defaultdict(list)
    for index, one in enumerate(signatures):
        for key in band_keys(one):
            sharing[key].append(index)
    candidates = {pair for bucket in sharing.values() for pair in combinations(bucket, 2)}
    return {
        (left, right)
        for left, right in candidates
        if similarity(signatures[left], signatures[right]) >= 0.8
    }


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus()


@pytest.fixture(scope="module")
def found_by_seed(corpus: Corpus) -> list[set[tuple[int, int]]]:
    results = []
    for seed in SEEDS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(near_duplicates, "_MULTIPLIERS", near_duplicates._multipliers(seed))
            results.append(found(corpus.signatures()))
    return results


def test_the_known_pairs_are_as_alike_as_is_said(corpus: Corpus) -> None:
    for pair, index in corpus.known.items():
        assert corpus.jaccard(pair) == pytest.approx(index, abs=0.0006)


def test_near_copies_are_found_and_nothing_else(corpus: Corpus) -> None:
    assert found(corpus.signatures()) == corpus.near


def test_near_copies_are_found_by_any_seed(
    corpus: Corpus, found_by_seed: list[set[tuple[int, int]]]
) -> None:
    clear = {pair for pair in corpus.near if corpus.jaccard(pair) >= 0.9}
    assert all(clear <= pairs for pairs in found_by_seed)
    recall = sum(len(pairs & corpus.near) for pairs in found_by_seed) / len(found_by_seed)
    assert recall / len(corpus.near) >= 0.995


def test_what_is_found_is_a_near_copy(
    corpus: Corpus, found_by_seed: list[set[tuple[int, int]]]
) -> None:
    indices = [corpus.jaccard(pair) for pairs in found_by_seed for pair in pairs]
    assert sum(index >= 0.8 for index in indices) / len(indices) >= 0.99
    assert min(indices) >= 0.65


def test_pairs_connect_what_is_found(corpus: Corpus) -> None:
    signatures = corpus.signatures()
    pairs = list(similar_pairs(signatures, 0.8))
    assert connected(pairs) == connected(found(signatures))
    assert len(pairs) <= len(found(signatures))


def connected(pairs: set[tuple[int, int]] | list[tuple[int, int]]) -> dict[str, str]:
    return connect((str(left), str(right)) for left, right in pairs)
