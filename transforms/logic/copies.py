"""Which articles are copies of one another: connected components over shared identities."""

import hashlib
from collections.abc import Iterable, Iterator

from transforms.logic.identity import scoped_guid
from transforms.records import ClassifiedArticle


def exact_keys(article: ClassifiedArticle) -> Iterator[int]:
    """Keys that an article shares with its exact copies: its guid and its text.

    Its link is none of them: articles with one link have one id. The keys fit a signed
    column of 64 bits, and are larger than those of `near_duplicates.band_keys`.
    """
    if article.guid:
        yield _key(f"guid {scoped_guid(article.guid, article.guid_scope or article.source)}")
    if article.copy_key:
        yield _key(f"text {article.copy_key}")


_EXACT = 1 << 62


def _key(identity: str) -> int:
    digest = hashlib.blake2b(identity.encode(), digest_size=8).digest()
    return _EXACT | int.from_bytes(digest) >> 2


def connect(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Map each id in *pairs* to the smallest id that it is connected with.

    Union-find with path halving; the result does not depend on the order.
    """
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for left, right in pairs:
        low, high = sorted((root(left), root(right)))
        parent[high] = low
    return {node: root(node) for node in parent}
