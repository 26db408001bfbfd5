"""Comparing counts, and things that go together."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.logic.association import jaccard, npmi
from transforms.logic.rates import Ratio, rate_ratio

COUNTS = st.integers(0, 10_000)
SEEN = st.integers(1, 100_000)


@given(COUNTS, SEEN, COUNTS, SEEN)
def test_the_ratio_lies_in_its_interval(now: int, seen: int, then: int, seen_then: int) -> None:
    found = rate_ratio(now, seen, then, seen_then)
    if found is None:
        assert now == then == 0
        return
    ratio = math.inf if found.ratio is None else found.ratio
    high = math.inf if found.high is None else found.high
    assert 0 <= found.low <= ratio * (1 + 1e-9)
    assert ratio <= high * (1 + 1e-9)


@given(st.integers(1, 10_000), SEEN, st.integers(1, 10_000), SEEN)
def test_the_other_way_round_it_is_the_inverse(a: int, of_a: int, b: int, of_b: int) -> None:
    there, back = rate_ratio(a, of_a, b, of_b), rate_ratio(b, of_b, a, of_a)
    assert there
    assert there.high
    assert back
    assert back.high
    assert there.low == pytest.approx(1 / back.high)
    assert there.high == pytest.approx(1 / back.low)


def test_the_interval_is_that_of_wilson() -> None:
    # Wilson's interval of 5 in 20 is from 0.1119 to 0.4687: see e.g. Agresti and Coull (1998).
    found = rate_ratio(5, 1, 15, 1)
    assert found
    assert found == pytest.approx((5 / 15, 0.1119 / 0.8881, 0.4687 / 0.5313), rel=1e-3)


@pytest.mark.parametrize(("mean", "ratio"), [(3, 1.0), (8, 2.5), (40, 0.5), (200, 1.1)])
def test_it_holds_as_often_as_it_says(mean: float, ratio: float) -> None:
    random = np.random.default_rng(7)
    now, then = random.poisson(2 * ratio * mean, 4000), random.poisson(mean, 4000)
    found = [rate_ratio(int(a), 2, int(b), 1) for a, b in zip(now, then, strict=True)]
    holds = [
        one is None or (one.low <= ratio and (one.high is None or ratio <= one.high))
        for one in found
    ]
    assert 0.93 < sum(holds) / len(holds) < 0.985


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ((0, 10, 0, 10), None),
        ((5, 0, 5, 10), None),
        ((5, 10, 5, 0), None),
        ((4, 10, 0, 10), Ratio(None, pytest.approx(1.041, rel=1e-3), None)),
        ((0, 10, 4, 10), Ratio(0.0, 0.0, pytest.approx(0.9604, rel=1e-3))),
    ],
)
def test_of_nothing_little_is_known(counts: tuple[int, int, int, int], found: object) -> None:
    assert rate_ratio(*counts) == found


def test_how_much_of_either_is_both() -> None:
    assert jaccard(2, 3, 5) == pytest.approx(2 / 6)
    assert jaccard(0, 0, 0) == 0


@pytest.mark.parametrize(
    ("both", "a", "b", "of", "expected"),
    [
        (0, 5, 5, 100, -1.0),
        (10, 10, 10, 100, 1.0),
        (1, 10, 10, 100, 0.0),
        (5, 10, 20, 100, math.log(2.5) / math.log(20)),
        (5, 5, 5, 5, None),
        (1, 4, 4, 3, None),
    ],
)
def test_how_much_more_often_than_by_chance(
    both: int, a: int, b: int, of: int, expected: float | None
) -> None:
    assert npmi(both, a, b, of) == (None if expected is None else pytest.approx(expected))
