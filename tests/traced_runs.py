"""Timelines of runs that never happened, for the tests of their pictures."""

from __future__ import annotations

import random
from collections.abc import Sequence

from grader.tracing.bill import SECONDS, Bill
from grader.tracing.timeline import Lane, Span, Task, Timeline


def program(wall: float, starting: float = 0.0) -> Lane:
    """A program that starts its workers and then waits for them without using a core."""
    spans = [Span("start", 0.0, starting, starting)] if starting else []
    return Lane("program", (*spans, Span("run", starting, wall, 0.02 * (wall - starting))))


def worker(
    number: int, start: float, lengths: Sequence[float], wall: float, core: float = 1.0, name: str = "score"
) -> Lane:
    """A worker of a pool: start-up, then for each task a wait, unpickling, work, pickling; it waits at the end."""
    at = start + 0.04 * wall
    spans, tasks = [Span("start", start, at, 0.03 * wall)], []
    for task, length in enumerate(lengths):
        part = 0.05 * length
        for state, seconds, cpu, size in (
            ("wait", part, 0.0, 0),
            ("unpickle", part, part, 1000),
            ("run", length, core * length, 0),
            ("pickle", part, part, 500),
        ):
            if state == "run":
                tasks.append(Task(f"{name}({number}-{task})", at, at + seconds, cpu))
            spans.append(Span(state, at, at + seconds, cpu, size))  # type: ignore[arg-type]
            at += seconds
    if at < wall:
        spans.append(Span("wait", at, wall))
    return Lane(f"worker {number}", tuple(spans), tuple(tasks), queued=0.0)


def pool(
    workers: int = 2, tasks: int = 12, wall: float = 2.0, core: float = 1.0, name: str = "score"
) -> Timeline:
    """A pool whose workers take turns; no two tasks are equally long, and none of the workers outlasts the wall."""
    chance = random.Random(workers * tasks)
    each = max(1, tasks // workers)
    usual = 0.75 * wall / each / 1.15
    lanes = []
    for number in range(1, workers + 1):
        lengths = [usual * chance.uniform(0.5, 1.2) for _ in range(each)]
        lanes.append(worker(number, 0.02 * wall * (number / workers), lengths, wall, core, name))
    return Timeline(wall, program(wall, 0.02 * wall), tuple(lanes), 2.0, "forkserver")


def restless(workers: int, wall: float = 10.0, changes: int = 8000) -> Timeline:
    """Workers that change their state all the time, each at moments of its own: the worst that can be drawn."""
    chance = random.Random(workers)
    lanes = []
    for number in range(1, workers + 1):
        edges = sorted(chance.uniform(0.0, wall) for _ in range(changes))
        states = chance.choices(("run", "wait", "pickle", "lock"), k=changes - 1)
        spans = [
            Span(state, one, other, (other - one) * chance.random())
            for state, one, other in zip(states, edges, edges[1:], strict=False)
        ]
        lanes.append(Lane(f"worker {number}", tuple(spans)))
    return Timeline(wall, program(wall), tuple(lanes), 64.0)


def convoy(wall: float = 2.0) -> Timeline:
    """Two workers: one works while the other waits for the lock that it holds; the program pickles in a thread."""
    lanes = []
    for number in (1, 2):
        spans, tasks, at = [Span("start", 0.0, 0.1, 0.08)], [], 0.1
        for turn in range(9):
            mine = turn % 2 == number - 1
            spans.append(Span("run" if mine else "lock", at, at + 0.2, 0.2 if mine else 0.0))
            if mine:
                tasks.append(Task(f"post(batch={turn})", at, at + 0.2, 0.2))
            at += 0.2
        spans.append(Span("run", at, wall, 0.1 * (wall - at)))
        lanes.append(Lane(f"worker {number}", tuple(spans), tuple(tasks)))
    parent = Lane("program", program(wall).spans, helpers=(Span("pickle", 0.3, 0.9, 0.6, 412_000_000),))
    return Timeline(wall, parent, tuple(lanes), 2.0, "fork")


def bill_of(workers: int = 8, serial: float | None = 8.0, wall: float = 2.0, **seconds: float) -> Bill:
    """A bill by hand; what the named seconds leave of the wall is work."""
    useful = 1.1 * (serial or wall * workers / 2)
    most = max(0.8 * wall, useful / workers) if wall else 0.0
    parts = dict.fromkeys(SECONDS, 0.0) | seconds
    parts["work"] = wall - sum(parts.values())
    scaling = None if serial is None else serial / useful
    balance = useful / workers / most if most else 1.0
    return Bill(
        workers=workers,
        wall=wall,
        serial=serial,
        load_balance=balance,
        communication=most / wall if wall else 1.0,
        scaling=scaling,
        speedup=serial / wall if serial is not None and wall else None,
        seconds=parts,
    )
