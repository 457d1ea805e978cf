"""The picture of a measured speedup: two inline SVGs, one of the blocks' times, one of their speedups.

Readable without telling colours apart: markers and line styles differ, void blocks are hollow, each line's
height stands in the legend. Times start at zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.measure import decide
from grader.model import Verdict
from grader.report.svg import INK, draw_svg
from grader.report.words import (
    bar_to_pass,
    count,
    figure,
    finite,
    half_bar,
    interval_in_words,
    is_void,
    lower_bar,
    speedup_of,
    typical_seconds,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Contrast of each with white and with JupyterLab's dark #111111 is at least 3:1.
SERIAL_COLOUR = "#bf5000"
PARALLEL_COLOUR = "#1f6fd0"


TIMES = {"free": "time free of neighbours", "wall": "time", "cpu": "time"}


@dataclass(frozen=True)
class Dots:
    """One value for each block that has one: the block's number (from 1), the value, whether it is void."""

    numbers: list[int]
    values: list[float]
    void: list[bool]

    def only(self, void: bool) -> tuple[list[int], list[float]]:
        kept = [
            (n, v)
            for n, v, hollow in zip(self.numbers, self.values, self.void, strict=True)
            if hollow == void
        ]
        return [n for n, _ in kept], [v for _, v in kept]


def pictures(verdict: Verdict, prefix: str) -> list[str]:
    """Two SVGs: the blocks' times and their speedups; none where no block has a speedup.

    `prefix` starts every identifier in them: give each picture on a page its own. The same verdict and
    prefix give the same text.
    """
    if not any(speedup_of(block) is not None for block in verdict.blocks):
        return []
    return [
        draw_svg(lambda axes: _draw_times(axes, verdict), times_in_words(verdict), f"{prefix}t", 3),
        draw_svg(lambda axes: _draw_speedups(axes, verdict), speedups_in_words(verdict), f"{prefix}s", 2),
    ]


def times_in_words(verdict: Verdict) -> str:
    """The text alternative of the plot of times."""
    said = f"Plot of times: the serial and parallel seconds of {count(len(verdict.blocks), 'block')}."
    typical = typical_seconds(verdict)
    return (
        said
        if typical is None
        else f"{said} Medians: serial {typical[0]:.3g} s, parallel {typical[1]:.3g} s."
    )


def speedups_in_words(verdict: Verdict) -> str:
    """The text alternative of the plot of speedups."""
    said = f"Plot of speedups of {count(len(verdict.blocks), 'block')}."
    estimate = verdict.estimate
    if estimate is None:
        return said
    lines = f"median {figure(estimate.speedup)}, {interval_in_words(estimate.low, estimate.high)}"
    bar, lower = bar_to_pass(verdict.bars, estimate.reach), lower_bar(verdict.bars, estimate.reach)
    bars = "" if bar is None else f", bar to pass {figure(bar)}, not yet surely below {figure(lower)}"
    half = half_bar(verdict.bars, estimate.reach)
    bars += "" if half is None else f", bar for half of the points {figure(half)}"
    return f"{said} Lines: {lines}{bars}, reach {figure(estimate.reach)}, no gain 1.00."


def _dots(verdict: Verdict, value: Callable[..., float | None]) -> Dots:
    found = [(n, value(b), is_void(b, verdict.bars)) for n, b in enumerate(verdict.blocks, 1)]
    kept = [(n, v, hollow) for n, v, hollow in found if v is not None]
    return Dots([n for n, _, _ in kept], [v for _, v, _ in kept], [hollow for _, _, hollow in kept])


def _scatter(axes: Axes, dots: Dots, marker: str, colour: str, label: str) -> None:
    """Clean blocks as filled markers, void ones hollow."""
    axes.plot(*dots.only(False), linestyle="", marker=marker, color=colour, label=label)
    axes.plot(*dots.only(True), linestyle="", marker=marker, markeredgecolor=colour, markerfacecolor="none")


def _block_axis(axes: Axes, blocks: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("block, in the order measured")
    axes.set_xlim(0.4, blocks + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _hollow_key(axes: Axes, dots: Dots) -> None:
    """An entry of the legend for void blocks, where there are any."""
    if any(dots.void):
        axes.plot(
            [], [], linestyle="", marker="o", color=INK, markerfacecolor="none", label="hollow: void block"
        )


def _draw_times(axes: Axes, verdict: Verdict) -> None:
    serial = _dots(verdict, lambda block: finite(block.t_serial))
    parallel = _dots(verdict, lambda block: finite(block.t_parallel))
    for number, block in enumerate(verdict.blocks, 1):
        if speedup_of(block) is not None:
            axes.plot([number] * 2, [block.t_serial, block.t_parallel], color=INK, linewidth=0.6)
    _scatter(axes, serial, "s", SERIAL_COLOUR, "serial")
    _scatter(axes, parallel, "o", PARALLEL_COLOUR, "parallel")
    _hollow_key(axes, serial)
    _block_axis(axes, len(verdict.blocks))
    axes.set_ylim(0, 1.1 * max([*serial.values, *parallel.values]))
    axes.set_ylabel(f"{TIMES[decide.clock_of(verdict.blocks)]} (seconds)")
    axes.set_title("How long each run took: lower is better", loc="left")


def _draw_speedups(axes: Axes, verdict: Verdict) -> None:
    dots = _dots(verdict, speedup_of)
    _scatter(axes, dots, "D", PARALLEL_COLOUR, "speedup of a block")
    _hollow_key(axes, dots)
    lines = _draw_lines(axes, verdict)
    bottom, top = min([1.0, *lines, *dots.values]), max([1.0, *lines, *dots.values])
    edge = 0.08 * max(top - bottom, 0.5)
    axes.set_ylim(max(0.0, bottom - edge), top + edge)
    _block_axis(axes, len(verdict.blocks))
    axes.set_ylabel("speedup (serial time / parallel time)")
    axes.set_title("How many times faster: higher is better", loc="left")


def _draw_lines(axes: Axes, verdict: Verdict) -> list[float]:
    """The median with its interval, the reach, both bars and 1.0; returns their heights."""
    axes.axhline(1.0, color=INK, linewidth=1.0, linestyle=(0, (1, 2)), label="1.00: no gain")
    estimate = verdict.estimate
    if estimate is None:
        return []
    median = finite(estimate.speedup)
    reach = finite(estimate.reach)
    bar, lower = bar_to_pass(verdict.bars, reach), lower_bar(verdict.bars, reach)
    half = half_bar(verdict.bars, reach)
    by_cpu = " (by CPU)" if estimate.clock == "cpu" else ""
    drawn: tuple[tuple[float | None, str, str, Any, float], ...] = (
        (reach, "reach of this machine", INK, (0, (8, 2, 1, 2)), 1.2),
        (bar, "bar to pass", INK, (0, (5, 2)), 1.6),
        (lower, "surely below: not yet", INK, (0, (2, 2)), 0.9),
        (half, "bar for half the points", INK, (0, (1, 3)), 0.9),
        (median, f"median{by_cpu}", PARALLEL_COLOUR, "solid", 1.8),
    )
    for height, name, colour, dashes, width in drawn:
        if height is not None:
            axes.axhline(
                height, color=colour, linestyle=dashes, linewidth=width, label=f"{height:.2f}: {name}"
            )
    if median is not None:
        _draw_band(axes, estimate.low, estimate.high, median)
    return [height for height, *_ in drawn if height is not None]


def _draw_band(axes: Axes, low: float, high: float, median: float) -> None:
    """The interval; a side that is still open is drawn to far beyond the picture's edge, two are not drawn."""
    bottom, top = finite(low) or 0.0, finite(high)
    if bottom <= 0 and top is None:
        return
    span = axes.axhspan(bottom, 100 * median if top is None else top, label="interval of the median")
    span.set(facecolor=(PARALLEL_COLOUR, 0.18), edgecolor=PARALLEL_COLOUR, linewidth=0.8)
