"""Keeping one version of each article, with many articles in one shuffled value.

A shuffle costs a runner far more for each element than for its bytes. So articles
are packed: those whose ids begin alike travel together, as entries of

    id · rank · length of the payload · payload

The payload is the encoded article where it has a theme, else empty: of an article
without a theme some fifty bytes travel.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from transforms.records import ClassifiedArticle

_ID_BYTES = 33  # as transforms.logic.identity makes them
_ENTRY = struct.Struct(f">{_ID_BYTES}sQ8sI")
_UNDATED = 0
_EPOCH_SHIFT = 1 << 62  # times before 1970 sort too


class Versions(NamedTuple):
    """What is left of a group of packs."""

    read: int
    distinct: int
    payloads: list[bytes]


def pack_of(article_id: str) -> str:
    """The pack that an article belongs in: one of 256."""
    return article_id[1:3]


def pack(article: ClassifiedArticle) -> bytes:
    """One article as an entry of a pack."""
    version = article.updated_at
    if version is None and article.published_from != "reading":
        version = article.published_at
    rank = _UNDATED if version is None else int(version.timestamp() * 1000) + _EPOCH_SHIFT
    payload = article.__pydantic_serializer__.to_json(article) if article.hits else b""
    head = _ENTRY.pack(
        article.article_id.encode(), rank, article.text_hash[:8].encode(), len(payload)
    )
    return head + payload


def newest(packs: Iterable[bytes]) -> Versions:
    """Keep the newest version of each article in *packs*.

    The newest is the one last updated, else the one published last by a date of its
    own; ties go by content, so that the order of arrival has no say.
    """
    kept: dict[bytes, tuple[int, bytes, bytes]] = {}
    read = 0
    for article_id, version in _entries(packs):
        read += 1
        if article_id not in kept or version > kept[article_id]:
            kept[article_id] = version
    payloads = [payload for _, (_, _, payload) in sorted(kept.items()) if payload]
    return Versions(read, len(kept), payloads)


def _entries(packs: Iterable[bytes]) -> Iterator[tuple[bytes, tuple[int, bytes, bytes]]]:
    for packed in packs:
        position = 0
        while position < len(packed):
            article_id, rank, content, length = _ENTRY.unpack_from(packed, position)
            position += _ENTRY.size
            yield article_id, (rank, content, packed[position : position + length])
            position += length
