"""From entries to articles."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import Reason, RecordError
from transforms.logic.language import LanguageDetector, language_of
from transforms.logic.normalise import normalise
from transforms.records import Article, Entry, Origin

SEEN = datetime(2026, 11, 24, tzinfo=UTC)
DETECTOR = LanguageDetector()
WORDS = st.text(st.characters(exclude_categories=["Cs"]))


def article(**said: Any) -> Article:
    entry = {
        "origin": Origin(path="in/wire.jsonl"),
        "seen_at": SEEN,
        "title": "T",
        "language": "en",
    }
    return normalise(Entry(**{**entry, **said}))


@given(WORDS.filter(lambda title: bool(title.strip())), WORDS)
def test_a_clean_article_stays_as_it_is(title: str, text: str) -> None:
    try:
        once = article(title=title, text=text, markup="plain")
    except RecordError:  # nothing but characters that are taken out
        return
    assert article(title=once.title, text=once.text, markup="plain") == once


def test_neither_title_nor_text_is_no_article() -> None:
    with pytest.raises(RecordError) as caught:
        article(title=" ", text="<p></p>")
    assert caught.value.reason is Reason.NO_ARTICLE


@pytest.mark.parametrize(
    ("said", "published_at", "published_from"),
    [
        ({"published": "2026-11-20"}, SEEN - timedelta(days=4), "file"),
        ({"published": "1970-01-01", "updated": "2026-11-23"}, SEEN - timedelta(days=1), "file"),
        ({"published": "2027-11-20"}, SEEN, "reading"),
        ({}, SEEN, "reading"),
    ],
)
def test_date(said: dict[str, str], published_at: datetime, published_from: str) -> None:
    found = article(**said)
    assert (found.published_at, found.published_from) == (published_at, published_from)


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ({"source": " The\nWire ", "url": "https://x.org/a"}, "The Wire"),
        ({"url": "https://www.x.org/a"}, "x.org"),
        ({}, "wire"),
    ],
)
def test_source(said: dict[str, str], source: str) -> None:
    assert article(**said).source == source


def test_a_record_knows_its_language_better_than_the_detector() -> None:
    text = "Les ministres se sont réunis mardi pour discuter de la loi sur l'asile."
    assert language_of(article(text=text, language="en-GB"), DETECTOR) == "en"


def test_a_feed_does_not() -> None:
    text = "Les ministres se sont réunis mardi pour discuter de la loi sur l'asile."
    assert language_of(article(text=text, language="en-GB", date_from="feed"), DETECTOR) == "fr"
