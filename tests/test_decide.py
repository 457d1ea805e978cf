"""Blocks in, decision out: every cause, and what simulated machines make of serial, half-parallel and good code."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.measure.bars import fail_bar, half_bar, pass_bar
from grader.measure.busy import busiest_share, cpu_speedup, one_busy
from grader.measure.decide import Decision, conclude, estimate, hopeless, how_sure, settle
from grader.measure.stats import WIDE
from grader.model import Bars, Block

BARS = Bars()
QUIET = (1.9, 1.9, 1.9)
LOADED = (1.1, 1.1, 1.1)


def block(
    speedup: float, reach: float = 1.9, cpu: tuple[float, ...] = (0.01, 0.2, 0.2), cpu_serial: float = 0.4
) -> Block:
    return Block(0.4, 0.4 / speedup, reach, reach, (cpu_serial,), cpu)


def decide(blocks: list[Block], before: tuple[float, ...] = QUIET, usable: float = 2.0) -> Decision:
    return conclude(blocks, BARS, 2, usable, before)


def sure(blocks: list[Block]) -> Decision | None:
    return settle(blocks, BARS, usable=2.0)


# Every cause


@pytest.mark.parametrize("count", [8, 10, 14])
def test_cpu_seconds_never_overrule_a_clean_clock(count: int) -> None:
    """Workers that take turns (start, get, join in one loop) share the CPU seconds well and gain nothing."""
    in_turns = block(0.9, cpu=(0.02, 0.2, 0.2))
    assert decide([in_turns] * count).outcome != "met"


@pytest.mark.parametrize("speedup", [0.7, 0.95])
def test_cpu_seconds_need_a_clock_that_shows_some_gain_even_in_void_blocks(speedup: float) -> None:
    """A pool that sleeps, or takes turns, beside a busy neighbour: void blocks, well spread CPU seconds."""
    void = block(speedup, reach=1.15)
    assert decide([void] * 30, before=LOADED) == Decision("cannot tell", "load", beforehand=True)
    assert decide([block(1.15, reach=1.15)] * 12, before=LOADED).provisional
    assert not decide([*[block(1.15, reach=1.15)] * 12, void, void], before=LOADED).provisional


def test_eleven_fast_blocks_are_a_clear_gain() -> None:
    assert sure([block(1.8)] * 10) is None
    assert sure([block(1.8)] * 11) == Decision("met", "clear gain", share=1.0)


def test_a_block_that_is_a_little_faster_says_less_against_serial_code() -> None:
    little = [block(1.23, reach=1.35)]
    assert pass_bar(1.35, BARS) < 1.23 < WIDE
    assert sure(little * 11) is None
    assert sure(little * 12) == Decision("met", "clear gain", share=1.0)
    assert sure([*little * 5, block(1.8, reach=1.35), *little * 5]) is None


def test_one_block_a_little_slower_than_serial_costs_less_than_one_far_slower() -> None:
    fast, slower, far_slower = (block(speedup, reach=1.35) for speedup in (1.8, 0.84, 0.5))
    assert sure([slower, *[fast] * 15]) == Decision("met", "clear gain", share=1.0)
    assert sure([far_slower, *[fast] * 15]) is None


def test_of_blocks_that_turn_out_void_only_afterwards_the_losses_count() -> None:
    """A win that is enough ends a bracket at once; else noise after it could void the losses alone."""
    fast, slow = block(1.8), replace(block(0.5), clock="free")
    assert sure([slow, *[fast] * 12]) is None
    assert sure([replace(slow, reach_after=1.2), *[fast] * 12]) is None
    assert sure([replace(slow, reach_before=1.2), *[fast] * 12]) == Decision("met", "clear gain", share=1.0)


def test_by_the_wall_clock_a_block_with_one_low_calibration_speaks_against_serial_code_only() -> None:
    """How much could be gained in it nobody knows; who was the faster is plain."""
    fast = block(1.8)
    for lucky in (replace(fast, reach_before=1.2), replace(fast, reach_after=1.2)):
        assert sure([*[fast] * 8, *[lucky] * 2]) is None
        assert sure([*[fast] * 8, *[lucky] * 3]) == Decision("met", "clear gain", share=1.0)
        assert sure([*[fast] * 7, *[lucky] * 9]) is None, "eight clean blocks tell how large the gain is"
        assert sure([*[fast] * 8, *[replace(lucky, clock="free")] * 3]) is None
    for slow in (replace(block(0.5), reach_before=1.2), replace(block(0.5), reach_after=1.2)):
        assert sure([slow, *[fast] * 12]) is None, "so is a loss"
    nobody_knows = replace(slow, reach_before=1.2)
    assert sure([nobody_knows, *[fast] * 12]) == Decision("met", "clear gain", share=1.0)


def test_it_is_not_said_to_be_sure_before_there_are_blocks_enough_to_tell_how_large_the_gain_is() -> None:
    lucky = replace(block(1.8), reach_after=1.2)
    heading, way = how_sure([*[block(1.8)] * 7, *[lucky] * 6], BARS)
    assert (heading, way) == ("met", pytest.approx(7 / 8))
    assert how_sure([*[block(1.8)] * 8, *[lucky] * 6], BARS) == ("met", 1.0)


def test_where_a_better_clock_failed_blocks_are_judged_by_what_was_known_before_the_coin() -> None:
    """Their brackets have several blocks, and may end with a win."""
    fast = replace(block(1.8), why_wall="the program changed the affinity of its processes")
    slow = replace(fast, t_parallel=1.0)
    assert sure([*[fast] * 8, *[replace(fast, reach_after=1.2)] * 3]) is None
    assert sure([*[fast] * 12, replace(slow, reach_after=1.2)]) is None
    assert sure([*[fast] * 12, replace(slow, reach_before=1.2)]) == Decision("met", "clear gain", share=1.0)


def test_a_win_needs_the_bar_of_the_calibration_after_it_too() -> None:
    """Else a bracket could end with a win that a better look at the machine takes away."""
    short = replace(block(1.3), clock="free", reach_after=3.2)
    assert 1 + BARS.f_half * 0.9 < short.speedup < 1 + BARS.f_half * (short.reach - 1)  # type: ignore[operator]
    fast = replace(block(1.9), clock="free")
    assert sure([*[fast] * 10, fast]) == Decision("met", "clear gain", clock="free", share=1.0)
    assert sure([short, *[fast] * 10]) is None


def test_workers_too_short_lived_to_be_seen_win_by_the_smaller_speedup_and_lose_by_the_free_one() -> None:
    little, far_slower = (
        replace(block(s, reach=1.35), clock="free", seen=0.5, others=1.0, wall=block(by_wall, reach=1.35))
        for s, by_wall in ((1.8, 1.23), (0.5, 1.0))
    )
    assert sure([little] * 11) is None
    assert sure([little] * 12) == Decision("met", "clear gain", clock="free", share=1.0)
    assert sure([far_slower, *[replace(little, seen=1.0)] * 15]) is None


def test_a_few_fast_blocks_that_are_not_quite_so_fast_cost_no_time_where_most_are() -> None:
    """A block between the bars can't be serial code's luck either; so two thirds above the bar are enough."""
    fast, between = block(1.8), block(1.4)
    assert pass_bar(1.9, BARS) > between.speedup > 1 + BARS.f_half * 0.9  # type: ignore[operator]
    assert sure([fast, fast, between] * 3 + [fast]) is None
    assert sure([fast, fast, between] * 3 + [fast, fast]) == Decision("met", "clear gain", share=1.0)


def test_where_as_many_blocks_lie_between_the_bars_as_above_it_takes_twelve_above() -> None:
    half = [block(1.8), block(1.4)]
    assert sure(half * 11 + [block(1.4)]) is None
    assert sure(half * 12) == Decision("met", "clear gain", share=1.0)


def test_fast_blocks_among_slow_ones_prove_nothing() -> None:
    """Code that wins by luck loses as often: then no lead above the bar counts."""
    assert sure([block(1.8)] * 10 + [block(0.6)] * 2) is None


def test_many_slow_blocks_are_a_gain_too_small() -> None:
    assert sure([block(1.1)] * 14) is None
    assert sure([block(1.1)] * 15) == Decision("not yet", "gain too small")


def test_who_surely_misses_the_bar_waits_for_half_of_the_points_for_24_blocks_at_most() -> None:
    near = block(1.19)  # between the bar for half of the points and where that is surely missed
    assert sure([near] * 23) is None
    assert sure([near] * 24) == Decision("not yet", "gain too small")


def test_who_surely_misses_the_bar_by_little_waits_for_24_blocks_and_not_for_the_end() -> None:
    between = replace(block(1.4), clock="free")
    assert sure([between] * 23) is None
    assert sure([between] * 24) == Decision("not yet", "gain too small", clock="free", share=0.5)
    above, low = (replace(block(speedup), clock="free") for speedup in (1.6, 1.2))
    assert sure([between] * 23 + [above]) is None, "before the end it is asked more strictly"
    assert decide([between] * 23 + [above]).outcome == "not yet"
    assert 1.15 < 1.2 < half_bar(1.9, BARS) < 1.4  # type: ignore[operator]
    assert sure([low, low, low, between] * 7) is None, "who may yet earn half of the points goes on"
    assert sure([block(1.4)] * 24) is None, (
        "by the wall clock a block that is clean by luck has too high a bar"
    )


def test_the_way_to_surely_below_the_bar_is_shown() -> None:
    ways = [how_sure([replace(block(1.4), clock="free")] * count, BARS) for count in (4, 12, 23, 24)]
    assert [heading for heading, _ in ways[1:]] == ["not yet"] * 3
    assert ways[0][1] < ways[1][1] < ways[2][1] < ways[3][1] == 1.0


def test_one_busy_process_is_not_yet_after_four_blocks() -> None:
    alone = block(1.0, cpu=(0.01, 0.4))
    assert sure([alone] * 3) is None
    assert sure([alone] * 4) == Decision("not yet", "one busy process")


def test_one_busy_process_names_the_clock_that_its_blocks_have() -> None:
    alone = replace(block(1.0, cpu=(0.01, 0.4)), clock="free")
    assert sure([alone] * 4) == Decision("not yet", "one busy process", clock="free")


def test_a_better_serial_program_is_faster_without_processes() -> None:
    vectorised = block(20.0, cpu=(0.02,))
    assert sure([vectorised] * 4) == Decision("not yet", "faster without processes")


def test_blocks_between_the_bars_are_close_to_the_bar() -> None:
    between = block(1.45, cpu=(0.02, 0.26, 0.2))
    assert decide([between] * 30) == Decision("cannot tell", "close to the bar", share=0.5)


def test_few_blocks_between_the_bars_are_too_few() -> None:
    assert decide([block(1.45, cpu=(0.02, 0.26, 0.2))] * 3) == Decision("cannot tell", "too few blocks")


def test_no_block_at_all_is_too_few_blocks_or_load() -> None:
    assert decide([]) == Decision("cannot tell", "too few blocks")
    assert decide([], before=LOADED) == Decision("cannot tell", "load", beforehand=True)


def test_cpu_seconds_that_spread_well_are_met_provisionally_where_the_clock_is_useless() -> None:
    decision = decide([block(1.2, reach=1.1)] * 12, before=LOADED)
    assert decision == Decision("met", "clear gain by CPU seconds", provisional=True, clock="cpu", share=1.0)


def test_cpu_seconds_that_do_not_spread_are_not_parallel_enough() -> None:
    # 0.45 CPU seconds one after the other, where serial takes 0.4
    slower = block(0.9, cpu=(0.3, 0.15, 0.05))
    assert sure([slower]) is None
    assert sure([slower] * 8) == Decision("not yet", "not parallel enough", clock="cpu")
    assert decide([slower] * 2) == Decision("not yet", "not parallel enough", clock="cpu")


def test_load_from_before_the_submission_ran_is_told_from_load_that_came_later() -> None:
    between = [block(1.2, reach=1.1, cpu=(0.02, 0.26, 0.2))] * 12
    assert decide(between, before=LOADED) == Decision("cannot tell", "load", beforehand=True)
    assert decide(between, before=QUIET) == Decision("cannot tell", "load", beforehand=False)


def test_one_bad_calibration_beforehand_pays_for_nothing_that_clean_blocks_leave_open() -> None:
    between = [block(1.45, cpu=(0.02, 0.26, 0.2))] * 30
    assert decide(between, before=(0.8, 1.8)) == Decision("cannot tell", "close to the bar", share=0.5)


def test_who_made_the_better_clock_useless_gets_nothing_from_cpu_seconds() -> None:
    void = replace(block(1.15, reach=1.2), why_wall="the program changed the affinity of its processes")
    assert decide([void] * 14).outcome == "cannot tell"
    assert decide([replace(void, why_wall="")] * 14).provisional


def test_workers_that_were_hardly_seen_are_not_one_busy_process() -> None:
    lump = replace(block(1.0, cpu=(0.01, 0.4)), seen=0.5)
    assert sure([lump] * 4) is None


def test_a_high_speedup_of_workers_that_were_hardly_seen_needs_the_wall_clock_too() -> None:
    wall = Block(0.5, 0.5, 1.2, 1.2)
    lucky = replace(block(1.8), clock="free", seen=0.5, others=1.0, wall=wall)
    assert sure([lucky] * 20) is None
    assert sure([replace(lucky, seen=1.0)] * 20) == Decision("met", "clear gain", clock="free", share=1.0)


# Serial code


@given(st.lists(st.tuples(st.floats(0.2, 5), st.floats(0.5, 4), st.floats(0, 0.1)), min_size=1, max_size=25))
def test_serial_code_is_never_met_and_never_cannot_tell(noise: list[tuple[float, float, float]]) -> None:
    blocks = [block(speedup, reach, cpu=(0.9 + rest, 0.1 - rest)) for speedup, reach, rest in noise]
    for before in (QUIET, LOADED):
        assert decide(blocks, before).outcome == "not yet"


def test_serial_code_in_one_worker_is_one_busy_process_too() -> None:
    assert one_busy(block(1.0, cpu=(0.01, 0.4)))
    assert not one_busy(block(1.0, cpu=(0.01, 0.2, 0.2)))


def test_no_cpu_seconds_seen_are_not_one_busy_process() -> None:
    assert busiest_share(()) == 0.0
    assert busiest_share((0.0, 0.0)) == 0.0


# Void blocks


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(0.5, 4), st.floats(0.5, 4))
def test_whether_a_block_is_void_depends_on_calibration_alone(
    serial: float, parallel: float, before: float, after: float
) -> None:
    one = Block(serial, parallel, before, after)
    assert one.is_void(BARS.r_min) == replace(one, t_serial=1.0, t_parallel=1.0).is_void(BARS.r_min)
    assert one.is_void(BARS.r_min) == (before < 1.35 or after < 1.35)


def test_blocks_beside_two_low_calibrations_count_for_nothing() -> None:
    assert sure([block(1.8)] * 10 + [block(9.0, reach=1.2)] * 10) is None
    assert sure([block(1.05, reach=1.2)] * 40) is None


def test_no_way_to_met_is_shown_while_the_median_lies_below_the_bar() -> None:
    """A few lucky blocks are evidence against serial code, but `met` asks for the median, too."""
    low, lucky = block(1.2, reach=1.7), block(1.6, reach=1.7)
    outcome, sure = how_sure([low, low, lucky] * 8, BARS)
    assert outcome == "not yet" or sure == 0.0
    assert how_sure([lucky] * 8, BARS)[0] == "met"
    assert how_sure([lucky] * 8, BARS)[1] > 0.5


def test_a_measurement_is_hopeless_when_most_of_twenty_four_blocks_are_void() -> None:
    void, clean = block(1.2, reach=1.1), block(1.4)
    assert not hopeless([void] * 23, BARS)
    assert hopeless([void] * 24, BARS)
    assert hopeless([clean] * 4 + [void] * 20, BARS)
    assert not hopeless([clean] * 8 + [void] * 16, BARS)


# CPU seconds


def test_more_processes_than_cores_do_not_inflate_the_projection() -> None:
    eight = block(1.5, cpu=(0.01, *[0.05] * 8))
    assert cpu_speedup(eight, usable=2.0) == pytest.approx(0.4 / (0.41 / 2))
    assert cpu_speedup(eight, usable=8.0) > 6


def test_the_projection_counts_what_the_parent_does_alone() -> None:
    assert cpu_speedup(block(1.0, cpu=(0.2, 0.1, 0.1)), usable=2.0) == pytest.approx(0.4 / 0.3)


def test_half_parallel_code_does_not_pass_by_cpu_seconds_because_the_reach_is_low() -> None:
    half = block(1.2, reach=1.38, cpu=(0.2, 0.1, 0.1))
    assert decide([half] * 10).outcome != "met"


def test_without_cpu_seconds_nobody_is_called_not_parallel() -> None:
    unseen = [block(1.45, cpu=(), cpu_serial=0.0)] * 12
    assert decide(unseen) == Decision("cannot tell", "close to the bar", share=0.5)


def test_two_hyperthreads_of_one_core_are_no_reason_to_fail_good_code() -> None:
    """Both logical CPUs share one core: the reach is 1.25, and every process needs more CPU seconds."""
    good = [block(1.22, reach=1.25, cpu=(0.01, 0.32, 0.32))] * 12
    assert decide(good, before=(1.25,)).outcome == "cannot tell"


# The estimate


def test_the_estimate_shows_clean_blocks_and_counts_void_ones() -> None:
    measured = estimate([block(1.8)] * 9 + [block(5.0, reach=1.0)] * 2, BARS, 2.0, 12.5, "wall")
    assert measured is not None
    assert (measured.blocks, measured.void, measured.seconds, measured.clock) == (9, 2, 12.5, "wall")
    assert measured.speedup == pytest.approx(1.8)
    assert measured.gain == pytest.approx(0.8 / 0.9)
    assert measured.low <= measured.speedup <= measured.high


def test_the_estimate_of_only_void_blocks_shows_them() -> None:
    measured = estimate([block(1.2, reach=1.1)] * 3, BARS, 2.0, 3.0, "wall")
    assert measured is not None
    assert (measured.blocks, measured.void) == (0, 3)
    assert measured.speedup == pytest.approx(1.2)


def test_the_estimate_by_cpu_seconds_is_the_projection() -> None:
    measured = estimate([block(1.2, reach=1.1)] * 9, BARS, 2.0, 3.0, "cpu")
    assert measured is not None
    assert measured.speedup == pytest.approx(0.4 / 0.21)


def test_no_blocks_have_no_estimate() -> None:
    assert estimate([], BARS, 2.0, 0.0, "wall") is None


@given(st.floats(0.5, 64))
def test_the_bar_for_a_pass_is_above_the_bar_for_a_fail(reach: float) -> None:
    assert pass_bar(reach, BARS) > fail_bar(reach, BARS)
    assert pass_bar(reach, BARS) >= BARS.floor


@given(
    st.lists(
        st.builds(
            Block,
            st.floats(1e-6, 1e3),
            st.floats(1e-6, 1e3),
            st.floats(1e-3, 64),
            st.floats(1e-3, 64),
            st.lists(st.floats(0, 10), max_size=1).map(tuple),
            st.lists(st.floats(0, 10), max_size=4).map(tuple),
        ),
        max_size=20,
    )
)
def test_any_blocks_have_a_decision_and_an_estimate(blocks: list[Block]) -> None:
    decision = decide(blocks)
    measured = estimate(blocks, BARS, 2.0, 1.0, decision.clock)
    assert decision.outcome in ("met", "not yet", "cannot tell")
    assert (measured is None) == (not blocks)
    assert measured is None or not math.isnan(measured.speedup)
