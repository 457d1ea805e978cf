"""What one process of a traced run writes down, as it happens, into a file of its own that is mapped into memory.

A worker may be ended at any moment (a pool ends its workers with a signal), so nothing is kept back: each entry is in
the file when it has happened. The file has a fixed size. Stretches that are short against the whole are added up into
one entry, so a run of any length and any number of tasks fits.

This module is imported by every traced worker: like what it imports, it needs the standard library only.

    header     who it is, when it was asked for, what it is doing just now
    stretches  the main thread's time, end to end: seconds and CPU seconds of each state
    tasks      what it worked on
    helpers    pickling by other threads (a queue's feeder), which runs beside the main thread

All numbers are doubles, so that one can be written by itself: that is three times as fast as packing an entry.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path

from grader.tracing.timeline import STATES, State

_NUMBER: dict[State, int] = {state: number for number, state in enumerate(STATES)}
RUN = _NUMBER["run"]

MAGIC = b"CWTRACE3"
#: Magic, role; then the numbers: pid (0: it never began), parent's pid, asked, ended (0: not), state now, since when;
#: CPU seconds of the process and of its main thread, seconds queued (-1: not told); stretches, tasks, helpers there;
#: CPU seconds of the main thread with the lock in hand that it used most under.
HEADER = struct.Struct("<8s16s13d")
_NUMBERS = 3  # the first of them, counted in doubles
_ENDED, _STATE, _SINCE, _LOOKED, _COUNTS, _HELD = (_NUMBERS + place for place in (3, 4, 5, 6, 9, 12))
#: from, to, stretches added up, then seconds, CPU seconds and bytes of each state
STRETCH = struct.Struct("<21d")
#: from, to, CPU seconds, tasks added up, longest of them; its name
TASK = struct.Struct("<5d64s")
#: from, to, seconds, CPU seconds, bytes, state
HELPER = struct.Struct("<6d")
STRETCHES, TASKS, HELPERS = 16_000, 12_000, 8_000
AT_STRETCHES = 4096
AT_TASKS = AT_STRETCHES + STRETCHES * STRETCH.size
AT_HELPERS = AT_TASKS + TASKS * TASK.size
SIZE = AT_HELPERS + HELPERS * HELPER.size

#: Seconds of an entry: stretches shorter than this are added up; and, as a share of the time that has passed.
_WIDTH, _SHARE = 0.002, 1 / 2000
#: Seconds between two looks at the CPU seconds of the whole process and at the scheduler's account.
_LOOK = 0.02


def announce(folder: str, role: str, asked: float) -> str:
    """The file of a process that is asked for; it says so, until that process writes there itself.

    `role` says what the process is ("parent", "process", "pool", "manager"), `asked` is when its start was asked for
    (seconds of `time.perf_counter`, one clock for all processes of a machine).

    Raises:
        OSError: the folder is gone, or full.
    """
    path = Path(folder, f"{os.getpid()}-{time.perf_counter_ns()}.trace")
    numbers = 0.0, os.getpid(), asked, 0.0, _NUMBER["start"], asked, 0.0, 0.0, -1.0, 0, 0, 0, 0.0
    try:
        with open(path, "xb") as file:
            file.write(HEADER.pack(MAGIC, role.encode(), *numbers))
            file.flush()
            if hasattr(os, "posix_fallocate"):
                # Have the room now: writing to a page that a full disk can't give ends a process.
                os.posix_fallocate(file.fileno(), 0, SIZE)
            else:
                file.truncate(SIZE)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return str(path)


class Recorder:
    """Writes one process's part of a trace into the file that was made by `announce`."""

    def __init__(self, path: str, role: str, asked: float) -> None:
        with open(path, "rb+") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)
        self._view = memoryview(self._map).cast("d")
        self.folder, self.role = str(Path(path).parent), role
        self.main = threading.get_ident()
        self._asked = asked
        self._state, self._since = _NUMBER["start"], asked
        self._cpu = time.thread_time() if role == "parent" else 0.0
        self._stack: list[int] = []
        self._stretches, self._stretch = (
            0,
            0,
        )  # how many there are, and where the last one begins (in doubles)
        self._alone = False  # the last one is one long stretch: nothing is added to it
        self._tasks, self._task = 0, 0
        self._open: tuple[bytes, float, float] | None = None  # a task that is being worked on
        self._helpers, self._helper = 0, 0
        self._locks: dict[int, tuple[int, float]] = {}  # in hand: how often, since how many CPU seconds
        self._held: dict[int, float] = {}
        self._lock = threading.Lock()
        self._ended = False
        self._schedstat = _open_schedstat()
        self._before = 0.0, 0.0, 0.0  # what starting took is no part of it
        self._view[_NUMBERS] = os.getpid()
        self._look(time.perf_counter())
        queued = self._view[_LOOKED + 2]
        self._before = self._view[_LOOKED], self._view[_LOOKED + 1], max(0.0, queued)
        self._look(time.perf_counter())

    # The main thread's states

    def switch(self, state: State) -> None:
        """From now on the main thread is in `state`, whatever it was in."""
        self._to(_NUMBER[state])

    def enter(self, state: State) -> None:
        """The main thread goes into `state`; `leave` brings back the state that it was in."""
        self._stack.append(self._state)
        self._to(_NUMBER[state])

    def leave(self, size: int = 0) -> None:
        """Back to the state before; `size` bytes went through the one that ends."""
        self._to(self._stack.pop() if self._stack else RUN, size)

    @property
    def state(self) -> State:
        return STATES[self._state]

    def end(self) -> None:
        """The process's own code has returned: nothing is written down any more."""
        self.close_task()
        for lock in tuple(self._locks):
            self._locks[lock] = 1, self._locks[lock][1]
            self.lets_go(lock)
        self._to(RUN)
        now = time.perf_counter()
        self._look(now)
        self._view[_ENDED] = now
        with self._lock:  # another thread may be at it
            self._ended = True
            self._view.release()
            self._map.close()

    def _to(self, state: int, size: int = 0) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        start, view = self._since, self._view
        width = max(_WIDTH, (now - self._asked) * _SHARE)
        at, long = self._stretch, now - start > width / 2
        new = not at or (self._stretches < STRETCHES and (long or self._alone or now - view[at] > width))
        if new:
            at = self._stretch = (AT_STRETCHES + self._stretches * STRETCH.size) // 8
            self._stretches += 1
            self._alone = long
            view[at] = start
        view[at + 1] = now
        view[at + 2] += 1
        place = at + 3 + self._state
        view[place] += now - start
        view[place + 6] += cpu - self._cpu
        if size:
            view[place + 12] += size
        if new:
            view[_COUNTS] = self._stretches
        self._state, self._since, self._cpu = state, now, cpu
        view[_STATE], view[_SINCE] = state, now
        if now - self._looked > _LOOK:
            self._look(now)

    # Tasks

    def open_task(self, name: str) -> None:
        """The main thread begins to work on something; whatever it worked on before is done."""
        self.close_task()
        self._open = name.encode(errors="replace"), time.perf_counter(), time.thread_time()

    def close_task(self) -> None:
        """It is done, or put aside."""
        if self._open:
            name, start, cpu = self._open
            self._open = None
            self.add_task(name, start, time.perf_counter(), time.thread_time() - cpu)

    def add_task(self, name: bytes, start: float, end: float, cpu: float) -> None:
        """It worked on something; tasks that are short against the whole are added up, under the longest one's name."""
        view, at = self._view, self._task
        width = max(_WIDTH / 2, (end - self._asked) * _SHARE)
        if not at or (self._tasks < TASKS and end - view[at] > width):
            at = self._task = (AT_TASKS + self._tasks * TASK.size) // 8
            self._tasks += 1
            view[at], view[at + 4] = start, -1.0
            view[_COUNTS + 1] = self._tasks
        view[at + 1] = end
        view[at + 2] += cpu
        view[at + 3] += 1
        if end - start > view[at + 4]:
            view[at + 4] = end - start
            where = 8 * (at + 5)
            self._map[where : where + 64] = name[:64].ljust(64, b"\0")

    # Locks

    def holds(self, lock: int) -> None:
        """The main thread has got a lock, which this number names; the same one again, where it may."""
        times, since = self._locks.get(lock, (0, 0.0))
        self._locks[lock] = times + 1, since if times else time.thread_time()

    def lets_go(self, lock: int) -> None:
        """It gives the lock back. One that it hasn't got is someone's signal."""
        times, since = self._locks.pop(lock, (0, 0.0))
        if times > 1:
            self._locks[lock] = times - 1, since
        elif times:
            held = self._held[lock] = self._held.get(lock, 0.0) + time.thread_time() - since
            self._view[_HELD] = max(self._view[_HELD], held)

    # Other threads

    def helped(self, state: State, start: float, end: float, cpu: float, size: int) -> None:
        """A thread other than the main one pickled or unpickled."""
        with self._lock:
            if self._ended:
                return
            view, at, number = self._view, self._helper, _NUMBER[state]
            width = max(_WIDTH, (end - self._asked) * _SHARE)
            full = self._helpers >= HELPERS
            if not at or (not full and (end - view[at] > width or view[at + 5] != number)):
                at = self._helper = (AT_HELPERS + self._helpers * HELPER.size) // 8
                self._helpers += 1
                view[at], view[at + 1], view[at + 5] = start, end, number
                view[_COUNTS + 2] = self._helpers
            view[at], view[at + 1] = min(view[at], start), max(view[at + 1], end)
            view[at + 2] += end - start
            view[at + 3] += cpu
            view[at + 4] += size

    def _look(self, now: float) -> None:
        process, main, queued = self._before
        self._looked = now
        self._view[_LOOKED] = time.process_time() - process
        self._view[_LOOKED + 1] = time.thread_time() - main
        if self._schedstat >= 0:
            with suppress(OSError, ValueError):
                waited = int(os.pread(self._schedstat, 64, 0).split()[1]) / 1e9
                self._view[_LOOKED + 2] = waited - queued


def _open_schedstat() -> int:
    """The scheduler's account of this thread (Linux); -1 where there is none."""
    try:
        return os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
    except (OSError, AttributeError):
        return -1
