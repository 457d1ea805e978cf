"""A processor-sharing scheduler for many simulated runs at once.

    run(fleet, programs, schedule) -> Ran

Steps of 5 ms at most, which end where something happens: a task is done, a neighbour comes or goes, a quota is used
up. Within a step the runnable threads of a CPU share it by weight, as a fair scheduler does in the long run. A thread
that wakes goes to the CPU that promises most; a CPU that falls idle takes the thread that has least; now and then one
moves from the fullest CPU to the emptiest. A thread's share is what Linux accounts as run, the rest as wait, also
where a quota is used up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from benchmarks.verdict import cpus
from benchmarks.verdict.accounts import Accounts, Ran
from benchmarks.verdict.demand import Program
from benchmarks.verdict.graph import SOON, Graph
from benchmarks.verdict.rows import PERIOD, Fleet, Trials
from benchmarks.verdict.tables import Counts, Flags, Numbers, Tables

_STEP = 0.005  # seconds at most; also how long CPython lets a thread have the interpreter's lock
_MOVES = 0.03  # seconds between two moves from the fullest to the emptiest CPU, on average
_ASKS = 0.5  # the part of the time in which a thread without the interpreter's lock asks for it
_DROP = 0.2  # the part of the runs that are through, from which on they are dropped
_TINY = 1e-9


def run(fleet: Fleet, programs: Sequence[Program], schedule: Counts) -> Ran:
    """Run trials one after the other; `schedule` (trials, runs) has the index of each one's program."""
    return _Course(fleet, Tables(programs, fleet.machine.t_serial), schedule).to_the_end()


class _Course:
    """One schedule under way. Runs that are through are dropped now and then, and their machines go back."""

    def __init__(self, fleet: Fleet, tables: Tables, schedule: Counts) -> None:
        runs = schedule.shape[1]
        self._whole, self._tables, self._machine, self._dice = fleet, tables, fleet.machine, fleet.dice
        self._now = fleet.taken(np.arange(runs))
        self._at = Trials(tables.threads, self._now)
        self._weight = cpus.weights(tables.threads, self._machine.busy)
        self._accounts = Accounts(self._machine, tables, schedule.shape)
        self._graph = Graph(tables, schedule, self._weight, self._accounts)
        self._graph.begin(np.arange(runs), self._at, self._now)
        self._graph.happen(np.arange(runs), self._at, self._now)

    def to_the_end(self) -> Ran:
        at, fleet = self._at, self._now
        while len(at.row):
            self._graph.happen(self._step(), at, fleet)
            if at.through.mean() > _DROP:
                self._whole.put(at.row[at.through], fleet.taken(np.flatnonzero(at.through)))
                stay = ~at.through
                fleet.keep(stay)
                at.keep(stay)
        return self._accounts.ran

    def _step(self) -> Counts:
        """One step of each run; those in which something happens at its end."""
        at, fleet, machine = self._at, self._now, self._machine
        ready = at.left > 0
        runs = ready & self._may_run(ready)
        active = np.concatenate([runs, fleet.on])
        pace = fleet.speed() * cpus.pace(fleet.on, machine.cpus)
        moment = cpus.moment(machine, active, at.home, self._weight, pace)
        rate, share = moment.rate[: len(ready)], moment.share[: len(ready)]
        seconds = self._until_next(rate, share)
        at.left = np.where(runs, at.left - rate * seconds, at.left)
        at.left[at.left < _TINY] = 0.0
        at.ran += share * seconds
        at.waited += (self._wants(ready, runs) - share) * seconds
        at.idle += (moment.load == 0).sum(axis=0) * seconds
        fleet.move_on(seconds, share.sum(axis=0) * seconds)
        at.last = np.where(runs, fleet.now, at.last)
        cpus.pull(machine, moment, active, at.home)
        uneven = (moment.load.max(axis=0) > 1) & (self._dice.random(len(seconds)) < seconds / _MOVES)
        cpus.push(moment, active, at.home, np.flatnonzero(uneven), self._dice)
        self._accounts.close_full_windows(at, fleet)
        done = (runs & (at.left == 0)).any(axis=0)
        woken = ((at.ready <= fleet.now + SOON) & (at.ready > fleet.now - seconds)).any(axis=0)
        return np.flatnonzero(done | woken)

    def _may_run(self, ready: Flags) -> Flags:
        """Not where the quota is used up; of those that share a lock, one for each step."""
        may = np.ones_like(ready)
        if self._machine.quota is not None:
            may &= self._now.used < self._machine.quota * PERIOD - _TINY
        if self._tables.lock.any():
            holder = (ready * self._dice.random(ready.shape)).argmax(axis=0)
            may &= ~self._at.lock | (np.arange(len(ready))[:, None] == holder)
        return may

    def _wants(self, ready: Flags, runs: Flags) -> Numbers:
        """How much each thread wants a CPU (0 to 1); one without the lock wants it to ask, where neighbours are on."""
        if not self._tables.lock.any():
            return ready.astype(float)
        asking = ready & ~runs & self._at.lock & self._now.on.any(axis=0)
        return np.where(asking, _ASKS, ready & (runs | ~self._at.lock))

    def _until_next(self, rate: Numbers, share: Numbers) -> Numbers:
        """Seconds until something happens in each run, a step at most; none where a run is through."""
        at, fleet, quota = self._at, self._now, self._machine.quota
        seconds = np.minimum(fleet.until_change(), _STEP)
        with np.errstate(divide="ignore", invalid="ignore"):
            done = np.where(rate > 0, at.left / rate, math.inf).min(axis=0)
            if quota is not None:
                drawn = share.sum(axis=0)
                spent = np.where(drawn > 0, (quota * PERIOD - fleet.used) / drawn, math.inf)
                seconds = np.minimum(seconds, spent)
        waking = np.where(at.ready > fleet.now, at.ready - fleet.now, math.inf).min(axis=0)
        seconds = np.minimum(np.minimum(seconds, done), waking)
        return np.where(at.through, 0.0, np.maximum(seconds, _TINY))
