"""Feeds in the shapes that publishers give them, and what a careful person reads in them.

Each file of the corpus has its expectation beside it: `NAME.expected.json`.
"""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from tests.articles import SEEN_AT
from transforms.errors import Reason
from transforms.logic.feeds import read_feed
from transforms.logic.normalise import normalise
from transforms.records import (
    Article,
    FeedContext,
    FeedReading,
    Identity,
    OddityCode,
    Origin,
    RawDocument,
)

CORPUS = Path(__file__).parent / "corpus"
SUFFIX = ".expected.json"
FEEDS = sorted(path for path in CORPUS.iterdir() if not path.name.endswith(SUFFIX))
PLACE = "https://fetched.example/feeds/"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ExpectedEntry(Strict):
    """`text` is how the text begins; empty where there is none."""

    title: str
    text: str
    link: str | None
    guid: str | None
    published: str | None
    source: str
    language: str | None


class ExpectedReading(Strict):
    format: str
    title: str
    identity: Identity | None
    error: Reason | None
    oddities: set[OddityCode]
    ttl_minutes: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()


class Expected(Strict):
    """`header` is the encoding that the server declares."""

    header: str | None = None
    reading: ExpectedReading
    entries: list[ExpectedEntry]


def expected(path: Path) -> Expected:
    return Expected.model_validate_json((CORPUS / f"{path.name}{SUFFIX}").read_bytes())


def document(path: Path, header: str | None = None, **known: Any) -> RawDocument:
    return RawDocument(
        origin=Origin(path=path.name),
        format="feed",
        payload=path.read_bytes(),
        encoding=header,
        seen_at=SEEN_AT,
        feed=FeedContext(url=PLACE + path.name, base_url=PLACE + path.name, **known),
    )


def test_the_corpus_is_complete() -> None:
    names = {path.name for path in FEEDS}
    with_expectation = {
        path.name.removesuffix(SUFFIX) for path in CORPUS.iterdir() if path.name.endswith(SUFFIX)
    }
    assert names == with_expectation
    assert len(names) >= 60


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.name)
def test_a_feed_says_what_a_careful_person_reads_in_it(path: Path) -> None:
    wanted = expected(path)
    entries, reading = read_feed(document(path, wanted.header))
    articles = [*map(normalise, entries)]
    texts = [entry.text for entry in wanted.entries]
    begin = [said(one, text) for one, text in zip(articles, texts, strict=False)]
    assert begin == wanted.entries
    assert len(articles) == reading.entries == len(wanted.entries)
    assert facts(reading) == wanted.reading


def said(article: Article, text: str) -> ExpectedEntry:
    return ExpectedEntry(
        title=article.title,
        text=article.text[: len(text)] if text else article.text,
        link=article.canonical_url,
        guid=article.guid,
        published=(
            None
            if article.published_from == "reading"
            else article.published_at.isoformat().replace("+00:00", "Z")
        ),
        source=article.source,
        language=article.language or article.language_hint,
    )


def facts(reading: FeedReading) -> ExpectedReading:
    return ExpectedReading(
        format=reading.format,
        title=reading.title,
        identity=reading.identity,
        error=reading.error[0] if reading.error else None,
        oddities={oddity.code for oddity in reading.oddities},
        ttl_minutes=reading.ttl_minutes,
        skip_hours=reading.skip_hours,
        skip_days=reading.skip_days,
    )
