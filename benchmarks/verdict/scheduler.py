"""A processor-sharing scheduler, many simulated runs at once: each array's last axis is the run.

    Fleet    so many machines of one kind, each with a clock, neighbours and noise of its own
    Course   one schedule of trials on them, in steps of 5 ms at most; a step ends where something happens
    Ran      what each trial showed: wall seconds, time free of neighbours, CPU seconds by process

Within a step the runnable threads of a CPU share it by weight, as a fair scheduler does in the long run. A thread that
wakes goes to the CPU that promises most; a CPU that falls idle takes a thread that has little; and now and then one
moves from a fuller CPU to an emptier one. A thread's share is what Linux would account as run, the rest as wait; what
these come to is computed by the product's own `grader.measure.free`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.verdict.demand import Program
from benchmarks.verdict.machines import Machine
from benchmarks.verdict.tables import Counts, Flags, Numbers, State, Tables
from grader.measure.free import shares_lost

_STEP, _WINDOW, _PERIOD = 0.005, 0.1, 0.1  # seconds: a step at most, a window of the watch, a quota's period
_SAMPLED = 0.005  # seconds of a thread's end that sampling misses at most
_MOVES = 0.03  # seconds between two moves from a fuller to an emptier CPU, on average
_WEIGHT = 1.2  # of a neighbour, where ours is 1
_SMT = 0.62  # the speed of a hardware thread whose sibling is busy
_CACHE = 0.05  # speed that each neighbour takes by emptying caches, on 2 CPUs
_GAP = 0.08  # seconds from one trial to the next: input, comparing, ending
_ASKS = 0.5  # the part of the time that a thread without the interpreter's lock asks for it
_TINY = 1e-9


@dataclass(frozen=True)
class Ran:
    """What the trials of a schedule showed, each (trials, runs); `cpu` (trials, processes, runs) in seconds."""

    wall: Numbers
    free: Numbers
    cpu: Numbers
    seen: Numbers
    others: Numbers


class Fleet(State):
    """`runs` machines of one kind; `now` is each one's clock in seconds."""

    def __init__(self, machine: Machine, runs: int, dice: np.random.Generator) -> None:
        count = machine.busy
        self.machine, self.dice = machine, dice
        self.now: Numbers = np.zeros(runs)
        lit = 1.0 if math.isinf(machine.on) else machine.on / (machine.on + machine.off)
        self.on: Flags = dice.random((count, runs)) < lit
        self.toggle: Numbers = np.full((count, runs), math.inf)
        self.home: Counts = dice.integers(machine.cpus, size=(count, runs))
        self.refill: Numbers = dice.random(runs) * _PERIOD
        self.slope: Numbers = dice.choice([-1.0, 1.0], runs) * machine.drift / 60
        self.pass_time(0.0)

    def pass_time(self, seconds: Numbers | float) -> None:
        """Nothing of ours runs meanwhile; bursting neighbours come and go, a chain of two states without memory."""
        machine = self.machine
        self.now = self.now + seconds
        if not math.isinf(machine.on):
            lit = machine.on / (machine.on + machine.off)
            memory = np.exp(-seconds * (1 / machine.on + 1 / machine.off))
            self.on = self.dice.random(self.on.shape) < lit + (self.on - lit) * memory
            mean = np.where(self.on, machine.on, machine.off)
            self.toggle = self.now + self.dice.exponential(mean)
        missed = np.ceil(np.maximum(0.0, self.now - self.refill) / _PERIOD)
        self.refill = self.refill + missed * _PERIOD

    def run(self, programs: Sequence[Program], schedule: Counts) -> Ran:
        """Run trials one after the other: `schedule` (trials, runs) has the index of each one's program."""
        return Course(self, programs, schedule).to_the_end()


class Course(State):
    """One schedule of trials under way. `_t` arrays have a row for each of our threads, then for each neighbour."""

    def __init__(self, fleet: Fleet, programs: Sequence[Program], schedule: Counts) -> None:
        self._fleet, self._machine, self._dice = fleet, fleet.machine, fleet.dice
        self._tables = Tables(programs, self._machine.t_serial)
        trials, runs = schedule.shape
        own = self._tables.threads
        self._own, self._trials = own, trials
        blank = np.zeros((trials, runs))
        self._ran_out = Ran(blank, blank.copy(), np.zeros((trials, own, runs)), blank.copy(), blank.copy())
        self._weight = np.array([1.0] * own + [_WEIGHT] * self._machine.busy)[:, None]
        self.row = np.arange(runs)
        self.schedule = schedule
        self.trial = np.full(runs, -1)
        self.now, self.slope, self.refill = fleet.now.copy(), fleet.slope, fleet.refill.copy()
        self.on, self.toggle = fleet.on.copy(), fleet.toggle.copy()
        self.home_t: Counts = np.concatenate([np.zeros((own, runs), dtype=np.int64), fleet.home])
        for name in ("prog", "phase", "taken", "count"):
            setattr(self, name, np.zeros(runs, dtype=np.int64))
        for name in ("factor", "begun", "since", "wake", "used", "idle", "left_free", "others", "first"):
            setattr(self, name, np.zeros(runs))
        for name in ("left", "ready", "ran", "waited", "ran_mark", "waited_mark"):
            setattr(self, name, np.zeros((own, runs)))
        self.member: Flags = np.zeros((own, runs), dtype=bool)
