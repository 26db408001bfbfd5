"""The changes of one transaction, gathered so that those of a kind are written together."""

from array import array
from collections.abc import Iterable
from itertools import repeat
from operator import itemgetter
from typing import Final

import numpy as np
from sqlalchemy import Connection

from pipeline.ledger import statements
from pipeline.ledger.records import FeedState, RunChange
from pipeline.ledger.rows import (
    AlertRow,
    ArticleRow,
    ToldRow,
    alert_row,
    article_row,
    article_rows,
    feed_row,
    micros,
    pack_id,
    pack_ids,
    told_row,
    unpack_keys,
)
from pipeline.ledger.statements import ask, tell
from transforms.records import AlertChange, SeenAgain, SeenArticles, ToldChange

# How many are gathered. Sorted, those that belong on one page of an index are written to it in
# one go: of a large ledger a run writes nearly every page, and does so once for each time.
_ARTICLES: Final = 100_000  # 30 MB
_TOLD: Final = 10_000  # 15 MB
_KEYS: Final = 1_000_000  # 16 MB
_KEYS_AT_ONCE: Final = 50_000


class Writer:
    """Writes changes; the last of them with `flush`.

    Args:
        sequence: The number of the stories that are new; None where all have been started.
    """

    def __init__(self, connection: Connection, sequence: int | None) -> None:
        self._connection = connection
        self._sequence = sequence
        self._seen: list[ArticleRow] = []
        self._again: dict[bytes, int] = {}
        self._told: dict[bytes, tuple[ArticleRow, ToldRow]] = {}
        self._stories: dict[bytes, int] = {}
        self._alerts: dict[tuple[bytes, str], AlertRow] = {}
        self._keys, self._numbers = array("q"), array("q")

    def start(self, story_id: str, sequence: int) -> None:
        """Add a story."""
        self._stories[pack_id(story_id)] = sequence
        if len(self._stories) >= _ARTICLES:
            self._put_stories()

    def add(self, change: RunChange) -> None:
        """Add a change."""
        match change:
            case SeenArticles():
                self._seen += article_rows(change)
                if len(self._seen) >= _ARTICLES:
                    self._put_seen()
            case SeenAgain():
                moment = micros(change.seen_at)
                for article_id in pack_ids(change.article_ids):
                    self._again[article_id] = max(moment, self._again.get(article_id, moment))
                if len(self._again) >= _ARTICLES:
                    self._see_again()
            case ToldChange():
                article, told = article_row(change), told_row(change)
                self._told[article[0]] = article, told
                self._need(told[0])
                if len(self._told) >= _TOLD:
                    self._put_told()
            case AlertChange():
                alert = alert_row(change)
                self._alerts[alert[:2]] = alert
                self._need(alert[0])
                if len(self._alerts) >= _TOLD:
                    self._put_alerts()
            case FeedState():
                tell(self._connection, statements.PUT_FEEDS, [feed_row(change)])

    def flush(self) -> None:
        """Write what is left."""
        self._put_stories()
        self._put_seen()
        self._put_told()
        self._put_keys()
        self._put_alerts()
        self._see_again()

    def _need(self, story_id: bytes) -> None:
        if self._sequence is not None:
            self._stories.setdefault(story_id, self._sequence)

    def _put_stories(self) -> None:
        tell(self._connection, statements.PUT_STORIES, sorted(self._stories.items()))
        self._stories.clear()

    def _put_seen(self) -> None:
        self._put_articles(self._seen)
        self._seen.clear()

    def _put_articles(self, rows: Iterable[ArticleRow]) -> None:
        ordered = sorted(rows, key=itemgetter(0))
        distinct = dict(zip(map(itemgetter(0), ordered), ordered, strict=True))
        if len(distinct) < len(ordered):  # as if they had been written one after the other
            distinct.clear()
            for row in ordered:
                _, _, published_at, published_from, seen_at = distinct.get(row[0], row)
                last_seen_at = max(seen_at, row[4])
                distinct[row[0]] = (*row[:2], published_at, published_from, last_seen_at)
            ordered = list(distinct.values())
        tell(self._connection, statements.PUT_ARTICLES, ordered)

    def _see_again(self) -> None:
        rows = [(moment, article_id) for article_id, moment in sorted(self._again.items())]
        tell(self._connection, statements.SEE_AGAIN, rows)
        self._again.clear()

    def _put_told(self) -> None:
        self._put_stories()
        self._put_articles(article for article, _ in self._told.values())
        rows: list[tuple[int, *ToldRow]] = []
        lost: list[tuple[int, int]] = []
        for article_id, number, packed in ask(
            self._connection, statements.NUMBERS, sorted(self._told)
        ):
            told = self._told[article_id][1]
            rows.append((number, *told))
            before, now = set(unpack_keys(packed)), set(unpack_keys(told[-1]))
            lost += zip(before - now, repeat(number))
            self._keys.extend(now - before)
            self._numbers.extend(repeat(number, len(now - before)))
        tell(self._connection, statements.PUT_TOLD, sorted(rows, key=itemgetter(0)))
        self._told.clear()
        if lost or len(self._keys) >= _KEYS:
            self._put_keys()  # before any is taken away: it may be one of them
        tell(self._connection, statements.DROP_KEYS, sorted(lost))

    def _put_keys(self) -> None:
        keys, numbers = np.array(self._keys), np.array(self._numbers)
        order = np.lexsort((numbers, keys))
        for start in range(0, len(order), _KEYS_AT_ONCE):
            block = order[start : start + _KEYS_AT_ONCE]
            rows = list(zip(keys[block].tolist(), numbers[block].tolist(), strict=True))
            tell(self._connection, statements.PUT_KEYS, rows)
        self._keys, self._numbers = array("q"), array("q")

    def _put_alerts(self) -> None:
        self._put_stories()
        rows = [row for _, row in sorted(self._alerts.items())]
        tell(self._connection, statements.PUT_ALERTS, rows)
        self._alerts.clear()
