"""A feed: as a configuration names it, and with all that is known of it before it is fetched."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from string import Template
from typing import Annotated, Any, NamedTuple, Self
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from pipeline.quantities import TimeSpan
from transforms.errors import ConfigError
from transforms.logic.language import normalise_code
from transforms.records import Identity

LONGEST_URL = 4096  # characters
_LONGEST_NAME = 200
_LONGEST_TAG = 60
_PORTS = {"http": 80, "https": 443}
_MINUTE = timedelta(minutes=1)

_NO_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_USER = re.compile(r"\s*[^/?#]*//[^/?#]*@")
_BETWEEN_WORDS = re.compile(r"[\s,/_-]+")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
# What says how to ask and how a connection is kept is the program's to say.
_HEADERS_OF_OURS = frozenset(
    "accept-encoding connection content-length host if-modified-since if-none-match keep-alive "
    "proxy-authorization proxy-connection te trailer transfer-encoding upgrade".split()
)
_HARMLESS_HEADERS = frozenset(
    "accept accept-language cache-control dnt from referer user-agent".split()
)
_SCHEMES_OF_AUTHORIZATION = frozenset({"basic", "bearer", "digest", "token"})


def checked_url(url: str) -> str:
    """*url*, where a feed may stand there.

    Raises:
        ValueError: it may not, and why; says no password that stands in it.
    """
    if _USER.match(url):
        raise ValueError("user and password stand in basic_auth, not in the URL")
    if len(url) > LONGEST_URL:
        raise ValueError(f"longer than {LONGEST_URL:,} characters: {url[:60]}…")
    if found := re.search(r"[\s\\]|[^\x20-\x7e\xa0-\U0010ffff]|[\ud800-\udfff]", url):
        raise ValueError(f"an URL holds no {found[0]!r}: {ascii(url)[1:-1]}")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"no URL: {error}") from error
    if parts.scheme not in _PORTS:
        raise ValueError(f"neither http nor https: {url}")
    if not host:
        raise ValueError(f"no host: {url}")
    return url


def url_key(url: str) -> str:
    """What is one for all spellings of *url* that any server takes for the same.

    That are the case of scheme and host, the port where it is the usual one, an empty
    path, and a fragment, which is never sent.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS.get(parts.scheme):
        netloc += f":{port}"
    return urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, ""))


def tag_of(text: str) -> str:
    """*text* as a tag, 'human-rights' for 'Human Rights'; empty where nothing is left of it."""
    plain = unicodedata.normalize("NFC", _NO_XML.sub("", text)).lower()
    words = [word for word in _BETWEEN_WORDS.split(plain) if word]
    return "-".join(words)[:_LONGEST_TAG].rstrip("-")


def name_of(text: str) -> str | None:
    """*text* as the name of a feed, on one line; None where nothing is left of it."""
    return " ".join(_NO_XML.sub("", text).split())[:_LONGEST_NAME].rstrip() or None


def _read_url(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _read_name(value: object) -> object:
    return name_of(value) if isinstance(value, str) else value


def _read_tag(value: object) -> object:
    if isinstance(value, str) and not (tag := tag_of(value)):
        raise ValueError(f"{value!r}: a tag has at least one letter")
    return tag if isinstance(value, str) else value


def _in_order(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(tags)))


def _read_language(value: object) -> object:
    if not isinstance(value, str):
        return value
    if (code := normalise_code(value)) is None:
        raise ValueError(f"{value!r}: write a language like en or pt-BR")
    return code


def _whole_minutes(span: timedelta) -> timedelta:
    if span < _MINUTE or span % _MINUTE:
        raise ValueError("an interval is a whole number of minutes, and at least one")
    return span


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if name.lower() in _HEADERS_OF_OURS:
            raise ValueError(f"{name}: this header is set by the program")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"{name}: no line breaks, and Latin letters only")
        _checked_template(value)
    return headers


def _checked_template(text: str) -> str:
    if not Template(text).is_valid():
        raise ValueError("$ begins the name of a variable; write $$ for the character itself")
    return text


def _host_is_plain(url: str) -> str:
    if "$" in urlsplit(url).netloc:
        raise ValueError("the host stands there itself, not the name of a variable")
    return url


def _only_a_variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise ValueError(
            "write $NAME, the name of an environment variable that holds user:password"
        )
    return value


Url = Annotated[str, BeforeValidator(_read_url), AfterValidator(checked_url)]
Tags = Annotated[tuple[Annotated[str, BeforeValidator(_read_tag)], ...], AfterValidator(_in_order)]


class _Settings(BaseModel):
    """What may be said of a feed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url
    name: Annotated[str | None, BeforeValidator(_read_name)] = None
    tags: Tags = ()
    interval: Annotated[TimeSpan, AfterValidator(_whole_minutes)] | None = None
    language: Annotated[str | None, BeforeValidator(_read_language)] = None
    headers: Annotated[dict[str, str], AfterValidator(_checked_headers)] = {}
    basic_auth: Annotated[str, AfterValidator(_only_a_variable)] | None = None
    full_text: bool = False
    identity: Identity | None = None

    @model_validator(mode="after")
    def _authorises_once(self) -> Self:
        if self.basic_auth and any(name.lower() == "authorization" for name in self.headers):
            raise ValueError("basic_auth and a header Authorization: only one of them can be sent")
        return self

    def without_secrets(self) -> Self:
        """As it may be shown: header values that may be secret, and stand there plainly, are
        masked."""
        headers = {
            name: value if _may_be_shown(name, value) else "***"
            for name, value in self.headers.items()
        }
        return self.model_copy(update={"headers": headers})


class FeedChoice(_Settings):
    """One feed, as a configuration names it: an URL alone, or with settings.

    `$NAME` and `${NAME}` in the URL's path and query and in headers come from the
    environment when the feed is fetched, and are shown as they are written; `$$` is
    the character itself.
    """

    url: Annotated[Url, AfterValidator(_checked_template), AfterValidator(_host_is_plain)]

    @model_validator(mode="wrap")
    @classmethod
    def _from_url(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return handler({"url": value} if isinstance(value, str) else value)


def _checked_place(place: str) -> str:
    return checked_url(place) if is_url(place) else place


class OpmlChoice(BaseModel):
    """A list of feeds in OPML: a file, relative to the configuration, or an URL."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opml: Annotated[str, Field(min_length=1), AfterValidator(_checked_place)]
    tags: Tags = ()

    @property
    def is_remote(self) -> bool:
        """Whether it stands at an URL."""
        return is_url(self.opml)


def is_url(text: str) -> bool:
    """Whether *text* is meant as an URL, not as the path of a file."""
    return text.lower().startswith(("http://", "https://"))


def _choose(value: Any, handler: ValidatorFunctionWrapHandler) -> "FeedChoice | OpmlChoice":
    # The union itself would tell each problem once for either model.
    if isinstance(value, FeedChoice | OpmlChoice):
        return value
    model = OpmlChoice if isinstance(value, dict) and "opml" in value else FeedChoice
    return model.model_validate(value)


FeedSource = Annotated[FeedChoice | OpmlChoice, WrapValidator(_choose)]


class Feed(_Settings):
    """A feed to be read.

    Attributes:
        url: As it was written: what the feed is known by in the ledger and all outputs.
        expands: Whether `$NAME` means a variable: in what the configuration says of the
            feed. A list from elsewhere must not ask for what the environment holds.
    """

    expands: bool = False

    def request_url(self, environ: Mapping[str, str]) -> str:
        """What is asked for; values from *environ* are percent-encoded.

        Raises:
            ConfigError: a variable is not set.
        """
        return self._expand(self.url, {name: quote(v, safe="") for name, v in environ.items()})

    def request_headers(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The headers that are sent with it.

        Raises:
            ConfigError: a variable is not set, or holds what no header can.
        """
        headers = {name: self._expand(value, environ) for name, value in self.headers.items()}
        for name, value in headers.items():
            if not _HEADER_VALUE.fullmatch(value):
                raise ConfigError(f"feed {self.url}: header {name}: its variable holds no text")
        return headers

    def auth(self, environ: Mapping[str, str]) -> tuple[str, str] | None:
        """User and password; None where the feed needs none.

        Raises:
            ConfigError: the variable is not set, or holds no user:password.
        """
        if self.basic_auth is None:
            return None
        user, colon, password = self._expand(self.basic_auth, environ).partition(":")
        if not colon:
            raise ConfigError(f"feed {self.url}: {self.basic_auth} holds no user:password")
        return user, password

    def _expand(self, text: str, environ: Mapping[str, str]) -> str:
        if not self.expands:
            return text
        try:
            return Template(text).substitute(environ)
        except KeyError as error:
            raise ConfigError(
                f"feed {self.url}: the environment variable {error.args[0]} is not set"
            ) from None


class FeedList(NamedTuple):
    """Feeds, and what cannot be used among them."""

    feeds: tuple[Feed, ...]
    problems: tuple[str, ...]  # a line each, with file and line; they cost only themselves


def _may_be_shown(name: str, value: str) -> bool:
    plain = _VARIABLE.sub("", value).strip()
    harmless = name.lower() in _HARMLESS_HEADERS
    return harmless or not plain or plain.lower() in _SCHEMES_OF_AUTHORIZATION
