"""Outlines in small: the heads tell which articles may be of one story."""

from hypothesis import given
from hypothesis import strategies as st

from tests.articles import A, B, C, D, classified, known
from transforms.logic.outlines import all_keys, frame_of, heads_of, outline_of
from transforms.logic.stories import outline

TEXT = " ".join(f"word{number}" for number in range(120))


def test_an_outline_survives_its_frame() -> None:
    for article in (classified(A), classified(A, guid="7", known=known(classified(A), "story"))):
        told = outline(article)
        assert outline_of(frame_of(told)) == told


def test_articles_that_share_no_key_are_passed_over() -> None:
    articles = (classified(A, text=TEXT), classified(B), classified(C, text=TEXT), classified(D))
    heads = heads_of([frame_of(outline(article)) for article in articles])
    assert heads.related(()) == [0, 2]
    assert heads.related([all_keys(outline(articles[1]))[3]]) == [0, 1, 2]


def test_an_article_that_was_known_is_related_to_itself() -> None:
    edited = classified(A, known=known(classified(A), "story"))
    heads = heads_of([frame_of(outline(one)) for one in (classified(B), edited)])
    assert heads.related(()) == [1]


def test_no_articles_are_related_to_none() -> None:
    assert heads_of([]).related([1]) == []


@given(st.lists(st.sampled_from("wxyz"), max_size=6), st.sets(st.sampled_from("wxyz")))
def test_related_is_what_a_plain_count_of_keys_says(texts: list[str], before: set[str]) -> None:
    outlines = [
        outline(classified(f"1{number:032x}", text=text)) for number, text in enumerate(texts)
    ]
    elsewhere = {key for text in before for key in all_keys(outline(classified(A, text=text)))}
    expected = [
        number
        for number, told in enumerate(outlines)
        if any(
            key in elsewhere
            or any(key in all_keys(other) for other in outlines if other is not told)
            for key in all_keys(told)
        )
    ]
    assert list(heads_of(list(map(frame_of, outlines))).related(elsewhere)) == expected
