"""What is asked of the network, what comes back, and what can go wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from transforms.errors import PolicywireError, Reason

FEEDS = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
PAGES = "text/html, application/xhtml+xml, */*;q=0.1"


@dataclass(frozen=True, kw_only=True)
class FetchSettings:
    """How the network is used. Times are in seconds, a host is a name with a port.

    Attributes:
        user_agent: What the client calls itself.
        per_host: So many requests at most are under way on a host.
        gap: Between the starts of two requests on a host.
        at_once: So many requests at most are under way in all.
        connect_timeout: For finding the addresses of a host and connecting to one of them.
        read_timeout: For the next bytes.
        whole_timeout: What one fetch may spend on the network in all, redirects and retries
            included; waiting for its turn is not counted.
        most_bytes: Of a body, as sent and as decoded.
        most_redirects: Followed in one fetch.
        retries: After the first attempt, of what may pass.
        backoff: The longest wait before the first retry; doubles with each.
        longest_wait: A host that asks to be left alone for longer is not asked again.
        allowed: Host names and networks ('10.0.0.0/8') that may be asked although they are
            not of the public internet.
    """

    user_agent: str = "policywire"
    per_host: int = 2
    gap: float = 1.0
    at_once: int = 100
    connect_timeout: float = 10.0
    read_timeout: float = 20.0
    whole_timeout: float = 60.0
    most_bytes: int = 10_000_000
    most_redirects: int = 5
    retries: int = 2
    backoff: float = 1.0
    longest_wait: float = 10.0
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """One document to be fetched.

    Attributes:
        shown: The URL as people may see it; errors name nothing else of the request.
        headers: Sent to the origin of *url* alone, as is *auth*, wherever it redirects to.
        auth: User name and password.

    Raises:
        ValueError: a header that cannot be sent.
    """

    url: str = field(repr=False)
    shown: str
    etag: str | None = None
    last_modified: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    auth: tuple[str, str] | None = field(default=None, repr=False)
    accept: str = FEEDS

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            if not (name.isascii() and value.isascii() and f"{name}{value}".isprintable()):
                raise ValueError(f"header {name!r} holds characters that no header may have")


@dataclass(frozen=True, kw_only=True)
class Response:
    """What a fetch brought: a status of 200 to 299, or 304 for what has not changed.

    Attributes:
        url: Where it was found in the end.
        headers: By name in any case.
        body: Decoded.
        content_type: The media type, 'text/xml'; empty where none is declared.
        charset: As declared in the header, in lower case.
        moved_to: Where permanent redirects from the first URL on lead to.
        elapsed: Seconds spent on the network.
        attempts: 1 where nothing was retried.
        http_version: 'HTTP/1.1' or 'HTTP/2'.
    """

    url: str = field(repr=False)
    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    content_type: str
    charset: str | None
    moved_to: str | None = field(repr=False)
    elapsed: float
    attempts: int
    retry_after: datetime | None
    http_version: str


class FetchError(PolicywireError):
    """A document that could not be had.

    Attributes:
        reason: The code that goes into the dead letter.
        detail: A sentence for a person, free of secrets.
        shown: The URL as people may see it.
        status: Where a server answered.
        passing: It may be well in an hour; False where somebody has to do something first.
        retry_after: Not to be asked again before.
        partial: What came of the body, decoded, before it broke or grew too large.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        shown: str = "",
        status: int | None = None,
        passing: bool = False,
        retry_after: datetime | None = None,
        partial: bytes = b"",
    ) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
        self.shown = shown
        self.status = status
        self.passing = passing
        self.retry_after = retry_after
        self.partial = partial

    def __str__(self) -> str:
        return f"{self.shown}: {self.detail}" if self.shown else self.detail
