"""The laws of speedup: they say the same of the same program, and nothing where it can't be said."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_timelines import lane, pooled, program, timeline

from grader.tracing.laws import (
    WorkSpan,
    amdahl,
    course,
    gustafson,
    karp_flatt,
    parallel_share,
    scaled_share,
    work_span,
)
from grader.tracing.timeline import Lane, Span, Task

SHARES = st.floats(min_value=0, max_value=1)
WORKERS = st.integers(2, 4096)


def time(workers: int, serial: float, parallel: float, overhead: float = 0.0) -> float:
    return serial + parallel / workers + overhead * (workers - 1)


def speedups(*workers: int, serial: float, parallel: float, overhead: float = 0.0) -> dict[int, float]:
    alone = time(1, serial, parallel)
    return {p: alone / time(p, serial, parallel, overhead) for p in workers}


# Karp and Flatt, Amdahl, Gustafson


@given(SHARES, WORKERS)
def test_the_serial_share_of_an_amdahl_program_is_found_again(parallel: float, workers: int) -> None:
    speedup = amdahl(parallel, workers)
    assert math.isclose(karp_flatt(speedup, workers), 1 - parallel, abs_tol=1e-9)
    assert math.isclose(parallel_share(speedup, workers), parallel, abs_tol=1e-9)


@given(st.floats(min_value=0.01, max_value=1000), WORKERS)
def test_the_parallel_share_gives_the_measured_speedup_back(speedup: float, workers: int) -> None:
    share = parallel_share(speedup, workers)
    if 0 <= share <= 1:
        assert math.isclose(amdahl(share, workers), speedup, rel_tol=1e-6)
    else:
        assert not 1 <= speedup <= workers * (1 + 1e-9)


@given(SHARES, WORKERS)
def test_amdahls_speedup_is_between_one_and_the_workers_and_below_its_limit(
    parallel: float, workers: int
) -> None:
    speedup = amdahl(parallel, workers)
    assert 1 - 1e-12 <= speedup <= workers * (1 + 1e-12)
    assert speedup * (1 - parallel) <= 1 + 1e-9
    assert amdahl(parallel, 2 * workers) >= speedup - 1e-12


@given(SHARES, WORKERS)
def test_gustafson_and_amdahl_are_one_law_with_shares_of_two_runs(parallel: float, workers: int) -> None:
    there = scaled_share(parallel, workers)
    assert math.isclose(gustafson(min(1.0, there), workers), amdahl(parallel, workers), rel_tol=1e-9)


def test_the_laws_give_the_numbers_of_the_textbooks() -> None:
    assert amdahl(0.95, 8) == pytest.approx(5.926, abs=0.001)
    assert gustafson(0.95, 8) == pytest.approx(7.65)
    assert karp_flatt(1.95, 2) == pytest.approx(0.0256, abs=0.0001)


@pytest.mark.parametrize(
    "call",
    [
        lambda: karp_flatt(1.5, 1),
        lambda: karp_flatt(0.0, 4),
        lambda: karp_flatt(-1.0, 4),
        lambda: karp_flatt(math.nan, 4),
        lambda: parallel_share(2.0, 0),
        lambda: amdahl(1.1, 4),
        lambda: amdahl(0.5, 1),
        lambda: gustafson(-0.1, 4),
        lambda: scaled_share(0.5, math.inf),
        lambda: course({}),
        lambda: course({1: 1.0, 2: 1.9}),
        lambda: course({2: 1.9, 4: 3.5}, error=-0.1),
        lambda: WorkSpan(1.0, 0.1).at_most(1),
    ],
)
def test_numbers_that_mean_nothing_are_refused_by_name(call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"workers|speedup|share|error"):
        call()


# How e goes over p


@given(st.floats(min_value=0.001, max_value=0.9))
def test_a_serial_part_alone_is_flat(serial: float) -> None:
    found = course(speedups(2, 4, 8, 16, serial=serial, parallel=1 - serial))
    assert found.kind == "flat"
    assert all(math.isclose(e, serial, abs_tol=1e-9) for e in found.fractions.values())


def test_an_overhead_for_each_worker_rises_by_just_that() -> None:
    found = course(speedups(2, 4, 8, 16, serial=1, parallel=99, overhead=0.5), error=0.001)
    assert found.kind == "rising"
    assert found.slope == pytest.approx(0.5 / 100)
    assert "each further worker costs" in found.says


def test_a_rise_within_the_noise_is_not_one() -> None:
    rises = speedups(2, 4, serial=1, parallel=99, overhead=0.5)
    assert course(rises, error=0.001).kind == "rising"
    assert course(rises, error=0.05).kind == "flat"


def test_workers_that_do_more_than_the_serial_run_make_the_share_fall() -> None:
    more = {p: speedup / 1.3 for p, speedup in speedups(2, 4, 8, serial=5, parallel=95).items()}
    assert course(more, error=0.01).kind == "falling"


def test_a_serial_run_that_was_slow_makes_the_share_rise_from_below_nothing() -> None:
    found = course(
        {p: 1.3 * speedup for p, speedup in speedups(2, 4, 8, serial=5, parallel=95).items()}, 0.01
    )
    assert found.kind == "rising"
    assert found.fractions[2] < 0
    assert "begins below 0" in found.says


def test_one_number_of_workers_has_no_course() -> None:
    assert course({2: 1.8}).kind == "unknown"


# Work and span


@given(
    st.floats(min_value=1e-6, max_value=1e6),
    st.floats(min_value=0, max_value=1),
    st.integers(min_value=2, max_value=1000),
)
def test_brents_speedup_is_never_above_the_bound(work: float, share: float, workers: int) -> None:
    bounds = WorkSpan(work, share * work)
    assert bounds.at_least(workers) <= bounds.at_most(workers) * (1 + 1e-9)
    assert bounds.at_most(workers) <= workers


def test_work_is_what_all_did_and_span_what_the_program_did_alone_and_the_longest_task() -> None:
    found = work_span(pooled([3, 1, 1, 1], workers=2, before=2, after=1, pickling=0.25))
    assert found == WorkSpan(work=9, span=2 + 1 + 3)
    assert found.parallelism == 1.5
    assert found.at_most(8) == 1.5


def test_what_the_program_does_beside_its_workers_is_not_in_the_span() -> None:
    beside = timeline(program(("run", 4.0)), lane("worker", ("run", 3.0), start=1.0))
    assert work_span(beside) == WorkSpan(work=7, span=1 + 3)


def test_the_longest_of_many_tasks_that_were_added_up_counts_and_not_all_of_them() -> None:
    many = Lane(
        "worker", (Span("run", 0.0, 10.0, 10.0),), (Task("t", 0.0, 10.0, 10.0, items=100, longest=0.5),)
    )
    assert work_span(timeline(program(("wait", 10.0)), many)) == WorkSpan(work=10, span=0.5)


def test_a_task_that_waited_for_a_core_is_as_long_as_it_worked() -> None:
    waited = Lane("worker", (Span("run", 0.0, 10.0, 4.0),), (Task("t", 0.0, 10.0, 4.0, longest=10.0),))
    assert work_span(timeline(program(("wait", 10.0)), waited)) == WorkSpan(work=4, span=4)


def test_a_program_without_workers_is_all_span() -> None:
    assert work_span(timeline(program(("run", 5.0)))).parallelism == 1
