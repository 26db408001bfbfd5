"""Which terms rose."""

import math

import pytest

from transforms.logic.rising import risen


def stories(number: int, *terms: str) -> list[set[str]]:
    return [set(terms)] * number


def test_a_term_that_stands_in_more_of_the_stories_rose() -> None:
    (one,) = risen(
        stories(10, "port", "law") + stories(10, "law"), stories(5, "port") + stories(95, "law")
    )
    assert (one.term, one.recent, one.before) == ("port", 10, 5)
    # With it and without it, recent and before: what was seen, and what equal shares would make.
    cells = ((10, 2.5), (10, 17.5), (5, 12.5), (95, 87.5))
    expected = 2 * sum(seen * math.log(seen / even) for seen, even in cells)
    assert one.likelihood_ratio == pytest.approx(expected)


def test_a_term_that_fell_or_stayed_did_not_rise() -> None:
    assert not risen(stories(20, "law"), stories(100, "law"))
    assert not risen(stories(20), stories(100, "law"))


def test_twice_is_too_seldom() -> None:
    before = stories(1_000)
    assert not risen(stories(2, "port") + stories(2), before)
    assert risen(stories(3, "port") + stories(1), before)


def test_what_chance_explains_did_not_rise() -> None:
    assert not risen(stories(4, "port") + stories(16), stories(10, "port") + stories(90))


def test_without_a_past_nothing_rose() -> None:
    assert not risen(stories(20, "port"), stories(19))
    assert risen(stories(20, "port"), stories(20))


def test_the_surest_comes_first() -> None:
    recent = stories(10, "port", "ship") + stories(5, "ship") + stories(5)
    assert [one.term for one in risen(recent, stories(100))] == ["ship", "port"]
