"""What identifies the entries of a feed: their links, else their guids, else their texts.

Each of them fails in some feeds. Links name a page that many entries stand on, or follow
the headline; guids hold the headline, the date or a session, or are the same everywhere.
One reading shows what entries share, the marks of the last one what has changed since.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from transforms.logic.dates import parse_date
from transforms.logic.urls import canonical_url, is_site_root
from transforms.records import Entry, Identity, Mark, Oddity, OddityCode

MOST_MARKS: Final = 1000
"""Entries that are remembered of a feed."""

_LEAST = 2  # entries that show something: one that is edited or broken proves nothing
_NEARLY_ALL = 0.9


class FoundIdentity(NamedTuple):
    """What identifies the entries of a feed, as one reading and the marks of the last show."""

    identity: Identity | None
    why: str
    trusts_guids: bool
    entries: tuple[Entry, ...]
    marks: tuple[Mark, ...]
    oddities: tuple[Oddity, ...]


def _mark_of(entry: Entry) -> Mark:
    link = canonical_url(entry.url, entry.base_url)
    raw = entry.published or entry.updated
    moment = parse_date(raw, entry.stated_language or entry.language) if raw else None
    return Mark(
        guid=_hash(_without_scheme(entry.guid)) if entry.guid else 0,
        link=_hash(_without_scheme(link)) if link and not is_site_root(link) else 0,
        text=_hash(f"{entry.title}\n{entry.text}") if entry.title or entry.text else 0,
        time=int(moment.timestamp()) if moment else None,
    )


def _without_scheme(link: str) -> str:
    """A site that moves to https has not changed its links."""
    return link.removeprefix("https://").removeprefix("http://").removeprefix("www.")


def _hash(what: str) -> int:
    digest = hashlib.blake2b(what.encode("utf-8", "replace"), digest_size=6).digest()
    return int.from_bytes(digest) or 1


def find_identity(
    entries: Sequence[Entry],
    known: Sequence[Mark] = (),
    recorded: Identity | None = None,
    trusts_guids: bool = True,
    fixed: bool = False,
    read_before: bool = True,
) -> FoundIdentity:
    """Find what identifies the entries of a feed, and mark each entry with it.

    It is the link unless most entries have none of their own; else the guid where nearly
    all have one of their own; else the text. What is recorded changes only where at least
    two entries, and most of those that can be compared with the last reading, show it to
    be unstable, or most share it; and only onward in this order, never back: so a feed
    changes its identity twice at most, and guids once distrusted stay so. An entry that
    lacks what identifies the others, or shares it with another one, is identified by the
    next that it has. Guids that tell nothing apart are left out of the entries.

    An entry is edited where the last reading had it with another text. One that is new
    in this feed is not, even if another feed had it before in other words.

    Args:
        known: The marks of the last reading.
        recorded: What the last reading found, or was set by hand.
        trusts_guids: Whether the last reading trusted the guids.
        fixed: Whether *recorded* is to stay, whatever is found.
        read_before: Whether the feed is followed; else nothing is known of edits.
    """
    marks = [*map(_mark_of, entries)]
    shared_links = _shared(entries, marks, lambda mark: mark.link)
    shared_guids = _shared(entries, marks, lambda mark: mark.guid)
    linkless = sum(not mark.link for mark in marks)
    same_link = sum(mark.link in shared_links for mark in marks)
    same_guid = sum(mark.guid in shared_guids for mark in marks)
    own_guid = sum(mark.guid != 0 for mark in marks) - same_guid
    links, guids = _changes(marks, known, trusts_guids)

    bad_guids = _most(same_guid, len(marks), "share their guid") or guids.unstable
    trusts_guids = (trusts_guids and not bad_guids) or (fixed and recorded == "guid")
    bad_links = links.unstable or _most(same_link, len(marks), "share their link")
    if recorded is None and not bad_links:
        bad_links = _most(linkless + same_link, len(marks), "have no link of their own")

    identity, why = recorded, "an earlier reading found it"
    if fixed and recorded:
        why = "it was set by hand"
    elif recorded is None and len(marks) < _LEAST:
        why = "there are too few entries to tell"
    elif recorded in (None, "link") and bad_links:
        if trusts_guids and own_guid >= _NEARLY_ALL * len(marks):
            identity, why = "guid", f"{bad_links}, and nearly all have a guid of their own"
        else:
            identity, why = "text", f"{bad_links}, and guids do not tell them apart either"
    elif recorded is None:
        identity, why = "link", "most entries have a link of their own"
    elif recorded == "guid" and bad_guids:
        identity, why = "text", bad_guids
    texts = _Texts(known) if read_before else None
    oddities: list[tuple[OddityCode, int]] = [
        ("guid_shared", same_guid),
        ("guid_changes", guids.changed),
        ("link_shared", same_link),
        ("link_missing", linkless),
        ("link_changes", links.changed),
    ]
    return FoundIdentity(
        identity,
        why,
        trusts_guids,
        tuple(
            _identified(
                entry,
                identity or "link",
                has_link=mark.link != 0 and mark.link not in shared_links,
                has_guid=trusts_guids and mark.guid != 0 and mark.guid not in shared_guids,
                texts=texts,
                mark=mark,
            )
            for entry, mark in zip(entries, marks, strict=True)
        ),
        tuple(marks),
        tuple(Oddity(code=code, entries=number) for code, number in oddities if number),
    )


def _most(number: int, of: int, what: str) -> str:
    """A sentence where *number* is enough to be sure, else none."""
    return f"{number} of {of} entries {what}" if number >= _LEAST and number * 2 > of else ""


class _Texts:
    """What the last reading said under each link and guid."""

    def __init__(self, known: Sequence[Mark]) -> None:
        self._links: defaultdict[int, set[int]] = defaultdict(set)
        self._guids: defaultdict[int, set[int]] = defaultdict(set)
        for mark in known:
            self._links[mark.link].add(mark.text)
            self._guids[mark.guid].add(mark.text)

    def differ(self, mark: Mark, *, has_link: bool, has_guid: bool) -> bool:
        """Whether it said something of this entry, and not this."""
        said = self._links.get(mark.link, set()) if has_link else set()
        said = said | (self._guids.get(mark.guid, set()) if has_guid else set())
        return bool(said) and mark.text not in said


def _identified(
    entry: Entry,
    identity: Identity,
    *,
    has_link: bool,
    has_guid: bool,
    texts: _Texts | None,
    mark: Mark,
) -> Entry:
    edited = None
    if texts is not None:
        edited = texts.differ(mark, has_link=has_link, has_guid=has_guid)
    if identity == "link" and not has_link:
        identity = "guid"
    if identity == "guid" and not has_guid:
        identity = "text"
    guid = entry.guid if has_guid else None
    return entry.model_copy(update={"identity": identity, "guid": guid, "edited": edited})


_Part = Callable[[Mark], int]


def _shared(entries: Sequence[Entry], marks: Sequence[Mark], part: _Part) -> set[int]:
    """What different entries have in common; versions of one entry may have it too.

    Versions have the same link, guid and title.
    """
    texts: defaultdict[int, set[int]] = defaultdict(set)
    names: defaultdict[int, set[tuple[int, int, str]]] = defaultdict(set)
    for entry, mark in zip(entries, marks, strict=True):
        if value := part(mark):
            texts[value].add(mark.text)
            names[value].add((mark.link, mark.guid, entry.title or str(mark.text)))
    return {value for value, found in texts.items() if len(found) > 1 < len(names[value])}


class _Changes(NamedTuple):
    """How many entries changed their link or guid, and a sentence if that shows something."""

    changed: int
    unstable: str


_Pair = tuple[Mark, Mark]


def _changes(
    marks: Sequence[Mark], known: Sequence[Mark], trusts_guids: bool
) -> tuple[_Changes, _Changes]:
    """How links, and how guids, have changed since the last reading."""
    same_text = list(_pairs(marks, known, lambda mark: mark.text))
    same_link = _pairs(marks, known, lambda mark: mark.link)
    same_guid = _pairs(marks, known, lambda mark: mark.guid)

    kept = [(new, old) for new, old in same_text if new.guid and old.guid]
    # An entry under the same link with another text may be another one: its date tells.
    edited = [
        (new, old)
        for new, old in same_link
        if new.guid and old.guid and new.text != old.text and _same_time(new, old)
    ]
    guids = _judged("guid", lambda mark: mark.guid, kept, edited)

    stable = sum(new.guid == old.guid for new, old in kept)
    vouched = bool(_most(stable, len(kept), ""))
    kept = [(new, old) for new, old in same_text if new.link and old.link]
    edited = [
        (new, old)
        for new, old in same_guid
        if new.link and old.link and new.text != old.text and (vouched or _same_time(new, old))
    ]
    # Guids that number the places of a feed are found again over other entries.
    if not trusts_guids or guids.unstable:
        edited = []
    links = _judged("link", lambda mark: mark.link, kept, edited)
    return links, guids


def _judged(name: str, part: _Part, *evidence: Sequence[_Pair]) -> _Changes:
    changed = [sum(part(new) != part(old) for new, old in pairs) for pairs in evidence]
    kinds = ("with the same text", "that were edited")
    sentences = (
        _most(number, len(pairs), f"{kind} changed their {name}")
        for number, pairs, kind in zip(changed, evidence, kinds, strict=True)
    )
    return _Changes(sum(changed), next(filter(None, sentences), ""))


def _pairs(marks: Sequence[Mark], known: Sequence[Mark], part: _Part) -> Iterator[_Pair]:
    """Each mark with the known one that has the same part, where just one has it in both."""
    before = _by(part, known)
    for value, mark in _by(part, marks).items():
        if value in before:
            yield mark, before[value]


def _by(part: _Part, marks: Sequence[Mark]) -> dict[int, Mark]:
    count = Counter(map(part, marks))
    return {value: mark for mark in marks if (value := part(mark)) and count[value] == 1}


def _same_time(new: Mark, old: Mark) -> bool:
    return new.time is not None and new.time == old.time
