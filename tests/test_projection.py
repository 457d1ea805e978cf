"""What a run would take elsewhere or without a loss: right where the truth is known, refused where it can't be told."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import recorded_traces
from hypothesis import given
from hypothesis import strategies as st
from made_timelines import Part, lane, pooled, program, timeline

from grader.tracing.bill import bill
from grader.tracing.fit import student
from grader.tracing.project import Projection, measured, project
from grader.tracing.timeline import Lane, Span, Task, Timeline
from grader.tracing.whatif import WhatIf, what_if, with_workers

Runs = list[tuple[int, float]]


def truth(workers: float, parallel: float, overhead: float = 0.0, cores: float | None = None) -> float:
    """Seconds of a program that takes 100 on one worker."""
    return 100 * (1 - parallel) + 100 * parallel / (cores or workers) + overhead * (workers - 1)


def runs(
    parallel: float,
    workers: Sequence[int] = (1, 2, 4, 8),
    repeats: int = 5,
    noise: float = 0.02,
    overhead: float = 0.0,
    seed: int = 0,
) -> Runs:
    random = np.random.default_rng(seed)
    return [
        (p, truth(p, parallel, overhead) * float(1 + noise * random.standard_normal()))
        for p in workers
        for _ in range(repeats)
    ]


def covered(projection: Projection, seconds: float, speedup: float) -> bool:
    assert projection.low is not None
    assert projection.high is not None
    assert projection.speedup_low is not None
    assert projection.speedup_high is not None
    within = projection.low <= seconds <= projection.high
    return within and projection.speedup_low <= speedup <= projection.speedup_high


def width(projection: Projection) -> float:
    assert projection.speedup_low is not None
    assert projection.speedup_high is not None
    return projection.speedup_high / projection.speedup_low


# Programs whose truth is known


@pytest.mark.slow
@pytest.mark.parametrize("parallel", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("workers", [16, 32, 64])
@pytest.mark.parametrize("noise", [0.005, 0.02])
def test_the_interval_holds_the_truth_and_is_of_use(parallel: float, workers: int, noise: float) -> None:
    found = [project(runs(parallel, noise=noise, seed=seed), workers) for seed in range(300)]
    given_ = [one for one in found if not one.refused]
    assert len(given_) >= 0.94 * len(found)
    seconds = truth(workers, parallel)
    assert sum(covered(one, seconds, 100 / seconds) for one in given_) >= 0.95 * len(given_)
    assert statistics.median(map(width, given_)) < (1.25 if noise < 0.01 else 2.2)


@pytest.mark.slow
@pytest.mark.parametrize("parallel", [0.5, 0.9, 0.95, 0.99])
def test_one_and_two_workers_are_enough_for_a_few_more(parallel: float) -> None:
    for workers in (4, 8, 16):
        seconds = truth(workers, parallel)
        found = [project(runs(parallel, (1, 2), repeats=10, seed=seed), workers) for seed in range(200)]
        given_ = [one for one in found if not one.refused]
        assert len(given_) >= 0.94 * len(found)
        assert sum(covered(one, seconds, 100 / seconds) for one in given_) >= 0.95 * len(given_)


@pytest.mark.slow
def test_an_overhead_that_the_runs_show_is_in_the_projection() -> None:
    seconds = truth(32, 0.95, overhead=0.5)
    found = [project(runs(0.95, overhead=0.5, noise=0.01, seed=seed), 32) for seed in range(200)]
    given_ = [one for one in found if not one.refused]
    assert {one.model for one in given_} == {"overhead"}
    assert len(given_) >= 0.5 * len(found)
    assert sum(covered(one, seconds, 100 / seconds) for one in given_) >= 0.95 * len(given_)


@pytest.mark.slow
def test_noise_that_only_makes_runs_longer_is_covered_too() -> None:
    late, seconds = 0.03, truth(32, 0.95)
    found = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        some = [(p, exact * (1 + random.exponential(late))) for p, exact in runs(0.95, noise=0.0)]
        found.append(project(some, 32))
    given_ = [one for one in found if not one.refused]
    assert len(given_) >= 0.94 * len(found)
    assert sum(covered(one, seconds * (1 + late), 100 / seconds) for one in given_) >= 0.95 * len(given_)


def test_runs_without_noise_give_the_truth_itself() -> None:
    for workers in (1, 3, 8, 64, 1024):
        found = project(runs(0.95, noise=0.0), workers)
        assert found.seconds == pytest.approx(truth(workers, 0.95))
        assert found.speedup == pytest.approx(100 / truth(workers, 0.95))
        assert (found.low, found.high) == pytest.approx((found.seconds, found.seconds))


def test_measurements_at_one_and_two_workers_say_the_same_of_each_other() -> None:
    some = runs(0.9, (1, 2), repeats=5)
    for row in measured(some):
        found = project(some, row.workers)
        assert found.seconds == pytest.approx(row.seconds)
        assert found.speedup == pytest.approx(row.speedup)
        assert row.shortest < row.seconds < row.longest
        assert row.repeats == 5


def test_runs_at_more_workers_fall_within_what_fewer_projected() -> None:
    some = runs(0.95, (1, 2, 4))
    seconds = statistics.fmean(seconds for _, seconds in runs(0.95, (16,), repeats=50, seed=1))
    found = project(some, 16)
    assert found.low is not None
    assert found.high is not None
    assert found.low < seconds < found.high


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 3, 4, 8, 64]), st.floats(min_value=1e-3, max_value=1e4)), max_size=30
    ),
    st.integers(1, 2000),
    st.none() | st.floats(min_value=0.1, max_value=1.2),
)
def test_whatever_was_measured_a_projection_is_in_order_or_refused(
    some: Runs, workers: int, share: float | None
) -> None:
    found = project(some, workers, reach={p: max(1.0, share * p) for p, _ in some} if share else None)
    numbers = (found.seconds, found.low, found.high, found.speedup, found.speedup_low, found.speedup_high)
    if found.refused:
        assert numbers == (None,) * 6
        assert found.refused.endswith(".")
        return
    seconds, low, high, speedup, speedup_low, speedup_high = (float(number or 0.0) for number in numbers)
    assert 0 <= low <= seconds <= high
    assert seconds > 0
    assert 0 <= speedup_low <= speedup <= speedup_high <= workers * (1 + 1e-9)


# The machine's part


def test_with_a_reach_the_machines_part_is_not_the_programs() -> None:
    reach = {2: 1.6, 4: 2.8, 8: 4.0}
    some = [(p, truth(p, 0.95, cores=reach.get(p, 1.0))) for p in (1, 2, 4, 8) for _ in range(3)]
    found = project(some, 16, reach=reach)
    assert found.speedup == pytest.approx(100 / truth(16, 0.95))
    assert found.shared == pytest.approx(100 / truth(16, 0.95, cores=8))
    assert "4.00 with 8 workers" in found.note
    without = project(some, 16)
    assert without.shared is None
    assert without.speedup is None or without.speedup < found.speedup
    assert "reach" in project(runs(0.95), 16).note


@pytest.mark.parametrize("parallel", [0.9, 0.99, 1.0])
@pytest.mark.parametrize("off", [0.96, 1.0, 1.04])
def test_a_reach_that_is_a_little_off_does_not_make_the_interval_miss(parallel: float, off: float) -> None:
    some = [(1, 100 + late) for late in (-0.2, 0.0, 0.2)]
    some += [(2, truth(2, parallel, cores=1.8) + late) for late in (-0.1, 0.0, 0.1)]
    found = project(some, 16, reach={2: 1.8 * off})
    assert covered(found, truth(16, parallel), 100 / truth(16, parallel))
    assert width(project(some, 16, reach={2: 1.8}, reach_error=0.01)) < width(
        project(some, 16, reach={2: 1.8})
    )


def test_the_longest_task_of_the_trace_is_the_end_of_all_gain() -> None:
    traced = pooled([20.0, *[1.0] * 80], workers=4)
    found = project(runs(1.0, noise=0.001), 64, timeline=traced)
    assert found.seconds == 20
    assert found.speedup == pytest.approx(5, rel=0.01)


# Refusals, each with its reason


def reason(some: Runs, workers: int, traced: Timeline | None = None) -> str:
    found = project(some, workers, timeline=traced)
    assert found.seconds is None
    assert found.speedup is None
    return found.refused


def test_one_number_of_workers_says_nothing_of_another() -> None:
    assert "the same number of workers (2)" in reason(runs(0.9, (2,)), 4)
    assert "(none)" in reason([], 4)


def test_one_run_each_does_not_say_how_much_runs_differ() -> None:
    assert "doesn't say how much runs differ" in reason(runs(0.9, repeats=1), 16)


def test_two_runs_and_one_more_do_not_determine_a_model() -> None:
    assert "3 runs with 1 and 2 workers don't determine" in reason([(1, 10.0), (1, 10.1), (2, 6.0)], 4)


def test_cores_that_share_give_no_more_than_cores_of_their_own() -> None:
    """One long task bounds both."""
    some = [(p, truth(p, 0.95, cores={1: 1.0, 2: 1.9}[p])) for p in (1, 2) for _ in range(3)]
    bounded = project(some, 8, reach={2: 1.9}, timeline=pooled([20.0, *[1.0] * 80], workers=2))
    assert bounded.shared is not None
    assert bounded.speedup_high is not None
    assert bounded.shared <= bounded.speedup_high < 7.6


def test_noise_that_is_larger_than_the_effect_bears_nothing() -> None:
    assert "quieter machine" in reason(runs(0.1, (1, 2), noise=0.2), 4)


def test_far_away_needs_a_narrow_interval() -> None:
    assert "more than 8 times the 4" in reason(runs(0.99, (1, 2, 4), noise=0.03), 64)
    assert not project(runs(0.99, (1, 2, 4), noise=0.0005), 64).refused
    assert not project(runs(0.99, (1, 2, 4), noise=0.03), 32).refused


def test_more_workers_than_tasks_have_nothing_to_do() -> None:
    traced = pooled([5.0] * 20, workers=4)
    assert "20 tasks" in reason(runs(0.95), 21, traced)
    assert not project(runs(0.95), 20, timeline=traced).refused


def test_a_rising_serial_share_is_not_followed_far() -> None:
    rising = runs(0.99, (1, 2, 4), overhead=1.0, noise=0.002)
    said = reason(rising, 9)
    assert "Karp-Flatt" in said
    assert "beyond 8" in said
    near = project(rising, 8)
    assert near.seconds == pytest.approx(truth(8, 0.99, overhead=1.0), rel=0.05)


def test_a_serial_run_of_another_program_is_not_followed_far() -> None:
    """The parallel program does 30 % more than the serial one, so that runs with 1 worker don't lie on its curve."""
    other = [(p, seconds / (1.3 if p == 1 else 1)) for p, seconds in runs(0.99, noise=0.002)]
    assert "not what one worker does" in reason([run for run in other if run[0] < 8], 9)
    found = project(other, 16)
    assert covered(found, truth(16, 0.99), 100 / 1.3 / truth(16, 0.99))
    assert width(found) > 2


def test_workers_that_make_it_slower_are_not_projected() -> None:
    assert "took longer" in reason([(1, 10.0), (1, 10.1), (2, 14.0), (2, 14.1)], 8)


def test_a_machine_that_gives_nothing_tells_nothing() -> None:
    refused = project([(1, 10.0), (1, 10.1), (2, 9.0), (2, 9.1)], 8, reach={2: 1.0}).refused
    assert "1.00 times as fast, next to nothing" in refused


def test_a_speedup_above_the_reach_is_named_so() -> None:
    refused = project([(1, 10.0), (1, 10.1), (2, 5.1), (2, 5.2)], 8, reach={2: 1.3}).refused
    assert "larger than the reach" in refused


def test_a_speedup_above_the_workers_is_a_serial_run_that_was_slow() -> None:
    assert "larger than the number of workers" in reason([(1, 30.0), (1, 30.1), (2, 10.0), (2, 10.1)], 8)


@pytest.mark.parametrize(
    ("some", "workers", "reach"),
    [
        ([(0, 1.0)], 2, None),
        ([(1, 0.0)], 2, None),
        ([(1, float("nan"))], 2, None),
        (runs(0.9), 0, None),
        (runs(0.9), 16, {2: 1.9, 4: 3.6}),
        (runs(0.9), 16, {2: 0.5, 4: 3.6, 8: 7.0}),
    ],
)
def test_numbers_that_mean_nothing_are_the_callers_mistake(
    some: Runs, workers: int, reach: dict[int, float] | None
) -> None:
    with pytest.raises(ValueError, match=r"worker|seconds|reach"):
        project(some, workers, reach=reach)


@pytest.mark.parametrize(("freedom", "exact"), [(1, 63.657), (2, 9.925), (3, 5.841), (8, 3.355), (18, 2.878)])
def test_students_t_is_that_of_the_tables(freedom: int, exact: float) -> None:
    assert student(freedom) == pytest.approx(exact, rel=0.04)
    with pytest.raises(ValueError, match="degree"):
        student(0)


# What if


def asked(traced: Timeline, serial: float | None = None) -> dict[str, WhatIf]:
    return {one.name: one for one in what_if(traced, bill(traced, serial))}


def test_balance_hands_the_tasks_out_evenly() -> None:
    uneven = timeline(
        program(("run", 1.0), ("wait", 6.0), ("run", 1.0)),
        lane("worker 1", ("wait", 0.0), ("run", 2.0), ("run", 2.0), ("run", 2.0), start=1.0),
        lane("worker 2", ("wait", 0.0), ("run", 2.0), ("wait", 4.0), start=1.0),
    )
    found = asked(uneven, serial=10.0)
    assert found["balance"].seconds == 1 + 4 + 1
    assert found["balance"].speedup == pytest.approx(10 / 6)
    assert found["balance"].gain == pytest.approx(8 / 6)
    assert "chunks of them (2), to keep 4 workers busy" in found["twice the cores"].refused


def test_the_largest_task_is_the_best_that_balance_can_do() -> None:
    assert asked(pooled([1, 1, 1, 1, 4], workers=2))["balance"].seconds == 4
    assert asked(pooled([1, 1, 1, 1, 9], workers=2))["balance"].seconds == 9


def test_twice_the_cores_halve_what_is_parallel_and_not_what_is_serial() -> None:
    found = asked(pooled([1.0] * 16, workers=2, before=2, after=1), serial=19.0)
    assert found["twice the cores"].workers == 4
    assert found["twice the cores"].seconds == 3 + 4
    assert found["twice the cores"].speedup == pytest.approx(19 / 7)
    assert found["balance"].gain == 1


def test_twice_the_workers_wait_as_long_for_a_program_that_feeds_them_slowly() -> None:
    """Two workers that take turns: they wait 8 and 7 seconds, and work 8 each."""
    first: list[Part] = [("wait", 1.0), ("run", 1.0)]
    second: list[Part] = [("run", 1.0), ("wait", 1.0)]
    slow = timeline(program(("wait", 16.0)), lane("worker 1", *first * 8), lane("worker 2", *second * 8))
    assert asked(slow)["twice the cores"].seconds == 7.5 + 4
    assert asked(slow)["balance"].seconds == 7.5 + 8


def test_without_pickling_as_much_is_gone_as_the_bill_has() -> None:
    pickled = timeline(
        program(("run", 1.0), ("wait", 5.0), ("unpickle", 1.0), ("run", 1.0)),
        lane("worker 1", ("unpickle", 1.0), ("run", 3.0), ("pickle", 1.0), ("wait", 1.0), start=1.0),
        lane("worker 2", ("unpickle", 1.0), ("run", 3.0), ("pickle", 1.0), ("wait", 1.0), start=1.0),
    )
    found = asked(pickled)["no pickling"]
    assert found.seconds == 8 - 3
    assert found.seconds == pytest.approx(8 - bill(pickled).seconds["pickling"])
    assert found.speedup is None
    assert found.gain == pytest.approx(8 / 5)


def test_without_pickling_the_run_lasts_until_the_one_that_did_not_pickle_is_done() -> None:
    one_pickles = timeline(
        program(("wait", 8.0)),
        lane("worker 1", ("unpickle", 3.0), ("run", 5.0)),
        lane("worker 2", ("wait", 0.0), ("run", 6.0), ("wait", 2.0)),
    )
    assert asked(one_pickles)["no pickling"].seconds == 6


def test_pickling_by_another_thread_counts_where_it_kept_the_work_from_running() -> None:
    helped = Lane(
        "w",
        (Span("run", 0.0, 5.0, 4.0),),
        (Task("t", 0.0, 5.0, 4.0),),
        (Span("pickle", 3.0, 5.0),),
        queued=0.0,
    )
    found = timeline(program(("wait", 5.0)), helped)
    assert asked(found)["no pickling"].seconds == 4


def test_without_start_up_each_worker_begins_at_once() -> None:
    started = timeline(
        program(("start", 1.0), ("wait", 4.0)),
        lane("worker 1", ("start", 1.0), ("run", 3.0), ("wait", 1.0)),
        lane("worker 2", ("start", 2.0), ("run", 3.0)),
    )
    assert asked(started)["no start-up"].seconds == 3


def test_what_waits_for_a_pool_that_starts_is_start_up_too() -> None:
    started = timeline(
        program(("run", 1.0), ("start", 2.0), ("wait", 4.0)),
        lane("worker 1", ("start", 1.0), ("wait", 1.0), ("run", 4.0), start=1.0),
        lane("worker 2", ("start", 1.0), ("run", 4.0), start=2.0),
    )
    assert asked(started)["no start-up"].seconds == 5


def test_tasks_of_two_phases_are_never_mixed() -> None:
    """Each phase ends with one worker that waits; the tasks of the second may need the first."""
    parts = (("wait", 0.0), ("run", 4.0), ("wait", 3.0))
    phased = timeline(
        program(("wait", 4.0), ("run", 1.0), ("wait", 4.0)),
        lane("worker 1", *parts[:2], ("wait", 1.0), *parts[:2]),
        lane("worker 2", ("run", 1.0), *parts[2:], ("wait", 1.0), ("run", 1.0), *parts[2:]),
    )
    assert asked(phased)["balance"].seconds == 9


def test_runs_without_workers_or_known_tasks_are_not_guessed_at() -> None:
    alone = asked(timeline(program(("run", 5.0))))
    assert all(one.seconds is None and one.refused for one in alone.values())
    unknown = timeline(program(("wait", 5.0)), Lane("worker", (Span("run", 0.0, 5.0, 5.0),)))
    assert "doesn't know the tasks" in asked(unknown)["balance"].refused
    assert asked(unknown)["no pickling"].seconds == 5


def test_fewer_tasks_than_workers_cannot_be_balanced() -> None:
    assert "Too few tasks (1) for 2 workers" in asked(pooled([3], workers=2))["balance"].refused


def test_many_short_tasks_that_were_added_up_can_be_handed_out_again() -> None:
    many = Lane("w", (Span("run", 0.0, 8.0, 8.0),), (Task("t", 0.0, 8.0, 8.0, items=81, longest=0.1),))
    idle = lane("worker 2", ("wait", 8.0))
    found = asked(timeline(program(("wait", 8.0)), many, idle))
    assert found["balance"].seconds == pytest.approx(4, rel=0.03)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.integers(1, 6), st.integers(1, 6))
def test_the_trace_with_some_workers_predicts_the_run_with_others(
    tasks: list[int], k: int, other: int
) -> None:
    traced = pooled(tasks, min(k, len(tasks)), before=2, after=1)
    found = with_workers(traced, bill(traced), other)
    if len(tasks) < other:
        assert "busy" in found.refused
    else:
        assert found.seconds == pooled(tasks, other, before=2, after=1).wall


def test_runs_with_one_and_two_workers_predict_each_other_with_their_overheads() -> None:
    tasks = [3.0, 1.0, 2.0, 5.0, 1.0, 1.0, 4.0, 2.0, 2.0, 3.0] * 4
    one, two = (pooled(tasks, k, before=1, after=1, pickling=0.1) for k in (1, 2))
    assert with_workers(one, bill(one), 2).seconds == pytest.approx(two.wall, rel=0.03)
    assert with_workers(two, bill(two), 1).seconds == pytest.approx(one.wall, rel=0.03)


STATES = st.sampled_from(["start", "wait", "unpickle", "pickle", "lock", "run"])
PARTS = st.lists(st.tuples(STATES, st.floats(min_value=0, max_value=9)), min_size=1, max_size=12)


@given(PARTS, st.lists(st.tuples(PARTS, st.floats(min_value=0, max_value=9)), max_size=4))
def test_no_loss_less_makes_a_run_longer(parent: list[Part], workers: list[tuple[list[Part], float]]) -> None:
    lanes = (lane(f"worker {n}", *parts, start=start) for n, (parts, start) in enumerate(workers))
    traced = timeline(program(*parent), *lanes)
    for one in what_if(traced, bill(traced)):
        assert (one.seconds is None) == bool(one.refused)
        if one.seconds is not None and one.name != "twice the cores":
            assert 0 < one.seconds <= traced.wall * (1 + 1e-9)


@pytest.mark.parametrize(
    "path", sorted(recorded_traces.TRACES.glob("*.json.gz")), ids=lambda path: path.name[:-8]
)
def test_a_recorded_run_lasts_as_long_when_its_tasks_are_handed_out_again(path: Path) -> None:
    traced = recorded_traces.read(path)
    found = with_workers(traced, bill(traced), max(1, len(traced.workers)))
    if found.refused:
        assert path.name.startswith(
            ("no_workers", "one_worker_does_all", "slow_producer")
        )  # one task at a time
    else:
        assert found.seconds == pytest.approx(traced.wall, rel=0.07)


def test_more_workers_start_one_after_the_other() -> None:
    started = timeline(
        program(("start", 2.0), ("wait", 8.0)),
        lane("worker 1", ("start", 1.0), *[("wait", 0.0), ("run", 1.0)] * 9),
        lane("worker 2", ("start", 2.0), *[("wait", 0.0), ("run", 1.0)] * 8),
    )
    found = with_workers(started, bill(started), 4)
    assert found.seconds == 7  # 17 tasks of a second: ready at 1, 2, 3 and 4, so 18 seconds' work by 7
    with pytest.raises(ValueError, match="1 worker or more"):
        with_workers(started, bill(started), 0)
