"""Keeping one version of each article.

An article travels as a frame of bytes:

    id · rank · version · first date · where that is from · whether it counts · the rest

The rest is the encoded article where it counts for stories, else its language and source,
by which it is counted: of an article without a theme some seventy bytes travel.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple, get_args

from transforms.logic.identity import short_hash
from transforms.records import ClassifiedArticle, TimeFrom

_HEAD = struct.Struct(">17sQ16sqB?")
_UNDATED = 0
_EPOCH_SHIFT = 1 << 42  # seconds: times before 1970 sort too
_WORDS = 20  # bits
_TIMES_FROM: tuple[TimeFrom, ...] = get_args(TimeFrom)


class Plain(NamedTuple):
    """An article that does not count for stories: what the ledger remembers, and what counts."""

    article_id: str
    text_hash: str  # of its version; the first 32 hex digits
    published: int  # seconds since 1970
    published_from: TimeFrom
    language: str
    source: str


class Versions(NamedTuple):
    """What is left of a group of frames; each part in the order of the ids."""

    read: int
    plain: list[Plain]
    payloads: list[bytes]

    @property
    def distinct(self) -> int:
        """The number of articles."""
        return len(self.plain) + len(self.payloads)


def group_of(article_id: str) -> str:
    """The group that an article's versions meet in: one of 256."""
    return article_id[1:3]


def frame_of(article: ClassifiedArticle) -> tuple[str, bytes]:
    """One version of an article: its group, and its frame."""
    version = article.updated_at
    if version is None and article.published_from != "reading":
        version = article.published_at
    when = _UNDATED if version is None else int(version.timestamp()) + _EPOCH_SHIFT
    rank = when << _WORDS | min(article.words, (1 << _WORDS) - 1)
    article_id = article.article_id
    counts = article.counts_for_stories
    head = _HEAD.pack(
        bytes.fromhex(f"0{article_id}"),
        rank,
        bytes.fromhex(short_hash(article.version)),
        int(article.published_at.timestamp()),
        _TIMES_FROM.index(article.published_from),
        counts,
    )
    if counts:
        rest = article.__pydantic_serializer__.to_json(article)
    else:
        rest = f"{article.language} {article.source}".encode()
    return group_of(article_id), head + rest


def newest(frames: Iterable[bytes]) -> Versions:
    """Keep the newest version of each article in *frames*, in the order of their ids.

    The newest is the one last updated, else the one published last by a date of its
    own; of those of one second the longest, since feeds tell an article in full or in
    part. Ties go by content, so that the order of arrival has no say.
    """
    kept: dict[bytes, bytes] = {}
    read = 0
    for frame in frames:
        read += 1
        article_id = frame[:17]
        # Rank and version come first in what follows the id: frames compare by them.
        if article_id not in kept or frame > kept[article_id]:
            kept[article_id] = frame
    plain, payloads = [], []
    for _, frame in sorted(kept.items()):
        article_id, _, text_hash, published, place, counts = _HEAD.unpack_from(frame)
        rest = frame[_HEAD.size :]
        if counts:
            payloads.append(rest)
        else:
            language, _, source = rest.decode().partition(" ")
            plain.append(
                Plain(
                    article_id.hex()[1:],
                    text_hash.hex(),
                    published,
                    _TIMES_FROM[place],
                    language,
                    source,
                )
            )
    return Versions(read, plain, payloads)
