"""What the ledger does in a second, empty and full, and the ratios of the two.

    python -m benchmarks.ledger --rows 5000000

One article in ten has a theme, and with it a story, a signature and 18 keys. Without
`--url` the ledger is an SQLite file in a temporary folder.
"""

import argparse
import hashlib
import random
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.ledger import Ledger, RunChange
from transforms.records import (
    AlertChange,
    KnownAlert,
    SeenAgain,
    SeenArticles,
    StoryArticle,
    ToldChange,
)

_START = datetime(2026, 11, 24, 6, tzinfo=UTC)
_ONE_TOLD_IN = 10
_KEYS = 18
_BATCH = 500  # ids or keys in a look-up
_COLUMN = 1_000  # articles in a change
_RUN = 1_000_000  # articles that one run brings while the ledger is filled
_SEEN, _TOLD, _ASKED = 200_000, 20_000, 200_000  # in one measurement


class Rate(NamedTuple):
    """How many a second: by the clock, and by the time that this process had a processor."""

    clock: float
    processor: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--url", help="of a ledger that is empty or not there yet")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.url or f"sqlite:///{Path(folder) / 'ledger.sqlite'}"
        with Ledger.open(url, create=True) as ledger:
            if not ledger.is_empty():
                parser.error("the ledger is not empty")
            _compare(ledger, arguments.rows)


def _compare(ledger: Ledger, rows: int) -> None:
    empty = _measure(ledger, 0)
    started = time.perf_counter()
    fill(ledger, rows, _SEEN + _TOLD)
    print(f"filled in {time.perf_counter() - started:,.0f} s")
    stats = ledger.stats()
    counts = ", ".join(f"{count:,} {name}" for name, count in stats.rows.items() if count)
    print(f"{stats.bytes / stats.rows['articles']:.0f} bytes an article: {counts}")
    full = _measure(ledger, rows)
    print(
        f"{'a second':<24}{'empty':>10}{'full':>10}{'ratio':>7}{'processor: empty':>18}{'full':>10}"
    )
    for name, before in empty.items():
        after = full[name]
        ratio = after.clock / before.clock
        print(f"{name:<24}{before.clock:>10,.0f}{after.clock:>10,.0f}{ratio:>7.2f}", end="")
        print(f"{before.processor:>18,.0f}{after.processor:>10,.0f}")


def fill(ledger: Ledger, rows: int, held: int = 0) -> None:
    """Let *ledger*, which holds the first *held* articles, hold *rows* of them."""
    for start in range(held, rows, _RUN):
        _apply(ledger, _news(range(start, min(rows, start + _RUN))))


def _measure(ledger: Ledger, held: int) -> dict[str, Rate]:
    """Rates of a ledger that holds the first *held* articles; adds some."""
    rates = _applied(ledger, held)
    held += _SEEN + _TOLD
    chance = random.Random(held)  # noqa: S311 # a sample
    numbers = [chance.randrange(held) for _ in range(_ASKED)]
    told = [number // _ONE_TOLD_IN * _ONE_TOLD_IN for number in numbers[: _ASKED // _KEYS]]
    keys = [key for number in told for key in _keys(number)]
    asked: dict[str, tuple[Callable[[Sequence[Any]], object], Sequence[Any]]] = {
        "known ids looked up": (ledger.known_articles, [_id(number) for number in numbers]),
        "recent ids looked up": (
            ledger.known_articles,
            [_id(held - 1 - number % _SEEN) for number in numbers],
        ),
        "new ids looked up": (ledger.known_articles, [_id(held + n) for n in range(_ASKED)]),
        "keys looked up": (ledger.candidates, keys),
        "absent keys looked up": (ledger.candidates, [key ^ 1 for key in keys]),
    }
    for _ in range(2):  # what the first time has read need not be read the second time
        rates |= {name: _asked(*what) for name, what in asked.items()}
    return rates


def _applied(ledger: Ledger, held: int) -> dict[str, Rate]:
    seen = list(_seen(range(held, held + _SEEN)))
    told = list(_told(range(held + _SEEN, held + _SEEN + _TOLD), _moment(held)))
    again = [_seen_again(one) for one in seen]
    news = _rate(_SEEN, lambda: _apply(ledger, seen))
    stories = _rate(_TOLD, lambda: _apply(ledger, told))
    return {
        "new articles applied": news,
        "told articles applied": stories,
        "their keys inserted": Rate(*(_KEYS * rate for rate in stories)),
        "articles seen again": _rate(_SEEN, lambda: _apply(ledger, again)),
        "nothing to forget": _rate(1, lambda: ledger.prune(_START - timedelta(days=1))),
    }


def _rate(number: int, work: Callable[[], object]) -> Rate:
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Rate(number / (time.perf_counter() - clock), number / (time.process_time() - processor))


def _asked(ask: Callable[[Sequence[Any]], object], values: Sequence[Any]) -> Rate:
    def in_batches() -> None:
        for start in range(0, len(values), _BATCH):
            ask(values[start : start + _BATCH])

    return _rate(len(values), in_batches)


def _apply(ledger: Ledger, changes: Iterable[RunChange]) -> None:
    sequence = ledger.next_sequence()
    ledger.apply(f"run-{sequence}", sequence, _START, changes)


def _news(numbers: range) -> Iterator[RunChange]:
    """What runs bring: of each thousand articles some have a theme."""
    for start in numbers[::_COLUMN]:
        column = range(start, min(start + _COLUMN, numbers.stop))
        plain = [number for number in column if number % _ONE_TOLD_IN]
        yield from _seen(plain)
        yield from _told([n for n in column if not n % _ONE_TOLD_IN], _moment(start))


def _seen(numbers: Sequence[int]) -> Iterator[SeenArticles]:
    for start in range(0, len(numbers), _COLUMN):
        column = numbers[start : start + _COLUMN]
        ids = tuple(map(_id, column))
        yield SeenArticles(
            seen_at=_moment(column[0]),
            article_ids=ids,
            text_hashes=tuple(one[:0:-1] for one in ids),
            published=tuple(1_790_000_000 + number for number in column),
            published_from=("feed",) * len(column),
        )


def _seen_again(seen: SeenArticles) -> SeenAgain:
    return SeenAgain(seen_at=seen.seen_at + timedelta(hours=1), article_ids=seen.article_ids)


def _told(numbers: Iterable[int], seen_at: datetime) -> Iterator[RunChange]:
    for number in numbers:
        article_id, story_id = _id(number), _id(number, "story")
        article = StoryArticle(
            article_id=article_id,
            source="The Example Gazette",
            published_at=seen_at,
            published_from="feed",
            seen_at=seen_at,
            levels={"migration": "focus", "encryption": "mention"},
        )
        yield ToldChange(
            seen_at=seen_at,
            story_id=story_id,
            article=article,
            text_hash=article_id[1:],
            themes="0123456789abcdef",
            signature=bytes.fromhex(article_id[1:]) * 4,
            keys=_keys(number),
        )
        alert = KnownAlert(
            alert_id=_id(number, "alert"), theme="migration", level="focus", article_id=article_id
        )
        yield AlertChange(story_id=story_id, alert=alert)


def _id(number: int, kind: str = "article") -> str:
    return "1" + hashlib.blake2b(f"{kind} {number}".encode(), digest_size=16).hexdigest()


def _keys(number: int) -> tuple[int, ...]:
    """Sixteen of under 37 bits and two of 63, as near and exact copies have them."""
    digest = hashlib.shake_256(b"%d" % number).digest(4 * 16 + 16)
    bands = (band << 32 | int.from_bytes(digest[4 * band : 4 * band + 4]) for band in range(16))
    exact = (int.from_bytes(digest[start : start + 8]) >> 1 for start in (64, 72))
    return (*bands, *exact)


def _moment(number: int) -> datetime:
    return _START + timedelta(seconds=number // 10)


if __name__ == "__main__":
    main()
