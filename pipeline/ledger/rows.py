"""Records as rows of the ledger's tables, and back."""

import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import orjson
from sqlalchemy import Row

from pipeline.ledger.records import AppliedRun, DeliveryState, FeedState
from transforms.records import (
    AlertChange,
    KnownAlert,
    KnownArticle,
    SeenArticles,
    StoryArticle,
    TimeFrom,
    ToldChange,
)

ArticleRow = tuple[bytes, bytes, int, int, int]
ToldRow = tuple[bytes, str, int, str, str, bytes, bytes]
AlertRow = tuple[bytes, str, bytes, str, bytes, bool]
DeliveryRow = tuple[str, str, str, int, str, int, int, int, str, str]

_ID_BYTES: Final = 17
_HASH_BYTES: Final = 16
_TIMES_FROM: Final[tuple[TimeFrom, ...]] = ("feed", "file", "page", "reading")
_CODES: Final = {name: code for code, name in enumerate(_TIMES_FROM)}  # stored: they stay so
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS: Final = set(KnownArticle.model_fields)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000  # microseconds


def pack_ids(ids: Sequence[str]) -> list[bytes]:
    """Ids as 17 bytes each: the digit in one, the 32 hex digits in 16. They sort as before."""
    return _pack([f"0{one}" for one in ids], _ID_BYTES)


def pack_id(one: str) -> bytes:
    """One id as 17 bytes."""
    return pack_ids((one,))[0]


def unpack_id(packed: bytes) -> str:
    """The id that was packed."""
    return packed.hex()[1:]


def _pack(digits: Sequence[str], size: int) -> list[bytes]:
    packed = bytes.fromhex("".join(digits))
    if not set(map(len, digits)) <= {2 * size} or len(packed) != len(digits) * size:
        raise ValueError("an id is a digit and 32 hex digits, a hash of a text 32 hex digits")
    return [packed[start : start + size] for start in range(0, len(packed), size)]


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly; TypeError where *moment* has no time zone."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(since_1970: int) -> datetime:
    """The moment in UTC that was so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=since_1970)


_moment_of_many = lru_cache(1 << 10)(moment)  # one run sees many articles at one moment


def unpack_keys(packed: bytes | None) -> tuple[int, ...]:
    """The keys of a row of `told`."""
    return struct.unpack(f"<{len(packed) // 8}q", packed) if packed else ()


def article_rows(change: SeenArticles) -> Iterator[ArticleRow]:
    """The rows of `articles`; ValueError where the columns are not equally long."""
    return zip(
        pack_ids(change.article_ids),
        _pack(change.text_hashes, _HASH_BYTES),
        [seconds * _SECOND for seconds in change.published],
        [_CODES[name] for name in change.published_from],
        [micros(change.seen_at)] * len(change.article_ids),
        strict=True,
    )


def article_row(change: ToldChange) -> ArticleRow:
    """The row of `articles`."""
    article = change.article
    return (
        pack_id(article.article_id),
        _pack((change.text_hash,), _HASH_BYTES)[0],
        micros(article.published_at),
        _CODES[article.published_from],
        micros(change.seen_at),
    )


def told_row(change: ToldChange) -> ToldRow:
    """The row of `told`, without its number."""
    article = change.article
    return (
        pack_id(change.story_id),
        article.source,
        micros(article.seen_at),
        orjson.dumps(article.levels, option=orjson.OPT_SORT_KEYS).decode(),
        change.themes,
        change.signature,
        struct.pack(f"<{len(change.keys)}q", *change.keys),
    )


def alert_row(change: AlertChange) -> AlertRow:
    """The row of `alerts`."""
    alert = change.alert
    return (
        pack_id(change.story_id),
        alert.theme,
        pack_id(alert.alert_id),
        alert.level,
        pack_id(alert.article_id),
        alert.cancelled,
    )


def feed_row(feed: FeedState) -> tuple[str, str, int]:
    """The row of `feeds`."""
    state = orjson.dumps(feed.state, option=orjson.OPT_SORT_KEYS).decode()
    return feed.url, state, micros(feed.updated_at)


def delivery_row(delivery: DeliveryState) -> DeliveryRow:
    """The row of `deliveries`."""
    return (
        delivery.sink,
        delivery.part,
        delivery.run_id,
        delivery.sequence,
        delivery.state,
        delivery.attempts,
        micros(delivery.next_at),
        micros(delivery.changed_at),
        delivery.error,
        delivery.progress,
    )


def known_article(row: Sequence[Any]) -> KnownArticle:
    """From a row of KNOWN_ARTICLES."""
    article_id, text_hash, published_at, published_from, last_seen_at, story_id, levels, themes = (
        row
    )
    fields = {
        "article_id": unpack_id(article_id),
        "text_hash": text_hash.hex(),
        "published_at": moment(published_at),
        "published_from": _TIMES_FROM[published_from],
        "last_seen_at": _moment_of_many(last_seen_at),
        "story_id": unpack_id(story_id) if story_id else None,
        "levels": orjson.loads(levels) if levels else {},
        "themes": themes,
    }
    # What `KnownArticle.model_construct` does, in a third of its time: millions are asked for,
    # and what they say was checked when it was written.
    known = KnownArticle.__new__(KnownArticle)
    object.__setattr__(known, "__dict__", fields)
    object.__setattr__(known, "__pydantic_fields_set__", _FIELDS)
    object.__setattr__(known, "__pydantic_extra__", None)
    object.__setattr__(known, "__pydantic_private__", None)
    return known


def story_article(row: Sequence[Any]) -> StoryArticle:
    """From a row of STORY_ARTICLES, without the story's id."""
    article_id, source, published_at, published_from, seen_at, levels = row
    return StoryArticle(
        article_id=unpack_id(article_id),
        source=source,
        published_at=moment(published_at),
        published_from=_TIMES_FROM[published_from],
        seen_at=_moment_of_many(seen_at),
        levels=orjson.loads(levels),
    )


def known_alert(row: Sequence[Any]) -> KnownAlert:
    """From a row of `alerts`, without the story's id."""
    theme, alert_id, level, article_id, cancelled = row
    return KnownAlert(
        alert_id=unpack_id(alert_id),
        theme=theme,
        level=level,
        article_id=unpack_id(article_id),
        cancelled=cancelled,
    )


def applied_run(row: Sequence[Any]) -> AppliedRun:
    """From a row of `runs`."""
    run_id, sequence, as_of = row
    return AppliedRun(run_id=run_id, sequence=sequence, as_of=moment(as_of))


def feed_state(row: Sequence[Any]) -> FeedState:
    """From a row of `feeds`."""
    url, state, updated_at = row
    return FeedState(url=url, state=orjson.loads(state), updated_at=moment(updated_at))


def delivery_state(row: Row[Any]) -> DeliveryState:
    """From a row of `deliveries`."""
    times = {"next_at": moment(row.next_at), "changed_at": moment(row.changed_at)}
    return DeliveryState.model_validate({**row._mapping, **times})


def exported_article(row: Row[Any]) -> SeenArticles | ToldChange:
    """From a row of `articles` with what `told` has besides."""
    last_seen_at = _moment_of_many(row.last_seen_at)
    if row.story_id is None:
        return SeenArticles(
            seen_at=last_seen_at,
            article_ids=(unpack_id(row.article_id),),
            text_hashes=(row.text_hash.hex(),),
            published=(row.published_at // _SECOND,),
            published_from=(_TIMES_FROM[row.published_from],),
        )
    columns = ("article_id", "source", "published_at", "published_from", "seen_at", "levels")
    return ToldChange(
        seen_at=last_seen_at,
        story_id=unpack_id(row.story_id),
        article=story_article([getattr(row, name) for name in columns]),
        text_hash=row.text_hash.hex(),
        themes=row.themes,
        signature=row.signature,
        keys=unpack_keys(row.keys),
    )
