"""What a publisher writes, and what one reading of it after the other finds."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from tests.articles import SEEN_AT
from transforms.logic.feeds import read_feed
from transforms.logic.normalise import normalise
from transforms.records import Article, FeedContext, FeedReading, Origin, RawDocument

URL = "https://paper.example/feed"


class Item(NamedTuple):
    """One entry of a feed."""

    title: str
    link: str | None = None
    guid: str | None = None
    text: str = ""
    date: str = "Mon, 23 Nov 2026 08:00:00 GMT"

    def __str__(self) -> str:
        link = f"<link>{escape(self.link)}</link>" if self.link else ""
        guid = f'<guid isPermaLink="false">{escape(self.guid)}</guid>' if self.guid else ""
        return (
            f"<item><title>{escape(self.title)}</title>{link}{guid}"
            f"<pubDate>{self.date}</pubDate><description>{escape(self.text)}</description></item>"
        )


def rss(items: Sequence[Item], title: str = "Paper") -> bytes:
    inside = "".join(map(str, items))
    return f'<rss version="2.0"><channel><title>{title}</title>{inside}</channel></rss>'.encode()


def document(payload: bytes, context: FeedContext) -> RawDocument:
    return RawDocument(
        origin=Origin(path=context.url),
        format="feed",
        payload=payload,
        seen_at=SEEN_AT,
        feed=context,
    )


class Reader:
    """Reads a feed again and again, and remembers of it what a run would."""

    def __init__(self, url: str = URL, **context: object) -> None:
        self.context = FeedContext.model_validate({"url": url, "base_url": url, **context})

    def read(self, *items: Item, title: str = "Paper") -> list[Article]:
        """The articles of the feed as it is now."""
        entries, self.reading = read_feed(document(rss(items, title), self.context))
        self.context = after(self.context, self.reading)
        return [*map(normalise, entries)]

    def ids(self, *items: Item) -> list[str]:
        return [article.article_id for article in self.read(*items)]


def after(context: FeedContext, reading: FeedReading) -> FeedContext:
    return context.model_copy(
        update={
            "identity": reading.identity,
            "trusts_guids": reading.trusts_guids,
            "known": reading.marks,
        }
    )
