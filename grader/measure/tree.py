"""A process tree seen from outside: CPU seconds of each process, and the end of all of them.

CPU seconds come from sampling, because a worker's share is gone once its parent has waited for it. What a sample
misses (a worker that lived and died in between) shows in the parent's own account of its children, and is
counted as one more process.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

import psutil

_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_LINUX = sys.platform == "linux"
_PERIOD = 0.01 if _LINUX else 0.05  # seconds; psutil's walk over all processes is dear


class TreeWatch:
    """CPU seconds of a process and its descendants between `start()` and `stop()`."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._first: dict[int, float] = {}
        self._last: dict[int, float] = {}
        self._reaped_before = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._first = _sample(self._root)
        self._reaped_before = _reaped(self._root)
        self._last = dict(self._first)
        self._thread.start()

    def stop(self) -> tuple[float, ...]:
        """CPU seconds of the root, then of each descendant that used any; unseen ones as one more process."""
        self._stop.set()
        self._thread.join()
        alive = _sample(self._root)
        self._last.update(alive)
        used = {pid: self._last[pid] - self._first.get(pid, 0.0) for pid in self._last}
        root = used.pop(self._root, 0.0)
        # Only processes that were waited for are in the parent's account, and only those that are gone were.
        gone = sum(seconds for pid, seconds in used.items() if pid not in alive)
        unseen = _reaped(self._root) - self._reaped_before - gone
        workers = [seconds for seconds in used.values() if seconds > 0]
        if unseen > 0.02:  # two ticks: below that it is rounding
            workers.append(unseen)
        return (root, *workers)

    def _run(self) -> None:
        while not self._stop.wait(_PERIOD):
            self._last.update(_sample(self._root))


def kill(pids: set[int]) -> None:
    """Kill these processes and everything below them; returns when they are gone or 5 s have passed."""
    victims: list[psutil.Process] = []
    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            with suppress(psutil.Error):
                victims += process.children(recursive=True)
            victims.append(process)
    for victim in victims:
        with suppress(psutil.Error):
            victim.kill()
    psutil.wait_procs(victims, timeout=5)


def _sample(root: int) -> dict[int, float]:
    """CPU seconds by pid, of `root` and every process below it that is there now."""
    if not _LINUX:
        return _sample_psutil(root)
    seconds: dict[int, float] = {}
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        with suppress(OSError, ValueError, IndexError):
            fields = _stat(pid)
            seconds[pid] = (int(fields[11]) + int(fields[12])) / _TICK  # utime, stime: proc(5)
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as file:
                    waiting += map(int, file.read().split())
    return seconds


def _sample_psutil(root: int) -> dict[int, float]:
    seconds: dict[int, float] = {}
    with suppress(psutil.Error):
        process = psutil.Process(root)
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.Error):
                times = one.cpu_times()
                seconds[one.pid] = times.user + times.system
    return seconds


def _reaped(root: int) -> float:
    """CPU seconds of the children that `root` has waited for; 0 where the system doesn't tell."""
    if not _LINUX:
        return 0.0
    try:
        fields = _stat(root)
        return (int(fields[13]) + int(fields[14])) / _TICK  # cutime, cstime
    except (OSError, ValueError, IndexError):
        return 0.0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, which may itself hold spaces and brackets."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()
