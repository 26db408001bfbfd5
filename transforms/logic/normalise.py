"""From what a document says of an article to a clean article with an identity."""

from pathlib import PurePosixPath
from typing import NamedTuple

from transforms.errors import Reason, RecordError
from transforms.logic.dates import parse_date, plausible
from transforms.logic.identity import article_id, text_hash
from transforms.logic.language import normalise_code
from transforms.logic.text import clean_text, html_to_text, looks_like_html, looks_like_markup
from transforms.logic.urls import absolute_url, canonical_url, host_of
from transforms.records import Article, Entry, Markup


class Identified(NamedTuple):
    """An entry with an identity, and what that was made from."""

    article_id: str
    canonical_url: str | None
    guid: str | None
    source: str
    title: str
    text: str

    @property
    def version_hash(self) -> str:
        """By what versions of an entry are told apart: the text hash of its own words."""
        return text_hash(self.title, self.text)


def identify(entry: Entry) -> Identified:
    """Clean what *entry* itself says, and find its identity by it."""
    # A title is seldom HTML where the text is.
    title = _plain(entry.title, "plain" if entry.markup == "plain" else "unknown")
    title, text = title.replace("\n", " "), _plain(entry.text, entry.markup)
    canonical = canonical_url(entry.url, entry.base_url)
    source = clean_text(entry.source or "").replace("\n", " ")
    source = source or (host_of(canonical) if canonical else None) or _stem(entry.origin.path)
    guid = (clean_text(entry.guid) or None) if entry.guid else None
    scope = entry.guid_scope or source
    identity = article_id(canonical, guid, scope, title, text, entry.identity or "link")
    return Identified(identity, canonical, guid, source, title, text)


def normalise(entry: Entry) -> Article:
    """Clean *entry*, fill in what it does not say, and give it an identity.

    Without a usable date of its own an article is dated by its last change, else by
    the reading, and `published_from` says so. The language that a record or the
    configuration states is its owner's word; a feed's or a page's is often its
    template's, and only breaks ties.

    Raises:
        RecordError: NO_ARTICLE where there is neither title nor text.
    """
    found = identify(entry)
    title, text, version_hash = found.title, found.text, None
    if entry.full_text == "page":
        title = title or clean_text(entry.page_title).replace("\n", " ")
        text, version_hash = clean_text(entry.page_text), found.version_hash
    if not title and not text:
        raise RecordError(Reason.NO_ARTICLE, "neither a title nor a text")
    published_at = published_from = None
    language = entry.stated_language or entry.language
    updated_at = parse_date(entry.updated, language) if entry.updated else None
    if updated_at is not None and not plausible(updated_at, entry.seen_at):
        updated_at = None
    if entry.published:
        published_at = parse_date(entry.published, language)
    if published_at is not None and plausible(published_at, entry.seen_at):
        published_from = entry.date_from
    elif updated_at is not None:
        published_at, published_from = updated_at, entry.date_from
    else:
        published_at, published_from = entry.seen_at, "reading"
    declared = normalise_code(entry.language)
    stated = declared if entry.date_from == "file" else normalise_code(entry.stated_language)
    return Article(
        article_id=found.article_id,
        url=absolute_url(entry.url, entry.base_url),
        canonical_url=found.canonical_url,
        guid=found.guid,
        title=title,
        text=text,
        language=stated,
        language_hint=None if stated else declared,
        published_at=published_at,
        published_from=published_from,
        published_raw=entry.published,
        updated_at=updated_at,
        seen_at=entry.seen_at,
        source=found.source,
        authors=tuple(filter(None, map(clean_text, entry.authors))),
        origin=entry.origin,
        tags=entry.tags,
        edited=entry.edited,
        guid_scope=entry.guid_scope,
        full_text=entry.full_text,
        version_hash=version_hash,
    )


def _plain(text: str, markup: Markup) -> str:
    if markup == "plain" or (markup == "unknown" and not looks_like_html(text)):
        return clean_text(text)
    plain = html_to_text(text)
    # Some feeds escape their markup twice.
    if "<" not in text and looks_like_markup(plain):
        plain = html_to_text(plain)
    return plain


def _stem(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name.partition(".")[0] or path
