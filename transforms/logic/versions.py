"""Keeping one version of each article.

An article travels as a frame of bytes:

    id · rank · content · payload

The payload is the encoded article where it has a theme, else empty: of an article
without a theme some thirty bytes travel.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

from transforms.records import ClassifiedArticle

_HEAD = struct.Struct(">17sQ8s")
_UNDATED = 0
_EPOCH_SHIFT = 1 << 62  # times before 1970 sort too


class Versions(NamedTuple):
    """What is left of a group of frames."""

    read: int
    distinct: int
    payloads: list[bytes]


def group_of(article_id: str) -> str:
    """The group that an article's versions meet in: one of 256."""
    return article_id[1:3]


def frame_of(article: ClassifiedArticle) -> tuple[str, bytes]:
    """One version of an article: its group, and its frame."""
    version = article.updated_at
    if version is None and article.published_from != "reading":
        version = article.published_at
    rank = _UNDATED if version is None else int(version.timestamp() * 1000) + _EPOCH_SHIFT
    article_id = article.article_id
    head = _HEAD.pack(bytes.fromhex(f"0{article_id}"), rank, bytes.fromhex(article.text_hash[:16]))
    payload = article.__pydantic_serializer__.to_json(article) if article.hits else b""
    return group_of(article_id), head + payload


def newest(frames: Iterable[bytes]) -> Versions:
    """Keep the newest version of each article in *frames*, in the order of their ids.

    The newest is the one last updated, else the one published last by a date of its
    own; ties go by content, so that the order of arrival has no say.
    """
    kept: dict[bytes, tuple[int, bytes, bytes]] = {}
    read = 0
    for frame in frames:
        read += 1
        article_id, *version = _HEAD.unpack_from(frame)
        candidate = (*version, frame[_HEAD.size :])
        if article_id not in kept or candidate > kept[article_id]:
            kept[article_id] = candidate
    payloads = [payload for _, (_, _, payload) in sorted(kept.items()) if payload]
    return Versions(read, len(kept), payloads)
