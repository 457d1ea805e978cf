"""Noise against the sequential test: serial code whose labels a fair coin gives, in times that an adversary chooses.

An adversary knows all that came before, but not the coin. The code under test is the baseline, but pretends to keep
two processes busy, so that only the clock can find it out. `exact` is the probability for the worst of them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from grader.measure.decide import settle
from grader.measure.stats import evidence
from grader.model import Bars, Block

#: Gives the two times of the next block (seconds, first and second), from the speedups of those before.
Noise = Callable[[random.Random, Sequence[float]], tuple[float, float]]
BARS = Bars()
#: Blocks of the longest measurement: more than fit into the budget.
BLOCKS = 60


def bursts(dice: random.Random, past: Sequence[float]) -> tuple[float, float]:
    """A neighbour that comes and goes and halves the speed."""
    return tuple(0.4 * dice.choice((1.0, 2.0)) * dice.lognormvariate(0, 0.02) for _ in range(2))  # type: ignore[return-value]


def drift(dice: random.Random, past: Sequence[float]) -> tuple[float, float]:
    """A machine that gets hot: every trial slower than the one before."""
    first = 0.4 * 1.5 ** len(past) * dice.lognormvariate(0, 0.02)
    return first, first * 1.25 * dice.lognormvariate(0, 0.02)


def heavy_tails(dice: random.Random, past: Sequence[float]) -> tuple[float, float]:
    """Now and then a trial that takes many times as long."""
    return 1 + 0.2 * dice.paretovariate(0.8), 1 + 0.2 * dice.paretovariate(0.8)


def autocorrelated(dice: random.Random, past: Sequence[float]) -> tuple[float, float]:
    """A level that remembers the last block."""
    level = math.log(past[-1]) if past else 0.0
    return math.exp(0.9 * level + dice.gauss(0, 0.4)), math.exp(dice.gauss(0, 0.4))


def alternating(dice: random.Random, past: Sequence[float]) -> tuple[float, float]:
    """The worst for a test with a fixed order: every second trial is slow."""
    return 1.0, 1.8 * dice.lognormvariate(0, 0.01)


def stops_when_ahead(dice: random.Random, past: Sequence[float]) -> tuple[float, float]:
    """Plays while it is behind, and keeps still for a while when it is ahead."""
    ahead = sum(s > 1 for s in past) - sum(s < 1 for s in past)
    return (1.0, 1.0) if ahead > 3 and len(past) % 3 else (1.0, 3.0)


def moves_the_median(dice: random.Random, past: Sequence[float]) -> tuple[float, float]:
    """Small differences while it loses, large ones while it wins."""
    return 1.0, 4.0 if past and past[-1] > 1 else 1.6


ADVERSARIES: dict[str, Noise] = {
    "bursts": bursts,
    "drift": drift,
    "heavy tails": heavy_tails,
    "autocorrelated": autocorrelated,
    "alternating": alternating,
    "stops when ahead": stops_when_ahead,
    "moves the median": moves_the_median,
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
    """So many measurements under one adversary's noise."""
    dice = random.Random(f"{seed} {name}")
    shares = [_points(_blocks(ADVERSARIES[name], dice)) for _ in range(runs)]
    return Fooled(name, runs, shares.count(1.0), shares.count(0.5), exact(BLOCKS))


def exact(blocks: int, alpha: float = BARS.alpha) -> float:
    """The probability that a fair coin's wins and losses are ever worth 1/alpha within so many blocks.

    No adversary does better than one whose every block counts: a block in between the bars changes nothing.
    """
    alive = {0: 1.0}  # wins -> probability, of those not there yet
    there = 0.0
    for count in range(1, blocks + 1):
        reached: dict[int, float] = {}
        for wins, p in alive.items():
            for now in (wins, wins + 1):
                reached[now] = reached.get(now, 0.0) + p / 2
        won = {w for w in reached if count >= BARS.min_blocks and evidence(w, count - w) >= 1 / alpha}
        there += sum(reached[w] for w in won)
        alive = {w: p for w, p in reached.items() if w not in won}
    return there


def _blocks(noise: Noise, dice: random.Random) -> Iterator[Block]:
    past: list[float] = []
    reach = 1.6
    for _ in range(BLOCKS):
        first, second = noise(dice, past)
        serial, parallel = (first, second) if dice.random() < 0.5 else (second, first)
        before, reach = reach, dice.uniform(1.35, 1.9)
        past.append(serial / parallel)
        yield Block(serial, parallel, before, reach, (0.4,), (0.0, 0.2, 0.2))


def _points(blocks: Iterator[Block]) -> float:
    """The share of the points that it gets in the end; the test may stop it at any block."""
    seen: list[Block] = []
    for block in blocks:
        seen.append(block)
        if len(seen) >= BARS.min_blocks and (decision := settle(seen, BARS, usable=2.0)):
            return decision.share
    return 0.0
