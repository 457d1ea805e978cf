"""What a traced run would have taken without one of its losses, or with other numbers of workers. Pure.

Two ways, both from the trace alone:

- Without pickling or start-up, the moments that these took from each worker are cut out; the run then lasts until the
  worker that is done last. Each task stays with its worker, so handing them out anew could gain more.
- With other workers, or balance, the recorded tasks are handed out again: each worker that is free takes the next one
  (Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17(2), 1969).

Tasks take as long as they did, with the locks that they waited for and the moments when others had the core; that
more cores are slower together (memory, clock) is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from grader.tracing.bill import Bill
from grader.tracing.replay import Phase, in_order, largest_first, phases
from grader.tracing.stretches import Cover, Stretch, of
from grader.tracing.timeline import Lane, Span, Timeline

#: Seconds waited for locks, over CPU seconds of work, from which more workers are no help that can be told.
_LOCKED = 0.1
#: The names of the four, in the order of `what_if`.
BALANCE, NO_PICKLING, NO_START_UP, TWICE = "balance", "no pickling", "no start-up", "twice the cores"


@dataclass(frozen=True)
class WhatIf:
    """A run that was not, with so many workers: `seconds`; `speedup`, T_1 over that, None where T_1 isn't known;
    and `gain`, the seconds of the traced run over that. All three are None where it was `refused`, which says why.
    """

    name: str
    workers: int
    seconds: float | None = None
    speedup: float | None = None
    gain: float | None = None
    refused: str = ""


def what_if(timeline: Timeline, bill: Bill) -> tuple[WhatIf, WhatIf, WhatIf, WhatIf]:
    """The run with perfect balance, without pickling, without start-up, and with twice the workers on twice the
    cores. `bill` is that of the timeline.
    """
    return (
        _balanced(timeline, bill),
        _cut(timeline, bill, NO_PICKLING, _pickling, _all_pickling(timeline)),
        _cut(timeline, bill, NO_START_UP, _start_up, _all_start_up(timeline)),
        with_workers(timeline, bill, max(1, 2 * len(timeline.workers)), TWICE),
    )


def with_workers(timeline: Timeline, bill: Bill, workers: int, name: str = "") -> WhatIf:
    """The run with so many workers, each with as much of a core as those of the trace had.

    Tasks that a worker got together (a chunk) stay together, and are handed out in the recorded order. A worker that
    the trace doesn't have starts later than the last one that it has, by the mean distance between two.

    Raises:
        ValueError: workers < 1.
    """
    if workers < 1:
        raise ValueError(f"it takes 1 worker or more, not {workers}")
    found = phases(timeline)
    refused = _nothing(timeline, found) or _locked(timeline, workers)
    if not refused:
        longest, share = _longest(found), workers / len(timeline.workers)
        if len(longest.units) < _scaled(longest, share):
            refused = (
                f"Too few tasks at a time, or chunks of them ({len(longest.units)}), to keep {workers} workers busy. "
                "Cut the work into smaller ones."
            )
    if refused:
        return WhatIf(name or f"{workers} workers", workers, refused=refused)
    seconds = _again(timeline, found, lambda phase: in_order(phase, _scaled(phase, share)))
    return _whatif(name or f"{workers} workers", workers, seconds, bill)


def _balanced(timeline: Timeline, bill: Bill) -> WhatIf:
    """The largest tasks first, one by one, with the overheads that there were; never longer than it was."""
    k, found = len(timeline.workers), phases(timeline)
    refused = _nothing(timeline, found)
    if not refused:
        longest = _longest(found)
        if len(longest.tasks) < len(longest.ready):
            refused = (
                f"Too few tasks ({len(longest.tasks)}) for {len(longest.ready)} workers to share evenly. "
                "Cut the work into smaller ones."
            )
    if refused:
        return WhatIf(BALANCE, k, refused=refused)
    seconds = _again(timeline, found, lambda phase: min(phase.seconds, largest_first(phase)))
    return _whatif(BALANCE, k, seconds, bill)


def _nothing(timeline: Timeline, found: list[Phase]) -> str:
    if not timeline.workers:
        return "The run had no workers."
    if not found:
        return "The trace doesn't know the tasks of the workers, so they can't be handed out again."
    return ""


def _locked(timeline: Timeline, workers: int) -> str:
    """A trace doesn't tell for how long a lock was held, only for how long it was waited for."""
    waited = sum(lane.seconds("lock") for lane in timeline.workers)
    if workers > len(timeline.workers) and waited > _LOCKED * sum(timeline.useful):
        return (
            "The workers waited for locks for a large part of their time; more workers would wait for longer."
        )
    return ""


def _longest(found: list[Phase]) -> Phase:
    """The phase that decides whether there are enough tasks."""
    return max(found, key=lambda phase: phase.seconds)


def _scaled(phase: Phase, share: float) -> int:
    """How many workers the phase has if the whole run has `share` times as many."""
    return max(1, round(len(phase.ready) * share))


def _again(timeline: Timeline, found: list[Phase], replay: Callable[[Phase], float]) -> float:
    """Seconds of the run, with each phase replayed and the rest as it was."""
    return timeline.wall + sum(replay(phase) - phase.seconds for phase in found)


def _whatif(name: str, workers: int, seconds: float, bill: Bill) -> WhatIf:
    if seconds <= 0:
        return WhatIf(name, workers, refused="Nothing would be left of the run.")
    return WhatIf(name, workers, seconds, bill.serial / seconds if bill.serial else None, bill.wall / seconds)


def _cut(
    timeline: Timeline,
    bill: Bill,
    name: str,
    lost: Callable[[Timeline, Lane, float], float],
    everywhere: Cover,
) -> WhatIf:
    """The run without what each worker `lost` until it was done; after that, without the moments of `everywhere`."""
    k = len(timeline.workers)
    lanes = [(lane, done) for lane in timeline.workers if (done := _done(lane)) > 0]
    if not lanes:
        return WhatIf(name, k, refused="No worker did any work in the run.")
    last = max(done for _, done in lanes)
    until = max(done - lost(timeline, lane, done) for lane, done in lanes)
    return _whatif(name, k, until + timeline.wall - last - everywhere.seconds(last, timeline.wall), bill)


def _done(lane: Lane) -> float:
    """When the worker's last task was done, or where none are known its last work; 0 where there is none."""
    if lane.tasks:
        return max(task.end for task in lane.tasks)
    return max((span.end for span in lane.spans if span.state == "run" and span.cpu > 0), default=0.0)


def _pickling(timeline: Timeline, lane: Lane, done: float) -> float:
    """What pickling took from the worker: its own, that of the program while it waited, and that of its other
    threads, which keep its own work from running; as the bill counts it.
    """
    own = sum(end - start for start, end in _before(done, of(lane, "pickle", "unpickle")))
    waited = _pickled(timeline).of(_before(done, [*of(lane, "start"), *_idle(lane)]))
    beside = Cover(_spans(lane.helpers)).of(_before(done, of(lane, "run")))
    return own + waited + min(beside, max(0.0, lane.seconds("run") - lane.useful))


def _start_up(timeline: Timeline, lane: Lane, done: float) -> float:
    """What start-up took from the worker: its own, and that of others while it waited; as the bill counts it."""
    own = _before(done, of(lane, "start"))
    waited = Cover(of(timeline.parent, "start")).of(_before(done, _idle(lane)))
    return sum(end - start for start, end in own) - _pickled(timeline).of(own) + waited


def _pickled(timeline: Timeline) -> Cover:
    """The program's own pickling, in any of its threads."""
    return Cover([*of(timeline.parent, "pickle", "unpickle"), *_spans(timeline.parent.helpers)])


def _all_pickling(timeline: Timeline) -> Cover:
    lanes = (timeline.parent, *timeline.workers)
    own = [stretch for lane in lanes for stretch in of(lane, "pickle", "unpickle")]
    return Cover([*own, *_spans(timeline.parent.helpers)])


def _all_start_up(timeline: Timeline) -> Cover:
    return Cover(stretch for lane in (timeline.parent, *timeline.workers) for stretch in of(lane, "start"))


def _idle(lane: Lane) -> list[Stretch]:
    """The worker waits for something to arrive, or isn't there yet."""
    return [(0.0, lane.start), *of(lane, "wait")]


def _spans(helpers: Iterable[Span]) -> list[Stretch]:
    return [(span.start, span.end) for span in helpers]


def _before(moment: float, stretches: Iterable[Stretch]) -> list[Stretch]:
    return [(start, min(end, moment)) for start, end in stretches if start < moment]
