"""The way of one fetch over redirects: where it is, and what may be sent there."""

import httpx

from pipeline.web.messages import FetchError, FetchSettings, Request
from transforms.errors import Reason

REDIRECTS = (301, 302, 303, 307, 308)
_PERMANENT = (301, 308)
_PORTS = {"http": 80, "https": 443}


class Walk:
    """How far one fetch has come.

    Attributes:
        url: Where it is.
        moved_to: Where permanent redirects from the first URL on lead to.
        left: Seconds that it may still spend on the network.
        retries: So many there were.

    Raises:
        FetchError: BAD_URL.
    """

    def __init__(self, request: Request, settings: FetchSettings) -> None:
        try:
            self.url = _read(request.url)
        except _UnfitError as error:
            raise FetchError(Reason.BAD_URL, f"a URL that {error}") from None
        self.moved_to: str | None = None
        self.left = settings.whole_timeout
        self.retries = 0
        self._request = request
        self._user_agent = settings.user_agent
        self._most_redirects = settings.most_redirects
        self._home = _origin(self.url)
        self._permanent = True
        self._cookies = httpx.Cookies()  # some sites redirect until theirs comes back
        self._been = [self._here()]

    @property
    def host(self) -> tuple[str, int]:
        """The host that it is at, and the port."""
        _, name, port = _origin(self.url)
        return name, port

    def outgoing(self) -> httpx.Request:
        """What to send to where it is; credentials go to the origin they are for alone."""
        asked = self._request
        headers = httpx.Headers(
            {
                "User-Agent": self._user_agent,
                "Accept": asked.accept,
                "Accept-Encoding": "gzip, deflate, br, zstd",
            }
        )
        if asked.etag is not None:
            headers["If-None-Match"] = asked.etag
        if asked.last_modified is not None:
            headers["If-Modified-Since"] = asked.last_modified
        at_home = _origin(self.url) == self._home
        if at_home:
            headers.update(asked.headers)
        outgoing = httpx.Request("GET", self.url, headers=headers, cookies=self._cookies)
        if at_home and asked.auth is not None:
            return next(httpx.BasicAuth(*asked.auth).auth_flow(outgoing))
        return outgoing

    def follow(self, status: int, headers: httpx.Headers) -> None:
        """Go where an answer redirects to.

        Raises:
            FetchError: BAD_REDIRECT.
        """
        self._permanent = self._permanent and status in _PERMANENT
        self._cookies.extract_cookies(
            httpx.Response(status, headers=headers, request=httpx.Request("GET", self.url))
        )
        before = self.url.host
        if "location" not in headers:
            raise _bad_redirect(status, f"{before} redirects to nowhere")
        try:
            self.url = _read(headers["location"], self.url)
        except _UnfitError as error:
            raise _bad_redirect(status, f"{before} redirects to a URL that {error}") from None
        if self._here() in self._been:
            raise _bad_redirect(status, f"{before} redirects in a circle")
        if len(self._been) > self._most_redirects:
            raise _bad_redirect(status, f"more than {self._most_redirects} redirects")
        self._been.append(self._here())
        if self._permanent:
            self.moved_to = str(self.url)

    def _here(self) -> tuple[str, str | None]:
        """Two answers can only differ where this does."""
        return str(self.url), httpx.Request("GET", self.url, cookies=self._cookies).headers.get(
            "cookie"
        )


def _bad_redirect(status: int, detail: str) -> FetchError:
    return FetchError(Reason.BAD_REDIRECT, detail, status=status)


class _UnfitError(Exception):
    """Says what is wrong with a URL, and quotes nothing of it."""


def _read(text: str, base: httpx.URL | None = None) -> httpx.URL:
    """The URL of a document on the web, without its fragment."""
    try:
        url = httpx.URL(text) if base is None else base.join(text)
    except (httpx.InvalidURL, ValueError):
        raise _UnfitError("cannot be read") from None
    if url.scheme not in _PORTS:
        raise _UnfitError("is neither http nor https")
    if not url.host:
        raise _UnfitError("names no host")
    if url.port is not None and not 0 < url.port < 1 << 16:
        raise _UnfitError("names no port")
    if url.userinfo:
        raise _UnfitError("has a user name in it")
    return url.copy_with(fragment=None)


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or _PORTS[url.scheme]
