"""Two counts compared: how much larger the one rate is than the other, and how sure that is."""

import math
from typing import Final, NamedTuple

_Z: Final = 1.959964  # standard deviations that 95 % of a normal distribution lie within


class Ratio(NamedTuple):
    """A rate in proportion to an earlier one, and an interval of 95 % around it.

    A None is infinite: the earlier count is nothing.
    """

    ratio: float | None
    low: float
    high: float | None


def rate_ratio(count: int, seen: float, before: int, seen_before: float) -> Ratio | None:
    """Compare *count* in *seen* with *before* in *seen_before*; None where nothing can be told.

    Where both are Poisson counts, how many of the two together fall on the later side is
    binomial. The interval is Wilson's (1927) of that share, made a ratio: the interval by
    scores of Graham, Mengersen and Morton (2003, Statistics in Medicine 22:2071). It holds for
    small counts, and for none.

    Args:
        seen: What *count* was found in, as the number of articles that were monitored.
    """
    total = count + before
    if not total or seen <= 0 or seen_before <= 0:
        return None
    share, square = count / total, _Z * _Z / total
    middle = share + square / 2
    half = math.sqrt(square * share * (1 - share) + square * square / 4)
    low, high = (middle - half) / (1 + square), (middle + half) / (1 + square)
    scale = seen_before / seen
    return Ratio(
        ratio=scale * count / before if before else None,
        low=scale * low / (1 - low) if count else 0.0,
        high=scale * high / (1 - high) if before else None,
    )
