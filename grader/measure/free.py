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

The system tells a wait when it ends. A thread that was kept from the cores for longer than a window is starved: its
wait is put back into the windows in which it happened.

What guards it against being fooled stands at each step: nobody can have taken more than somebody else really ran,
wait counts only with work beside it, and threads that wait for the interpreter's lock are one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Share:
    """What a thread of a process did in a window, in seconds: it ran, it was ready and waited.

    `early` is the part of what it waited that lies before the window: a wait is told when it ends.
    """

    process: int
    thread: int
    ran: float
    waited: float
    early: float = 0.0


@dataclass(frozen=True)
class Window:
    """`seconds` of a run: the threads of its tree, and the CPUs of its mask that were idle on average."""

    seconds: float
    threads: tuple[Share, ...]
    idle: float


@dataclass(frozen=True)
class Accounts:
    """The windows of a run as columns: a row for each thread, a column for each window, in seconds.

    `process` names the process of each row; `starved` is wait in one piece that went on when the window ended, and
    `works` the share of a thread's whole time, running and ready, that it ran.
    """

    process: Sequence[int]
    ran: Numbers
    waited: Numbers
    starved: Numbers
    works: Numbers


def accounts(windows: Sequence[Window]) -> Accounts:
    """The threads of a run over its windows, with each wait where it happened."""
    rows: dict[tuple[int, int], int] = {}
    for window in windows:
        for share in window.threads:
            rows.setdefault((share.thread, share.process), len(rows))
    ran, waited, starved = np.zeros((3, len(rows), len(windows)))
    for column, window in enumerate(windows):
        for share in window.threads:
            row = rows[share.thread, share.process]
            ran[row, column] += share.ran
            waited[row, column] += share.waited - share.early
            _put_back(share.early, [w.seconds for w in windows], ran[row], waited[row], starved[row], column)
    total = (ran + waited + starved).sum(axis=1)
    works = ran.sum(axis=1) / np.where(total > 0, total, 1.0)
    return Accounts([process for _, process in rows], ran, waited, starved, works)


def _put_back(
    early: float, seconds: Sequence[float], ran: Numbers, waited: Numbers, starved: Numbers, end: int
) -> None:
    """Put a wait of one thread that ended in window `end` into those before it: back to where the thread ran."""
    while early > 0 and end > 0:
        end -= 1
        room = max(0.0, seconds[end] - ran[end] - waited[end] - starved[end])
        starved[end] += min(room, early)
        early -= room
        if ran[end] > 0:
            return


def lost(window: Window, cores: float, mask: int) -> float:
    """The share of this window (0 to 1) that others took from a program on `cores` of the `mask` CPUs."""
    return float(_lost([window], cores, mask)[0])


def _lost(windows: Sequence[Window], cores: float, mask: int) -> Numbers:
    its = accounts(windows)
    seconds = np.array([window.seconds for window in windows])
    idle = np.array([window.idle for window in windows])
    starved = its.starved, its.works
    return shares_lost(its.process, its.ran, its.waited, seconds, idle, cores, mask, starved)


def shares_lost(
    process: Sequence[int],
    ran: Numbers,
    waited: Numbers,
    seconds: Numbers,
    idle: Numbers | float,
    cores: float,
    mask: int,
    starved: tuple[Numbers, Numbers] | None = None,
) -> Numbers:
    """`lost` of many windows at once.

    `ran` and `waited` have a row for each thread, whose process `process` names, and a column for each window;
    `seconds` and `idle` have a number for each window. `starved` are the last two of `Accounts`.
    """
    if not len(process):
        return np.zeros(len(seconds))
    held, works = starved or (np.zeros_like(ran), np.ones(len(process)))
    counted = _one_lock_a_process(process, ran, waited + held, seconds)
    waited, held = waited * counted, held * counted
    r, q = ran.sum(axis=0) / seconds, (waited + held).sum(axis=0) / seconds
    demand = r + q
    others = np.maximum(0.0, mask - idle - r)
    gap = np.minimum(others, np.where(demand < 1, q, np.maximum(0.0, np.minimum(cores, demand) - r)))
    share = np.where(demand < 1, gap, gap / np.where(gap > 0, r + gap, 1.0))
    # A thread that only waits did not want a core for work: its wait counts as far as it ran, too. A starved one
    # could not run, so it counts as far as it ran in the rest of its time.
    both = np.where(ran > 0, ran + waited, 1.0)
    worth = (ran * waited / both).sum(axis=0) + works @ held
    enough = worth >= share * r * seconds
    kept: Numbers = np.minimum(np.where(enough, share, worth / np.where(enough, 1.0, r * seconds)), 1.0)
    return kept


def free_time(
    windows: Sequence[Window], wall: float, cores: float, mask: int, used: float, busiest: float
) -> float:
    """T_free in seconds, of a run that took `wall` seconds by the clock.

    `used` are the CPU seconds of the whole tree, `busiest` those of its busiest thread.
    """
    seconds = np.array([window.seconds for window in windows])
    left = float(seconds @ (1 - _lost(windows, cores, mask))) if windows else 0.0
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


def _one_lock_a_process(process: Sequence[int], ran: Numbers, waited: Numbers, seconds: Numbers) -> Numbers:
    """Threads of one process share the interpreter's lock: all of them together can't have wanted more than one core.

    A thread that wakes to ask for the lock waits for a core first; without this it would look like demand. A process
    whose threads ran for longer than the window shows that they don't need the lock.

    Returns the share of each wait that counts.
    """
    counted = np.ones_like(ran)
    for one in set(process):
        own = [row for row, its in enumerate(process) if its == one]
        if len(own) == 1:
            continue
        together, most = waited[own].sum(axis=0), np.maximum(0.0, seconds - ran[own].sum(axis=0))
        too_much = (together > most) & (ran[own].sum(axis=0) <= 1.05 * seconds)
        counted[own] = np.where(too_much, most / np.where(too_much, together, 1.0), 1.0)
    return counted
