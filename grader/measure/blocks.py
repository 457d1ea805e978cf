"""Blocks: serial and parallel trials on one secret input in coin-flipped order, bracketed by calibration.

plan()  sizes the input and the calibration so that a serial trial takes long enough to be told from noise
Bench   runs calibrations and blocks; a trial that fails ends the measurement, for that is never noise
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from grader import scratch
from grader.errors import GraderError
from grader.measure.answers import difference
from grader.measure.stats import median
from grader.model import Arm, Block, FreeTime, Lab, Order, Pair, Session, Trial

T = TypeVar("T")

#: Seconds that a serial trial should take; more where starting workers is dear.
_TARGET, _MOST, _STARTS = 0.3, 3.0, 5.0
#: Seconds of a serial trial outside of which nothing can be measured: too small to tell, too slow for the budget.
_LEAST, _LONGEST = 0.05, 8.0
#: A size this many times off the target is measured once more before it is believed.
_FAR = 4.0
#: How many times larger an input may be made in one step: an odd baseline must not fill the disk.
_STEP = 20.0
#: Seconds for a trial of our own: beyond them, something is broken.
OURS = 120.0
#: Tasks of one calibration; the serial side runs a part of them, which costs less and says the same.
TASKS, PART = 16, 2
_FIRST_AMOUNT = 4_000
#: Trials of a block with its calibration, and how many serial trials all of them take as long as.
_TRIALS, _SERIALS = 4, 3
#: Calibrations that one measurement may take once more, because too little reach was left just then; and those of them
#: that may be taken before the blocks in front of such a one are void: a bad second is no verdict on three blocks.
AGAIN, CONFIRMING = 12, 2
#: However long a block takes, there is time for so many; but for no more than so many times the lab's budget.
_ENOUGH, _STRETCH = 16, 2.5


@dataclass(frozen=True)
class Plan:
    """What every block runs: input size, calibration loops per task, workers; `t_serial` in seconds.

    `block` is what a block with its calibration takes in all, in seconds, where the learner's code is a little faster
    than serial. `unfit` names why nothing can be measured: "too small", "too slow", or nothing.
    """

    size: int
    amount: int
    workers: int
    t_serial: float
    timeout: float
    unfit: str = ""
    block: float = 0.0


@dataclass(frozen=True)
class Failure:
    """A trial that ended without a right answer: the trial, its size and, for a wrong answer, the difference."""

    trial: Trial
    size: int
    difference: str = ""


@dataclass(frozen=True)
class Reach:
    """R = c_1 / c_k by the wall clock and, where the system tells, free of neighbours; and the CPU's own stretch."""

    wall: float
    free: float | None = None
    stretch: float = 1.0

    @property
    def best(self) -> float:
        """By the clock that decides."""
        return self.wall if self.free is None else self.free

    def is_low(self, r_min: float) -> bool:
        """Free of neighbours, is it too low to measure by? By the wall clock, waiting for a better one would choose."""
        return self.free is not None and self.free < r_min

    def steadied(self, earlier: Sequence[Reach]) -> Reach:
        """Free of neighbours, the median of this and the two before it.

        There a reach hardly moves for long, so the median takes out what is chance. By the wall clock nothing may be
        smoothed: a low reach says that just now the cores were taken.
        """
        near = [reach.free for reach in (*earlier[-2:], self) if reach.free is not None]
        return self if self.free is None else replace(self, free=median(near))


class Bench:
    """Runs blocks: `clean` runs the instructor's arms, `mine` the learner's, each in processes of its own."""

    def __init__(self, lab: Lab, clean: Session, mine: Session) -> None:
        self._lab, self._clean, self._mine = lab, clean, mine
        self._measured: list[Reach] = []
        self._again = AGAIN

    def plan(self, workers: int) -> Plan:
        """Find the input size at which a serial trial takes 0.3 s, or five times what starting workers takes.

        Raises:
            GraderError: the lab's own baseline fails.
        """
        self._spin(workers, TASKS, _FIRST_AMOUNT)  # the first start pays for cold files
        loop = free_of(self._spin(1, TASKS, _FIRST_AMOUNT)).seconds / (TASKS * _FIRST_AMOUNT)
        began = time.monotonic()
        trial = self._spin(workers, TASKS, 1)
        # Where the stage isn't forked, it is started for each trial.
        around = max(0.0, time.monotonic() - began - trial.seconds[0])
        start = free_of(trial).seconds
        size, seconds = self.size(serial_seconds(start))
        amount = max(1, round(seconds / loop / TASKS))
        unfit = "too small" if seconds < _LEAST else "too slow" if seconds > _LONGEST else ""
        block = block_seconds(seconds, around)
        return Plan(size, amount, workers, seconds, timeout=10 + 20 * seconds, unfit=unfit, block=block)

    def size(self, target: float = _TARGET) -> tuple[int, float]:
        """The input size at which a serial trial takes about `target` seconds, and what it takes there."""
        size = int(self._lab.judge.SPEED_SIZE)
        for _ in range(3):
            seconds = self._serial_seconds(size)
            fitting = max(1, math.ceil(size * min(_STEP, target / seconds)))
            if seconds / _FAR <= target <= seconds * _FAR or fitting == size:
                return fitting, seconds * fitting / size
            size = fitting
        return size, self._serial_seconds(size)

    def calibrate(self, plan: Plan) -> Reach:
        """The reach, measured now, in coin-flipped order."""
        trials = {
            workers: self._spin(workers, TASKS // (PART if workers == 1 else 1), plan.amount)
            for workers in _coin(1, plan.workers)
        }
        now = reach_of(trials[1], trials[plan.workers], plan.workers)
        self._measured.append(now)
        return now.steadied(self._measured[:-1])

    def until_clear(self, plan: Plan, reach: Reach, most: int = AGAIN) -> Reach:
        """The reach, measured again while it is too low, at most `most` times: blocks beside it would be void."""
        for _ in range(min(most, self._again)):
            if not reach.is_low(self._lab.bars.r_min):
                break
            self._again -= 1
            reach = self.calibrate(plan)
        return reach

    def bracket(
        self,
        plan: Plan,
        before: Reach,
        pairs: int,
        room: float = math.inf,
        enough: Callable[[Sequence[Block]], bool] = lambda so_far: False,
    ) -> tuple[tuple[Block, ...], Reach] | Failure:
        """So many blocks between two calibrations, and the second of these.

        Fewer, but one at least, where another pair like the last would take more than what is left of `room` seconds,
        or where they are enough as far as can be told before the second calibration.
        """
        measured: list[dict[Arm, Trial]] = []
        began = last = now = time.monotonic()
        while len(measured) < pairs and (not measured or now - began + (now - last) <= room):
            last = now
            pair = self.pair(plan)
            if isinstance(pair, Failure):
                return pair
            measured.append(pair)
            now = time.monotonic()
            if enough([as_block(pair, before, before) for pair in measured]):
                break
        after = self.until_clear(plan, self.calibrate(plan), CONFIRMING)
        return tuple(as_block(pair, before, after) for pair in measured), after

    def pair(self, plan: Plan) -> dict[Arm, Trial] | Failure:
        """A serial and a parallel trial on one fresh secret input, in the order in which they ran.

        The parallel answer is compared with the serial one.
        """
        with scratch.folder() as folder:
            self._lab.judge.make_input(folder, plan.size, secrets.randbits(32))
            trials: dict[Arm, Trial] = {}
            arms: tuple[Arm, Arm] = _coin("serial", "parallel")
            for arm in arms:
                session, timeout = (self._clean, OURS) if arm == "serial" else (self._mine, plan.timeout)
                trials[arm] = session.run(Order(arm, plan.workers, timeout, folders=(folder,)))
                if trials[arm].ending != "done":
                    return failed(trials[arm], plan.size)
            wrong = difference(self._lab, trials["serial"].answers[0], trials["parallel"].answers[0])
        return Failure(trials["parallel"], plan.size, wrong) if wrong else trials

    def _spin(self, workers: int, tasks: int, amount: int) -> Trial:
        order = Order("reach", workers, OURS, tasks=tasks, amount=amount, cost=self._lab.cost)
        trial = self._clean.run(order)
        if trial.ending != "done":
            raise GraderError(f"The calibration {trial.ending}: {trial.message}\n{trial.output}")
        return trial

    def _serial_seconds(self, size: int) -> float:
        with scratch.folder() as folder:
            self._lab.judge.make_input(folder, size, secrets.randbits(32))
            trial = self._clean.run(Order("serial", 1, OURS, folders=(folder, folder)))
        if trial.ending != "done":
            raise GraderError(f"The baseline {trial.ending}: {trial.message}\n{trial.output}")
        return free_of(trial).seconds


def serial_seconds(start: float) -> float:
    """The seconds that a serial trial should take, where starting the workers takes `start`."""
    return min(_MOST, max(_TARGET, _STARTS * start))


def block_seconds(t_serial: float, around: float = 0.0) -> float:
    """About what a block with its calibration takes, where each trial takes `around` seconds beside its own."""
    return _TRIALS * around + _SERIALS * t_serial


def seconds_for_blocks(asked: float, block: float) -> float:
    """The budget: what is asked for; where a block takes long, because starting workers is dear, more."""
    return max(asked, min(_STRETCH * asked, _ENOUGH * block))


def reach_of(one: Trial, many: Trial, workers: int) -> Reach:
    """What a calibration comes to: one process did a part of the work that so many `workers` shared.

    They gain no more than there are of them: what is measured above that is bad luck of the one, and raises no bar.
    """
    most, free = float(workers), None
    if one.free and many.free and not one.free[0].why_wall and not many.free[0].why_wall:
        free = min(most, PART * one.free[0].seconds / many.free[0].seconds)
    cpu = PART * sum(one.cpu)
    stretch = sum(many.cpu) / cpu if cpu > 0 else 1.0
    return Reach(min(most, PART * one.seconds[0] / many.seconds[0]), free, stretch)


def as_block(pair: dict[Arm, Trial], before: Reach, after: Reach) -> Block:
    """What two trials and the calibrations around them come to, by the best clock that all of them have."""
    serial, parallel = pair["serial"], pair["parallel"]
    wall = Pair(serial.seconds[0], parallel.seconds[0], before.wall, after.wall)
    one, many = free_of(serial), free_of(parallel)
    why_wall = one.why_wall or many.why_wall
    by = wall
    if before.free is None or after.free is None:
        why_wall = why_wall or "the scheduler's accounts of a calibration can't be read"
    elif not why_wall:
        by = Pair(one.seconds, many.seconds, before.free, after.free)
    return Block(
        by.t_serial,
        by.t_parallel,
        by.reach_before,
        by.reach_after,
        cpu_serial=serial.cpu,
        cpu_parallel=parallel.cpu,
        serial_first=next(iter(pair)) == "serial",
        clock="wall" if by is wall else "free",
        wall=None if by is wall else wall,
        why_wall=why_wall if parallel.free else "",
        seen=many.seen,
        others=many.others,
        stretch=(before.stretch * after.stretch) ** 0.5,
    )


def one_clock(blocks: Sequence[Block]) -> list[Block]:
    """All blocks by one clock: by the wall clock where one of them has no time free of neighbours.

    Else a program could choose, block by block, the clock that suits it.
    """
    why = next((block.why_wall for block in blocks if block.why_wall), "")
    return [_by_wall(block, why) for block in blocks] if why else list(blocks)


def _by_wall(block: Block, why: str) -> Block:
    wall = block.wall
    if wall is None:
        return replace(block, why_wall=block.why_wall or why)
    return replace(
        block,
        why_wall=why,
        t_serial=wall.t_serial,
        t_parallel=wall.t_parallel,
        reach_before=wall.reach_before,
        reach_after=wall.reach_after,
        clock="wall",
        wall=None,
    )


def free_of(trial: Trial) -> FreeTime:
    """The last folder's time free of neighbours; the wall clock's where the system doesn't tell."""
    return trial.free[-1] if trial.free else FreeTime(trial.seconds[-1], why_wall="not on this system")


def failed(trial: Trial, size: int) -> Failure:
    if trial.arm == "serial":
        raise GraderError(f"The baseline {trial.ending}: {trial.message}\n{trial.output}")
    return Failure(trial, size)


def _coin(first: T, second: T) -> tuple[T, T]:
    return (first, second) if secrets.randbelow(2) else (second, first)
