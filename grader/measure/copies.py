"""From peaks to a ruling on memory. Pure.

copies = (peak of the tree - peak of its idle twin) / payload, both with the same workers and start method. A round
weighs the program with 2 workers and with 4. One round rules when it is clearly below the bars, two when both are
clearly above one of them; else three do, by their medians.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.measure.stats import median
from grader.model import Outcome
from grader.weights import Footprint, MemoryBars, Weighing

WORKERS = (2, 4)
MOST_ROUNDS = 3
MIB = 1024 * 1024

#: A payload below this one drowns in what interpreters weigh.
_LEAST_PAYLOAD = 16 * MIB
#: Nor may the twin's own spread come near a quarter of it.
_LEAST_SPREADS = 4
#: With fewer samples the peak was hardly seen.
_LEAST_SAMPLES = 3
#: So near to a bar, in copies, one round doesn't rule. Repetitions of the same program differ by less than that.
_NEAR_COPIES, _NEAR_GROWTH = 0.25, 0.1

#: The weighings of one round, in the order of WORKERS.
Round = tuple[Weighing, ...]


@dataclass(frozen=True)
class Twin:
    """The idle twin with so many workers, weighed before the learner's code: peaks in bytes, processes at once."""

    workers: int
    peaks: tuple[int, ...]
    processes: int

    @property
    def peak(self) -> int:
        return round(median(self.peaks))


@dataclass(frozen=True)
class Ruling:
    """What was weighed says this. `cause` is a stable name."""

    outcome: Outcome
    cause: str


def too_poor_to_weigh(payload: int, twins: Sequence[Twin]) -> Ruling | None:
    """Why memory can't be told here whatever the program does; None where it can."""
    if not all(min(twin.peaks, default=0) for twin in twins):
        return Ruling("cannot tell", "memory not readable")
    spread = max(max(twin.peaks) - min(twin.peaks) for twin in twins)
    if payload < max(_LEAST_PAYLOAD, _LEAST_SPREADS * spread):
        return Ruling("cannot tell", "payload too small to weigh")
    return None


def rule(rounds: Sequence[Round], bars: MemoryBars) -> Ruling | None:
    """The ruling, or None where another round is needed."""
    if any(weighing.curve.samples < _LEAST_SAMPLES for one in rounds for weighing in one):
        return Ruling("cannot tell", "too short to weigh")
    over = [_over(one, bars) for one in rounds]
    if len(rounds) < MOST_ROUNDS and not _is_clear(over):
        return None
    if median([steep for _, steep in over]) > 0:
        return Ruling("not yet", "payload copied")
    too_many = median([many for many, _ in over]) > 0
    return Ruling("not yet", "held more than once") if too_many else Ruling("met", "shared")


def _over(one: Round, bars: MemoryBars) -> tuple[float, float]:
    """How far a round is above both bars (below 0: under them): the copies, and their growth."""
    return max(weighing.copies for weighing in one) - bars.copies, growth(one) - bars.growth


def _is_clear(over: Sequence[tuple[float, float]]) -> bool:
    """Is the one round far below both bars, or are two of them far above one?

    Once in a while a look meets pages on their way from one process to another, and counts them twice. So one round
    alone refuses nobody.
    """
    if len(over) == 1:
        return over[0][0] < -_NEAR_COPIES and over[0][1] < -_NEAR_GROWTH
    return all(copies > _NEAR_COPIES or grown > _NEAR_GROWTH for copies, grown in over)


def growth(one: Round) -> float:
    """The copies that came with going from the fewest workers to the most.

    The first copy is free: a program that at no time holds all of the data at once may hold more of them with more
    workers.
    """
    return one[-1].copies - max(1.0, one[0].copies)


def allowed(footprint: Footprint, weighing: Weighing) -> float:
    """The most copies that this weighing may show, given the one with the fewest workers."""
    fewest, bars = footprint.weighings[0], footprint.bars
    return bars.copies if weighing is fewest else min(bars.copies, max(1.0, fewest.copies) + bars.growth)


def footprint(rounds: Sequence[Round], bars: MemoryBars) -> Footprint:
    """Of all rounds, for each number of workers the weighing that is the median."""
    shown = []
    for weighings in zip(*rounds, strict=True):
        ordered = sorted(weighings, key=lambda weighing: weighing.copies)
        shown.append(ordered[len(ordered) // 2])
    return Footprint(shown[0].payload, tuple(shown), bars, len(rounds))
