"""Two rules that others mark a speedup by, on the same machines, by the wall clock.

- Best of 3: serial and parallel three times each, the fastest of each; the speedup must be 1.5.
- CS149 (Stanford, assignment 2): the instructor's parallel program and the submission in turn, five times each; the
  submission's fastest may take 1.2 times the other's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.verdict import course, demand
from benchmarks.verdict.demand import Program
from benchmarks.verdict.machines import Machine
from benchmarks.verdict.rows import Fleet
from benchmarks.verdict.tables import Flags, Numbers
from grader.model import Block

_THREE, _BAR = 3, 1.5
_FIVE, _TIMES = 5, 1.2


@dataclass(frozen=True)
class Passes:
    """How many of `runs` each rule lets pass."""

    runs: int
    best_of_3: int
    cs149: int


def simulated(machine: Machine, programs: Sequence[Program], runs: int, seed: Sequence[int]) -> list[Passes]:
    """What both rules say of each program on so many simulated machines."""
    fleet = Fleet(machine, runs * len(programs), np.random.default_rng(seed))
    which = np.repeat(np.arange(len(programs)), runs)
    all_of_them = (*programs, demand.baseline(), demand.reference(machine))
    serial, reference = (np.full_like(which, len(programs) + number) for number in range(2))
    best = _best_of_3(course.run(fleet, all_of_them, np.stack([serial, which] * _THREE)).wall)
    cs149 = _cs149(course.run(fleet, all_of_them, np.stack([reference, which] * _FIVE)).wall)
    return [
        Passes(runs, int(best[which == n].sum()), int(cs149[which == n].sum())) for n in range(len(programs))
    ]


def recorded(runs: Sequence[Sequence[Block]]) -> Passes:
    """What both rules would say of measurements that were recorded as blocks.

    There the instructor's program did not run in turn with the submission; perfectly parallel work stands in for it,
    at the reach that the calibrations around each block showed.
    """
    three = [run[:_THREE] for run in runs if len(run) >= _FIVE]
    five = [run[:_FIVE] for run in runs if len(run) >= _FIVE]
    best = [
        _best_of_3(_columns([(w.t_serial, w.t_parallel) for b in run if (w := b.wall or b)])) for run in three
    ]
    cs149 = [
        _cs149(_columns([(w.t_serial / w.reach, w.t_parallel) for b in run if (w := b.wall or b)]))
        for run in five
    ]
    return Passes(len(five), int(np.sum(best)), int(np.sum(cs149)))


def _best_of_3(walls: Numbers) -> Flags:
    """`walls` (trials, runs): serial and parallel in turn."""
    passed: Flags = walls[::2].min(axis=0) / walls[1::2].min(axis=0) >= _BAR
    return passed


def _cs149(walls: Numbers) -> Flags:
    """`walls` (trials, runs): the instructor's program and the submission in turn."""
    passed: Flags = walls[1::2].min(axis=0) <= _TIMES * walls[::2].min(axis=0)
    return passed


def _columns(pairs: Sequence[tuple[float, float]]) -> Numbers:
    return np.array([seconds for pair in pairs for seconds in pair])[:, None]
