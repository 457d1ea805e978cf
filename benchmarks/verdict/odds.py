"""How sure a count is: one-sided bounds of a probability (Clopper and Pearson 1934); and quantiles."""

from __future__ import annotations

import math
from collections.abc import Sequence


def at_most(count: int, runs: int, error: float = 0.05) -> float:
    """The upper bound of the probability of what was seen `count` times in `runs`; 1 - error^(1/runs) for none."""
    if count >= runs:
        return 1.0
    low, high = count / runs, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _no_more_than(count, runs, middle) > error else (low, middle)
    return high


def at_least(count: int, runs: int, error: float = 0.05) -> float:
    """The lower bound of that probability."""
    return 1 - at_most(runs - count, runs, error)


def _no_more_than(count: int, runs: int, p: float) -> float:
    """P(X <= count) of a binomial X."""
    if p <= 0 or p >= 1:
        return float(p <= 0)
    ways = (math.lgamma(runs + 1) - math.lgamma(k + 1) - math.lgamma(runs - k + 1) for k in range(count + 1))
    return math.fsum(
        math.exp(way + k * math.log(p) + (runs - k) * math.log1p(-p)) for k, way in enumerate(ways)
    )


def nearest_rank(ordered: Sequence[float], share: float) -> float:
    """The least of these numbers, in rising order, that so large a share of them doesn't exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
