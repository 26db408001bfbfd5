"""Bursts: days on which a theme was told more often than its own past lets expect.

A day is compared with days like it before: those of the same weekday, or, as long as fewer
than four of these are known, with working days or with weekends. Counts are taken in
proportion to all that was monitored on a day, so that a day with half the feeds, or one
that is not over, is not taken for a quiet one (Tokars et al. 2009, Emerging Infectious
Diseases 15:533, found this and baselines of two weeks and more to detect best).

The bound is that of Farrington et al. (1996, J. R. Stat. Soc. A 159:547) as improved by
Noufaily et al. (2013, Statistics in Medicine 32:1206): a quasi-Poisson model of the baseline,
in which earlier bursts weigh less, and the quantile of the negative binomial distribution
that has the mean and the variance of a new day. Theirs has a trend and years of weeks; here
a factor for the day and weeks of days take their place.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

BASELINE: Final = timedelta(weeks=8)
# Not a part of the baseline, so that a burst of three days is not measured by its first.
GUARD: Final = timedelta(days=2)
FEWEST_DAYS: Final = 14  # in a baseline
FEWEST_ALIKE: Final = 4  # days like the one that is judged
FEWEST_STORIES: Final = 3  # no burst with less
TAIL: Final = 0.005  # the chance of an ordinary day to be taken for a burst

_UNUSUAL = 2.58  # standard deviations; days of the baseline beyond weigh less

Basis = Literal["weekday", "kind_of_day"]


class Judged(NamedTuple):
    """A day's stories, and how many were to be expected."""

    day: date
    stories: int
    basis: Basis | None  # what days it was compared with; None: too little is known to tell
    expected: float = 0.0
    low: int = 0  # an ordinary day has from `low` to `high` in all but 1 % of cases
    high: int = 0

    @property
    def burst(self) -> bool:
        """Whether it is more than an ordinary day has."""
        return self.basis is not None and self.stories > max(self.high, FEWEST_STORIES - 1)


# Stories, and articles monitored, of days, by what makes these alike; and how much each counts.
_Baseline = Mapping[Hashable, Sequence[tuple[int, int]]]
_Weights = Mapping[Hashable, Sequence[float]]


def judge_days(
    stories: Mapping[date, int], monitored: Mapping[date, int], days: Iterable[date]
) -> Iterator[Judged]:
    """Judge each of *days* by the eight weeks before it.

    Args:
        stories: Distinct stories by day; none where a day is missing.
        monitored: All articles that were monitored, by day. A day that is missing was not
            watched and tells nothing. Where numbers are not known, 1 for each day watched.
    """
    for day in days:
        count, watched = stories.get(day, 0), monitored.get(day, 0)
        judged = Judged(day, count, None)
        for basis, kind in _BASES:
            baseline = _baseline(stories, monitored, day, kind)
            alike = len(baseline.get(kind(day), ()))
            if watched and alike >= FEWEST_ALIKE and _size(baseline) >= FEWEST_DAYS:
                expected, variance = _forecast(baseline, kind(day), watched)
                low = _quantile(TAIL, expected, variance)
                high = _quantile(1 - TAIL, expected, variance)
                judged = Judged(day, count, basis, expected, low, high)
                break
        yield judged


def _is_weekend(day: date) -> bool:
    return day.weekday() >= 5


_Kind = Callable[[date], Hashable]
_BASES: tuple[tuple[Basis, _Kind], ...] = (
    ("weekday", date.weekday),
    ("kind_of_day", _is_weekend),
)


def _baseline(
    stories: Mapping[date, int], monitored: Mapping[date, int], day: date, kind: _Kind
) -> _Baseline:
    groups: defaultdict[Hashable, list[tuple[int, int]]] = defaultdict(list)
    for back in range(GUARD.days + 1, BASELINE.days + 1):
        before = day - timedelta(days=back)
        if watched := monitored.get(before, 0):
            groups[kind(before)].append((stories.get(before, 0), watched))
    return groups


def _size(baseline: _Baseline) -> int:
    return sum(map(len, baseline.values()))


def _forecast(baseline: _Baseline, kind: Hashable, watched: int) -> tuple[float, float]:
    """Mean and variance of the stories of a new day of *kind*."""
    weights = _less_for_bursts(baseline)
    rates = _rates(baseline, weights)
    mean = rates[kind] * watched
    seen = sum(w * e for w, (_, e) in zip(weights[kind], baseline[kind], strict=True))
    # The day's own variance, and that of the mean of those like it.
    return mean, _dispersion(baseline, weights, rates) * mean * (1 + watched / seen)


def _rates(baseline: _Baseline, weights: _Weights) -> dict[Hashable, float]:
    """Stories for each article monitored; half a story more (Jeffreys' prior), so that
    what was never told is not held to be impossible."""
    rates = {}
    for group, days in baseline.items():
        pairs = list(zip(weights[group], days, strict=True))
        rates[group] = (0.5 + sum(w * y for w, (y, _) in pairs)) / sum(w * e for w, (_, e) in pairs)
    return rates


def _dispersion(baseline: _Baseline, weights: _Weights, rates: Mapping[Hashable, float]) -> float:
    """How much larger the variance is than Poisson's; never smaller."""
    total = sum(
        w * (y - rates[group] * e) ** 2 / (rates[group] * e)
        for group, days in baseline.items()
        for w, (y, e) in zip(weights[group], days, strict=True)
    )
    return max(1.0, total / (_size(baseline) - len(baseline)))


def _less_for_bursts(baseline: _Baseline) -> _Weights:
    """Weights by which days far above their like count less."""
    equal = {group: [1.0] * len(days) for group, days in baseline.items()}
    rates = _rates(baseline, equal)
    spread = math.sqrt(_dispersion(baseline, equal, rates))
    lowered: dict[Hashable, list[float]] = {}
    for group, days in baseline.items():
        whole = sum(e for _, e in days)
        lowered[group] = []
        for y, e in days:
            mean = rates[group] * e
            free = math.sqrt(max(1 - e / whole, 0.1))  # of its own pull on the mean
            # Anscombe's residual of a Poisson count.
            residual = 1.5 * (y ** (2 / 3) * mean ** (-1 / 6) - mean**0.5) / (spread * free)
            lowered[group].append(1.0 if residual <= _UNUSUAL else residual**-2)
    scale = _size(baseline) / sum(map(sum, lowered.values()))
    return {group: [scale * weight for weight in ones] for group, ones in lowered.items()}


def _quantile(share: float, mean: float, variance: float) -> int:
    """The smallest count that a negative binomial count is not above in *share* of cases."""
    size = mean * mean / (variance - mean)
    log_stop, log_go = math.log(mean / variance), math.log1p(-mean / variance)
    count = max(0, int(mean - 10 * math.sqrt(variance)))
    below = 0.0
    while True:
        below += math.exp(
            math.lgamma(count + size)
            - math.lgamma(size)
            - math.lgamma(count + 1)
            + size * log_stop
            + count * log_go
        )
        if below >= share or count > mean + 20 * math.sqrt(variance) + 20:
            return count
        count += 1
