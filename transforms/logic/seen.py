"""Whether an article is new: what earlier runs saw unchanged need not be looked at again."""

from datetime import datetime, timedelta

from transforms.logic.identity import short_hash, text_hash
from transforms.records import Article, FreshArticle, KnownArticle

ANY_VERSION = ""
"""A text hash that stands for every text of an article."""


def fresh(article: Article, known: KnownArticle | None, themes: str) -> FreshArticle | None:
    """*article* with what is known of it, or None where it was seen as it is.

    An article that had a theme is looked at again when the themes have changed since,
    but not by the few words of its feed where the page that it was judged by could not
    be had: it waits for a run that has it. What another feed says of an article in other
    words is no edit of it, or the article would go back and forth between the two. An
    article's first date is kept.

    Args:
        themes: Hash of the themes in force.
    """
    digest = text_hash(article.title, article.text)
    if known is None:
        return FreshArticle(article=article, text_hash=digest, known=None)
    version = short_hash(article.version_hash or digest)
    unchanged = known.text_hash in (ANY_VERSION, version)
    if unchanged and (not known.levels or known.themes == themes):
        return None
    if not unchanged and article.edited is False:
        return None
    if known.levels and article.full_text == "failed":
        return None
    dated = article.model_copy(
        update={"published_at": known.published_at, "published_from": known.published_from}
    )
    return FreshArticle(article=dated, text_hash=digest, known=known)


def is_stale(known: KnownArticle, now: datetime, after: timedelta) -> bool:
    """Whether the ledger should be told that the article is still there.

    Args:
        after: How long ago it was told last. Telling it every time would write to the
            ledger for every article that was seen.
    """
    return now - known.last_seen_at >= after
