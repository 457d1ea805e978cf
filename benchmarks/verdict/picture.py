"""The operating curves as a picture: what each rule says of code that reaches a share g of what can be gained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from benchmarks.verdict.cells import BESIDE, Tally
from benchmarks.verdict.simulate import BARS

#: Okabe and Ito's colours, which colour-blind readers can tell apart; the lines differ as well.
_OURS = ("#0072B2", "-", 2.4)
_WALL = ("#56B4E9", "--", 2.0)
_BEST = ("#D55E00", "-.", 1.6)
_CS149 = ("#000000", ":", 1.8)
_NAMES = {"quiet": "nobody else", "one busy": "one busy neighbour", "two busy": "two busy neighbours"}


def draw(curves: Sequence[Tally], path: Path) -> None:
    """Two rows (passes, fails), a column for each kind of neighbour."""
    figure, rows = plt.subplots(
        2, len(BESIDE), figsize=(11, 6.4), sharex=True, sharey=True, layout="constrained"
    )
    for column, (beside, *_) in enumerate(BESIDE):
        here = [t for t in curves if t.beside == beside]
        _passes(rows[0][column], here)
        _fails(rows[1][column], here)
        rows[0][column].set_title(f"Beside {_NAMES[beside]}", fontsize=11)
        rows[1][column].set_xlabel("true share g of the reachable gain")
    rows[0][0].set_ylabel("probability of a pass\n(`met`, provisional ones included)")
    rows[1][0].set_ylabel("probability of a fail\n(`not yet`)")
    lines, names = rows[0][0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside lower center", ncols=len(names), frameon=False)
    runs = min((t.runs for t in curves), default=0)
    figure.suptitle(
        f"Simulated, 2 cores, {runs} runs a point. The bars: `met` above {BARS.f_pass:g}, `not yet` below "
        f"{BARS.f_fail:g}; in between (grey) a rule may shrug",
        fontsize=10,
    )
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _passes(axes: Axes, here: Sequence[Tally]) -> None:
    for clock, style, name in (("free", _OURS, "Corewise, Linux"), ("wall", _WALL, "Corewise, elsewhere")):
        its = _sorted(here, clock)
        _line(axes, its, [(t.met + t.provisional) / t.runs for t in its], style, name)
    free = [t for t in _sorted(here, "free") if t.peers]
    _line(
        axes, free, [t.peers.best_of_3 / t.peers.runs for t in free if t.peers], _BEST, "best of 3, S >= 1.5"
    )
    _line(
        axes,
        free,
        [t.peers.cs149 / t.peers.runs for t in free if t.peers],
        _CS149,
        "CS149, 1.2 x the reference",
    )
    _furnish(axes)


def _fails(axes: Axes, here: Sequence[Tally]) -> None:
    for clock, style in (("free", _OURS), ("wall", _WALL)):
        its = _sorted(here, clock)
        _line(axes, its, [t.not_yet / t.runs for t in its], style)
    free = [t for t in _sorted(here, "free") if t.peers]
    _line(axes, free, [1 - t.peers.best_of_3 / t.peers.runs for t in free if t.peers], _BEST)
    _line(axes, free, [1 - t.peers.cs149 / t.peers.runs for t in free if t.peers], _CS149)
    _furnish(axes)


def _sorted(here: Sequence[Tally], clock: str) -> list[Tally]:
    return sorted((t for t in here if t.clock == clock), key=_gain)


def _gain(tally: Tally) -> float:
    return float(tally.program.removeprefix("gain "))


def _line(
    axes: Axes,
    tallies: Sequence[Tally],
    shares: Sequence[float],
    style: tuple[str, str, float],
    name: str = "",
) -> None:
    color, line, width = style
    axes.plot(
        [_gain(t) for t in tallies], shares, line, color=color, lw=width, label=name or None, clip_on=False
    )


def _furnish(axes: Axes) -> None:
    """Limits, and the zone in which neither answer is wrong."""
    axes.axvspan(BARS.f_fail, BARS.f_pass, color="#999999", alpha=0.18, lw=0)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
