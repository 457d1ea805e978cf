"""A footprint in its forms: words, two pictures (2 and 4 workers, on one scale), two lines of text, JSON.

Readable without telling colours apart: the curve is solid, the idle twin dotted, the bar dashed, and each line's
height stands in the legend. Memory starts at zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.measure.copies import MIB, allowed
from grader.report.svg import INK, draw_svg
from grader.report.words import figure
from grader.weights import Footprint, Weighing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOUR = "#1f6fd0"  # as in the pictures of a speedup
_HEADROOM = 1.12


def in_words(footprint: Footprint) -> str:
    """Peaks and idle twins, how often it was weighed, and in what."""
    parts = [
        f"with {w.workers} workers {mib(w.curve.peak)} at the peak, {mib(w.idle)} of it for workers that do nothing"
        for w in footprint.weighings
    ]
    rounds = "Weighed once" if footprint.rounds == 1 else f"The median of {footprint.rounds} weighings"
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}. {rounds}, {_unit_in_words(footprint)}."


def _unit_in_words(footprint: Footprint) -> str:
    if footprint.weighings[0].curve.unit == "USS":
        return "by USS: what several processes share is not in it"
    return "by PSS: what several processes share counts once"


def picture_in_words(footprint: Footprint) -> str:
    """What to see in the pictures: where each curve stays."""
    said = []
    for weighing in footprint.weighings:
        most = allowed(footprint, weighing)
        side = "stays below" if weighing.copies <= most else "goes above"
        said.append(
            f"With {weighing.workers} workers the curve {side} the bar: {figure(weighing.copies)} copies at its peak, "
            f"{figure(most)} allowed."
        )
    return " ".join(said)


def pictures(footprint: Footprint | None, prefix: str) -> list[str]:
    """An SVG for each number of workers, on one scale; `prefix` starts every identifier in them."""
    if footprint is None:
        return []
    top = _HEADROOM * max(max(w.curve.peak, bar_of(footprint, w)) for w in footprint.weighings) / MIB
    return [_picture(footprint, weighing, top, prefix) for weighing in footprint.weighings]


def _picture(footprint: Footprint, weighing: Weighing, top: float, prefix: str) -> str:
    return draw_svg(
        lambda axes: _draw(axes, footprint, weighing, top),
        curve_in_words(footprint, weighing),
        f"{prefix}m{weighing.workers}",
        1,
    )


def curve_in_words(footprint: Footprint, weighing: Weighing) -> str:
    """The text alternative of one picture."""
    seconds = weighing.curve.points[-1][0] if weighing.curve.points else 0.0
    return (
        f"Plot of memory over {seconds:.1f} seconds with {weighing.workers} workers: the peak is "
        f"{mib(weighing.curve.peak)}, {figure(weighing.copies)} copies. Lines: idle twin {mib(weighing.idle)}, bar "
        f"{mib(bar_of(footprint, weighing))}."
    )


def bar_of(footprint: Footprint, weighing: Weighing) -> int:
    """The most that is allowed, in bytes: what the idle twin weighs, and the copies."""
    return round(weighing.idle + allowed(footprint, weighing) * weighing.payload)


def _draw(axes: Axes, footprint: Footprint, weighing: Weighing, top: float) -> None:
    curve, most = weighing.curve, allowed(footprint, weighing)
    seconds = [at for at, _ in curve.points]
    weights = [weight / MIB for _, weight in curve.points]
    bar = bar_of(footprint, weighing)
    axes.plot(
        seconds,
        weights,
        color=COLOUR,
        linewidth=1.8,
        label=f"{mib(curve.peak)} at the peak: {figure(weighing.copies)} copies",
    )
    axes.fill_between(seconds, weights, color=COLOUR, alpha=0.12, linewidth=0)
    axes.axhline(
        bar / MIB,
        color=INK,
        linewidth=1.6,
        linestyle=(0, (5, 2)),
        label=f"{mib(bar)}: bar, {figure(most)} copies",
    )
    axes.axhline(
        weighing.idle / MIB,
        color=INK,
        linewidth=1.0,
        linestyle=(0, (1, 2)),
        label=f"{mib(weighing.idle)}: workers that do nothing",
    )
    axes.set_ylim(0, top)
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds since the start")
    axes.set_ylabel("memory of all processes (MiB)")
    axes.set_title(f"With {weighing.workers} workers: lower is better", loc="left")


NAMES = ("workers", "peak (MiB)", "doing nothing (MiB)", "copies", "allowed")


def rows(footprint: Footprint) -> list[tuple[str, ...]]:
    """The numbers of the pictures, a row for each number of workers, under NAMES."""
    return [
        (
            str(w.workers),
            f"{w.curve.peak / MIB:.0f}",
            f"{w.idle / MIB:.0f}",
            figure(w.copies),
            figure(allowed(footprint, w)),
        )
        for w in footprint.weighings
    ]


def strips(footprint: Footprint, columns: int) -> list[str]:
    """A line for each number of workers: the curve in tenths of the highest peak, from left to right in time."""
    highest = max(1, *(w.curve.peak for w in footprint.weighings))
    lines = []
    for weighing in footprint.weighings:
        curve = _levels(weighing, highest, columns)
        lines.append(f"  {weighing.workers} workers [{curve}] {mib(weighing.curve.peak)}")
    return [*lines, f"  Digits: memory over time, in tenths of {mib(highest)}."]


def _levels(weighing: Weighing, highest: int, columns: int) -> str:
    """The heaviest point of each stretch of time; where a stretch has none, the one before goes on."""
    points = weighing.curve.points
    last = max((at for at, _ in points), default=0.0) or 1.0
    levels = [-1] * columns
    for at, weight in points:
        column = min(columns - 1, int(at / last * columns))
        levels[column] = max(levels[column], min(9, 10 * weight // highest))
    shown = 0
    line = ""
    for level in levels:
        shown = level if level >= 0 else shown
        line += str(shown)
    return line


def as_json(footprint: Footprint) -> dict[str, Any]:
    """Bytes and copies by the number of workers."""
    return {
        "payload": footprint.payload,
        "unit": footprint.weighings[0].curve.unit,
        "rounds": footprint.rounds,
        "peaks": {str(w.workers): w.curve.peak for w in footprint.weighings},
        "idle": {str(w.workers): w.idle for w in footprint.weighings},
        "copies": {str(w.workers): round(w.copies, 3) for w in footprint.weighings},
    }


def mib(weight: int) -> str:
    return f"{weight / MIB:.0f} MiB"
