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
from contextlib import suppress
from dataclasses import dataclass, field

from grader.measure import tree
from grader.measure.free import Share, Window, free_time, others_used
from grader.measure.stage import FORKS
from grader.model import FreeTime

#: Seconds between two samples, give or take a half; seconds of a window.
_PERIOD, _WINDOW = 0.005, 0.1
#: A sample that takes long is followed by so many times its own length without one: watching must cost little.
_SPARING = 20
#: Threads that are watched at most: each holds two of the parent's descriptors.
_MOST = 200


@dataclass
class Seen:
    """A thread of the tree: its open files, and what its account said first, at the window's start, and last (ns)."""

    process: int
    account: int
    children: int
    first: tuple[int, int] = (0, 0)
    window: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)


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
        self._threads: dict[int, Seen] = {}
        self._gone: list[Seen] = []
        self._got = Watched()
        self._first: dict[int, tree.Seconds] = {}
        self._spared: frozenset[int] = frozenset()
        self._settings = _settings(root)
        self._mask = sorted(self._settings[0]) if self._settings else []
        self._stop = threading.Event()
        self._runner = threading.Thread(target=self._run, daemon=True)
        self._started = self._since = 0.0
        self._idle = (0.0, 0.0)

    def start(self) -> None:
        self._spared = frozenset(_children_of(self._reaper)) - {self._root}
        self._first = tree.accounts(self._root)
        self._sample()
        for seen in self._threads.values():
            seen.first = seen.window = seen.last
        self._idle = _idle(self._mask)
        self._started = self._since = time.perf_counter()
        self._runner.start()

    def stop(self, wall: float) -> tuple[tuple[float, ...], FreeTime]:
        """CPU seconds (the root's own, then of each other process) and T_free of a run of `wall` seconds."""
        self._stop.set()
        self._runner.join()
        self._sample()
        self._close_window(time.perf_counter())
        cpu = self._cpu()
        for seen in self._threads.values():
            self._forget(seen)
        return cpu, self._free(wall, cpu)

    def _run(self) -> None:
        try:
            took = 0.0
            while not self._stop.wait(max(_PERIOD, _SPARING * took) * random.uniform(0.5, 1.5)):
                began = time.perf_counter()
                self._sample()
                now = time.perf_counter()
                took = now - began
                if now - self._since >= _WINDOW:
                    self._close_window(now)
        except OSError as error:  # out of descriptors, or /proc was taken away
            self._got.why_wall = f"the scheduler's accounts can't be read ({error.strerror})"

    def _sample(self) -> None:
        """Read every thread that is there now; those that are gone keep what they showed last."""
        waiting = [self._root, *(p for p in _children_of(self._reaper) if p not in self._spared)]
        there: set[int] = set()
        while waiting:
            process = waiting.pop()
            for number in _listed(process):
                if number in there:
                    continue
                there.add(number)
                seen = self._threads.get(number)
                below = self._read(seen) if seen else None
                if below is None:
                    if seen:  # the number is another thread's now
                        self._leave(number)
                    below = self._meet(process, number)
                waiting += below
        for number in [n for n in self._threads if n not in there]:
            self._leave(number)

    def _meet(self, process: int, number: int) -> list[int]:
        """Watch a thread that is new."""
        if len(self._threads) >= _MOST:
            self._got.why_wall = f"there were more than {_MOST} threads to watch"
            return []
        folder = f"/proc/{process}/task/{number}"
        try:
            account = os.open(f"{folder}/schedstat", os.O_RDONLY)
        except FileNotFoundError:
            return []
        try:
            children = os.open(f"{folder}/children", os.O_RDONLY)
        except FileNotFoundError:
            os.close(account)
            return []
        seen = self._threads[number] = Seen(process, account, children)
        self._check_settings(number)
        return self._read(seen) or []

    def _read(self, seen: Seen) -> list[int] | None:
        """Update a thread's account; the processes that it started and that live. None when it's gone."""
        try:
            ran, waited, _ = os.pread(seen.account, 128, 0).split()
            seen.last = int(ran), int(waited)
            return list(map(int, os.pread(seen.children, 65536, 0).split()))
        except (OSError, ValueError):
            return None

    def _leave(self, number: int) -> None:
        seen = self._threads.pop(number)
        self._gone.append(seen)
        self._forget(seen)

    def _forget(self, seen: Seen) -> None:
        for descriptor in (seen.account, seen.children):
            with suppress(OSError):
                os.close(descriptor)

    def _close_window(self, now: float) -> None:
        seconds = now - self._since
        if seconds <= 0:
            return
        idle = _idle(self._mask)
        since, busy = idle[0] - self._idle[0], idle[1] - self._idle[1]
        shares = [_share(seen) for seen in (*self._threads.values(), *self._gone)]
        self._got.windows.append(
            Window(
                seconds,
                tuple(s for s in shares if s.ran or s.waited),
                len(self._mask) * since / busy if busy else 0.0,
            )
        )
        for seen in self._gone:
            self._account(seen)
        self._gone.clear()
        for number, seen in self._threads.items():
            seen.window = seen.last
            self._check_settings(number)
        self._since, self._idle = now, idle

    def _account(self, seen: Seen) -> None:
        ran = (seen.last[0] - seen.first[0]) / 1e9
        self._got.ran[seen.process] = self._got.ran.get(seen.process, 0.0) + ran
        self._got.busiest = max(self._got.busiest, ran)

    def _check_settings(self, number: int) -> None:
        settings = _settings(number)
        if settings is not None and settings != self._settings:
            self._got.why_wall = "the program changed the affinity, priority or policy of its processes"

    def _cpu(self) -> tuple[float, ...]:
        for seen in self._threads.values():
            self._account(seen)
        alive = tree.accounts(self._root)
        for process in {seen.process for seen in self._threads.values()} - set(alive):
            alive |= tree.accounts(process)  # detached, and back below the reaper
        last = {process: (seconds, 0.0) for process, seconds in self._got.ran.items()}
        for process, (own, waited) in alive.items():
            before = self._first.get(process, (0.0, 0.0))[0]
            last[process] = before + max(own - before, self._got.ran.get(process, 0.0)), waited
        return tree.by_process(self._root, self._first, last, alive)

    def _free(self, wall: float, cpu: tuple[float, ...]) -> FreeTime:
        got, mask = self._got, len(self._mask)
        total = sum(cpu)
        saw = min(1.0, sum(got.ran.values()) / total) if total > 0 else 1.0
        seconds = free_time(got.windows, wall, self._cores, mask, total, got.busiest) if mask else wall
        return FreeTime(
            seconds=wall if got.why_wall else seconds,
            seen=saw,
            others=others_used(got.windows, mask),
            why_wall=got.why_wall,
        )


def _share(seen: Seen) -> Share:
    return Share(seen.process, (seen.last[0] - seen.window[0]) / 1e9, (seen.last[1] - seen.window[1]) / 1e9)


def _listed(process: int) -> list[int]:
    try:
        return list(map(int, os.listdir(f"/proc/{process}/task")))
    except OSError:
        return []


def _children_of(process: int) -> list[int]:
    try:
        with open(f"/proc/{process}/task/{process}/children") as file:
            return list(map(int, file.read().split()))
    except OSError:
        return []


def _idle(mask: list[int]) -> tuple[float, float]:
    """Ticks that the CPUs of `mask` were idle, and all their ticks, since the machine started (proc(5), stat)."""
    idle = total = 0
    with open("/proc/stat") as file:
        for line in file:
            name, _, rest = line.partition(" ")
            if name[:3] == "cpu" and name[3:].isdigit() and int(name[3:]) in mask:
                ticks = list(map(int, rest.split()[:8]))
                idle += ticks[3] + ticks[4]
                total += sum(ticks)
    return float(idle), float(total)


def _settings(number: int) -> tuple[frozenset[int], int, int] | None:
    """Where and how a thread may run: its CPUs, policy and priority; None when it's gone."""
    try:
        cpus = frozenset(os.sched_getaffinity(number))
        return cpus, os.sched_getscheduler(number), os.getpriority(os.PRIO_PROCESS, number)
    except OSError:
        return None


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
            return len(file.read().split()) == 3 and _idle([0]) is not None
    except OSError:
        return False
