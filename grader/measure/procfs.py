"""The scheduler's accounts of threads, as Linux tells them below /proc (proc(5))."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field


@dataclass
class Thread:
    """A thread of the tree: its open files, and what its account said first, at the window's start, and last (ns).

    `early` (ns) is what it waited before the window started, of a wait that ended since.
    """

    number: int
    process: int
    account: int
    children: int
    first: tuple[int, int] = (0, 0)
    window: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)
    early: int = 0
    below: list[int] = field(default_factory=list)

    def read(self, passed: int) -> bool:
        """Update the account, `passed` ns after the window's start; False when the thread is gone."""
        try:
            ran, waited, _ = os.pread(self.account, 128, 0).split()
        except (OSError, ValueError):
            return False
        self.last = int(ran), int(waited)
        # Nobody runs and waits for longer than the time that passed: what is more lies before the window.
        since = self.last[0] - self.window[0], self.last[1] - self.window[1]
        self.early = max(self.early, min(since[0] + since[1] - passed, since[1]))
        return True

    def close_window(self) -> None:
        self.window, self.early = self.last, 0

    def read_children(self) -> None:
        """Update `below`, the processes that the thread started and that live."""
        with suppress(OSError, ValueError):
            self.below = list(map(int, os.pread(self.children, 65536, 0).split()))

    def close(self) -> None:
        for descriptor in (self.account, self.children):
            with suppress(OSError):
                os.close(descriptor)


def open_thread(process: int, number: int, passed: int) -> Thread | None:
    """A thread with its files open, read once, `passed` ns after the window's start; None when it's gone already."""
    folder = f"/proc/{process}/task/{number}"
    try:
        account = os.open(f"{folder}/schedstat", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        seen = Thread(number, process, account, os.open(f"{folder}/children", os.O_RDONLY))
    except FileNotFoundError:
        os.close(account)
        return None
    except OSError:
        os.close(account)
        raise
    if not seen.read(passed):
        seen.close()
        return None
    seen.read_children()
    return seen


def listed(process: int) -> list[int]:
    try:
        return list(map(int, os.listdir(f"/proc/{process}/task")))
    except OSError:
        return []


def children_of(process: int) -> list[int]:
    try:
        with open(f"/proc/{process}/task/{process}/children") as file:
            return list(map(int, file.read().split()))
    except OSError:
        return []


def idle(mask: list[int]) -> tuple[float, float]:
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


def settings(number: int) -> tuple[frozenset[int], int, int] | None:
    """Where and how a thread may run: its CPUs, policy and priority; None when it's gone."""
    try:
        cpus = frozenset(os.sched_getaffinity(number))
        return cpus, os.sched_getscheduler(number), os.getpriority(os.PRIO_PROCESS, number)
    except OSError:
        return None
