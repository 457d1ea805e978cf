"""The tasks of a traced run, handed out again to as many workers as one likes. Pure.

A run is parted into phases: between two of them no worker has a task for more than a moment, so the tasks of the next
may need results of the one before, and are never mixed. What is between phases stays as it was.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean

from grader.tracing.stretches import Cover, Stretch, merged, of
from grader.tracing.timeline import Lane, Task, Timeline

#: The share of the run for which no worker has a task, before that counts as the end of a phase.
_GAP = 0.02
#: Short tasks that the trace added up are laid out one by one, but in no more pieces than this in all.
_PIECES = 20_000


@dataclass(frozen=True)
class Phase:
    """A stretch of the run in which workers had tasks; all times in seconds, those of `ready` since it began.

    `ready` is when each worker could take a task, the first one first. `tasks` is how long each takes, and `units`
    the same for chunks of tasks, in the order in which workers began them; both have what the worker did between its
    tasks in them, in equal parts (pickling). `waiting` is what a worker waited between its tasks for the next one or
    for a lock; it is added as it was, since what they waited for doesn't come sooner where more of them wait.
    `feeding` is what the program itself did meanwhile, on one core: no number of workers makes the phase shorter.
    """

    seconds: float
    ready: tuple[float, ...]
    tasks: tuple[float, ...]
    units: tuple[float, ...]
    waiting: float
    feeding: float


def phases(timeline: Timeline) -> list[Phase]:
    """The phases of a run in their order; none where the trace knows no tasks."""
    working = merged((task.start, task.end) for lane in timeline.workers for task in lane.tasks)
    parts: list[Stretch] = []
    for start, end in working:
        if parts and start - parts[-1][1] <= _GAP * timeline.wall:
            parts[-1] = parts[-1][0], end
        else:
            parts.append((start, end))
    most = max(1, _PIECES // max(1, sum(len(lane.tasks) for lane in timeline.workers)))
    return [_phase(timeline, start, end, most) for start, end in parts]


def in_order(phase: Phase, workers: int) -> float:
    """Seconds of the phase with so many workers that take its chunks in the recorded order."""
    return max(phase.feeding, phase.waiting + _handed_out(phase.units, _staggered(phase.ready, workers)))


def largest_first(phase: Phase) -> float:
    """Seconds of the phase with its own workers that take its tasks one by one, the largest first."""
    return max(phase.feeding, phase.waiting + _handed_out(sorted(phase.tasks, reverse=True), phase.ready))


def _handed_out(durations: Iterable[float], ready: Sequence[float]) -> float:
    """When the last is done if whoever is free first takes the next one."""
    free, done = list(ready), 0.0
    heapq.heapify(free)
    for seconds in durations:
        ends = free[0] + seconds
        heapq.heapreplace(free, ends)
        done = max(done, ends)
    return done


def _staggered(ready: Sequence[float], workers: int) -> list[float]:
    """When so many workers are ready: those there are, and as many more at the mean distance from each other."""
    between = (ready[-1] - ready[0]) / (len(ready) - 1) if len(ready) > 1 else 0.0
    more = (ready[-1] + between * (number + 1) for number in range(workers - len(ready)))
    return [*ready[:workers], *more]


def _phase(timeline: Timeline, start: float, end: float, most: int) -> Phase:
    ready: list[float] = []
    tasks: list[float] = []
    units: list[tuple[float, float]] = []
    waits: list[float] = []
    for lane in timeline.workers:
        own = sorted((task for task in lane.tasks if start <= task.start <= end), key=lambda task: task.start)
        if not own and (lane.end <= start or lane.start >= end):
            continue  # it isn't there in this phase
        at = _ready(lane, start, own[0].start if own else end)
        ready.append(at - start)
        if not own:
            continue
        waiting = Cover(of(lane, "wait", "lock"))
        last = max(task.end for task in own)
        within = sum(waiting.seconds(task.start, task.end) for task in own if task.items == 1)
        waits.append(max(0.0, waiting.seconds(at, last) - within))
        pieces = [seconds for task in own for seconds in _pieces(task, waiting, most)]
        chunks = [
            (since, _length(since, until, together, waiting)) for since, until, together in _chunks(lane, own)
        ]
        busy = last - at - waits[-1]
        between = max(0.0, busy - sum(pieces)) / len(pieces)
        tasks += [seconds + between for seconds in pieces]
        between = max(0.0, busy - sum(length for _, length in chunks)) / len(chunks)
        units += [(since, length + between) for since, length in chunks]
    in_time = tuple(seconds for _, seconds in sorted(units, key=lambda unit: unit[0]))
    feeding = min(end - start, _feeding(timeline.parent, start, end))
    return Phase(end - start, tuple(sorted(ready)), tuple(tasks), in_time, fmean(waits or [0.0]), feeding)


def _ready(lane: Lane, start: float, first: float) -> float:
    """When a worker could begin in a phase that begins at `start`, if its first task begins at `first`."""
    started = [span.end for span in lane.spans if span.state == "start" and span.end <= first]
    return min(first, max(start, lane.start, started[-1] if started else start))


def _pieces(task: Task, waiting: Cover, most: int) -> list[float]:
    """Seconds of each of the tasks that this stands for: the longest is known, the others are taken as equal."""
    if task.items == 1:
        return [task.seconds]
    seconds = task.seconds - waiting.seconds(task.start, task.end)
    longest, count = min(task.longest, seconds), min(most, task.items - 1)
    return [longest] + [(seconds - longest) / count] * count


def _chunks(lane: Lane, tasks: Sequence[Task]) -> Iterator[tuple[float, float, list[Task]]]:
    """The tasks that arrived together, from when to when: nothing arrives between two of them."""
    arrivals = [span.start for span in lane.spans if span.state in ("wait", "unpickle")]
    for _, group in groupby(tasks, key=lambda task: bisect_right(arrivals, task.start)):
        together = list(group)
        yield together[0].start, max(task.end for task in together), together


def _length(since: float, until: float, tasks: Iterable[Task], waiting: Cover) -> float:
    """Seconds of a chunk, without the waits between short tasks that the trace added up."""
    between = sum(waiting.seconds(task.start, task.end) for task in tasks if task.items > 1)
    return max(0.0, until - since - between)


def _feeding(parent: Lane, start: float, end: float) -> float:
    """Seconds that the program itself worked, pickled or unpickled within a stretch of the run."""
    busy = 0.0
    for span in (*parent.spans, *parent.helpers):
        within = min(span.end, end) - max(span.start, start)
        if within > 0 and span.seconds > 0:
            took = (
                span.cpu
                if span.state == "run"
                else span.seconds
                if span.state in ("pickle", "unpickle")
                else 0.0
            )
            busy += took * within / span.seconds
    return busy
