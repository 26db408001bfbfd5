"""From an article to what travels on: language and source tell which rules are tried."""

from typing import Any

import pytest

from tests.articles import SEEN_AT, A
from tests.themes import query_theme, theme
from transforms.logic.classify import classify
from transforms.logic.language import LanguageDetector
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme
from transforms.records import Article, ClassifiedArticle, FreshArticle, Origin


def classified(one: Theme, **changes: Any) -> ClassifiedArticle:
    """A short article, classified by one theme."""
    values: dict[str, Any] = {
        "article_id": A,
        "url": None,
        "canonical_url": None,
        "guid": None,
        "title": "",
        "language": "en",
        "published_at": SEEN_AT,
        "published_from": "file",
        "published_raw": None,
        "updated_at": None,
        "seen_at": SEEN_AT,
        "source": "Paper",
        "authors": (),
        "origin": Origin(path="articles.jsonl"),
    }
    fresh = FreshArticle(article=Article(**(values | changes)), text_hash="", known=None)
    return classify(fresh, ThemeMatcher([one]), LanguageDetector())


@pytest.mark.parametrize(("language", "found"), [("de", 1), ("en", 0)])
def test_the_rules_are_those_of_the_language_it_states(language: str, found: int) -> None:
    one = theme(parts={"de": {"terms": {1: ["Asyl"]}}})
    done = classified(one, text="Asyl, asylum", language=language)
    assert (done.language, len(done.hits)) == (language, found)


def test_the_rules_are_those_of_the_language_that_is_found() -> None:
    one = theme(parts={"de": {"terms": {1: ["Bundesregierung"]}}, "en": {"terms": {1: ["und"]}}})
    text = "Die Bundesregierung hat gestern beschlossen, die Grenzen zu schließen, und zwar bald."
    done = classified(one, text=text, language=None)
    assert done.language == "de"
    assert [count.query for count in done.hits[0].queries] == ["de_bundesregierung"]


@pytest.mark.parametrize(("source", "found"), [("BBC News", 1), ("The Sun", 0)])
def test_the_source_is_told_to_queries(source: str, found: int) -> None:
    one = query_theme("asylum AND source:bbc")
    assert len(classified(one, text="Asylum", source=source).hits) == found
