"""How programs go on: phases end, the next begins, its tasks are handed out, and the next trial begins."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.verdict import cpus
from benchmarks.verdict.accounts import Accounts
from benchmarks.verdict.rows import Fleet, Trials
from benchmarks.verdict.tables import Counts, Flags, Numbers, Tables

GAP = 0.06  # seconds from one trial to the next where nobody is: making inputs, comparing answers, ending processes
_SLOW = math.log(0.1), 1.2  # of the lognormal seconds that a slow start waits
SOON = 1e-9  # seconds that are none


class Graph:
    """The demand graphs of a schedule's programs. All methods change the trials `at` hand, of these runs."""

    def __init__(self, tables: Tables, schedule: Counts, weight: Numbers, accounts: Accounts) -> None:
        self._tables, self._schedule, self._weight, self._accounts = tables, schedule, weight, accounts

    def happen(self, runs: Counts, at: Trials, fleet: Fleet) -> None:
        """All that happens at this moment in these runs, until nothing more does."""
        while len(runs):
            for thread in range(self._tables.threads):
                self._hand_out(thread, runs, at, fleet)
            runs = runs[_over(runs, at, fleet)]
            if len(runs):
                self._next_phase(runs, at, fleet)

    def begin(self, runs: Counts, at: Trials, fleet: Fleet) -> None:
        """The next trial of each of these runs; the last one's end is in the accounts."""
        at.trial[runs] += 1
        at.through[runs] = at.trial[runs] == len(self._schedule)
        runs = runs[~at.through[runs]]
        fleet.pass_time(runs, GAP * fleet.crowding)
        prog = self._schedule[at.trial[runs], at.row[runs]]
        at.begin(runs, prog, self._tables.noise[prog], fleet)

    def _next_phase(self, runs: Counts, at: Trials, fleet: Fleet) -> None:
        tables = self._tables
        at.phase[runs] += 1
        last = at.phase[runs] == tables.phases[at.prog[runs]]
        self._accounts.record(runs[last], at, fleet)
        self.begin(runs[last], at, fleet)
        runs = runs[~last]
        here = at.prog[runs], at.phase[runs]
        at.taken[runs], at.count[runs] = 0, tables.count[here]
        at.first[runs], at.lock[runs], at.member[:, runs] = (
            tables.first[here],
            tables.lock[here],
            tables.member[here].T,
        )
        at.wake[runs] = fleet.now[runs] + tables.sleep[here]
        at.ready[:, runs] = at.wake[runs]
        self._start_slowly(runs[at.first[runs] > 0], at, fleet)

    def _start_slowly(self, runs: Counts, at: Trials, fleet: Fleet) -> None:
        """Some of the workers that start in this phase wait first; those that have started before don't."""
        machine, dice = fleet.machine, fleet.dice
        if machine.slow_starts:
            slow = dice.random((self._tables.threads, len(runs))) < machine.slow_starts
            slow &= at.owed[:, runs] > 0
            at.ready[:, runs] += slow * dice.lognormal(*_SLOW, slow.shape)

    def _hand_out(self, thread: int, runs: Counts, at: Trials, fleet: Fleet) -> None:
        """This thread takes the next task where it can; its first one comes with what starting it costs."""
        idle = at.member[thread, runs] & (at.left[thread, runs] == 0)
        there = at.ready[thread, runs] <= fleet.now[runs] + SOON
        runs = runs[idle & there & (at.taken[runs] < at.count[runs])]
        if not len(runs):
            return
        self._find_cpu(thread, runs[at.last[thread, runs] < fleet.now[runs]], at, fleet)
        task = self._tables.work[at.prog[runs], at.phase[runs], at.taken[runs]]
        at.left[thread, runs] = (task + at.owed[thread, runs] * at.first[runs]) * at.factor[runs]
        at.owed[thread, runs] *= at.first[runs] == 0
        at.taken[runs] += 1

    def _find_cpu(self, thread: int, runs: Counts, at: Trials, fleet: Fleet) -> None:
        """It did not run until now: the best CPU is where it wakes."""
        wanted = np.concatenate([at.left[:, runs] > 0, fleet.on[:, runs]]) * self._weight
        home = at.home[:, runs]
        load = np.stack([(wanted * (home == cpu)).sum(axis=0) for cpu in range(fleet.machine.cpus)])
        at.home[thread, runs] = cpus.best_cpu(fleet.machine, load)[0]


def _over(runs: Counts, at: Trials, fleet: Fleet) -> Flags:
    """The phase at hand is over: nothing left to hand out, to do, or to sleep."""
    done = (at.taken[runs] >= at.count[runs]) & ~at.left[:, runs].any(axis=0)
    return done & (at.wake[runs] <= fleet.now[runs] + SOON) & ~at.through[runs]
