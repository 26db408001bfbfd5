"""Counts, shares and changes."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipeline.stats.counting import Count, Question, count, count_with_change
from pipeline.stats.facts import Held, Period, Selection
from pipeline.stats.pairs import Pair, pairs
from pipeline.stats.top import top_stories, top_terms
from tests.stats.telling import DAY, HOUR, NOON, InMemory, about, article

MIDNIGHT = NOON - 12 * HOUR
TOLD = InMemory(
    [
        article(1, "migration", "encryption", tags=("wire", "eu")),
        article(2, "migration", story=1, source="Le Journal", language="fr", url="http://j.fr/1"),
        article(3, about("migration", "mention"), published_at=NOON - DAY),
        article(4, "encryption", published_at=NOON - DAY, url=None, source="Agency"),
        article(5, themes=()),
    ],
    {
        (NOON, "The Gazette", "en"): 10,
        (NOON, "Le Journal", "fr"): 4,
        (NOON - DAY, "The Gazette", "en"): 5,
        (NOON - DAY, "Agency", "en"): 1,
    },
)


def figures(*by: Any, told: InMemory = TOLD, **more: Any) -> dict[Any, tuple[int, ...]]:
    found = count(told, Question(by, **more))
    return {one.key: (one.articles, one.stories, one.publishers, one.monitored) for one in found}


def test_copies_raise_the_number_of_articles_alone() -> None:
    assert figures("theme") == {("migration",): (3, 2, 2, 20), ("encryption",): (2, 2, 2, 20)}
    assert figures() == {(): (4, 3, 3, 20)}


def test_what_was_monitored_is_of_the_same_time_source_and_language() -> None:
    assert figures("language", "day") == {
        ("en", MIDNIGHT): (1, 1, 1, 10),
        ("fr", MIDNIGHT): (1, 1, 1, 4),
        ("en", MIDNIGHT - DAY): (2, 2, 2, 6),
    }
    assert figures(selection=Selection(sources=("Agency",))) == {(): (1, 1, 1, 1)}
    assert figures(selection=Selection(levels=("mention",))) == {(): (1, 1, 1, 20)}


def test_an_article_counts_for_each_of_its_tags_or_for_none() -> None:
    assert figures("tag") == {
        ("wire",): (1, 1, 1, 20),
        ("eu",): (1, 1, 1, 20),
        (None,): (3, 3, 3, 20),
    }
    assert figures(selection=Selection(tags=("eu", "us"))) == {(): (1, 1, 1, 20)}


def test_a_country_is_that_of_the_domain() -> None:
    assert figures("country") == {("fr",): (1, 1, 1, 20), (None,): (3, 3, 2, 20)}
    assert figures(selection=Selection(countries=("fr",))) == {(): (1, 1, 1, 20)}


@pytest.mark.parametrize(
    ("selection", "articles"),
    [
        (Selection(themes=("encryption",)), 2),
        (Selection(themes=("encryption", "migration")), 4),
        (Selection(languages=("fr",)), 1),
        (Selection(levels=("focus",), themes=("migration",)), 2),
        (Selection(sources=("nobody",)), 0),
    ],
)
def test_only_what_is_selected_is_counted(selection: Selection, articles: int) -> None:
    found = count(TOLD, Question(selection=selection))
    assert sum(one.articles for one in found) == articles


def test_days_are_those_of_the_zone() -> None:
    late = [article(1, published_at=datetime.fromisoformat("2026-11-23T23:30Z"))]
    told = InMemory(late, {(late[0].published_at, "The Gazette", "en"): 3})
    day = datetime(2026, 11, 24, tzinfo=ZoneInfo("Europe/Brussels"))
    assert figures("day", told=told, zone=day.tzinfo) == {(day,): (1, 1, 1, 3)}
    assert figures("day", told=told, zone=day.tzinfo, period=Period(day)) == {(day,): (1, 1, 1, 3)}
    assert figures("day", told=told, zone=day.tzinfo, period=Period(None, day)) == {}


def test_rows_stand_in_the_order_of_time_and_then_of_stories() -> None:
    found = count(TOLD, Question(("theme", "day")))
    assert [one.key for one in found] == [
        ("encryption", MIDNIGHT - DAY),
        ("migration", MIDNIGHT - DAY),
        ("migration", MIDNIGHT),
        ("encryption", MIDNIGHT),
    ]


def test_a_share_is_known_where_all_that_was_monitored_is() -> None:
    assert Count((), 1, 1, 1, 4).share == 0.25
    assert Count((), 1, 1, 1, 0).share is None
    assert Count((), 3, 1, 1, 2).share is None


def test_a_bucket_is_compared_with_the_one_before_it() -> None:
    question = Question(("day", "theme"), Period(MIDNIGHT))
    found = {one.key[1]: one.before for one in count_with_change(TOLD, question)}
    before = found["migration"]
    assert before
    assert before[:2] == (1, 6)
    assert before.change
    assert before.change.ratio == pytest.approx((1 / 14) / (1 / 6))
    assert count_with_change(TOLD, Question(("day",)))[0].before == (0, 0, None)


def test_a_period_is_compared_with_the_one_before_it_and_what_is_gone_is_shown() -> None:
    told = InMemory(
        [article(1), article(2, "encryption", published_at=NOON - DAY)],
        {(NOON, "The Gazette", "en"): 10, (NOON - DAY, "The Gazette", "en"): 20},
    )
    question = Question(("theme",), Period(MIDNIGHT, MIDNIGHT + DAY))
    now, gone = count_with_change(told, question)
    assert (now.key, now.stories, now.before and now.before.stories) == (("migration",), 1, 0)
    assert (gone.key, gone.stories, gone.monitored) == (("encryption",), 0, 10)
    assert gone.before
    assert gone.before[:2] == (1, 20)
    assert gone.before.change
    assert gone.before.change.ratio == 0


def test_without_a_beginning_there_is_no_time_before() -> None:
    with pytest.raises(ValueError, match="nothing before"):
        count_with_change(TOLD, Question(("theme",)))


def test_pairs_are_told_in_one_article_or_in_two_of_a_story() -> None:
    apart = InMemory(
        [article(1, "a", "b"), article(2, "a", story=9), article(3, "b", story=9), article(4, "c")],
        {(NOON, "The Gazette", "en"): 8},
    )
    assert pairs(apart, Question()) == [
        Pair("a", "b", 1, 2, 2, 2, 1.0, pytest.approx(1 / 3)),
        Pair("a", "c", 0, 0, 2, 1, 0.0, -1.0),
        Pair("b", "c", 0, 0, 2, 1, 0.0, -1.0),
    ]
    narrowed = pairs(apart, Question(selection=Selection(levels=("focus",))))
    assert [pair.npmi for pair in narrowed] == [None, None, None]


def test_what_most_sources_tell_comes_first() -> None:
    found = top_stories(TOLD, Question())
    assert [(one.title, one.sources, one.articles) for one in found] == [
        ("Headline 1", 2, 2),
        ("Headline 3", 1, 1),
        ("Headline 4", 1, 1),
    ]
    assert found[0].themes == ("encryption", "migration")


def test_terms_rise_against_the_weeks_before() -> None:
    past = [article(n, about("m", words="boats"), published_at=NOON - 9 * DAY) for n in range(40)]
    news = [article(n, about("m", words="Walls")) for n in range(100, 110)]
    found = top_terms(InMemory([*past, *news]), Question(period=Period(MIDNIGHT)))
    assert [(one.where, one.risen.term, one.risen.recent, one.risen.before) for one in found] == [
        ("evidence", "walls", 10, 0)
    ]
    with pytest.raises(ValueError, match="needs a beginning"):
        top_terms(TOLD, Question())


def test_what_is_held_is_what_was_told() -> None:
    held = Held(TOLD, Period(MIDNIGHT - DAY))
    for period in (Period(), Period(MIDNIGHT), Period(None, MIDNIGHT)):
        question = Question(("day", "theme"), period)
        assert count(held, question) == count(TOLD, question)
