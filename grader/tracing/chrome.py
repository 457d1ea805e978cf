"""A timeline -> events of the Trace Event Format, which Perfetto (ui.perfetto.dev) and chrome://tracing open. Pure.

Each lane is a process there: the program is 1, the workers follow. Its rows (threads) are what its main thread did,
then its tasks, then pickling by its other threads. Times are whole microseconds since the run began: what follows
each other must not overlap by a rounding error, for Perfetto drops what overlaps in one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from grader.tracing.timeline import Lane, Span, State, Task, Timeline

Event = dict[str, Any]

#: What the states are called there.
NAMES: dict[State, str] = {
    "start": "start-up",
    "run": "work",
    "wait": "waiting for a queue",
    "pickle": "pickling",
    "unpickle": "unpickling",
    "lock": "waiting for a lock",
}
_MAIN = 1  # the thread id of the first row


def chrome(timeline: Timeline) -> dict[str, Any]:
    """The trace as a dictionary that is ready for `json.dumps`.

    Every span, task and helper is a complete event ("X") with `ts` and `dur` in microseconds; its `args` have CPU
    seconds, bytes, and what is known of a task. Metadata events ("M") name and sort the rows.
    """
    lanes = [timeline.parent, *timeline.workers]
    events = [event for pid, lane in enumerate(lanes, 1) for event in _lane(lane, pid, timeline.wall)]
    return {
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {
            "seconds": timeline.wall,
            "workers": len(timeline.workers),
            "cores": timeline.cores,
            "start_method": timeline.start_method,
        },
    }


def _lane(lane: Lane, pid: int, wall: float) -> Iterator[Event]:
    name = _text(lane.name)
    if lane.processes > 1:
        name += f" ({lane.processes} processes, one after the other)"
    yield _meta("process_name", pid, _MAIN, name=name)
    yield _meta("process_sort_index", pid, _MAIN, sort_index=pid)
    tid = _MAIN
    for title, events in (
        ("states", [_span(span, pid, "state", wall) for span in lane.spans]),
        ("tasks", [_task(task, pid, wall) for task in lane.tasks]),
        ("pickling in other threads", [_span(span, pid, "helper", wall) for span in lane.helpers]),
    ):
        for row in _rows(events):
            yield _meta("thread_name", pid, tid, name=title)
            yield _meta("thread_sort_index", pid, tid, sort_index=tid)
            yield from (event | {"tid": tid} for event in row)
            tid += 1


def _rows(events: Sequence[Event]) -> list[list[Event]]:
    """The events in as few rows as it takes for none of them to overlap."""
    rows: list[list[Event]] = []
    for event in sorted(events, key=lambda event: event["ts"]):
        free = next((row for row in rows if row[-1]["ts"] + row[-1]["dur"] <= event["ts"]), None)
        if free is None:
            rows.append([event])
        else:
            free.append(event)
    return rows


def _span(span: Span, pid: int, kind: str, wall: float) -> Event:
    args: Event = {"cpu_seconds": span.cpu}
    if span.size:
        args["bytes"] = span.size
    return _complete(NAMES[span.state], kind, pid, (span.start, span.end), wall, args)


def _task(task: Task, pid: int, wall: float) -> Event:
    args: Event = {"cpu_seconds": task.cpu}
    name = _text(task.name)
    if task.items > 1:
        args |= {"tasks": task.items, "longest_seconds": task.longest, "longest": name}
        name = f"{task.items} tasks, the longest {name}"
    return _complete(name, "task", pid, (task.start, task.end), wall, args)


def _complete(
    name: str, kind: str, pid: int, between: tuple[float, float], wall: float, args: Event
) -> Event:
    start, end = (round(1e6 * min(max(0.0, at), wall)) for at in between)
    return {
        "name": name,
        "cat": kind,
        "ph": "X",
        "ts": start,
        "dur": max(0, end - start),
        "pid": pid,
        "tid": _MAIN,
        "args": args,
    }


def _meta(what: str, pid: int, tid: int, **args: str | int) -> Event:
    return {"name": what, "ph": "M", "pid": pid, "tid": tid, "args": args}


def _text(name: str) -> str:
    """A name that any encoder takes: half a surrogate pair has no UTF-8."""
    return name.encode("utf-8", "replace").decode("utf-8") or "?"
