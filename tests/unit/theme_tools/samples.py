"""Articles to try themes on, in tests."""

from datetime import UTC, datetime

from pipeline.themes.sample import SampleArticle
from transforms.logic.normalise import normalise
from transforms.records import Entry, Origin


def sample_article(text: str, title: str = "", language: str = "en") -> SampleArticle:
    """An article in a language."""
    entry = Entry(
        origin=Origin(path="x.jsonl"),
        seen_at=datetime(2026, 11, 24, tzinfo=UTC),
        title=title,
        text=text,
        source="The Paper",
    )
    return SampleArticle(normalise(entry), language)
