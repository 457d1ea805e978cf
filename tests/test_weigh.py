"""The checks `memory` and `clean_up`: what each kind of program gets.

Most of it runs on the scripted launcher, where trials only report their curves; the rest is marked slow and real.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from matrix_answers import BY_FORK, HEAD, LOADED_BY_EACH, MAPPED, ORPHAN, PICKLED, SERIAL, SHARED, with_lines
from tiny_checkout import corewise, left_of, make

from grader import machine
from grader.assess import assess
from grader.author.verify import report, verify
from grader.errors import GraderError
from grader.lab import load
from grader.launch.local import LocalLauncher
from grader.launch.scripted import Report, Script, ScriptedLauncher
from grader.model import Lab, MachineFacts, Order, Verdict, WorkerModule
from grader.weights import Curve, Left

MATRIX = Path(__file__).parent / "labs" / "matrix"
FACTS = MachineFacts(2, 2, None, 2, 2.0, ("fork", "spawn"), 0.3, None, "Linux", "3.13")
WORKER = WorkerModule("summer", {"summer": "the script stands in for it\n"}, "a test")
MIB = 1024 * 1024
PAYLOAD = 64 * MIB

Assess = Callable[..., tuple[Verdict, ScriptedLauncher]]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """The matrix, at a size that takes no time: what it weighs is scripted."""
    shutil.copytree(MATRIX, tmp_path / "matrix", ignore=shutil.ignore_patterns("__pycache__"))
    checks = tmp_path / "matrix" / "checks.py"
    text = checks.read_text().replace("MEMORY_SIZE = 8192", "MEMORY_SIZE = 5").replace("300", "9")
    checks.write_text(text.replace('return (folder / "matrix.f64").stat().st_size', f"return {PAYLOAD}"))
    return load(tmp_path / "matrix")


@pytest.fixture
def run(lab: Lab) -> Assess:
    def assessed(script: Script, check: str = "memory", **changes: Any) -> tuple[Verdict, ScriptedLauncher]:
        launcher = ScriptedLauncher(script)
        verdict = assess(lab, check, WORKER, launcher, FACTS, lambda line: None, **changes)
        return verdict, launcher

    return assessed


def curve(peak: float, processes: int, samples: int = 50) -> Curve:
    return Curve(((0.0, 9 * MIB), (1.0, round(peak)), (2.0, 20 * MIB)), samples, processes, "PSS")


def holding(two: float, four: float, *, processes: int = 3, **changes: Any) -> Script:
    """A program that holds so many copies with 2 and with 4 workers, beside a twin of 25 MiB a worker."""

    def script(order: Order, number: int) -> Report:
        twin = 25.0 * MIB * order.workers
        if order.arm == "idle":
            return Report(0.1, (), curve=curve(twin, order.workers + 1))
        if order.arm == "serial":
            return Report(0.1, ())
        copies = two if order.workers == 2 else four
        report = Report(
            0.1, (), start_methods_used=("fork",), curve=curve(twin + copies * PAYLOAD, processes)
        )
        return dataclasses.replace(report, **changes)

    return script


def leaving(*left: Left, under: str = "") -> Script:
    """A program that leaves this behind under its second start method, or under each."""
    seen: list[int] = []

    def script(order: Order, number: int) -> Report:
        if order.arm != "parallel":
            return Report(0.1, ())
        seen.append(number)
        return Report(
            0.1, (), left=left if not under or len(seen) == FACTS.start_methods.index(under) + 1 else ()
        )

    return script


# Memory


def test_one_copy_shared_by_all_workers_is_met_after_one_round(run: Assess) -> None:
    verdict, launcher = run(holding(1.0, 1.1))
    assert (verdict.outcome, verdict.points, verdict.findings) == ("met", 4.0, ())
    assert verdict.reason == (
        "With 4 workers the processes held 1.10 copies of the 64 MiB, with 2 workers 1.00."
    )
    weighed = [(order.arm, order.workers) for order in launcher.orders if order.weigh]
    assert weighed == [*[("idle", 2)] * 2, *[("idle", 4)] * 2, ("parallel", 2), ("parallel", 4)]
    assert verdict.memory is not None
    assert verdict.memory.rounds == 1


def test_a_run_that_is_weighed_has_one_input_and_is_never_looked_at_for_its_seconds(run: Assess) -> None:
    verdict, launcher = run(holding(1.0, 1.1))
    assert [len(order.folders) for order in launcher.orders if order.arm == "parallel"] == [1, 1, 1]
    assert (verdict.estimate, verdict.blocks) == (None, ())


def test_a_copy_for_each_worker_is_not_yet_with_the_cause_and_a_way_out(run: Assess) -> None:
    verdict, _ = run(holding(4.1, 5.5))
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)
    (finding,) = verdict.findings
    assert finding.cause == "payload copied"
    assert "5.50 copies of the 64 MiB, with 2 workers 4.10: each worker gets its own" in finding.what
    assert "at most 1.5 copies" in finding.evidence
    assert "1.40 more" in finding.evidence
    assert "SharedMemory" in finding.try_next


def test_two_copies_however_many_workers_have_a_cause_of_their_own(run: Assess) -> None:
    verdict, _ = run(holding(2.0, 2.1))
    assert (verdict.outcome, verdict.findings[0].cause) == ("not yet", "held more than once")
    assert "second copy in one process" in verdict.findings[0].try_next


def test_one_process_that_holds_the_data_alone_is_not_yet(run: Assess) -> None:
    verdict, _ = run(holding(0.9, 0.9, processes=1, start_methods_used=()))
    assert (verdict.outcome, verdict.findings[0].cause) == ("not yet", "no workers")
    assert "One process held the data alone" in verdict.reason


def test_near_the_bar_it_is_weighed_three_times(run: Assess) -> None:
    verdict, launcher = run(holding(1.4, 1.45))
    assert verdict.outcome == "met"
    assert verdict.memory is not None
    assert verdict.memory.rounds == 3
    assert [o.workers for o in launcher.orders if o.arm == "parallel" and o.weigh] == [2, 4] * 3


@pytest.mark.parametrize("ending", ["raised", "died", "timed out", "wrong type"])
def test_a_program_that_fails_is_not_yet_and_no_twin_is_weighed(run: Assess, ending: Any) -> None:
    verdict, launcher = run(holding(1.0, 1.0, ending=ending, message="what went wrong"))
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)
    assert verdict.findings[0].cause == ending
    assert "idle" not in [order.arm for order in launcher.orders]


def test_a_wrong_answer_in_a_run_that_is_weighed_is_not_yet(run: Assess) -> None:
    light = holding(1.0, 1.0)

    def script(order: Order, number: int) -> Report:
        report = light(order, number)
        return dataclasses.replace(report, right=not (order.arm == "parallel" and order.workers == 4))

    verdict, _ = run(script)
    assert (verdict.outcome, verdict.findings[0].cause) == ("not yet", "wrong answer")


def test_memory_that_nobody_can_read_costs_nothing_and_is_listed_for_the_marker(run: Assess) -> None:
    def script(order: Order, number: int) -> Report:
        return dataclasses.replace(holding(9.0, 9.0)(order, number), curve=Curve())

    verdict, launcher = run(script)
    assert (verdict.outcome, verdict.points) == ("cannot tell", 4.0)
    assert verdict.findings[0].cause == "memory not readable"
    assert verdict.for_marker.startswith("matrix, memory: cannot tell.")
    assert len([order for order in launcher.orders if order.arm == "parallel"]) == 1


def test_a_payload_too_small_to_weigh_costs_nothing(lab: Lab) -> None:
    lab.judge.payload = lambda folder: 3 * MIB  # type: ignore[attr-defined]
    launcher = ScriptedLauncher(holding(9.0, 9.0))
    verdict = assess(lab, "memory", WORKER, launcher, FACTS, lambda line: None)
    assert (verdict.outcome, verdict.points) == ("cannot tell", 4.0)
    assert verdict.findings[0].cause == "payload too small to weigh"


def test_a_program_that_is_done_before_it_is_weighed_costs_nothing(run: Assess) -> None:
    verdict, _ = run(holding(1.0, 1.0, curve=curve(60 * MIB, 3, samples=2)))
    assert (verdict.outcome, verdict.points) == ("cannot tell", 4.0)
    assert verdict.findings[0].cause == "too short to weigh"


def test_a_twin_that_fails_is_our_fault(run: Assess) -> None:
    def broken(order: Order, number: int) -> Report:
        report = holding(1.0, 1.0)(order, number)
        return dataclasses.replace(report, ending="died", message="killed") if order.arm == "idle" else report

    with pytest.raises(GraderError, match="idle twin died: killed"):
        run(broken)


@pytest.mark.parametrize(("own", "twins"), [("spawn", "spawn"), ("loky", "spawn"), ("fork", "fork")])
def test_the_twin_starts_by_the_method_that_really_runs(lab: Lab, own: str, twins: str) -> None:
    opened: list[tuple[bool, str]] = []

    class Noting(ScriptedLauncher):
        def session(self, lab: Lab, worker: WorkerModule | None, start_method: str):  # type: ignore[no-untyped-def]
            opened.append((worker is None, start_method))
            return super().session(lab, worker, start_method)

    launcher = Noting(holding(1.0, 1.0, start_methods_used=(own,)))
    verdict = assess(lab, "memory", WORKER, launcher, FACTS, lambda line: None)
    assert opened[-1] == (True, twins)
    assert ("own start method" in [finding.cause for finding in verdict.findings]) == (own != "fork")


def test_a_preview_of_memory_looks_at_the_answer_alone(run: Assess) -> None:
    verdict, launcher = run(holding(5.0, 9.0), preview=True)
    assert (verdict.outcome, verdict.points, verdict.preview) == ("cannot tell", 4.0, True)
    assert not [order for order in launcher.orders if order.weigh]
    wrong, _ = run(holding(1.0, 1.0, right=False), preview=True)
    assert (wrong.outcome, wrong.points) == ("not yet", 0.0)


# What is left behind


SEGMENT = Left("segment", "/dev/shm/psm_1a2b", PAYLOAD)
PROCESS = Left("process", "python (pid 123): a worker process")
SEMAPHORE = Left("semaphore", "/dev/shm/sem.mp-1a2b", 32)


def test_nothing_left_under_any_start_method_is_met(run: Assess) -> None:
    verdict, launcher = run(leaving(), "clean_up")
    assert (verdict.outcome, verdict.points) == ("met", 2.0)
    assert "under fork, spawn" in verdict.reason
    assert [order.look for order in launcher.orders if order.arm == "parallel"] == [True, True]


def test_a_segment_and_a_process_that_are_left_are_named_with_what_to_do(run: Assess) -> None:
    verdict, launcher = run(leaving(PROCESS, SEGMENT), "clean_up")
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)
    assert "/dev/shm/psm_1a2b (64 MiB)" in verdict.reason
    assert "python (pid 123)" in verdict.reason
    assert [finding.cause for finding in verdict.findings] == ["process left", "segment left"]
    assert "join()" in verdict.findings[0].try_next
    assert "unlink()" in verdict.findings[1].try_next
    assert len([order for order in launcher.orders if order.arm == "parallel"]) == 1


def test_what_is_left_under_the_second_start_method_alone_says_which(run: Assess) -> None:
    verdict, _ = run(leaving(SEGMENT, under="spawn"), "clean_up")
    assert verdict.outcome == "not yet"
    assert verdict.findings[0].what.startswith("Under spawn")


def test_semaphores_alone_are_named_and_cost_nothing(run: Assess) -> None:
    verdict, _ = run(leaving(SEMAPHORE), "clean_up")
    assert (verdict.outcome, verdict.points) == ("met", 2.0)
    assert verdict.findings[0].cause == "semaphore left"
    assert "/dev/shm/sem.mp-1a2b" in verdict.findings[0].evidence


def test_of_many_things_left_some_are_named_and_the_rest_counted(run: Assess) -> None:
    verdict, _ = run(leaving(*[Left("process", f"python (pid {n})") for n in range(50)]), "clean_up")
    assert "50 processes" in verdict.reason
    assert verdict.findings[0].evidence.endswith("and 44 more")


def test_a_lab_may_name_a_size_at_which_it_looks_as_well(lab: Lab) -> None:
    lab.judge.CLEAN_UP_SIZE = 5  # type: ignore[attr-defined]
    launcher = ScriptedLauncher(leaving())
    assess(lab, "clean_up", WORKER, launcher, FACTS, lambda line: None)
    assert len([order for order in launcher.orders if order.arm == "parallel"]) == 4


def test_a_wrong_answer_is_not_yet_however_clean_it_leaves(run: Assess) -> None:
    verdict, _ = run(lambda order, number: Report(0.1, (), right=order.arm == "serial"), "clean_up")
    assert (verdict.outcome, verdict.findings[0].cause) == ("not yet", "wrong answer")


# For real


def real(source: str, check: str = "memory") -> Verdict:
    worker = WorkerModule("summer", {"summer": HEAD + source}, "a test")
    return assess(load(MATRIX), check, worker, LocalLauncher(), machine.look(), lambda line: None)


def copies(verdict: Verdict) -> list[float]:
    assert verdict.memory is not None
    return [weighing.copies for weighing in verdict.memory.weighings]


every_method = pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
needs_pss = pytest.mark.skipif(
    not os.path.exists("/proc/self/smaps_rollup"), reason="this system tells no PSS"
)


@pytest.mark.slow
@needs_pss
@every_method
@pytest.mark.parametrize("source", [SHARED, MAPPED], ids=["segment", "mapped file"])
def test_really_shared_memory_is_met(monkeypatch: pytest.MonkeyPatch, method: str, source: str) -> None:
    monkeypatch.setenv("COREWISE_START_METHOD", method)
    verdict = real(source)
    assert verdict.outcome == "met", verdict.reason
    assert all(0.5 < number < 1.5 for number in copies(verdict))


@pytest.mark.slow
@needs_pss
@every_method
@pytest.mark.parametrize("source", [PICKLED, LOADED_BY_EACH], ids=["pickled", "loaded by each"])
def test_real_copies_are_not_yet(monkeypatch: pytest.MonkeyPatch, method: str, source: str) -> None:
    monkeypatch.setenv("COREWISE_START_METHOD", method)
    verdict = real(source)
    two, four = copies(verdict)
    assert verdict.outcome == "not yet", verdict.reason
    assert 1.8 < two < four
    if source == LOADED_BY_EACH:  # pickles come and go, so that their growth is not as sure
        assert verdict.findings[0].cause == "payload copied"


@pytest.mark.slow
@needs_pss
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system can't fork")
@every_method
def test_what_fork_shares_is_about_one_copy_whatever_the_default(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setenv("COREWISE_START_METHOD", method)
    verdict = real(BY_FORK)
    assert verdict.outcome == "met", verdict.reason
    assert all(0.8 < number < 1.3 for number in copies(verdict))


@pytest.mark.slow
@needs_pss
def test_real_serial_code_shares_nothing() -> None:
    verdict = real(SERIAL)
    assert (verdict.outcome, verdict.findings[0].cause) == ("not yet", "no workers")


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name: the fork server's socket lies below it."""
    with tempfile.TemporaryDirectory(prefix="cw-") as folder:
        yield Path(folder)


@pytest.mark.slow
@needs_pss
def test_the_command_checks_memory_alone_and_gives_its_numbers(short: Path) -> None:
    shutil.copytree(MATRIX, make(short) / "labs" / "matrix", ignore=shutil.ignore_patterns("__pycache__"))
    (short / "summer.py").write_text(HEAD + PICKLED, encoding="utf-8")
    words = ["check", "matrix", "--worker", "summer.py", "--only"]
    run = corewise(short, *words, "memory", "--json")
    assert run.returncode == 1, run.stderr
    (check,) = json.loads(run.stdout)["checks"]
    assert (check["name"], check["verdict"], check["points"]) == ("memory", "not yet", 0.0)
    assert check["memory"]["copies"]["4"] > check["memory"]["copies"]["2"] > 1.8
    told = corewise(short, *words, "clean_up")
    assert told.returncode == 0, told.stdout
    assert told.stdout.startswith("clean_up: met, 2 of 2 points")
    assert left_of(short) == []


@pytest.mark.slow
@pytest.mark.alone
@needs_pss
def test_an_author_proves_memory_and_clean_up_as_any_check(tmp_path: Path) -> None:
    lab = tmp_path / "solutions" / "matrix"
    shutil.copytree(MATRIX, lab, ignore=shutil.ignore_patterns("__pycache__"))
    (lab / "wrong").mkdir()
    for name, source, check, cause in (
        ("copies", PICKLED, "memory", "payload copied"),
        ("leaks", ORPHAN, "clean_up", "process left"),
    ):
        said = f"# check: {check}\n# verdict: not yet\n# cause: {cause}\n"
        (lab / "wrong" / f"{name}.py").write_text(said + HEAD + source, encoding="utf-8")
    write_page(lab / "matrix.ipynb", HEAD + SHARED)
    (tmp_path / "labs" / "matrix").mkdir(parents=True)
    write_page(tmp_path / "labs" / "matrix" / "matrix.ipynb", HEAD + with_lines("raise NotImplementedError"))
    proof = verify("matrix", LocalLauncher(), lambda line: None, tmp_path)
    assert [(one.answer.name, one.answer.check, one.ok) for one in proof.proofs] == [
        ("stub", "answer", True),
        ("reference", "answer", True),
        ("reference", "memory", True),
        ("reference", "clean_up", True),
        ("copies", "memory", True),
        ("leaks", "clean_up", True),
    ], report(proof, tmp_path)


def write_page(path: Path, source: str) -> None:
    cell = {"cell_type": "code", "source": f"%%module summer\n{source}"}
    path.write_text(json.dumps({"nbformat": 4, "cells": [cell]}), encoding="utf-8")
