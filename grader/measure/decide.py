"""Blocks in, decision out: the sequential test, the CPU channel, and the named causes. Pure.

settle(blocks, ...)     after each block: sure by now?
conclude(blocks, ...)   when the budget is spent: the CPU channel, or "cannot tell" with its cause
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grader.measure.stats import evidence, gain, interval, median
from grader.model import Bars, Block, Clock, Estimate, Outcome

#: One process that used this share of all CPU seconds, or more, did the work alone.
ONE_BUSY = 0.9
#: Blocks that must all show one busy process before that settles it.
_ONE_BUSY_BLOCKS = 4
#: Blocks that must all be slower than serial by CPU seconds, which neighbours hardly move, to settle it.
_SLOWER_BLOCKS = 4
#: From this many blocks on, a measurement in which most are void is given up early.
_VOID_BLOCKS, _VOID_SHARE = 12, 0.8


@dataclass(frozen=True)
class Decision:
    """What the blocks say. `cause` is a stable name; `beforehand`: the cause was there before the submission ran."""

    outcome: Outcome
    cause: str
    provisional: bool = False
    clock: Clock = "wall"
    beforehand: bool = False


def settle(blocks: Sequence[Block], bars: Bars, usable: float) -> Decision | None:
    """A sure decision from the blocks so far, else None; never sure because of noise.

    The order of serial and parallel in each block is a coin flip and the bars depend on calibration alone, so
    serial code ever gets `met` with probability <= `bars.alpha` (grader.measure.stats).
    """
    if len(blocks) >= _ONE_BUSY_BLOCKS and all(one_busy(block) for block in blocks):
        clean = [b.speedup for b in blocks if not b.is_void(bars.r_min)]
        faster = median(clean) >= pass_bar(_reach(blocks, bars), bars) if clean else False
        return Decision("not yet", "faster without processes" if faster else "one busy process")
    wins = losses = below = above = 0
    clean_blocks: list[Block] = []
    for block in blocks:
        if block.is_void(bars.r_min):
            continue
        clean_blocks.append(block)
        reach = median([b.reach for b in clean_blocks])
        high, low = pass_bar(reach, bars), fail_bar(reach, bars)
        wins += block.speedup > high
        losses += block.speedup < 1 / high
        below += block.speedup < low
        above += block.speedup >= low
    if len(blocks) >= _SLOWER_BLOCKS and all(cpu_speedup(block, usable) < 1 for block in blocks):
        return Decision("not yet", "not parallel enough", clock="cpu")
    if not clean_blocks:
        return None
    speedup = median([b.speedup for b in clean_blocks])
    if (
        evidence(wins, losses) >= 1 / bars.alpha
        and len(clean_blocks) >= bars.min_blocks
        and speedup >= pass_bar(_reach(blocks, bars), bars)
        and not one_busy_median(blocks)
    ):
        return Decision("met", "clear gain")
    if evidence(below, above) >= 1 / bars.alpha_fail:
        return Decision("not yet", "gain too small")
    return None


def hopeless(blocks: Sequence[Block], bars: Bars) -> bool:
    """Most blocks are void: more of them would not help."""
    void = sum(block.is_void(bars.r_min) for block in blocks)
    return len(blocks) >= _VOID_BLOCKS and void >= _VOID_SHARE * len(blocks)


def conclude(
    blocks: Sequence[Block], bars: Bars, workers: int, usable: float, before: Sequence[float]
) -> Decision:
    """The decision when time is up: sure if the test says so, else what CPU seconds say, else `cannot tell`.

    `before` holds the reach measured before any code of the submission ran. CPU seconds ignore sleeping, locks and
    I/O, so they give a provisional pass at best; serial code is never `cannot tell`.
    """
    if decision := settle(blocks, bars, usable):
        return decision
    if blocks and one_busy_median(blocks):
        return Decision("not yet", "one busy process")
    loaded = bool(before) and median(before) < bars.r_min
    if not blocks:
        return Decision("cannot tell", "load" if loaded else "too few blocks", beforehand=loaded)
    seen = [s for block in blocks if not math.isnan(s := cpu_speedup(block, usable))]
    projected = median(seen)
    # CPU seconds hardly feel the neighbours, but the reach does: so a pass needs the bar of a quiet machine.
    reach = _reach(blocks, bars)
    if math.isnan(reach):
        reach = median([block.reach for block in blocks])
    quiet = max(reach, min(float(workers), usable))
    if projected < 1:  # slower than serial even with the cores to itself
        return Decision("not yet", "not parallel enough", clock="cpu")
    # CPU seconds don't show whether processes ran side by side. Where the clock says they gained nothing, they didn't.
    clean = [block.speedup for block in blocks if not block.is_void(bars.r_min)]
    denied = bool(clean) and interval(clean)[1] < fail_bar(reach, bars)
    if not denied and len(seen) >= bars.min_blocks and projected >= pass_bar(quiet, bars):
        return Decision("met", "clear gain by CPU seconds", provisional=True, clock="cpu")
    void = sum(block.is_void(bars.r_min) for block in blocks)
    if loaded or 2 * void >= len(blocks):
        return Decision("cannot tell", "load", beforehand=loaded)
    enough = len(blocks) - void >= bars.min_blocks
    return Decision("cannot tell", "close to the bar" if enough else "too few blocks")


def estimate(
    blocks: Sequence[Block], bars: Bars, usable: float, seconds: float, clock: Clock
) -> Estimate | None:
    """Median speedup, interval, reach and gain of the clean blocks by that clock; None of no blocks."""
    clean = [block for block in blocks if not block.is_void(bars.r_min)]
    shown = clean or list(blocks)
    if not shown:
        return None
    if clock == "cpu":  # CPU seconds count in void blocks too
        ratios = [s for b in blocks if not math.isnan(s := cpu_speedup(b, usable))]
    else:
        ratios = [b.speedup for b in shown]
    speedup, reach = median(ratios), median([b.reach for b in shown])
    low, high = interval(ratios)
    return Estimate(
        speedup=speedup,
        low=low,
        high=high,
        reach=reach,
        gain=gain(speedup, reach) if clean else math.nan,
        blocks=len(clean),
        void=len(blocks) - len(clean),
        seconds=seconds,
        clock=clock,
    )


def pass_bar(reach: float, bars: Bars) -> float:
    """The speedup from which a block counts for `met`: max(floor, 1 + f_pass (R - 1))."""
    return max(bars.floor, 1 + bars.f_pass * (reach - 1))


def fail_bar(reach: float, bars: Bars) -> float:
    """The speedup below which a block counts for `not yet`: 1 + f_fail (R - 1)."""
    return 1 + bars.f_fail * (reach - 1)


def one_busy(block: Block) -> bool:
    """Did one process use nearly all CPU seconds of the parallel trial?"""
    return busiest_share(block.cpu_parallel) >= ONE_BUSY


def one_busy_median(blocks: Sequence[Block]) -> bool:
    return median([busiest_share(block.cpu_parallel) for block in blocks]) >= ONE_BUSY


def busiest_share(cpu: Sequence[float]) -> float:
    """The busiest process's share of all CPU seconds (0 to 1); 0 where none were seen."""
    return max(cpu) / sum(cpu) if cpu and sum(cpu) > 0 else 0.0


def cpu_speedup(block: Block, usable: float) -> float:
    """S_cpu = CPU_serial / (parent CPU + largest worker CPU), never better than CPU_serial / (U / C).

    Without the cap, more processes than cores would inflate it. NaN where no CPU seconds were seen.
    """
    if sum(block.cpu_parallel) <= 0 or sum(block.cpu_serial) <= 0:
        return math.nan
    parent, workers = block.cpu_parallel[0], block.cpu_parallel[1:]
    span = parent + max(workers, default=0.0)
    work = sum(block.cpu_parallel) / max(1.0, usable)
    return sum(block.cpu_serial) / max(span, work)


def _reach(blocks: Sequence[Block], bars: Bars) -> float:
    return median([block.reach for block in blocks if not block.is_void(bars.r_min)])
