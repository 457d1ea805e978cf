"""The month's end of a wholesaler: four small jobs, each of them slow for a reason of its own.

    from course.cases import month_end

    month_end.make(folder, size=15_000, seed=1)    # writes a month's files
    month_end.close_month(folder)                  # as it runs today: one job after the other, on one core

    paid_twice    which payments repeat an earlier one: each is compared with all before it
    net_sales     what the order lines come to: a loop over millions of numbers
    balances      what each branch says its balance is: one slow answer after the other
    audit         whether the delivery notes' check digits are right: texts, lists and dicts, file by file

All amounts are whole hundredths of the currency, so that sums are exact. Nothing uses a network: a branch is
slow because `ask` sleeps.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Branch",
    "add_up",
    "ask",
    "ask_async",
    "audit",
    "balances",
    "branches",
    "close_month",
    "make",
    "net_sales",
    "note_files",
    "order_lines",
    "paid_twice",
    "payments",
]

#: From so many pieces on, an order line gets a twentieth off.
BULK = 100
LINES_PER_NOTE = 5
#: The share of the month's notes in each depot's file; the depots differ in size.
DEPOTS = tuple(1 / (1 + rank) ** 0.7 for rank in (4, 0, 8, 2, 10, 6, 1, 9, 3, 7, 5))
#: Letters of an account number become two digits each, A = 10 to Z = 35 (ISO 13616).
_LETTERS = {ord(letter): str(ord(letter) - 55) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}

Ints = NDArray[np.int64]
Lines = tuple[NDArray[np.int32], NDArray[np.int32]]
#: Notes, accounts that fail their check, articles that fail theirs, hundredths of the lines that pass.
Audit = tuple[int, int, int, int]


@dataclass(frozen=True)
class Branch:
    """A branch's system: it takes `seconds` to answer and then says `cents`."""

    name: str
    seconds: float
    cents: int


# As it runs today


def close_month(folder: Path) -> dict[str, Any]:
    """The four jobs, one after the other: {"paid_twice", "net_sales", "balances", "audit"}."""
    return {
        "paid_twice": paid_twice(payments(folder)),
        "net_sales": net_sales(*order_lines(folder)),
        "balances": balances(branches(folder)),
        "audit": add_up(audit(path) for path in note_files(folder)),
    }


def paid_twice(payments: Sequence[tuple[int, int]]) -> list[int]:
    """The positions of the payments for which an earlier one has the same supplier and the same amount."""
    found = []
    for position, payment in enumerate(payments):
        for earlier in range(position):
            if payments[earlier] == payment:
                found.append(position)
                break
    return found


def net_sales(quantities: NDArray[np.int32], cents: NDArray[np.int32]) -> tuple[int, int]:
    """What all order lines come to, and how many of them got the rebate.

    Args:
        quantities: pieces in each line.
        cents: the price of one piece, in hundredths. A line's rebate is rounded down to whole hundredths.
    """
    net = bulk = 0
    for quantity, price in zip(quantities.tolist(), cents.tolist(), strict=True):
        amount = quantity * price
        if quantity >= BULK:
            amount -= amount // 20
            bulk += 1
        net += amount
    return net, bulk


def ask(branch: Branch) -> int:
    """Ask a branch for its balance and wait for the answer. The thread that calls this does nothing meanwhile."""
    time.sleep(branch.seconds)
    return branch.cents


async def ask_async(branch: Branch) -> int:
    """The same for asyncio: other coroutines run while this one waits."""
    await asyncio.sleep(branch.seconds)
    return branch.cents


def balances(branches: Sequence[Branch]) -> list[int]:
    """The balance of each branch, in the order of the branches."""
    return [ask(branch) for branch in branches]


def audit(path: Path) -> Audit:
    """Check one depot's delivery notes: the account number of each (ISO 7064, mod 97) and its articles' (EAN-13)."""
    notes = bad_accounts = bad_articles = total = 0
    with path.open(encoding="utf-8") as file:
        for line in file:
            note = json.loads(line)
            notes += 1
            account = note["account"]
            if int((account[4:] + account[:4]).translate(_LETTERS)) % 97 != 1:
                bad_accounts += 1
            for article, quantity, cents in note["lines"]:
                digits = [int(digit) for digit in article]
                if (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10:
                    bad_articles += 1
                else:
                    total += quantity * cents
    return notes, bad_accounts, bad_articles, total


def add_up(audits: Iterable[Audit]) -> Audit:
    """The audits of several files as one; of none, zeros."""
    columns = list(zip(*audits, strict=True)) or [(0,)] * 4
    notes, accounts, articles, total = (sum(column) for column in columns)
    return notes, accounts, articles, total


# The month's files


def payments(folder: Path) -> list[tuple[int, int]]:
    """(supplier, hundredths) of each payment, in the order in which they were made."""
    return [(supplier, cents) for supplier, cents in np.load(folder / "payments.npy").tolist()]


def order_lines(folder: Path) -> Lines:
    """The quantities and the prices (hundredths) of all order lines, as two arrays of int32."""
    return np.load(folder / "quantities.npy"), np.load(folder / "cents.npy")


def branches(folder: Path) -> list[Branch]:
    """The branches to ask."""
    return [Branch(**one) for one in json.loads((folder / "branches.json").read_text(encoding="utf-8"))]


def note_files(folder: Path) -> list[Path]:
    """One file of delivery notes for each depot; each can be audited alone."""
    return sorted(folder.glob("notes-*.jsonl"))


def make(folder: Path, size: int, seed: int) -> None:
    """Write a month's files: `size` delivery notes, and of everything else in proportion."""
    rng = np.random.default_rng(seed)
    np.save(folder / "payments.npy", _payments(size // 3, rng))
    quantities, cents = _order_lines(80 * size, rng)
    np.save(folder / "quantities.npy", quantities)
    np.save(folder / "cents.npy", cents)
    asked = [asdict(branch) for branch in _branches(min(size, 12 + size // 1_000), rng)]
    (folder / "branches.json").write_text(json.dumps(asked), encoding="utf-8")
    notes = _notes(size, rng)
    ends = np.rint(np.cumsum(DEPOTS) / sum(DEPOTS) * size).astype(int).tolist()
    for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        text = "".join(notes[start:end])
        (folder / f"notes-{number:02}.jsonl").write_text(text, encoding="utf-8", newline="\n")


def _payments(count: int, rng: np.random.Generator) -> Ints:
    """Suppliers and round amounts, in hundredths; about one payment in fifty repeats an earlier one."""
    table = np.column_stack([rng.integers(1, 2_000, count), 100 * rng.integers(1, 50_000, count)])
    again = np.flatnonzero(rng.random(count) < 0.02)
    again = again[again > 0]
    table[again] = table[rng.integers(0, again)]
    return table.astype(np.int64)


def _order_lines(count: int, rng: np.random.Generator) -> Lines:
    """Mostly some pieces of something cheap; one line in a hundred is a truckload of something dear."""
    quantities = rng.integers(1, 150, count)
    cents = rng.integers(50, 20_000, count)
    truck = rng.random(count) < 0.01
    quantities[truck] = rng.integers(2_000, 5_000, int(truck.sum()))
    cents[truck] = rng.integers(1_200_000, 2_000_000, int(truck.sum()))
    return quantities.astype(np.int32), cents.astype(np.int32)


def _branches(count: int, rng: np.random.Generator) -> list[Branch]:
    waits, cents = rng.uniform(0.006, 0.014, count).tolist(), rng.integers(0, 10**9, count).tolist()
    return [Branch(f"branch {number}", waits[number], cents[number]) for number in range(count)]


def _notes(count: int, rng: np.random.Generator) -> list[str]:
    """The notes as lines of JSON; one check digit in a hundred is wrong."""
    bank = rng.integers(10**17, 10**18, count)
    # The check digits make the number, read as digits with "DE" behind it as 13 and 14, leave 1 when divided by 97.
    checks = 98 - ((bank % 97) * (10**6 % 97) + 131_400) % 97
    checks = np.where(rng.random(count) < 0.01, checks % 97 + 1, checks)
    shape = (count, LINES_PER_NOTE)
    articles = rng.integers(10**11, 10**12, shape)
    last = -_weighted_digits(articles) % 10
    last = np.where(rng.random(shape) < 0.01, (last + 1) % 10, last)
    codes = (articles * 10 + last).tolist()
    pieces, cents = rng.integers(1, 60, shape).tolist(), rng.integers(50, 20_000, shape).tolist()
    written = []
    for number, (account, check) in enumerate(zip(bank.tolist(), checks.tolist(), strict=True)):
        lines = ", ".join(
            f'["{code}", {some}, {price}]'
            for code, some, price in zip(codes[number], pieces[number], cents[number], strict=True)
        )
        written.append(f'{{"note": {number}, "account": "DE{check:02}{account}", "lines": [{lines}]}}\n')
    return written


def _weighted_digits(articles: Ints) -> Ints:
    """The sum of the twelve digits, weighted 1, 3, 1, 3 ... from the left: EAN-13's check digit makes it end in 0."""
    return sum(
        (articles // 10**place % 10 * (3 if place % 2 == 0 else 1) for place in range(12)), 0 * articles
    )
