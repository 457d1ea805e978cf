"""The product's own measurement on simulated machines: its blocks, its decisions, its stopping rule.

Calibrations; then brackets of three blocks (by the time free of neighbours) or one (by the wall clock) and a
calibration, which is repeated where it is too low, until sure, hopeless or out of time, as in grader.assess. A bracket
ends early where its blocks are enough. What a calibration and a block come to, and what they say, is computed by the
product: reach_of, steadied, is_low, as_block; settle, hopeless, conclude.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.verdict import course, demand
from benchmarks.verdict.accounts import Ran
from benchmarks.verdict.demand import Program
from benchmarks.verdict.graph import GAP
from benchmarks.verdict.machines import Machine
from benchmarks.verdict.rows import Fleet
from benchmarks.verdict.tables import Counts, Flags
from grader import lab as labs
from grader.assess import CALIBRATIONS_BEFORE, PAIRS_FREE
from grader.measure.blocks import (
    AGAIN,
    CONFIRMING,
    Reach,
    as_block,
    block_seconds,
    reach_of,
    seconds_for_blocks,
)
from grader.measure.decide import Decision, conclude, hopeless, settle
from grader.model import Arm, Block, Clock, FreeTime, Trial

#: Seconds before the first calibration: opening sessions, the warm-up; serial trials to size the input.
_OPENING, _SIZINGS = 2.0, 3
#: Simulated runs that tell a gain: under a quota it depends on when in its period a trial begins.
_TRIED = 240
#: Those of the lab that the real runs measure.
BARS = labs.load(labs.CHECKOUT / "solutions" / "11_fraud").bars


@dataclass(frozen=True)
class Run:
    """One simulated measurement: its decision, the seconds to it, and its blocks."""

    decision: Decision
    seconds: float
    blocks: tuple[Block, ...]


def measure(
    machine: Machine, programs: Sequence[Program], runs: Sequence[int], clock: Clock, seed: Sequence[int]
) -> list[list[Run]]:
    """So many independent measurements of each program; `clock` "free" as on Linux, "wall" as elsewhere."""
    which = np.repeat(np.arange(len(programs)), runs)
    measured: list[list[Run]] = [[] for _ in programs]
    for place, run in _Measurements(machine, programs, which, clock, np.random.default_rng(seed)):
        measured[which[place]].append(run)
    return measured


def seed_of(*words: object) -> int:
    """The same number for the same words, on every machine."""
    return zlib.crc32(" ".join(map(str, words)).encode())


def program(name: str, machine: Machine) -> Program:
    """A program for that machine. A partly parallel one has its gain where nobody else is."""
    partly = name == "half parallel" or name.startswith("gain ")
    quiet = replace(machine, busy=0, on=math.inf, off=0.0)
    return demand.program(name, machine, alone_for(demand.gain_of(name), quiet) if partly else 0.0)


@functools.cache
def alone_for(gain: float, machine: Machine) -> float:
    """What the parent must do by itself, so that the speedup is 1 + gain (R - 1) on this machine: found by trying.

    Amdahl's law would do where nothing but the number of cores counts; with quotas, turbo and E cores it does not.
    """
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        tried = replace(demand.partly(machine.workers, machine.start_share, middle), noise=0.0)
        low, high = (middle, high) if _gain(tried, machine) > gain else (low, middle)
    return (low + high) / 2


def _gain(tried: Program, machine: Machine) -> float:
    """The median gain of a program where there is no noise."""
    still = replace(machine, noise=0.0, stalls=0.0, slow_starts=0.0, drift=0.0)
    programs = demand.baseline(), tried, *demand.calibration(machine.workers, machine.start_share)
    serial, parallel, one, many = np.median(
        course.run(Fleet(still, _TRIED, np.random.default_rng(1)), programs, _same(range(4), _TRIED)).wall,
        axis=1,
    )
    return float((serial / parallel - 1) / (demand.PART * one / many - 1))


class _Measurements:
    """Many measurements side by side: each goes through the same steps, and leaves when it has its decision."""

    def __init__(
        self,
        machine: Machine,
        programs: Sequence[Program],
        which: Counts,
        clock: Clock,
        dice: np.random.Generator,
    ) -> None:
        self._machine, self._clock, self._dice, self._which = machine, clock, dice, which
        ours = demand.baseline(), *demand.calibration(machine.workers, machine.start_share)
        self._programs = (*programs, *ours)
        self._serial, self._one, self._many = range(len(programs), len(self._programs))
        self._fleet = Fleet(machine, len(which), dice)
        opening = (_OPENING + _SIZINGS * machine.t_serial) * self._fleet.crowding
        self._fleet.pass_time(np.arange(len(which)), opening)
        self._pairs = PAIRS_FREE if clock == "free" else 1
        self._blocks: list[list[Block]] = [[] for _ in which]
        self._measured: list[list[Reach]] = [[] for _ in which]  # as they were
        self._reaches: list[list[Reach]] = [[] for _ in which]  # steadied
        self._again = [AGAIN for _ in which]
        self._saved = np.zeros(len(which))  # seconds of pairs that were simulated, and are not needed

    def __iter__(self) -> Iterator[tuple[int, Run]]:
        """Each measurement's place and outcome, as it is done."""
        going = np.arange(len(self._blocks))
        for _ in range(CALIBRATIONS_BEFORE):
            self._calibrations(self._fleet, going)
        before = [tuple(reach.best for reach in reaches) for reaches in self._reaches]
        began = self._fleet.now.copy()
        budget = seconds_for_blocks(BARS.budget, block_seconds(self._machine.t_serial))
        while len(going):
            self._until_clear(going, AGAIN)
            self._brackets(going)
            left = []
            for place, run in enumerate(going):
                blocks, now = self._blocks[run], self._fleet.now[place] - self._saved[run]
                if self._goes_on(blocks, now - began[run], budget - began[run]):
                    left.append(place)
                else:
                    said = conclude(blocks, BARS, self._machine.workers, self._machine.usable, before[run])
                    yield run, Run(said, float(now), tuple(blocks))
            going = going[left]
            self._fleet = self._fleet.taken(np.array(left, dtype=np.int64))

    def _goes_on(self, blocks: Sequence[Block], elapsed: float, budget: float) -> bool:
        """As in grader.assess._blocks."""
        done = settle(blocks, BARS, self._machine.usable) or hopeless(blocks, BARS)
        return not done and elapsed * (1 + self._pairs / len(blocks)) <= budget

    def _until_clear(self, going: Counts, most: int) -> None:
        """As in Bench.until_clear."""
        low = np.arange(len(going))
        for _ in range(most):
            low = low[[self._is_low(run) for run in going[low]]]
            if not len(low):
                break
            part = self._fleet.taken(low)
            self._calibrations(part, going[low])
            self._fleet.put(low, part)
            for run in going[low]:
                self._again[run] -= 1

    def _is_low(self, run: int) -> bool:
        return self._again[run] > 0 and self._reaches[run][-1].is_low(BARS.r_min)

    def _calibrations(self, fleet: Fleet, going: Counts) -> None:
        one_first = self._coins(len(going))
        ran = course.run(fleet, self._programs, _in_order(one_first, self._one, self._many))
        self._add_reaches(going, ran, 0, one_first)

    def _brackets(self, going: Counts) -> None:
        """So many pairs of trials in coin-flipped order, and a calibration."""
        coins = [self._coins(len(going)) for _ in range(self._pairs + 1)]
        schedule = [_in_order(coin, self._serial, self._which[going]) for coin in coins[:-1]]
        schedule.append(_in_order(coins[-1], self._one, self._many))
        ran = course.run(self._fleet, self._programs, np.concatenate(schedule))
        before = [self._reaches[run][-1] for run in going]
        self._add_reaches(going, ran, 2 * self._pairs, coins[-1])
        self._until_clear(going, CONFIRMING)
        for place, run in enumerate(going):
            pairs = [
                self._trials(ran, 2 * pair, place, bool(serial_first[place]), ("serial", "parallel"))
                for pair, serial_first in enumerate(coins[:-1])
            ]
            needed = self._enough(self._blocks[run], pairs, before[place])
            self._blocks[run] += [
                as_block(pair, before[place], self._reaches[run][-1]) for pair in pairs[:needed]
            ]
            self._saved[run] += ran.wall[2 * needed : 2 * self._pairs, place].sum()
            self._saved[run] += 2 * (self._pairs - needed) * GAP * self._fleet.crowding

    def _enough(self, blocks: Sequence[Block], pairs: Sequence[dict[Arm, Trial]], before: Reach) -> int:
        """How many pairs of a bracket are made, as in Bench.bracket: no more than are enough, as far as can be told."""
        so_far = list(blocks)
        for count, pair in enumerate(pairs, 1):
            so_far.append(as_block(pair, before, before))
            if count == len(pairs) or settle(so_far, BARS, self._machine.usable):
                break
        return count

    def _add_reaches(self, going: Counts, ran: Ran, at: int, one_first: Flags) -> None:
        for place, run in enumerate(going):
            trials = self._trials(ran, at, place, bool(one_first[place]), ("serial", "parallel"))
            now = reach_of(trials["serial"], trials["parallel"], self._machine.workers)
            self._reaches[run].append(now.steadied(self._measured[run]))
            self._measured[run].append(now)

    def _trials(self, ran: Ran, at: int, run: int, forward: bool, arms: tuple[Arm, Arm]) -> dict[Arm, Trial]:
        """The two trials from number `at` on, in the order in which they ran."""
        order = arms if forward else arms[::-1]
        return {arm: self._trial(ran, at + number, run, arm) for number, arm in enumerate(order)}

    def _trial(self, ran: Ran, at: int, run: int, arm: Arm) -> Trial:
        own, *others = ran.cpu[at, :, run].tolist()
        free = (FreeTime(float(ran.free[at, run]), float(ran.seen[at, run]), float(ran.others[at, run])),)
        return Trial(
            arm=arm,
            ending="done",
            seconds=(float(ran.wall[at, run]),),
            cpu=(own, *(seconds for seconds in others if seconds > 0)),
            free=free if self._clock == "free" else (),
        )

    def _coins(self, count: int) -> Flags:
        return self._dice.random(count) < 0.5


def _in_order(forward: Flags, first: int, second: int | Counts) -> Counts:
    """A schedule of two programs, each run's in the order that its coin says."""
    return np.stack([np.where(forward, first, second), np.where(forward, second, first)])


def _same(programs: Sequence[int], runs: int) -> Counts:
    return np.tile(np.array(programs)[:, None], (1, runs))
