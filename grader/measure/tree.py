"""A process tree seen from outside: CPU seconds of each process, and the end of all of them.

CPU seconds come from sampling, because a worker's share is gone once its parent has waited for it. What sampling
misses (the last moments of a worker, or one that lived and died in between) shows in the accounts of those who
waited for it.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress

import psutil

from grader.measure.stage import FORKS, TRACKER

_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PERIOD = 0.01 if FORKS else 0.05  # seconds; psutil's walk over all processes is dear
#: Of what the processes that are gone used, the part that sampling may miss of their last moments.
_LAST_MOMENTS = 0.1

#: CPU seconds of a process, and of the children that it has waited for.
Seconds = tuple[float, float]


class TreeWatch:
    """CPU seconds of a process and its descendants between `start()` and `stop()`."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._first: dict[int, Seconds] = {}
        self._last: dict[int, Seconds] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._first = accounts(self._root)
        self._last = dict(self._first)
        self._thread.start()

    def stop(self, wall: float) -> tuple[tuple[float, ...], None]:
        """CPU seconds of the root, then of each descendant that used any; unseen ones as one more process.

        There is no time free of neighbours (see grader.measure.watch), however long the run of `wall` seconds was.
        """
        self._stop.set()
        self._thread.join()
        alive = accounts(self._root)
        self._last.update(alive)
        return by_process(self._root, self._first, self._last, alive), None

    def _run(self) -> None:
        while not self._stop.wait(_PERIOD):
            self._last.update(accounts(self._root))


def kill(pid: int, *, reaps: bool = False) -> None:
    """Kill this process and everything below it; returns when they are gone or 5 s have passed.

    It is stopped first, so that it can't start more; but one that `reaps` starts nothing, and gets a second to wait
    for those that are killed, or they would stay as zombies where init doesn't. Resource trackers may leave by
    themselves for 2 s: they unlink the semaphores and shared memory that the others left.
    """
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        if not reaps:
            with suppress(psutil.Error):
                root.suspend()
        started = time.monotonic()
        trackers: list[psutil.Process] = []
        while (waited := time.monotonic() - started) < 5:
            below = root.children(recursive=True)
            trackers = [process for process in below if _is_tracker(process)]
            others = [process for process in below if process not in trackers]
            if not any(map(_is_alive, others)) and (not others or not reaps or waited > 1):
                break
            for process in others:
                with suppress(psutil.Error):
                    process.kill()
            time.sleep(0.005)
        root.kill()
        while any(map(_is_alive, trackers)) and waited < 2:
            time.sleep(0.005)
            waited = time.monotonic() - started
        for process in filter(_is_alive, [*trackers, root]):
            with suppress(psutil.Error):
                process.kill()


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _is_tracker(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return any(TRACKER in word for word in process.cmdline())
    return False


def by_process(
    root: int, first: dict[int, Seconds], last: dict[int, Seconds], alive: dict[int, Seconds]
) -> tuple[float, ...]:
    """CPU seconds by process, the root's first, from the samples before, during and after."""
    used = {pid: own - first.get(pid, (0.0, 0.0))[0] for pid, (own, _) in last.items()}
    mine = used.pop(root, 0.0)
    gone = {pid: own for pid, (own, _) in last.items() if pid not in alive and pid != root}
    # Whoever waited for a process took it, and what that one had waited for, into its own account.
    reaped = sum(waited for _, waited in alive.values()) - sum(waited for _, waited in first.values())
    unseen = reaped - sum(gone.values()) if root in alive else 0.0
    shared = min(max(0.0, unseen), _LAST_MOMENTS * sum(gone.values()))
    for pid, own in gone.items():
        used[pid] += shared * own / (sum(gone.values()) or 1.0)
    workers = [seconds for seconds in used.values() if seconds > 0]
    if unseen - shared > 0.02:  # two ticks: below that it is rounding
        workers.append(unseen - shared)
    return (mine, *workers)


def accounts(root: int) -> dict[int, Seconds]:
    """CPU seconds by pid, of `root` and every process below it that is there now."""
    if not FORKS:
        return _sample_psutil(root)
    seconds: dict[int, Seconds] = {}
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        with suppress(OSError, ValueError, IndexError):
            user, system, waited_user, waited_system = map(int, _stat(pid)[11:15])  # proc(5)
            seconds[pid] = (user + system) / _TICK, (waited_user + waited_system) / _TICK
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as file:
                    waiting += map(int, file.read().split())
    return seconds


def _sample_psutil(root: int) -> dict[int, Seconds]:
    seconds: dict[int, Seconds] = {}
    with suppress(psutil.Error):
        process = psutil.Process(root)
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                times = one.cpu_times()
                waited = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
                seconds[one.pid] = times.user + times.system, waited
    return seconds


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, which may itself hold spaces and brackets."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()
