"""Why measured runs don't bear a projection: each function gives the reason, or "" where there is none. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, pvariance

from grader.tracing.fit import Fit, Range
from grader.tracing.timeline import Timeline

#: Up to so many times the largest number of workers measured, a projection needs no more than a fit; further, its
#: interval must be narrower than the second number (its upper end over its lower one).
FAR, NARROW = 8, 2.0
#: The same where the serial share rises or falls with the workers and the model has no proven term for that.
FAR_CHANGING = 2
#: A reach below this tells too little of what is parallel (as for the gain: measure/stats.py).
LEAST_REACH = 1.1
#: An overhead is a sign of rising from so many of its standard errors on; to be in the model takes more.
_SIGN = 2.0


def too_little(times: Mapping[int, Sequence[float]]) -> str:
    """Why runs can't be told from their noise, or one number of workers from another."""
    if len(times) < 2:
        return (
            f"All runs had the same number of workers ({listed(tuple(times)) or 'none'}): they don't tell what more "
            "workers make shorter from what they don't. Measure with another number too, such as 1."
        )
    repeated = [seconds for seconds in times.values() if len(seconds) > 1]
    if not repeated:
        return (
            "One run with each number of workers doesn't say how much runs differ. Measure each five times."
        )
    freedom = sum(len(seconds) - 1 for seconds in repeated)
    squares = sum(len(seconds) * pvariance(seconds) / fmean(seconds) ** 2 for seconds in repeated)
    spread = 2 * math.sqrt(squares / freedom)
    means = [fmean(seconds) for seconds in times.values()]
    effect = max(means) / min(means) - 1
    if spread >= effect:
        return (
            f"Runs with the same number of workers differ by {spread:.0%}, more than those with different numbers "
            f"({effect:.0%}). Measure on a quieter machine, or with more work."
        )
    return ""


def too_few_tasks(workers: int, timeline: Timeline | None) -> str:
    tasks = sum(task.items for lane in timeline.workers for task in lane.tasks) if timeline is not None else 0
    if 0 < tasks < workers:
        return f"The run had {tasks} tasks: more workers have nothing to do. Cut the work into smaller ones."
    return ""


def no_reach(reach: float) -> str:
    if reach < LEAST_REACH:
        return (
            f"The machine made perfectly parallel work {reach:.2f} times as fast, next to nothing, so the runs don't "
            "tell how much of the program is parallel. Measure while the cores are free."
        )
    return ""


def undetermined(times: Mapping[int, Sequence[float]]) -> str:
    return (
        f"{sum(map(len, times.values()))} runs with {listed(tuple(times))} workers don't determine a serial part, a "
        "parallel one, and how much runs differ. Measure each number of workers five times."
    )


def no_gain(model: Fit) -> str:
    """Why the model has no gain."""
    if model.parallel.middle <= 0:
        return "More workers took longer, so there is no gain to project. First find out where the time goes."
    if model.seconds(1, 1).low <= 0:
        return "The runs don't tell how long one worker takes. Measure with 1 worker too, or more often."
    return ""


def too_fast(models: Sequence[Fit], limit: str) -> str:
    """Why no model describes the runs, where all have a negative serial part; `limit` is what no speedup exceeds."""
    if all(model.serial.high < 0 for model in models):
        return (
            f"The speedup was larger than {limit}: the serial run lost time to something else, such as cold caches or "
            "a slow disk. Measure it again under the same conditions."
        )
    return ""


def changing(workers: int, full: Fit | None, proven: bool, base: tuple[int, ...]) -> str:
    """Why a serial share that rises or falls with the workers doesn't bear a projection so far.

    Under the model Karp and Flatt's e is (serial + overhead p) / T_1: it rises with p where there is an overhead.
    `full` is the model with an overhead, `proven` whether the projection has it, checked by a further measurement.
    """
    far = FAR_CHANGING * base[-1]
    if full is None or full.seconds(1, 1).middle <= 0 or proven or workers <= far:
        return ""
    share = [(full.serial.middle + full.overhead.middle * p) / full.seconds(1, 1).middle for p in base[-2:]]
    course = (
        f"(Karp-Flatt: from {share[0]:.1%} with {base[-2]} to {share[1]:.1%} with {base[-1]}). These runs don't show "
        f"how that goes on beyond {far}."
    )
    if full.overhead.middle > _SIGN * full.error(2):
        return f"The serial share rises with the workers, so each costs something {course} Measure with more workers."
    if full.overhead.high < 0:
        return (
            "The serial share falls with the workers, so the serial run is not what one worker does "
            f"{course} Measure the parallel program with 1 worker."
        )
    return ""


def too_far(workers: int, base: tuple[int, ...], seconds: Range, speedup: Range) -> str:
    if workers <= FAR * base[-1]:
        return ""
    narrow = all(one.low > 0 and one.high < NARROW * one.low for one in (seconds, speedup))
    if narrow:
        return ""
    return (
        f"{workers} workers are more than {FAR} times the {base[-1]} that were measured, and the speedup there may "
        f"be anything from {speedup.low:.1f} to {speedup.high:.1f}. Measure with more workers, or more often."
    )


def listed(numbers: tuple[int, ...]) -> str:
    return (
        ", ".join(map(str, numbers[:-1])) + (" and " if numbers[1:] else "") + "".join(map(str, numbers[-1:]))
    )
