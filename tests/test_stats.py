"""The sequential sign test: what it takes to be sure, and that serial code is caught whatever the noise."""

from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from grader.measure.stats import evidence, gain, interval, median

RATIOS = st.lists(st.floats(min_value=0.01, max_value=100), min_size=1, max_size=40)


def test_twelve_unanimous_wins_are_enough_and_eleven_are_not() -> None:
    assert evidence(11, 0) < 1000 <= evidence(12, 0)


def test_one_loss_takes_more_wins_to_make_up_for() -> None:
    assert evidence(12, 1) < 1000
    assert evidence(20, 1) >= 1000


def test_as_many_losses_as_wins_are_worth_less_than_the_stake() -> None:
    assert all(evidence(count, count) <= 1 for count in range(30))


def test_wins_that_are_wide_apart_are_enough_sooner_and_narrow_losses_cost_less_beside_them() -> None:
    assert evidence(0, 0, 10) < 1000 <= evidence(0, 0, 11)
    assert evidence(0, 2, 16) >= 1000 > evidence(16, 2)
    assert evidence(0, 0, 16, 1) < evidence(0, 1, 16)


@given(*[st.integers(0, 40)] * 4)
def test_a_fair_coin_neither_gains_nor_loses_on_average_however_far_apart(
    wins: int, losses: int, wide_wins: int, wide_losses: int
) -> None:
    now = wins, losses, wide_wins, wide_losses
    little = evidence(wins + 1, *now[1:]) + evidence(wins, losses + 1, *now[2:])
    wide = evidence(*now[:2], wide_wins + 1, wide_losses) + evidence(*now[:3], wide_losses + 1)
    assert math.isclose(little / 2, evidence(*now), rel_tol=1e-9)
    assert math.isclose(wide / 2, evidence(*now), rel_tol=1e-9)


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
