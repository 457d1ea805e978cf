"""A day at a bank: accounts with a balance each, and transfers between them in files. The case of the ledger lab.

    accounts.csv        account,cents                     the balances in the morning
    transfers-000.csv   account,account,cents,seal        from, to, how much, and a number that proves it genuine

A transfer is refused when its seal is wrong, when it names an account that there isn't, or when it is above the limit.
That depends on the transfer alone, so the balances in the evening don't depend on the order. To check a seal takes
work, as it does with real signatures. All is made here by a seed; nobody is real.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from course.cases.ledger_book import Book
from course.cases.ledger_schedules import SCHEDULE, RehearsedBook, meet, notes, rest

__all__ = [
    "LIMIT", "Book", "Transfer", "files", "make", "make_rehearsal", "notes", "open_book", "opening", "post_all",
    "read", "validate",
]  # fmt: skip

#: Cents. A transfer above it is not made here.
LIMIT = 5_000_000
#: How often a seal goes over its text: this is what makes it work to check.
_ROUNDS = 160
_PRIME, _FACTOR, _START = 2_147_483_647, 131, 7
_LINE = re.compile(r"\d{4},\d{4},\d{10},\d{10}")


class Transfer(NamedTuple):
    """So many cents from one account to another; it may be the same one."""

    source: int
    target: int
    cents: int


def make(folder: Path, size: int, seed: int, accounts: int = 24, parts: int = 32) -> None:
    """Write a day of `size` transfers. From seven on, one at least goes to its own account and one is refused."""
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, accounts, (2, size))
    _write(folder, rng, source, target, accounts, parts)


def make_rehearsal(folder: Path, size: int, seed: int) -> None:
    """Write a small day that is hard to get right: four accounts, files that cross each other, and pauses.

    The book of such a day pauses where a program's steps can be mixed, for moments that depend on the seed, and writes
    down what it sees: `notes(folder)`. Each file begins with transfers that are refused: these are counted at
    the same time. Then money goes from 0 to 1 in one file and from 1 to 0 in the next, mostly.
    """
    rng = np.random.default_rng(seed)
    source, target = rng.integers(0, 4, (2, size))
    crossing = rng.random(size) < 0.75
    source = np.where(crossing, np.arange(size) % 2, source)
    target = np.where(crossing, 1 - source, target)
    _write(folder, rng, source, target, accounts=4, parts=4, refused=4 * (1 + size // 24))
    (folder / SCHEDULE).write_text(str(seed), encoding="utf-8")


def opening(folder: Path) -> list[int]:
    """The balances in the morning, in cents, by account."""
    lines = (folder / "accounts.csv").read_text(encoding="utf-8").splitlines()[1:]
    return [int(line.split(",")[1]) for line in lines]


def open_book(folder: Path) -> Book:
    """The book of the day, with the balances of the morning. Make it once, and hand it to the processes."""
    if (folder / SCHEDULE).is_file():
        return RehearsedBook(opening(folder), folder, (folder / SCHEDULE).read_text(encoding="utf-8"))
    rest()
    return Book(opening(folder))


def files(folder: Path) -> list[Path]:
    """The files of transfers."""
    return sorted(folder.glob("transfers-*.csv"))


def read(path: Path) -> list[str]:
    """The transfers of one file as they came: a text each."""
    meet(path.parent)
    return path.read_text(encoding="utf-8").splitlines()[1:]


def validate(line: str, accounts: int) -> Transfer | None:
    """The transfer that a text asks for; None where it is refused. This is work: call it without holding a lock."""
    if not _LINE.fullmatch(line):
        return None
    source, target, cents, seal = line.split(",")
    known = int(source) < accounts and int(target) < accounts
    # The seal is checked in any case: whoever sends nonsense learns nothing from the time that it takes.
    genuine = _seal(line[:20]) == int(seal)
    if not (genuine and known and int(cents) <= LIMIT):
        return None
    return Transfer(int(source), int(target), int(cents))


def post_all(folder: Path) -> tuple[list[int], int, int]:
    """One transfer after the other in one process: the balances in the evening, how many were refused, and how many
    moved money from one account to another.
    """
    balances, refused, moved = opening(folder), 0, 0
    for path in files(folder):
        for line in read(path):
            transfer = validate(line, len(balances))
            if transfer is None:
                refused += 1
                continue
            balances[transfer.source] -= transfer.cents
            balances[transfer.target] += transfer.cents
            moved += transfer.source != transfer.target
    return balances, refused, moved


def _seal(text: str) -> int:
    state = _START
    for _ in range(_ROUNDS):
        for byte in text.encode():
            state = (state * _FACTOR + byte) % _PRIME
    return state


def _seals(texts: list[str]) -> Any:
    """The seals of many texts at once: so the files are made in a moment."""
    if not texts:
        return np.zeros(0, np.int64)
    letters = np.frombuffer("".join(texts).encode(), np.uint8).reshape(len(texts), -1)
    columns = letters.T.astype(np.int64)
    state = np.full(len(texts), _START, np.int64)
    for _ in range(_ROUNDS):
        for column in columns:
            state = (state * _FACTOR + column) % _PRIME
    return state


def _write(
    folder: Path,
    rng: np.random.Generator,
    source: Any,
    target: Any,
    accounts: int,
    parts: int,
    refused: int = 0,
) -> None:
    """Write a day; the first `refused` transfers are too large."""
    size = len(source)
    cents = np.minimum(100 + rng.lognormal(9, 1, size).astype(np.int64), LIMIT)
    odd = rng.random(size)
    to_itself, too_much = odd < 0.02, (odd >= 0.02) & (odd < 0.04)
    unknown, forged = (odd >= 0.04) & (odd < 0.05), (odd >= 0.05) & (odd < 0.07)
    too_much[:refused] = True
    if size >= refused + 7:
        here, there = refused + 3, refused + 5
        to_itself[here], too_much[there] = True, True
        too_much[here] = unknown[here] = forged[here] = False
    target = np.where(to_itself, source, np.where(unknown, accounts + rng.integers(0, 9, size), target))
    cents = np.where(too_much, LIMIT + 1 + cents, cents)
    texts = [f"{a:04},{b:04},{c:010}" for a, b, c in zip(source, target, cents, strict=True)]
    seals = (_seals(texts) + forged) % _PRIME
    lines = [f"{text},{seal:010}\n" for text, seal in zip(texts, seals, strict=True)]
    balances = rng.integers(1_000_00, 90_000_00, accounts)
    _table(folder / "accounts.csv", "account,cents", (f"{n},{b}\n" for n, b in enumerate(balances)))
    for part in range(parts):
        _table(folder / f"transfers-{part:03}.csv", "source,target,cents,seal", lines[part::parts])


def _table(path: Path, heading: str, lines: Iterable[str]) -> None:
    path.write_text(heading + "\n" + "".join(lines), encoding="utf-8")
