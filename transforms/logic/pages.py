"""Taking the article out of a web page."""

from trafilatura import bare_extraction

from transforms.errors import Reason, RecordError
from transforms.logic.decoding import decode
from transforms.records import Entry, RawDocument

_WORDS = 20  # less is what is left of a menu

_TAGS = 200_000  # more than any article's page; deeper trees stop the extraction


def parse_page(document: RawDocument) -> Entry:
    """The article of a page, with what the page's metadata says of it.

    Raises:
        RecordError: NO_ARTICLE where no article is found; TOO_DEEP for a page
            that cannot be walked.
    """
    html = decode(document.payload, document.encoding, markup=True)
    if html.count("<") > _TAGS:
        raise RecordError(Reason.TOO_DEEP, f"more than {_TAGS:,} tags")
    try:
        found = bare_extraction(html, with_metadata=True, include_comments=False)
    except (RecursionError, ValueError) as error:
        raise RecordError(Reason.TOO_DEEP, f"the page cannot be walked: {error}") from error
    if found is None or isinstance(found, dict) or len((found.text or "").split()) < _WORDS:
        raise RecordError(Reason.NO_ARTICLE, "no article was found in the page")
    return Entry(
        origin=document.origin,
        seen_at=document.seen_at,
        title=found.title or "",
        text=found.text or "",
        markup="plain",
        url=found.url,
        published=found.date,
        date_from="page",
        language=found.language,
        source=found.sitename,
        authors=tuple(filter(None, (found.author or "").split("; "))),
    )
