"""The judge of the lab: its inboxes, its serial baseline, what counts as the same report, and two situations more.

`bounded`: short invoices and a slow book, so that whatever may pile up does. `poison`: every third invoice can't be
checked at all, the first and the last among them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from course.cases import invoices

#: Invoices of the answer check: none, one, fewer than there are workers, and so many that pipes fill up.
SIZES = (0, 1, 3, 61, 2_001)
#: Invoices at which the sizing for the speed check starts.
SPEED_SIZE = 3_000

#: Workers with which the bound must hold, lab.toml's max_workers; the other checks try two.
WORKERS = 4

_LONGEST = 2_000  # characters of one judgement that are compared


def make_input(folder: Path, size: int, seed: int) -> None:
    """Write an inbox of `size` invoices, all of which can be checked."""
    invoices.make(folder, size, seed)


def arguments(folder: Path) -> tuple[Path]:
    """What `check_invoices` gets before `workers`."""
    return (folder,)


def serial(folder: Path) -> dict[int, str]:
    """The baseline: one invoice after the other."""
    return invoices.check_all(folder)


def encode(answer: object) -> dict[str, np.ndarray]:
    """The report as two arrays: the positions, in order, and what becomes of each invoice.

    Raises:
        TypeError: the answer isn't a report.
    """
    if not isinstance(answer, dict):
        raise TypeError(
            f"check_invoices must return the report of the book, a dict; it returned {type(answer).__name__}."
        )
    odd = [
        key
        for key, text in answer.items()
        if not isinstance(key, int) or abs(key) > 2**60 or not isinstance(text, str)
    ]
    if odd:
        raise TypeError(
            f"The report must say a text for each invoice's number; under {odd[0]!r} "
            f"it holds {type(answer[odd[0]]).__name__}."
        )
    positions = sorted(answer)
    judged = [answer[position][:_LONGEST] for position in positions]
    return {"positions": np.array(positions, np.int64), "judged": np.array(judged, np.str_)}


def compare(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when both reports say the same; else which invoices are missing, too many or judged otherwise."""
    right = dict(zip(expected["positions"].tolist(), expected["judged"].tolist(), strict=True))
    mine = dict(zip(got["positions"].tolist(), got["judged"].tolist(), strict=True))
    missing = [position for position in right if position not in mine]
    more = [position for position in mine if position not in right]
    other = [
        position for position in right if position in mine and not _agree(right[position], mine[position])
    ]
    parts = []
    if missing:
        parts.append(f"{len(missing):,} missing (the first: number {missing[0]:,}, {right[missing[0]]!r})")
    if more:
        parts.append(f"{len(more):,} too many (the first: number {more[0]:,})")
    if other:
        first = other[0]
        parts.append(
            f"{len(other):,} judged otherwise "
            f"(the first: number {first:,}, {mine[first][:200]!r} instead of {right[first]!r})"
        )
    return f"of {len(right):,} invoices, {', '.join(parts)}." if parts else ""


def _agree(right: str, mine: str) -> bool:
    """What couldn't be checked must be rejected with the exception's own text somewhere in the cause."""
    if right.startswith("reject: "):
        return mine.startswith("reject: ") and right.split(": ", 2)[2] in mine
    return right == mine


# Bounded


def make_short(folder: Path, size: int, seed: int) -> None:
    """Invoices of a line or two: workers are much faster than the book."""
    invoices.make(folder, size, seed, lines=(1, 2))


def call_counted(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, int, int, int]:
    """The report, the most invoices in flight at any moment, how many were read, and how many entered."""
    folder, _ = arguments
    invoices.start_counting(folder)
    report = function(folder, WORKERS)
    _, counts, (read, entered) = invoices.in_flight(folder)
    return report, int(counts.max(initial=0)), read, entered


def serial_counted(folder: Path) -> tuple[Any, int, int, int]:
    """What is right: every invoice read once and entered once. How many are in flight has no one right value."""
    report = invoices.check_all(folder)
    return report, 0, len(report), len(report)


def encode_counted(answer: tuple[object, int, int, int]) -> dict[str, np.ndarray]:
    """The report's arrays, and the three counts."""
    report, *counts = answer
    return encode(report) | {"counts": np.array(counts, np.int64)}


def compare_counted(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """First the report, then that all were counted, then the bound."""
    wrong = compare(expected, got)
    if wrong:
        return wrong
    most, read, entered = got["counts"].tolist()
    size = expected["counts"].tolist()[1]
    for what, count in (("invoices.read handed out", read), ("the book was given", entered)):
        if count != size:
            return (
                f"The report is right, but {what} {count:,} invoices instead of {size:,}: "
                "take each of them once from invoices.read, and enter it once, so that they can be counted."
            )
    if most > invoices.AT_MOST:
        return (
            f"With {WORKERS} workers {most:,} of the {size:,} invoices were in flight at the worst moment: "
            "read, and not yet in the book. "
            f"At most {invoices.AT_MOST} are allowed. The report itself is right."
        )
    return ""


# Poison


def make_poisoned(folder: Path, size: int, seed: int) -> None:
    """An inbox of which every third invoice can't be checked at all, the first and the last among them."""
    invoices.make(folder, size, seed, broken=1 / 3)


#: The situations of the other checks: what replaces this module's own names in them.
SCENARIOS = {
    "bounded": {
        "SIZES": (3, 2_500),
        "make_input": make_short,
        "serial": serial_counted,
        "call": call_counted,
        "encode": encode_counted,
        "compare": compare_counted,
    },
    "poison": {"SIZES": (1, 5, 601), "make_input": make_poisoned},
}
