"""Lists of feeds in OPML, as feed readers exchange them: http://opml.org/spec2.opml"""

import re
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from email.utils import format_datetime
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from lxml import etree
from pydantic import ValidationError

from pipeline.feeds.model import Feed, FeedList, name_of, tag_of, url_key
from pipeline.quantities import write_span
from pipeline.secure_xml import HARDENED
from pipeline.whole_files import replacing
from transforms.errors import ConfigError
from transforms.logic.decoding import marked_encoding
from transforms.logic.language import normalise_code

MOST_BYTES = 10 * 10**6
MOST_FEEDS = 200_000

_OURS = "urn:policywire:opml:1"
_HEAD = 65_536  # bytes; no comment before the root is longer
_ROOT = re.compile(
    r"\ufeff?(?:\s|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>)*+<(?:[\w.-]+:)?opml[\s>/]",
    re.DOTALL | re.IGNORECASE,
)


def is_opml(content: bytes) -> bool:
    """Whether *content*, or the beginning of it, is OPML by its root element."""
    head = content[:_HEAD].decode(marked_encoding(content[:_HEAD]) or "utf-8", "replace")
    return _ROOT.match(head) is not None


def read_opml(content: bytes, name: str) -> FeedList:
    """The feeds in an OPML file (1.0, 1.1 or 2.0) that is called *name*, in its order.

    An outline with an xmlUrl is a feed, at any depth; the outlines around it and its
    categories are its tags. Outlines that cannot be used cost only themselves, and
    lists that it includes are not followed: its problems name them.

    Raises:
        ConfigError: it is no OPML, is not well-formed, defines entities or is too large.
    """
    feeds: list[Feed] = []
    problems: list[str] = []
    folders: list[str] = []
    for event, outline in _outlines(content, name):
        if event == "end":
            folders.pop()
            continue
        says = _attributes(outline)
        is_feed = bool(says.get("xmlurl"))
        if is_feed:
            try:
                feeds.append(_feed(outline, says, folders))
            except ValidationError as error:
                problems += (f"{name}:{outline.sourceline}: {why}" for why in _reasons(error))
        elif says.get("type", "").lower() == "include":
            problems.append(
                f"{name}:{outline.sourceline}: include: a list in the list is not followed: "
                f"{says.get('url', 'it has no url')[:200]}"
            )
        if len(feeds) > MOST_FEEDS:
            raise ConfigError(f"{name}: more than {MOST_FEEDS:,} feeds")
        folders.append("" if is_feed else tag_of(says.get("text") or says.get("title", "")))
    return FeedList(tuple(feeds), tuple(problems))


def write_opml(
    feeds: Iterable[Feed], title: str = "Feeds", created_at: datetime | None = None
) -> bytes:
    """*feeds* as OPML 2.0: the same bytes for the same feeds, whatever their order.

    The first tag is the folder, and all tags are categories, so that nothing is lost
    to a reader that knows only one of the two. Headers and basic_auth are not written.
    """
    root = etree.Element("opml", version="2.0", nsmap={"policywire": _OURS})
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = name_of(title)
    if created_at is not None:
        etree.SubElement(head, "dateCreated").text = format_datetime(created_at)
    body = etree.SubElement(root, "body")
    ordered = sorted(feeds, key=lambda feed: (feed.tags[:1], feed.url))
    for folder, inside in groupby(ordered, key=lambda feed: feed.tags[:1]):
        parent = etree.SubElement(body, "outline", text=folder[0]) if folder else body
        for feed in inside:
            parent.append(_outline(feed))
    etree.indent(root)
    return _serialised(root.getroottree())


def add_feeds(path: Path, feeds: Iterable[Feed]) -> tuple[Feed, ...]:
    """Add those of *feeds* that the OPML file *path* does not have, and return them.

    What is in the file stays as it is, comments and order too; each feed comes last in
    the folder that is called like one of its tags, else last of all. A file that is
    not there is made. It is replaced at once, or not at all.

    Raises:
        ConfigError: the file cannot be read.
        OSError: it cannot be written.
    """
    content = path.read_bytes() if path.exists() else write_opml(())
    known = {url_key(feed.url) for feed in read_opml(content, str(path)).feeds}
    tree = etree.parse(BytesIO(content.lstrip()), etree.XMLParser(**HARDENED))
    body = _body(tree.getroot())
    added = []
    for feed in feeds:
        if (key := url_key(feed.url)) in known:
            continue
        known.add(key)
        _append(_folder(body, feed.tags), _outline(feed))
        added.append(feed)
    if added:
        _replace(path, _serialised(tree))
    return tuple(added)


def _outlines(content: bytes, name: str) -> Iterator[tuple[str, Any]]:
    """The outlines, each where it starts and where it ends.

    Nothing beyond the root's start tag is read before its definitions are refused.
    """
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{name}: larger than {MOST_BYTES:,} bytes")
    root = None
    events = ("start", "end")
    try:
        for event, element in etree.iterparse(BytesIO(content.lstrip()), events, **HARDENED):
            if root is None:
                root = element
                _check_root(root, name)
            if _local_name(element) == "outline":
                yield event, element
            if event == "end":
                element.clear()
    except etree.XMLSyntaxError as error:
        line = f":{error.lineno}" if error.lineno else ""
        raise ConfigError(f"{name}{line}: no OPML: {error.msg}") from error


def _check_root(root: Any, name: str) -> None:
    if _local_name(root) != "opml":
        raise ConfigError(f"{name}:{root.sourceline}: no OPML: it begins with <{root.tag[:60]}>")
    definitions = root.getroottree().docinfo.internalDTD
    if definitions is not None and any(True for _ in definitions.iterentities()):
        raise ConfigError(f"{name}: it defines entities, which may grow without end")


def _local_name(element: Any) -> str:
    # Comments and the like have a function where elements have their name.
    return etree.QName(element).localname.lower() if isinstance(element.tag, str) else ""


def _attributes(outline: Any) -> dict[str, str]:
    """By their names in lower case: files in the wild have xmlurl, xmlUrl and XMLURL."""
    return {name.lower(): value.strip() for name, value in outline.attrib.items()}


def _feed(outline: Any, says: dict[str, str], folders: list[str]) -> Feed:
    name = name_of(says.get("text") or says.get("title", ""))
    categories = map(tag_of, re.split("[,/]", says.get("category", "")))
    ours = {
        "interval": outline.get(f"{{{_OURS}}}interval"),
        "full_text": outline.get(f"{{{_OURS}}}fullText"),
        "identity": outline.get(f"{{{_OURS}}}identity"),
    }
    return Feed.model_validate(
        {
            "url": says["xmlurl"],
            "name": name if name != says["xmlurl"] else None,
            "tags": [tag for tag in (*folders, *categories) if tag],
            "language": normalise_code(says.get("language")),
            **{field: value for field, value in ours.items() if value is not None},
        }
    )


def _reasons(error: ValidationError) -> Iterator[str]:
    names = {"url": "xmlUrl", "full_text": "fullText"}
    for fault in error.errors():
        field = str(fault["loc"][0])
        yield f"{names.get(field, field)}: {fault['msg'].removeprefix('Value error, ')}"


def _outline(feed: Feed) -> Any:
    outline = etree.Element("outline", nsmap={"policywire": _OURS})
    outline.set("type", "rss")  # whatever it is: the only type that the specification has
    outline.set("text", feed.name or feed.url)
    if feed.name:
        outline.set("title", feed.name)
    outline.set("xmlUrl", feed.url)
    if feed.tags:
        outline.set("category", ",".join(feed.tags))
    if feed.language:
        outline.set("language", feed.language)
    if feed.interval:
        outline.set(f"{{{_OURS}}}interval", write_span(feed.interval))
    if feed.full_text:
        outline.set(f"{{{_OURS}}}fullText", "true")
    if feed.identity:
        outline.set(f"{{{_OURS}}}identity", feed.identity)
    return outline


def _body(root: Any) -> Any:
    """The element that holds the outlines, made where there is none."""
    for child in root:
        if _local_name(child) == "body":
            return child
    return etree.SubElement(root, "body")


def _folder(body: Any, tags: tuple[str, ...]) -> Any:
    for outline in body:
        if _local_name(outline) == "outline":
            says = _attributes(outline)
            if "xmlurl" not in says and tag_of(says.get("text") or says.get("title", "")) in tags:
                return outline
    return body


def _append(parent: Any, outline: Any) -> None:
    """As the last child, indented like those before it."""
    depth = sum(1 for _ in parent.iterancestors()) + 1
    if len(parent):
        outline.tail, parent[-1].tail = parent[-1].tail, parent.text
    else:
        parent.text, outline.tail = "\n" + "  " * depth, "\n" + "  " * (depth - 1)
    parent.append(outline)


def _serialised(tree: Any) -> bytes:
    root = tree.getroot()
    before = reversed(list(root.itersiblings(preceding=True)))
    parts = [
        b'<?xml version="1.0" encoding="UTF-8"?>',
        tree.docinfo.doctype.encode(),
        # The library would write them on one line.
        *(etree.tostring(node, encoding="UTF-8") for node in (*before, root, *root.itersiblings())),
    ]
    return b"\n".join(part for part in parts if part) + b"\n"


def _replace(path: Path, content: bytes) -> None:
    path = path.resolve()  # what a link names, not the link
    with replacing(path) as aside:
        aside.write_bytes(content)
        if path.exists():
            shutil.copymode(path, aside)
