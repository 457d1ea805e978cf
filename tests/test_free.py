"""Time free of neighbours, from scripted accounts: what neighbours took is given back, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.measure.free import Share, Window, accounts, free_time, lost, others_used

CORES, MASK = 2.0, 2


def window(
    *threads: tuple[float, float], idle: float = 0.0, seconds: float = 0.1, own: bool = True
) -> Window:
    """Threads by the shares of the window that they ran and waited; each in a process of its own, or all in one."""
    shares = (
        Share(n if own else 1, n, ran * seconds, waited * seconds) for n, (ran, waited) in enumerate(threads)
    )
    return Window(seconds, tuple(shares), idle)


def share_lost(*threads: tuple[float, float], idle: float = 0.0, own: bool = True) -> float:
    return lost(window(*threads, idle=idle, own=own), CORES, MASK)


# What neighbours took


def test_two_workers_beside_two_busy_neighbours_lose_half() -> None:
    assert share_lost((0.5, 0.5), (0.5, 0.5)) == pytest.approx(0.5)


def test_one_worker_that_shares_its_core_loses_what_it_waited() -> None:
    assert share_lost((0.5, 0.5)) == pytest.approx(0.5)
    assert share_lost((0.75, 0.2), idle=0.2) == pytest.approx(0.2)


def test_two_workers_beside_one_busy_neighbour_lose_most_of_what_was_missing_to_two_cores() -> None:
    """A quarter was missing; the guard against threads that only wait keeps a little of it back."""
    assert 0.2 < share_lost((0.9, 0.1), (0.6, 0.4)) <= 0.25


def test_the_whole_run_is_given_back_window_by_window() -> None:
    windows = [window((0.5, 0.5), (0.5, 0.5))] * 4 + [window((1.0, 0.0), (1.0, 0.0))] * 2
    assert free_time(windows, 0.6, CORES, MASK, used=0.8, busiest=0.4) == pytest.approx(0.4)


# Waits that are told when they end


def starved(*, junk: bool) -> list[Window]:
    """One worker runs; the other waits for three windows and is told so in the fourth, when it runs (or is done)."""
    alone = window((1.0, 0.0))
    told = Share(1, 1, 0.0 if junk else 0.05, 0.35, early=0.3)
    last = Window(0.1, (Share(0, 0, 0.1, 0.0), told), 0.0)
    return [alone, alone, alone, last, *[window((1.0, 0.0), (0.0 if junk else 1.0, 0.0))] * 3]


def test_a_wait_of_many_windows_counts_in_those_in_which_it_happened() -> None:
    """Two workers did the work of 1.05 s; with both cores to themselves it takes half of that."""
    seconds = free_time(starved(junk=False), 0.7, CORES, MASK, used=1.05, busiest=0.7)
    assert seconds == 0.7  # the busiest thread ran all the time: no schedule is shorter
    assert free_time(starved(junk=False), 0.7, CORES, MASK, used=1.05, busiest=0.35) == pytest.approx(
        0.54, abs=0.03
    )


def test_a_thread_that_never_works_earns_nothing_by_being_starved() -> None:
    assert free_time(starved(junk=True), 0.7, CORES, MASK, used=0.7, busiest=0.35) == pytest.approx(0.7)


def test_a_wait_is_put_back_no_further_than_to_where_the_thread_ran() -> None:
    ran = window((1.0, 0.0), (0.4, 0.0))
    last = Window(0.1, (Share(0, 0, 0.1, 0.0), Share(1, 1, 0.05, 0.35, early=0.3)), 0.0)
    its = accounts([ran, ran, last])
    assert its.starved[1] == pytest.approx([0.0, 0.06, 0.0])
    assert its.waited[1] == pytest.approx([0.0, 0.0, 0.05])


def test_while_nothing_runs_and_a_worker_is_starved_all_is_lost() -> None:
    last = Window(0.1, (Share(0, 0, 0.09, 0.11, early=0.1),), 0.0)
    assert free_time(
        [Window(0.1, (), 0.0), last], 0.2, CORES, MASK, used=0.09, busiest=0.09
    ) == pytest.approx(0.09)


# What is nobody's fault


def test_on_idle_cores_nothing_is_lost_however_long_threads_wait() -> None:
    assert share_lost((0.5, 0.5), (0.5, 0.5), idle=1.0) == 0.0


def test_sleeping_and_waiting_for_a_lock_count_in_full() -> None:
    assert share_lost((0.1, 0.0), (0.0, 0.0)) == 0.0


def test_surplus_processes_wait_for_each_other_and_gain_nothing() -> None:
    assert share_lost(*[(0.25, 0.75)] * 8) == pytest.approx(0.0)


def test_eight_processes_beside_neighbours_get_back_no_more_than_two_would() -> None:
    eight = share_lost(*[(0.125, 0.875)] * 8)  # they run on one core's worth; the neighbours on the other
    assert eight == pytest.approx(0.5)


def test_threads_that_ask_for_the_interpreters_lock_want_one_core_together() -> None:
    """Beside a neighbour they wait for a core to ask for the lock: that is not demand for a second core."""
    assert share_lost((0.5, 0.5), (0.5, 0.5), own=False) == pytest.approx(0.0)


def test_threads_without_that_lock_are_known_by_running_side_by_side() -> None:
    assert share_lost((0.7, 0.3), (0.7, 0.3), own=False) == pytest.approx(0.3)


# Attempts to make it more


def test_a_thread_that_only_waits_earns_nothing() -> None:
    """A loop of sched_yield waits all the time and runs for next to none of it."""
    honest = share_lost((0.5, 0.5), (0.0001, 0.9999))
    assert honest <= 0.5 + 1e-3
    assert share_lost((1.0, 0.0), (0.0001, 0.9999)) == pytest.approx(0.0, abs=1e-3)


def test_two_workers_pinned_to_one_core_lose_nothing_while_the_other_is_idle() -> None:
    assert share_lost((0.5, 0.5), (0.5, 0.5), idle=1.0) == 0.0


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=6),
    st.floats(0, 2),
    st.floats(0.01, 0.2),
    st.floats(0.5, 2),
)
def test_what_was_lost_is_a_share_that_others_can_have_taken(
    threads: list[tuple[float, float]], idle: float, seconds: float, cores: float
) -> None:
    one = window(*threads, idle=idle, seconds=seconds)
    share = lost(one, cores, MASK)
    ran = sum(t.ran for t in one.threads) / seconds
    others = max(0.0, MASK - idle - ran)
    assert 0.0 <= share <= 1.0
    assert share * (ran + others) <= others + 1e-9 or share <= others


@given(
    st.lists(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=4), min_size=1, max_size=8),
    st.floats(0, 0.5),
    st.floats(0.05, 1),
)
def test_no_run_is_shorter_than_its_work_and_span_nor_longer_than_the_clock_says(
    runs: list[list[tuple[float, float]]], busiest: float, wall: float
) -> None:
    windows = [window(*threads) for threads in runs]
    used = 1.5 * busiest
    seconds = free_time(windows, wall, CORES, MASK, used, busiest)
    assert seconds <= wall
    assert seconds >= min(wall, busiest, used / CORES)


def test_more_quota_than_is_there_is_never_presumed() -> None:
    """With a quota of one core, two workers that each got half a core have lost nothing."""
    assert lost(window((0.5, 0.5), (0.5, 0.5)), 1.0, MASK) == pytest.approx(0.0)


def test_what_others_kept_busy_is_told() -> None:
    windows = [window((0.5, 0.5)), window((1.0, 0.0), idle=1.0)]
    assert others_used(windows, MASK, used=0.15) == pytest.approx(0.75)
    assert others_used(windows, MASK, used=0.3) == pytest.approx(0.0)  # what wasn't seen is not the others'
    assert others_used([], MASK, used=0.0) == 0.0
