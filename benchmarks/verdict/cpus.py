"""Who runs where, and how fast: one moment of many simulated machines. Pure; each array's last axis is the run.

Threads are rows: ours first, then the neighbours'. `home` is each thread's CPU, `active` whether it wants to run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.verdict.machines import Machine
from benchmarks.verdict.tables import Counts, Flags, Numbers

WEIGHT = 1.2  # of a neighbour, where ours is 1
_CACHE = 0.05  # speed that each neighbour takes by emptying caches, on 2 CPUs
_BETTER = 1.1  # a thread moves to an idle CPU that promises it so many times what it has


@dataclass(frozen=True)
class Moment:
    """`load`: weight of the threads on each CPU; `share` of it (0 to 1) and `rate` (work per second) by thread."""

    load: Numbers
    share: Numbers
    rate: Numbers


def weights(own: int, neighbours: int) -> Numbers:
    """A column: how much of a CPU a thread gets beside others."""
    return np.array([1.0] * own + [WEIGHT] * neighbours)[:, None]


def moment(machine: Machine, active: Flags, home: Counts, weight: Numbers, pace: Numbers) -> Moment:
    """The shares and rates of all threads now. `pace` is each run's own factor on every CPU's speed."""
    wanted = active * weight
    load = np.stack([(wanted * (home == cpu)).sum(axis=0) for cpu in range(machine.cpus)])
    speed = np.array(machine.speeds)[:, None] * pace
    busy = load > 0
    if machine.paired:
        speed = speed * np.where(_siblings(busy), machine.smt, 1.0)
    if machine.turbo:
        speed = speed * (1 + machine.turbo * (1 - (busy.sum(axis=0) - 1) / (machine.cpus - 1)))
    at = home * active.shape[1] + np.arange(active.shape[1])
    share = wanted / np.maximum(load.take(at), 1.0)  # a thread that wants to run weighs 1 at least
    return Moment(load, share, share * speed.take(at))


def pace(on: Flags, cpus: int) -> Numbers:
    """What the neighbours that are on leave of the speed: each takes a little of the caches."""
    return 1 - _CACHE * on.sum(axis=0) * 2 / cpus


def best_cpu(machine: Machine, load: Numbers) -> tuple[Counts, Numbers]:
    """The CPU that promises most to one more thread, and what it promises (of a CPU at speed 1)."""
    promise = np.array(machine.speeds)[:, None] / (load + 1)
    if machine.paired:
        promise = promise * np.where(_siblings(load > 0), machine.smt, 1.0)
    return promise.argmax(axis=0), promise.max(axis=0)


def pull(machine: Machine, now: Moment, active: Flags, home: Counts) -> None:
    """An idle CPU takes the thread that has least, where that gains it something: changes `home`."""
    idle = np.where(now.load > 0, np.inf, now.load)
    runs = np.flatnonzero((idle == 0).any(axis=0) & active.any(axis=0))
    if not len(runs):
        return
    cpu, promise = best_cpu(machine, idle[:, runs])
    rate = np.where(active[:, runs], now.rate[:, runs], np.inf)
    thread = rate.argmin(axis=0)
    gains = promise > _BETTER * rate[thread, np.arange(len(runs))]
    home[thread[gains], runs[gains]] = cpu[gains]


def push(now: Moment, active: Flags, home: Counts, runs: Counts, dice: np.random.Generator) -> None:
    """In these runs a thread moves from the fullest CPU to the emptiest: changes `home`."""
    load = now.load[:, runs]
    full, empty = load.argmax(axis=0), load.argmin(axis=0)
    there = active[:, runs] & (home[:, runs] == full)
    thread = (there * dice.random(there.shape)).argmax(axis=0)
    moves = there.sum(axis=0) >= 2
    home[thread[moves], runs[moves]] = empty[moves]


def _siblings(busy: Flags) -> Flags:
    """Whether the other thread of each CPU's core is busy."""
    pairs = busy.reshape(len(busy) // 2, 2, busy.shape[1])
    return pairs[:, ::-1].reshape(busy.shape)
