"""What a ledger keeps, in both databases."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.ledger import AppliedRun, FeedState, Ledger, LedgerError, Pruned, RunChange
from tests.ledger.samples import HOUR, NOW, a_hash, again, alert, an_id, seen, told
from transforms.records import (
    Candidate,
    KnownArticle,
    KnownStory,
    SeenArticles,
)


def apply(ledger: Ledger, *changes: RunChange) -> int:
    """Apply a run of its own; its number."""
    sequence = ledger.next_sequence()
    assert ledger.apply(f"run {sequence}", sequence, NOW, changes)
    return sequence


def known(ledger: Ledger, number: int) -> KnownArticle:
    return ledger.known_articles([an_id(number)])[an_id(number)]


def test_a_new_ledger_is_empty(ledger: Ledger) -> None:
    assert ledger.is_empty()
    assert ledger.next_sequence() == 1
    assert ledger.known_articles([an_id(1)]) == {}
    assert ledger.candidates([1]) == []
    assert ledger.stories([an_id(1)]) == {}
    assert ledger.applied_runs(["run 1"]) == {}
    assert list(ledger.export()) == []


def test_nothing_asked_is_nothing_found(ledger: Ledger) -> None:
    apply(ledger, seen(1))
    assert ledger.known_articles([]) == {}
    assert ledger.candidates([]) == []
    assert ledger.stories([]) == {}
    assert ledger.applied_runs([]) == {}


def test_an_article_without_a_theme_is_known(ledger: Ledger) -> None:
    apply(ledger, seen(5, text=7))
    assert ledger.known_articles([an_id(5), an_id(6)]) == {
        an_id(5): KnownArticle(
            article_id=an_id(5),
            text_hash=a_hash(7),
            published_at=datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC),
            published_from="feed",
            last_seen_at=NOW,
        )
    }
    assert not ledger.is_empty()


def test_an_article_with_a_theme_is_known_with_its_story(ledger: Ledger) -> None:
    change = told(1, 100, text=7, levels={"b": "mention", "a": "focus"})
    apply(ledger, change, alert(100, "b"), alert(100, "a"))
    assert known(ledger, 1) == KnownArticle(
        article_id=an_id(1),
        text_hash=a_hash(7),
        published_at=NOW - HOUR,
        published_from="page",
        last_seen_at=NOW,
        story_id=an_id(100),
        levels={"a": "focus", "b": "mention"},
        themes="0123456789abcdef",
    )
    assert ledger.stories([an_id(100)]) == {
        an_id(100): KnownStory(
            story_id=an_id(100),
            sequence=1,
            articles=(change.article,),
            alerts=(alert(100, "a").alert, alert(100, "b").alert),
        )
    }


def test_times_come_back_to_the_microsecond(ledger: Ledger) -> None:
    published_at = datetime(2026, 11, 24, 5, 59, 59, 999_999, tzinfo=UTC)
    seen_at = published_at + timedelta(microseconds=2)
    apply(ledger, told(1, 100, at=seen_at, published_at=published_at))
    assert known(ledger, 1).published_at == published_at
    assert known(ledger, 1).last_seen_at == seen_at
    assert ledger.stories([an_id(100)])[an_id(100)].articles[0].seen_at == seen_at


def test_other_time_zones_come_back_as_utc(ledger: Ledger) -> None:
    apply(ledger, seen(1, at=datetime.fromisoformat("2026-11-24T08:00:00+02:00")))
    assert known(ledger, 1).last_seen_at == NOW
    assert known(ledger, 1).last_seen_at.tzinfo is UTC


def test_an_article_keeps_its_first_date(ledger: Ledger) -> None:
    apply(ledger, seen(5))
    apply(ledger, told(5, 100, at=NOW + HOUR, text=9))
    article = known(ledger, 5)
    assert (article.published_at.timestamp(), article.published_from) == (5, "feed")
    assert (article.text_hash, article.last_seen_at) == (a_hash(9), NOW + HOUR)
    (teller,) = ledger.stories([an_id(100)])[an_id(100)].articles
    assert (teller.published_at.timestamp(), teller.published_from) == (5, "feed")


def test_a_sighting_moves_forward_only(ledger: Ledger) -> None:
    apply(ledger, seen(1), seen(2), again(3))
    apply(ledger, again(1, at=NOW + HOUR), again(2, at=NOW - HOUR))
    assert known(ledger, 1).last_seen_at == NOW + HOUR
    assert known(ledger, 2).last_seen_at == NOW
    apply(ledger, seen(1, at=NOW, text=3))
    assert known(ledger, 1).last_seen_at == NOW + HOUR
    assert known(ledger, 1).text_hash == a_hash(3)
    assert ledger.known_articles([an_id(3)]) == {}, "seen again, but never seen"


def test_what_one_run_says_twice_is_said_in_turn(ledger: Ledger) -> None:
    first, second = seen(1, at=NOW + HOUR, text=1), seen(1, at=NOW, text=2)
    second = second.model_copy(update={"published": (99,)})
    apply(ledger, first, second)
    assert known(ledger, 1).published_at.timestamp() == 1
    assert known(ledger, 1).last_seen_at == NOW + HOUR
    assert known(ledger, 1).text_hash == a_hash(2)
    apply(
        ledger,
        told(2, 100, keys=(1,)),
        told(2, 101, keys=(2,)),
        alert(100),
        alert(100, level="mention"),
    )
    assert known(ledger, 2).story_id == an_id(101)
    assert [one.key for one in ledger.candidates([1, 2])] == [2]
    assert ledger.stories([an_id(100)])[an_id(100)].alerts == (alert(100, level="mention").alert,)


def test_candidates_are_those_that_share_a_key(ledger: Ledger) -> None:
    extremes = (-(2**63), 2**63 - 1, 0)
    apply(ledger, told(2, 200, keys=(7, 8)), told(1, 100, keys=(*extremes, 7, 7), signature=b"one"))
    found = [(one.key, one.article_id) for one in ledger.candidates([8, 7, 7, 9])]
    assert found == [(7, an_id(1)), (7, an_id(2)), (8, an_id(2))]
    assert len(ledger.candidates(extremes)) == 3
    assert ledger.candidates([0]) == [
        Candidate(key=0, article_id=an_id(1), story_id=an_id(100), signature=b"one")
    ]


def test_an_article_told_anew_has_its_new_keys_alone(ledger: Ledger) -> None:
    apply(ledger, told(1, 100, keys=(1, 2, 3), signature=b"old"))
    apply(ledger, told(1, 200, keys=(3, 4), signature=b"new"))
    assert [one.key for one in ledger.candidates([1, 2, 3, 4])] == [3, 4]
    assert {one.signature for one in ledger.candidates([3, 4])} == {b"new"}
    assert known(ledger, 1).story_id == an_id(200)
    stories = ledger.stories([an_id(100), an_id(200)])
    assert [len(stories[an_id(number)].articles) for number in (100, 200)] == [0, 1]


def test_an_article_that_lost_its_themes_stays_in_its_story(ledger: Ledger) -> None:
    apply(ledger, told(1, 100))
    apply(ledger, told(1, 100, levels={}))
    assert known(ledger, 1).levels == {}
    assert known(ledger, 1).story_id == an_id(100)


def test_a_story_keeps_the_number_of_its_first_run(ledger: Ledger) -> None:
    apply(ledger, told(1, 100))
    apply(ledger, told(2, 100), told(3, 200))
    stories = ledger.stories([an_id(100), an_id(200), an_id(300)])
    assert {key: story.sequence for key, story in stories.items()} == {an_id(100): 1, an_id(200): 2}
    assert [one.article_id for one in stories[an_id(100)].articles] == [an_id(1), an_id(2)]


def test_an_alert_is_replaced(ledger: Ledger) -> None:
    apply(ledger, told(1, 100), alert(100, level="mention"))
    apply(ledger, alert(100, level="focus", cancelled=True))
    assert ledger.stories([an_id(100)])[an_id(100)].alerts == (
        alert(100, level="focus", cancelled=True).alert,
    )


def test_an_alert_may_come_before_its_story(ledger: Ledger) -> None:
    apply(ledger, alert(100), told(1, 100))
    assert ledger.stories([an_id(100)])[an_id(100)].sequence == 1


def test_more_than_one_statement_can_hold(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("writer._ARTICLES", "writer._TOLD", "writer._KEYS", "writer._KEYS_AT_ONCE"):
        monkeypatch.setattr(f"pipeline.ledger.{name}", 50)
    monkeypatch.setattr("pipeline.ledger.statements._ROWS", 20)
    monkeypatch.setattr("pipeline.ledger.store._STORIES", 30)
    stories = [told(number, number, keys=(number, 0)) for number in range(1, 201)]
    columns = [seen(*range(start, start + 30)) for start in range(1001, 2801, 30)]
    apply(ledger, *columns, *stories, *(alert(number) for number in range(1, 201)))
    ids = [an_id(number) for number in range(3000)]
    assert len(ledger.known_articles(ids)) == 2000
    assert [one.key for one in ledger.candidates(range(1, 3000))] == list(range(1, 201))
    assert len(ledger.candidates([0])) == 200
    assert len(ledger.stories(ids)) == 200
    apply(ledger, again(*range(1001, 2801), at=NOW + HOUR))
    assert ledger.prune(NOW + HOUR) == Pruned(
        articles=200, stories=200, alerts=200, keys=400, deliveries=0
    )
    assert {one.last_seen_at for one in ledger.known_articles(ids).values()} == {NOW + HOUR}


def test_a_run_is_applied_once(ledger: Ledger) -> None:
    def unread() -> Iterable[RunChange]:
        raise AssertionError("read though it was applied")
        yield seen(1)

    assert ledger.apply("a", 1, NOW, [seen(1)])
    assert ledger.apply("b", 2, NOW, [told(1, 100)])
    before = list(ledger.export())
    assert not ledger.apply("a", 1, NOW, unread())
    assert not ledger.apply("a", 3, NOW, unread())
    assert list(ledger.export()) == before
    assert ledger.applied_runs(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert ledger.next_sequence() == 3


def test_a_number_is_for_one_run(ledger: Ledger) -> None:
    ledger.apply("a", 1, NOW, [])
    with pytest.raises(LedgerError, match=r"run b was not applied to .*: run a was, as number 1"):
        ledger.apply("b", 1, NOW, [seen(1)])
    assert ledger.known_articles([an_id(1)]) == {}


def test_a_run_whose_changes_cannot_be_read_leaves_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.ledger.writer._ARTICLES", 1)

    def torn() -> Iterable[RunChange]:
        yield seen(1)
        yield told(2, 100, keys=(1,))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        ledger.apply("a", 1, NOW, torn())
    assert list(ledger.export()) == []
    assert ledger.apply("a", 1, NOW, [seen(1)])


@pytest.mark.parametrize(
    "change",
    [
        seen(1).model_copy(update={"article_ids": ("1",)}),
        seen(1, 2).model_copy(update={"article_ids": (an_id(1)[1:], an_id(2) + "0")}),
        seen(1).model_copy(update={"article_ids": ("1" * 31 + "  ",)}),
        seen(1).model_copy(update={"text_hashes": ("00",)}),
        seen(1, 2).model_copy(update={"published": (1,)}),
        seen(1).model_copy(update={"seen_at": NOW.replace(tzinfo=None)}),
    ],
    ids=["short id", "ids", "blanks", "hash", "columns", "zone"],
)
def test_what_is_no_change_is_refused(ledger: Ledger, change: SeenArticles) -> None:
    with pytest.raises((ValueError, TypeError)):
        ledger.apply("a", 1, NOW, [change])
    assert ledger.is_empty()


def test_pruning_forgets_what_was_not_seen_since(ledger: Ledger) -> None:
    apply(ledger, seen(1), seen(2), seen(3, at=NOW + HOUR))
    apply(ledger, again(2, at=NOW + HOUR))
    assert ledger.prune(NOW + HOUR) == Pruned(articles=1, stories=0, alerts=0, keys=0, deliveries=0)
    assert set(ledger.known_articles([an_id(n) for n in (1, 2, 3)])) == {an_id(2), an_id(3)}
    assert ledger.applied_runs(["run 1", "run 2"]) == {"run 1": 1, "run 2": 2}
    assert ledger.next_sequence() == 3


def test_pruning_forgets_a_story_with_its_last_article(ledger: Ledger) -> None:
    apply(ledger, told(1, 100, keys=(1, 2)), told(2, 100, keys=(2, 3)), alert(100))
    apply(ledger, told(3, 200, keys=(3,)), alert(200), alert(200, "other"))
    apply(ledger, again(3, at=NOW + HOUR))
    assert ledger.prune(NOW + HOUR) == Pruned(articles=2, stories=1, alerts=1, keys=4, deliveries=0)
    assert [one.article_id for one in ledger.candidates([1, 2, 3])] == [an_id(3)]
    assert set(ledger.stories([an_id(100), an_id(200)])) == {an_id(200)}
    assert ledger.prune(NOW + HOUR) == Pruned(0, 0, 0, 0, 0)


def test_a_story_that_is_still_seen_stays_whole(ledger: Ledger) -> None:
    """Its lead and its alerts would change otherwise, and it would be told anew."""
    apply(ledger, told(1, 100, keys=(1,)), told(2, 100, keys=(2,)), alert(100))
    apply(ledger, again(2, at=NOW + HOUR))
    before = ledger.stories([an_id(100)])
    assert ledger.prune(NOW + HOUR) == Pruned(0, 0, 0, 0, 0)
    assert ledger.stories([an_id(100)]) == before
    assert len(ledger.candidates([1, 2])) == 2


def test_pruning_forgets_stories_that_nobody_tells(ledger: Ledger) -> None:
    apply(ledger, told(1, 100), alert(100))
    apply(ledger, told(1, 200))
    assert ledger.prune(NOW - HOUR) == Pruned(articles=0, stories=1, alerts=1, keys=0, deliveries=0)


def test_what_was_pruned_is_new_again(ledger: Ledger) -> None:
    apply(ledger, told(1, 100, keys=(1,)), alert(100))
    ledger.prune(NOW + HOUR)
    sequence = apply(ledger, told(1, 100, keys=(1,)))
    assert ledger.stories([an_id(100)])[an_id(100)].sequence == sequence
    assert ledger.stories([an_id(100)])[an_id(100)].alerts == ()
    assert len(ledger.candidates([1])) == 1


def test_an_export_can_be_restored(ledger: Ledger, tmp_path: Path) -> None:
    apply(ledger, seen(1, 2, at=NOW + HOUR), told(3, 100, keys=(5, -5, 5)), alert(100))
    apply(ledger, told(4, 200), again(1, at=NOW + 2 * HOUR), alert(100, "other", cancelled=True))
    apply(ledger, FeedState(url="https://x.org/feed", state={"etag": "é"}, updated_at=NOW))
    exported = list(ledger.export())
    with Ledger.open(f"sqlite:///{tmp_path}/other.sqlite", create=True) as other:
        other.restore(type(row).model_validate_json(row.model_dump_json()) for row in exported)
        assert list(other.export()) == exported
        ids = [an_id(number) for number in range(300)]
        assert other.known_articles(ids) == ledger.known_articles(ids)
        assert other.stories(ids) == ledger.stories(ids)
        assert other.candidates([5, -5]) == ledger.candidates([5, -5])
        assert other.next_sequence() == 4
        with pytest.raises(LedgerError, match="is not empty"):
            other.restore(exported)
    with pytest.raises(LedgerError, match="is not empty"):
        ledger.restore(exported)


def test_half_an_export_is_not_restored(ledger: Ledger) -> None:
    with pytest.raises(LedgerError):
        ledger.restore([seen(1), told(2, 100)])
    assert ledger.is_empty()


def test_an_export_is_of_one_moment(ledger: Ledger) -> None:
    apply(ledger, seen(1, 2))
    rows = ledger.export()
    first = next(rows)
    apply(ledger, seen(3), again(1, at=NOW + HOUR))
    assert first == AppliedRun(run_id="run 1", sequence=1, as_of=NOW)
    assert list(rows) == [seen(1), seen(2)]


def test_an_export_is_sorted(ledger: Ledger) -> None:
    apply(ledger, seen(3), told(2, 300), told(1, 200), alert(300, "b"), alert(300, "a"), alert(200))
    names = ("https://b", "https://B", "https://a")
    apply(ledger, *(FeedState(url=name, state={}, updated_at=NOW) for name in names))
    kinds = [row.change for row in ledger.export()]
    assert kinds == [
        *["run"] * 2,
        *["story"] * 2,
        "told",
        "told",
        "seen",
        *["alert"] * 3,
        *["feed"] * 3,
    ]
    lines = [row.model_dump_json() for row in ledger.export()]
    assert [line.split('"url":')[1][:13] for line in lines[-3:]] == [
        '"https://B","',
        '"https://a","',
        '"https://b","',
    ]


def test_the_state_of_a_feed_is_replaced(ledger: Ledger) -> None:
    url, other = "https://x.org/feed", "https://x.org/"
    assert ledger.feed_states() == ledger.feed_states([url]) == {}
    for etag in ("1", "2"):
        state = FeedState(url=url, state={"etag": etag}, updated_at=NOW)
        apply(ledger, state)
        assert ledger.feed_states() == ledger.feed_states([url, other]) == {url: state}
    assert ledger.feed_states([other]) == ledger.feed_states([]) == {}


def test_the_stats_count(ledger: Ledger) -> None:
    empty = ledger.stats()
    assert not any(empty.rows.values())
    assert (empty.oldest_seen_at, empty.newest_seen_at, empty.last_run) == (None, None, None)
    apply(ledger, seen(1, 2), told(3, 100, at=NOW + HOUR, keys=(1, 2)), alert(100))
    stats = ledger.stats()
    assert stats.rows == {
        "alerts": 1,
        "articles": 3,
        "deliveries": 0,
        "feeds": 0,
        "keys": 2,
        "runs": 1,
        "stories": 1,
        "told": 1,
    }
    assert (stats.oldest_seen_at, stats.newest_seen_at) == (NOW, NOW + HOUR)
    assert stats.last_run == AppliedRun(run_id="run 1", sequence=1, as_of=NOW)
    assert stats.bytes > 50_000
