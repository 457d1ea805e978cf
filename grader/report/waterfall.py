"""The bill of a parallel run as two inline SVGs: from k workers down to the speedup, and where the seconds went.

In both, each bar begins where the one above it ends. Readable without telling colours apart: what is lost is hatched
one way, what is gained the other way, and each bar's figure stands beside it. Both axes start at zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.report.plot import PARALLEL_COLOUR, SERIAL_COLOUR
from grader.report.svg import INK, SIZE, draw_svg
from grader.report.trace_words import (
    in_seconds,
    levels,
    part,
    parts_of,
    seconds_in_words,
    share_of,
    waterfall_in_words,
    why_unknown,
)
from grader.tracing.bill import Bill

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAINED_COLOUR = "#00875f"  # contrast with white and with #111111 is at least 3:1

_ROOM = 1.55  # the axis against the longest bar: figures stand to the right of it
_FEWEST, _USUAL = 5, 7  # rows that the usual height is divided into at least, and has room for


@dataclass(frozen=True)
class Bar:
    """One row: from `start` to `end`, what it is (`left`, `lost`, `gained` or `none`), and the figure beside it."""

    name: str
    start: float
    end: float
    kind: str
    figure: str


STYLES: dict[str, dict[str, Any]] = {
    "left": {"color": PARALLEL_COLOUR, "hatch": None},
    "lost": {"color": SERIAL_COLOUR, "hatch": "////"},
    "gained": {"color": GAINED_COLOUR, "hatch": "\\\\\\\\"},
}


def pictures(bill: Bill, prefix: str) -> list[str]:
    """Two SVGs, the factors and the seconds; `prefix` starts every identifier in them."""
    return [
        draw_svg(lambda axes: _draw_factors(axes, bill), waterfall_in_words(bill), f"{prefix}f", 3),
        draw_svg(
            lambda axes: _draw_seconds(axes, bill), seconds_in_words(bill), f"{prefix}s", 2, _size(bill)
        ),
    ]


def _size(bill: Bill) -> tuple[float, float]:
    return SIZE[0], SIZE[1] + 0.22 * max(0, len(parts_of(bill)) - _USUAL)


def factors(bill: Bill) -> list[Bar]:
    """The rows of the waterfall, from k to the speedup, or to where the bill ends."""
    left = float(bill.workers)
    rows = [Bar("workers", 0.0, left, "left", f"{bill.workers}")]
    for name, factor, after in levels(bill):
        kind = "lost" if factor <= 1 else "gained"
        rows.append(Bar(name, left, after, kind, f"x {factor:.2f}"))
        left = after
    if bill.scaling is None:
        rows += [
            Bar("so far", 0.0, left, "left", f"{left:.2f}"),
            Bar("scaling", left, left, "none", "not known"),
        ]
    else:
        rows.append(Bar("speedup", 0.0, left, "left", f"{left:.2f}"))
    return rows


def seconds(bill: Bill) -> list[Bar]:
    """The rows of the seconds: each part begins where the one before it ends, and the last ends at the wall time."""
    at, rows = 0.0, []
    for name, value in parts_of(bill):
        kind = "gained" if value < 0 else "left" if name == part("work") else "lost"
        gained = " gained" if value < 0 else ""
        figure = f"{in_seconds(abs(value))}{gained} ({share_of(abs(value), bill.wall)})"
        rows.append(Bar(name, at, at + value, kind, figure))
        at += value
    return rows


def _draw_factors(axes: Axes, bill: Bill) -> None:
    rows = factors(bill)
    _draw_rows(axes, rows, {"left": "times faster", "lost": "lost", "gained": "gained"})
    axes.set_xlabel(
        "times faster than the serial run" if bill.scaling is not None else f"ends early: {why_unknown(bill)}"
    )
    speedup = f"a speedup of {rows[-1].end:.2f}"
    end = speedup if bill.scaling is not None else f"{rows[-1].end:.2f}, before the scaling"
    axes.set_title(f"From {bill.workers} {'worker' if bill.workers == 1 else 'workers'} to {end}", loc="left")


def _draw_seconds(axes: Axes, bill: Bill) -> None:
    _draw_rows(axes, seconds(bill), {"left": "work", "lost": "lost", "gained": "gained"}, aligned=True)
    axes.axvline(
        bill.wall, color=INK, linewidth=1.4, linestyle=(0, (5, 2)), label=f"{in_seconds(bill.wall)}: measured"
    )
    axes.set_xlabel("seconds, added up from the top")
    axes.set_title(f"Where the {in_seconds(bill.wall)} went", loc="left")


def _draw_rows(axes: Axes, rows: Sequence[Bar], labels: dict[str, str], aligned: bool = False) -> None:
    """The rows from the top down, thin lines from each to the next, and to the right of them, or `aligned` to the
    right of all, the figures.
    """
    for kind, label in labels.items():
        mine = [(n, row) for n, row in enumerate(rows) if row.kind == kind]
        if mine:
            axes.barh(
                [n for n, _ in mine],
                [row.end - row.start for _, row in mine],
                left=[row.start for _, row in mine],
                height=0.66,
                edgecolor=INK,
                linewidth=0.0,
                label=label,
                **STYLES[kind],
            )
    for n, row in enumerate(rows[:-1]):
        axes.plot([row.end] * 2, [n - 0.33, n + 1.33], color=INK, linewidth=0.7)
    most = max([*(max(row.start, row.end) for row in rows), 0.0]) or 1.0
    for n, row in enumerate(rows):
        at = most if aligned else max(row.start, row.end)
        axes.text(at + 0.03 * most, n, row.figure, va="center")
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(len(rows), _FEWEST) - 0.4, -0.6)
    axes.set_xlim(0, _ROOM * most)
