"""The trace that Perfetto opens: its form, and that it says what the timeline says."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from typing import Any

import pytest
from traced_runs import convoy, pool, program, restless

from grader.tracing.chrome import chrome
from grader.tracing.timeline import Lane, Span, Task, Timeline

RUNS = {
    "a pool": pool(2, 12),
    "a convoy": convoy(),
    "restless": restless(4, changes=300),
    "no workers": Timeline(1.0, program(1.0), (), 2.0),
    "no time": Timeline(0.0, Lane("program", ()), (Lane("worker 1", (Span("run", 0.0, 0.0, 0.0, 7),)),), 2.0),
}


def complete(trace: dict[str, Any]) -> list[dict[str, Any]]:
    return [event for event in trace["traceEvents"] if event["ph"] == "X"]


def named(trace: dict[str, Any], what: str) -> list[str]:
    return [event["args"]["name"] for event in trace["traceEvents"] if event["name"] == what]


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_every_event_has_the_fields_of_its_kind(run: Timeline) -> None:
    trace = chrome(run)
    assert trace["displayTimeUnit"] in ("ms", "ns")
    for event in trace["traceEvents"]:
        assert {"name", "ph", "pid", "tid", "args"} <= set(event)
        assert event["ph"] in ("X", "M")
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        if event["ph"] == "X":
            assert {"ts", "dur", "cat"} <= set(event)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_every_event_lies_within_the_run(run: Timeline) -> None:
    for event in complete(chrome(run)):
        assert event["ts"] >= 0
        assert event["dur"] >= 0
        assert event["ts"] + event["dur"] <= round(1e6 * run.wall)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_it_survives_being_written_and_read(run: Timeline) -> None:
    trace = chrome(run)
    assert json.loads(json.dumps(trace, allow_nan=False)) == trace


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_nothing_overlaps_in_a_row(run: Timeline) -> None:
    rows = defaultdict(list)
    for event in complete(chrome(run)):
        rows[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for row in rows.values():
        row.sort()
        assert all(one[1] <= other[0] for one, other in itertools.pairwise(row))


def test_every_process_and_row_has_a_name() -> None:
    trace = chrome(pool(2, 12))
    assert named(trace, "process_name") == ["program", "worker 1", "worker 2"]
    assert named(trace, "thread_name") == ["states", "states", "tasks", "states", "tasks"]
    rows = {(event["pid"], event["tid"]) for event in complete(trace)}
    told = {(e["pid"], e["tid"]) for e in trace["traceEvents"] if e["name"] == "thread_name"}
    assert rows == told


def test_tasks_are_in_a_row_of_their_own_below_their_worker() -> None:
    run = pool(2, 12)
    tasks = [event for event in complete(chrome(run)) if event["cat"] == "task"]
    assert len(tasks) == 12
    assert {event["tid"] for event in tasks} == {2}
    assert {event["pid"] for event in tasks} == {2, 3}
    first = run.workers[0].tasks[0]
    assert tasks[0]["name"] == first.name
    assert tasks[0]["ts"] == pytest.approx(1e6 * first.start, abs=1)
    assert tasks[0]["dur"] == pytest.approx(1e6 * first.seconds, abs=1)
    assert tasks[0]["args"]["cpu_seconds"] == first.cpu


def test_bytes_stand_where_some_moved() -> None:
    pickled = [event for event in complete(chrome(convoy())) if event["cat"] == "helper"]
    assert [event["args"]["bytes"] for event in pickled] == [412_000_000]
    assert pickled[0]["pid"] == 1
    worked = [event for event in complete(chrome(convoy())) if event["name"] == "work"]
    assert not any("bytes" in event["args"] for event in worked)


def test_an_entry_of_many_tasks_says_how_many_and_which_was_longest() -> None:
    many = Task("score(7)", 0.1, 0.9, 0.7, items=900, longest=0.05)
    lane = Lane("worker 1", (Span("run", 0.0, 1.0, 0.9),), (many,))
    (event,) = (e for e in complete(chrome(Timeline(1.0, program(1.0), (lane,), 2.0))) if e["cat"] == "task")
    assert event["name"] == "900 tasks, the longest score(7)"
    assert event["args"] == {"cpu_seconds": 0.7, "tasks": 900, "longest_seconds": 0.05, "longest": "score(7)"}


def test_pickling_threads_that_overlap_get_rows_of_their_own() -> None:
    helpers = (
        Span("pickle", 0.1, 0.5, 0.4, 10),
        Span("pickle", 0.3, 0.6, 0.3, 10),
        Span("pickle", 0.5, 0.9, 0.4, 10),
    )
    parent = Lane("program", program(1.0).spans, helpers=helpers)
    events = [e for e in complete(chrome(Timeline(1.0, parent, (), 2.0))) if e["cat"] == "helper"]
    assert sorted(event["tid"] for event in events) == [2, 2, 3]


def test_a_name_without_utf_8_and_times_beyond_the_run_do_no_harm() -> None:
    lane = Lane("worker 1", (Span("run", -1.0, 5.0),), (Task("bad \ud800", 0.5, 7.0),))
    trace = chrome(Timeline(1.0, program(1.0), (lane,), 2.0))
    json.dumps(trace, ensure_ascii=False).encode("utf-8")
    assert max(event["ts"] + event["dur"] for event in complete(trace)) == 1_000_000


def test_processes_that_followed_each_other_are_said_to() -> None:
    lane = Lane("worker 1", (Span("run", 0.0, 1.0, 0.9),), processes=5)
    trace = chrome(Timeline(1.0, program(1.0), (lane,), 2.0))
    assert "worker 1 (5 processes, one after the other)" in named(trace, "process_name")
