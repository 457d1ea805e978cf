"""Blocks in, decision out: the sequential test for each tier of points, the CPU channel, the named causes. Pure.

settle(blocks, ...)     after each bracket of blocks: sure by now?
conclude(blocks, ...)   when the budget is spent: what CPU seconds say, or "cannot tell" with its cause
how_sure(blocks, ...)   how far the test is, for the progress line
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grader.measure.bars import fail_bar, half_bar, pass_bar
from grader.measure.busy import cpu_speedup, one_busy, one_busy_median, slower
from grader.measure.stats import WIDE, RunningMedian, evidence, gain, interval, median
from grader.model import Bars, Block, Clock, Estimate, Outcome

#: Blocks that must all show one busy process before that settles it.
_ONE_BUSY_BLOCKS = 4
#: Blocks that must all be slower than serial by CPU seconds, which neighbours hardly move, to settle it.
_SLOWER_BLOCKS = 4
#: From this many blocks on, a measurement in which most are void is given up early. A calibration serves up to three of
#: them, and a bad half minute passes.
_VOID_BLOCKS, _VOID_SHARE = 24, 0.8
#: Clean blocks after which who surely misses the bar waits no longer for half of the points; and, whose median speedup
#: is surely below the bar by little, for the end of the time, if half of the points are sure or surely not earned.
_ENOUGH_BLOCKS = 24
#: Before the end, "surely below by little" has this part of alpha_fail: a few odd calibrations must not do.
_EARLIER = 0.01
#: So many more clean blocks must lie above a bar than not, before the gain counts as large enough.
_LEAD = 4
#: Sampling that saw less of the CPU seconds than this can't tell what neighbours took, where there were any (CPUs).
_SEEN, _OTHERS = 0.9, 0.1
#: CPU seconds beyond these many times those of the baseline are no price of being parallel.
_INFLATED = 1.5


@dataclass(frozen=True)
class Decision:
    """What the blocks say. `cause` is a stable name; `beforehand`: the cause was there before the submission ran.

    `share` is the part of the points (0 to 1) that is sure, whatever the outcome.
    """

    outcome: Outcome
    cause: str
    provisional: bool = False
    clock: Clock = "wall"
    beforehand: bool = False
    share: float = 0.0


@dataclass(frozen=True)
class Tier:
    """One bar's own test on the blocks: surely above it, surely too far below it, and how far each is (0 to 1)."""

    won: bool
    lost: bool
    to_win: float
    to_lose: float


def settle(blocks: Sequence[Block], bars: Bars, usable: float) -> Decision | None:
    """A sure decision from the blocks so far, else None; never sure because of noise.

    The order of serial and parallel in each block is a coin flip and the bars depend on calibration alone, so
    serial code ever gets points of a tier with probability <= `bars.alpha` (grader.measure.stats).
    """
    clock = clock_of(blocks)
    if len(blocks) >= _ONE_BUSY_BLOCKS and all(one_busy(block) for block in blocks):
        clean = _speedups(blocks, bars)
        faster = median(clean) >= pass_bar(_reach(blocks, bars), bars) if clean else False
        cause = "faster without processes" if faster else "one busy process"
        return Decision("not yet", cause, clock=clock)
    if len(blocks) >= _SLOWER_BLOCKS and all(slower(block, usable) for block in blocks):
        return Decision("not yet", "not parallel enough", clock="cpu")
    full, half = tiers(blocks, bars)
    alone = one_busy_median(blocks)
    if full.won and not alone and not inflated(blocks, bars):
        return Decision("met", "clear gain", clock=clock, share=1.0)
    enough = len(_speedups(blocks, bars)) >= _ENOUGH_BLOCKS
    below = enough and clock == "free" and _below_bar(blocks, bars) >= 1 / (_EARLIER * bars.alpha_fail)
    if (full.lost and enough) or ((full.lost or below) and (half.won or half.lost)):
        earned = 0.5 if half.won and not alone and not inflated(blocks, bars) else 0.0
        return Decision("not yet", "gain too small", clock=clock, share=earned)
    return None


def hopeless(blocks: Sequence[Block], bars: Bars) -> bool:
    """Most blocks are void: more of them would not help."""
    void = sum(block.is_void(bars.r_min) for block in blocks)
    return len(blocks) >= _VOID_BLOCKS and void >= _VOID_SHARE * len(blocks)


def conclude(
    blocks: Sequence[Block], bars: Bars, workers: int, usable: float, before: Sequence[float]
) -> Decision:
    """The decision when time is up: sure if the test says so, else what CPU seconds say, else `cannot tell`.

    `before` holds the reach measured before any code of the submission was timed. CPU seconds ignore sleeping, locks
    and I/O, so they give a provisional pass at best, and only where no better clock spoke; serial code is never
    `cannot tell`.
    """
    if decision := settle(blocks, bars, usable):
        return decision
    if blocks and one_busy_median(blocks):
        return Decision("not yet", "one busy process", clock=clock_of(blocks))
    clock = clock_of(blocks)
    loaded = bool(before) and median(before) < bars.r_min
    too_little = "little reach" if clock == "free" else "load"
    if not blocks:
        return Decision("cannot tell", too_little if loaded else "too few blocks", beforehand=loaded)
    if decision := _by_cpu_seconds(blocks, bars, workers, usable, clock):
        return decision
    full, half = tiers(blocks, bars)
    share = 0.5 if half.won and not inflated(blocks, bars) else 0.0
    if full.lost or (clock == "free" and _below_bar(blocks, bars) >= 1 / bars.alpha_fail):
        return Decision("not yet", "gain too small", clock=clock, share=share)
    void = sum(block.is_void(bars.r_min) for block in blocks)
    if 2 * void >= len(blocks):
        return Decision("cannot tell", too_little, clock=clock, beforehand=loaded, share=share)
    if 2 * sum(map(unsure, blocks)) >= len(blocks):
        return Decision("cannot tell", "short-lived workers", clock=clock, share=share)
    if full.won:
        return Decision("cannot tell", "work added beside neighbours", clock=clock, share=share)
    enough = len(blocks) - void >= bars.min_blocks
    return Decision(
        "cannot tell", "close to the bar" if enough else "too few blocks", clock=clock, share=share
    )


def _by_cpu_seconds(
    blocks: Sequence[Block], bars: Bars, workers: int, usable: float, clock: Clock
) -> Decision | None:
    """What CPU seconds alone can say: slower than serial; or, where the wall clock decides, a provisional pass."""
    seen = [s for block in blocks if not math.isnan(s := cpu_speedup(block, usable))]
    projected = median(seen)
    behind = sum(slower(block, usable) for block in blocks)
    if behind == len(blocks) or evidence(behind, len(blocks) - behind) >= 1 / bars.alpha:
        return Decision("not yet", "not parallel enough", clock="cpu")
    if clock == "free" or any(block.why_wall for block in blocks):
        return None  # who made the better clock useless gets nothing from the weaker one
    # CPU seconds hardly feel the neighbours, but the reach does: so a pass needs the bar of a quiet machine.
    reach = _reach(blocks, bars)
    if math.isnan(reach):
        reach = median([block.reach for block in blocks])
    quiet = max(reach, min(float(workers), usable))
    # CPU seconds don't show whether processes ran side by side. Where the clock says they gained nothing, they didn't.
    clean = _speedups(blocks, bars)
    denied = bool(clean) and interval(clean)[1] < fail_bar(reach, bars)
    sided = surely_faster(blocks, bars)
    if sided and not denied and len(seen) >= bars.min_blocks and projected >= pass_bar(quiet, bars):
        return Decision("met", "clear gain by CPU seconds", provisional=True, clock="cpu", share=1.0)
    return None


def tiers(blocks: Sequence[Block], bars: Bars) -> tuple[Tier, Tier]:
    """The tests of the bar for all points, and of that for half of them: lost from the start where the lab has none."""
    no_serial = _against_serial(blocks, bars)
    full = _tier(blocks, bars, bars.f_pass, bars.f_fail, no_serial)
    if bars.f_half is None:
        return full, Tier(won=False, lost=True, to_win=0.0, to_lose=1.0)
    return full, _tier(blocks, bars, bars.f_half, bars.f_half * bars.f_fail / bars.f_pass, no_serial)


def _tier(blocks: Sequence[Block], bars: Bars, passing: float, failing: float, no_serial: float) -> Tier:
    """The sequential test of one bar: `passing` and `failing` are shares of the reachable gain.

    Two questions. Is it faster than serial code, whatever the noise? (`no_serial`.) Is the gain large enough? The
    median must say so; and either `_LEAD` more of the clean blocks lie above the bar than not (Wald's sequential test:
    odds of 5 to 1, (0.6 / 0.4)^4, for six in ten against four in ten), or those above it are evidence enough.
    """
    wins = losses = below = above = 0
    speedups: list[float] = []
    reaches = RunningMedian()
    high = math.inf
    for block in blocks:
        if block.is_void(bars.r_min):
            continue
        speedups.append(block.speedup)
        reach = reaches.add(block.reach)
        high, low = max(bars.floor, 1 + passing * (reach - 1)), 1 + failing * (reach - 1)
        wins += _speedup_to_win(block) > high
        losses += block.speedup < 1 / high
        below += block.speedup < low and not unsure(block)
        above += block.speedup >= low
    at_bar, against = evidence(wins, losses), evidence(below, above)
    lead = 2 * wins - len(speedups)
    tall = bool(speedups) and median(speedups) >= high
    large = tall and (lead >= _LEAD or at_bar >= 1 / bars.alpha)
    by_lead = max(_way(at_bar, bars.alpha), max(0.0, min(1.0, lead / _LEAD)))
    return Tier(
        won=no_serial >= 1 / bars.alpha and len(speedups) >= bars.min_blocks and large,
        lost=against >= 1 / bars.alpha_fail,
        to_win=min(_way(no_serial, bars.alpha), by_lead, len(speedups) / bars.min_blocks) if tall else 0.0,
        to_lose=_way(against, bars.alpha_fail),
    )


def _against_serial(blocks: Sequence[Block], bars: Bars) -> float:
    """The evidence that it is faster than serial code, at the lower bar, where the lab has one.

    A block between the two bars says as much against serial code as one above both, and more where its two times are
    wide apart.

    When the calibration after a block is made can depend on its coin: a win that is enough ends a bracket of several.
    So there a loss counts by what was known before the coin was thrown, and the calibration after it takes away no more
    than wins.
    """
    share = bars.f_pass if bars.f_half is None else min(bars.f_pass, bars.f_half)
    ahead, behind = [0, 0], [0, 0]  # by a little, and wide apart
    known, reaches = RunningMedian(), RunningMedian()
    for block in blocks:
        if (reach := _reach_at_the_coin(block, bars)) is None:
            continue
        bar = max(bars.floor, 1 + share * (known.add(reach) - 1))
        behind[block.speedup <= 1 / WIDE] += block.speedup < 1 / bar
        if not _bracketed_alone(block) and block.is_void(bars.r_min):
            continue
        measured = 1 + share * (reaches.add(block.reach) - 1)
        faster = _speedup_to_win(block)
        ahead[faster >= WIDE] += faster > max(bar, measured)
    return evidence(ahead[False], behind[False], ahead[True], behind[True])


def _speedup_to_win(block: Block) -> float:
    """Of workers too short-lived to be seen beside neighbours, no more than the clock on the wall saw."""
    return min(block.speedup, (block.wall or block).speedup) if unsure(block) else block.speedup


def _reach_at_the_coin(block: Block, bars: Bars) -> float | None:
    """The reach that a loss is judged by: the one before it, where what is measured after it can depend on its coin.

    A block in a bracket of its own has one after it however it ends; there that counts, too. None where it is too low:
    in such a bracket, where both are. A block with one low calibration is void, for nobody knows how much could be
    gained in it; who was the faster is as good to see there as in any other.
    """
    if _bracketed_alone(block):
        return block.reach if max(block.reach_before, block.reach_after) >= bars.r_min else None
    return block.reach_before if block.reach_before >= bars.r_min else None


def _bracketed_alone(block: Block) -> bool:
    """Is there no other block between its two calibrations? So it is where the system has no better clock."""
    return block.clock == "wall" and not block.why_wall


def _below_bar(blocks: Sequence[Block], bars: Bars) -> float:
    """The evidence that the median speedup lies below the bar to pass, if not by much.

    Only for the clock free of neighbours. By the wall clock a block that is clean by luck has a bar that is too high.
    """
    bar = pass_bar(_reach(blocks, bars), bars)
    counted = [b for b in blocks if not b.is_void(bars.r_min) and not unsure(b)]
    below = sum(b.speedup < bar for b in counted)
    return evidence(below, len(counted) - below)


def surely_faster(blocks: Sequence[Block], bars: Bars) -> bool:
    """By the clock, was parallel faster than serial more often than a coin would have it? Void blocks count, too.

    Whatever the noise, code that only takes turns, or sleeps, is seen so with probability <= `bars.alpha`.
    """
    wins, losses = sum(b.speedup > 1 for b in blocks), sum(b.speedup < 1 for b in blocks)
    return evidence(wins, losses) >= 1 / bars.alpha


def how_sure(blocks: Sequence[Block], bars: Bars) -> tuple[Outcome, float]:
    """Where the test is heading, and how far it is on the way to being sure (0 to 1)."""
    full, half = tiers(blocks, bars)
    if one_busy_median(blocks) or inflated(blocks, bars):  # `met` is held up
        return "not yet", min(0.99, max(full.to_lose, full.to_win))
    no = min(max(full.to_lose, _to_below(blocks, bars)), max(half.to_win, half.to_lose))
    return ("met", full.to_win) if full.to_win >= no else ("not yet", no)


def _to_below(blocks: Sequence[Block], bars: Bars) -> float:
    """How far the blocks are from being surely below the bar by little (0 to 1)."""
    if clock_of(blocks) != "free":
        return 0.0
    sure = _way(_below_bar(blocks, bars), _EARLIER * bars.alpha_fail)
    return min(len(_speedups(blocks, bars)) / _ENOUGH_BLOCKS, sure)


def unsure(block: Block) -> bool:
    """Did neighbours take something from workers that lived too shortly to be seen? Then a low speedup says nothing."""
    return block.clock == "free" and block.seen < _SEEN and block.others > _OTHERS


def inflated(blocks: Sequence[Block], bars: Bars) -> bool:
    """Beside neighbours, did the program use far more CPU seconds than the baseline, and the wall clock see no gain?

    Threads that only burn CPU beside neighbours can make a program's waiting look like theirs.
    """
    if not wall_sees_less(blocks, bars):
        return False
    beside = [b for b in blocks if not b.is_void(bars.r_min) and _beside(b) and sum(b.cpu_serial) > 0]
    times = [sum(b.cpu_parallel) / (sum(b.cpu_serial) * b.stretch) for b in beside]
    return bool(times) and median(times) > _INFLATED


def wall_sees_less(blocks: Sequence[Block], bars: Bars) -> bool:
    """Beside neighbours, does the clock on the wall see less than is asked for?

    Mostly they are why. But processes that wake up for a lock, and find it taken again, wait for a core as if they had
    work for it: only a look into the program can tell.
    """
    clean = [b for b in blocks if not b.is_void(bars.r_min)]
    by_wall = [b.wall.speedup for b in clean if b.wall is not None and _beside(b)]
    if not by_wall or 2 * len(by_wall) < len(clean):
        return False
    return median(by_wall) < pass_bar(_reach(blocks, bars), bars)


def locked_out(decision: Decision, blocks: Sequence[Block], bars: Bars, held: float) -> bool:
    """Is a share `held` (0 to 1) of the work under one lock too much for the points that were decided?

    Amdahl's law: what one process at a time may do, however many there are, bounds the speedup by 1 / held.
    """
    reach = _reach(blocks, bars)
    bar = pass_bar(reach, bars) if decision.outcome == "met" else half_bar(reach, bars)
    return bar is not None and held * bar > 1


def _beside(block: Block) -> bool:
    """Was it measured beside neighbours, by a clock that takes them out?"""
    return block.wall is not None and block.others > _OTHERS


def clock_of(blocks: Sequence[Block]) -> Clock:
    """The clock that decided most of the blocks."""
    return "free" if 2 * sum(block.clock == "free" for block in blocks) > len(blocks) else "wall"


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
        wall=median([(b.wall or b).speedup for b in shown]),
    )


def _speedups(blocks: Sequence[Block], bars: Bars) -> list[float]:
    return [block.speedup for block in blocks if not block.is_void(bars.r_min)]


def _reach(blocks: Sequence[Block], bars: Bars) -> float:
    return median([block.reach for block in blocks if not block.is_void(bars.r_min)])


def _way(worth: float, alpha: float) -> float:
    """How far evidence `worth` is on its way to 1/alpha, on the scale on which each block adds the same."""
    return min(1.0, max(0.0, math.log(worth) / math.log(1 / alpha))) if worth > 0 else 0.0
