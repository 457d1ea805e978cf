"""The speedup over the number of workers as an inline SVG: what was measured, and what Amdahl's law makes of it.

Readable without telling colours apart: measured points are markers, the curve is solid as far as there are points
and dashed where it is predicted, and each straight line has dashes of its own. Both axes start where a run without
gain does: one worker, and zero times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from grader.report.plot import PARALLEL_COLOUR, SERIAL_COLOUR
from grader.report.svg import INK, draw_svg
from grader.report.trace_words import percent
from grader.report.words import count, figure, finite

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Numbers = NDArray[np.float64]

_POINTS = 120  # of a curve
_HEADROOM = 1.15


@dataclass(frozen=True)
class Curve:
    """What is drawn: points (workers, speedup), the parallel fraction with its interval (each 0 to 1), the machine's
    reach, and the number of workers up to which the curve goes.
    """

    measured: tuple[tuple[int, float], ...]
    fraction: float
    low: float
    high: float
    reach: float | None
    upto: int

    @property
    def last(self) -> int:
        """The largest number of workers that was measured; what is beyond it is predicted."""
        return max((workers for workers, _ in self.measured), default=1)


def amdahl(fraction: float, workers: Numbers | float) -> Numbers:
    """S(k) = 1 / (1 - f + f / k): Amdahl's law for the parallel fraction f and k workers."""
    return np.asarray(1.0 / (1.0 - fraction + fraction / np.asarray(workers, dtype=np.float64)))


def picture(
    measured: Sequence[tuple[int, float]],
    fraction: float,
    interval: tuple[float, float],
    reach: float | None,
    upto: int,
    prefix: str,
) -> str:
    """The SVG; `prefix` starts every identifier in it. Points that aren't finite are left out."""
    curve = _curve(measured, fraction, interval, reach, upto)
    return draw_svg(lambda axes: _draw(axes, curve), _in_words(curve), prefix, 2)


def in_words(
    measured: Sequence[tuple[int, float]],
    fraction: float,
    interval: tuple[float, float],
    reach: float | None,
    upto: int,
) -> str:
    """The text alternative of the picture."""
    return _in_words(_curve(measured, fraction, interval, reach, upto))


def _curve(
    measured: Sequence[tuple[int, float]],
    fraction: float,
    interval: tuple[float, float],
    reach: float | None,
    upto: int,
) -> Curve:
    points = tuple(sorted((int(k), float(s)) for k, s in measured if finite(s) is not None and k >= 1))
    middle = _share(fraction, 0.0)
    low, high = sorted((_share(interval[0], 0.0), _share(interval[1], 1.0)))
    furthest = max([2, upto, *(k for k, _ in points)])
    return Curve(points, middle, min(low, middle), max(high, middle), finite(reach), furthest)


def _share(value: float, otherwise: float) -> float:
    known = finite(value)
    return otherwise if known is None else min(1.0, max(0.0, known))


def _in_words(curve: Curve) -> str:
    points = ", ".join(f"{s:.2f} with {count(k, 'worker')}" for k, s in curve.measured)
    said = [
        f"Plot of the speedup over the number of workers, from 1 to {curve.upto}.",
        f"Measured: {points}." if points else "Nothing was measured.",
        f"Amdahl's curve is for {_fraction(curve)}; with {curve.upto} workers it is at {_at_end(curve)}"
        + (", which is predicted, not measured." if curve.upto > curve.last else "."),
    ]
    if curve.reach is not None:
        said.append(f"The reach of this machine is {figure(curve.reach)}.")
    return " ".join(said)


def _fraction(curve: Curve) -> str:
    return f"a parallel part of {percent(curve.fraction)} (interval {percent(curve.low)} to {percent(curve.high)})"


def _at_end(curve: Curve) -> str:
    middle, low, high = (float(amdahl(f, curve.upto)) for f in (curve.fraction, curve.low, curve.high))
    return f"{middle:.2f} (interval {low:.2f} to {high:.2f})"


def _draw(axes: Axes, curve: Curve) -> None:
    from matplotlib.ticker import MaxNLocator

    top = _draw_curve(axes, curve)
    axes.plot(
        [1, curve.upto],
        [1, curve.upto],
        color=INK,
        linewidth=0.9,
        linestyle=(0, (1, 2)),
        label="ideal: no loss",
    )
    if curve.reach is not None:
        axes.axhline(
            curve.reach,
            color=INK,
            linewidth=1.2,
            linestyle=(0, (8, 2, 1, 2)),
            label=f"{curve.reach:.2f}: machine's reach",
        )
    if curve.measured:
        axes.plot(
            [k for k, _ in curve.measured],
            [s for _, s in curve.measured],
            linestyle="",
            marker="D",
            color=SERIAL_COLOUR,
            clip_on=False,
            label="measured",
        )
    heights = [top, *(s for _, s in curve.measured), curve.reach or 0.0]
    axes.set_ylim(0, _HEADROOM * max(heights))
    axes.set_xlim(max(0.5, 1 - 0.02 * curve.upto), 1.02 * curve.upto)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlabel("workers")
    axes.set_ylabel("speedup (serial time / parallel time)")
    axes.set_title("How far more workers take it", loc="left")


def _draw_curve(axes: Axes, curve: Curve) -> float:
    """Amdahl's curve, solid as far as it was measured and dashed beyond, with its band; returns the band's top."""
    workers = np.linspace(1.0, curve.upto, _POINTS)
    low, high = amdahl(curve.low, workers), amdahl(curve.high, workers)
    band = axes.fill_between(workers, low, high, label="its interval")
    band.set(facecolor=(PARALLEL_COLOUR, 0.18), edgecolor=PARALLEL_COLOUR, linewidth=0.8, linestyle="--")
    for start, end, dashes, label in (
        (1, curve.last, "solid", f"Amdahl's law, {percent(curve.fraction)} parallel"),
        (curve.last, curve.upto, (0, (5, 2)), f"predicted beyond {count(curve.last, 'worker')}"),
    ):
        if end > start:
            piece = np.linspace(start, end, _POINTS)
            axes.plot(
                piece,
                amdahl(curve.fraction, piece),
                color=PARALLEL_COLOUR,
                linewidth=1.8,
                linestyle=dashes,
                label=label,
            )
    return float(high[-1])
