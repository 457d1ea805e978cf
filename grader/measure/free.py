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

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


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
    d = window.seconds
    threads = _one_lock_a_process(window.threads, d)
    ran = sum(t.ran for t in threads) / d
    waited = sum(t.waited for t in threads) / d
    if ran <= 0 or waited <= 0:
        return 0.0
    demand = ran + waited
    others = max(0.0, mask - window.idle - ran)
    gap = min(others, waited if demand < 1 else max(0.0, min(cores, demand) - ran))
    share = gap if demand < 1 else gap / (ran + gap)
    # A thread that only waits did not want a core for work: its wait counts as far as it ran, too.
    worth = sum(t.ran * t.waited / (t.ran + t.waited) for t in threads if t.ran > 0) / (ran * d)
    return min(share, worth, 1.0)


def free_time(
    windows: Iterable[Window], wall: float, cores: float, mask: int, used: float, busiest: float
) -> float:
    """T_free in seconds, of a run that took `wall` seconds by the clock.

    `used` are the CPU seconds of the whole tree, `busiest` those of its busiest thread.
    """
    left = sum(window.seconds * (1 - lost(window, cores, mask)) for window in windows)
    return min(wall, max(left, used / cores, busiest))


def others_used(windows: Sequence[Window], mask: int) -> float:
    """The CPUs that others kept busy meanwhile, on average (0 to `mask`)."""
    seconds = sum(w.seconds for w in windows)
    taken = sum(
        w.seconds * max(0.0, mask - w.idle - sum(t.ran for t in w.threads) / w.seconds) for w in windows
    )
    return taken / seconds if seconds > 0 else 0.0


def _one_lock_a_process(threads: Sequence[Share], d: float) -> list[Share]:
    """Threads of one process share the interpreter's lock: all of them together can't have wanted more than one core.

    A thread that wakes to ask for the lock waits for a core first; without this it would look like demand. A process
    whose threads ran for longer than the window shows that they don't need the lock.
    """
    by_process: dict[int, list[Share]] = defaultdict(list)
    for thread in threads:
        by_process[thread.process].append(thread)
    shares: list[Share] = []
    for own in by_process.values():
        ran, waited = sum(t.ran for t in own), sum(t.waited for t in own)
        most = max(0.0, d - ran)
        if len(own) == 1 or waited <= most or ran > 1.05 * d:
            shares += own
        else:
            shares += [Share(t.process, t.ran, t.waited * most / waited) for t in own]
    return shares
