"""Timelines made by hand, or by a pool that is simulated without any noise."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from grader.tracing.timeline import Lane, Span, State, Task, Timeline

#: A state, and for how many seconds.
Part = tuple[State, float]


def lane(name: str, *parts: Part, start: float = 0.0, helpers: tuple[Span, ...] = ()) -> Lane:
    """Parts that follow each other; each run is a task that has a core all the time, a wait takes none."""
    spans: list[Span] = []
    for state, seconds in parts:
        working = state in ("run", "pickle", "unpickle")
        spans.append(Span(state, start, start + seconds, seconds if working else 0.0))
        start += seconds
    tasks = (Task(name, s.start, s.end, s.cpu, 1, s.seconds) for s in spans if s.state == "run" and s.cpu)
    return Lane(name, tuple(spans), tuple(tasks), helpers, queued=0.0)


def program(*parts: Part) -> Lane:
    made = lane("program", *parts)
    return Lane(made.name, made.spans, queued=0.0)


def timeline(parent: Lane, *workers: Lane, cores: float = 64.0) -> Timeline:
    return Timeline(max(one.end for one in (parent, *workers)), parent, workers, cores)


def pooled(
    seconds: Sequence[float], workers: int, before: float = 0.0, after: float = 0.0, pickling: float = 0.0
) -> Timeline:
    """A pool whose workers take tasks of so many seconds, one by one, in their order; `pickling` before each and
    after it. The program works alone `before` and `after`.
    """
    free = [(before, number) for number in range(workers)]
    parts: list[list[Part]] = [[] for _ in range(workers)]
    for one in seconds:
        moment, number = heapq.heappop(free)
        parts[number] += [("wait", 0.0), ("unpickle", pickling), ("run", one), ("pickle", pickling)]
        heapq.heappush(free, (moment + one + 2 * pickling, number))
    done = max(moment for moment, _ in free)
    for moment, number in free:
        parts[number].append(("wait", done - moment))
    parent = program(("run", before), ("wait", done - before), ("run", after))
    return timeline(parent, *(lane(f"worker {n}", *own, start=before) for n, own in enumerate(parts, 1)))
