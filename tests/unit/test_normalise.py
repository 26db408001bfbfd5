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


@pytest.mark.parametrize(
    ("title", "markup", "cleaned"),
    [
        ("Tom &amp; <b>Ana</b>", "unknown", "Tom & Ana"),
        ("Tom &amp; <b>Ana</b>", "plain", "Tom &amp; <b>Ana</b>"),
        ("A door for <one> is a door for all", "html", "A door for <one> is a door for all"),
        ("&lt;em&gt;Quietly&lt;/em&gt; shelved", "html", "Quietly shelved"),
        ("What &lt;b&gt; is for", "html", "What <b> is for"),
        ("<i>What</i> &lt;i&gt;it&lt;/i&gt; is", "html", "What <i>it</i> is"),
    ],
)
def test_markup_in_a_title(title: str, markup: str, cleaned: str) -> None:
    assert article(title=title, text="<p>Text</p>", markup=markup).title == cleaned


def test_what_the_configuration_states_comes_before_what_a_feed_declares() -> None:
    found = article(language="en", stated_language="pl", date_from="feed")
    assert (found.language, found.language_hint) == ("pl", None)


def test_a_record_knows_its_language_better_than_the_detector() -> None:
    text = "Les ministres se sont réunis mardi pour discuter de la loi sur l'asile."
    assert language_of(article(text=text, language="en-GB"), DETECTOR) == "en"


def test_a_feed_does_not() -> None:
    text = "Les ministres se sont réunis mardi pour discuter de la loi sur l'asile."
    assert language_of(article(text=text, language="en-GB", date_from="feed"), DETECTOR) == "fr"
