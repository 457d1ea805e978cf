"""Noise against the sequential test: serial code whose labels a fair coin gives, in times that an adversary chooses.

An adversary knows all that came before, but not the coin; nor do the calibrations know it. The code under test is the
baseline, but pretends to keep two processes busy, so that only the clock can find it out. `exact` is the probability
for the worst of them.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader.assess import PAIRS_FREE
from grader.measure.decide import conclude, settle
from grader.measure.stats import evidence
from grader.model import Bars, Block, Clock

#: Yields the two times (seconds, first and second) of one block after the other, and may read the speedups so far.
Noise = Callable[[random.Random, Sequence[float]], Iterator[tuple[float, float]]]
BARS = Bars()
#: Blocks of a long measurement.
BLOCKS = 60
_CLOCKS: tuple[Clock, ...] = ("free", "wall")
_PAIRS: dict[Clock, int] = {"free": PAIRS_FREE, "wall": 1}
_USABLE = 2.0  # cores


def bursts(dice: random.Random, past: Sequence[float]) -> Iterator[tuple[float, float]]:
    """A neighbour that comes and goes, for some trials at a time, and halves the speed."""
    busy, times = False, [0.0, 0.0]
    while True:
        for trial in range(2):
            busy = busy if dice.random() < 0.8 else not busy
            times[trial] = (2.0 if busy else 1.0) * dice.lognormvariate(0, 0.02)
        yield times[0], times[1]


def drift(dice: random.Random, past: Sequence[float]) -> Iterator[tuple[float, float]]:
    """A machine that gets hot: every trial slower than the one before."""
    slower = 1.0
    while True:
        slower *= 1.5
        yield slower * dice.lognormvariate(0, 0.02), 1.25 * slower * dice.lognormvariate(0, 0.02)


def heavy_tails(dice: random.Random, past: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Now and then a trial that takes many times as long."""
    while True:
        yield 1 + 0.2 * dice.paretovariate(0.8), 1 + 0.2 * dice.paretovariate(0.8)


def autocorrelated(dice: random.Random, past: Sequence[float]) -> Iterator[tuple[float, float]]:
    """A slow random walk with large steps."""
    level = 0.0
    while True:
        first = 0.9 * level + dice.gauss(0, 0.4)
        level = 0.9 * first + dice.gauss(0, 0.4)
        yield math.exp(first), math.exp(level)


def alternating(dice: random.Random, past: Sequence[float]) -> Iterator[tuple[float, float]]:
    """The worst for a test with a fixed order: every second trial is slow."""
    while True:
        yield 1.0, 1.8 * dice.lognormvariate(0, 0.01)


def stops_when_ahead(dice: random.Random, past: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Plays on while it is behind, and keeps still for a while when it is ahead."""
    while True:
        ahead = sum(s > 1 for s in past) - sum(s < 1 for s in past)
        yield (1.0, 1.0) if ahead > 3 and len(past) % 3 else (1.0, 3.0)


def moves_the_median(dice: random.Random, past: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Small differences after a loss, large ones after a win."""
    while True:
        yield 1.0, 4.0 if past and past[-1] > 1 else 1.6


def chooses_the_stake(dice: random.Random, past: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Times that are wide apart while it is ahead, and a little apart while it is behind."""
    while True:
        ahead = sum(s > 1 for s in past) - sum(s < 1 for s in past)
        yield 1.0, 2.5 if ahead > 0 else 1.2


ADVERSARIES: dict[str, Noise] = {
    "bursts": bursts,
    "drift": drift,
    "heavy tails": heavy_tails,
    "autocorrelated": autocorrelated,
    "alternating": alternating,
    "stops when ahead": stops_when_ahead,
    "moves the median": moves_the_median,
    "chooses the stake": chooses_the_stake,
}


@dataclass(frozen=True)
class Fooled:
    """How many of `runs` measurements of serial code got full points, or half of them; the exact worst case."""

    adversary: str
    runs: int
    met: int
    half: int
    exact: float


def fooled(name: str, runs: int, seed: int) -> Fooled:
    """So many measurements under one adversary's noise, by the two clocks in turn."""
    dice = random.Random(f"{seed} {name}")
    shares = [share(ADVERSARIES[name], dice, _CLOCKS[run % 2]) for run in range(runs)]
    return Fooled(name, runs, shares.count(1.0), shares.count(0.5), exact(BLOCKS))


@functools.cache
def exact(most: int, alpha: float = BARS.alpha) -> float:
    """The probability that a fair coin's wins and losses are ever worth 1/alpha within so many blocks.

    For the adversary who knows best, before each block, whether to make its two times wide apart or not; a block in
    between the bars changes nothing, so each of its blocks counts. From the last block back to the first: `chance`
    has it for each number of wins, losses and wide wins; what is left of the blocks are wide losses.
    """
    wins, losses, wide_wins = np.indices((most + 1,) * 3)
    chance = np.zeros(wins.shape)
    for count in range(most, -1, -1):
        wide_losses = count - wins - losses - wide_wins
        little = np.roll(chance, -1, axis=0) + np.roll(chance, -1, axis=1)
        wide = np.roll(chance, -1, axis=2) + chance
        chance = np.maximum(little, wide) / 2
        there = evidence(wins, losses, wide_wins, np.maximum(wide_losses, 0)) >= 1 / alpha
        chance = np.where(wide_losses < 0, 0.0, np.where(there & (count >= BARS.min_blocks), 1.0, chance))
    return float(chance[0, 0, 0])


def share(
    noise: Noise, dice: random.Random, clock: Clock = "wall", coin: Callable[[], bool] | None = None
) -> float:
    """The part of the points (0 to 1) that one measurement gets in which an adversary chooses the times.

    The coin names them; without another one, a fair one. Blocks stand between calibrations as the product's do: by the
    wall clock each by itself; else three, or fewer where they are enough. A third of the calibrations are too low.
    """
    past: list[float] = []
    seen: list[Block] = []
    reach = 1.6
    times = noise(dice, past)
    while len(seen) < BLOCKS:
        bracket: list[Block] = []
        while not bracket or (len(bracket) < _PAIRS[clock] and not settle([*seen, *bracket], BARS, _USABLE)):
            first, second = next(times)
            heads = coin() if coin else dice.random() < 0.5
            serial, parallel = (first, second) if heads else (second, first)
            past.append(serial / parallel)
            bracket.append(Block(serial, parallel, reach, reach, (0.4,), (0.0, 0.2, 0.2), clock=clock))
        reach = dice.uniform(1.1, 1.9)
        seen += [replace(block, reach_after=reach) for block in bracket]
        if decision := settle(seen, BARS, _USABLE):
            return decision.share
    return conclude(seen, BARS, math.ceil(_USABLE), _USABLE, (1.6,)).share
