"""The timeline of the workers as an inline SVG: a lane for the program and for each worker, time from left to right.

All stretches of one state are one path of columns (see `columns.py`), so the picture stays small whatever the run.

Readable without telling colours apart: states differ in height and hatch. Time starts at zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.report.columns import COLUMNS, CORE, WAIT, Codes, Numbers, columns, stretches
from grader.report.plot import PARALLEL_COLOUR, SERIAL_COLOUR
from grader.report.svg import INK, draw_svg
from grader.report.trace_words import in_seconds, lasted, one_line, share_of, slowest, timeline_in_words
from grader.tracing.timeline import Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Look:
    """How one state is drawn; `height` is the share of the lane. One that isn't filled shows its hatch alone."""

    label: str
    colour: str
    hatch: str
    height: float
    filled: bool = True


# In the order of `columns.py`. Contrast of each colour with white and with JupyterLab's dark #111111 is at least 3:1.
LOOKS = (
    Look("work, on a core", PARALLEL_COLOUR, "", 0.84),
    Look("work, but no core or blocked", PARALLEL_COLOUR, "/////", 0.84, filled=False),
    Look("start-up", "#00875f", "-----", 0.6),
    Look("pickling and unpickling", SERIAL_COLOUR, "xxxxx", 0.84),
    Look("waiting for a lock", "#b8609a", "|||||", 0.44),
    Look("waiting for a queue or for workers", "#7f7f7f", "", 0.14),
)


WIDTH = 8.0  # inches
_LINE = 0.16  # inches that a lane's name needs
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
    step = ceil(_LINE / pitch)
    shown = [0, *range(1 if (1 + _GAP) * pitch >= _LINE else step, len(places), step)]
    axes.set_yticks([places[n] for n in shown], [_name(timeline, n) for n in shown])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(places[-1] + 0.6, -0.6)
    axes.set_xlim(0, wall)
    axes.set_xlabel("seconds since the run began")
    axes.set_title("What each process did", loc="left")
    axes.set_title(_slowest_in_short(timeline), loc="right", fontsize=8.5)


def _name(timeline: Timeline, number: int) -> str:
    """What a lane is called, and how much it worked: columns hide what is short, however often it comes."""
    lane = (timeline.parent, *timeline.workers)[number]
    return f"{one_line(lane.name, 24)}: {share_of(lane.useful, timeline.wall)} work"


def _places(timeline: Timeline) -> list[float]:
    """Heights of the lanes: the program's first, then those of the workers."""
    return [0.0, *(_GAP + n for n in range(1, 1 + len(timeline.workers)))]


# Marks


def _draw_states(axes: Axes, places: Sequence[float], edges: Numbers, codes: Sequence[Codes]) -> None:
    """One path for each state that occurs, and its entry in the legend."""
    boxes: dict[int, list[tuple[float, float, float, float]]] = {}
    for place, line in zip(places, codes, strict=True):
        for code, first, last in stretches(line):
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
        [
            np.stack(pair, axis=1)
            for pair in ((left, low), (right, low), (right, high), (left, high), (left, low))
        ],
        axis=1,
    )
    codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], len(boxes))
    style: dict[str, Any] = {"facecolor": look.colour, "edgecolor": INK, "linewidth": 0.0}
    if not look.filled:
        style = {"facecolor": "none", "edgecolor": look.colour, "linewidth": 0.6}
    label = None if look is LOOKS[WAIT] else look.label
    axes.add_patch(
        PathPatch(Path(corners.reshape(-1, 2), codes), hatch=look.hatch or None, label=label, **style)
    )


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
