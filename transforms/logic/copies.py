"""Which articles are copies of one another: connected components over shared identities."""

from collections.abc import Iterable, Iterator

from transforms.logic.identity import scoped_guid
from transforms.records import ClassifiedArticle


def identity_keys(article: ClassifiedArticle) -> Iterator[str]:
    """Keys that an article shares with its exact copies: its guid and its text.

    Its link is none of them: articles with one link have one id.
    """
    if article.guid:
        yield f"guid {scoped_guid(article.guid, article.source)}"
    if article.copy_key:
        yield f"text {article.copy_key}"


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
