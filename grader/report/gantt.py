"""The timeline of the workers as an inline SVG: a lane for the program and for each worker, time from left to right.

Each lane is cut into columns a pixel wide, and a column shows the state that took most of it. So ten thousand tasks
draw no more than the picture has pixels; where even those are too many, the columns become wider. All stretches of
one state are one path.

Readable without telling colours apart: states differ in height and hatch. Time starts at zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from grader.report.plot import PARALLEL_COLOUR, SERIAL_COLOUR
from grader.report.svg import INK, draw_svg
from grader.report.trace_words import in_seconds, lasted, one_line, slowest, timeline_in_words
from grader.tracing.timeline import Lane, Span, Task, Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Look:
    """How one state is drawn; `height` is the share of the lane. One that isn't filled shows its hatch alone."""

    label: str
    colour: str
    hatch: str
    height: float
    filled: bool = True


# Contrast of each colour with white and with JupyterLab's dark #111111 is at least 3:1.
LOOKS = (
    Look("work, on a core", PARALLEL_COLOUR, "", 0.84),
    Look("work, but no core or blocked", PARALLEL_COLOUR, "/////", 0.84, filled=False),
    Look("start-up", "#00875f", "-----", 0.6),
    Look("pickling and unpickling", SERIAL_COLOUR, "xxxxx", 0.84),
    Look("waiting for a lock", "#b8609a", "|||||", 0.44),
    Look("waiting for a queue or for workers", "#7f7f7f", "", 0.14),
)
CORE, OFF, START, PICKLE, LOCK, WAIT = range(len(LOOKS))
ABSENT = -1

WIDTH = 8.0  # inches
COLUMNS = 672  # about a pixel each
MOST = 6000  # stretches in a picture: some 40 characters of SVG each
LEAST = 10  # columns

_ON_A_CORE = 0.7  # of its time; with less, a column of work is drawn as work without a core
_AWAKE = 0.2  # the program itself; with less, it waits for its workers
_GAP = 0.3  # lanes, between the program and the workers
_TICKS = 1000  # starts of tasks that are marked
_APART = 5  # columns that a task must have for its start to be marked


def picture(timeline: Timeline, prefix: str) -> str:
    """The SVG; `prefix` starts every identifier in it. The same timeline and prefix give the same text."""
    lanes = 1 + len(timeline.workers)
    pitch = max(0.012, min(0.32, 5.5 / lanes))
    return draw_svg(
        lambda axes: _draw(axes, timeline, pitch),
        timeline_in_words(timeline),
        prefix,
        3,
        (WIDTH, round(1.75 + pitch * (lanes + _GAP), 2)),
    )


def _draw(axes: Axes, timeline: Timeline, pitch: float) -> None:
    places = _places(timeline)
    wall = timeline.wall if timeline.wall > 0 else 1.0
    edges, codes = columns(timeline)
    _draw_states(axes, places, edges, codes)
    _draw_starts(axes, timeline, places)
    _draw_slowest(axes, timeline, places)
    names = [one_line(lane.name, 24) for lane in (timeline.parent, *timeline.workers)]
    step = ceil(0.16 / pitch)
    shown = [0, *range(1, len(names), step)]
    axes.set_yticks([places[n] for n in shown], [names[n] for n in shown])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(places[-1] + 0.6, -0.6)
    axes.set_xlim(0, wall)
    axes.set_xlabel("seconds since the run began")
    axes.set_title("What each process did", loc="left")
    axes.set_title(_slowest_in_short(timeline), loc="right", fontsize=8.5)


def _places(timeline: Timeline) -> list[float]:
    """Heights of the lanes: the program's first, then those of the workers."""
    return [0.0, *(_GAP + n for n in range(1, 1 + len(timeline.workers)))]


# What each column shows


def columns(timeline: Timeline) -> tuple[Numbers, list[Codes]]:
    """The edges of the columns in seconds, and for each lane (the program's first) the place in LOOKS that each of
    its columns shows, or ABSENT.
    """
    number = COLUMNS
    while True:
        edges = np.linspace(0.0, max(0.0, timeline.wall), number + 1)
        codes = [_shown(timeline.parent, edges, program=True)]
        codes += [_shown(lane, edges, program=False) for lane in timeline.workers]
        if number <= LEAST or sum(len(_stretches(line)) for line in codes) <= MOST:
            return edges, codes
        number //= 2


def _shown(lane: Lane, edges: Numbers, program: bool) -> Codes:
    """Of each column, the state that took most of it."""
    run = _spent([span for span in lane.spans if span.state == "run"], edges)
    cpu = _spent([span for span in lane.spans if span.state == "run"], edges, cpu=True)
    asleep = (cpu < _AWAKE * run) & program
    busy = (cpu >= _ON_A_CORE * run) & ~asleep
    spent = np.zeros((len(LOOKS), len(edges) - 1))
    spent[CORE] = np.where(busy, run, 0.0)
    spent[OFF] = np.where(busy | asleep, 0.0, run)
    spent[WAIT] = np.where(asleep, run, 0.0)
    for state, place in (
        ("start", START),
        ("pickle", PICKLE),
        ("unpickle", PICKLE),
        ("lock", LOCK),
        ("wait", WAIT),
    ):
        spent[place] += _spent([span for span in lane.spans if span.state == state], edges)
    width = np.diff(edges)
    most = np.argmax(spent, axis=0)
    helped = _spent(lane.helpers, edges) >= width / 2  # another thread pickles while the main one waits for it
    most = np.where(helped & np.isin(most, (OFF, WAIT)) & (width > 0), PICKLE, most)
    return np.where(spent.sum(axis=0) > 1e-6 * width, most, ABSENT)


def _spent(spans: Iterable[Span], edges: Numbers, cpu: bool = False) -> Numbers:
    """Seconds of the spans, or their CPU seconds, in each column; they may overlap, and then count twice."""
    lasting = [span for span in spans if span.end > span.start]
    rate = np.array([min(1.0, span.cpu / span.seconds) if cpu else 1.0 for span in lasting])
    begun = _since(np.array([span.start for span in lasting]), rate, edges)
    over = _since(np.array([span.end for span in lasting]), rate, edges)
    return np.diff(begun - over)


def _since(moments: Numbers, rate: Numbers, edges: Numbers) -> Numbers:
    """At each edge, the seconds since each of the moments before it, weighed with the rates and added up."""
    order = np.argsort(moments, kind="stable")
    at, weight = moments[order], rate[order]
    before = np.searchsorted(at, edges, "right")
    weights, sums = (np.concatenate([[0.0], np.cumsum(part)]) for part in (weight, weight * at))
    return np.asarray(edges * weights[before] - sums[before], dtype=np.float64)


def _stretches(codes: Codes) -> list[tuple[int, int, int]]:
    """Neighbouring columns that show the same: what they show, the first of them, and the one after the last."""
    cuts = np.flatnonzero(np.diff(codes)) + 1
    bounds = [0, *map(int, cuts), len(codes)]
    found = zip(bounds[:-1], bounds[1:], strict=True)
    return [(int(codes[first]), first, last) for first, last in found if codes[first] != ABSENT]


# Marks


def _draw_states(axes: Axes, places: Sequence[float], edges: Numbers, codes: Sequence[Codes]) -> None:
    """One path for each state that occurs, and its entry in the legend."""
    boxes: dict[int, list[tuple[float, float, float, float]]] = {}
    for place, line in zip(places, codes, strict=True):
        for code, first, last in _stretches(line):
            half = LOOKS[code].height / 2
            boxes.setdefault(code, []).append((edges[first], edges[last], place - half, place + half))
    for code in sorted(boxes):
        look = LOOKS[code]
        _add_boxes(axes, boxes[code], look)
        if code == WAIT:  # as thin in the legend as in the picture
            axes.plot([], [], color=look.colour, linewidth=2.0, label=look.label)


def _add_boxes(axes: Axes, boxes: Sequence[tuple[float, float, float, float]], look: Look) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    left, right, low, high = np.array(boxes).T
    corners = np.stack(
        [np.stack(pair, axis=1) for pair in ((left, low), (right, low), (right, high), (left, high), (left, low))],
        axis=1,
    )
    codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], len(boxes))
    style: dict[str, Any] = {"facecolor": look.colour, "edgecolor": INK, "linewidth": 0.0}
    if not look.filled:
        style = {"facecolor": "none", "edgecolor": look.colour, "linewidth": 0.6}
    label = None if look is LOOKS[WAIT] else look.label
    axes.add_patch(PathPatch(Path(corners.reshape(-1, 2), codes), hatch=look.hatch or None, label=label, **style))


def _draw_starts(axes: Axes, timeline: Timeline, places: Sequence[float]) -> None:
    """A thin line where a task begins, where tasks are wide enough to be told apart."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    least = _APART * timeline.wall / COLUMNS
    starts = [
        (task.start, place)
        for lane, place in zip(timeline.workers, places[1:], strict=True)
        for task in lane.tasks
        if task.items == 1 and task.seconds >= least
    ]
    if not 0 < len(starts) <= _TICKS:
        return
    half = LOOKS[CORE].height / 2
    points = [(at, place + side) for at, place in starts for side in (-half, half)]
    path = Path(points, [Path.MOVETO, Path.LINETO] * len(starts))
    axes.add_patch(PathPatch(path, facecolor="none", edgecolor=INK, linewidth=0.8))
    axes.plot([], [], linestyle="", marker="|", markersize=9, color=INK, label="start of a task")


def _draw_slowest(axes: Axes, timeline: Timeline, places: Sequence[float]) -> None:
    """A frame around the slowest task; of an entry that stands for many it is not known which part that is."""
    from matplotlib.patches import Rectangle

    found = slowest(timeline)
    if found is None or found[1].items > 1:
        return
    lane, task = found
    place = places[1 + timeline.workers.index(lane)]
    frame = Rectangle((task.start, place - 0.5), task.seconds, 1.0, label="slowest task", clip_on=False)
    frame.set(facecolor="none", edgecolor=INK, linewidth=1.6, zorder=3)
    axes.add_patch(frame)


def _slowest_in_short(timeline: Timeline) -> str:
    found = slowest(timeline)
    if found is None:
        return ""
    lane, task = found
    return f"slowest task: {one_line(task.name)}, {in_seconds(lasted(task))}, {one_line(lane.name, 24)}"
