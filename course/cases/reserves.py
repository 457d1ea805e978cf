"""A life insurer's book of contracts with a guarantee: thousands of small valuations of very unequal size.

    from course.cases import reserves

    reserves.make(folder, 16_000, seed=1)          # writes book.csv
    contracts = reserves.read(folder)
    reserves.value(contracts[0])                   # what its guarantee costs, in hundredths
    reserves.value_all(folder)                     # the baseline: one contract after the other

A customer pays a premium each month into a fund. At the end the insurer promises back a part of what was paid in,
however the fund did. `value` simulates the fund on a number of paths, and takes the mean of what is missing at
the end. Most contracts are small and short. The last ones of a book, sold most recently, are long and large: they
are hundreds of times the work.

All sums are whole numbers, and the chance comes from the contract's own number: so a value is the same on every
machine. Where a folder has a trail (`keep_trail`), each valuation notes its contract there before it begins.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = [
    "Contract",
    "FundError",
    "TaskError",
    "begun",
    "keep_trail",
    "make",
    "read",
    "value",
    "value_all",
    "value_some",
]

#: What each fund does in a month, in thousandths of itself: one of these, by chance.
FUNDS = {
    "bonds": (-9, -4, 0, 2, 3, 5, 7, 10),
    "mixed": (-31, -14, -4, 3, 8, 13, 19, 28),
    "shares": (-70, -32, -10, 4, 15, 27, 41, 66),
}
#: The share of a book's contracts that are long and large; they come last.
LARGE = 0.06
#: Paths and months of a small contract and of a large one: from, to.
SMALL_SIZE, LARGE_SIZE = ((2, 4), (4, 10)), ((16, 25), (240, 360))

_HEADING = ("number", "fund", "premium", "months", "paths", "promised")
_MULTIPLIER, _INCREMENT, _MASK = 1_103_515_245, 12_345, 0x7FFF_FFFF


class Contract(NamedTuple):
    """One line of the book. `premium` is in hundredths a month, `promised` in per cent of what was paid in.

    `trail` is the file in which its valuation is noted; "" where nobody keeps one.
    """

    number: int
    fund: str
    premium: int
    months: int
    paths: int
    promised: int
    trail: str = ""


class FundError(Exception):
    """A contract names a fund that nobody knows."""

    # It looks harmless. But pickle makes an exception anew from its `args`, which is the message alone here.
    def __init__(self, number: int, fund: str) -> None:
        super().__init__(f"contract {number} names a fund that nobody knows: {fund!r}")
        self.number, self.fund = number, fund


class TaskError(Exception):
    """A contract could not be valued: `number` says which, `reason` why. It gets through to another process whole."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(number, reason)
        self.number, self.reason = number, reason

    def __str__(self) -> str:
        return f"contract {self.number} could not be valued: {self.reason}"


# The book


def make(folder: Path, size: int, seed: int, *, steps: int = 0, broken: str = "") -> None:
    """Write a book of so many contracts as `folder/book.csv`.

    With `steps` all contracts are of about one size: so many paths times months each. With `broken` one contract in the
    first half can't be valued: its "fund" is unknown (FundError), or it has no "paths" (ZeroDivisionError).
    """
    rng = np.random.default_rng(seed)
    large = np.arange(size) >= size - round(LARGE * size)
    paths, months = (
        np.where(large, rng.integers(*of_large, size), rng.integers(*of_small, size))
        for of_small, of_large in zip(SMALL_SIZE, LARGE_SIZE, strict=True)
    )
    if steps:
        paths = np.maximum(1, rng.integers(9 * steps // 10, 11 * steps // 10 + 1, size) // months)
    funds = rng.choice(list(FUNDS), size).tolist()
    if broken and size:
        place = int(rng.integers(size // 6, size // 3 + 1))
        if broken == "fund":
            funds[place] = "tulips"
        else:
            paths[place] = 0
    numbers = 100_000 + np.cumsum(rng.integers(1, 9, size))
    premiums, promised = rng.integers(20, 400, size) * 100, rng.integers(80, 111, size)
    with (folder / "book.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(_HEADING)
        lines.writerows(
            zip(
                numbers.tolist(),
                funds,
                premiums.tolist(),
                months.tolist(),
                paths.tolist(),
                promised.tolist(),
                strict=True,
            )
        )


def read(folder: Path) -> list[Contract]:
    """The contracts of the book in `folder`, in its order."""
    path = folder / "trail.txt"
    trail = str(path) if path.exists() else ""
    with (folder / "book.csv").open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        next(lines)
        return [
            Contract(int(number), fund, int(premium), int(months), int(paths), int(promised), trail)
            for number, fund, premium, months, paths, promised in lines
        ]


# The work


def value(contract: Contract) -> int:
    """What the contract's guarantee costs on average, in hundredths.

    Raises:
        FundError: nobody knows its fund.
        ZeroDivisionError: it has no paths.
    """
    if contract.trail:
        _note(contract)
    if contract.fund not in FUNDS:
        raise FundError(contract.number, contract.fund)
    moves, premium, months = FUNDS[contract.fund], contract.premium, contract.months
    promised = premium * months * contract.promised // 100
    chance, missing = contract.number & _MASK, 0
    for _ in range(contract.paths):
        fund = 0
        for _ in range(months):
            chance = (chance * _MULTIPLIER + _INCREMENT) & _MASK
            fund += premium
            fund += fund * moves[chance >> 20 & 7] // 1000
        if fund < promised:
            missing += promised - fund
    return missing // contract.paths


def value_some(contracts: list[Contract], progress: Callable[[int, int], None]) -> list[int]:
    """The contracts' values, one after the other; `progress(done, total)` is called after each."""
    values = []
    for contract in contracts:
        values.append(value(contract))
        progress(len(values), len(contracts))
    return values


def value_all(folder: Path) -> list[int]:
    """The baseline: the values of all contracts of the book, in its order."""
    return [value(contract) for contract in read(folder)]


# The trail


def keep_trail(folder: Path) -> None:
    """From now on, valuations of contracts that are read from `folder` are noted. The trail is empty at first."""
    (folder / "trail.txt").write_bytes(b"")


def begun(folder: Path) -> int:
    """How many valuations were begun, by whatever process, since the trail is kept."""
    return (folder / "trail.txt").read_bytes().count(b"\n")


def _note(contract: Contract) -> None:
    """A line in one write at the end of the file: processes that note at the same time don't mix."""
    trail = os.open(contract.trail, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(trail, b"%d\n" % contract.number)
    finally:
        os.close(trail)
