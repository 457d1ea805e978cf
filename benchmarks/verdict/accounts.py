"""What a watch sees of simulated trials, and what the product's own arithmetic makes of it (grader.measure.free)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.verdict.machines import Machine
from benchmarks.verdict.rows import Fleet, Trials
from benchmarks.verdict.tables import Counts, Numbers, Tables
from grader.measure.free import shares_lost, within_laws

_WINDOW = 0.1  # seconds of a window
_TICK = 0.01  # seconds: what the idle time of CPUs is counted in (proc(5), stat)
_SAMPLED = 0.005  # seconds of a worker's end that sampling misses at most
_TINY = 1e-9


@dataclass(frozen=True)
class Ran:
    """What the trials of a schedule showed, each (trials, runs), in seconds; `cpu` (trials, processes, runs).

    `free` is the time free of neighbours, `seen` the share of the CPU seconds that sampling saw, `others` the CPUs
    that others kept busy.
    """

    wall: Numbers
    free: Numbers
    seen: Numbers
    others: Numbers
    cpu: Numbers


class Accounts:
    """Closes windows while trials run, and records what they came to."""

    def __init__(self, machine: Machine, tables: Tables, shape: tuple[int, ...]) -> None:
        trials, runs = shape
        self._machine, self._tables = machine, tables
        self.ran = Ran(*np.zeros((4, trials, runs)), np.zeros((trials, tables.threads, runs)))

    def close_full_windows(self, at: Trials, fleet: Fleet) -> None:
        self._close(np.flatnonzero(fleet.now - at.since >= _WINDOW), at, fleet)

    def record(self, runs: Counts, at: Trials, fleet: Fleet) -> None:
        """These trials end now."""
        self._close(runs, at, fleet)
        place = at.trial[runs], at.row[runs]
        ran = at.ran[:, runs]
        used, wall = ran.sum(axis=0), fleet.now[runs] - at.begun[runs]
        missed = (ran[1:] > 0) * fleet.dice.uniform(0, _SAMPLED, ran[1:].shape)
        self.ran.wall[place] = wall
        self.ran.free[place] = within_laws(at.free[runs], wall, self._machine.usable, used, ran.max(axis=0))
        self.ran.seen[place] = np.maximum(0.0, 1 - missed.sum(axis=0) / np.maximum(used, _TINY))
        # As grader.measure.free.others_used has it.
        self.ran.others[place] = np.maximum(0.0, at.busy[runs] - used) / np.maximum(wall, _TINY)
        for thread, seconds in enumerate(ran):
            process = self._tables.process[at.prog[runs], thread]
            np.add.at(self.ran.cpu, (place[0], process, place[1]), seconds)

    def _close(self, runs: Counts, at: Trials, fleet: Fleet) -> None:
        """A window ends: what others took of it. The idle time is read in ticks."""
        machine, way = self._machine, self._tables.way[at.prog[runs]]
        for number, process in enumerate(self._tables.maps.tolist()):
            its = runs[way == number]
            if not len(its):
                continue
            seconds = np.maximum(fleet.now[its] - at.since[its], _TINY)
            ran = (at.ran[:, its] - at.ran_before[:, its]).clip(0.0)
            waited = (at.waited[:, its] - at.waited_before[:, its]).clip(0.0)
            ticks = fleet.dice.uniform(-_TICK, _TICK, len(its)) * machine.cpus**0.5
            idle = np.clip((at.idle[its] + ticks) / seconds, 0.0, machine.cpus)
            lost = shares_lost(process, ran, waited, seconds, idle, machine.usable, machine.cpus)
            at.free[its] += seconds * (1 - lost)
            at.busy[its] += seconds * (machine.cpus - idle)
        at.ran_before[:, runs], at.waited_before[:, runs] = at.ran[:, runs], at.waited[:, runs]
        at.idle[runs], at.since[runs] = 0.0, fleet.now[runs]
