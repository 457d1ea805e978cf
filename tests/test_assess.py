"""The pipeline: what each kind of submission gets on each kind of machine.

Most of it runs on the scripted launcher, where trials only report their seconds; the rest is marked slow and real.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scripted_check import FACTS, PRIMES, WORKER, primes, scripted

from grader import machine
from grader.assess import assess
from grader.errors import GraderError, LearnerError
from grader.lab import load
from grader.launch.local import LocalLauncher
from grader.launch.scripted import Program, Report, Script, ScriptedLauncher
from grader.model import Lab, MachineFacts, Order, Progress, Slot, Verdict, WorkerModule

GOOD = Program()
SERIAL = Program(speedup=1.0, cpu=(0.5,))
BETWEEN = Program(speedup=1.34, cpu=(0.02, 0.34, 0.26), noise=0.02)  # neither clearly good nor clearly bad
WRONG = replace(GOOD, right=False)

Assess = Callable[..., tuple[Verdict, ScriptedLauncher]]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return primes(tmp_path)


@pytest.fixture
def run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Assess:
    def assessed(
        script: Script, check: str = "speedup", facts: MachineFacts = FACTS, preview: bool = False
    ) -> tuple[Verdict, ScriptedLauncher]:
        return scripted(lab, script, monkeypatch, check=check, facts=facts, preview=preview)

    return assessed


def from_trial(number: int, first: Script, then: Script) -> Script:
    """`first` until the learner's trial of that number (the warm-up is 1), `then` from there on."""
    seen: list[int] = []

    def script(order: Order, trial: int) -> Report:
        if order.arm == "parallel":
            seen.append(trial)
        return (first if len(seen) < number else then)(order, trial)

    return script


def learners(launcher: ScriptedLauncher) -> list[Order]:
    return [order for order in launcher.orders if order.arm == "parallel"]


# Speedup


def test_good_code_on_a_quiet_machine_is_met(run: Assess) -> None:
    verdict, launcher = run(GOOD)
    assert (verdict.outcome, verdict.provisional, verdict.points) == ("met", False, 4.0)
    assert verdict.estimate is not None
    assert verdict.estimate.blocks == 11
    assert verdict.estimate.clock == "wall"
    assert verdict.estimate.gain > 0.8
    assert "times as fast as serial" in verdict.reason
    assert verdict.for_marker == ""
    assert len(learners(launcher)) == 12  # a warm-up and eleven blocks


def test_a_calibration_that_claims_more_than_its_workers_can_gain_raises_no_bar(run: Assess) -> None:
    odd = replace(GOOD, reach=3.0)
    for script, clock in ((odd, "wall"), (replace(odd, free=odd), "free")):
        verdict, _ = run(script)
        assert verdict.outcome == "met"
        assert {(block.clock, block.reach) for block in verdict.blocks} == {(clock, 2.0)}


def test_serial_code_is_not_yet_and_takes_little_time(run: Assess) -> None:
    verdict, launcher = run(SERIAL)
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)
    assert verdict.findings[0].cause == "one busy process"
    assert "2 processes" in verdict.findings[0].try_next
    assert len(verdict.blocks) == 4
    assert launcher.clock.now < 20


def test_free_of_neighbours_a_check_ends_with_the_block_that_makes_it_sure(run: Assess) -> None:
    """Three blocks share a calibration there; nobody waits for the third when the first was enough."""
    verdict, _ = run(replace(SERIAL, free=SERIAL))
    assert (verdict.outcome, len(verdict.blocks)) == ("not yet", 4)
    wall = verdict.blocks[3].wall
    assert wall is not None
    assert wall.reach_after != wall.reach_before, "there is a calibration after it"


@pytest.mark.parametrize(("readings", "void"), [(2, 0), (4, 3)])
def test_too_little_reach_free_of_neighbours_is_measured_again_before_blocks_are_spent_on_it_or_void(
    run: Assess, readings: int, void: int
) -> None:
    clear, poor = (replace(one, free=one) for one in (GOOD, replace(GOOD, reach=1.2)))
    spins = 0  # two a reading

    def script(order: Order, number: int) -> Report:
        nonlocal spins
        spins += order.arm == "reach" and order.amount > 1
        return (poor if 6 < spins <= 6 + 2 * readings else clear)(order, number)

    verdict, _ = run(script)
    assert verdict.outcome == "met"
    assert [block.is_void(1.35) for block in verdict.blocks].count(True) == void
    always, launcher = run(replace(poor, free=poor))
    assert always.outcome == "cannot tell", "and where it never gets better, that is said"
    assert len(launcher.orders) < 200


def test_a_gain_too_small_is_not_yet_by_the_clock(run: Assess) -> None:
    verdict, _ = run(Program(speedup=1.15, cpu=(0.3, 0.1, 0.1)))
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)
    assert "where 1.4" in verdict.reason
    assert "work in the parent" in [finding.cause for finding in verdict.findings]


@pytest.mark.parametrize("first", [0.5, 0.001])
def test_right_code_beside_busy_neighbours_is_not_measured_on_too_little_work(
    run: Assess, first: float
) -> None:
    """They make everything take four times its CPU seconds, which come in ticks; starting workers costs some."""

    def crowded(order: Order, number: int) -> Report:
        if order.arm == "reach":
            return Program(reach=1.0)(order, number)
        work = first / 12 * np.load(order.folders[-1] / "numbers.npy").size
        if order.arm == "serial":
            return Report(0.02 + 4 * work, (math.ceil(100 * work) / 100,))
        return Report(0.02 + 4 * work, (0.03, 0.05 + work / 2, 0.05 + work / 2))

    verdict, _ = run(crowded)
    assert verdict.outcome in ("met", "cannot tell"), verdict.reason


def test_a_wrong_answer_in_a_block_is_not_yet_with_the_difference(run: Assess) -> None:
    verdict, launcher = run(from_trial(4, GOOD, WRONG))
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)
    assert verdict.findings[0].cause == "wrong answer"
    assert "of the numbers are prime; your answer is" in verdict.reason
    assert len(learners(launcher)) == 4


@pytest.mark.parametrize("ending", ["raised", "died", "timed out", "wrong type"])
def test_a_trial_that_fails_in_a_block_ends_the_measurement(run: Assess, ending: str) -> None:
    bad = replace(GOOD, ending=ending, message="what went wrong")  # type: ignore[arg-type]
    verdict, launcher = run(from_trial(3, GOOD, bad))
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)
    assert verdict.findings[0].cause == ending
    assert len(learners(launcher)) == 3


def test_a_submission_that_fails_at_once_costs_no_calibration(run: Assess) -> None:
    verdict, launcher = run(replace(GOOD, ending="stub", message="it is not written yet."))
    assert verdict.outcome == "not yet"
    assert "not written yet" in verdict.reason
    assert [order.arm for order in launcher.orders] == ["parallel"]


def test_load_from_before_gives_full_points_and_is_listed_for_the_marker(run: Assess) -> None:
    verdict, _ = run(replace(BETWEEN, reach=1.1))
    assert (verdict.outcome, verdict.points) == ("cannot tell", 4.0)
    assert verdict.findings[0].cause == "load"
    assert "primes, speedup" in verdict.for_marker


def test_noise_that_comes_later_gives_no_points_and_is_listed_for_the_marker(run: Assess) -> None:
    verdict, _ = run(from_trial(3, BETWEEN, replace(BETWEEN, reach=1.1)))
    assert (verdict.outcome, verdict.points) == ("cannot tell", 0.0)
    assert verdict.findings[0].cause == "load"
    assert verdict.for_marker != ""


def test_good_code_on_a_loaded_machine_is_met_provisionally_and_listed(run: Assess) -> None:
    verdict, _ = run(replace(GOOD, speedup=1.15, reach=1.1))
    assert (verdict.outcome, verdict.provisional, verdict.points) == ("met", True, 4.0)
    assert verdict.estimate is not None
    assert verdict.estimate.clock == "cpu"
    assert "provisional" in verdict.for_marker


def test_serial_code_on_a_loaded_machine_is_still_not_yet(run: Assess) -> None:
    verdict, _ = run(replace(SERIAL, reach=1.1))
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)


def test_code_near_the_bar_cannot_be_told_and_earns_the_half_that_is_sure(run: Assess) -> None:
    verdict, _ = run(BETWEEN)
    assert (verdict.outcome, verdict.points) == ("cannot tell", 2.0)
    assert verdict.findings[0].cause == "close to the bar"


BESIDE = Program(
    speedup=1.05, reach=1.1, free=Program()
)  # what the wall clock shows, and what would be without


def looked_into(*faults: str) -> Script:
    """BESIDE, and the trace of a real program where the run is one that explains: the last one again and again."""
    left = list(faults)

    def script(order: Order, trial: int) -> Report:
        if order.trace is not None:
            fault = left.pop(0) if len(left) > 1 else left[0]
            program = str(PRIMES.parents[1] / "faults" / f"{fault}.py")
            command = [sys.executable, "-m", "grader.tracing.script", str(order.trace), program]
            subprocess.run(command, check=True, capture_output=True, timeout=60)
        return BESIDE(order, trial)

    return script


@pytest.mark.slow
@pytest.mark.alone
def test_workers_that_queue_for_a_lock_beside_neighbours_earn_nothing_by_their_wait_for_a_core(
    run: Assess,
) -> None:
    """They wake up for the lock, find it taken again, and have waited for a core meanwhile: for nothing."""
    verdict, _ = run(looked_into("lock_convoy"))
    assert (verdict.outcome, verdict.points) == ("cannot tell", 0.0)
    assert "lock beside neighbours" in [finding.cause for finding in verdict.findings]
    assert verdict.diagnosis is not None, "the learner sees the queue"
    for faults in (["clean"], ["lock_convoy", "clean"]):  # one odd look decides nothing: there are three more
        verdict, launcher = run(looked_into(*faults))
        assert verdict.outcome == "met"
        assert sum(order.trace is not None for order in launcher.orders) == (4 if len(faults) > 1 else 1)


def test_where_the_wall_clock_agrees_nobody_looks_into_a_program_that_is_met(run: Assess) -> None:
    _, launcher = run(GOOD)
    assert [order for order in launcher.orders if order.trace is not None] == []


def test_beside_busy_neighbours_good_code_is_met_where_the_system_tells_their_part(run: Assess) -> None:
    verdict, _ = run(BESIDE)
    assert (verdict.outcome, verdict.provisional, verdict.points) == ("met", False, 4.0)
    assert verdict.estimate is not None
    assert verdict.estimate.clock == "free"
    assert verdict.estimate.wall == pytest.approx(1.05, rel=0.1)
    assert {block.clock for block in verdict.blocks} == {"free"}


def test_beside_busy_neighbours_serial_code_spread_over_processes_is_not_met(run: Assess) -> None:
    in_turns = replace(BESIDE, free=Program(speedup=0.98))
    verdict, _ = run(in_turns)
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)


def test_code_that_is_surely_above_the_lower_bar_alone_earns_half(run: Assess) -> None:
    verdict, _ = run(Program(speedup=1.22, cpu=(0.1, 0.3, 0.12)))
    assert (verdict.outcome, verdict.points) == ("not yet", 2.0)


def test_between_two_calibrations_lie_three_pairs_where_neighbours_are_told_apart_and_one_elsewhere(
    run: Assess,
) -> None:
    for script, pairs in ((BESIDE, 3), (GOOD, 1)):
        _, launcher = run(script)
        measured = [order.arm for order in launcher.orders if len(order.folders) != 2]
        after = "".join(arm[0] for arm in measured).rpartition("r" * 6)[2]  # serial, parallel, reach
        assert after.replace("p", "s").startswith("ss" * pairs + "r")


def test_a_baseline_that_cannot_be_sized_is_named_and_costs_nothing(run: Assess) -> None:
    verdict, _ = run(Program(serial=0.001))
    assert (verdict.outcome, verdict.points, verdict.findings[0].cause) == ("cannot tell", 4.0, "too small")


def test_serial_and_parallel_are_run_in_random_order(run: Assess) -> None:
    _, launcher = run(BETWEEN)
    arms = [order.arm for order in launcher.orders if len(order.folders) == 1][1:]  # without the warm-up
    pairs = {tuple(arms[i : i + 2]) for i in range(0, len(arms), 2)}
    assert pairs == {("serial", "parallel"), ("parallel", "serial")}


def test_every_block_has_a_fresh_input_that_is_gone_afterwards(run: Assess) -> None:
    _, launcher = run(GOOD)
    folders = [order.folders[0] for order in learners(launcher)]
    assert len(set(folders)) == len(folders)
    assert not any(folder.exists() for folder in folders)


def test_no_block_is_started_that_does_not_fit_the_budget(run: Assess, lab: Lab) -> None:
    _, launcher = run(BETWEEN)
    assert lab.bars.budget * 0.9 < launcher.clock.now <= lab.bars.budget


@pytest.mark.parametrize(("seconds", "blocks"), [(40, 1), (16, 2)])
def test_no_pair_is_made_that_does_not_fit_where_a_calibration_serves_three(
    run: Assess, lab: Lab, seconds: int, blocks: int
) -> None:
    slow = Program(serial=1, speedup=1 / seconds, cpu=(1.0, 24.0, 24.0))
    verdict, launcher = run(replace(slow, free=slow))
    assert (verdict.outcome, len(verdict.blocks)) == ("not yet", blocks)
    assert launcher.clock.now < lab.bars.budget + seconds


def test_slow_code_gets_one_block_even_when_it_does_not_fit(run: Assess, lab: Lab) -> None:
    verdict, launcher = run(Program(serial=1, speedup=0.03, cpu=(1.0, 24.0, 24.0)))
    assert verdict.outcome == "not yet"
    assert len(verdict.blocks) == 1
    assert launcher.clock.now < 1.5 * lab.bars.budget


def test_where_starting_is_dear_there_is_time_for_enough_blocks(run: Assess, lab: Lab) -> None:
    """Three seconds a serial trial: in the lab's own minute there would be seven blocks, too few to be sure."""
    verdict, launcher = run(Program(serial=3.0, speedup=1.34, reach=1.95, cpu=(0.1, 1.7, 1.7), start=0.6))
    assert verdict.outcome == "met"
    assert lab.bars.budget < launcher.clock.now <= 2.5 * lab.bars.budget


def test_a_start_method_of_its_own_is_respected_and_said(run: Assess) -> None:
    verdict, _ = run(replace(GOOD, start_methods_used=("spawn",)))
    assert verdict.outcome == "met"
    assert any(f.cause == "own start method" and "spawn" in f.what for f in verdict.findings)


@pytest.mark.parametrize(("own", "calibrated"), [("spawn", "spawn"), ("loky", "spawn")])
def test_the_start_method_that_really_runs_is_the_one_calibrated(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, own: str, calibrated: str
) -> None:
    opened: list[tuple[bool, str]] = []

    class Noting(ScriptedLauncher):
        def session(self, lab: Lab, worker: WorkerModule | None, start_method: str):  # type: ignore[no-untyped-def]
            opened.append((worker is None, start_method))
            return super().session(lab, worker, start_method)

    launcher = Noting(replace(GOOD, start_methods_used=(own,)))
    monkeypatch.setattr("grader.assess.time", launcher.clock)
    assess(lab, "speedup", WORKER, launcher, FACTS, lambda line: None)
    assert opened == [(False, "fork"), (True, "fork"), (True, calibrated)]


class Waiting(ScriptedLauncher):
    """The cores are free after 1000 seconds; it notes which trials ran inside the slot."""

    inside: tuple[int, int] | None = None

    @contextmanager
    def slot(self, progress: Progress, expect: float) -> Iterator[Slot]:
        self.clock.now += 1000.0
        first = len(self.orders)
        yield Slot(1000.0, True)
        self.inside = first, len(self.orders)


def test_waiting_for_the_cores_costs_nothing_of_the_budget_and_all_that_is_timed_runs_inside(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = Waiting(GOOD)
    monkeypatch.setattr("grader.assess.time", launcher.clock)
    verdict = assess(lab, "speedup", WORKER, launcher, FACTS, lambda line: None)
    assert verdict.outcome == "met"
    assert verdict.estimate is not None
    assert verdict.estimate.seconds < lab.bars.budget
    assert launcher.inside is not None
    first, last = launcher.inside
    assert [order.arm for order in launcher.orders[:first]] == [
        "parallel"
    ]  # the warm-up, which may fail at once
    assert last == len(launcher.orders)


@pytest.mark.parametrize(("facts", "preview"), [(FACTS, True), (replace(FACTS, usable=1.0), False)])
def test_nobody_waits_where_the_clock_has_no_say(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, facts: MachineFacts, preview: bool
) -> None:
    launcher = Waiting(GOOD)
    monkeypatch.setattr("grader.assess.time", launcher.clock)
    assess(lab, "speedup", WORKER, launcher, facts, lambda line: None, preview=preview)
    assert launcher.inside is None


def test_more_speedup_than_cores_is_shown_to_a_marker(run: Assess) -> None:
    verdict, _ = run(replace(GOOD, speedup=8.0))
    assert "faster than the cores allow" in [finding.cause for finding in verdict.findings]


# One core


ONE_CORE = replace(FACTS, affinity=1, usable=1.0)


def test_with_one_core_parallel_code_cannot_be_told_and_gets_full_points(run: Assess) -> None:
    verdict, launcher = run(replace(GOOD, speedup=0.95, reach=0.95), facts=ONE_CORE)
    assert (verdict.outcome, verdict.points) == ("cannot tell", 4.0)
    assert verdict.findings[0].cause == "too few cores"
    assert "1 core" in verdict.reason
    assert verdict.for_marker != ""
    assert launcher.clock.now < 15


def test_with_one_core_serial_code_is_not_yet(run: Assess) -> None:
    verdict, _ = run(SERIAL, facts=ONE_CORE)
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)
    assert verdict.findings[0].cause == "one busy process"


def test_with_one_core_a_wrong_answer_is_not_yet(run: Assess) -> None:
    verdict, _ = run(WRONG, facts=ONE_CORE)
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)


# Previews


@pytest.mark.parametrize("program", [GOOD, BETWEEN, Program(speedup=0.3, cpu=(0.4, 0.5, 0.5))])
def test_a_preview_fails_nothing_that_is_right_and_spreads(run: Assess, program: Program) -> None:
    verdict, launcher = run(program, preview=True)
    assert verdict.outcome == "cannot tell"
    assert verdict.points == 4.0
    assert verdict.preview
    assert verdict.for_marker == ""
    assert launcher.clock.now <= 8


@pytest.mark.parametrize("program", [SERIAL, WRONG, replace(GOOD, ending="raised", message="why")])
def test_a_preview_fails_wrong_answers_and_one_busy_process(run: Assess, program: Program) -> None:
    verdict, launcher = run(program, preview=True)
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)
    assert launcher.clock.now <= 8


def test_a_preview_of_code_that_takes_long_stops_in_time_and_fails_nothing(run: Assess) -> None:
    verdict, launcher = run(from_trial(2, GOOD, replace(GOOD, ending="timed out")), preview=True)
    assert (verdict.outcome, verdict.points) == ("cannot tell", 4.0)
    assert launcher.clock.now <= 8


def test_a_preview_of_the_answer_tries_one_start_method(run: Assess) -> None:
    verdict, launcher = run(GOOD, "answer", preview=True)
    assert verdict.outcome == "met"
    assert len(learners(launcher)) == 1


# Answers


def test_right_answers_at_every_size_and_under_every_start_method_are_met(run: Assess) -> None:
    verdict, launcher = run(GOOD, "answer")
    assert (verdict.outcome, verdict.points) == ("met", 6.0)
    assert "0, 1, 7, 301" in verdict.reason
    assert "fork, spawn" in verdict.reason
    assert [len(order.folders) for order in learners(launcher)] == [4, 4]


def test_an_answer_that_is_wrong_under_the_second_start_method_says_which(run: Assess) -> None:
    verdict, _ = run(from_trial(2, GOOD, WRONG), "answer")
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)
    assert "under spawn" in verdict.reason


def test_the_first_start_method_that_goes_wrong_is_the_last_one_tried(run: Assess) -> None:
    _, launcher = run(WRONG, "answer")
    assert len(learners(launcher)) == 1


def test_an_imposed_start_method_is_the_only_one(run: Assess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COREWISE_START_METHOD", "spawn")
    verdict, _ = run(GOOD, "answer")
    assert verdict.reason.endswith("under spawn.")


def test_a_start_method_that_is_not_there_is_the_callers_mistake(
    run: Assess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COREWISE_START_METHOD", "spwan")
    with pytest.raises(LearnerError) as raised:
        run(GOOD, "answer")
    assert "'spwan'" in raised.value.what
    assert "fork, spawn" in raised.value.try_next


def test_a_check_that_is_not_there_lists_those_that_are(run: Assess) -> None:
    with pytest.raises(LearnerError) as raised:
        run(GOOD, "sped")
    assert "answer, speedup" in raised.value.try_next


@pytest.mark.parametrize("check", ["answer", "speedup"])
def test_a_baseline_that_fails_is_our_fault(run: Assess, check: str) -> None:
    def broken(order: Order, number: int) -> Report:
        return (
            Report(0.1, (), "raised", message="no such file")
            if order.arm == "serial"
            else GOOD(order, number)
        )

    with pytest.raises(GraderError, match="The baseline raised: no such file"):
        run(broken, check)


def test_a_calibration_that_fails_is_our_fault(run: Assess) -> None:
    def broken(order: Order, number: int) -> Report:
        return Report(0.1, (), "died", message="killed") if order.arm == "reach" else GOOD(order, number)

    with pytest.raises(GraderError, match="calibration died"):
        run(broken)


# For real: no seconds are asserted, for the machine may be busy.


HEAD = """
from multiprocessing import Pool

def is_prime(number):
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 1
    return number > 1

def count(numbers):
    return sum(map(is_prime, numbers))

def count_primes(numbers, workers):
"""
REFERENCE = """
    with Pool(workers) as pool:
        return sum(pool.map(count, [numbers[i::16] for i in range(16)], chunksize=1))
"""


def real(lab: Lab, body: str) -> Verdict:
    worker = WorkerModule("counter", {"counter": HEAD + body}, "a test")
    return assess(lab, "speedup", worker, LocalLauncher(), machine.look(), lambda line: None)


@pytest.mark.slow
@pytest.mark.alone
def test_the_real_reference_is_never_not_yet() -> None:
    lab = load(PRIMES)
    verdict = real(replace(lab, bars=replace(lab.bars, budget=30)), REFERENCE)
    assert verdict.outcome in ("met", "cannot tell"), verdict.reason


@pytest.mark.slow
@pytest.mark.alone
def test_real_serial_code_is_not_yet_with_one_busy_process() -> None:
    verdict = real(load(PRIMES), "    return count(numbers)\n")
    assert verdict.outcome == "not yet"
    assert verdict.findings[0].cause == "one busy process"


@pytest.mark.slow
@pytest.mark.alone
def test_real_serial_code_in_a_pool_of_one_is_not_yet() -> None:
    verdict = real(load(PRIMES), "    with Pool(1) as pool:\n        return pool.apply(count, (numbers,))\n")
    assert verdict.outcome == "not yet"


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_on_one_real_core_the_reference_cannot_be_told_and_serial_code_is_not_yet(tmp_path: Path) -> None:
    (tmp_path / "bodies.json").write_text(
        json.dumps([HEAD + REFERENCE, HEAD + "    return count(numbers)\n"])
    )
    code = (
        "import json, os, sys; from pathlib import Path\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from grader import machine; from grader.assess import assess; from grader.lab import load\n"
        "from grader.launch.local import LocalLauncher; from grader.model import WorkerModule\n"
        "for source in json.loads(Path(sys.argv[1]).read_text()):\n"
        "    worker = WorkerModule('counter', {'counter': source}, 'a test')\n"
        "    verdict = assess(load(Path(sys.argv[2])), 'speedup', worker, LocalLauncher(), machine.look(), print)\n"
        "    print('verdict', verdict.outcome, verdict.findings[0].cause, verdict.points, sep='|')\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "bodies.json", PRIMES],
        capture_output=True,
        text=True,
        check=True,
    )
    verdicts = [line for line in told.stdout.splitlines() if line.startswith("verdict")]
    assert verdicts == ["verdict|cannot tell|too few cores|4.0", "verdict|not yet|one busy process|0.0"]
