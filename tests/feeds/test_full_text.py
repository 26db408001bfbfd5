"""Feeds whose articles are taken from the pages that they link to."""

from typing import Any

import pytest

from tests.articles import SEEN_AT
from tests.feeds.publisher import URL, Item, document, rss
from tests.themes import theme
from transforms.logic.classify import classify
from transforms.logic.feeds import read_feed, versions_of
from transforms.logic.identity import short_hash, text_hash
from transforms.logic.language import LanguageDetector
from transforms.logic.normalise import normalise
from transforms.logic.seen import fresh
from transforms.logic.stories import outline
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.versions import frame_of, newest
from transforms.records import Article, ClassifiedArticle, Entry, FeedContext, KnownArticle, Page

LINK = "https://paper.example/1"
ITEM = Item("Court rules on asylum", link=LINK, text="The court ruled on Monday.")
BODY = " ".join(["The judges spoke at length about asylum and the border."] * 8)
PAGE = Page(
    url=LINK,
    payload=f"<html><title>x</title><body><article><p>{BODY}</p></article></body></html>".encode(),
)
GONE = Page(url=LINK, error="the server said 404")


def entry(
    item: Item = ITEM, *pages: Page, full_text: bool = True, before: Item | None = None
) -> Entry:
    """The entry of a feed that had *before* in its place when it was read last."""
    context = FeedContext(url=URL, base_url=URL, full_text=full_text, pages=pages)
    if before is not None:
        marks = read_feed(document(rss([before]), context))[1].marks
        context = context.model_copy(update={"known": marks})
    (found,), _ = read_feed(document(rss([item]), context))
    return found


def article(
    item: Item = ITEM, *pages: Page, full_text: bool = True, before: Item | None = None
) -> Article:
    return normalise(entry(item, *pages, full_text=full_text, before=before))


def classified(found: Article) -> ClassifiedArticle:
    seen = fresh(found, None, "")
    assert seen is not None
    return classify(seen, ThemeMatcher([theme("asylum")]), LanguageDetector())


def known(found: Article, **changes: Any) -> KnownArticle:
    values = {
        "article_id": found.article_id,
        "text_hash": short_hash(classified(found).version),
        "published_at": found.published_at,
        "published_from": found.published_from,
        "last_seen_at": SEEN_AT,
        "levels": {"asylum": "focus"},
        "story_id": "story",
        "themes": "themes",
    }
    return KnownArticle.model_validate(values | changes)


def test_the_text_is_that_of_the_page() -> None:
    found = article(ITEM, PAGE)
    assert (found.title, found.text, found.full_text) == (ITEM.title, BODY, "page")
    assert classified(found).text_hash == text_hash(found.title, found.text)


@pytest.mark.parametrize(
    "page",
    [
        GONE,
        Page(url=LINK, payload=b"<html><body><nav>Menu</nav></body></html>"),
        Page(url="https://paper.example/2", payload=PAGE.payload),
    ],
)
def test_where_there_is_no_page_the_text_is_that_of_the_feed(page: Page) -> None:
    found = article(ITEM, page)
    assert (found.text, found.full_text) == (ITEM.text, "failed")


def test_a_page_that_says_less_than_the_feed_is_not_taken() -> None:
    found = article(ITEM._replace(text=BODY * 2), PAGE)
    assert (found.text, found.full_text) == (BODY * 2, None)


def test_an_entry_without_link_wants_no_page() -> None:
    assert article(ITEM._replace(link=None), PAGE).full_text is None


def test_pages_that_are_not_about_one_entry_are_not_taken() -> None:
    front = "https://paper.example/"
    live = [Item(f"At {hour}", link=f"{LINK}#{hour}", guid=f"live-{hour}") for hour in (9, 10)]
    items = [Item("Front", link=front), *live]
    context = FeedContext(
        url=URL, base_url=URL, full_text=True, pages=(PAGE, Page(url=front, payload=PAGE.payload))
    )
    entries, _ = read_feed(document(rss(items), context))
    assert [entry.full_text for entry in entries] == [None] * 3
    assert [version.link for version in versions_of(entries)] == [None] * 3


def test_what_the_feed_leaves_out_is_taken_from_the_page() -> None:
    head = (
        '<meta property="article:published_time" content="2026-11-20T08:00:00Z">'
        "<title>The title of the page</title>"
    )
    page = Page(url=LINK, payload=(PAGE.payload or b"").replace(b"<title>x</title>", head.encode()))
    found = article(Item("", link=LINK, date=""), page)
    assert (found.published_from, found.published_at.day) == ("page", 20)
    assert found.title == "The title of the page"


@pytest.mark.parametrize("link", [LINK, None])
def test_identity_and_version_are_those_of_the_entry(link: str | None) -> None:
    item = ITEM._replace(link=link)
    plain = article(item, full_text=False)
    for found in (article(item, PAGE), article(item, GONE), article(item)):
        assert found.article_id == plain.article_id
        assert classified(found).version == classified(plain).text_hash
    (version,), (same,) = versions_of([entry(item)]), versions_of([entry(item, PAGE)])
    assert version == same
    assert version == (plain.article_id, short_hash(classified(plain).text_hash), link)


@pytest.mark.parametrize("now", [article(), article(ITEM, PAGE), article(ITEM, GONE)])
@pytest.mark.parametrize("before", [article(ITEM, PAGE), article(ITEM, GONE)])
def test_an_unchanged_entry_has_been_seen_with_and_without_its_page(
    before: Article, now: Article
) -> None:
    assert fresh(now, known(before), "themes") is None


def test_a_changed_entry_with_its_page_is_a_new_version() -> None:
    changed = article(ITEM._replace(text="The court ruled on Tuesday."), PAGE, before=ITEM)
    found = fresh(changed, known(article(ITEM, PAGE)), "themes")
    assert found is not None
    assert found.article.text == BODY


def test_a_changed_entry_without_its_page_waits_so_that_no_theme_is_lost() -> None:
    changed = article(ITEM._replace(title="Court rules"), GONE, before=ITEM)
    assert fresh(changed, known(article(ITEM, PAGE)), "themes") is None
    without_theme = known(article(ITEM, PAGE), levels={})
    assert fresh(changed, without_theme, "themes") is not None


def test_new_themes_are_looked_for_in_the_page_alone() -> None:
    before = known(article(ITEM, PAGE))
    assert fresh(article(ITEM, PAGE), before, "new themes") is not None
    assert fresh(article(), before, "new themes") is None


def test_what_the_ledger_is_told_is_the_version() -> None:
    with_page, own = classified(article(ITEM, PAGE)), classified(article(full_text=False))
    assert with_page.text_hash != own.text_hash
    assert outline(with_page).text_hash == outline(own).text_hash
    _, frame = frame_of(with_page.model_copy(update={"hits": ()}))
    (plain,) = newest([frame]).plain
    assert plain.text_hash == short_hash(own.text_hash)


def test_what_another_feed_says_in_other_words_is_no_edit() -> None:
    """Else an article would go back and forth between two feeds, and its themes with it."""
    before = known(article(full_text=False))
    shorter = ITEM._replace(text="The court ruled.")
    assert fresh(article(shorter, full_text=False), before, "themes") is None
    assert fresh(article(shorter, full_text=False, before=shorter), before, "themes") is None
    edited = article(shorter, full_text=False, before=ITEM)
    assert fresh(edited, before, "themes") is not None
    assert fresh(article(shorter, full_text=False), None, "themes") is not None
