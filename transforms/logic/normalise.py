"""From what a document says of an article to a clean article with an identity."""

from pathlib import PurePosixPath

from transforms.errors import Reason, RecordError
from transforms.logic.dates import parse_date, plausible
from transforms.logic.identity import article_id
from transforms.logic.language import normalise_code
from transforms.logic.text import clean_text, html_to_text, looks_like_html
from transforms.logic.urls import canonical_url, host_of
from transforms.records import Article, Entry, Markup


def normalise(entry: Entry) -> Article:
    """Clean *entry*, fill in what it does not say, and give it an identity.

    Without a usable date of its own an article is dated by its last change, else by
    the reading, and `published_from` says so. The language that a record states is
    its owner's word; a feed's or a page's is often its template's, and only breaks
    ties.

    Raises:
        RecordError: NO_ARTICLE where there is neither title nor text.
    """
    title = _plain(entry.title, entry.markup).replace("\n", " ")
    text = _plain(entry.text, entry.markup)
    if not title and not text:
        raise RecordError(Reason.NO_ARTICLE, "neither a title nor a text")
    published_at = published_from = None
    updated_at = parse_date(entry.updated) if entry.updated else None
    if updated_at is not None and not plausible(updated_at, entry.seen_at):
        updated_at = None
    if entry.published:
        published_at = parse_date(entry.published)
    if published_at is not None and plausible(published_at, entry.seen_at):
        published_from = entry.date_from
    elif updated_at is not None:
        published_at, published_from = updated_at, entry.date_from
    else:
        published_at, published_from = entry.seen_at, "reading"
    canonical = canonical_url(entry.url, entry.base_url)
    source = clean_text(entry.source or "").replace("\n", " ")
    source = source or (host_of(canonical) if canonical else None) or _stem(entry.origin.path)
    declared = normalise_code(entry.language)
    stated = entry.date_from == "file"
    guid = clean_text(entry.guid) if entry.guid else None
    return Article(
        article_id=article_id(canonical, guid, source, title, text),
        url=entry.url,
        canonical_url=canonical,
        guid=guid or None,
        title=title,
        text=text,
        language=declared if stated else None,
        language_hint=None if stated else declared,
        published_at=published_at,
        published_from=published_from,
        published_raw=entry.published,
        updated_at=updated_at,
        seen_at=entry.seen_at,
        source=source,
        authors=tuple(filter(None, map(clean_text, entry.authors))),
        origin=entry.origin,
    )


def _plain(text: str, markup: Markup) -> str:
    if markup == "html" or (markup == "unknown" and looks_like_html(text)):
        return html_to_text(text)
    return clean_text(text)


def _stem(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name.partition(".")[0] or path
