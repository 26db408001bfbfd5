"""Whatever a server sends, reading it ends, and each entry is accounted for."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.articles import SEEN_AT
from tests.feeds.test_corpus import FEEDS, PLACE
from transforms.errors import Reason, RecordError
from transforms.logic.documents import FieldNames, parse_document
from transforms.logic.feeds import read_feed, versions_of
from transforms.logic.normalise import normalise
from transforms.records import FeedContext, Mark, Origin, RawDocument

PAYLOADS = [path.read_bytes() for path in FEEDS]
MARKUP = [
    *(b"<item>", b"</item>", b"<entry>", b"</entry>", b"<![CDATA[", b"]]>", b"<!--", b"-->"),
    *(b"<title>", b"</title>", b"<link/>", b"<guid>", b"&#0;", b"&x;", b"\0", b"\xff", b"{", b'"'),
    *(b"<media:description>", b"</channel>", b"<feed xmlns='http://www.w3.org/2005/Atom'>"),
    *(b"<skipHours><hour>99</hour>", b"<ttl>-1</ttl>", b"http://[", b"<?xml encoding='x'?>"),
]
SMALL = st.integers(0, 3)
MARKS = st.builds(Mark, guid=SMALL, link=SMALL, text=SMALL, time=st.none() | SMALL)


@st.composite
def mutated(draw: Any) -> bytes:
    """A feed of the corpus, cut up, put together anew and with strange things in it."""
    payload = bytearray(draw(st.sampled_from(PAYLOADS)))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(payload)))
        end = draw(st.integers(at, min(at + 200, len(payload))))
        payload[at:end] = draw(
            st.sampled_from(MARKUP) | st.binary(max_size=8) | st.just(bytes(payload[at:end]) * 2)
        )
    return bytes(payload)


def check(payload: bytes, known: tuple[Mark, ...], encoding: str | None) -> None:
    document = RawDocument(
        origin=Origin(path="x"),
        format="feed",
        payload=payload,
        encoding=encoding,
        seen_at=SEEN_AT,
        feed=FeedContext(url=PLACE, base_url=PLACE, known=known),
    )
    entries, reading = read_feed(document)
    assert reading.entries == len(entries)
    numbers = [entry.origin.entry for entry in entries]
    assert numbers == sorted(set(numbers))
    assert len(reading.marks) == len(entries)
    assert len(list(versions_of(entries))) == len(entries)
    assert entries or reading.error
    yielded, error = _until_error(parse_document(document, FieldNames()))
    assert (yielded, error) == (reading.entries, reading.error)
    for entry in entries:
        _, error = _until_error(map(normalise, [entry]))
        assert error is None or error[0] is Reason.NO_ARTICLE


def _until_error(results: Iterator[object]) -> tuple[int, tuple[Reason, str] | None]:
    """How many there are, and the dead letter that they end in."""
    number = 0
    try:
        for _ in results:
            number += 1
    except RecordError as error:
        return number, (error.reason, error.detail)
    return number, None


@given(st.binary(max_size=300), st.lists(MARKS, max_size=4).map(tuple))
def test_any_bytes(payload: bytes, known: tuple[Mark, ...]) -> None:
    check(payload, known, None)


@settings(max_examples=300, deadline=None)
@given(mutated(), st.sampled_from([None, "utf-8", "windows-1252", "utf-16", "nonsense"]))
def test_any_feed_that_was_broken_on_its_way(payload: bytes, encoding: str | None) -> None:
    check(payload, (), encoding)
