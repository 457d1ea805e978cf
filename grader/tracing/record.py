"""What one process of a traced run writes down, as it happens, into a file of its own that is mapped into memory.

A worker may be ended at any moment (a pool ends its workers with a signal), so nothing is kept back: each entry is in
the file when it has happened. The file has a fixed size. Stretches that are short against the whole are added up into
one entry, so a run of any length and any number of tasks fits.

This module is imported by every traced worker: like what it imports, it needs the standard library only.

    header     who it is, when it was asked for, what it is doing just now
    stretches  the main thread's time, end to end: seconds and CPU seconds of each state
    tasks      what it worked on
    helpers    pickling by other threads (a queue's feeder), which runs beside the main thread
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

MAGIC = b"CWTRACE1"
#: magic, pid, parent's pid, role, asked, begun, state now and since when, CPU of it then; CPU seconds of the
#: process and of its main thread, seconds queued (-1: not told), time of these; ended (0: not); stretches, tasks,
#: helpers that there are
HEADER = struct.Struct("<8sqq16sddqddddddd3q")
#: from, to, entries added up, then seconds, CPU seconds and bytes of each state
STRETCH = struct.Struct("<ddq6d6d6q")
#: from, to, CPU seconds, tasks added up, longest of them, its name
TASK = struct.Struct("<dddqd64s")
#: from, to, seconds, CPU seconds, bytes, state
HELPER = struct.Struct("<ddddqq")
STRETCHES, TASKS, HELPERS = 16_000, 12_000, 8_000
AT_STRETCHES = 4096
AT_TASKS = AT_STRETCHES + STRETCHES * STRETCH.size
AT_HELPERS = AT_TASKS + TASKS * TASK.size
SIZE = AT_HELPERS + HELPERS * HELPER.size

#: Seconds of an entry: stretches shorter than this are added up; and, as a share of the time that has passed, its
#: width.
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
    with open(path, "xb") as file:
        file.write(
            HEADER.pack(
                MAGIC, 0, os.getpid(), role.encode(), asked, 0.0, _NUMBER["start"], asked,
                *(0.0, 0.0, 0.0, -1.0, 0.0, 0.0), 0, 0, 0,
            )
        )  # fmt: skip
        file.truncate(SIZE)
    return str(path)


class Recorder:
    """Writes one process's part of a trace into the file that was made by `announce`."""

    def __init__(self, path: str, role: str, asked: float) -> None:
        with open(path, "rb+") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)
        self.folder, self.role = str(Path(path).parent), role
        self.main = threading.get_ident()
        self._asked, self._begun = asked, time.perf_counter()
        self._state, self._since = _NUMBER["start"], asked
        self._cpu = time.thread_time() if role == "parent" else 0.0
        self._stack: list[int] = []
        self._counts = [0, 0, 0]  # stretches, tasks, helpers
        self._stretch: list[float] = []
        self._alone = False  # the entry is one long stretch: nothing is added to it
        self._task: list[float] = []
        self._task_name = b""
        self._open: tuple[bytes, float, float] | None = None  # a task that is being worked on
        self._helper: list[float] = []
        self._lock = threading.Lock()
        self._ended = 0.0
        self._looked, self._process, self._main_cpu, self._queued = -1.0, 0.0, 0.0, -1.0
        self._schedstat = _open_schedstat()
        self._before = 0.0, 0.0, 0.0  # what starting took is no part of it
        self._look(self._begun)
        self._before = self._process, self._main_cpu, max(0.0, self._queued)
        self._look(self._begun)
        self._write_header()

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
        self._to(RUN)
        self._ended = time.perf_counter()
        self._look(self._ended)
        self._write_header()
        with self._lock:
            self._map.close()  # another thread may be at it

    def _to(self, state: int, size: int = 0) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        self._add(self._state, self._since, now, cpu - self._cpu, size)
        self._state, self._since, self._cpu = state, now, cpu
        if now - self._looked > _LOOK:
            self._look(now)
        self._write_header()

    def _add(self, state: int, start: float, end: float, cpu: float, size: int) -> None:
        width = max(_WIDTH, (end - self._asked) * _SHARE)
        entry, count = self._stretch, self._counts[0]
        long = end - start > width / 2
        if not entry or (count < STRETCHES and (long or self._alone or end - entry[0] > width)):
            entry = self._stretch = [start, end] + [0.0] * 19
            count = self._counts[0] = count + 1
            self._alone = long
        entry[1] = end
        entry[2] += 1
        entry[3 + state] += end - start
        entry[9 + state] += cpu
        entry[15 + state] += size
        whole = int(entry[2]), *entry[3:15], *map(int, entry[15:])
        STRETCH.pack_into(self._map, AT_STRETCHES + (count - 1) * STRETCH.size, entry[0], end, *whole)

    # Tasks

    def open_task(self, name: str) -> None:
        """The main thread begins to work on something; whatever it worked on before is done."""
        self.close_task()
        self._open = name.encode(errors="replace")[:64], time.perf_counter(), time.thread_time()

    def close_task(self) -> None:
        """It is done, or put aside."""
        if self._open:
            name, start, cpu = self._open
            self._open = None
            self.add_task(name, start, time.perf_counter(), time.thread_time() - cpu)

    def add_task(self, name: bytes, start: float, end: float, cpu: float) -> None:
        width = max(_WIDTH / 2, (end - self._asked) * _SHARE)
        entry, count = self._task, self._counts[1]
        if not entry or (count < TASKS and end - entry[0] > width):
            entry, self._task_name = [start, end, 0.0, 0.0, -1.0], b""
            self._task = entry
            count = self._counts[1] = count + 1
        entry[1] = end
        entry[2] += cpu
        entry[3] += 1
        if end - start > entry[4]:
            entry[4], self._task_name = end - start, name
        at = AT_TASKS + (count - 1) * TASK.size
        TASK.pack_into(self._map, at, entry[0], entry[1], entry[2], int(entry[3]), entry[4], self._task_name)

    # Other threads

    def helped(self, state: State, start: float, end: float, cpu: float, size: int) -> None:
        """A thread other than the main one pickled or unpickled."""
        with self._lock:
            if self._ended:
                return
            width = max(_WIDTH, (end - self._asked) * _SHARE)
            entry, count = self._helper, self._counts[2]
            number = _NUMBER[state]
            if not entry or (count < HELPERS and (end - entry[0] > width or entry[5] != number)):
                entry = self._helper = [start, end, 0.0, 0.0, 0.0, number]
                count = self._counts[2] = count + 1
            entry[0], entry[1] = min(entry[0], start), max(entry[1], end)
            entry[2] += end - start
            entry[3] += cpu
            entry[4] += size
            at = AT_HELPERS + (count - 1) * HELPER.size
            HELPER.pack_into(self._map, at, *entry[:4], int(entry[4]), int(entry[5]))

    def _look(self, now: float) -> None:
        process, main, queued = self._before
        self._looked, self._process = now, time.process_time() - process
        self._main_cpu = time.thread_time() - main
        if self._schedstat >= 0:
            with suppress(OSError, ValueError):
                self._queued = int(os.pread(self._schedstat, 64, 0).split()[1]) / 1e9 - queued

    def _write_header(self) -> None:
        HEADER.pack_into(
            self._map, 0, MAGIC, os.getpid(), os.getppid(), self.role.encode(), self._asked, self._begun,
            self._state, self._since, self._cpu, self._process, self._main_cpu, self._queued, self._looked,
            self._ended, *self._counts,
        )  # fmt: skip


def _open_schedstat() -> int:
    """The scheduler's account of this thread (Linux); -1 where there is none."""
    try:
        return os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)
    except (OSError, AttributeError):
        return -1
