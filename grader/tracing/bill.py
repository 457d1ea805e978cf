"""The bill of a parallel run: where each second between the ideal and the measured time went. Pure.

    S = k x load balance x communication x scaling
    load balance = mean(u) / max(u), communication = max(u) / T_k, scaling = T_1 / sum(u)

with u the CPU seconds of each worker's own work, T_k the measured time and T_1 the serial time. The first two are
those of the POP centre of excellence (pop-coe.eu); the product cancels to T_1 / T_k, so the bill always adds up.

In seconds, T_k = work + losses. The worker with most work of its own decides how long the run took; of those that did
about as much, the one that was done last. Each moment in which it did not do that work is put down to what kept it
from it then:

    T_k = max(u) + start-up + pickling + ... + serial part
    max(u) = mean(u) + tail        mean(u) + serial part / k = T_1 / k + scaling

so that what is left of the serial part is the time that the other k - 1 workers lost by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from grader.tracing.stretches import Cover, merged
from grader.tracing.timeline import Lane, Span, State, Timeline

#: What a second can have gone into; a bill has all of them, in this order. What each means: course/TRACING.md.
SECONDS = (
    "work",
    "scaling",
    "tail",
    "start_up",
    "pickling",
    "queue_wait",
    "lock_wait",
    "neighbours",
    "oversubscription",
    "serial_part",
    "blocked",
    "other",
)

#: The program itself works in a stretch of which it has a core for so much at least; else it waits for something.
_AWAKE = 0.2
#: Of the most work of a worker, so much is about as much.
_ABOUT = 0.75

#: CPU seconds that are none.
_LEAST = 1e-9

Marks = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Bill:
    """S = k x load balance x communication x scaling, and the seconds that add up to `wall`.

    `workers` is k, `wall` T_k and `serial` T_1 in seconds; without T_1 the scaling and the speedup are None. In
    `seconds` each name of `SECONDS` has its part; "scaling" is negative where the workers together needed less CPU
    time than the serial run.
    """

    workers: int
    wall: float
    serial: float | None
    load_balance: float
    communication: float
    scaling: float | None
    speedup: float | None
    seconds: Mapping[str, float]

    @property
    def loss(self) -> float:
        """Seconds that were lost against k workers that lose nothing."""
        return sum(max(0.0, value) for name, value in self.seconds.items() if name != "work")


def bill(timeline: Timeline, serial: float | None = None) -> Bill:
    """The bill of a traced run; `serial` is the serial time on the same work, in seconds."""
    lanes = timeline.workers or (timeline.parent,)
    k, useful = len(lanes), [lane.useful for lane in lanes]
    wall, most, total = timeline.wall, max(useful), sum(useful)
    lane = _decisive(lanes)
    lost = _lost(timeline, lane)
    part = lost["serial_part"]
    together = total + part
    work = together / k if serial is None else serial / k
    seconds = dict.fromkeys(SECONDS, 0.0) | lost
    seconds |= {
        "work": work,
        "scaling": together / k - work + min(0.0, lane.useful - total / k),
        "tail": lost["tail"] + max(0.0, lane.useful - total / k),
        "serial_part": part * (1 - 1 / k),
    }
    seconds["other"] += wall - sum(seconds.values())  # rounding alone
    return Bill(
        workers=k,
        wall=wall,
        serial=serial,
        load_balance=total / k / most if most > 0 else 1.0,
        communication=most / wall if wall > 0 else 1.0,
        scaling=serial / total if serial is not None and total > _LEAST else None,
        speedup=serial / wall if serial is not None and wall > 0 else None,
        seconds=MappingProxyType(seconds),
    )


def _decisive(lanes: Sequence[Lane]) -> Lane:
    """The worker with most work of its own; of those that did about as much, the one that was done last."""
    most = max(lane.useful for lane in lanes)
    return max((lane for lane in lanes if lane.useful >= _ABOUT * most), key=_done)


def _done(lane: Lane) -> float:
    """When its last work was done."""
    return max((span.end for span in lane.spans if span.state == "run" and span.cpu > 0), default=0.0)


def _lost(timeline: Timeline, lane: Lane) -> dict[str, float]:
    """The moments in which the lane did not work on its own, by what kept it from it."""
    parent, others = timeline.parent, [one for one in timeline.workers if one is not lane]
    alone = not timeline.workers
    pickled = [*_of(parent, "pickle", "unpickle"), *parent.helpers] if not alone else []
    edges = _edges(timeline.wall, lane.spans, parent.spans, pickled, *(_of(one, "run") for one in others))
    middle, length = (edges[1:] + edges[:-1]) / 2, np.diff(edges)

    def within(spans: Iterable[Span]) -> Marks:
        return _inside(spans, middle)

    def its(*states: State) -> Marks:
        return within(_of(lane, *states))

    last = _done(lane)
    pickling, starting = within(pickled), within(_of(parent, "start"))
    working = within(span for span in _of(parent, "run") if span.cpu >= _AWAKE * span.seconds)
    around = within(span for one in others for span in _of(one, "run"))
    if alone:
        working = np.zeros_like(pickling)
    idle = ~its("start", "unpickle", "pickle", "lock", "run")  # it waits, isn't there yet, or is gone
    ready = its("start")
    named = (
        ("pickling", its("pickle", "unpickle") | (ready | idle) & pickling),
        ("start_up", ready | idle & starting),
        ("lock_wait", its("lock")),
        ("serial_part", idle & working),
        ("tail", idle & around & (middle > last)),
        ("blocked" if alone else "queue_wait", its("wait") & ((middle <= last) | around)),
        ("other", idle),
    )
    lost, taken = dict.fromkeys(SECONDS, 0.0), np.zeros_like(pickling)
    for name, moments in named:
        lost[name] += float(length[moments & ~taken].sum())
        taken |= moments
    return _off_core(timeline, lane, lost)


def _off_core(timeline: Timeline, lane: Lane, lost: dict[str, float]) -> dict[str, float]:
    """Of its own work's time, what it had no core for: for whom, or because it waited for something outside."""
    running = lane.seconds("run")
    off = max(0.0, running - lane.useful)
    # Its own other threads pickle while holding the interpreter's lock.
    by_helpers = min(off, _overlap(_of(lane, "run"), lane.helpers))
    queued = min(off - by_helpers, off if lane.queued is None else lane.queued)
    demand = max(1.0, _demand(timeline, lane))
    own = min(queued, running * max(0.0, 1 - timeline.cores / demand))
    told = lane.queued is not None
    lost["pickling"] += by_helpers
    lost["oversubscription"] += own
    lost["neighbours"] += queued - own if told else 0.0
    lost["blocked"] += off - by_helpers - (queued if told else own)
    return lost


def _demand(timeline: Timeline, lane: Lane) -> float:
    """How many of the program's own processes wanted a core while the lane worked, on average; it is one of them."""
    mine = _of(lane, "run")
    seconds = sum(span.seconds for span in mine)
    if not seconds:
        return 1.0
    busy = ("run", "pickle", "unpickle")
    others = [one for one in (*timeline.workers, timeline.parent) if one is not lane]
    wanted = (_overlap(mine, [s for s in one.spans if s.state in busy and s.cpu > 0]) for one in others)
    return 1.0 + sum(wanted) / seconds


def _of(lane: Lane, *states: State) -> list[Span]:
    return [span for span in lane.spans if span.state in states]


def _edges(wall: float, *groups: Sequence[Span]) -> Numbers:
    """All moments at which something changes, from the beginning to the end."""
    at = [edge for spans in groups for span in spans for edge in (span.start, span.end)]
    return np.unique(np.clip(np.array([0.0, wall, *at]), 0.0, wall))


def _inside(spans: Iterable[Span], moments: Numbers) -> Marks:
    found = merged((span.start, span.end) for span in spans)
    if not found:
        return np.zeros(len(moments), dtype=np.bool_)
    starts, ends = np.array(found).T
    place = np.searchsorted(starts, moments, "right") - 1
    return np.asarray((place >= 0) & (moments < ends[np.maximum(place, 0)]))


def _overlap(one: Iterable[Span], other: Iterable[Span]) -> float:
    """Seconds of the first, which don't overlap each other, that are in the second, too."""
    return Cover((span.start, span.end) for span in other).of((span.start, span.end) for span in one)
