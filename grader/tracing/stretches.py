"""How much of a stretch of time others cover. Pure; times in seconds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from grader.tracing.timeline import Lane, State

Stretch = tuple[float, float]


def of(lane: Lane, *states: State) -> list[Stretch]:
    """Where the lane's main thread was in one of the states."""
    return [(span.start, span.end) for span in lane.spans if span.state in states]


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same moments as stretches that are in order and apart."""
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        elif end > start:
            found.append((start, end))
    return found


class Cover:
    """The moments that are in at least one of the stretches."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        self._stretches = merged(stretches)
        self._starts = [start for start, _ in self._stretches]
        self._before = [0.0, *accumulate(end - start for start, end in self._stretches)]

    def seconds(self, start: float, end: float) -> float:
        """How many seconds between `start` and `end` are covered."""
        return max(0.0, self._until(end) - self._until(start))

    def of(self, stretches: Iterable[Stretch]) -> float:
        """How many seconds of the stretches, which must not overlap each other, are covered."""
        return sum(self.seconds(start, end) for start, end in stretches)

    def _until(self, moment: float) -> float:
        place = bisect_right(self._starts, moment) - 1
        if place < 0:
            return 0.0
        start, end = self._stretches[place]
        return self._before[place] + min(moment, end) - start
