"""The sequential sign test: pure functions of counts and ratios.

If both arms are the same code, a coin decides which of two exchangeable times is called serial, so a win (S > bar)
and a loss (S < 1/bar) are a fair coin whatever the noise. `evidence` bets on wins; it is a nonnegative
martingale under a fair coin, so by Ville's inequality P(it ever reaches 1/alpha) <= alpha, at any stopping time
(Howard, Ramdas et al., "Time-uniform Chernoff bounds via nonnegative supermartingales", 2020).

How far apart the two times are does not depend on which of them is called serial, so the coin stays fair where that is
known, and the stake may depend on it: more on a pair that is wide apart, where good code hardly ever loses (as signed
ranks do: Wilcoxon, "Individual Comparisons by Ranking Methods", 1945).
"""

from __future__ import annotations

import bisect
import math
import statistics
from collections.abc import Sequence

#: The mixture of bets: probability of a win that each bet expects, the same where the two times are wide apart, and the
#: share of the stake on it.
_BETS = ((0.6, 0.75, 0.1), (0.75, 0.95, 0.2), (0.9, 0.985, 0.3), (0.97, 0.99, 0.4))
#: Two times are wide apart from this ratio on, whichever is the larger.
WIDE = 1.25

#: The level of the reported interval. It is shown, not decided on, so it need not be as strict as the test.
INTERVAL_ALPHA = 0.05


def evidence(wins: int, losses: int, wide_wins: int = 0, wide_losses: int = 0) -> float:
    """How much a bet of 1 on "wins" is worth by now; of w wins and l losses, W and L more are wide apart:

        E = sum_j c_j (2 p_j)^w (2 (1 - p_j))^l (2 q_j)^W (2 (1 - q_j))^L

    12 wins without a loss are worth more than 1000, and so are 11 that are wide apart.
    """
    return sum(
        share
        * (2 * p) ** wins
        * (2 * (1 - p)) ** losses
        * (2 * q) ** wide_wins
        * (2 * (1 - q)) ** wide_losses
        for p, q, share in _BETS
    )


def interval(ratios: Sequence[float], alpha: float = INTERVAL_ALPHA) -> tuple[float, float]:
    """The anytime-valid interval of the median ratio: every theta against which neither side has evidence 2/alpha.

    Its ends are measured ratios; (0, inf) while there are too few.
    """
    ordered = sorted(ratios)
    count = len(ordered)
    enough = 2 / alpha  # half of alpha for each side
    low = max((r for i, r in enumerate(ordered) if evidence(count - i, i) >= enough), default=0.0)
    high = min(
        (r for i, r in enumerate(ordered) if evidence(i + 1, count - i - 1) >= enough), default=math.inf
    )
    return low, high


class RunningMedian:
    """The median of numbers that come one after the other."""

    def __init__(self) -> None:
        self._ordered: list[float] = []

    def add(self, value: float) -> float:
        """The median of all numbers so far, this one among them."""
        bisect.insort(self._ordered, value)
        middle, odd = divmod(len(self._ordered), 2)
        return self._ordered[middle] if odd else (self._ordered[middle - 1] + self._ordered[middle]) / 2


def median(values: Sequence[float]) -> float:
    """The median; NaN of nothing."""
    return statistics.median(values) if values else math.nan


def gain(speedup: float, reach: float) -> float:
    """g = (S - 1)/(R - 1), the share of the reachable gain; NaN where next to nothing can be gained (R < 1.1)."""
    return (speedup - 1) / (reach - 1) if reach >= 1.1 else math.nan
