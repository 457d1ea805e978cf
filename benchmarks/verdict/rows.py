"""What is known of each simulated run: its machine between trials, and the trial that is under way.

Every array's last axis is the run; `keep` drops the runs that need no more.
"""

from __future__ import annotations

import copy
import math
from typing import Any, Self

import numpy as np

from benchmarks.verdict.cpus import WEIGHT
from benchmarks.verdict.machines import Machine
from benchmarks.verdict.tables import Counts, Flags, Numbers

#: Seconds of a quota's period (the default of CFS bandwidth control).
PERIOD = 0.1
_STALL = 0.1  # seconds that a stalled trial stalls, on average


class Rows:
    """A set of arrays with a column for each run."""

    def keep(self, which: Flags) -> None:
        for name, values in self._arrays():
            setattr(self, name, values[..., which])

    def taken(self, which: Counts) -> Self:
        """A copy with the columns of these runs alone."""
        part = copy.copy(self)
        for name, values in self._arrays():
            setattr(part, name, values[..., which])
        return part

    def put(self, which: Counts, part: Self) -> None:
        """These runs' columns are those of `part` from now on."""
        for name, values in self._arrays():
            values[..., which] = getattr(part, name)

    def _arrays(self) -> list[tuple[str, np.ndarray[Any, Any]]]:
        return [(name, values) for name, values in vars(self).items() if isinstance(values, np.ndarray)]


class Fleet(Rows):
    """`runs` machines of one kind; `now` is each one's clock (seconds), `toggle` when each neighbour's mood changes."""

    def __init__(self, machine: Machine, runs: int, dice: np.random.Generator) -> None:
        self.machine, self.dice = machine, dice
        shape = machine.busy, runs
        self.now: Numbers = np.zeros(runs)
        self.on: Flags = dice.random(shape) < self._lit
        self.toggle: Numbers = np.full(shape, math.inf)
        self.refill: Numbers = dice.random(runs) * PERIOD
        self.used: Numbers = np.zeros(runs)  # of the quota, since the last refill
        self.slope: Numbers = dice.choice([-1.0, 1.0], runs) * machine.drift / 60
        self.pass_time(np.arange(runs), 0.0)

    @property
    def _lit(self) -> float:
        """The part of the time in which a neighbour is on."""
        on, off = self.machine.on, self.machine.off
        return 1.0 if math.isinf(on) else on / (on + off)

    @property
    def crowding(self) -> float:
        """How many times longer one thread by itself takes, where there is a neighbour on every CPU."""
        return 1 + WEIGHT * self._lit * (self.machine.busy // self.machine.cpus)

    def pass_time(self, runs: Counts, seconds: float) -> None:
        """Nothing of ours runs meanwhile; bursting neighbours come and go, a chain of two states without memory."""
        machine, dice = self.machine, self.dice
        self.now[runs] += seconds
        if not math.isinf(machine.on):
            memory = math.exp(-seconds * (1 / machine.on + 1 / machine.off))
            on = self.on[:, runs]
            self.on[:, runs] = on = dice.random(on.shape) < self._lit + (on - self._lit) * memory
            mean = np.where(on, machine.on, machine.off)
            self.toggle[:, runs] = self.now[runs] + dice.exponential(mean)
        self._refill(runs)

    def _refill(self, runs: Counts) -> None:
        periods = np.ceil(np.maximum(0.0, self.now[runs] - self.refill[runs]) / PERIOD)
        self.refill[runs] += periods * PERIOD
        self.used[runs] = np.where(periods > 0, 0.0, self.used[runs])

    def move_on(self, seconds: Numbers, drawn: Numbers) -> None:
        """Time passes while ours run; `drawn` are their CPU seconds, which count against the quota."""
        self.now += seconds
        if not math.isinf(self.machine.on):
            due = self.toggle <= self.now + 1e-12
            self.on ^= due
            mean = np.where(self.on, self.machine.on, self.machine.off)
            self.toggle = np.where(due, self.now + self.dice.exponential(mean), self.toggle)
        if self.machine.quota is not None:
            self.used += drawn
            due_now = self.refill <= self.now + 1e-12
            self.used[due_now] = 0.0
            self.refill[due_now] += PERIOD

    def until_change(self) -> Numbers:
        """Seconds to the next change that is not of our making: a neighbour's mood, a quota's refill."""
        soon = self.toggle.min(axis=0, initial=math.inf) - self.now
        return np.minimum(soon, self.refill - self.now) if self.machine.quota is not None else soon

    def speed(self) -> Numbers:
        """The machine gets hot, or cools down: at most half of its speed is lost."""
        return np.maximum(0.5, 1 + self.slope * self.now)


class Trials(Rows):
    """The trial of each run that is under way; some arrays have a row for each of our threads.

    `row` is the run's place in the schedule, `through` whether its schedule is; moments and times are in seconds.
    """

    def __init__(self, threads: int, fleet: Fleet) -> None:
        runs = len(fleet.now)
        self.row: Counts = np.arange(runs)
        self.through: Flags = np.zeros(runs, dtype=bool)
        self.trial: Counts = np.full(runs, -1)
        self.prog, self.phase, self.taken, self.count = np.zeros((4, runs), dtype=np.int64)
        self.begun, self.since, self.wake = np.zeros((3, runs))  # the trial; a window; the end of a sleep
        self.idle, self.free, self.busy = np.zeros(
            (3, runs)
        )  # CPUs idle in a window; of the trial; CPUs busy
        self.factor, self.first = np.zeros((2, runs))  # on all work; the work of a worker's start
        self.left, self.ready, self.last, self.owed = np.zeros(
            (4, threads, runs)
        )  # work; moments; does it owe a start
        self.ran, self.waited, self.ran_before, self.waited_before = np.zeros((4, threads, runs))
        self.member: Flags = np.zeros((threads, runs), dtype=bool)  # of the phase at hand
        self.lock: Flags = np.zeros(runs, dtype=bool)
        self.home: Counts = fleet.dice.integers(fleet.machine.cpus, size=(threads + fleet.machine.busy, runs))

    def begin(self, runs: Counts, prog: Counts, noise: Numbers, fleet: Fleet) -> None:
        """These runs begin a trial of these programs, of that spread, now; some stall before their first phase."""
        machine, dice, size = fleet.machine, fleet.dice, len(runs)
        stalls = (dice.random(size) < machine.stalls) * dice.exponential(_STALL, size)
        self.prog[runs], self.phase[runs], self.taken[runs], self.count[runs] = prog, -1, 0, 0
        self.begun[runs] = self.since[runs] = fleet.now[runs]
        self.wake[runs] = self.ready[:, runs] = fleet.now[runs] + stalls
        self.factor[runs] = np.exp(dice.normal(0, np.hypot(machine.noise, noise)))
        for values in (self.idle, self.free, self.busy):
            values[runs] = 0.0
        for values in (self.left, self.ran, self.waited, self.ran_before, self.waited_before):
            values[:, runs] = 0.0
        self.last[:, runs], self.owed[:, runs], self.member[:, runs] = -1.0, 1.0, False
