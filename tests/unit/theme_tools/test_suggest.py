"""Terms that would help a theme: what stands out, and what is left out."""

from math import log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluate import Labelled, PlainArticle
from pipeline.themes.suggest import Suggestion, log_odds, suggest
from tests.themes import theme
from transforms.logic.themes.matcher import ThemeMatcher
from transforms.logic.themes.model import Theme

GANGS = theme("gang", theme="gangs")


def article(text: str, *themes: str, language: str = "en", title: str = "") -> PlainArticle:
    return PlainArticle(Labelled(text=text, themes=themes), title, text, language)


def suggested(
    *articles: PlainArticle, rules: Theme = GANGS, most: int = 10
) -> list[tuple[str, str, int, int, int]]:
    found = suggest(articles, rules, ThemeMatcher([rules]).hits, most=most)
    return [(one.kind, one.term, one.articles, one.of, one.elsewhere) for one in found]


OTHERS = [article(f"The weather of day {'x' * day} was fine.") for day in range(2, 30)]


def test_a_term_of_missed_articles_is_suggested() -> None:
    missed = [article("The weather of the crime clan.", "gangs") for _ in range(3)]
    assert suggested(*missed, *OTHERS) == [("term", "crime clan", 3, 3, 0)]


def test_an_exclusion_tells_false_alarms_from_what_is_right() -> None:
    false = [article(f"A gang show of {word}.") for word in ("rabbits", "ducks", "geese")]
    right = [article(f"The gang in the {word}.", "gangs") for word in ("house", "yard", "lane")]
    assert suggested(*false, *right, *OTHERS) == [("exclusion", "gang show", 3, 3, 0)]


def test_what_stands_in_other_articles_too_is_ranked_lower() -> None:
    missed = [article("Mobsters. Police.", "gangs") for _ in range(4)]
    others = [*OTHERS * 2, article("Police."), article("Police.")]
    assert [row[1] for row in suggested(*missed, *others)] == ["mobsters", "police"]


def test_words_that_many_articles_have_say_nothing() -> None:
    missed = [article("Was the weather of mobsters fine?", "gangs") for _ in range(2)]
    terms = {term for _, term, *_ in suggested(*missed, *OTHERS)}
    assert terms == {"mobsters"}


def test_what_the_rules_find_already_is_left_out() -> None:
    missed = [article("The underworld clans.", "gangs") for _ in range(3)]
    weak = theme(theme="gangs", thresholds={"mention": 5, "focus": 9}, terms={1: ["underworld*"]})
    assert {term for _, term, *_ in suggested(*missed, *OTHERS, rules=weak)} == {"clans"}


def test_a_rule_for_another_language_does_not_count() -> None:
    parts = {"de": {"terms": {1: ["mafiosi"]}}}
    rules = theme("gang", theme="gangs", parts=parts)
    missed = [article("Mafiosi.", "gangs") for _ in range(3)]
    assert [row[1] for row in suggested(*missed, *OTHERS, rules=rules)] == ["mafiosi"]


def test_languages_are_apart() -> None:
    english = [article("Mobsters.", "gangs") for _ in range(2)]
    german = [article("Der Clan.", "gangs", language="de") for _ in range(2)]
    found = suggest([*english, *german, *OTHERS], GANGS, ThemeMatcher([GANGS]).hits, most=9)
    assert [(one.language, one.term) for one in found] == [("en", "mobsters")]
    more = [*german, *(article("Regen.", language="de") for _ in range(9))]
    found = suggest(more, GANGS, ThemeMatcher([GANGS]).hits, most=9)
    assert [(one.language, one.term) for one in found] == [("de", "der clan")]


def test_one_article_is_no_pattern() -> None:
    assert suggested(article("Mobsters.", "gangs"), *OTHERS) == []


def test_an_article_that_is_unsure_does_not_count() -> None:
    unsure = PlainArticle(Labelled(themes=(), unsure=("gangs",)), "", "Mobsters.", "en")
    assert suggested(unsure, unsure, unsure, *OTHERS) == []


def test_phrases_do_not_reach_across_sentences_lines_and_the_title() -> None:
    missed = [article("Mobsters. Villains\nRacketeers", "gangs", title="Crooks")] * 2
    terms = {term for _, term, *_ in suggested(*missed, *OTHERS)}
    assert terms == {"mobsters", "villains", "racketeers", "crooks"}


def test_a_piece_of_a_longer_phrase_is_left_out_where_it_says_no_more() -> None:
    missed = [article("The crime clan.", "gangs") for _ in range(2)]
    assert [row[1] for row in suggested(*missed, *OTHERS)] == ["crime clan"]


def test_a_longer_phrase_is_left_out_where_a_word_of_it_does_no_harm_either() -> None:
    missed = [article("The crime clan.", "gangs")] * 2 + [article("The clan.", "gangs")] * 2
    assert [row[1] for row in suggested(*missed, *OTHERS)] == ["clan", "crime"]


def test_a_longer_phrase_is_suggested_beside_a_word_that_does_harm() -> None:
    missed = [article("The crime clan.", "gangs")] * 2 + [article("The clan.", "gangs")] * 2
    terms = {row[1] for row in suggested(*missed, article("The royal clan."), *OTHERS)}
    assert terms == {"clan", "crime clan"}


def test_no_more_than_asked_for() -> None:
    missed = [article("Mobsters. Villains. Racketeers.", "gangs")] * 2
    assert len(suggested(*missed, *OTHERS, most=2)) == 2


def test_the_score_is_the_published_one() -> None:
    # Monroe, Colaresi and Quinn, equations 15, 16, 19 and 22, with counts of articles, the
    # prior all articles, and 1 in each denominator.
    y_i, n_i, y_j, n_j = 8, 20, 5, 100
    a, a_0 = y_i + y_j, n_i + n_j
    delta = log((y_i + a) / (n_i + a_0 - y_i - a + 1)) - log((y_j + a) / (n_j + a_0 - y_j - a + 1))
    expected = delta / sqrt(1 / (y_i + a) + 1 / (y_j + a))
    assert log_odds(y_i, n_i, y_j, n_j) == pytest.approx(expected)


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 200), st.integers(0, 200))
def test_more_articles_inside_score_higher_and_more_outside_lower(
    inside: int, more: int, outside: int, rest: int
) -> None:
    of_inside, of_outside = inside + more + 1, outside + rest + 1
    score = log_odds(inside, of_inside, outside, of_outside)
    assert log_odds(inside + 1, of_inside, outside, of_outside) >= score
    assert log_odds(inside, of_inside, outside + 1, of_outside) <= score


def test_a_suggestion_says_where_it_belongs() -> None:
    missed = [article("Mobsters.", "gangs") for _ in range(3)]
    (found,) = suggest([*missed, *OTHERS], GANGS, ThemeMatcher([GANGS]).hits, most=1)
    assert found == Suggestion("gangs", "en", "term", "mobsters", 3, 3, 0, found.score)
    assert found.score > 1
