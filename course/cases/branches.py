"""A year of a retail bank's branch ledgers: a file of JSON lines for each branch and month.

    from course.cases import branches

    branches.make(folder, bookings=60_000, seed=1)      # writes branch-01-2025-01.jsonl and so on
    branches.total(folder / "branch-01-2025-01.jsonl")  # hundredths, of one file
    branches.year(folder)                               # the baseline: every branch's total, one file after the other

    {"day": 14, "account": "4020881234567890", "cents": 1250}

A booking counts when its account number passes its check digit. All amounts are whole hundredths of the currency.
Everything is made by a seed; no bank is real. Only the standard library is imported: a worker starts quickly.

`spoil` damages a file in one of the ways in `DAMAGES`. Some raise in whatever reads the file. Others end the whole
process, as the fault of a library written in C would.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from typing import Final

__all__ = ["DAMAGES", "branch_of", "files", "is_account", "make", "spoil", "total", "year"]

#: The branches' shares of the bookings. The head office is number 01; the youngest branch is a desk in a supermarket.
BRANCHES: Final = tuple(1 / (1 + rank) ** 1.5 for rank in range(20))
#: The months' shares: quarters are closed in March, June and September, the year in December.
MONTHS: Final = (1.0, 1.0, 1.4, 1.0, 1.0, 1.4, 1.0, 0.8, 1.4, 1.0, 1.0, 2.0)
YEAR: Final = 2025

#: One in so many bookings has a wrong digit in its account number.
_WRONG_DIGIT = 50
_ACCOUNTS = 500  # accounts that the bookings of a year are made on

#: How the exit code of a process says that the system killed it: the signal's number, negative. Windows has none.
KILLED: Final = -int(signal.SIGKILL) if hasattr(signal, "SIGKILL") else 3

#: What can be wrong with a file: (the exception that reading it raises, or "" where the process dies; its exit code).
DAMAGES: Final = {
    "line cut short": ("JSONDecodeError", 1),
    "amount missing": ("KeyError", 1),
    "not a text": ("UnicodeDecodeError", 1),
    "scan that quits": ("", 3),
    "scan that crashes": ("", KILLED),
}
#: The line that does it.
_SPOILT: Final = {
    "line cut short": b'{"day": 3, "account": "40208',
    "amount missing": b'{"day": 3, "account": "4020881234567890"}',
    "not a text": b'{"day": 3, "account": "\xff\xfe", "cents": 1}',
    "scan that quits": b'{"day": 3, "account": "4020881234567890", "cents": 1, "scan": "quits"}',
    "scan that crashes": b'{"day": 3, "account": "4020881234567890", "cents": 1, "scan": "crashes"}',
}


# Reading


def files(folder: Path) -> list[Path]:
    """The year's ledgers, by name."""
    return sorted(folder.glob("branch-*.jsonl"))


def branch_of(path: Path) -> str:
    """The branch whose ledger a file is: "07" for branch-07-2025-03.jsonl."""
    return path.name.split("-")[1]


def total(path: Path) -> int:
    """What the bookings of one file come to, in hundredths; those whose account is no account don't count.

    Raises:
        ValueError, KeyError: the file is damaged. (Some damages end the process instead.)
    """
    cents = 0
    with path.open(encoding="utf-8") as file:
        for line in file:
            booking = json.loads(line)
            if "scan" in booking:
                _read_scan(booking["scan"])
            amount = booking["cents"]
            if is_account(booking["account"]):
                cents += amount
    return cents


def is_account(number: str) -> bool:
    """Whether the last digit is right: every second digit, from the right, counts double (ISO 7812, Luhn)."""
    checked = 0
    for place, digit in enumerate(map(int, reversed(number))):
        if place % 2:
            digit *= 2
            if digit > 9:
                digit -= 9
        checked += digit
    return checked % 10 == 0


def year(folder: Path) -> dict[str, int]:
    """The baseline: the total of each branch in hundredths, one file after the other."""
    totals: dict[str, int] = {}
    for path in files(folder):
        branch = branch_of(path)
        totals[branch] = totals.get(branch, 0) + total(path)
    return totals


def _read_scan(scan: str) -> None:
    """Stands for a library, written in C, that reads a scanned slip. It doesn't raise: it takes the process with it.

    Raises:
        RuntimeError: it was called outside a worker, where it would end a notebook's kernel.
    """
    if multiprocessing.parent_process() is None:
        raise RuntimeError(f"A scan that {scan}: outside a worker it would end this whole program.")
    if scan == "crashes" and hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(3)


# Making


def make(folder: Path, bookings: int, seed: int, count: int = len(BRANCHES)) -> list[Path]:
    """Write so many bookings of the first `count` branches to `folder`; the files, by name.

    A file for each branch and month, also where it holds no booking. They are of unequal sizes.
    """
    rng = random.Random(seed)
    accounts = _accounts(rng)
    shares = [branch * month for branch in BRANCHES[:count] for month in MONTHS]
    ends = [round(bookings * part / sum(shares)) for part in accumulate(shares)]
    names = [
        f"branch-{branch:02}-{YEAR}-{month:02}.jsonl"
        for branch in range(1, count + 1)
        for month in range(1, len(MONTHS) + 1)
    ]
    for name, start, end in zip(names, [0, *ends], ends, strict=False):
        (folder / name).write_text(
            "".join(_bookings(end - start, accounts, rng)), encoding="utf-8", newline="\n"
        )
    return files(folder)


def spoil(path: Path, damage: str) -> None:
    """Damage a file in its middle, in one of the ways in `DAMAGES`."""
    lines = path.read_bytes().splitlines()
    lines.insert(len(lines) // 2, _SPOILT[damage])
    path.write_bytes(b"\n".join(lines) + b"\n")


def damage_of(path: Path) -> str:
    """How `spoil` has damaged a file; "" where it hasn't. It looks for the damage, without reading the ledger."""
    lines = set(path.read_bytes().splitlines())
    return next((damage for damage, line in _SPOILT.items() if line in lines), "")


def _accounts(rng: random.Random) -> list[str]:
    """Account numbers of sixteen digits, some of them with a wrong last one."""
    made = []
    for number in range(_ACCOUNTS):
        start = f"4020{rng.randrange(10**11):011}"
        right = next(digit for digit in "0123456789" if is_account(start + digit))
        wrong = number % _WRONG_DIGIT == 0
        made.append(start + (str((int(right) + 1) % 10) if wrong else right))
    return made


def _bookings(count: int, accounts: list[str], rng: random.Random) -> Iterable[str]:
    days, numbers = rng.choices(range(1, 29), k=count), rng.choices(accounts, k=count)
    amounts = rng.choices(range(-5_000, 20_000), k=count)
    for day, number, cents in zip(sorted(days), numbers, amounts, strict=True):
        yield f'{{"day": {day}, "account": "{number}", "cents": {cents}}}\n'
