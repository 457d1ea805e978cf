"""The verdict's operating characteristics: the simulator can be trusted, the demands hold on it, runs resume."""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.verdict import adversaries, course, demand, machines, peers, real, simulate, traces
from benchmarks.verdict.accounts import Ran
from benchmarks.verdict.adversaries import ADVERSARIES
from benchmarks.verdict.cells import CELLS, CURVES, Cell, Tally, groups, is_wrong
from benchmarks.verdict.conditions import CONDITIONS, neighbours, why_not
from benchmarks.verdict.demand import Program
from benchmarks.verdict.demands import RealRow, shown, shown_by_real_runs
from benchmarks.verdict.ledger import Ledger, worked_off
from benchmarks.verdict.machines import Machine
from benchmarks.verdict.odds import at_least, at_most
from benchmarks.verdict.rows import Fleet
from benchmarks.verdict.simulate import Run
from grader.measure.decide import settle
from grader.measure.free import Share, Window, lost, shares_lost
from grader.measure.stage import TRACKER
from grader.model import Block, Clock

ROOT = Path(__file__).parents[1]
EXACT = replace(machines.TWO, noise=0.0, stalls=0.0, start=0.0)


# Bounds


def test_nothing_seen_in_three_thousand_runs_is_at_most_a_thousandth() -> None:
    assert at_most(0, 3000) == pytest.approx(1 - 0.05 ** (1 / 3000))
    assert at_most(0, 3000) < 0.001 < at_most(1, 3000)


def test_bounds_are_those_of_clopper_and_pearson() -> None:
    assert at_most(3, 100) == pytest.approx(0.0757, abs=1e-4)  # published tables
    assert at_least(97, 100) == pytest.approx(1 - 0.0757, abs=1e-4)
    assert at_most(10, 10) == 1.0
    assert at_least(0, 10) == 0.0


# Programs


@pytest.mark.parametrize("name", ["serial", "Pool(1)", "GIL-bound threads", "sleeper", "takes turns"])
def test_programs_that_gain_nothing_do_all_of_the_work(name: str) -> None:
    program = demand.program(name, EXACT)
    assert sum(sum(phase.tasks) for phase in program.phases) == pytest.approx(1.0)


def test_every_cell_has_a_program_and_a_name_of_its_own() -> None:
    cells = [*CELLS, *CURVES]
    assert len({(cell.kind, cell.name) for cell in cells}) == len(cells)
    assert sum(len(group.cells) for group in groups(cells)) == len(cells)
    for cell in cells:
        assert demand.program(cell.program, cell.machine).phases


@pytest.mark.parametrize("machine", [machines.TWO, machines.HYBRID, machines.QUOTA], ids=lambda m: m.name)
def test_a_program_of_a_gain_has_it_where_nobody_else_is(machine: Machine) -> None:
    still = replace(machine, noise=0.0, stalls=0.0)
    programs = [demand.baseline(), simulate.program("gain 0.5", machine)]
    seen = ran(still, *programs, *demand.calibration(machine.workers, machine.start_share), runs=60)
    serial, parallel, one, many = np.median(seen.wall, axis=1)
    assert (serial / parallel - 1) / (2 * one / many - 1) == pytest.approx(0.5, abs=0.04)


def test_less_is_done_alone_where_more_is_gained() -> None:
    alone = [simulate.alone_for(gain, machines.TWO) for gain in (0.2, 1 / 3, 0.5, 0.8)]
    assert alone == sorted(alone, reverse=True)
    assert alone[1] == pytest.approx(0.5, abs=0.05)  # about half of the work is a third of the gain


# The scheduler


def ran(machine: Machine, *programs: Program, runs: int = 40) -> Ran:
    """Each program once, on so many machines."""
    schedule = np.tile(np.arange(len(programs))[:, None], (1, runs))
    quiet = [replace(program, noise=0.0) for program in programs]
    return course.run(Fleet(machine, runs, np.random.default_rng(7)), quiet, schedule)


def test_on_a_quiet_machine_work_takes_what_it_takes() -> None:
    halves = demand.partly(2, 0.0, 0.0)
    seen = ran(EXACT, demand.baseline(), halves, demand.partly(2, 0.0, 0.5))
    assert seen.wall[0] == pytest.approx(EXACT.t_serial)
    assert np.median(seen.wall[1]) == pytest.approx(
        EXACT.t_serial / 2, rel=0.05
    )  # thirteen tasks don't divide evenly
    assert np.median(seen.wall[2]) == pytest.approx(EXACT.t_serial * 0.75, rel=0.05)
    assert seen.cpu.sum(axis=1) == pytest.approx(EXACT.t_serial)


@pytest.mark.parametrize("beside", machines.NEIGHBOURS, ids=[name for name, *_ in machines.NEIGHBOURS])
@pytest.mark.parametrize("machine", [machines.TWO, machines.SMT, machines.HYBRID, machines.QUOTA])
def test_time_free_of_neighbours_stays_within_the_laws(
    machine: Machine, beside: tuple[str, int, float, float]
) -> None:
    machine = machines.beside(machine, beside)
    seen = ran(
        machine, demand.baseline(), demand.program("reference", machine), demand.program("8 workers", machine)
    )
    used = seen.cpu.sum(axis=1)
    assert (seen.free <= seen.wall + 1e-9).all()
    law = np.minimum(seen.wall, used / machine.usable)  # a quota lets a short run burst
    assert (seen.free >= law - 1e-9).all()
    assert (used > 0).all()


def test_neighbours_lengthen_the_wall_clock_and_hardly_the_time_free_of_them() -> None:
    crowded = machines.beside(EXACT, machines.TWO_BUSY)
    seen = ran(crowded, demand.baseline(), demand.partly(2, 0.0, 0.0), runs=200)
    assert np.median(seen.wall[1]) > 0.8 * EXACT.t_serial
    assert np.median(seen.free[1]) == pytest.approx(EXACT.t_serial / 2, rel=0.15)
    assert np.median(seen.free[0]) == pytest.approx(EXACT.t_serial, rel=0.15)


def test_two_threads_of_one_core_run_at_less_than_full_speed() -> None:
    pair = replace(EXACT, paired=True)
    seen = ran(pair, demand.baseline(), demand.partly(2, 0.0, 0.0))
    assert np.median(seen.wall[0] / seen.wall[1]) == pytest.approx(1.24, rel=0.05)


def test_a_quota_lets_run_what_it_says_and_no_more() -> None:
    long = Program("long", tuple(demand.Phase((5.0, 5.0), (1, 2)) for _ in range(1)), (0, 1, 2))
    seen = ran(replace(EXACT, quota=1.5), long)
    assert np.median(seen.cpu.sum(axis=1) / seen.wall) == pytest.approx(1.5, rel=0.03)


def test_threads_that_share_a_lock_gain_nothing() -> None:
    seen = ran(EXACT, demand.baseline(), demand.gil_threads(2))
    assert np.median(seen.wall[0] / seen.wall[1]) == pytest.approx(1.0, rel=0.02)


def test_the_same_seed_makes_the_same_measurements() -> None:
    programs = [demand.program("reference", machines.TWO)]
    first, second = (simulate.measure(machines.TWO, programs, [3], "free", [5]) for _ in range(2))
    assert first == second


@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 0.1), st.floats(0, 0.1)), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.sampled_from([1, 2]), min_size=3, max_size=3),
    st.floats(0, 2),
)
def test_many_windows_at_once_lose_what_each_loses_alone(
    columns: list[list[tuple[float, float]]], process: list[int], idle: float
) -> None:
    accounts = np.array(columns).transpose(2, 1, 0)
    many = shares_lost(process, accounts[0], accounts[1], np.full(len(columns), 0.1), idle, 2.0, 2)
    for one, column in zip(many, columns, strict=True):
        threads = tuple(Share(p, n, a, b) for n, (p, (a, b)) in enumerate(zip(process, column, strict=True)))
        assert one == pytest.approx(lost(Window(0.1, threads, idle), 2.0, 2), abs=1e-9)


# What simulated machines make of serial, half-parallel and good code


def measured(program: str, beside: tuple[str, int, float, float], clock: Clock, runs: int) -> list[Run]:
    machine = machines.beside(machines.TWO, beside)
    return simulate.measure(machine, [simulate.program(program, machine)], [runs], clock, [11])[0]


def outcomes(runs: Sequence[Run]) -> Counter[str]:
    return Counter("provisional" if run.decision.provisional else run.decision.outcome for run in runs)


NEIGHBOURS = pytest.mark.parametrize(
    "beside", machines.NEIGHBOURS, ids=[name for name, *_ in machines.NEIGHBOURS]
)
CLOCKS = pytest.mark.parametrize("clock", ["free", "wall"])


@CLOCKS
def test_good_code_is_met_by_the_clock_when_the_machine_is_quiet(clock: Clock) -> None:
    runs = measured("reference", machines.QUIET, clock, 20)
    assert outcomes(runs) == {"met": 20}
    assert all(run.seconds <= 30 for run in runs)  # simulated ones


def test_good_code_beside_an_always_busy_neighbour_is_met_by_the_time_free_of_neighbours() -> None:
    assert outcomes(measured("reference", machines.ONE_BUSY, "free", 20)) == {"met": 20}


def test_good_code_beside_an_always_busy_neighbour_is_provisional_or_cannot_tell_by_the_wall_clock() -> None:
    runs = measured("reference", machines.ONE_BUSY, "wall", 20)
    assert not set(outcomes(runs)) - {"provisional", "cannot tell"}
    assert {run.decision.cause for run in runs if run.decision.outcome == "cannot tell"} <= {"load"}


@pytest.mark.slow
@pytest.mark.parametrize("program", ["sleeper", "takes turns"])
def test_code_that_only_looks_parallel_by_cpu_seconds_is_never_met_beside_a_neighbour(program: str) -> None:
    """Where the neighbour was there before, it is `cannot tell` at most, for which nobody is to blame."""
    said = [run.decision for run in measured(program, machines.ONE_BUSY, "wall", 40)]
    assert all(decision.share == 0 and decision.outcome != "met" for decision in said)
    assert {decision.cause for decision in said if decision.outcome == "cannot tell"} <= {"load"}


@pytest.mark.slow
@CLOCKS
@NEIGHBOURS
def test_good_code_is_never_not_yet_and_half_parallel_code_hardly_ever_met_beside_simulated_neighbours(
    beside: tuple[str, int, float, float], clock: Clock
) -> None:
    """Side by side, for a run more costs little. Half-parallel code: of 120 runs, 3: with 1 % it would be seen with
    more in one of twenty. The table has 1,000 runs a cell.
    """
    machine = machines.beside(machines.TWO, beside)
    programs = [simulate.program(name, machine) for name in ("reference", "half parallel")]
    good, half = map(outcomes, simulate.measure(machine, programs, [120, 120], clock, [11]))
    assert good["not yet"] == 0
    assert clock == "wall" or good["met"] >= 0.95 * 120  # where the wall clock can't tell, it says so
    assert half["met"] + half["provisional"] <= 3


# Adversaries


@pytest.mark.slow
@pytest.mark.parametrize("name", ADVERSARIES)
def test_serial_code_gets_points_in_at_most_alpha_of_the_runs_whatever_the_noise(name: str) -> None:
    """At alpha = 1e-3, 4 or more of 400 have a probability of 0.0008 for full points, and as much for half of them."""
    seen = adversaries.fooled(name, 400, seed=1)
    assert seen.met <= 3
    assert seen.half <= 3


def test_without_the_coin_the_same_noise_would_fool_the_test() -> None:
    """Every second trial slow, and the serial one always second: so the property above has teeth."""
    dice = random.Random(5)
    for clock in ("free", "wall"):
        shares = [
            adversaries.share(adversaries.alternating, dice, clock, coin=lambda: False) for _ in range(10)
        ]
        assert shares.count(1.0) >= 8  # of some, nearly all blocks are void


def test_the_worst_adversary_stays_below_alpha_exactly() -> None:
    assert adversaries.exact(10) == 0.0
    assert adversaries.exact(11) == pytest.approx(2**-11)  # nothing but eleven wins is enough
    assert adversaries.exact(11) < adversaries.exact(adversaries.BLOCKS) < 1e-3


@given(
    st.lists(st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)), min_size=8, max_size=14),
    st.randoms(use_true_random=False),
)
def test_swapping_every_label_turns_wins_into_losses(
    times: list[tuple[float, float]], dice: random.Random
) -> None:
    """Both outcomes of the coin are as likely, and only one of the two can be worth something."""
    reaches = [dice.uniform(1.35, 1.9) for _ in times]
    as_it_is = [Block(a, b, r, r, (0.4,), (0.0, 0.2, 0.2)) for (a, b), r in zip(times, reaches, strict=True)]
    swapped = [replace(b, t_serial=b.t_parallel, t_parallel=b.t_serial) for b in as_it_is]
    assert not (earned(as_it_is) and earned(swapped))


def earned(blocks: Sequence[Block]) -> bool:
    """Do these blocks get points, if the test may stop at any of them?"""
    looks = (settle(blocks[:count], adversaries.BARS, 2.0) for count in range(1, len(blocks) + 1))
    return any(said is not None and said.share > 0 for said in looks)


# Peers


def test_peers_judge_recorded_blocks_by_the_wall_clock() -> None:
    good, slow = Block(0.4, 0.22, 1.9, 1.9), Block(0.4, 0.38, 1.9, 1.9)
    assert peers.recorded([[good] * 5, [slow] * 5, [good] * 4]) == peers.Passes(2, 1, 1)
    assert peers.recorded([]) == peers.Passes(0, 0, 0)


def test_peers_tell_good_code_from_serial_code_when_all_is_quiet() -> None:
    programs = [demand.program(name, machines.TWO) for name in ("reference", "serial")]
    good, slow = peers.simulated(machines.TWO, programs, 30, [3])
    assert (good.best_of_3, good.cs149, slow.best_of_3, slow.cs149) == (30, 30, 0, 0)


# The table


@pytest.mark.slow
def test_a_small_table_is_honest_about_what_so_few_runs_show() -> None:
    cells = [
        c for c in CELLS if c.machine == machines.TWO and c.neighbours == machines.QUIET and c.clock == "free"
    ]
    tallies = [tally for group in groups(cells) for tally in group.run(9, 1)]
    assert {t.program for t in tallies} == {c.program for c in cells}
    assert all(t.met + t.provisional + t.not_yet + t.cannot_tell == t.runs for t in tallies)
    states = {demand.asks: demand.state for demand in shown(tallies, [])}
    assert set(states.values()) <= {"not sure", "not looked at"}


def tallied(wrong: int, runs: int) -> Tally:
    """A cell of serial code in which so many runs got points."""
    zero = dict.fromkeys(
        ("provisional", "half", "cannot_tell", "met_30", "met_60", "passed_60", "excused"), 0
    )
    where = {
        "cell": "x",
        "kind": "serial",
        "program": "serial",
        "where": "2 cores",
        "beside": "quiet",
        "clock": "wall",
    }
    said = {"met": wrong, "wrong": wrong, "not_yet": runs - wrong, "median": 8.0, "p95": 9.0}
    return Tally(runs=runs, **where, **said, **zero)  # type: ignore[arg-type]


def test_a_little_wrong_in_every_cell_refutes_a_demand_that_one_cell_could_not() -> None:
    serial = [shown([tallied(1, 60)] * cells, [])[0].state for cells in (1, 40)]
    assert serial == ["not sure", "REFUTED"]
    assert shown([tallied(0, 60)] * 40, [])[0].state == "not sure"
    assert shown([tallied(0, 3000)] * 2, [])[0].state == "shown"


def test_real_runs_that_were_wrong_or_slow_refute_what_is_asked_of_them() -> None:
    row = RealRow(
        "reference", "quiet", 60, 0, 60, 0, 0, 0, 0, 60, 11.0, 14.0, 14.5, 0, 11, peers.Passes(60, 7, 49)
    )
    busy = replace(row, condition="two busy", met_30=57, median=19.0, p95=29.0, longest=41.0)
    many = replace(row, program="8 workers", met=0, not_yet=60)
    core = replace(row, condition="one core", met=0, cannot_tell=60)

    def states(*rows: RealRow) -> list[str]:
        return [demand.state for demand in shown_by_real_runs(rows)]

    assert states(row, replace(busy, condition="one busy"), busy, many, core) == ["shown"] * 9
    assert states(replace(row, wrong=1))[0] == "REFUTED"
    assert states(replace(row, p95=31.0))[1] == "REFUTED"
    assert states(row, replace(busy, met_30=56))[3] == "REFUTED"
    assert states(replace(many, met=1))[4] == "REFUTED"
    assert states(row, replace(many, longest=77.0))[5] == "REFUTED"
    assert states(row, replace(many, left=1))[6] == "REFUTED"
    assert states(replace(core, cannot_tell=59))[7:] == ["REFUTED", "shown"]
    assert states(replace(core, longest=16.0))[7:] == ["shown", "REFUTED"]
    assert states() == ["not looked at"] * 9


def test_half_of_the_points_for_serial_code_are_wrong_too() -> None:
    run = measured("half parallel", machines.QUIET, "free", 1)[0]
    assert run.decision.share == 0.5
    assert is_wrong("serial", run)
    assert not is_wrong("half", run)


# Recorded blocks


@pytest.mark.parametrize("trace", traces.recorded(), ids=lambda t: f"{t.program}, {t.condition}")
def test_recorded_blocks_still_get_the_recorded_verdict(trace: traces.Trace) -> None:
    assert traces.agrees(trace, traces.replay(trace))


def test_of_real_runs_the_one_of_median_time_is_kept(tmp_path: Path) -> None:
    line = json.loads((traces.FOLDER / "two-vcpus.jsonl").read_text(encoding="utf-8").splitlines()[0])
    lines = [line | {"seconds": seconds} for seconds in (30.0, 10.0, 20.0)]
    cached = line | {"program": "cached", "blocks": []}
    ledger, folder = tmp_path / "real.jsonl", tmp_path / "kept"
    folder.mkdir()
    ledger.write_text("".join(json.dumps(one) + "\n" for one in [*lines, cached]), encoding="utf-8")
    assert traces.kept(ledger, folder) == 1  # the other one has no blocks
    assert [trace.seconds for trace in traces.recorded(folder)] == [20.0]


def test_measurements_can_be_drawn_from_recorded_blocks() -> None:
    good = [t for t in traces.recorded() if t.program == "reference" and t.outcome == "met"]
    runs = traces.drawn(good[:1], 20, seed=2)
    assert outcomes(runs)["not yet"] == 0
    assert all(set(run.blocks) <= set(good[0].blocks) for run in runs)


# Resuming


def _twice(number: int) -> int:
    return 2 * number


def test_finished_pieces_are_not_done_again_and_a_cut_line_is(tmp_path: Path) -> None:
    file = tmp_path / "out" / "cells.jsonl"
    jobs = [(f"job {number}", _twice, (number,)) for number in range(4)]
    done = {key for key, *_ in worked_off(jobs[:3], Ledger(file, resume=False), 2)}
    assert done == {"job 0", "job 1", "job 2"}
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])  # stopped in the middle of a line
    again = Ledger(file, resume=True)
    assert len([key for key, *_ in worked_off(jobs, again, 2)]) == 2
    assert [again[f"job {number}"] for number in range(4)] == [0, 2, 4, 6]
    assert "job 0" not in Ledger(file, resume=False)


def test_what_other_sources_made_is_not_taken_for_new(tmp_path: Path) -> None:
    file = tmp_path / "cells.jsonl"
    file.write_text(json.dumps({"key": "old", "print": 1, "value": 2}) + "\n", encoding="utf-8")
    assert "old" not in Ledger(file, resume=True)


# Real runs


def test_real_runs_take_turns_so_that_a_cut_run_is_balanced() -> None:
    turns = list(real.turns(60, ["reference", "serial"], ["quiet", "one busy", "quota 1.5", "one core"]))
    made = Counter((turn.program, turn.condition.name) for turn in turns)
    assert made["reference", "quiet"] == made["reference", "one busy"] == 60
    assert {made["serial", "quiet"], made["serial", "quota 1.5"], made["reference", "one core"]} == {5}
    for cut in range(0, len(turns), 7):
        part = Counter(turn.condition.name for turn in turns[:cut] if turn.program == "reference")
        assert abs(part["quiet"] - part["one busy"]) <= 1
        assert abs(part["quiet"] / 60 - sum(t.program == "serial" for t in turns[:cut]) / 20) < 0.25
    numbers = [turn.number for turn in turns if (turn.program, turn.condition.name) == ("serial", "quiet")]
    assert numbers == list(range(5))


def test_neighbours_are_gone_when_what_they_stood_beside_fails() -> None:
    before = _spinning()
    with contextlib.suppress(ZeroDivisionError), neighbours(2):
        assert len(_spinning() - before) == 2
        raise ZeroDivisionError
    assert _spinning() - before == set()


def _spinning() -> set[int]:
    """Our children, but for Python's own helper, which stays once it is there."""
    alive = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return {child.pid for child in alive if TRACKER not in " ".join(child.cmdline())}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send Ctrl-C to one process")
def test_ctrl_c_ends_a_real_run_with_its_neighbours_and_resume_goes_on(tmp_path: Path) -> None:
    ledger = tmp_path / "out" / "real.jsonl"
    command = [
        *(
            sys.executable,
            "-m",
            "benchmarks",
            "verdict",
            "--runs",
            "0",
            "--real",
            "--real-runs",
            "1",
            "--wait",
            "0",
        ),
        *(
            "--only",
            "cached",
            "--conditions",
            "quiet",
            "one busy",
            "--resume",
            "--ledger",
            str(ledger.parent),
        ),
    ]
    run = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    within(120, lambda: ledger.exists() and ledger.read_text(encoding="utf-8").count("\n") == 1)
    within(60, lambda: len(_group(run.pid)) >= 3)  # the second one, and its neighbour
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=60)[0].decode()
    assert run.returncode == 130, said
    assert "Traceback" not in said
    within(30, lambda: not _group(run.pid))
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert "real 1/1: cached, one busy" in again.stderr
    lines = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    assert [(line["condition"], line["outcome"]) for line in lines] == [
        ("quiet", "not yet"),
        ("one busy", "not yet"),
    ]
    assert "cached" in again.stdout


def test_every_condition_says_whether_it_can_be_had_here() -> None:
    said = {name: why_not(condition) for name, condition in CONDITIONS.items()}
    assert said["quiet"] == said["one busy"] == ""
    assert not list(Path("/sys/fs/cgroup").glob("**/corewise-*")) if Path("/sys/fs/cgroup").is_dir() else True


def within(seconds: float, holds: object) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def _group(number: int) -> set[int]:
    """The processes of a session's group that are alive."""
    found = set()
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == number and process.status() != psutil.STATUS_ZOMBIE:
                found.add(process.pid)
        except (ProcessLookupError, psutil.Error):
            continue
    return found


# The command


def test_a_quick_table_can_be_asked_for_in_json_and_as_a_picture(tmp_path: Path) -> None:
    """No simulation here: what is kept and recorded is shown all the same."""
    file = tmp_path / "x.json"
    earlier = (ROOT / "docs" / "operating-characteristics.json").read_text(encoding="utf-8")
    file.write_text(earlier, encoding="utf-8")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks",
            "verdict",
            "--runs",
            "0",
            "--ledger",
            str(tmp_path),
            "--json",
            str(file),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    result = json.loads(file.read_text(encoding="utf-8"))
    assert (result["schema"], result["benchmark"]) == (1, "verdict")
    assert all(replay["agrees"] for replay in result["replays"])
    simulated, real = result["demands"][:-9], result["demands"][-9:]
    assert {demand["state"] for demand in simulated} == {"not looked at"}
    assert {demand["state"] for demand in real} == {"shown"}, "of the real runs that are committed"
    assert result["real"] == json.loads(earlier)["real"], (
        "where none were made now, those of the file are kept"
    )


@pytest.mark.slow
def test_a_part_of_the_table_refutes_no_demand(tmp_path: Path) -> None:
    """What CI looks at: 40 runs a cell of a part of the cells, and the recorded blocks."""
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks",
            "verdict",
            "--quick",
            "--runs",
            "40",
            "--ledger",
            str(tmp_path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    assert "REFUTED" not in run.stdout


def test_a_cell_is_of_one_kind() -> None:
    cell = Cell("half", "half parallel", machines.TWO, machines.QUIET, "free")
    assert cell.runs(3000) == 2000
    assert math.isinf(machines.ONE_BUSY[2])
