"""Links: made absolute, and without what does not tell pages apart."""

import re
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

_CLEAN = re.compile(
    r"https?://[a-z0-9][a-z0-9.-]*[a-z0-9](?:/(?!\.)[A-Za-z0-9_~-]+(?:\.[a-z]+)?)*/?"
)
_TRACKER = re.compile(
    r"utm_\w+|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|twclid|yclid|igshid|mc_[ce]id|"
    r"_hs(?:enc|mi)|mkt_tok|ns_\w+|at_(?:medium|campaign|custom\d|link_\w+|ptr_\w+|format|bbc_\w+)|"
    r"xtor|wt_mc|ito|cmp(?:id)?|ocid|ref(?:errer|_?src)?|source|from|share|rss|feed(?:Type|Name)?|"
    r"oref|smid|partner|campaign_?id|vero_(?:id|conv)|spm|_ga|_gl|CMP",
    re.IGNORECASE,
)
_PORTS = {"http": 80, "https": 443}
_MOST = 4096  # characters; longer links are no articles'


def canonical_url(url: str | None, base: str | None = None) -> str | None:
    """*url* without trackers, fragment and default port; host in lower case and ASCII.

    Relative links are resolved against *base*. Parameters are sorted by name; a
    slash at the end stays as it is, but an empty path becomes '/'. None for what is
    no http or https link. Idempotent; never raises.
    """
    if not url:
        return None
    if _CLEAN.fullmatch(url) and url.count("/") > 2:
        return url
    try:
        url = url.strip()
        if base:
            url = urljoin(base, url)
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        if parts.scheme.lower() not in _PORTS or not host or len(url) > _MOST:
            return None
        if not host.isascii():
            host = host.encode("idna").decode()
        if re.search(r"[^a-z0-9.:_-]", host):
            return None
        netloc = f"[{host}]" if ":" in host else host
        if port is not None and port != _PORTS[parts.scheme]:
            netloc += f":{port}"
        path = _without_dots(parts.path)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        query = urlencode(sorted((k, v) for k, v in pairs if not _TRACKER.fullmatch(k)))
        path = _PERCENT.sub(lambda m: m.group().upper(), _UNSAFE.sub(_quoted, path))
        return urlunsplit((parts.scheme, netloc, path, query, ""))
    except (ValueError, UnicodeError):
        return None


def absolute_url(url: str | None, base: str | None) -> str | None:
    """*url* as it was given, but resolved against *base* where it is relative."""
    if not url or not base:
        return url
    try:
        return urljoin(base, url.strip())
    except ValueError:
        return url


def host_of(url: str) -> str | None:
    """The host of a link without 'www.'; None where it has none."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None


def is_site_root(canonical: str) -> bool:
    """Whether a canonical URL is a site's front page, which many articles may name."""
    return canonical.count("/") == 3 and canonical.endswith("/")


_PERCENT = re.compile(r"%[0-9a-fA-F]{2}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:@/%-]|%(?![0-9a-fA-F]{2})")


def _quoted(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match.group().encode("utf-8", "replace"))


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4."""
    kept: list[str] = []
    segments = path.split("/")
    for number, segment in enumerate(segments):
        last = number == len(segments) - 1
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
            kept += [""] if last else []
        elif segment == ".":
            kept += [""] if last else []
        else:
            kept.append(segment)
    joined = "/".join(kept)
    return joined if joined.startswith("/") else f"/{joined}"
