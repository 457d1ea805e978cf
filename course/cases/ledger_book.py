"""A bank's book: balances in memory that processes share, and a lock for each account.

The book does nothing to protect itself. Reading and writing are two steps, and who takes them holds the account's lock.
It is handed to a process when that process starts; it doesn't travel later, and never as a copy.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from typing import Protocol, cast


class AccountLock(Protocol):
    """What a lock of the book can do: as `multiprocessing.Lock`, which it is outside a rehearsal."""

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool: ...

    def release(self) -> None: ...

    def __enter__(self) -> bool: ...

    def __exit__(self, *error: object) -> None: ...


class Book:
    """The balances of the accounts 0, 1, 2 ... in cents, and their locks."""

    #: The lock of each account, by its number.
    locks: Sequence[AccountLock]

    def __init__(self, opening: Sequence[int]) -> None:
        self._cents = multiprocessing.RawArray("q", list(opening))
        self.locks = cast("list[AccountLock]", [multiprocessing.Lock() for _ in opening])

    def read(self, account: int) -> int:
        """The balance of an account. Hold its lock."""
        return int(self._cents[account])

    def write(self, account: int, cents: int) -> None:
        """The account has this balance now. Hold its lock."""
        self._cents[account] = cents

    def balances(self) -> list[int]:
        """All balances, when nobody is at work any more."""
        return [int(cents) for cents in self._cents]
