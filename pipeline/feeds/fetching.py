"""Fetching the feeds that are due, before a run's graph is built.

What comes is written to the run's spool; nothing is remembered before the run is complete,
so that the next one asks again where this one fails.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from pipeline import __version__
from pipeline.config import Fetching
from pipeline.feeds.model import Feed
from pipeline.feeds.opml import is_opml
from pipeline.feeds.outcomes import Asked
from pipeline.feeds.spool import Spool, Unread
from pipeline.feeds.state import Answer, FeedMemory, Problem, is_due
from pipeline.web import FetchError, FetchSettings, Request, Response, WebClient
from transforms.errors import Reason
from transforms.logic.feeds import read_feed, versions_of
from transforms.records import FeedContext, KnownArticle, Origin, Page, RawDocument

KnownArticles = Callable[[Sequence[str]], Mapping[str, KnownArticle]]

_MOST_PAGES = 200  # of one feed in one run
_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NOT_CACHED = re.compile(r"(?:^|,)\s*(?:no-cache|no-store)\b", re.IGNORECASE)


def fetch_settings(settings: Fetching, most_bytes: int) -> FetchSettings:
    """How the network is used, as the configuration says it."""
    contact = settings.contact or "no contact was configured"
    return FetchSettings(
        user_agent=f"policywire/{__version__} ({contact})",
        per_host=settings.per_host,
        gap=settings.gap.total_seconds(),
        at_once=settings.at_once,
        connect_timeout=settings.timeouts.connect.total_seconds(),
        read_timeout=settings.timeouts.read.total_seconds(),
        whole_timeout=settings.timeouts.whole.total_seconds(),
        most_bytes=most_bytes,
        retries=settings.retries,
        allowed=settings.allow_private,
    )


def due_feeds(
    feeds: Iterable[Feed], memories: Mapping[str, FeedMemory], now: datetime
) -> list[Feed]:
    """The feeds that are to be asked at *now*."""
    return [feed for feed in feeds if is_due(memories.get(feed.url), now)]


async def fetch_feeds(
    feeds: Sequence[Feed],
    memories: Mapping[str, FeedMemory],
    *,
    settings: FetchSettings,
    spool: Spool,
    known_articles: KnownArticles,
    themes: str,
    lists: bool,
    now: datetime,
    seen_at: datetime,
) -> list[Asked]:
    """Ask all *feeds*, many at once, and write to *spool* what came.

    Args:
        memories: What is remembered of each, by its URL.
        known_articles: Asked for the articles of feeds with full texts: the pages of
            those that are known are not fetched again.
        themes: Hash of the themes in force: the pages of articles that had a theme by
            others are fetched again.
        lists: Whether what turns out to be a list of feeds is given back as such.
        seen_at: The place in time of the run.

    Returns:
        What came of each, in the order of *feeds*. One that fails costs itself alone.

    Raises:
        ConfigError: an environment variable that a feed names is not set.
    """
    # All of them before the first is sent: a variable that is missing costs nothing.
    requests = [_request(feed, memories.get(feed.url)) for feed in feeds]
    async with WebClient(settings) as client:
        fetcher = _Fetcher(client, spool, known_articles, themes, lists, now, seen_at)
        return await asyncio.gather(
            *(
                fetcher.fetch(feed, memories.get(feed.url), request)
                for feed, request in zip(feeds, requests, strict=True)
            )
        )


def _request(feed: Feed, memory: FeedMemory | None, *, own_address: bool = False) -> Request:
    url = feed.request_url(os.environ)
    headers, auth = feed.request_headers(os.environ), feed.auth(os.environ)
    # Credentials are for the place that the configuration names.
    needs_credentials = headers or auth or _is_secret(feed)
    if memory is not None and memory.moved_to and not needs_credentials and not own_address:
        url = memory.moved_to
    return Request(
        url=url,
        shown=feed.url,
        etag=memory.etag if memory else None,
        last_modified=memory.last_modified if memory else None,
        headers=headers,
        auth=auth,
    )


class _Fetcher(NamedTuple):
    client: WebClient
    spool: Spool
    known_articles: KnownArticles
    themes: str
    lists: bool
    now: datetime
    seen_at: datetime

    async def fetch(self, feed: Feed, memory: FeedMemory | None, request: Request) -> Asked:
        asked = Asked(feed, memory)
        try:
            try:
                response = await self.client.fetch(request)
            except FetchError as error:
                if memory is None or request.url != memory.moved_to or error.passing:
                    raise
                response = await self.client.fetch(_request(feed, memory, own_address=True))
        except FetchError as error:
            self.spool.add(
                Unread(origin=Origin(path=feed.url), reason=error.reason, detail=error.detail)
            )
            asked = asked._replace(
                status=error.status,
                problem=Problem(reason=error.reason, detail=error.detail, status=error.status),
                retry_after=error.retry_after,
            )
            if error.reason is Reason.BAD_RESPONSE and error.partial:
                # The entries before a broken end are good.
                document = self._document(feed, memory, feed.url, error.partial, None)
                asked = await self._keep(asked._replace(answer=Answer()), document)
            return asked
        body_hash = hashlib.sha256(response.body).hexdigest()
        known = memory is not None and body_hash == memory.body_hash
        unchanged = response.status == 304 or known
        asked = asked._replace(
            status=response.status,
            answer=_answer(response, memory, body_hash, feed, self.now),
            unchanged=unchanged,
            seconds=response.elapsed,
        )
        if unchanged:
            return asked
        if self.lists and is_opml(response.body):
            return asked._replace(listed=response.body)
        encoding = None if _is_utf8(response.body) else response.charset
        base = feed.url if _is_secret(feed) else response.url
        document = self._document(feed, memory, base, response.body, encoding)
        return await self._keep(asked, document)

    def _document(
        self, feed: Feed, memory: FeedMemory | None, base: str, body: bytes, encoding: str | None
    ) -> RawDocument:
        return RawDocument(
            origin=Origin(path=feed.url),
            format="feed",
            payload=body,
            encoding=encoding,
            seen_at=self.seen_at,
            feed=FeedContext(
                url=feed.url,
                base_url=base,
                name=feed.name,
                language=feed.language,
                tags=feed.tags,
                identity=feed.identity or (memory.identity if memory else None),
                identity_fixed=feed.identity is not None,
                trusts_guids=memory.trusts_guids if memory else True,
                known=memory.marks if memory else (),
                full_text=feed.full_text,
            ),
        )

    async def _keep(self, asked: Asked, document: RawDocument) -> Asked:
        """Write the document to the spool, with the pages that it needs."""
        if document.feed is not None and document.feed.full_text:
            wanted = self._wanted_pages(document)
            pages = await asyncio.gather(*(self._page(url) for url in wanted))
            feed = document.feed.model_copy(update={"pages": tuple(pages)})
            document = document.model_copy(update={"feed": feed})
            failed = sum(page.payload is None for page in pages)
            asked = asked._replace(pages=len(pages), pages_failed=failed)
        self.spool.add(document)
        return asked

    def _wanted_pages(self, document: RawDocument) -> list[str]:
        """The links of the entries that no earlier run saw as they are, by these themes."""
        versions = list(versions_of(read_feed(document)[0]))
        known = self.known_articles([one.article_id for one in versions])
        fresh = (
            one.link
            for one in versions
            if one.link and not self._is_settled(known.get(one.article_id), one.version)
        )
        return list(dict.fromkeys(fresh))[:_MOST_PAGES]

    def _is_settled(self, known: KnownArticle | None, version: str) -> bool:
        if known is None or known.text_hash != version:
            return False
        return not known.levels or known.themes == self.themes

    async def _page(self, url: str) -> Page:
        try:
            response = await self.client.fetch_page(url)
        except FetchError as error:
            return Page(url=url, error=error.detail)
        return Page(url=url, payload=response.body, encoding=response.charset)


def _answer(
    response: Response, memory: FeedMemory | None, body_hash: str, feed: Feed, now: datetime
) -> Answer:
    headers = response.headers
    if response.status == 304 and memory is not None:
        # What a 304 leaves out stays as it was: RFC 9110, 15.4.5.
        etag = headers.get("etag") or memory.etag
        modified, digest = headers.get("last-modified") or memory.last_modified, memory.body_hash
    else:
        etag, modified, digest = headers.get("etag"), headers.get("last-modified"), body_hash
    moved_to = None if _is_secret(feed) else response.moved_to
    if moved_to is None and memory is not None and response.url == memory.moved_to:
        moved_to = memory.moved_to
    return Answer(etag, modified, digest, moved_to, _fresh_until(response, now))


def _fresh_until(response: Response, now: datetime) -> datetime | None:
    """How long the answer may be kept: RFC 9111, 4.2.1, less what a cache says it is old."""
    control = response.headers.get("cache-control", "")
    if _NOT_CACHED.search(control):
        return None
    age = response.headers.get("age", "")
    if found := _MAX_AGE.search(control):
        seconds = int(found[1]) - (int(age) if age.isdecimal() and len(age) < 10 else 0)
        return now + timedelta(seconds=max(seconds, 0))
    try:
        expires = parsedate_to_datetime(response.headers.get("expires", ""))
    except ValueError:
        return None
    return expires.replace(tzinfo=UTC) if expires.tzinfo is None else expires.astimezone(UTC)


def _is_secret(feed: Feed) -> bool:
    """Whether the address that is asked holds something that may not be written down."""
    return feed.request_url(os.environ) != feed.url


def _is_utf8(body: bytes) -> bool:
    """Bytes that happen to be UTF-8 are UTF-8, whatever a server says that it always says."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
