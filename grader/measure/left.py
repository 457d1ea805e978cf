"""What a program leaves behind when its function has returned: live processes, and what it put into /dev/shm.

    Lookout() before the trial process starts: what is there already
    look()    after "done", while the trial process still lives: who lives on, what is new in /dev/shm
    settle()  when the trial's tree is gone: which of that was the trial's

Pool workers and their semaphores may take a moment to go, so all gets one second. The resource tracker and the fork
server are Python's own helpers, and stay.

Others use /dev/shm meanwhile, so something new there is the trial's only if it belongs to our user and

- a process of the trial's tree was seen to map it, or
- nobody mapped it during all of that second, and it went with the tree: its resource tracker unlinked it.

So a segment that nobody tracks (`track=False`, a plain file) and that was mapped for less than the time between two
looks is missed. Where there is no /dev/shm (macOS, Windows) only processes are seen, and of them those whose parents
still live.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterable, Set
from contextlib import suppress

import psutil

from grader.measure import tree
from grader.measure.stage import FORKS, TRACKER
from grader.weights import Left

#: Can segments be seen here, or processes only?
SEES_SEGMENTS = FORKS and os.path.isdir("/dev/shm")
_SHM = "/dev/shm/"
_PERIOD = 0.05  # seconds between two looks at who maps what is new
_GRACE = 1.0  # seconds for workers that are being ended, and for what they held
_LONGEST = 60  # characters of a command
#: What is in a worker's command, and how it is called then.
_WORKERS = {
    "grader.measure.stage": "a worker process",  # forked from the trial
    "multiprocessing.spawn": "a worker process",
    "multiprocessing.forkserver": "a worker process",
    "loky": "a worker process of joblib",
}


class Lookout:
    """Sees what the trial in a stage's tree leaves behind; `root` is the stage."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._processes_before = set(tree.accounts(root))
        self._entries_before = set(entries())
        self._held: set[str] = set()  # new entries that the tree was seen to map
        self._unheld: set[str] = set()  # new entries that nobody maps
        self._left: list[Left] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        if SEES_SEGMENTS:
            self._thread.start()

    def look(self, trial: int) -> None:
        """While the process `trial` still lives; takes as long as something is there, one second at most."""
        self._stop_looking()
        self._processes_before.add(trial)
        deadline = time.monotonic() + _GRACE
        self._unheld = set(entries())
        while True:
            processes, new = self._processes(), self._new()
            self._tell_apart(new.keys())
            if not (processes or new) or time.monotonic() >= deadline:
                break
            time.sleep(_PERIOD)
        segments = [
            Left("semaphore" if name.startswith("sem.") else "segment", _SHM + name, new[name])
            for name in sorted(new)
        ]
        self._left = [*processes, *segments]

    def _tell_apart(self, new: Set[str]) -> None:
        """Which of these the tree maps, and which nobody has mapped at any look since the program returned."""
        mine = set(tree.accounts(self._root))
        self._held |= new & mapped(mine)
        self._unheld &= new - self._held
        if self._unheld:
            self._unheld -= mapped(set(map(int, filter(str.isdigit, os.listdir("/proc")))) - mine)

    def settle(self) -> tuple[Left, ...]:
        """What was the trial's, now that its tree is gone; what is still in /dev/shm of it is removed."""
        self._stop_looking()
        there = set(entries())
        ours = self._held | (self._unheld - there)
        for name in self._held & there:
            _remove(_SHM + name)
        return tuple(
            left for left in self._left if left.kind == "process" or left.name.removeprefix(_SHM) in ours
        )

    def _run(self) -> None:
        while not self._stop.wait(_PERIOD) and (mine := tree.accounts(self._root)):
            if new := self._new().keys() - self._held:
                self._held |= new & mapped(mine)

    def _stop_looking(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _new(self) -> dict[str, int]:
        return {name: size for name, size in entries().items() if name not in self._entries_before}

    def _processes(self) -> list[Left]:
        pids = [pid for pid in tree.accounts(self._root) if pid not in self._processes_before]
        return [left for pid in pids if (left := process(pid))]


def entries() -> dict[str, int]:
    """What our user has in /dev/shm: bytes by name; nothing where there is none."""
    found: dict[str, int] = {}
    if SEES_SEGMENTS:
        with os.scandir(_SHM) as listing:
            for entry in listing:
                with suppress(OSError):
                    if (status := entry.stat(follow_symlinks=False)).st_uid == os.getuid():
                        found[entry.name] = status.st_size
    return found


def mapped(pids: Iterable[int]) -> set[str]:
    """The entries of /dev/shm that these processes map; one that is unlinked already is none any more."""
    names: set[str] = set()
    for pid in pids:
        with suppress(OSError), open(f"/proc/{pid}/maps", errors="replace") as file:
            for line in file:
                _, found, path = line.rstrip("\n").partition(_SHM)
                if found and not path.endswith(" (deleted)"):
                    names.add(path.partition("/")[0])
    return names


def process(pid: int) -> Left | None:
    """A live process in words; None for one that has ended, and for Python's own helpers."""
    with suppress(psutil.Error):
        one = psutil.Process(pid)
        command = " ".join(one.cmdline())
        if one.status() == psutil.STATUS_ZOMBIE or _is_helper(one, command):
            return None
        said = command if len(command) <= _LONGEST else f"{command[:_LONGEST]}..."
        said = next((words for name, words in _WORKERS.items() if name in command), said)
        return Left("process", f"{one.name()} (pid {pid}): {said}")
    return None


def _is_helper(one: psutil.Process, command: str) -> bool:
    """A resource tracker, or a fork server; a worker forked from a fork server has its command too."""
    if TRACKER in command:
        return True
    parent = one.parent()
    return "multiprocessing.forkserver" in command and (
        parent is None or "multiprocessing.forkserver" not in " ".join(parent.cmdline())
    )


def _remove(path: str) -> None:
    with suppress(OSError):
        if os.path.isdir(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)
