"""Articles in memory, as a reader of figures finds them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal

import pyarrow as pa

from pipeline.history import ARTICLE, MONITORED
from transforms.records import ArticleSummary, Evidence, Level, ThemeSummary

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)  # a Tuesday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def about(name: str, level: Level = "focus", score: float = 5, words: str = "it") -> ThemeSummary:
    said = Evidence(query="q", words=words, field="text", start=0, end=len(words), sentence=words)
    return ThemeSummary(theme=name, level=level, score=score, evidence=said)


def article(
    number: int, *themes: ThemeSummary | str, story: int | None = None, **changes: Any
) -> ArticleSummary:
    """An article of noon; of a story of its own where *story* says no other."""
    named = [about(one) if isinstance(one, str) else one for one in themes or ("migration",)]
    values: dict[str, Any] = {
        "article_id": f"1{number:032x}",
        "story_id": f"1{number if story is None else story:032x}",
        "url": f"https://www.paper.example/{number}",
        "title": f"Headline {number}",
        "source": "The Gazette",
        "language": "en",
        "tags": (),
        "published_at": NOON,
        "updated_at": None,
        "seen_at": NOON,
        "text_hash": f"{number:064x}",
        "themes": named,
    }
    return ArticleSummary(**(values | changes))


class InMemory:
    """What a test says was told, and how much was monitored, by time, source and language."""

    def __init__(
        self,
        articles: Sequence[ArticleSummary],
        monitored: Mapping[tuple[datetime, str, str], int] | None = None,
    ) -> None:
        ordered = sorted(articles, key=lambda one: (one.published_at, one.article_id))
        rows = [one.model_dump() for one in ordered]
        self._articles = pa.Table.from_pylist(rows, ARTICLE)
        self._monitored = dict(monitored or {})

    def articles(self, since: datetime | None = None, until: datetime | None = None) -> pa.Table:
        rows = self._articles.to_pylist()
        chosen = [row for row in rows if _is_in(row["published_at"], since, until)]
        return pa.Table.from_pylist(chosen, ARTICLE)

    def monitored(
        self,
        by: Literal["day", "hour"] = "day",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pa.Table:
        width = DAY if by == "day" else HOUR
        counts: Counter[tuple[datetime, str, str]] = Counter()
        for (moment, source, language), articles in self._monitored.items():
            start = (
                moment.replace(minute=0)
                if by == "hour"
                else datetime.combine(moment.date(), time(), UTC)
            )
            counts[start, source, language] += articles
        rows = [
            (start, start + width, source, language, articles)
            for (start, source, language), articles in sorted(counts.items())
            if _is_in(start, since, until)
        ]
        named = [dict(zip(MONITORED.names, row, strict=True)) for row in rows]
        return pa.Table.from_pylist(named, MONITORED)


def _is_in(moment: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or since <= moment) and (until is None or moment < until)
