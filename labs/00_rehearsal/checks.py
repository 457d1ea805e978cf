"""The judge of the rehearsal: its inputs, its serial baseline, and what counts as the same answer.

Nothing here is secret: the inputs of a check are made from a seed of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path

import numpy as np

from course.cases import payments

#: Payments of the answer check: none, one, about one a file, and odd numbers.
SIZES = (0, 1, 7, 4_999, 30_011)


def make_input(folder: Path, size: int, seed: int) -> None:
    """Write `size` payments as `region-1.csv` and so on."""
    payments.write(folder, size, seed)


def arguments(folder: Path) -> tuple[Path]:
    """What `count_payments` gets before `workers`."""
    return (folder,)


def serial(folder: Path) -> Counter[str]:
    """The baseline: one file after the other."""
    return payments.count(folder)


def encode(answer: object) -> dict[str, np.ndarray]:
    """The counts as plain arrays, by category. A category that was counted zero times is the same as none.

    Raises:
        TypeError: the answer isn't a dict (such as a Counter) from names to whole numbers.
    """
    if not isinstance(answer, Mapping):
        raise TypeError(
            "count_payments must return one Counter or dict, category -> number of payments; "
            f"it returned {type(answer).__name__}.{_advice(answer)}"
        )
    for name, number in answer.items():
        if not isinstance(name, str):
            raise TypeError(f"The keys must be names of categories; {name!r:.60} is {type(name).__name__}.")
        if not isinstance(number, Integral) or isinstance(number, bool):
            raise TypeError(f"The number for {name[:40]!r} must be whole; it is {type(number).__name__}.")
    names = sorted(name for name, number in answer.items() if number)
    try:
        return {
            "category": np.array([name.encode() for name in names], dtype="S40"),
            "number": np.array([int(answer[name]) for name in names], dtype=np.int64),
        }
    except OverflowError as error:
        raise TypeError("A number is too large to be a count of payments.") from error


def _advice(answer: object) -> str:
    """What to do about the two that are returned most often instead."""
    if answer is None:
        return " Does it end with a return?"
    if isinstance(answer, list) and answer and all(isinstance(part, Mapping) for part in answer):
        return f" Its {len(answer)} parts are there; they are not added up yet."
    return ""


def compare(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when all counts are equal; else how many payments are there, and the first category that differs."""
    right, mine = _counts(expected), _counts(got)
    if right == mine:
        return ""
    name = min(name for name in right.keys() | mine.keys() if right.get(name) != mine.get(name))
    total, counted = sum(right.values()), sum(mine.values())
    first = f"{name}: {_payments(right.get(name, 0))}, and you have {mine.get(name, 0):,}"
    why = _why(total, counted)
    return f"of {_payments(total)} you have {counted:,}. The first category that differs is {first}. {why}"


def _payments(number: int) -> str:
    return f"{number:,} payment{'' if number == 1 else 's'}"


def _why(total: int, counted: int) -> str:
    """What such a difference usually comes from."""
    if not counted:
        return (
            "Nothing came back. A worker has variables of its own, and what it adds to them stays with it: let it "
            "return its counts, and wait for them. Or does one part replace another instead of adding to it?"
        )
    if counted < total:
        return (
            "Some are missing: is a file left out, or does one part replace another instead of adding to it?"
        )
    if counted > total:
        return "There are too many: is a file counted twice, or its heading?"
    return "Their sum is right, so some went to the wrong category."


def _counts(arrays: dict[str, np.ndarray]) -> dict[str, int]:
    return {
        name.decode(errors="replace"): int(number)
        for name, number in zip(arrays["category"], arrays["number"], strict=True)
    }
