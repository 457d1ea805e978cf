"""A process tree seen from outside while it runs: CPU seconds of each process and the time free of neighbours.

On Linux a thread of the parent reads, every few milliseconds and at jittered times, the scheduler's own account of each
thread in the tree (`/proc/PID/task/TID/schedstat`: ns it ran, ns it waited for a core, number of turns). The files
stay open, so that a sample costs microseconds and a number that is used again can't be mistaken for the thread before.
Elsewhere there is no such account: `tree.TreeWatch` sees CPU seconds alone.

What sampling can't see: the last milliseconds of a thread that ends, and all of one that lives for less than a period.
Both are in the accounts of whoever waited for the process, so the share that was seen is known.
"""

from __future__ import annotations

import functools
import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from grader.measure import procfs, tree
from grader.measure.free import Share, Window, free_time, others_used
from grader.measure.stage import FORKS
from grader.model import FreeTime

#: Seconds between two samples, give or take a half; seconds of a window.
_PERIOD, _WINDOW = 0.005, 0.1
#: A sample that takes long is followed by so many times its own length without one, at most so many seconds: watching
#: must cost little.
_SPARING, _LONGEST = 30, 0.05
#: CPU seconds that are no more than rounding, where the one account counts in ticks: two of them.
_ROUNDED = 0.02
#: Threads that are watched at most: each holds two of the parent's descriptors.
_MOST = 200


@dataclass
class Watched:
    """What a watch has gathered so far."""

    windows: list[Window] = field(default_factory=list)
    ran: dict[int, float] = field(default_factory=dict)  # seconds by process, of threads that are gone
    busiest: float = 0.0
    why_wall: str = ""


class FreeWatch:
    """Watches `root` and all below it between `start()` and `stop()`; what detaches comes back below `reaper`."""

    def __init__(self, root: int, reaper: int, cores: float) -> None:
        self._root, self._reaper, self._cores = root, reaper, cores
        self._processes: dict[int, dict[int, procfs.Thread]] = {}
        self._gone: list[procfs.Thread] = []
        self._got = Watched()
        self._first: dict[int, tree.Seconds] = {}
        self._spared: frozenset[int] = frozenset()
        self._settings = procfs.settings(root)
        self._mask = sorted(self._settings[0]) if self._settings else []
        self._stop = threading.Event()
        self._runner = threading.Thread(target=self._run, daemon=True)
        self._since = time.perf_counter()
        self._passed = 0  # ns of the window when a sample began
        self._idle = (0.0, 0.0)

    def start(self) -> None:
        self._spared = frozenset(procfs.children_of(self._reaper)) - {self._root}
        self._first = tree.accounts(self._root)
        try:
            self._sample()
        except OSError as error:
            self._unreadable(error)
        for _, seen in self._threads():
            seen.close_window()
            seen.first = seen.last
        self._idle = procfs.idle(self._mask)
        self._since = time.perf_counter()
        self._runner.start()

    def stop(self, wall: float) -> tuple[tuple[float, ...], FreeTime]:
        """CPU seconds (the root's own, then of each other process) and T_free of a run of `wall` seconds."""
        self._stop.set()
        self._runner.join()
        try:
            self._sample()
            self._close_window(time.perf_counter())
        except OSError as error:
            self._unreadable(error)
        cpu = self._cpu()
        for _, seen in self._threads():
            seen.close()
        return cpu, self._free(wall, cpu)

    def _unreadable(self, error: OSError) -> None:
        """Out of descriptors, or /proc was taken away: the wall clock speaks, and nobody is to blame."""
        self._got.why_wall = f"the scheduler's accounts can't be read ({error.strerror})"

    def _run(self) -> None:
        try:
            took = 0.0
            while not self._stop.wait(
                min(_LONGEST, max(_PERIOD, _SPARING * took)) * random.uniform(0.5, 1.5)
            ):
                began = time.perf_counter()
                self._sample()
                now = time.perf_counter()
                took = now - began
                if now - self._since >= _WINDOW:
                    self._close_window(now)
        except OSError as error:
            self._unreadable(error)

    def _sample(self) -> None:
        """Read every thread that is there now; those that are gone keep what they showed last."""
        self._passed = round(1e9 * (time.perf_counter() - self._since))
        waiting = [self._root, *(p for p in procfs.children_of(self._reaper) if p not in self._spared)]
        there: set[int] = set()
        while waiting:
            process = waiting.pop()
            if process not in there:
                there.add(process)
                waiting += self._visit(process)
        for process in [p for p in self._processes if p not in there]:
            for number in list(self._processes[process]):
                self._leave(process, number)
            del self._processes[process]

    def _visit(self, process: int) -> list[int]:
        """Read the threads of one process; the processes that they started and that live.

        A thread that didn't run since the last sample started nothing; a process none of whose threads ran has no new
        one. So sleepers cost one read each.
        """
        threads = self._processes.setdefault(process, {})
        ran = not threads
        for number, seen in list(threads.items()):
            before = seen.last
            if not seen.read(self._passed):
                self._leave(process, number)
                ran = True
            elif seen.last != before:
                ran = True
                seen.read_children()
        if ran:
            for number in procfs.listed(process):
                if number not in threads:
                    self._meet(process, number)
        return [below for seen in threads.values() for below in seen.below]

    def _meet(self, process: int, number: int) -> None:
        """Watch a thread that is new."""
        if sum(map(len, self._processes.values())) >= _MOST:
            self._got.why_wall = f"there were more than {_MOST} threads to watch"
            return
        seen = procfs.open_thread(process, number, self._passed)
        if seen is not None:
            self._processes[process][number] = seen
            self._check_settings(number)

    def _leave(self, process: int, number: int) -> None:
        seen = self._processes[process].pop(number)
        self._gone.append(seen)
        seen.close()

    def _threads(self) -> Iterator[tuple[int, procfs.Thread]]:
        for threads in self._processes.values():
            yield from threads.items()

    def _close_window(self, now: float) -> None:
        seconds = now - self._since
        if seconds <= 0:
            return
        idle = procfs.idle(self._mask)
        since, busy = idle[0] - self._idle[0], idle[1] - self._idle[1]
        shares = [_share(seen) for seen in (*(seen for _, seen in self._threads()), *self._gone)]
        self._got.windows.append(
            Window(
                seconds,
                tuple(s for s in shares if s.ran or s.waited),
                len(self._mask) * (since / busy if busy else 1.0),
            )
        )
        for seen in self._gone:
            self._account(seen)
        self._gone.clear()
        for number, seen in self._threads():
            seen.close_window()
            self._check_settings(number)
        self._since, self._idle = now, idle

    def _account(self, seen: procfs.Thread) -> None:
        ran = (seen.last[0] - seen.first[0]) / 1e9
        self._got.ran[seen.process] = self._got.ran.get(seen.process, 0.0) + ran
        self._got.busiest = max(self._got.busiest, ran)

    def _check_settings(self, number: int) -> None:
        settings = procfs.settings(number)
        if settings is not None and settings != self._settings:
            self._got.why_wall = "the program changed the affinity, priority or policy of its processes"

    def _cpu(self) -> tuple[float, ...]:
        for _, seen in self._threads():
            self._account(seen)
        alive = tree.accounts(self._root)
        for process in self._processes.keys() - alive.keys():
            alive |= tree.accounts(process)  # detached, and back below the reaper
        last = {process: (seconds, 0.0) for process, seconds in self._got.ran.items()}
        for process, (own, waited) in alive.items():
            before = self._first.get(process, (0.0, 0.0))[0]
            last[process] = before + max(own - before, self._got.ran.get(process, 0.0)), waited
        return tree.by_process(self._root, self._first, last, alive)

    def _free(self, wall: float, cpu: tuple[float, ...]) -> FreeTime:
        got, mask = self._got, len(self._mask)
        total = sum(cpu)
        ran = sum(got.ran.values())
        saw = 1.0 if total - ran <= _ROUNDED else ran / total
        seconds = free_time(got.windows, wall, self._cores, mask, total, got.busiest) if mask else wall
        return FreeTime(
            seconds=wall if got.why_wall else seconds,
            seen=saw,
            others=others_used(got.windows, mask, total),
            why_wall=got.why_wall,
        )


def _share(seen: procfs.Thread) -> Share:
    ran, waited = seen.last[0] - seen.window[0], seen.last[1] - seen.window[1]
    return Share(seen.process, seen.number, ran / 1e9, waited / 1e9, seen.early / 1e9)


def watch(root: int, reaper: int, cores: float) -> FreeWatch | tree.TreeWatch:
    """The best watch that this system has for a process and all below it, on so many usable cores."""
    return FreeWatch(root, reaper, cores) if has_free_time() else tree.TreeWatch(root)


@functools.cache
def has_free_time() -> bool:
    """Does this system keep the accounts that T_free needs?"""
    if not FORKS:
        return False
    try:
        with open(f"/proc/self/task/{os.getpid()}/schedstat") as file:
            ran = file.read().split()  # a kernel that keeps no account says 0
        return len(ran) == 3 and int(ran[0]) > 0 and procfs.idle(sorted(os.sched_getaffinity(0)))[1] > 0
    except OSError:
        return False
