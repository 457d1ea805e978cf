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


def simulated(machine: Machine, program: Program, runs: int, seed: Sequence[int]) -> Passes:
    """What both rules say of a program on so many simulated machines."""
    dice = np.random.default_rng(seed)
    reference = demand.reference(machine.workers, machine.start_share)
    alternating = np.array([0, 1] * _THREE), np.array([2, 1] * _FIVE)
    fleet = Fleet(machine, runs, dice)
    walls = [
        course.run(fleet, (demand.baseline(), program, reference), np.tile(order[:, None], (1, runs))).wall
        for order in alternating
    ]
    return Passes(runs, int(_best_of_3(walls[0]).sum()), int(_cs149(walls[1]).sum()))


def recorded(runs: Sequence[Sequence[Block]]) -> Passes:
    """What both rules would say of measurements that were recorded as blocks.

    There the instructor's program did not run in turn with the submission; perfectly parallel work stands in for it,
    at the reach that the calibrations around each block showed.
    """
    three = [run[:_THREE] for run in runs if len(run) >= _FIVE]
    five = [run[:_FIVE] for run in runs if len(run) >= _FIVE]
    best = [_best_of_3(_columns([(w.t_serial, w.t_parallel) for b in run if (w := b.wall or b)])) for run in three]
    cs149 = [
        _cs149(_columns([(w.t_serial / w.reach, w.t_parallel) for b in run if (w := b.wall or b)])) for run in five
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
