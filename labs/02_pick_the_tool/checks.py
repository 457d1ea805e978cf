"""The judge of the lab: its inputs, its baseline, and what counts as the same answers.

**The baseline is no naive program.** Three of the four jobs are rightly done without processes, so a program that is
only compared with the slow one of today could leave three of them slow and still be "faster". The baseline is
one process with the right tool for these three; the fourth runs on one core. Who takes a wrong tool for any of the
four is slower than that, or has nothing to be faster by.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from course.cases import month_end, month_end_best

#: Notes of the answer check: none, one, fewer than there are depots, odd numbers.
SIZES = (0, 1, 7, 901, 4_001)
#: Notes at which the sizing for the speed check starts.
SPEED_SIZE = 15_000

JOBS = ("paid_twice", "net_sales", "balances", "audit")
_AUDIT = (
    "notes",
    "accounts that fail their check",
    "articles that fail theirs",
    "the sum of the lines that pass",
)


def make_input(folder: Path, size: int, seed: int) -> None:
    """Write a month of `size` delivery notes, and of the rest in proportion."""
    month_end.make(folder, size, seed)


def arguments(folder: Path) -> tuple[Path]:
    """What `close_month` gets before `workers`."""
    return (folder,)


def serial(folder: Path) -> dict[str, object]:
    """The baseline: the right tools for the first three jobs, one process for the fourth."""
    return month_end_best.close_month(folder)


def encode(answer: object) -> dict[str, np.ndarray]:
    """The four answers as arrays of whole numbers.

    Raises:
        TypeError: the answer isn't four such lists.
    """
    if not isinstance(answer, dict):
        raise TypeError(
            f"close_month must return a dict of four answers; it returned {type(answer).__name__}."
        )
    missing = [job for job in JOBS if job not in answer]
    if missing:
        raise TypeError(
            f"The dict that close_month returned lacks {', '.join(missing)}; it has "
            f"{', '.join(map(str, answer)) or 'nothing'}."
        )
    return {job: _whole(job, answer[job]) for job in JOBS}


def _whole(job: str, value: object) -> np.ndarray:
    """One job's answer as an array of int64."""
    try:
        numbers = np.asarray(sorted(value) if isinstance(value, (set, frozenset)) else value)
    except (ValueError, TypeError, OverflowError) as error:
        raise TypeError(f"The answer of {job} holds what is no whole number: {error}.") from error
    if numbers.ndim != 1:
        raise TypeError(f"The answer of {job} must be a list or tuple; it is {type(value).__name__}.")
    if len(numbers) and numbers.dtype.kind not in "iu":
        raise TypeError(f"The answer of {job} must hold whole numbers of 64 bits, not {numbers.dtype}.")
    return numbers.astype(np.int64)


def compare(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when all four are right; else which job is wrong, and how."""
    said = {
        "paid_twice": _payments(expected["paid_twice"], got["paid_twice"]),
        "net_sales": _numbers(("net", "lines with the rebate"), expected["net_sales"], got["net_sales"]),
        "balances": _balances(expected["balances"], got["balances"]),
        "audit": _numbers(_AUDIT, expected["audit"], got["audit"]),
    }
    return " ".join(f"{job}: {wrong}." for job, wrong in said.items() if wrong)


def _payments(right: np.ndarray, mine: np.ndarray) -> str:
    """The positions may come in any order, but once each."""
    numbers, times = np.unique(mine, return_counts=True)
    parts = [
        f"{len(which):,} {what} (the first: position {which[0]:,})"
        for which, what in (
            (right[~np.isin(right, mine)], "missing"),
            (numbers[~np.isin(numbers, right)], "too many"),
            (numbers[times > 1], "more than once"),
        )
        if len(which)
    ]
    return f"of {len(right):,} payments made twice, {', '.join(parts)}" if parts else ""


def _numbers(names: tuple[str, ...], right: np.ndarray, mine: np.ndarray) -> str:
    if len(mine) != len(right):
        return f"{len(right)} numbers are asked for ({', '.join(names)}); you returned {len(mine)}"
    wrong = [
        f"{name}: {mine[i]:,} instead of {right[i]:,}" for i, name in enumerate(names) if mine[i] != right[i]
    ]
    return "; ".join(wrong)


def _balances(right: np.ndarray, mine: np.ndarray) -> str:
    if len(mine) != len(right):
        return f"{len(right)} branches were to be asked; you returned {len(mine)} balances"
    if np.array_equal(right, mine):
        return ""
    if np.array_equal(np.sort(right), np.sort(mine)):
        return "all of them are there, but not in the order of the branches"
    wrong = np.flatnonzero(right != mine)
    first = wrong[0]
    named = f"branch {first}, {mine[first]:,} instead of {right[first]:,}"
    return f"{len(wrong)} of {len(right)} are wrong (the first: {named})"
