"""What makes an article the same article, and a text the same text."""

import hashlib

from transforms.logic.urls import is_site_root
from transforms.records import Identity

_COPY_WORDS = 50  # shorter texts are often boilerplate, equal under many headlines

_GLOBAL = ("http://", "https://", "urn:", "tag:")


def text_hash(title: str, text: str) -> str:
    """SHA-256, in hex, of title, a line feed and text in UTF-8."""
    return hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()


def short_hash(text_hash: str) -> str:
    """The part of a text hash by which versions of one article are told apart: 128 bits."""
    return text_hash[:32]


def article_id(
    canonical_url: str | None,
    guid: str | None,
    source: str,
    title: str,
    text: str,
    identity: Identity = "link",
) -> str:
    """A version digit and 128 bits of BLAKE2b, in hex, over what identifies the article.

    That is its canonical URL, unless it is a site's front page; else its guid, which
    counts within its source unless it is a link, URN or tag URI; else its title and
    text. With *identity* one begins further on in this order.
    """
    if identity == "link" and canonical_url and not is_site_root(canonical_url):
        return _hash(f"url\n{canonical_url}")
    if identity != "text" and guid:
        return _hash(f"guid\n{scoped_guid(guid, source)}")
    return _hash(f"text\n{title}\n{text}")


def scoped_guid(guid: str, source: str) -> str:
    """A guid with what it is unique in: its source, unless it is a link, URN or tag URI."""
    return f"{'' if guid.startswith(_GLOBAL) else source}\n{guid}"


def copy_key(title: str, text: str) -> str:
    """Equal for exact copies: of the text alone where it has 50 words, else with the title."""
    if text.count(" ") + text.count("\n") + 1 >= _COPY_WORDS:
        return _hash(text)
    return _hash(f"{title}\n{text}")


def _hash(identity: str) -> str:
    return "1" + hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()
