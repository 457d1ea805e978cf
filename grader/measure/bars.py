"""Where the bars of a speedup stand, given the reach. Pure."""

from __future__ import annotations

from grader.model import Bars


def pass_bar(reach: float, bars: Bars) -> float:
    """The speedup from which a block counts for `met`: max(floor, 1 + f_pass (R - 1))."""
    return max(bars.floor, 1 + bars.f_pass * (reach - 1))


def half_bar(reach: float, bars: Bars) -> float | None:
    """The speedup from which a block counts for half of the points; None where the lab gives none."""
    return None if bars.f_half is None else max(bars.floor, 1 + bars.f_half * (reach - 1))


def fail_bar(reach: float, bars: Bars) -> float:
    """The speedup below which a block counts for `not yet`: 1 + f_fail (R - 1)."""
    return 1 + bars.f_fail * (reach - 1)
