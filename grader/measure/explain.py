"""Runs that explain, none of which is timed for a mark: traced ones, and those with other numbers of workers."""

from __future__ import annotations

import math
import random
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader import scratch
from grader.measure.blocks import OURS, PART, TASKS, Bench, Failure, Plan, failed, free_of, reach_of
from grader.measure.stats import median
from grader.model import Arm, Order
from grader.tracing import recording
from grader.tracing.recording import Recording

#: Runs that are traced, of which the one in the middle is told: on a shared machine one may go its own way. Where a
#: run takes long, that levels out in the run itself, and the learner waits.
TRACED, _LONG = 3, 2.0


@dataclass(frozen=True)
class Explained:
    """Traced runs; serial seconds beside them, free of neighbours where the system tells; and how many times as many
    CPU seconds perfectly parallel work needs side by side as alone.
    """

    runs: tuple[list[Recording], ...]
    serial: float
    stretch: float


class Explaining(Bench):
    """A bench that also looks into the learner's function."""

    def traced(
        self, plan: Plan, seconds: float, most: int = TRACED, until: float = math.inf
    ) -> tuple[list[Recording], ...]:
        """What each process of a few more runs of the learner's function did; one that didn't end in order is the last,
        and empty.

        They are runs of their own, for tracing costs time: none is timed for a mark. One takes about so many `seconds`;
        there are `most` of them, or one where it takes long. By `until` (of the monotonic clock) they are ended.
        """
        runs: list[list[Recording]] = []
        while len(runs) < min(most, _repeats(seconds)) and (left := until - time.monotonic()) > 0:
            runs.append(self._trace(replace(plan, timeout=min(plan.timeout, left))))
            if not runs[-1]:
                break
        return tuple(runs)

    def _trace(self, plan: Plan) -> list[Recording]:
        with scratch.folder() as where, scratch.folder() as folder:
            self._lab.judge.make_input(folder, plan.size, secrets.randbits(32))
            order = Order("parallel", plan.workers, plan.timeout, folders=(folder,), trace=where)
            return recording.read(where) if self._mine.run(order).ending == "done" else []

    def explained(self, plan: Plan) -> Explained | Failure:
        """A few traced runs with what they are compared with, or what went wrong."""
        serial: list[float] = []
        parallel: list[float] = []
        stretch: list[float] = []
        while not serial or len(serial) < _repeats(serial[-1] + parallel[-1]):
            pair = self.pair(plan)
            if isinstance(pair, Failure):
                return pair
            serial.append(free_of(pair["serial"]).seconds)
            parallel.append(pair["parallel"].seconds[0])
            stretch.append(self.calibrate(plan).stretch)
        return Explained(self.traced(plan, median(parallel)), median(serial), median(stretch))

    def curve(self, plan: Plan, counts: Sequence[int], repeats: int) -> list[tuple[int, float]] | Failure:
        """(workers, seconds) of the learner's function with each of these numbers of workers, and of the baseline as
        that of one, `repeats` times in random order, each on a fresh input.
        """
        runs: list[tuple[int, float]] = []
        todo = [count for count in (1, *counts) for _ in range(repeats)]
        random.shuffle(todo)
        for count in todo:
            with scratch.folder() as folder:
                self._lab.judge.make_input(folder, plan.size, secrets.randbits(32))
                arm: Arm = "serial" if count == 1 else "parallel"
                session, timeout = (self._clean, OURS) if count == 1 else (self._mine, plan.timeout)
                trial = session.run(Order(arm, count, timeout, folders=(folder,)))
            if trial.ending != "done":
                return failed(trial, plan.size)
            runs.append((count, free_of(trial).seconds))
        return runs

    def reach(self, plan: Plan, workers: int) -> float:
        """What perfectly parallel work gains with so many workers, now: the median of three."""
        found = []
        for _ in range(3):
            one = self._spin(1, TASKS // PART, plan.amount)
            found.append(reach_of(one, self._spin(workers, TASKS, plan.amount), workers).best)
        return median(found)


def _repeats(seconds: float) -> int:
    return TRACED if seconds <= _LONG else 1
