"""Time free of neighbours: what a run would have taken with the cores to itself. Pure: counters in, seconds out.

    counters of each thread, every few milliseconds (grader.measure.watch)
      -> Window   100 ms of it: how long each thread ran, and how long it was ready to run but waited for a core
      -> lost     the share of the window that others took
      -> free_time  the windows less what was lost, bounded by the laws of work and span

In a window of d seconds, with C usable cores, r = sum of running / d, q = sum of waiting / d, D = r + q:

    gap  = q                      if D < 1      less than one thread was ready on average
           max(0, min(C, D) - r)  otherwise     without neighbours min(C, D) threads would have run
    lost = gap if D < 1 else gap / (r + gap)
    T_free = min(T_wall, max(sum of d (1 - lost), U / C, u_max))

U are the CPU seconds of the whole tree and u_max those of its busiest thread: no schedule on C cores is shorter
(Brent 1974; Blumofe and Leiserson 1999). Sleeping and waiting for a lock, a queue or a disk is no waiting for a core,
so it counts in full. A program's own surplus processes wait for each other: D > C gives r / C, and nothing is gained.

What guards it against being fooled stands at each step: nobody can have taken more than somebody else really ran, wait
counts only with work beside it, and threads that wait for the interpreter's lock are one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Share:
    """What one thread did in a window, in seconds: it ran, it was ready and waited. `process` is its process."""

    process: int
    ran: float
    waited: float


@dataclass(frozen=True)
class Window:
    """`seconds` of a run: the threads of its tree, and the CPUs of its mask that were idle on average."""

    seconds: float
    threads: tuple[Share, ...]
    idle: float


def lost(window: Window, cores: float, mask: int) -> float:
    """The share of this window (0 to 1) that others took from a program on `cores` of the `mask` CPUs."""
    process, ran, waited = _columns(window)
    return float(shares_lost(process, ran, waited, np.array([window.seconds]), window.idle, cores, mask)[0])


def shares_lost(
    process: Sequence[int],
    ran: Numbers,
    waited: Numbers,
    seconds: Numbers,
    idle: Numbers | float,
    cores: float,
    mask: int,
) -> Numbers:
    """`lost` of many windows at once.

    `ran` and `waited` have a row for each thread, whose process `process` names, and a column for each window;
    `seconds` and `idle` have a number for each window.
    """
    if not len(process):
        return np.zeros(len(seconds))
    waited = _one_lock_a_process(process, ran, waited, seconds)
    r, q = ran.sum(axis=0) / seconds, waited.sum(axis=0) / seconds
    demand = r + q
    others = np.maximum(0.0, mask - idle - r)
    gap = np.minimum(others, np.where(demand < 1, q, np.maximum(0.0, np.minimum(cores, demand) - r)))
    told = (r > 0) & (q > 0)
    some = np.where(told, r, 1.0)
    share = np.where(demand < 1, gap, gap / (some + gap))
    # A thread that only waits did not want a core for work: its wait counts as far as it ran, too.
    both = np.where(ran > 0, ran + waited, 1.0)
    worth = (ran * waited / both).sum(axis=0) / (some * seconds)
    return np.where(told, np.minimum(np.minimum(share, worth), 1.0), 0.0)


def free_time(
    windows: Sequence[Window], wall: float, cores: float, mask: int, used: float, busiest: float
) -> float:
    """T_free in seconds, of a run that took `wall` seconds by the clock.

    `used` are the CPU seconds of the whole tree, `busiest` those of its busiest thread.
    """
    left = sum(window.seconds * (1 - lost(window, cores, mask)) for window in windows)
    return float(within_laws(left, wall, cores, used, busiest))


def within_laws(
    left: Numbers | float,
    wall: Numbers | float,
    cores: float,
    used: Numbers | float,
    busiest: Numbers | float,
) -> Numbers:
    """T_free, of what is `left` of the windows: never above the clock, nor below the laws of work and span."""
    return np.minimum(wall, np.maximum(np.maximum(left, used / cores), busiest))


def others_used(windows: Sequence[Window], mask: int, used: float) -> float:
    """The CPUs that others kept busy meanwhile, on average (0 to `mask`).

    `used` are the CPU seconds of the whole tree: what sampling missed of it is not the others'.
    """
    seconds = sum(w.seconds for w in windows)
    busy = sum(w.seconds * (mask - w.idle) for w in windows)
    return max(0.0, busy - used) / seconds if seconds > 0 else 0.0


def _columns(window: Window) -> tuple[list[int], Numbers, Numbers]:
    """The threads' processes, and two columns of seconds: they ran, they waited."""
    threads = window.threads
    process = [thread.process for thread in threads]
    return process, np.array([[t.ran] for t in threads]), np.array([[t.waited] for t in threads])


def _one_lock_a_process(process: Sequence[int], ran: Numbers, waited: Numbers, seconds: Numbers) -> Numbers:
    """Threads of one process share the interpreter's lock: all of them together can't have wanted more than one core.

    A thread that wakes to ask for the lock waits for a core first; without this it would look like demand. A process
    whose threads ran for longer than the window shows that they don't need the lock. Their waits, as far as they count.
    """
    counted = waited.astype(float)
    for one in set(process):
        own = [row for row, its in enumerate(process) if its == one]
        if len(own) == 1:
            continue
        together, most = waited[own].sum(axis=0), np.maximum(0.0, seconds - ran[own].sum(axis=0))
        too_much = (together > most) & (ran[own].sum(axis=0) <= 1.05 * seconds)
        counted[own] *= np.where(too_much, most / np.where(too_much, together, 1.0), 1.0)
    return counted
