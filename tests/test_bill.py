"""The bill: it adds up to the measured time, whatever happened, and puts each second where it belongs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.tracing.bill import SECONDS, bill
from grader.tracing.diagnose import CAUSES, diagnose
from grader.tracing.diagnosis import Diagnosis, of_timeline, typical
from grader.tracing.timeline import STATES, Lane, Span, State, Task, Timeline

Stretch = tuple[State, float, float]  # state, seconds, CPU seconds


def lane(name: str, *stretches: Stretch, at: float = 0.0, **others: object) -> Lane:
    """A lane whose stretches follow each other from `at`."""
    spans = []
    for state, seconds, cpu in stretches:
        spans.append(Span(state, at, at + seconds, cpu))
        at += seconds
    return Lane(name, tuple(spans), **others)  # type: ignore[arg-type]


def timeline(wall: float, parent: Sequence[Stretch], *workers: Lane, cores: float = 2.0) -> Timeline:
    return Timeline(wall, lane("program", *parent), workers, cores)


WAITING: list[Stretch] = [("wait", 1.0, 0.0)]


# It adds up


stretches = st.lists(
    st.tuples(st.sampled_from(STATES), st.floats(0.0, 1.0), st.floats(0.0, 1.0)).map(
        lambda one: (one[0], one[1], one[1] * one[2])
    ),
    max_size=8,
)
workers = st.lists(
    st.builds(
        lambda its, at, queued: lane("w", *its, at=at, queued=queued),
        stretches,
        st.floats(0.0, 1.0),
        st.none() | st.floats(0.0, 2.0),
    ),
    max_size=5,
)


@given(stretches, workers, st.floats(0.0, 5.0), st.none() | st.floats(0.01, 9.0), st.floats(0.5, 64))
def test_the_parts_add_up_to_the_measured_time_whatever_happened(
    parent: list[Stretch], its: list[Lane], more: float, serial: float | None, cores: float
) -> None:
    wall = more + max([0.01, *(one.end for one in its), sum(s for _, s, _ in parent)])
    told = bill(timeline(wall, parent, *its, cores=cores), serial)
    assert list(told.seconds) == list(SECONDS)
    assert sum(told.seconds.values()) == pytest.approx(wall, abs=1e-9)
    assert min(value for name, value in told.seconds.items() if name != "scaling") > -1e-9
    assert math.isfinite(told.loss)


@given(stretches, workers, st.floats(0.01, 9.0))
def test_the_factors_multiply_to_the_speedup(parent: list[Stretch], its: list[Lane], serial: float) -> None:
    wall = max([0.01, *(one.end for one in its), sum(s for _, s, _ in parent)])
    told = bill(timeline(wall, parent, *its), serial)
    assert told.speedup == pytest.approx(serial / wall)
    if told.scaling is not None:
        product = told.workers * told.load_balance * told.communication * told.scaling
        assert product == pytest.approx(told.speedup)


# Each second where it belongs


def test_two_workers_that_lose_nothing_have_nothing_on_the_bill() -> None:
    told = bill(timeline(1.0, WAITING, lane("1", ("run", 1.0, 1.0)), lane("2", ("run", 1.0, 1.0))), 2.0)
    assert told.speedup == pytest.approx(2.0)
    assert told.seconds["work"] == pytest.approx(1.0)
    assert told.loss == pytest.approx(0.0)


def test_a_worker_without_work_while_the_other_goes_on_is_the_tail() -> None:
    told = bill(
        timeline(1.0, WAITING, lane("1", ("run", 1.0, 1.0)), lane("2", ("run", 0.5, 0.5), ("wait", 0.5, 0.0)))
    )
    assert told.seconds["tail"] == pytest.approx(0.25)
    assert told.load_balance == pytest.approx(0.75)


def test_what_the_program_does_alone_costs_the_share_of_the_others() -> None:
    """One second of two is the program's own: a second worker is idle meanwhile."""
    told = bill(
        Timeline(
            2.0,
            lane("program", ("run", 1.0, 1.0), ("wait", 1.0, 0.0)),
            (lane("1", ("run", 1.0, 1.0), at=1.0), lane("2", ("run", 1.0, 1.0), at=1.0)),
            2.0,
        ),
        3.0,
    )
    assert told.seconds["serial_part"] == pytest.approx(0.5)
    assert told.seconds["work"] == pytest.approx(1.5)
    assert told.seconds["scaling"] == pytest.approx(0.0)


def test_a_program_without_workers_waits_for_no_queue() -> None:
    told = bill(timeline(1.0, [("run", 0.1, 0.1), ("wait", 0.8, 0.0), ("run", 0.1, 0.1)]))
    assert (told.seconds["blocked"], told.seconds["queue_wait"]) == (pytest.approx(0.8), 0.0)


def test_waiting_while_the_program_pickles_is_pickling() -> None:
    parent: list[Stretch] = [("pickle", 0.4, 0.4), ("wait", 0.6, 0.0)]
    told = bill(
        timeline(1.0, parent, lane("1", ("wait", 0.4, 0.0), ("unpickle", 0.1, 0.1), ("run", 0.5, 0.5)))
    )
    assert told.seconds["pickling"] == pytest.approx(0.5)
    assert told.seconds["queue_wait"] == pytest.approx(0.0)


def test_surplus_workers_take_the_cores_from_each_other() -> None:
    """Four workers on two cores, each with a core for half of the time."""
    four = [lane(str(n), ("run", 1.0, 0.5), queued=0.5) for n in range(4)]
    told = bill(timeline(1.0, WAITING, *four))
    assert told.seconds["oversubscription"] == pytest.approx(0.5)
    assert told.seconds["neighbours"] == pytest.approx(0.0)


def test_ready_without_a_core_although_there_are_enough_is_the_neighbours() -> None:
    told = bill(timeline(1.0, WAITING, *(lane(str(n), ("run", 1.0, 0.5), queued=0.5) for n in range(2))))
    assert told.seconds["neighbours"] == pytest.approx(0.5)
    assert told.seconds["blocked"] == pytest.approx(0.0)


def test_off_the_cores_without_being_ready_is_waiting_for_something_outside() -> None:
    told = bill(timeline(1.0, WAITING, *(lane(str(n), ("run", 1.0, 0.5), queued=0.0) for n in range(2))))
    assert told.seconds["blocked"] == pytest.approx(0.5)


def test_start_up_and_locks_have_their_own_lines() -> None:
    one = lane("1", ("start", 0.2, 0.1), ("lock", 0.3, 0.0), ("run", 0.5, 0.5))
    told = bill(timeline(1.0, WAITING, one))
    assert told.seconds["start_up"] == pytest.approx(0.2)
    assert told.seconds["lock_wait"] == pytest.approx(0.3)


def test_without_the_serial_time_there_is_no_speedup_and_no_scaling() -> None:
    told = bill(timeline(1.0, WAITING, lane("1", ("run", 1.0, 1.0))))
    assert told.speedup is None
    assert told.scaling is None
    assert told.seconds["scaling"] == 0.0


# Causes


@given(stretches, workers)
def test_whatever_happened_causes_are_of_the_list_and_come_largest_first(
    parent: list[Stretch], its: list[Lane]
) -> None:
    wall = max([0.01, *(one.end for one in its), sum(s for _, s, _ in parent)])
    run = timeline(wall, parent, *its)
    losses = diagnose(run, bill(run))
    assert {loss.cause for loss in losses} <= CAUSES.keys()
    assert [loss.seconds for loss in losses] == sorted((loss.seconds for loss in losses), reverse=True)
    assert all(0 <= loss.share <= 1 and loss.evidence for loss in losses)


@pytest.mark.parametrize(("serial", "cause"), [(1.5, "memory-bandwidth"), (0.5, "added-work"), (2.0, "")])
def test_more_cpu_time_than_serial_is_told_by_how_much(serial: float, cause: str) -> None:
    run = timeline(1.0, WAITING, lane("1", ("run", 1.0, 1.0)), lane("2", ("run", 1.0, 1.0)))
    assert [loss.cause for loss in diagnose(run, bill(run, serial))] == ([cause] if cause else [])


def test_what_the_machine_takes_from_any_work_side_by_side_is_no_fault_of_the_program() -> None:
    run = timeline(1.0, WAITING, lane("1", ("run", 1.0, 1.0)), lane("2", ("run", 1.0, 1.0)))
    assert diagnose(run, bill(run, 1.5), stretch=1.3) == ()
    (loss,) = diagnose(run, bill(run, 1.2), stretch=1.2)
    assert loss.cause == "memory-bandwidth"
    assert loss.seconds == pytest.approx((2.0 - 1.2) / 2 - 0.2 * 1.2 / 2)
    assert "1.20 times as many" in loss.evidence


def test_of_several_runs_the_one_in_the_middle_by_cpu_seconds_is_told() -> None:
    def took(cpu: float) -> Diagnosis:
        return of_timeline(
            "f", timeline(2.0, WAITING, lane("1", ("run", cpu, cpu)), lane("2", ("run", 1.0, 1.0)))
        )

    odd, low, middle = took(1.9), took(1.0), took(1.1)
    assert typical([odd, low, middle]).timeline is middle.timeline
    assert typical([odd]) == odd


def test_neighbours_are_named_where_the_system_tells_of_them() -> None:
    run = timeline(1.0, WAITING, *(lane(str(n), ("run", 1.0, 0.5), queued=0.5) for n in range(2)))
    assert [loss.cause for loss in diagnose(run, bill(run))] == ["neighbours"]


def test_of_workers_with_about_as_much_work_the_run_waited_for_the_one_that_was_done_last() -> None:
    first = lane("1", ("run", 1.0, 1.0))
    last = lane("2", ("lock", 1.0, 0.0), ("run", 0.9, 0.9))
    run = timeline(1.9, WAITING, first, last)
    assert bill(run).seconds["lock_wait"] == pytest.approx(1.0)
    assert diagnose(run, bill(run))[0].cause == "lock-convoy"


def test_a_worker_beyond_the_cores_that_only_hands_out_is_no_uneven_work() -> None:
    """A reader, two that work, two cores: nobody could have worked more."""
    reader = lane("reader", ("run", 0.05, 0.05), ("wait", 0.95, 0.0))
    busy = [lane(str(number), ("run", 0.95, 0.95), ("wait", 0.05, 0.0)) for number in range(2)]
    run = timeline(1.0, WAITING, reader, *busy, cores=2.0)
    assert "skew" not in [loss.cause for loss in diagnose(run, bill(run))]
    wide = timeline(1.0, WAITING, reader, *busy, cores=3.0)
    assert diagnose(wide, bill(wide))[0].cause == "skew"


def test_the_slowest_task_is_named() -> None:
    tasks = (Task("score(part-01)", 0.0, 0.1, 0.1), Task("score(part-00)", 0.1, 1.0, 0.9))
    run = timeline(
        1.0,
        WAITING,
        lane("1", ("run", 1.0, 1.0), tasks=tasks),
        lane("2", ("run", 0.2, 0.2), ("wait", 0.8, 0.0), tasks=(Task("score(part-02)", 0.0, 0.2, 0.2),)),
    )
    first = diagnose(run, bill(run))[0]
    assert first.cause == "skew"
    assert "score(part-00)" in first.evidence
