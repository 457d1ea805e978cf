"""Real process trees watched from outside: what is seen, what neighbours cost, when the wall clock speaks after all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader import machine
from grader.lab import load
from grader.launch.local import LocalLauncher
from grader.measure.watch import has_free_time
from grader.model import FreeTime, Lab, Order, Trial, WorkerModule

PRIMES = Path(__file__).parent / "labs" / "primes"
HEAD = """
import ctypes, multiprocessing, os, signal, sys, threading, time
from multiprocessing import Pool, Process

def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    return 1

def count_primes(numbers, workers):
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.skipif(not has_free_time(), reason="this system has no account of each thread's waiting"),
]
two_cores = pytest.mark.skipif(machine.look().usable < 2, reason="two cores are needed to share them")


@pytest.fixture(scope="module")
def lab() -> Lab:
    return load(PRIMES)


def run(lab: Lab, folder: Path, *lines: str) -> Trial:
    """One trial of a learner's function with these lines, on a small input."""
    source = HEAD + "".join(f"    {line}\n" for line in lines)
    lab.judge.make_input(folder, 50, seed=1)
    with LocalLauncher().session(lab, WorkerModule("counter", {"counter": source}, "a test"), "fork") as mine:
        trial = mine.run(Order("parallel", 2, 30.0, (folder,)))
    assert trial.ending == "done", trial.message
    return trial


@contextmanager
def busy(neighbours: int) -> Iterator[None]:
    """So many processes that never rest, in the block."""
    code = "print('up', flush=True)\nwhile True: pass"
    there = []
    try:
        for _ in range(neighbours):
            process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
            there.append(process)
            assert process.stdout is not None
            process.stdout.readline()
        yield
    finally:
        for process in there:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def free(trial: Trial) -> FreeTime:
    (one,) = trial.free
    return one


POOL = ("with Pool(2) as pool:", "    return sum(pool.map(spin, [0.3, 0.3], 1))")


@two_cores
def test_beside_two_busy_neighbours_a_pool_gets_back_what_they_took(lab: Lab, tmp_path: Path) -> None:
    with busy(2):
        trial = run(lab, tmp_path, *POOL)
    assert free(trial).others > 0.5
    assert free(trial).seconds < 0.85 * trial.seconds[0]
    assert free(trial).seconds >= sum(trial.cpu) / 2 - 0.02


@two_cores
def test_beside_busy_neighbours_sleeping_counts_in_full(lab: Lab, tmp_path: Path) -> None:
    with busy(2):
        trial = run(lab, tmp_path, "time.sleep(0.4)", "return 1")
    assert free(trial).seconds > 0.95 * trial.seconds[0]


@two_cores
def test_beside_busy_neighbours_serial_work_takes_no_less_than_its_own_cpu_seconds(
    lab: Lab, tmp_path: Path
) -> None:
    with busy(2):
        trial = run(lab, tmp_path, "return spin(0.3)")
    assert free(trial).seconds >= 0.29


@two_cores
def test_a_gang_that_only_yields_makes_serial_work_no_shorter(lab: Lab, tmp_path: Path) -> None:
    gang = (
        "def idle():",
        "    while True: os.sched_yield()",
        "several = [Process(target=idle, daemon=True) for _ in range(6)]",
        "for one in several: one.start()",
        "spin(0.3)",
        "for one in several: one.kill()",
        "return 1",
    )
    with busy(2):
        trial = run(lab, tmp_path, *gang)
    assert free(trial).seconds >= 0.29


def test_a_run_is_never_longer_free_of_neighbours_than_by_the_clock(lab: Lab, tmp_path: Path) -> None:
    trial = run(lab, tmp_path, *POOL)
    assert 0 < free(trial).seconds <= trial.seconds[0]
    assert free(trial).why_wall == ""


def test_what_a_detached_process_does_is_in_the_account(lab: Lab, tmp_path: Path) -> None:
    trial = run(
        lab,
        tmp_path,
        "reading, writing = os.pipe()",
        "if os.fork() == 0:",
        "    os.setsid()",
        "    if os.fork() == 0:",
        "        spin(0.3)",
        "        os.write(writing, b'1')",
        "    os._exit(0)",
        "os.wait()",
        "return int(os.read(reading, 1))",
    )
    assert sum(trial.cpu) > 0.25
    assert free(trial).seconds > 0.25


def test_workers_too_short_lived_to_be_seen_are_missed_in_the_share_that_was_seen(
    lab: Lab, tmp_path: Path
) -> None:
    trial = run(
        lab,
        tmp_path,
        "for _ in range(150):",
        "    if os.fork() == 0:",
        "        spin(0.002)",
        "        os._exit(0)",
        "    os.wait()",
        "return 1",
    )
    assert sum(trial.cpu) > 0.2
    assert free(trial).seen < 0.9
    assert free(run(lab, tmp_path, *POOL)).seen > 0.9


@pytest.mark.parametrize(
    "change",
    ["os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})", "os.nice(3)"],
    ids=["affinity", "priority"],
)
def test_a_program_that_moves_its_processes_is_timed_by_the_wall_clock(
    lab: Lab, tmp_path: Path, change: str
) -> None:
    trial = run(lab, tmp_path, change, "return spin(0.3)")
    assert free(trial).seconds == trial.seconds[0]
    assert "changed the affinity" in free(trial).why_wall


def test_more_threads_than_can_be_watched_are_timed_by_the_wall_clock(lab: Lab, tmp_path: Path) -> None:
    trial = run(
        lab,
        tmp_path,
        "ends = threading.Event()",
        "several = [threading.Thread(target=ends.wait) for _ in range(260)]",
        "for one in several: one.start()",
        "spin(0.5)",
        "ends.set()",
        "return 1",
    )
    assert free(trial).seconds == trial.seconds[0]
    assert "more than 200 threads" in free(trial).why_wall
