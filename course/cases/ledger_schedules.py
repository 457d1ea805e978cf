"""The rehearsal of a book: it pauses where the steps of several processes can be mixed, and sees what goes wrong.

A mistake with locks shows itself once in a million runs, on the worst day. Here it shows itself at once:

- the book's locks pause before and after they are taken and let go,
- the book pauses after each read, and so do `multiprocessing.Value` and `Array`,
- the first worker that reads a file waits for a second one.

What is seen is written down in the folder, a line each, in the order of `KINDS`. Processes that wait for each other in
a ring are told so, and raise `DeadlockError`.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.sharedctypes
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from course.cases.ledger_book import AccountLock, Book

#: The file of a folder that makes a day a rehearsal: its text is the seed.
SCHEDULE = "schedule.txt"

#: What is seen, the most telling first.
KINDS = ("deadlock", "never let go", "wrong order", "no lock", "half a transfer")

_NOTES = "notes-{}.txt"
_HERE = Path(__file__).resolve().parent
_SLOTS = 64  # processes that are told apart
_PAUSES = (0.0, 0.001, 0.003)  # seconds, at the edges of a lock
_CROSSING = 0.008  # seconds before another lock is taken by who holds one
_READ, _READ_VALUE = 0.004, 0.01  # seconds between a read and what is done with it
_LOOK = 0.2  # seconds between two looks at who waits for whom
_LONG = 8.0  # seconds that nobody can need a lock for
_MEET = 5.0  # seconds in which a second process should be there


class DeadlockError(RuntimeError):
    """This process would wait for ever."""


class RehearsedBook(Book):
    """A book that pauses, and writes down what it sees."""

    def __init__(self, opening: Sequence[int], folder: Path, seed: str) -> None:
        super().__init__(opening)
        self._watch = Watch(len(opening), str(folder), seed)
        self.locks = [PausingLock(n, lock, self._watch) for n, lock in enumerate(self.locks)]
        _rehearse(self._watch)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In another process: its values pause too."""
        self.__dict__.update(state)
        _rehearse(self._watch)

    def read(self, account: int) -> int:
        cents = super().read(account)
        self._watch.has_read(account, cents)
        time.sleep(_READ)
        return cents

    def write(self, account: int, cents: int) -> None:
        self._watch.has_written(account, cents, super().read(account))
        super().write(account, cents)

    def bookings(self) -> int:
        """How often accounts were changed and all of their locks let go: once for each transfer, in a good program."""
        return self._watch.bookings()


class PausingLock:
    """A lock of an account, with pauses at its edges. It knows who holds it."""

    def __init__(self, account: int, lock: AccountLock, watch: Watch) -> None:
        self._account, self._lock, self._watch = account, lock, watch

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        self._watch.pause(another=True)
        if block and timeout is None:
            self._watch.wait_for(self._account, self._lock)
        elif not self._lock.acquire(block, timeout):
            return False
        self._watch.took(self._account)
        self._watch.pause()
        return True

    def release(self) -> None:
        self._watch.pause()
        self._watch.lets_go(self._account)
        self._lock.release()
        self._watch.pause()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()


class Mine:
    """What one process knows of itself."""

    def __init__(self, slot: int, seed: str) -> None:
        self.process, self.slot = os.getpid(), slot
        self.random = random.Random(f"{seed} {slot}")
        self.holds: set[int] = set()
        self.read: dict[int, tuple[int, bool]] = {}  # cents, and whether the lock was held
        self.on_its_way = 0  # cents that were taken from an account and not yet given to one
        self.wrote = False
        self.told: set[str] = set()


class Watch:
    """Who holds which lock, who waits for which: numbers in shared memory, each written by one process at a time."""

    def __init__(self, accounts: int, folder: str, seed: str) -> None:
        self._folder, self._seed = folder, seed
        self._holder = multiprocessing.RawArray("i", accounts)  # the holder's slot and one; 0 for nobody
        self._wants = multiprocessing.RawArray("i", _SLOTS)  # by slot: the account and one; 0 for none
        self._booked = multiprocessing.RawArray("q", _SLOTS)  # by slot
        self._arrived = multiprocessing.RawArray("i", 1)
        self._arriving = multiprocessing.Lock()
        self._maker = os.getpid()
        self._mine: Mine | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_mine": None}

    def bookings(self) -> int:
        return int(sum(self._booked))

    def pause(self, *, another: bool = False) -> None:
        """Pause at the edge of a lock; `another` is true before a lock is taken."""
        me = self._me()
        time.sleep(_CROSSING if another and me.holds else me.random.choice(_PAUSES))

    def meet(self) -> None:
        """A worker waits here for a second one, so that both work at the same time."""
        self._me()

    def wait_for(self, account: int, lock: AccountLock) -> None:
        """Take the lock. Who waits in a ring of processes, or far too long, is told so.

        Raises:
            DeadlockError: this process would wait for ever.
        """
        me, since = self._me(), time.monotonic()
        before: tuple[int, ...] = ()
        if higher := sorted(held for held in me.holds if held > account):
            text = f"a worker that holds account {higher[0]} asks for account {account}: the lower one comes first"
            self._tell("wrong order", text)
        self._wants[me.slot] = account + 1
        try:
            while not lock.acquire(True, _LOOK):
                ring = self._ring(account, me.slot)
                if ring and ring == before:  # seen twice: nobody in it has moved
                    self._tell("deadlock", _deadlock(me, account, ring))
                    raise DeadlockError(f"It waits for the lock of account {account} for ever.")
                if time.monotonic() - since > _LONG:
                    self._tell(
                        "never let go", f"a worker waits for account {account}, and nobody lets its lock go"
                    )
                    raise DeadlockError(f"Nobody lets the lock of account {account} go.")
                before = ring
        finally:
            self._wants[me.slot] = 0

    def took(self, account: int) -> None:
        me = self._me()
        self._holder[account] = me.slot + 1
        me.holds.add(account)

    def lets_go(self, account: int) -> None:
        me = self._me()
        if me.on_its_way:
            text = (
                f"account {account} was let go while {abs(me.on_its_way):,} cents were between two accounts"
            )
            self._tell("half a transfer", text)
            me.on_its_way = 0
        self._holder[account] = 0
        me.holds.discard(account)
        me.read.pop(account, None)
        if me.wrote and not me.holds:
            self._booked[me.slot] += 1
            me.wrote = False

    def has_read(self, account: int, cents: int) -> None:
        me = self._me()
        me.read[account] = cents, account in me.holds

    def has_written(self, account: int, cents: int, there: int) -> None:
        me = self._me()
        before, held = me.read.get(account, (there, True))
        if account not in me.holds:
            self._tell("no lock", f"account {account} was written by a worker that doesn't hold its lock")
        elif not held:
            self._tell(
                "no lock", f"account {account} was read before its lock was taken, and written under it"
            )
        me.on_its_way += cents - before
        me.read[account] = cents, account in me.holds
        me.wrote = True

    def _ring(self, account: int, slot: int) -> tuple[int, ...]:
        """The processes from the one that holds the account to this one, each waiting for the next; () for no ring."""
        ring: list[int] = []
        while (holder := int(self._holder[account]) - 1) >= 0 and holder not in ring:
            ring.append(holder)
            if holder == slot:
                return tuple(ring)
            account = int(self._wants[holder]) - 1
            if account < 0:
                break
        return ()

    def _me(self) -> Mine:
        if self._mine is None or self._mine.process != os.getpid():
            with self._arriving:
                slot = self._arrived[0]
                self._arrived[0] = slot + 1
            self._mine = Mine(slot % _SLOTS, self._seed)
            if self._maker != os.getpid():
                until = time.monotonic() + _MEET
                while self._arrived[0] < 2 and time.monotonic() < until:
                    time.sleep(0.0005)
        return self._mine

    def _tell(self, kind: str, what: str) -> None:
        """Write it down, once a process, with the line of the program that stands there."""
        me = self._me()
        if kind in me.told:
            return
        me.told.add(kind)
        with open(Path(self._folder, _NOTES.format(me.process)), "a", encoding="utf-8") as file:
            file.write(f"{KINDS.index(kind)} {kind}: {what}{_where()}.\n")


def notes(folder: Path) -> list[str]:
    """What the rehearsal in this folder has seen, the most telling first."""
    lines = [line for path in folder.glob(_NOTES.format("*")) for line in _lines(path)]
    return [line.split(" ", 1)[1] for line in sorted(set(lines))]


def _deadlock(me: Mine, account: int, ring: tuple[int, ...]) -> str:
    if len(ring) == 1:
        return f"a worker that holds the lock of account {account} waits for it: it waits for itself"
    held = " and ".join(map(str, sorted(me.holds)))
    return (
        f"a worker that holds account {held} waits for account {account}, whose worker waits for it in turn"
    )


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _where() -> str:
    """The line outside the cases that called."""
    frame = sys._getframe(1)
    while frame.f_back is not None and Path(frame.f_code.co_filename).parent == _HERE:
        frame = frame.f_back
    code = frame.f_code
    return f" (line {frame.f_lineno} of {Path(code.co_filename).name}, in {code.co_name})"


# What pauses in this process while a book is rehearsed in it, besides the book

_watch: Watch | None = None


def rest() -> None:
    """No rehearsal any more in this process."""
    global _watch
    _watch = None


def meet(folder: Path) -> None:
    """A worker that begins with a rehearsed day waits for a second one."""
    if _watch is not None and (folder / SCHEDULE).is_file():
        _watch.meet()


def _rehearse(watch: Watch) -> None:
    """From now on `Value` and `Array` pause after each read."""
    global _watch
    _watch = watch
    value: Any = multiprocessing.sharedctypes.Synchronized
    array: Any = multiprocessing.sharedctypes.SynchronizedArray
    if getattr(value, "pauses", False):
        return
    plain, item = value.value, array.__getitem__

    def read(self: Any) -> Any:
        return _after_a_pause(plain.fget(self))

    def read_item(self: Any, index: Any) -> Any:
        return _after_a_pause(item(self, index))

    value.value, array.__getitem__, value.pauses = property(read, plain.fset), read_item, True


def _after_a_pause(found: Any) -> Any:
    if _watch is not None:
        time.sleep(_READ_VALUE)
    return found
