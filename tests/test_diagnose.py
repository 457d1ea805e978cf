"""Each planted fault is found first, in recorded traces; and live, where two cores show it reliably."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_timelines import pooled
from recorded_traces import FAULTS, TRACES, read

from grader import machine, why
from grader.tracing.bill import bill
from grader.tracing.diagnose import CAUSES, diagnose
from grader.tracing.diagnosis import of_timeline
from grader.tracing.whatif import what_if

ALL = sorted(path.stem for path in FAULTS.glob("*.py"))
#: Found by a live run on two cores, whatever else the machine does: the others depend on the system or the load.
LIVE = (
    "skew",
    "tasks_too_few",
    "tasks_too_small",
    "big_arguments",
    "big_results",
    "serial_head",
    "serial_tail",
    "one_worker_does_all",
    "lock_convoy",
    "no_workers",
)


def cause(fault: str) -> str:
    return fault.replace("_", "-")


def quietly(line: str) -> None:
    """Nobody looks at the progress."""


@pytest.mark.parametrize("fault", [name for name in ALL if name != "clean"])
def test_a_recorded_fault_is_found_first(fault: str) -> None:
    timeline = read(TRACES / f"{fault}.json.gz")
    losses = diagnose(timeline, bill(timeline))
    assert losses, "nothing was found"
    assert losses[0].cause == cause(fault)


def test_a_recorded_clean_run_has_no_finding() -> None:
    timeline = read(TRACES / "clean.json.gz")
    assert diagnose(timeline, bill(timeline)) == ()


def test_a_pool_of_one_is_told_that_it_is_one() -> None:
    alone = pooled([0.5] * 4, workers=1)
    found = diagnose(alone, bill(alone))
    assert [one.cause for one in found] == ["one-worker-does-all"]
    assert "There was one worker, for 64 usable cores" in found[0].evidence
    in_turn = replace(alone, workers=(replace(alone.workers[0], processes=2),))
    assert "one-worker-does-all" not in [one.cause for one in diagnose(in_turn, bill(in_turn))]
    one_core = replace(alone, cores=1.0)
    assert diagnose(one_core, bill(one_core)) == ()


def test_every_cause_has_a_fault_that_shows_it() -> None:
    """But for those that need a serial time or a neighbour: the bill's own tests have them."""
    assert {cause(name) for name in ALL} >= CAUSES.keys() - {"memory-bandwidth", "added-work", "neighbours"}


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize("fault", LIVE)
def test_a_program_with_a_fault_gets_that_finding_first(fault: str) -> None:
    """Beside what others took: that is no fault of the program."""
    if machine.look().usable < 2:
        pytest.skip("one core: there is nothing to share out")
    told = why.of_script(FAULTS / f"{fault}.py", (), None, quietly)
    own = [loss.cause for loss in told.losses if loss.cause != "neighbours"]
    assert own[:1] == [cause(fault)], told.losses


@pytest.mark.slow
@pytest.mark.alone
def test_a_clean_program_gets_no_finding() -> None:
    if machine.look().usable < 2:
        pytest.skip("one core: there is nothing to share out")
    for _ in range(3):  # a neighbour may come by: then it is named first, and what follows is its doing
        told = why.of_script(FAULTS / "clean.py", (), None, quietly)
        if not told.losses:
            return
        assert told.losses[0].cause == "neighbours", told.losses


def test_what_a_worker_worked_on_is_named_in_a_recorded_run() -> None:
    timeline = read(TRACES / "skew.json.gz")
    longest = max((task for lane in timeline.workers for task in lane.tasks), key=lambda task: task.seconds)
    assert longest.name == "spin(24000000)"


def test_more_workers_are_not_promised_to_those_who_wait_for_a_lock() -> None:
    timeline = read(TRACES / "lock_convoy.json.gz")
    twice = what_if(timeline, bill(timeline))[-1]
    assert twice.seconds is None
    assert "locks" in twice.refused


def test_recorded_traces_are_small() -> None:
    assert sum(path.stat().st_size for path in Path(TRACES).glob("*.gz")) < 1_000_000


def test_the_share_of_the_work_that_is_done_with_a_lock_in_hand_is_known() -> None:
    """What the clock free of neighbours can't see: a wait for a core that is for a lock, not for work."""
    convoy, clean = (
        of_timeline(name, read(TRACES / f"{name}.json.gz"), None) for name in ("lock_convoy", "clean")
    )
    assert convoy.locked > 0.9
    assert clean.locked == 0
