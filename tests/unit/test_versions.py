"""One version of each article stays, whatever the order of arrival."""

from datetime import timedelta
from itertools import permutations

import pytest

from tests.articles import SEEN_AT, A, B, classified, known
from transforms.logic.versions import frame_of, group_of, newest
from transforms.records import ClassifiedArticle


def frame(article: ClassifiedArticle) -> bytes:
    return frame_of(article)[1]


def kept(*versions: ClassifiedArticle) -> list[str]:
    """Titles of what stays, the same for every order."""
    frames = list(map(frame, versions))
    assert len({str(newest(order)) for order in permutations(frames)}) == 1
    payloads = newest(frames).payloads
    return [ClassifiedArticle.model_validate_json(payload).title for payload in payloads]


def test_the_version_updated_last_stays() -> None:
    newer = classified(A, title="newer", updated_at=SEEN_AT)
    assert kept(
        classified(A), newer, classified(A, title="old", updated_at=SEEN_AT - timedelta(1))
    ) == ["newer"]


def test_a_dated_version_stays_before_an_undated_one() -> None:
    undated = classified(A, title="undated", published_from="reading", published_at=SEEN_AT)
    assert kept(undated, classified(A, title="dated")) == ["dated"]


def test_a_version_that_lost_its_theme_leaves_nothing() -> None:
    assert kept(classified(A), classified(A, hits=(), updated_at=SEEN_AT)) == []


def test_versions_and_articles_are_counted() -> None:
    found = newest(map(frame, (classified(A), classified(A), classified(B, hits=()))))
    assert (found.read, found.distinct, len(found.payloads)) == (3, 2, 1)


def test_an_article_without_a_theme_takes_few_bytes() -> None:
    assert len(frame(classified(A, hits=()))) == 51 + len("en Paper")


def test_the_ledger_is_told_of_articles_without_a_theme() -> None:
    article = classified(A, hits=())
    (plain,) = newest([frame(article)]).plain
    seconds = int(article.published_at.timestamp())
    assert plain[:4] == (A, article.text_hash[:32], seconds, "file")


@pytest.mark.parametrize("source", ["Paper", "Il Giornale del Porto", " ", "新聞 \n\0"])
def test_articles_without_a_theme_are_counted_by_language_and_source(source: str) -> None:
    (plain,) = newest([frame(classified(A, hits=(), source=source, language="und"))]).plain
    assert (plain.language, plain.source) == ("und", source)


def test_an_article_that_lost_its_theme_travels_so_that_its_alert_can_be_cancelled() -> None:
    before = classified(A)
    edited = classified(A, hits=(), known=known(before, story_id="story"))
    assert len(newest([frame(edited)]).payloads) == 1


@pytest.mark.parametrize(("article_id", "name"), [(A, "aa"), ("10f" + "0" * 30, "0f")])
def test_articles_travel_with_those_whose_ids_begin_alike(article_id: str, name: str) -> None:
    assert group_of(article_id) == name
