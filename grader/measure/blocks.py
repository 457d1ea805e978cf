"""Blocks: a serial and a parallel trial on one secret input in coin-flipped order, bracketed by calibration.

plan()  sizes the input and the calibration so that a serial trial takes long enough to be told from noise
Bench   runs calibrations and blocks; a trial that fails ends the measurement, for that is never noise
"""

from __future__ import annotations

import math
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from grader.errors import GraderError
from grader.measure.answers import difference
from grader.measure.stats import median
from grader.model import Arm, Block, Lab, Order, Session, Trial

T = TypeVar("T")

#: Seconds that a serial trial should take; more where starting workers is dear.
_TARGET, _MOST, _STARTS = 0.5, 3.0, 5.0
#: Seconds for a trial of our own: beyond them, something is broken.
_OURS = 120.0
#: Tasks of one calibration, handed out dynamically.
_TASKS = 16
_FIRST_AMOUNT = 4_000


@dataclass(frozen=True)
class Plan:
    """What every block runs: input size, calibration loops per task, workers; `t_serial` in seconds."""

    size: int
    amount: int
    workers: int
    t_serial: float
    timeout: float


@dataclass(frozen=True)
class Failure:
    """A trial that ended without a right answer: the trial, its size and, for a wrong answer, the difference."""

    trial: Trial
    size: int
    difference: str = ""


class Bench:
    """Runs blocks: `clean` runs the instructor's arms, `mine` the learner's, each in processes of its own."""

    def __init__(self, lab: Lab, clean: Session, mine: Session) -> None:
        self._lab, self._clean, self._mine = lab, clean, mine

    def plan(self, workers: int) -> Plan:
        """Find the input size at which a serial trial takes 0.5 s, or five times what starting workers takes.

        Raises:
            GraderError: the lab's own baseline fails.
        """
        loop = self._reach_seconds(1, _FIRST_AMOUNT) / (_TASKS * _FIRST_AMOUNT)
        self._reach_seconds(workers, 1)  # the first start pays for cold files
        start = self._reach_seconds(workers, 1)
        size, seconds = self.size(min(_MOST, max(_TARGET, _STARTS * start)))
        amount = max(1, round(seconds / loop / _TASKS))
        return Plan(size, amount, workers, seconds, timeout=10 + 20 * seconds)

    def size(self, target: float = _TARGET) -> tuple[int, float]:
        """The input size at which a serial trial takes about `target` seconds, and what it takes there."""
        size = int(self._lab.judge.SPEED_SIZE)
        seconds = self._serial_seconds(size)
        if not 0.75 * target <= seconds <= 1.5 * target:
            size = max(1, math.ceil(size * target / seconds))
            seconds = self._serial_seconds(size)
        return size, seconds

    def calibrate(self, plan: Plan) -> float:
        """R = c_1 / c_k, measured now, in coin-flipped order."""
        seconds = {workers: self._reach_seconds(workers, plan.amount) for workers in _coin(1, plan.workers)}
        return seconds[1] / seconds[plan.workers]

    def block(self, plan: Plan, reach_before: float) -> Block | Failure:
        """One block: a pair of trials, and the calibration after them."""
        pair = self.pair(plan)
        if isinstance(pair, Failure):
            return pair
        return Block(
            t_serial=pair["serial"].seconds[0],
            t_parallel=pair["parallel"].seconds[0],
            reach_before=reach_before,
            reach_after=self.calibrate(plan),
            cpu_serial=pair["serial"].cpu,
            cpu_parallel=pair["parallel"].cpu,
            serial_first=next(iter(pair)) == "serial",
        )

    def pair(self, plan: Plan) -> dict[Arm, Trial] | Failure:
        """A serial and a parallel trial on one fresh secret input, in the order in which they ran.

        The parallel answer is compared with the serial one.
        """
        folder = Path(tempfile.mkdtemp(prefix="corewise-input-"))
        try:
            self._lab.judge.make_input(folder, plan.size, secrets.randbits(32))
            trials: dict[Arm, Trial] = {}
            arms: tuple[Arm, Arm] = _coin("serial", "parallel")
            for arm in arms:
                session, timeout = (self._clean, _OURS) if arm == "serial" else (self._mine, plan.timeout)
                trials[arm] = session.run(Order(arm, plan.workers, timeout, folders=(folder,)))
                if trials[arm].ending != "done":
                    return _failed(trials[arm], plan.size)
            wrong = difference(self._lab, trials["serial"].answers[0], trials["parallel"].answers[0])
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Failure(trials["parallel"], plan.size, wrong) if wrong else trials

    def _reach_seconds(self, workers: int, amount: int) -> float:
        trial = self._clean.run(Order("reach", workers, _OURS, tasks=_TASKS, amount=amount))
        if trial.ending != "done":
            raise GraderError(f"The calibration {trial.ending}: {trial.message}\n{trial.output}")
        return trial.seconds[0]

    def _serial_seconds(self, size: int) -> float:
        folder = Path(tempfile.mkdtemp(prefix="corewise-input-"))
        try:
            self._lab.judge.make_input(folder, size, secrets.randbits(32))
            trial = self._clean.run(Order("serial", 1, _OURS, folders=(folder, folder)))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if trial.ending != "done":
            raise GraderError(f"The baseline {trial.ending}: {trial.message}\n{trial.output}")
        return median(trial.seconds[1:])


def _failed(trial: Trial, size: int) -> Failure:
    if trial.arm == "serial":
        raise GraderError(f"The baseline {trial.ending}: {trial.message}\n{trial.output}")
    return Failure(trial, size)


def _coin(first: T, second: T) -> tuple[T, T]:
    return (first, second) if secrets.randbelow(2) else (second, first)
