"""An `Outlook` as text, as JSON, and as a picture: measured here first, then what is predicted, by name."""

from __future__ import annotations

import textwrap
from typing import Any

from grader.outlook import Outlook
from grader.report import curve
from grader.report.trace_words import in_seconds
from grader.report.words import count
from grader.tracing.project import Projection

_WIDTH = 80


def as_text(outlook: Outlook) -> str:
    """Ends without a newline."""
    lines = ["Measured here, free of neighbours where the system tells:"]
    for one in outlook.measured:
        who = "serial" if one.workers == 1 else f"{one.workers} workers"
        gain = "" if one.speedup is None or one.workers == 1 else f", {one.speedup:.2f} times as fast"
        reach = outlook.reach.get(one.workers)
        lines.append(
            f"  {who:10} {in_seconds(one.seconds)} ({in_seconds(one.shortest)} to {in_seconds(one.longest)}, "
            f"{one.repeats} runs){gain}" + (f"; reach {reach:.2f}" if reach else "")
        )
    if outlook.fraction is not None and outlook.serial is not None:
        freed = (
            ""
            if outlook.freed is None
            else f" ({100 * outlook.freed:.0f} % where the reach stands for the workers)"
        )
        parts = ", ".join(f"{e:.2f} with {count(p, 'worker')}" for p, e in outlook.serial.fractions.items())
        said = (
            f"By Amdahl's law {100 * outlook.fraction:.0f} % of the work is parallel{freed}. Karp and Flatt's serial "
            f"part: {parts}. {outlook.serial.says}"
        )
        lines += textwrap.wrap(said, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    lines += ["", "Predicted, not measured:"]
    for projection in outlook.projections:
        more = outlook.scaled.get(projection.workers)
        same = (
            f"; or {more:.1f} times the work in the same time (Gustafson)"
            if more and not projection.refused
            else ""
        )
        lines += textwrap.wrap(
            f"{_in_words(projection)}{same}", _WIDTH, initial_indent="  ", subsequent_indent="    "
        )
    note = next((one.note for one in outlook.projections if one.note), "")
    return "\n".join([*lines, *textwrap.wrap(note, _WIDTH, initial_indent="  ", subsequent_indent="  ")])


def _in_words(one: Projection) -> str:
    if one.refused or one.seconds is None or one.low is None or one.high is None or one.speedup is None:
        return f"{one.workers} workers: not predicted. {one.refused}"
    between = f"{in_seconds(one.low)} to {in_seconds(one.high)}"
    speedups = f"{one.speedup:.2f} times as fast ({one.speedup_low:.2f} to {one.speedup_high:.2f})"
    shared = "" if one.shared is None else f"; {one.shared:.2f} at most where cores share as these do"
    return f"{one.workers} workers: {in_seconds(one.seconds)} ({between}), {speedups} on cores of their own{shared}"


def as_json(outlook: Outlook) -> dict[str, Any]:
    return {
        "measured": [
            {
                "workers": one.workers,
                "seconds": one.seconds,
                "shortest": one.shortest,
                "longest": one.longest,
                "runs": one.repeats,
                "speedup": one.speedup,
                "reach": outlook.reach.get(one.workers),
            }
            for one in outlook.measured
        ],
        "parallel_fraction": outlook.fraction,
        "parallel_fraction_by_reach": outlook.freed,
        "karp_flatt": {}
        if outlook.serial is None
        else {str(p): e for p, e in outlook.serial.fractions.items()},
        "gustafson": {str(p): more for p, more in outlook.scaled.items()},
        "predicted": [
            {
                "workers": one.workers,
                "seconds": one.seconds,
                "low": one.low,
                "high": one.high,
                "speedup": one.speedup,
                "speedup_low": one.speedup_low,
                "speedup_high": one.speedup_high,
                "speedup_shared": one.shared,
                "refused": one.refused,
                "model": one.model,
            }
            for one in outlook.projections
        ],
    }


def picture(outlook: Outlook, prefix: str) -> str:
    """The speedups over the workers, with Amdahl's curve; nothing where there is no curve."""
    if outlook.fraction is None or outlook.low is None or outlook.high is None:
        return ""
    points = [(one.workers, one.speedup) for one in outlook.measured if one.speedup is not None]
    upto = max([one.workers for one in outlook.projections if not one.refused] or [points[-1][0]])
    reach = outlook.reach.get(points[-1][0])
    return curve.picture(points, outlook.fraction, (outlook.low, outlook.high), reach, upto, prefix)
