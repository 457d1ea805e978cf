"""The words and figures of a report, shared by its forms. Nothing is measured or decided here."""

from __future__ import annotations

import math
import re
from statistics import median

from grader.measure import bars as standing
from grader.model import Bars, Block, Estimate, MachineFacts, Verdict

SYMBOLS = {"met": "✓", "not yet": "✗", "cannot tell": "?"}
CLOCKS = {"free": "time free of neighbours", "wall": "the wall clock", "cpu": "CPU seconds, a projection"}
LONGEST = 4000  # characters of one text; a learner's program may print without end

# Control characters (a terminal would obey them, HTML forbids them) but for the tab and the line's end.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: object) -> str:
    """`text` as it can safely be shown or stored: no control characters, valid Unicode, not endless."""
    whole = str(text).encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    whole = _CONTROL.sub("", whole).strip("\n")
    return whole if len(whole) <= LONGEST else whole[:LONGEST] + " ... (cut)"


def finite(value: float | None) -> float | None:
    """`value` as a plain float, or None where it is missing, NaN or infinite."""
    return float(value) if value is not None and math.isfinite(value) else None


def figure(value: float | None, digits: int = 2) -> str:
    """`value` with a fixed number of digits, or "not known"."""
    known = finite(value)
    return "not known" if known is None else f"{known:.{digits}f}"


def clamp_points(points: float, max_points: float) -> float:
    """Points as nbgrader may read them: finite, from 0 to `max_points`. What isn't a number is 0."""
    most = max(0.0, finite(max_points) or 0.0)
    return min(most, max(0.0, finite(points) or 0.0))


def points_of(verdict: Verdict) -> float:
    return clamp_points(verdict.points, verdict.max_points)


def points_in_words(verdict: Verdict) -> str:
    """Such as "4 of 4 points"."""
    most = clamp_points(verdict.max_points, verdict.max_points)
    return f"{points_of(verdict):g} of {most:g} {'point' if most == 1 else 'points'}"


def outcome_in_words(verdict: Verdict) -> str:
    """Such as "met (provisional, preview)"."""
    notes = [word for word in ("provisional", "preview") if getattr(verdict, word)]
    return verdict.outcome + (f" ({', '.join(notes)})" if notes else "")


def notes(verdict: Verdict) -> list[str]:
    """What `preview` and `provisional` mean, a sentence each."""
    said = []
    if verdict.provisional:
        said.append(
            "Provisional: this clock alone can't settle it, so it can change when it is measured again."
        )
    if verdict.preview:
        said.append("Preview: a short look, not the full measurement.")
    return said


def speedup_of(block: Block) -> float | None:
    """Serial over parallel seconds; None where a time is missing, zero or not a number."""
    serial, parallel = finite(block.t_serial), finite(block.t_parallel)
    if serial is None or parallel is None or serial <= 0 or parallel <= 0:
        return None
    return serial / parallel


def reach_of(block: Block) -> float | None:
    """The block's reach; None where a calibration is missing or not positive."""
    before, after = finite(block.reach_before), finite(block.reach_after)
    return None if before is None or after is None or before <= 0 or after <= 0 else block.reach


def is_void(block: Block, bars: Bars | None) -> bool:
    return bars is not None and block.is_void(bars.r_min)


def clean_blocks(verdict: Verdict) -> list[Block]:
    return [block for block in verdict.blocks if not is_void(block, verdict.bars)]


def clean_speedups(verdict: Verdict) -> list[float]:
    return [s for s in map(speedup_of, clean_blocks(verdict)) if s is not None]


def bar_to_pass(bars: Bars | None, reach: float | None) -> float | None:
    """max(floor, 1 + f_pass (R - 1)); None without bars or reach."""
    known = finite(reach)
    return None if bars is None or known is None else standing.pass_bar(known, bars)


def lower_bar(bars: Bars | None, reach: float | None) -> float | None:
    """1 + f_fail (R - 1); None without bars or reach."""
    known = finite(reach)
    return None if bars is None or known is None else standing.fail_bar(known, bars)


def half_bar(bars: Bars | None, reach: float | None) -> float | None:
    """The bar for half of the points; None without bars, reach or such a tier."""
    known = finite(reach)
    return None if bars is None or known is None else standing.half_bar(known, bars)


def interval_in_words(low: float, high: float) -> str:
    """An anytime interval is open on one side or both while there are few blocks."""
    bottom, top = finite(low), finite(high)
    if bottom is not None and bottom <= 0:
        bottom = None
    if bottom is None and top is None:
        return "its interval is still open: too few blocks"
    if bottom is None:
        return f"at most {figure(top)}"
    if top is None:
        return f"at least {figure(bottom)}"
    return f"interval {figure(bottom)} to {figure(top)}"


def cores_in_words(facts: MachineFacts | None) -> str:
    if facts is None:
        return ""
    whole = f" of the machine's {facts.machine}" if facts.machine != facts.usable else ""
    return f"{facts.usable:g} usable {'core' if facts.usable == 1 else 'cores'}{whole}"


def count(number: int, noun: str) -> str:
    """Such as "1 void block", "3 void blocks"."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def measured_in_words(estimate: Estimate, facts: MachineFacts | None) -> list[str]:
    """The estimate in two or three sentences: speedup and interval, reach and gain, how it was measured."""
    speedup = finite(estimate.speedup)
    if speedup is None:
        said = ["Median speedup: not known."]
    else:
        said = [f"Median speedup {speedup:.2f} ({interval_in_words(estimate.low, estimate.high)})."]
    if finite(estimate.reach) is not None:
        gain = finite(estimate.gain)
        share = "" if gain is None else f"; the speedup is {100 * gain:.0f} % of the reachable gain"
        said.append(f"Perfectly parallel work reached {estimate.reach:.2f} here{share}.")
    blocks = f"{count(estimate.blocks, 'clean block')}, {count(estimate.void, 'void block')}"
    took = finite(estimate.seconds)
    parts = [blocks]
    if took is not None:
        parts.append(f"measured in {took:.0f} s" if took >= 1 else f"measured in {took:.1f} s")
    parts.append(f"by {CLOCKS[estimate.clock]}")
    if facts is not None:
        parts.append(f"on {cores_in_words(facts)}")
    said.append(", ".join(parts) + ".")
    wall = finite(estimate.wall)
    if (
        estimate.clock == "free"
        and wall is not None
        and speedup is not None
        and abs(wall / speedup - 1) > 0.05
    ):
        said.append(f"The wall clock showed {wall:.2f}: other programs used the cores as well.")
    return said


def picture_in_words(verdict: Verdict) -> str:
    """What to see in the plot of a speedup: one to three sentences."""
    clean = clean_speedups(verdict)
    said = [_speedups_in_words(clean)]
    estimate = verdict.estimate if clean else None  # a median of void blocks is no result
    bar = bar_to_pass(verdict.bars, estimate.reach) if estimate else None
    middle = finite(estimate.speedup) if estimate else None
    if bar is not None and middle is not None:
        side = "above" if middle > bar else "at" if middle == bar else "below"
        said.append(f"The median, {middle:.2f}, is {side} the bar to pass, {bar:.2f}.")
    void = sum(is_void(block, verdict.bars) for block in verdict.blocks)
    if void and verdict.bars is not None:
        subject = "The void block says" if void == 1 else f"The {void} void blocks say"
        why = f"just then even perfectly parallel work reached less than {verdict.bars.r_min:g} here"
        said.append(f"{subject} nothing about the size of the gain: {why}.")
    return " ".join(said)


def _speedups_in_words(speedups: list[float]) -> str:
    if not speedups:
        return "There is no clean block."
    if len(speedups) == 1:
        return f"In the one clean block the speedup was {speedups[0]:.2f}."
    faster = sum(s > 1 for s in speedups)
    extremes = f"the speedups go from {min(speedups):.2f} to {max(speedups):.2f}"
    return f"The parallel run was the faster one in {faster} of {len(speedups)} clean blocks; {extremes}."


def typical_seconds(verdict: Verdict) -> tuple[float, float] | None:
    """Medians of the clean blocks' serial and parallel seconds; None without such a block."""
    counted = [b for b in clean_blocks(verdict) if speedup_of(b) is not None]
    if not counted:
        return None
    return median(b.t_serial for b in counted), median(b.t_parallel for b in counted)
