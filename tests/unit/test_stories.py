"""Copies become one story, and a story one alert a theme."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.articles import SEEN_AT, classified, hit, told
from transforms.logic.copies import connect, identity_keys
from transforms.logic.stories import ThemeFacts, alerts_of, outline, tell_story
from transforms.records import Alert, ClassifiedArticle

THEMES = {
    name: ThemeFacts("v1", {"gdelt": (name.upper(),)}) for name in ("encryption", "migration")
}


def raised(*articles: ClassifiedArticle) -> list[Alert]:
    """What the articles of one story raise together, by theme."""
    alerts = [alert for one in told(*articles) for alert in alerts_of(one, THEMES, timedelta(7))]
    return sorted(alerts, key=lambda alert: alert.theme)


def test_copies_share_their_guid_or_their_text() -> None:
    keys = set(identity_keys(classified("a", guid="7")))
    assert keys & set(identity_keys(classified("b", guid="7")))
    assert keys & set(identity_keys(classified("b", copy_key="copy-a")))
    assert not keys & set(identity_keys(classified("b", guid="8")))


def test_a_short_guid_means_nothing_outside_its_source() -> None:
    keys = set(identity_keys(classified("a", guid="7")))
    assert not keys & set(identity_keys(classified("b", guid="7", source="Courier")))


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


def test_the_earliest_article_leads_and_ties_go_by_id() -> None:
    late = classified("a", published_at=SEEN_AT)
    story = tell_story(map(outline, [late, classified("c"), classified("b")]))
    assert [article.article_id for article in story.articles] == ["b", "c", "a"]


def test_an_undated_article_leads_only_where_none_is_dated() -> None:
    undated = classified("a", published_from="reading", published_at=SEEN_AT - timedelta(days=99))
    assert tell_story(map(outline, [undated, classified("b")])).lead.article_id == "b"
    assert tell_story([outline(undated)]).lead.article_id == "a"


def test_a_story_raises_one_alert_a_theme_at_its_highest_level() -> None:
    first = classified("a", hits=(hit(level="mention"), hit("encryption")))
    second = classified("b", source="Courier")
    alerts = raised(second, first)
    assert [(a.theme, a.level, a.article.article_id) for a in alerts] == [
        ("encryption", "focus", "a"),
        ("migration", "focus", "b"),
    ]
    assert alerts[0].story.sources == ("Courier", "Paper")
    assert alerts[0].codes == {"gdelt": ("ENCRYPTION",)}


def test_ids_are_stable_and_tell_themes_apart() -> None:
    both = classified("a", hits=(hit("encryption"), hit()))
    first, second = raised(both)
    assert first.alert_id != second.alert_id
    assert raised(both)[0].alert_id == first.alert_id


@pytest.mark.parametrize(
    ("age", "backfill"), [(timedelta(days=6), False), (timedelta(days=8), True)]
)
def test_what_was_old_when_first_seen_is_backfill(age: timedelta, backfill: bool) -> None:
    (alert,) = raised(classified(published_at=SEEN_AT - age))
    assert alert.backfill is backfill
