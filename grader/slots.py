"""One measurement at a time on a machine: a fair queue that survives whoever dies in it.

    slot() -> a ticket in the room -> first in line? -> the lock -> Slot

The room is one folder that every user of the machine can write to. Who comes first is told by the tickets' names,
who may measure by the one lock. A ticket counts while its file is locked, and the kernel unlocks the files of a
process that ends, however it ends: no pid is ever trusted. Tickets that nobody holds are removed by whoever finds them.

The queue is as wide as the folder: users of one host share it, containers (and services with a /tmp of their own)
don't see each other. It is manners, not defence: who wants to disturb a measurement may as well keep the cores busy.
So nothing in the room is trusted, no link is followed, and only files that we made are written to.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from grader.lockfile import LockFile
from grader.model import Progress, Slot

_LOCK = "slot"
_POLL = 0.15  # seconds; waiting must not disturb those who measure
_LONGEST_POLL = 1.0
_FAILURES = 3  # polls that may fail in a row: another user may be about to make the room
_TRIES = 20
_LONGEST_EXPECT = 3600.0
_TICKET = re.compile(r"ticket-(\d{20})-[0-9a-f]{8}")
_CONTENT = re.compile(rb"expect (\d{1,9}\.\d{3}) started (\d{1,15}\.\d{3})\n")
_here = threading.local()  # the slot that this thread holds


@dataclass(frozen=True)
class Ticket:
    """Someone in the line, as the others see them; `started` is 0 until they measure."""

    expect: float = 60.0
    started: float = 0.0

    def left(self, now: float) -> float:
        """The seconds that they are likely to need yet; never negative."""
        used = max(0.0, now - self.started) if self.started else 0.0
        return max(0.0, self.expect - used)


@contextmanager
def slot(
    progress: Progress, *, expect: float = 60.0, room: Path | None = None, patience: float = 1800.0
) -> Iterator[Slot]:
    """Wait in turn for the machine's one slot for timing, hold it in the block.

    Where the room can't be used, and after `patience` seconds, it goes on without: the Slot is not `alone`, and
    `progress` is told why. Asked again by the thread that holds the slot, it gives the same one at once.

    Args:
        progress: told, while waiting, how many are ahead and about how long it takes.
        expect: about how many seconds the block takes, for the others' estimates.
        room: the folder of the queue; by default the machine's own.
        patience: seconds to wait at most.
    """
    held: Slot | None = getattr(_here, "slot", None)
    if held is not None:
        yield replace(held, waited=0.0)
        return
    with closing(_Place(room or default_room(), expect)) as place:
        mine = _wait(place, progress, patience)
        if not mine.alone:
            place.close()  # nobody shall wait for us
            progress(f"measuring without a slot of our own: {mine.why}")
        _here.slot = mine
        try:
            yield mine
        finally:
            _here.slot = None


def default_room() -> Path:
    """The machine's one room. Never TMPDIR, which may be each user's own (on macOS it is).

    On Windows it is in ProgramData, which all users share. This module has not been run there yet.
    """
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA") or tempfile.gettempdir(), "corewise-slots")
    return Path("/tmp/corewise-slots")


def waiting_line(ahead: int, seconds: float) -> str:
    """What a learner reads while they wait."""
    if seconds < 5:
        about = "due any moment"
    elif seconds <= 50:
        about = f"about {10 * max(1, round(seconds / 10))} s"
    else:
        about = f"about {max(1, round(seconds / 60))} min"
    return f"waiting for the cores: {ahead} ahead of you, {about}"


def _wait(place: _Place, progress: Progress, patience: float) -> Slot:
    """Poll until it is our turn; the nearer it is, the oftener."""
    arrived = time.monotonic()
    failures, told, told_at = 0, "", float("-inf")
    while True:
        ahead: list[Ticket] = []
        try:
            ahead = place.ahead()
            if not ahead and place.take():
                if told:
                    progress("waiting for the cores: it is your turn")
                return Slot(time.monotonic() - arrived, True)
            failures = 0
        except OSError as error:
            failures += 1
            if failures == _FAILURES:
                why = f"{error.filename or place.room} can't be used ({error.strerror or error})"
                return Slot(time.monotonic() - arrived, False, why)
        now = time.monotonic()
        if now - arrived >= patience:
            return Slot(now - arrived, False, f"the cores were not free within {patience:.0f} s")
        line = waiting_line(max(1, len(ahead)), sum(other.left(now) for other in ahead))
        if not failures and line != told and now - told_at >= 1:
            progress(line)
            told, told_at = line, now
        pause = min(_LONGEST_POLL, _POLL * max(1, len(ahead)))
        time.sleep(max(0.01, min(pause, arrived + patience - now)))


class _Place:
    """Our place in the line of one room: a ticket once we have looked `ahead()`, the lock after `take()`."""

    def __init__(self, room: Path, expect: float) -> None:
        self.room, self.name = room, ""
        # Nobody sets the monotonic clock, and on one host it is the same for all processes: it sorts the tickets.
        self._arrived = time.monotonic_ns()
        self._expect = min(max(0.0, expect), _LONGEST_EXPECT)
        self._ticket: LockFile | None = None
        self._lock: LockFile | None = None

    def ahead(self) -> list[Ticket]:
        """Those who came before us. What isn't a ticket is left alone.

        Where someone removed our own ticket, a new one keeps our place.
        """
        if not (self.name and self._ticket and self._ticket.in_place()):
            _open_room(self.room)
            self.name = self._draw()
        before = (name for name in os.listdir(self.room) if _TICKET.fullmatch(name) and name < self.name)
        return [ticket for name in before if (ticket := _look(self.room / name))]

    def _draw(self) -> str:
        """A ticket, locked and in the room.

        Before it is locked it looks like one left behind: whoever looks then removes it, or has it locked just now.
        So there is another try. No name is used twice, or a slow neighbour might remove the wrong one.
        """
        for _ in range(_TRIES):
            self._leave()
            name = f"ticket-{self._arrived:020d}-{secrets.token_hex(4)}"
            self._ticket = LockFile(self.room / name, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            if self._ticket.lock() and self._ticket.in_place():
                self._write(started=0.0)
                return name
        raise OSError("its files can't be locked")

    def take(self) -> bool:
        """Take the lock if it is free, and write the start on our ticket."""
        path = self.room / _LOCK
        if self._lock:  # of a try that failed half way
            self._lock.close()
        try:
            self._lock = LockFile(path, os.O_RDONLY)  # no O_CREAT: Linux may refuse that for another's file
        except FileNotFoundError:
            self._lock = LockFile(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL)
        if not (self._lock.lock() and self._lock.in_place()):
            self._lock.close()
            return False
        self._write(started=time.monotonic())
        return True

    def close(self) -> None:
        """Give back the lock and leave the line."""
        if self._lock:
            self._lock.close()
        self._leave()

    def _leave(self) -> None:
        if self._ticket:
            self._ticket.close(remove=True)

    def _write(self, started: float) -> None:
        """For the others' estimates only: on a full disk they do without."""
        with suppress(OSError):
            if self._ticket:
                self._ticket.write(f"expect {self._expect:09.3f} started {started:019.3f}\n".encode())


def _open_room(room: Path) -> None:
    """The room is there, made by whoever came first, for everybody. A link in its place is refused."""
    with suppress(FileExistsError):
        os.mkdir(room)
        os.chmod(room, 0o777)  # whatever our umask; anyone may remove what the killed left, so not sticky
    if not stat.S_ISDIR(os.lstat(room).st_mode):
        raise OSError("it is not a folder")


def _look(path: Path) -> Ticket | None:
    """The ticket, if someone holds it; else it was left behind, and is removed."""
    try:
        file = LockFile(path, os.O_RDONLY)
    except OSError:
        return None  # gone, or not a ticket
    with closing(file):
        if file.lock():
            file.close(remove=True)
            return None
        found = _CONTENT.fullmatch(file.read())
    if found is None:
        return Ticket()  # not written yet
    return Ticket(min(float(found[1]), _LONGEST_EXPECT), float(found[2]))


def _in_forked_child() -> None:
    _here.slot = None  # the parent's; `lockfile` has closed our copies of its locks


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_in_forked_child)
