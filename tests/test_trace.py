"""A trace listens to every way of using processes, under every start method, and changes nothing of what it hears."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from grader import machine, why
from grader.tracing import hooks, recording
from grader.tracing.bill import bill
from grader.tracing.record import SIZE, Recorder, announce
from grader.tracing.region import trace
from grader.tracing.timeline import STATES, Timeline

EVERY_WAY = Path(__file__).parent / "traced" / "every_way.py"
#: How many tasks a trace sees in each: what came out of a pool, an executor, a queue or a pipe; or a bare process.
WAYS = {
    "map": 8,
    "imap": 8,
    "imap_in_chunks": 8,
    "starmap": 8,
    "apply": 8,
    "fresh_workers": 8,
    "submit": 8,
    "executor_map": 8,
    "queue": 8,
    "joinable_queue": 8,
    "pipe": 8,
    "lock": 2,
    "shared_memory": 2,
    "manager": 8,
    "joblib": None,  # it batches its calls as it likes
}


def quietly(line: str) -> None:
    """Nobody looks at the progress."""


def traced(method: str, way: str) -> Timeline:
    return why.of_script(EVERY_WAY, (method, way), None, quietly).timeline


@pytest.mark.slow
@pytest.mark.parametrize("method", machine.start_methods())
@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_using_processes_is_heard(way: str, method: str) -> None:
    run = traced(method, way)
    assert len(run.workers) == 2
    assert sum(lane.useful for lane in run.workers) > 0
    spun = [task for lane in run.workers for task in lane.tasks if "start of" not in task.name]
    if WAYS[way]:
        named = [task for task in spun if task.cpu > 0]
        assert WAYS[way] <= sum(task.items for task in named) <= WAYS[way] + 4
    assert sum(bill(run).seconds.values()) == pytest.approx(run.wall)
    for lane in (run.parent, *run.workers):
        edges = [edge for span in lane.spans for edge in (span.start, span.end)]
        assert edges == sorted(edges)
        if lane.processes == 1:  # between two processes of a lane there is none
            assert lane.seconds(*STATES) == pytest.approx(lane.end - lane.start, abs=1e-6)


def busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="a signal ends the process there in another way")
@pytest.mark.parametrize("method", machine.start_methods())
def test_what_a_killed_worker_did_is_known(method: str) -> None:
    (lane,) = why.of_script(EVERY_WAY.with_name("killed.py"), (method,), None, quietly).timeline.workers
    assert lane.end == pytest.approx(lane.spans[-1].end)
    assert {span.state for span in lane.spans} >= {"start", "run"}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="there is no such limit there")
@pytest.mark.parametrize("method", machine.start_methods())
def test_without_room_for_its_trace_a_program_still_does_its_work(method: str) -> None:
    assert why.of_script(EVERY_WAY.with_name("no_room.py"), (method,), None, quietly).timeline.workers == ()


def test_when_the_block_ends_every_name_is_what_it_was() -> None:
    from multiprocessing import connection, pool, process, queues, synchronize
    from multiprocessing.reduction import ForkingPickler

    owners = (
        process.BaseProcess, threading.Thread, threading.Condition, connection._ConnectionBase, queues.Queue,
        queues.SimpleQueue, queues.JoinableQueue, synchronize.SemLock, synchronize.Condition, ForkingPickler,
        pool.Pool,
    )  # fmt: skip
    before = [dict(vars(owner)) for owner in owners]
    with trace():
        assert [dict(vars(owner)) for owner in owners] != before
    assert [dict(vars(owner)) for owner in owners] == before
    assert not hooks.is_listening()


def test_an_error_in_the_block_is_the_callers_and_the_trace_ends() -> None:
    with pytest.raises(ZeroDivisionError), trace() as run:
        print(1 / 0)
    assert not hooks.is_listening()
    assert len(run.recordings) == 1


def test_one_trace_inside_another_is_refused() -> None:
    with trace(), pytest.raises(RuntimeError, match="running already"), trace():
        pass
    assert not hooks.is_listening()


# What a process writes down


def test_however_many_tasks_there_are_they_fit_and_none_is_lost(tmp_path: Path) -> None:
    recorder = Recorder(announce(str(tmp_path), "process", 0.0), "process", time.perf_counter())
    recorder.switch("run")
    for number in range(200_000):
        now = time.perf_counter()
        recorder.add_task(b"task %d" % number, now, now, 0.0)
        recorder.enter("wait")
        recorder.leave()
    recorder.end()
    (file,) = tmp_path.iterdir()
    assert file.stat().st_size == SIZE
    (read,) = recording.read(tmp_path)
    assert sum(task.items for task in read.tasks) == 200_000
    assert read.spans[-1].end - read.spans[0].start == pytest.approx(
        sum(span.seconds for span in read.spans), rel=1e-3
    )


@pytest.mark.parametrize("content", [b"", b"CWTRACE2", b"CWTRACE2" + b"\xff" * SIZE, os.urandom(SIZE)])
def test_a_broken_file_says_nothing_and_does_no_harm(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "1-1.trace").write_bytes(content)
    assert recording.read(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such pipes here")
def test_a_pipe_or_a_link_in_the_place_of_a_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1-1.trace")
    (tmp_path / "1-2.trace").symlink_to("/dev/zero")
    assert recording.read(tmp_path) == []


def test_a_hostile_file_gives_spans_that_follow_each_other(tmp_path: Path) -> None:
    """A submission's processes could write anything: whatever it is, the bill adds up."""
    with trace(tmp_path):
        busy(0.01)
    (file,) = tmp_path.iterdir()
    data = bytearray(file.read_bytes())
    for place in range(4096, 4096 + 2000, 7):
        data[place] ^= 0x5A
    file.write_bytes(data)
    for read in recording.read(tmp_path):
        edges = [edge for span in read.spans for edge in (span.start, span.end)]
        assert edges == sorted(edges)
