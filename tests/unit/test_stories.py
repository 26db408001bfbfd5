"""Copies become one story, in one run and over many, and a story one alert a theme."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.articles import SEEN_AT, A, B, C, D, classified, hit, known, told
from tests.memory_ledger import MemoryLedger
from transforms.logic.copies import connect, exact_keys
from transforms.logic.identity import short_hash
from transforms.logic.outlines import all_keys
from transforms.logic.stories import (
    ThemeFacts,
    alert_change,
    alerts_of,
    form_stories,
    outline,
    tell_story,
    told_change,
)
from transforms.records import Alert, ClassifiedArticle, CodeSet, SeenArticles, ToldArticle

THEMES = {
    name: ThemeFacts("v1", {"gdelt": CodeSet(version="2.1", codes=(name.upper(),))})
    for name in ("encryption", "migration")
}
TEXT = " ".join(f"word{number}" for number in range(120))
EDITED = TEXT.replace("word60", "other")


def raised(*articles: ClassifiedArticle) -> list[Alert]:
    """What the articles of one story raise together, by theme."""
    alerts = [alert for one in told(*articles) for alert in alerts_of(one, THEMES, timedelta(7))]
    return sorted(alerts, key=lambda alert: alert.theme)


def do_run(ledger: MemoryLedger, *articles: ClassifiedArticle) -> list[Alert]:
    """One run over articles that *ledger* does not hold as they are; by article and theme."""
    before = ledger.known_articles([article.article_id for article in articles])
    now = [a.model_copy(update={"known": before.get(a.article_id)}) for a in articles]
    outlines = [outline(article) for article in now if article.counts_for_stories]
    candidates = ledger.candidates([key for one in outlines for key in all_keys(one)])
    ids = {one.story_id for one in candidates}
    ids |= {one.known.story_id for one in outlines if one.known and one.known.story_id}
    stories = form_stories(outlines, candidates, ledger.stories(sorted(ids)), 0.8)
    by_article = {one.article_id: story for story in stories for one in story.articles}
    tellings = [
        ToldArticle(article=article, story=by_article[article.article_id])
        for article in now
        if article.counts_for_stories
    ]
    alerts = [alert for one in tellings for alert in alerts_of(one, THEMES, timedelta(7))]
    ledger.apply(
        [
            *(
                SeenArticles(
                    seen_at=SEEN_AT,
                    article_ids=(article.article_id,),
                    text_hashes=(short_hash(article.text_hash),),
                    published=(int(article.published_at.timestamp()),),
                    published_from=(article.published_from,),
                )
                for article in now
                if not article.counts_for_stories
            ),
            *(told_change(one, "themes", SEEN_AT) for one in tellings),
            *(alert_change(alert) for alert in alerts),
        ]
    )
    return sorted(alerts, key=lambda alert: (alert.article.article_id, alert.theme))


def said(alerts: Sequence[Alert]) -> list[tuple[str, str, str]]:
    return [(alert.kind, alert.theme, alert.article.article_id) for alert in alerts]


def test_copies_share_their_guid_or_their_text() -> None:
    keys = set(exact_keys(classified(A, guid="7")))
    assert keys & set(exact_keys(classified(B, guid="7")))
    assert set(exact_keys(classified(A, text=TEXT))) & set(exact_keys(classified(B, text=TEXT)))
    assert not keys & set(exact_keys(classified(B, guid="8")))


def test_a_short_guid_means_nothing_outside_its_source() -> None:
    keys = set(exact_keys(classified(A, guid="7")))
    assert not keys & set(exact_keys(classified(B, guid="7", source="Courier")))


def test_copies_of_copies_are_connected() -> None:
    assert connect([("c", "b"), ("a", "b"), ("x", "y")]) == {
        "a": "a", "b": "a", "c": "a", "x": "x", "y": "x",
    }  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"))), st.randoms())
def test_connecting_does_not_depend_on_the_order(
    pairs: list[tuple[str, str]], random: object
) -> None:
    shuffled = [(right, left) for left, right in pairs]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert connect(shuffled) == connect(pairs)


def test_near_copies_are_one_story() -> None:
    outlines = [
        outline(classified(A, text=TEXT)),
        outline(classified(B, text=EDITED)),
        outline(classified(C)),
    ]
    stories = form_stories(outlines, (), {}, 0.8)
    members = sorted([one.article_id for one in story.articles] for story in stories)
    assert members == [[A, B], [C]]
    assert form_stories(outlines[::-1], (), {}, 0.8) == stories


def test_the_earliest_article_leads_and_ties_go_by_id() -> None:
    late = classified(A, published_at=SEEN_AT)
    story = tell_story(map(outline, [late, classified(C), classified(B)]))
    assert [article.article_id for article in story.articles] == [B, C, A]


def test_an_undated_article_leads_only_where_none_is_dated() -> None:
    undated = classified(A, published_from="reading", published_at=SEEN_AT - timedelta(days=99))
    assert tell_story(map(outline, [undated, classified(B)])).lead.article_id == B
    assert tell_story([outline(undated)]).lead.article_id == A


def test_a_story_raises_one_alert_a_theme_at_its_highest_level() -> None:
    first = classified(A, hits=(hit(level="mention"), hit("encryption")))
    second = classified(B, source="Courier")
    alerts = raised(second, first)
    assert [(a.theme, a.level, a.article.article_id) for a in alerts] == [
        ("encryption", "focus", A),
        ("migration", "focus", B),
    ]
    assert alerts[0].story.sources == ("Courier", "Paper")
    assert alerts[0].codes == {"gdelt": CodeSet(version="2.1", codes=("ENCRYPTION",))}


def test_ids_are_stable_and_tell_themes_apart() -> None:
    both = classified(A, hits=(hit("encryption"), hit()))
    first, second = raised(both)
    assert first.alert_id != second.alert_id
    assert raised(both)[0].alert_id == first.alert_id


@pytest.mark.parametrize(
    ("age", "backfill"), [(timedelta(days=6), False), (timedelta(days=8), True)]
)
def test_what_was_old_when_first_seen_is_backfill(age: timedelta, backfill: bool) -> None:
    (alert,) = raised(classified(published_at=SEEN_AT - age))
    assert alert.backfill is backfill


def test_a_copy_in_a_later_run_raises_no_alert_but_the_counts() -> None:
    ledger = MemoryLedger()
    (alert,) = do_run(ledger, classified(A, text=TEXT))
    assert do_run(ledger, classified(B, text=EDITED, source="Courier")) == []
    (story,) = ledger.stories([alert.story.story_id]).values()
    assert [one.source for one in story.articles] == ["Paper", "Courier"]


def test_a_story_keeps_the_id_that_it_was_first_given() -> None:
    ledger = MemoryLedger()
    (alert,) = do_run(ledger, classified(B, text=TEXT))
    do_run(ledger, classified(A, text=TEXT, published_at=SEEN_AT - timedelta(days=3)))
    assert {told.story_id for told in ledger.told.values()} == {alert.story.story_id}


def test_a_bridge_joins_the_older_story_and_takes_nothing_back() -> None:
    words = TEXT.split()
    left, right = " ".join(words[:100]), " ".join(words[12:112])
    ledger = MemoryLedger()
    (older,) = do_run(ledger, classified(B, text=left))
    (younger,) = do_run(ledger, classified(C, text=right))
    assert older.story.story_id != younger.story.story_id
    assert do_run(ledger, classified(A, text=" ".join(words[6:106]))) == []
    assert ledger.told[A].story_id == older.story.story_id


def test_an_edit_that_changes_no_theme_says_nothing() -> None:
    ledger = MemoryLedger()
    do_run(ledger, classified(A, text=TEXT))
    assert do_run(ledger, classified(A, text=EDITED)) == []


def test_an_edit_that_gains_a_theme_is_an_update_that_refers_to_the_alert() -> None:
    ledger = MemoryLedger()
    (first,) = do_run(ledger, classified(A, text=TEXT))
    edited = classified(A, text=EDITED, hits=(hit("encryption"), hit()))
    (update,) = do_run(ledger, edited)
    assert (update.kind, update.theme, update.change) == ("update", "encryption", "gained_theme")
    assert (update.cause, update.refers_to) == ("text_edited", first.alert_id)


def test_a_first_theme_after_an_edit_is_an_alert() -> None:
    ledger = MemoryLedger()
    do_run(ledger, classified(A, text=TEXT, hits=()))
    assert said(do_run(ledger, classified(A, text=EDITED))) == [("alert", "migration", A)]


def test_an_edit_from_mention_to_focus_is_an_update_and_back_says_nothing() -> None:
    ledger = MemoryLedger()
    (first,) = do_run(ledger, classified(A, text=TEXT, hits=(hit(level="mention"),)))
    (update,) = do_run(ledger, classified(A, text=EDITED))
    assert (update.kind, update.change) == ("update", "rose_to_focus")
    assert (update.refers_to, update.level) == (first.alert_id, "focus")
    assert update.alert_id != first.alert_id
    assert do_run(ledger, classified(A, text=TEXT, hits=(hit(level="mention"),))) == []


def test_an_edit_that_removes_the_ground_cancels_the_alert() -> None:
    ledger = MemoryLedger()
    (first,) = do_run(ledger, classified(A, text=TEXT))
    (cancel,) = do_run(ledger, classified(A, text=EDITED, hits=()))
    assert (cancel.kind, cancel.change) == ("cancel", "lost_ground")
    assert (cancel.refers_to, cancel.level, cancel.evidence) == (first.alert_id, "focus", ())
    (again,) = do_run(ledger, classified(A, text=TEXT))
    assert (again.kind, again.refers_to) == ("update", first.alert_id)
    assert len({first.alert_id, cancel.alert_id, again.alert_id}) == 3


def test_an_alert_stands_while_another_article_of_the_story_has_the_theme() -> None:
    ledger = MemoryLedger()
    do_run(ledger, classified(A, text=TEXT), classified(B, text=TEXT))
    assert do_run(ledger, classified(A, text=EDITED, hits=())) == []
    assert said(do_run(ledger, classified(B, text=EDITED, hits=()))) == [("cancel", "migration", B)]


def test_a_corrected_theme_is_named_as_the_cause() -> None:
    ledger = MemoryLedger()
    article = classified(A, text=TEXT)
    do_run(ledger, article)
    (cancel,) = do_run(ledger, article.model_copy(update={"hits": ()}))
    assert cancel.cause == "theme_corrected"


def test_a_theme_that_is_not_monitored_any_more_is_not_spoken_of() -> None:
    (one,) = told(classified(A, hits=(hit("water"),)))
    assert list(alerts_of(one, THEMES, timedelta(7))) == []


TEXTS = [" ".join(f"{family}{number}" for number in range(120)) for family in "xyz"]


@given(st.data())
def test_however_articles_are_split_over_runs_each_story_and_theme_is_alerted_once(
    data: st.DataObject,
) -> None:
    articles = [
        classified(
            f"1{number:032x}",
            text=data.draw(st.sampled_from(TEXTS)).replace("60", str(number)),
            hits=tuple(
                hit(theme, level=data.draw(st.sampled_from(["mention", "focus"])))
                for theme in data.draw(
                    st.sets(st.sampled_from(["encryption", "migration"]), min_size=1)
                )
            ),
        )
        for number in range(data.draw(st.integers(1, 7)))
    ]
    whole = do_run(MemoryLedger(), *articles)
    order = data.draw(st.permutations(articles))
    ledger, alerts = MemoryLedger(), []
    while order:
        size = data.draw(st.integers(1, len(order)))
        alerts += do_run(ledger, *order[:size])
        order = order[size:]
    assert {alert.kind for alert in alerts} <= {"alert"}
    assert len({alert.alert_id for alert in alerts}) == len(alerts)

    def grounds(found: list[Alert]) -> list[tuple[str, frozenset[str]]]:
        """The theme, and all that became of the story in the end."""
        stories = {one.story_id: set[str]() for one in ledger.told.values()}
        for article_id, one in ledger.told.items():
            stories[one.story_id].add(article_id)
        members = {i: frozenset(ids) for ids in stories.values() for i in ids}
        return sorted(((a.theme, members[a.article.article_id]) for a in found), key=str)

    assert grounds(alerts) == grounds(whole)


def test_what_is_known_of_an_article_comes_from_the_ledger() -> None:
    ledger = MemoryLedger()
    article = classified(A, text=TEXT)
    do_run(ledger, article)
    expected = known(article, ledger.told[A].story_id)
    assert ledger.known_articles([A, D]) == {A: expected}
