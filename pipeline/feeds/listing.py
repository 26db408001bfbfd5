"""Which feeds there are: those of a configuration, of OPML files and of a command line, joined."""

import re
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import TypeVar

from pipeline.feeds.model import (
    Feed,
    FeedChoice,
    FeedList,
    OpmlChoice,
    checked_url,
    url_key,
)
from pipeline.feeds.opml import MOST_BYTES, is_opml, read_opml
from transforms.errors import ConfigError

ReadUrl = Callable[[str], bytes]
"""Gives what stands at an URL; raises OSError where it cannot be had."""

_T = TypeVar("_T")

_COMMENT = re.compile(r"(?:^|\s)#.*")


def load_feeds(
    choices: Iterable[FeedChoice | OpmlChoice], base: Path, read_url: ReadUrl | None = None
) -> FeedList:
    """The feeds that a configuration in the folder *base* chooses, each once.

    A list at an URL costs only itself where it cannot be had or read; without
    *read_url* it is left out. Both are told as problems.

    Raises:
        ConfigError: OPML files that cannot be read, all of them.
    """
    return _load(choices, lambda choice: _chosen(choice, base, read_url))


def load_named_feeds(names: Iterable[str]) -> FeedList:
    """The feeds that a command line names, each once: URLs, OPML files, lists of URLs.

    A list has an URL a line; what follows a '#' at the beginning of a line or after a
    space is a comment. What stands at an URL is taken for a feed: whether it is OPML
    shows when it is fetched.

    Raises:
        ConfigError: URLs and files that cannot be used, all of them.
    """
    return _load(names, _named)


def merge(feeds: Iterable[Feed]) -> tuple[Feed, ...]:
    """*feeds* in their order, all mentions of one URL joined in the place of the first.

    What the configuration itself says of a feed goes before what lists say, the
    earlier before the later; the tags are united. URLs that differ only in their
    spelling are one.
    """
    merged: dict[str, Feed] = {}
    for feed in feeds:
        key = url_key(feed.url)
        merged[key] = _joined(merged[key], feed) if key in merged else feed
    return tuple(merged.values())


def _joined(first: Feed, later: Feed) -> Feed:
    if later.expands and not first.expands:
        first, later = later, first
    said = first.model_dump(exclude_defaults=True)
    # A feed is asked in one way, not with the headers of one mention and the user of another.
    asked = {"headers", "basic_auth"} if said.keys() & {"headers", "basic_auth"} else set()
    added = later.model_dump(exclude_defaults=True, exclude=asked)
    return Feed(**(added | said | {"tags": first.tags + later.tags}))


def _load(named: Iterable[_T], read: Callable[[_T], FeedList]) -> FeedList:
    lists: list[FeedList] = []
    faults: list[str] = []
    for one in named:
        try:
            lists.append(read(one))
        except ConfigError as error:
            faults += error.problems
    if faults:
        raise ConfigError(*faults)
    return FeedList(
        merge(chain.from_iterable(found.feeds for found in lists)),
        tuple(chain.from_iterable(found.problems for found in lists)),
    )


def _chosen(choice: FeedChoice | OpmlChoice, base: Path, read_url: ReadUrl | None) -> FeedList:
    if isinstance(choice, FeedChoice):
        return FeedList((Feed(**choice.model_dump(), expands=True),), ())
    if choice.is_remote:
        found = _at_url(choice.opml, read_url)
    else:
        path = base / choice.opml
        found = read_opml(_content(path), str(path))
    feeds = (
        feed.model_copy(update={"tags": tuple(sorted({*feed.tags, *choice.tags}))})
        for feed in found.feeds
    )
    return FeedList(tuple(feeds), found.problems)


def _at_url(url: str, read_url: ReadUrl | None) -> FeedList:
    if read_url is None:
        return FeedList((), (f"{url}: not asked for its feeds",))
    try:
        return read_opml(read_url(url), url)
    except OSError as error:
        return FeedList((), (f"{url}: {error.strerror or error}",))
    except ConfigError as error:
        return FeedList((), error.problems)


def _named(name: str) -> FeedList:
    if "://" in name:
        try:
            return FeedList((Feed(url=checked_url(name.strip())),), ())
        except ValueError as error:
            raise ConfigError(str(error)) from error
    content = _content(Path(name))
    return read_opml(content, name) if is_opml(content) else _url_list(content, name)


def _url_list(content: bytes, name: str) -> FeedList:
    feeds: list[Feed] = []
    problems: list[str] = []
    for number, line in enumerate(content.decode("utf-8-sig", "replace").splitlines(), 1):
        if url := _COMMENT.sub("", line).strip():
            try:
                feeds.append(Feed(url=checked_url(url)))
            except ValueError as error:
                problems.append(f"{name}:{number}: {error}")
    if problems and not feeds:
        raise ConfigError(f"{name}: neither OPML nor a list of URLs, one a line", problems[0])
    return FeedList(tuple(feeds), tuple(problems))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path}: larger than {MOST_BYTES:,} bytes")
    return content
