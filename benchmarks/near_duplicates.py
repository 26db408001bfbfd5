"""Signatures a second and pairs among a million of them, as ratios against peers in the same run.

    python -m benchmarks.near_duplicates

Each program gets title and text as strings and makes 128 values of their 5-word
shingles. Time is that of the processor, so that other work on the machine matters
little. Peers that are not installed (rensa, datasketch) are left out.
"""

import argparse
import importlib
import random
import re
import statistics
import tempfile
import time
import tracemalloc
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from benchmarks.corpus import write_corpus
from transforms.logic.near_duplicates import signature, similar_pairs

Text = tuple[str, str]

_ROUNDS = 7
_SLOW = 20  # articles for what is slow
_PRIME = (1 << 61) - 1
_WORDS = re.compile(r"\w+")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=1_000)
    parser.add_argument("--signatures", type=int, default=1_000_000)
    options = parser.parse_args()
    texts = _texts(options.articles)
    words = statistics.mean(len(_WORDS.findall(f"{title} {text}")) for title, text in texts)
    print(f"corpus: {len(texts):,} articles of {words:.0f} words")

    programs: dict[str, tuple[Callable[[Text], object] | None, Sequence[Text]]] = {
        "signature": (lambda article: signature(*article), texts),
        "signature, other letters than ASCII": (lambda one: signature(*one), _accented(texts)),
        "shingles as strings alone, what the peers start from": (_shingles, texts),
        "rensa RMinHash": (_rensa(), texts),
        "datasketch MinHash": (_datasketch(), texts[: _SLOW * 5]),
        "plain Python": (_plain(), texts[:_SLOW]),
    }
    rates = _rates({name: value for name, value in programs.items() if value[0] is not None})
    ours = rates["signature"]
    for name in programs:
        if name not in rates:
            print(f"{name:<56}not installed")
        else:
            print(f"{name:<56}{rates[name]:>9,.0f} articles/s  1 : {ours / rates[name]:.2f}")

    many, few = options.signatures, options.signatures // 10
    for name, make, count in [
        ("mixed", _mixed, many),
        ("copies of one text", _copies, many),
        ("near-copies of one text", _crowd, few),
    ]:
        seconds, fewer = _seconds(make(count)), _seconds(make(count // 10))
        print(
            f"{f'pairs among {count:,}: {name}':<56}{seconds:>9.2f} s  "
            f"{seconds / fewer:.0f} x as long as for a tenth"
        )
    print(f"memory beside {few:,} mixed signatures: {_memory(_mixed(few)):.0f} bytes each")


def _texts(articles: int) -> list[Text]:
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.jsonl"
        write_corpus(corpus, articles)
        records = map(orjson.loads, corpus.read_bytes().splitlines())
        return [(record["title"], record["text"]) for record in records]


def _accented(texts: Sequence[Text]) -> list[Text]:
    return [(title.replace("e", "é"), text.replace("e", "é")) for title, text in texts]


def _rates(
    programs: dict[str, tuple[Callable[[Text], object], Sequence[Text]]],
) -> dict[str, float]:
    """Articles a second: the best of rounds in which the programs take turns."""
    best = dict.fromkeys(programs, 0.0)
    for _ in range(_ROUNDS):
        for name, (program, texts) in programs.items():
            start = time.process_time()
            for article in texts:
                program(article)
            best[name] = max(best[name], len(texts) / (time.process_time() - start))
    return best


def _shingles(article: Text) -> set[str]:
    words = _WORDS.findall("\n".join(article).casefold())
    return {" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


def _rensa() -> Callable[[Text], object] | None:
    rensa = _peer("rensa")
    if rensa is None:
        return None

    def digest(article: Text) -> object:
        minhash = rensa.RMinHash(num_perm=128, seed=1)
        minhash.update(list(_shingles(article)))
        return minhash.digest()

    return digest


def _datasketch() -> Callable[[Text], object] | None:
    datasketch = _peer("datasketch")
    if datasketch is None:
        return None

    def digest(article: Text) -> object:
        minhash = datasketch.MinHash(num_perm=128, seed=1)
        minhash.update_batch([shingle.encode() for shingle in _shingles(article)])
        return minhash.digest()

    return digest


def _plain() -> Callable[[Text], object]:
    chance = random.Random(1)  # noqa: S311 # no secret
    orders = [(chance.randrange(1, _PRIME), chance.randrange(_PRIME)) for _ in range(128)]

    def digest(article: Text) -> object:
        hashes = [zlib.crc32(shingle.encode()) for shingle in _shingles(article)]
        return [min((a * one + b) % _PRIME for one in hashes) for a, b in orders]

    return digest


def _peer(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _mixed(count: int) -> list[bytes]:
    """Seven in ten alone, one in ten a copy, two in ten near-copies, ten of each."""
    chance = random.Random(1)  # noqa: S311 # no secret
    made = [chance.randbytes(64) for _ in range(count * 7 // 10)]
    made += [chance.randbytes(64)] * (count // 10)
    while len(made) < count:
        made += _near(chance.randbytes(64), 10, chance)
    chance.shuffle(made)
    return made[:count]


def _crowd(count: int) -> list[bytes]:
    """Near-copies of one text, all different."""
    chance = random.Random(1)  # noqa: S311 # no secret
    return _near(chance.randbytes(64), count, chance)


def _near(original: bytes, count: int, chance: random.Random) -> list[bytes]:
    made = []
    for _ in range(count):
        changed = bytearray(original)
        for place in chance.sample(range(64), 6):
            changed[place] = chance.randrange(256)
        made.append(bytes(changed))
    return made


def _copies(count: int) -> list[bytes]:
    return [bytes(range(64))] * count


def _seconds(signatures: list[bytes]) -> float:
    start = time.process_time()
    for _ in similar_pairs(signatures, 0.8):
        pass
    return time.process_time() - start


def _memory(signatures: list[bytes]) -> float:
    tracemalloc.start()
    for _ in similar_pairs(signatures, 0.8):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / len(signatures)


if __name__ == "__main__":
    main()
