"""The sequential sign test: what it takes to be sure, and that serial code is caught whatever the noise."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.measure.decide import settle
from grader.measure.stats import evidence, gain, interval, median
from grader.model import Bars, Block

RATIOS = st.lists(st.floats(min_value=0.01, max_value=100), min_size=1, max_size=40)


def test_twelve_unanimous_wins_are_enough_and_eleven_are_not() -> None:
    assert evidence(11, 0) < 1000 <= evidence(12, 0)


def test_one_loss_takes_more_wins_to_make_up_for() -> None:
    assert evidence(12, 1) < 1000
    assert evidence(20, 1) >= 1000


def test_as_many_losses_as_wins_are_worth_less_than_the_stake() -> None:
    assert all(evidence(count, count) <= 1 for count in range(30))


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_fair_coin_neither_gains_nor_loses_on_average(wins: int, losses: int) -> None:
    expected = (evidence(wins + 1, losses) + evidence(wins, losses + 1)) / 2
    assert math.isclose(expected, evidence(wins, losses), rel_tol=1e-9)


@given(RATIOS)
def test_the_interval_holds_the_median(ratios: list[float]) -> None:
    low, high = interval(ratios)
    assert low <= median(ratios) <= high


def test_the_interval_is_everything_while_there_are_too_few() -> None:
    assert interval([]) == (0.0, math.inf)
    assert interval([1.5, 1.6, 1.7]) == (0.0, math.inf)


def test_the_interval_widens_with_fewer_blocks() -> None:
    same_spread = {count: [1 + i / (count - 1) for i in range(count)] for count in (4, 8, 20, 60)}
    widths = [high - low for low, high in map(interval, same_spread.values())]
    assert widths[0] == math.inf
    assert all(fewer > more for fewer, more in pairwise(widths))


def test_a_stricter_interval_is_wider() -> None:
    ratios = [1 + number / 20 for number in range(20)]
    low, high = interval(ratios, alpha=0.05)
    stricter_low, stricter_high = interval(ratios, alpha=0.001)
    assert stricter_low <= low
    assert high <= stricter_high


def test_the_median_of_nothing_and_the_gain_of_nothing_are_not_numbers() -> None:
    assert math.isnan(median([]))
    assert math.isnan(gain(1.5, 1.0))
    assert gain(1.5, 2.0) == 0.5


# Noise that a neighbour, a governor or a scheduler could make. Each yields the factor on the next time.


def bursts(dice: random.Random) -> Iterator[float]:
    """A neighbour that comes and goes, for some trials at a time, and halves the speed."""
    busy = False
    while True:
        busy = busy if dice.random() < 0.8 else not busy
        yield (2.0 if busy else 1.0) * dice.lognormvariate(0, 0.02)


def drift(dice: random.Random) -> Iterator[float]:
    """A machine that gets hot: every trial slower than the one before."""
    factor = 1.0
    while True:
        factor *= 1.25
        yield factor * dice.lognormvariate(0, 0.02)


def heavy_tails(dice: random.Random) -> Iterator[float]:
    """Now and then a trial that takes many times as long."""
    while True:
        yield 1 + 0.2 * dice.paretovariate(0.8)


def autocorrelated(dice: random.Random) -> Iterator[float]:
    """A slow random walk with large steps."""
    level = 0.0
    while True:
        level = 0.9 * level + dice.gauss(0, 0.4)
        yield math.exp(level)


def alternating(dice: random.Random) -> Iterator[float]:
    """The worst for a test with a fixed order: every second trial is slow."""
    while True:
        yield 1.0
        yield 1.8 * dice.lognormvariate(0, 0.01)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [bursts, drift, heavy_tails, autocorrelated, alternating])
def test_serial_code_is_met_in_at_most_alpha_of_the_runs_whatever_the_noise(
    noise: Callable[[random.Random], Iterator[float]],
) -> None:
    """2,000 runs of up to 30 blocks under each noise, at alpha = 1e-3.

    The code under test is the baseline, but it pretends to keep two processes busy, so that only the clock can find
    it out. If the bound of alpha were reached, 8 or more passes would have a probability of 0.0011.
    """
    dice = random.Random(f"serial under {noise.__name__}")
    assert sum(_is_met(noise(dice), lambda: dice.random() < 0.5, dice) for _ in range(2000)) <= 7


def test_without_the_coin_the_same_noise_would_fool_the_test() -> None:
    """Every second trial slow, and the serial one always second: so the property above has teeth."""
    dice = random.Random(5)
    assert all(_is_met(alternating(dice), lambda: False, dice) for _ in range(20))


def _is_met(factors: Iterator[float], coin: Callable[[], bool], dice: random.Random) -> bool:
    bars, blocks, reach = Bars(), [], 1.5
    for _ in range(30):
        first, second = 0.4 * next(factors), 0.4 * next(factors)
        serial, parallel = (first, second) if coin() else (second, first)
        before, reach = reach, dice.uniform(1.35, 1.6)
        blocks.append(Block(serial, parallel, before, reach, (0.4,), (0.0, 0.2, 0.2)))
        if len(blocks) >= bars.min_blocks and (decision := settle(blocks, bars, usable=2.0)):
            return decision.outcome == "met"
    return False
