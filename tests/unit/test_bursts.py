"""What counts as a burst, and what of the past it is measured by."""

import random
from datetime import date, timedelta

import pytest

from transforms.logic.bursts import BASELINE, FEWEST_DAYS, GUARD, Judged, judge_days

DAY = date(2026, 11, 24)  # a Tuesday
WATCHED = 1_000


def past(days: int, stories: int = 5) -> dict[date, int]:
    """So many stories on each of the days before DAY."""
    return {DAY - timedelta(days=back): stories for back in range(1, days + 1)}


def judge(
    stories: dict[date, int], monitored: dict[date, int] | None = None, day: date = DAY
) -> Judged:
    watched = dict.fromkeys([*stories, day], WATCHED) if monitored is None else monitored
    (judged,) = judge_days(stories, watched, [day])
    return judged


def test_a_day_far_above_its_past_is_a_burst_and_one_like_it_is_not() -> None:
    assert judge(past(60) | {DAY: 16}).burst
    assert not judge(past(60) | {DAY: 8}).burst


def test_the_bound_is_the_quantile_of_the_distribution_of_a_new_day() -> None:
    judged = judge(past(60))
    # Half a story more than the 40 of eight Tuesdays; a negative binomial of size 40.5.
    assert judged.expected == pytest.approx(40.5 / 8)
    size, stop = 40.5, 8 / 9
    chance, below, count = stop**size, 0.0, 0
    quantiles = []
    for share in (0.005, 0.995):
        while below + chance < share:
            below += chance
            chance *= (count + size) / (count + 1) * (1 - stop)
            count += 1
        quantiles.append(count)
    assert [judged.low, judged.high] == quantiles


def test_a_day_is_compared_with_its_weekday() -> None:
    quiet = {day: 20 if day.weekday() < 5 else 2 for day in past(60)}
    sunday = DAY - timedelta(days=2)
    judged = judge(quiet | {sunday: 20}, day=sunday)
    assert judged.basis == "weekday"
    assert judged.burst
    assert judge(quiet | {DAY: 20}).basis == "weekday"
    assert not judge(quiet | {DAY: 20}).burst


def test_with_few_weeks_working_days_are_compared_with_each_other() -> None:
    judged = judge(past(18) | {DAY: 16})
    assert judged.basis == "kind_of_day"
    assert judged.burst


def test_with_less_than_two_weeks_nothing_is_said() -> None:
    judged = judge(past(FEWEST_DAYS + GUARD.days - 1) | {DAY: 100})
    assert judged.basis is None
    assert not judged.burst
    assert judge(past(FEWEST_DAYS + GUARD.days) | {DAY: 100}).burst


def test_fewer_than_three_stories_are_no_burst() -> None:
    assert not judge(past(60, 0) | {DAY: 2}).burst
    assert judge(past(60, 0) | {DAY: 3}).burst


def test_what_is_usual_is_in_proportion_to_what_is_monitored() -> None:
    stories = past(60, 20)
    watched = dict.fromkeys(stories, WATCHED)
    whole = judge(stories, watched | {DAY: WATCHED})
    half = judge(stories, watched | {DAY: WATCHED // 2})
    twice = judge(stories | {DAY: 40}, watched | {DAY: WATCHED * 2})
    assert half.expected == pytest.approx(whole.expected / 2)
    assert not twice.burst
    assert judge(stories | {DAY: 40}, watched | {DAY: WATCHED}).burst


def test_a_day_that_was_not_watched_tells_nothing() -> None:
    stories = past(60, 20)
    outage = [DAY - timedelta(days=back) for back in range(20, 34)]
    gap = {day: count for day, count in stories.items() if day not in outage}
    watched = dict.fromkeys(gap, WATCHED)
    assert judge(gap, watched | {DAY: WATCHED}).expected == pytest.approx(20, rel=0.01)
    assert judge(stories, watched).basis is None, "the day itself was not watched"


def test_an_earlier_burst_hardly_raises_the_bound() -> None:
    week_before = DAY - timedelta(days=7)
    calm = judge(past(60, 10))
    after = judge(past(60, 10) | {week_before: 100})
    assert after.high <= calm.high + 3


def test_the_days_just_before_and_long_before_have_no_part() -> None:
    near = {DAY - timedelta(days=back): 90 for back in range(1, GUARD.days + 1)}
    far = {DAY - BASELINE - timedelta(days=back): 90 for back in range(1, 20)}
    assert judge(past(56, 10) | near | far) == judge(past(56, 10))


@pytest.mark.parametrize(("mean", "dispersion"), [(0.3, 1.0), (5, 1.0), (5, 2.0), (40, 4.0)])
def test_ordinary_days_are_seldom_taken_for_bursts(mean: float, dispersion: float) -> None:
    rng = random.Random(1)
    days = [DAY - timedelta(days=back) for back in range(2_000)][::-1]
    stories = {
        day: _count(rng, mean * (0.4 if day.weekday() >= 5 else 1), dispersion) for day in days
    }
    judged = list(judge_days(stories, dict.fromkeys(days, WATCHED), days[60:]))
    assert sum(one.burst for one in judged) / len(judged) < 0.012
    inside = sum(one.low <= one.stories <= max(one.high, 2) for one in judged)
    assert inside / len(judged) > 0.97


def _count(rng: random.Random, mean: float, dispersion: float) -> int:
    """A count with a variance of *dispersion* times its mean."""
    if dispersion > 1:
        mean = rng.gammavariate(mean / (dispersion - 1), dispersion - 1)
    waited, count = rng.expovariate(1), 0
    while waited < mean:
        waited += rng.expovariate(1)
        count += 1
    return count
