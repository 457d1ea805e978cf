"""What is left behind, in real processes: named, told from what others have, and gone afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from matrix_answers import (
    DETACHED,
    HEAD,
    JOBLIB,
    KEPT_OPEN,
    LEAKED,
    LOCK_IN_A_GLOBAL,
    MAPPED,
    ORPHAN,
    PLAIN_FILE,
    POOL_DROPPED,
    POOL_IN_A_GLOBAL,
    SHARED,
    with_lines,
)
from test_weigh import every_method, real

from grader.lab import load
from grader.launch.local import LocalLauncher
from grader.measure import left
from grader.measure.left import SEES_SEGMENTS, Lookout, entries
from grader.measure.stage import FORKS
from grader.model import Order, WorkerModule
from grader.weights import Left

MATRIX = Path(__file__).parent / "labs" / "matrix"
needs_shm = pytest.mark.skipif(not SEES_SEGMENTS, reason="this system has no /dev/shm")
needs_linux = pytest.mark.skipif(not FORKS, reason="only Linux tells a process tree this well")


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    """Whatever a program leaves: no process of it outlives its trial."""
    below = {process.pid for process in psutil.Process().children(recursive=True)}
    yield
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= below


def left_by(source: str, folder: Path, method: str = "spawn") -> tuple[Left, ...]:
    """What one trial with two workers on a small input leaves behind; by now it is gone."""
    lab = load(MATRIX)
    lab.judge.make_input(folder, 7, 1)
    worker = WorkerModule("summer", {"summer": HEAD + source}, "a test")
    with LocalLauncher().session(lab, worker, method) as session:
        trial = session.run(Order("parallel", 2, 60.0, (folder,), look=True))
    assert (trial.ending, trial.message) == ("done", "")
    assert [one.name for one in trial.left if os.path.exists(one.name)] == []
    return trial.left


@pytest.mark.slow
@every_method
@pytest.mark.parametrize("source", [SHARED, MAPPED, POOL_DROPPED], ids=["segment", "map", "dropped pool"])
def test_a_program_that_clears_up_leaves_nothing(tmp_path: Path, method: str, source: str) -> None:
    assert left_by(source, tmp_path, method) == ()


@pytest.mark.slow
@needs_shm
@every_method
@pytest.mark.parametrize("source", [LEAKED, KEPT_OPEN], ids=["closed", "open"])
def test_a_segment_that_is_not_unlinked_is_named_with_its_size(
    tmp_path: Path, method: str, source: str
) -> None:
    (segment,) = left_by(source, tmp_path, method)
    assert (segment.kind, segment.size) == ("segment", 1 << 21)
    assert segment.name.startswith("/dev/shm/psm_")


@needs_shm
def test_a_plain_file_in_shared_memory_is_named_and_removed(tmp_path: Path) -> None:
    (segment,) = left_by(PLAIN_FILE, tmp_path, "fork")
    assert segment.name.startswith("/dev/shm/corewise-test-")
    assert not os.path.exists(segment.name)


@pytest.mark.slow
@every_method
def test_a_process_that_lives_on_is_named(tmp_path: Path, method: str) -> None:
    (orphan,) = [one for one in left_by(ORPHAN, tmp_path, method) if one.kind == "process"]
    number = int(orphan.name.partition("(pid ")[2].partition(")")[0])
    assert orphan.name.endswith(": a worker process")
    assert not psutil.pid_exists(number)


@needs_linux
def test_a_process_that_detached_itself_is_named_with_its_command(tmp_path: Path) -> None:
    (detached,) = left_by(DETACHED, tmp_path, "fork")
    assert detached.kind == "process"
    assert detached.name.endswith(": sleep 60")


@pytest.mark.slow
@every_method
def test_a_pool_kept_in_a_global_leaves_its_workers(tmp_path: Path, method: str) -> None:
    workers = [one for one in left_by(POOL_IN_A_GLOBAL, tmp_path, method) if one.kind == "process"]
    assert len(workers) == 2


@pytest.mark.slow
@needs_shm
@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_a_lock_kept_in_a_global_leaves_a_semaphore(tmp_path: Path, method: str) -> None:
    (semaphore,) = left_by(LOCK_IN_A_GLOBAL, tmp_path, method)
    assert semaphore.kind == "semaphore"


@pytest.mark.slow
@needs_shm
def test_joblibs_workers_are_named_and_what_they_put_into_shared_memory_is_gone(tmp_path: Path) -> None:
    found = left_by(JOBLIB, tmp_path, "fork")
    assert [one.name.rpartition(": ")[2] for one in found if one.kind == "process"] == [
        "a worker process of joblib"
    ] * 2


@pytest.mark.slow
def test_what_is_left_costs_the_points_and_is_named_in_the_verdict() -> None:
    verdict = real(LEAKED if SEES_SEGMENTS else ORPHAN, "clean_up")
    assert (verdict.outcome, verdict.points) == ("not yet", 0.0)
    assert verdict.findings[0].cause in ("segment left", "process left")
    assert real(SHARED, "clean_up").outcome == "met"


OTHER = """
import sys
from multiprocessing.shared_memory import SharedMemory
segment = SharedMemory(create=True, size=4096)
print("/dev/shm/" + segment.name, flush=True)
sys.stdin.readline()
segment.close()
segment.unlink()
"""


@needs_shm
def test_what_another_program_has_in_shared_memory_is_not_the_trials() -> None:
    """The other one comes after the first look and goes before the last, as a trial's own segment would."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, text=True
    ) as stage, subprocess.Popen(
        [sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:  # fmt: skip
        lookout = Lookout(stage.pid)
        assert other.stdout is not None
        name = other.stdout.readline().strip()
        assert os.path.exists(name)
        lookout.look(stage.pid)
        other.communicate("\n")
        stage.communicate("\n")
        assert not os.path.exists(name)
        assert lookout.settle() == ()


@needs_shm
def test_what_is_there_before_and_nobodys_is_left_alone() -> None:
    path = Path(f"/dev/shm/corewise-test-{os.getpid()}")
    try:
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stage:
            lookout = Lookout(stage.pid)
            path.write_bytes(b"somebody else's")
            lookout.look(stage.pid)
            stage.communicate(b"\n")
            assert lookout.settle() == ()
        assert path.read_bytes() == b"somebody else's"
    finally:
        path.unlink()


def test_where_there_is_no_shared_memory_to_see_only_processes_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(left, "SEES_SEGMENTS", False)
    assert entries() == {}
    assert left_by(KEPT_OPEN, tmp_path, "spawn") == ()


def test_a_worker_that_ends_within_the_grace_is_not_left(tmp_path: Path) -> None:
    soon = with_lines("Process(target=time.sleep, args=(0.1,), daemon=True).start()")
    assert [one for one in left_by(soon, tmp_path, "spawn") if one.kind == "process"] == []
