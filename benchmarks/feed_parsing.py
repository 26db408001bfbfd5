"""Entries a second from feeds to articles, as ratios against feedparser in the same run.

    python -m benchmarks.feed_parsing

The feeds hold their articles in full, in the shape that WordPress gives them. Time is that
of the processor, and the programs take turns.
"""

import argparse
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from io import BytesIO
from itertools import chain

import feedparser

from transforms.logic.feeds import read_feed
from transforms.logic.normalise import normalise
from transforms.records import FeedContext, Origin, RawDocument

_ROUNDS = 7
_SEEN_AT = datetime(2026, 11, 24, 6, tzinfo=UTC)
_WORDS = (
    "the of and to a in that minister law asylum border court council parliament vote budget "
    "committee police report said would after before people country government plan public "
    "encryption message reform agency commission member state summit week year decision"
).split()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=20)
    parser.add_argument("--entries", type=int, default=40, help="of each feed")
    options = parser.parse_args()
    feeds = [_feed(number, options.entries) for number in range(options.feeds)]
    entries = options.feeds * options.entries
    size = sum(map(len, feeds)) / entries
    print(f"{options.feeds} feeds, {entries:,} entries, {size:,.0f} bytes each")

    documents = [_document(number, feed) for number, feed in enumerate(feeds)]
    programs: dict[str, Callable[[], object]] = {
        "feedparser.parse() as it is called": lambda: [*map(_feedparser, feeds)],
        "feedparser without sanitiser": lambda: [*map(_unsanitised, feeds)],
        "read_feed: entries, identity, reading": lambda: [*map(read_feed, documents)],
        "the same, and clean articles": lambda: [*map(_articles, documents)],
    }
    best = dict.fromkeys(programs, 0.0)
    for _ in range(_ROUNDS):
        for name, program in programs.items():
            start = time.process_time()
            program()
            best[name] = max(best[name], entries / (time.process_time() - start))
    peer = best["feedparser.parse() as it is called"]
    for name, rate in best.items():
        print(f"{name:<44}{rate:>9,.0f} entries/s  {rate / peer:.2f} of feedparser")


def _feedparser(feed: bytes) -> object:
    return feedparser.parse(BytesIO(feed))


def _unsanitised(feed: bytes) -> object:
    return feedparser.parse(BytesIO(feed), sanitize_html=False, resolve_relative_uris=False)


def _articles(document: RawDocument) -> object:
    entries, reading = read_feed(document)
    assert reading.error is None
    return [*map(normalise, entries)]


def _document(number: int, feed: bytes) -> RawDocument:
    url = f"https://paper{number}.example/feed"
    return RawDocument(
        origin=Origin(path=url),
        format="feed",
        payload=feed,
        seen_at=_SEEN_AT,
        feed=FeedContext(url=url, base_url=url),
    )


def _feed(number: int, entries: int) -> bytes:
    chance = random.Random(number)  # noqa: S311 # no secret
    head = (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
        ' xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">\n<channel>'
        f"<title>Paper {number}</title><link>https://paper{number}.example/</link>"
        "<description>News</description><language>en-GB</language>"
        "<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>1</sy:updateFrequency>\n"
    )
    items = (_item(number, entry, chance) for entry in range(entries))
    return "".join(chain([head], items, ["</channel></rss>\n"])).encode()


def _item(number: int, entry: int, chance: random.Random) -> str:
    host = f"https://paper{number}.example"
    title = " ".join(chance.choices(_WORDS, k=9)).capitalize()
    paragraphs = [
        f'<p>{_sentence(chance)} <a href="{host}/tag/{chance.choice(_WORDS)}" rel="tag">'
        f"{chance.choice(_WORDS)}</a> &amp; <em>{_sentence(chance)}</em> {_sentence(chance)}</p>\n"
        for _ in range(9)
    ]
    picture = (
        f'<figure><img src="{host}/{entry}.jpg" alt=""><figcaption>Photo</figcaption></figure>'
    )
    return (
        f"<item><title>{escape(title)}</title><link>{host}/2026/11/story-{entry}/</link>\n"
        f"<dc:creator><![CDATA[A Reporter]]></dc:creator>"
        f"<pubDate>Mon, 23 Nov 2026 {entry % 24:02}:40:00 +0000</pubDate>\n"
        f"<category><![CDATA[Politics]]></category>"
        f'<guid isPermaLink="false">{host}/?p={entry}</guid>\n'
        f'<media:content url="{host}/{entry}.jpg" medium="image"/>\n'
        f"<description><![CDATA[{_sentence(chance)}]]></description>\n"
        f"<content:encoded><![CDATA[{picture}{''.join(paragraphs)}]]></content:encoded></item>\n"
    )


def _sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(_WORDS, k=20)).capitalize() + "."


if __name__ == "__main__":
    main()
