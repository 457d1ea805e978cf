"""The laws of speedup: what measured speedups say of a program, and what bounds them. Pure.

S is the speedup T_1 / T_p, with T_1 the seconds of the serial run and T_p those of the run with p workers. The
parallel share f is the part of T_1 that more workers make shorter; the rest, 1 - f, is the serial share. Sources:

    Amdahl, "Validity of the single processor approach to achieving large scale computing capabilities", AFIPS 1967
    Brent, "The parallel evaluation of general arithmetic expressions", J. ACM 21(2), 1974
    Gustafson, "Reevaluating Amdahl's law", CACM 31(5), 1988
    Karp and Flatt, "Measuring parallel processor performance", CACM 33(5), 1990
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from grader.tracing import stretches
from grader.tracing.timeline import Task, Timeline


def karp_flatt(speedup: float, workers: float) -> float:
    """e = (1/S - 1/p) / (1 - 1/p), the serial share that a measured S would mean under Amdahl's law.

    0 is a perfect speedup, 1 none at all; negative where S > p, more than 1 where S < 1.

    Raises:
        ValueError: p < 2 or S <= 0.
    """
    check(workers, speedup)
    return (1 / speedup - 1 / workers) / (1 - 1 / workers)


@dataclass(frozen=True)
class Course:
    """How Karp and Flatt's e goes over p.

    `fractions` has e at each p. `slope` is what e gains with each worker (0 where it can't be told), `error` its
    standard error; under T(p) = serial + parallel / p + overhead (p - 1) the slope is overhead / T_1. `says` is what
    it means, in words.
    """

    kind: Literal["unknown", "flat", "rising", "falling"]
    fractions: Mapping[int, float]
    slope: float
    error: float
    says: str


_SAYS = {
    "unknown": "One number of workers says how large the loss is, not whether it grows with the workers.",
    "flat": "The serial share is the same at each number of workers: the part that is not parallel limits the "
    "speedup.",
    "rising": "The serial share rises with the workers: each further worker costs something, such as starting it, "
    "sending it its work, or waiting for it. If it begins below 0, the serial run was slow for a reason of its own.",
    "falling": "The serial share falls with the workers: together they do more than the serial run did (other code, "
    "added work), which more of them share, or their caches hold more.",
}


def course(speedups: Mapping[int, float], error: float = 0.02) -> Course:
    """How e goes over p, for measured speedups by number of workers.

    `error` is the relative standard error of each measured time, T_1 among them. e rises or falls where a line
    through it has a slope of more than twice its own standard error.

    Raises:
        ValueError: no speedup; a p < 2, an S <= 0; error < 0.
    """
    if not speedups:
        raise ValueError("the course of e needs a speedup")
    if not error >= 0:
        raise ValueError(f"a standard error is not negative: {error}")
    fractions = {p: karp_flatt(speedups[p], p) for p in sorted(speedups)}
    kind: Literal["unknown", "flat", "rising", "falling"] = "unknown"
    slope = spread = 0.0
    if len(fractions) > 1:
        p = np.array(list(fractions), dtype=float)
        felt = p / (p - 1) / np.array([speedups[number] for number in fractions])  # de / d(relative T_p)
        weight = 1 / felt**2
        off = p - np.average(p, weights=weight)
        share = weight * off / np.sum(weight * off**2)  # slope = sum of share x e
        slope = float(share @ np.array(list(fractions.values())))
        # All e have T_1 in common, so its error moves them together.
        spread = error * math.hypot(*(share * felt), float(share @ felt))
        rounding = 1e-9 + 2 * spread
        kind = "rising" if slope > rounding else "falling" if slope < -rounding else "flat"
    return Course(kind, MappingProxyType(fractions), slope, spread, _SAYS[kind])


def amdahl(parallel: float, workers: float) -> float:
    """S = 1 / ((1 - f) + f / p): the same work on more workers (Amdahl).

    Raises:
        ValueError: p < 2 or f not between 0 and 1.
    """
    check(workers)
    check_share(parallel)
    return 1 / (1 - parallel + parallel / workers)


def parallel_share(speedup: float, workers: float) -> float:
    """f = (1 - 1/S) / (1 - 1/p), with which Amdahl's law gives the measured S; it is 1 - e.

    Below 0 where S < 1 and above 1 where S > p: Amdahl's law holds for no share then.

    Raises:
        ValueError: p < 2 or S <= 0.
    """
    return 1 - karp_flatt(speedup, workers)


def gustafson(parallel: float, workers: float) -> float:
    """S = (1 - f') + f' p: more work on more workers in the same time (Gustafson), the scaled speedup.

    f' is the share of the time *on p workers* in which all of them worked, not that of T_1: see `scaled_share`.

    Raises:
        ValueError: p < 2 or f' not between 0 and 1.
    """
    check(workers)
    check_share(parallel)
    return 1 - parallel + parallel * workers


def scaled_share(parallel: float, workers: float) -> float:
    """f' = (f / p) / ((1 - f) + f / p): the parallel share of the time on p workers, from that of T_1.

    Gustafson's law with f' gives what Amdahl's gives with f.

    Raises:
        ValueError: p < 2 or f not between 0 and 1.
    """
    return parallel / workers * amdahl(parallel, workers)


@dataclass(frozen=True)
class WorkSpan:
    """Seconds of all the work (T on one worker), and of the longest chain of it in which each part needs the one
    before (T on any number of workers).
    """

    work: float
    span: float

    @property
    def parallelism(self) -> float:
        """work / span: no number of workers gives more; infinite where nothing is known to be a chain."""
        return self.work / self.span if self.span > 0 else math.inf

    def at_most(self, workers: float) -> float:
        """S <= min(p, work / span), on p workers.

        Raises:
            ValueError: p < 2.
        """
        check(workers)
        return min(float(workers), self.parallelism)

    def at_least(self, workers: float) -> float:
        """S >= work / (span + (work - span) / p), where no worker is ever idle while there is something to do, and
        that costs nothing (Brent).

        Raises:
            ValueError: p < 2.
        """
        check(workers)
        longest = self.span + (self.work - self.span) / workers
        return self.work / longest if longest > 0 else float(workers)


def work_span(timeline: Timeline) -> WorkSpan:
    """Work and span of a traced run, in CPU seconds.

    Work is what all workers did, and what the program itself did. Span is what the program itself did while no
    worker worked, and the longest single task.

    A trace doesn't know what needs what. The true span is longer where tasks need each other's results or where the
    program feeds its workers one by one, so the speedup may stay far below work / span. It is shorter only where the
    program is written to wait for what it doesn't need. Time without a core (start-up, waiting, a disk) is in
    neither. Workers whose tasks the trace doesn't know count as if they could be cut at will.
    """
    workers = [span for lane in timeline.workers for span in lane.spans]
    busy = stretches.Cover((span.start, span.end) for span in workers if span.state == "run" and span.cpu > 0)
    alone = sum(
        span.cpu * (1 - busy.seconds(span.start, span.end) / span.seconds if span.seconds > 0 else 1.0)
        for span in timeline.parent.spans
        if span.state == "run"
    )
    longest = max((_longest(task) for lane in timeline.workers for task in lane.tasks), default=0.0)
    work = sum(timeline.useful) + timeline.parent.useful
    return WorkSpan(work, min(work, alone + longest))


def _longest(task: Task) -> float:
    """CPU seconds of the longest task that this stands for; those of a group have its share of a core."""
    if task.items == 1 or task.seconds <= 0:
        return task.cpu
    return task.cpu * min(1.0, task.longest / task.seconds)


def check(workers: float, speedup: float = 1.0, least: int = 2) -> None:
    """Raises ValueError where p is less than `least`, or the speedup is not more than 0."""
    if not (math.isfinite(workers) and workers >= least):
        raise ValueError(f"it takes {least} workers or more, not {workers}")
    if not (math.isfinite(speedup) and speedup > 0):
        raise ValueError(f"a speedup is more than 0, not {speedup}")


def check_share(share: float) -> None:
    """Raises ValueError where the share is not one."""
    if not 0 <= share <= 1:
        raise ValueError(f"a share is between 0 and 1, not {share}")
