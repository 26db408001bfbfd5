"""What feeds are made of, whatever their format: entries, each one theme of one story.

An entry keeps its id whatever becomes of its alert. An update and a cancel are the same
entry, later.
"""

import re
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from lxml import html
from lxml.html import builder

from pipeline.history import AlertState
from transforms.logic.stories import alert_change
from transforms.records import Alert

_MOST_PIECES: Final = 5  # of evidence
_MOST_SOURCES: Final = 10
_IDS: Final = uuid.UUID("5d1c6d0e-3f0b-4a52-9d8a-1f2f7c1e6b04")  # what ids are derived from

# Neither XML has a place for these, nor a reader for what turns the direction of all that follows.
_UNFIT: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]"
)
_NOTHING: Final = "(?!)"


class Entry(NamedTuple):
    """One theme of one story.

    Attributes:
        entry_id: A URN that stays the same.
        url: Where the article is, if on the web.
        language: Of the article; None where unknown.
        published: When the article was published.
        updated: The place in time of the run that spoke of it last.
        content: HTML.
    """

    entry_id: str
    title: str
    url: str | None
    source: str
    language: str | None
    theme: str
    level: str
    published: datetime
    updated: datetime
    content: str


class Feed(NamedTuple):
    """One feed, in any format.

    Attributes:
        name: Of its files, without suffix.
        updated: When an entry came or changed last; of an empty one, the newest run's time.
    """

    name: str
    feed_id: str
    title: str
    updated: datetime
    entries: Sequence[Entry]


def urn(*parts: str) -> str:
    """An id made of *parts*, always the same for the same ones."""
    return uuid.uuid5(_IDS, "\n".join(parts)).urn


def entry_of(state: AlertState, said_at: datetime) -> Entry:
    """The entry for what holds of one theme and story.

    Args:
        said_at: The place in time of the run that said it.
    """
    alert, article = state.alert, state.alert.article
    title = plain(article.title) or "Without a title"
    return Entry(
        entry_id=urn(alert_change(alert).alert.alert_id),
        title=f"Withdrawn: {title}" if state.cancelled else title,
        url=_web_link(article.url),
        source=plain(article.source) or "unknown",
        language=None if article.language == "und" else article.language,
        theme=alert.theme,
        level=alert.level,
        published=article.published_at,
        updated=said_at,
        content=_content(alert, title),
    )


def plain(text: str) -> str:
    """*text* of others on one line, without what XML or a reader cannot bear."""
    return " ".join(_UNFIT.sub("", text).split())


def _web_link(url: str | None) -> str | None:
    """*url* where a reader may be sent there; None for `javascript:` and its like."""
    fits = url and re.fullmatch(r"https?://[^\s<>\"\\^`{|}]+", url) and not _UNFIT.search(url)
    return url if fits else None


def _content(alert: Alert, title: str) -> str:
    article, story = alert.article, alert.story
    when = f"{article.published_at:%Y-%m-%d %H:%M} UTC"
    facts = f"{alert.theme.replace('_', ' ')}, {alert.level}: {plain(article.source)}, {when}."
    body = builder.DIV(builder.P(facts))
    if alert.kind == "cancel":
        body.append(builder.P("No article of this story speaks of the theme any more."))
    words: defaultdict[str, set[str]] = defaultdict(set)
    for piece in alert.evidence[:_MOST_PIECES]:
        words[plain(piece.sentence)].add(plain(piece.words))
    for sentence, found in words.items():
        body.append(builder.BLOCKQUOTE(_marked(sentence, found)))
    if story.articles > 1:
        body.append(builder.P(_told_by(alert)))
    if url := _web_link(article.url):
        body.append(builder.P(builder.A(title, href=url)))
    return str(html.tostring(body, encoding="unicode"))


def _marked(sentence: str, words: set[str]) -> html.HtmlElement:
    """The sentence with *words* marked wherever they stand in it."""
    longest_first = sorted(words - {""}, key=len, reverse=True)
    any_of_them = "|".join(map(re.escape, longest_first)) or _NOTHING
    before, *rest = re.split(f"({any_of_them})", sentence)
    marked = builder.P(before)
    for found, after in zip(rest[::2], rest[1::2], strict=True):
        mark = builder.MARK(found)
        mark.tail = after
        marked.append(mark)
    return marked


def _told_by(alert: Alert) -> str:
    story = alert.story
    named = ", ".join(plain(source) for source in story.sources[:_MOST_SOURCES])
    more = len(story.sources) - _MOST_SOURCES
    others = f" and {more} more" if more > 0 else ""
    return f"Told by {story.articles} articles: {named}{others}."
