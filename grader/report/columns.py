"""What each column of the picture of a timeline shows. Pure.

Each lane is cut into columns a pixel wide, and a column shows what took most of it. So ten thousand tasks draw no more
than the picture has pixels; where even those are too many, the columns become wider.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from grader.tracing.timeline import Lane, Span, State, Timeline

Numbers = NDArray[np.float64]
Codes = NDArray[np.intp]

#: What a column can show: work on a core, work without one, start-up, pickling, a lock, waiting; or nothing.
CORE, OFF, START, PICKLE, LOCK, WAIT = range(6)
ABSENT = -1

#: What each state of a trace is drawn as. Work without a core is told by its CPU seconds.
PLACES: dict[State, int] = {
    "run": CORE,
    "start": START,
    "pickle": PICKLE,
    "unpickle": PICKLE,
    "lock": LOCK,
    "wait": WAIT,
}

COLUMNS = 640  # about a pixel each
MOST = 6000  # stretches in a picture: some 40 characters of SVG each
LEAST = 10  # columns

_ON_A_CORE = 0.5  # of its time; with less, a column of work is shown as work without a core
_AWAKE = 0.2  # the program itself; with less, it waits for its workers


def columns(timeline: Timeline) -> tuple[Numbers, list[Codes]]:
    """The edges of the columns in seconds, and for each lane (the program's first) what each of
    its columns shows (`CORE` ... `WAIT`, or `ABSENT`).
    """
    number, end = COLUMNS, max(0.0, timeline.wall)
    finest = np.linspace(0.0, end, number + 1)
    spent = [_spent(lane, finest) for lane in (timeline.parent, *timeline.workers)]
    while True:
        codes = [_shown(line, end / number, program=n == 0) for n, line in enumerate(spent)]
        if number <= LEAST or sum(len(stretches(line)) for line in codes) <= MOST:
            return np.linspace(0.0, end, number + 1), codes
        number //= 2
        spent = [line.reshape(len(line), number, 2).sum(axis=2) for line in spent]


def _spent(lane: Lane, edges: Numbers) -> Numbers:
    """Seconds of each state in each column (states x columns); under CORE are those of all work, under OFF the CPU
    seconds of it, and a last row has the pickling of other threads.
    """
    spans = _table(lane.spans)
    of = {place: spans[spans[:, 0] == place] for place in (CORE, START, PICKLE, LOCK, WAIT)}
    seconds = {place: _in_columns(its, edges) for place, its in of.items()}
    seconds[OFF] = _in_columns(of[CORE], edges, cpu=True)
    helped = _in_columns(_table(lane.helpers), edges)
    return np.stack([*(seconds[place] for place in sorted(seconds)), helped])


def _table(spans: Iterable[Span]) -> Numbers:
    """A row for each span that lasts: what it is drawn as, its start, its end, its CPU seconds."""
    rows = [(PLACES[span.state], span.start, span.end, span.cpu) for span in spans if span.end > span.start]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


def _shown(spent: Numbers, width: float, program: bool) -> Codes:
    """Of each column, the state that took most of it."""
    *shown, helped = spent
    run, cpu = shown[CORE], shown[OFF]
    asleep = (cpu < _AWAKE * run) & program
    busy = (cpu >= _ON_A_CORE * run) & ~asleep
    shown[CORE] = np.where(busy, run, 0.0)
    shown[OFF] = np.where(busy | asleep, 0.0, run)
    shown[WAIT] = shown[WAIT] + np.where(asleep, run, 0.0)
    most = np.argmax(shown, axis=0)
    meanwhile = np.isin(most, (OFF, WAIT)) & (helped >= width / 2)  # the main thread waits for it
    most = np.where(meanwhile, PICKLE, most)
    return np.where(np.sum(shown, axis=0) > 1e-6 * width, most, ABSENT)


def _in_columns(spans: Numbers, edges: Numbers, cpu: bool = False) -> Numbers:
    """Seconds of the spans of a table, or their CPU seconds, in each column; where they overlap they count twice."""
    _, starts, ends, busy = spans.T
    rate = np.minimum(1.0, busy / (ends - starts)) if cpu else np.ones(len(spans))
    return np.diff(_since(starts, rate, edges) - _since(ends, rate, edges))


def _since(moments: Numbers, rate: Numbers, edges: Numbers) -> Numbers:
    """At each edge, the seconds since each of the moments before it, weighed with the rates and added up."""
    order = np.argsort(moments, kind="stable")
    at, weight = moments[order], rate[order]
    before = np.searchsorted(at, edges, "right")
    weights, sums = (np.concatenate([[0.0], np.cumsum(part)]) for part in (weight, weight * at))
    return np.asarray(edges * weights[before] - sums[before], dtype=np.float64)


def stretches(codes: Codes) -> list[tuple[int, int, int]]:
    """Neighbouring columns that show the same: what they show, the first of them, and the one after the last."""
    cuts = np.flatnonzero(np.diff(codes)) + 1
    bounds = [0, *map(int, cuts), len(codes)]
    found = itertools.pairwise(bounds)
    return [(int(codes[first]), first, last) for first, last in found if codes[first] != ABSENT]
