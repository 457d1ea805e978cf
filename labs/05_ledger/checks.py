"""The judge of the lab: days of transfers, the serial program, and what counts as the same book in the evening.

The check `schedules` is a rehearsal: a small day whose book pauses at the edges of its locks and between a read and
what follows it, and notes what it sees (`course.cases.ledger_schedules`). There the answer has to be right, and nothing
may have been noted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from course.cases import ledger

#: Transfers of the answer check: none, one, fewer than there are files, an odd number.
SIZES = (0, 1, 7, 1_501)
#: Transfers at which the sizing for the speed check starts.
SPEED_SIZE = 8_000


class Evening(NamedTuple):
    """What a day comes to: balances, refused transfers; how many were booked one by one (-1: nobody counted), notes."""

    balances: list[int]
    refused: int
    booked: int = -1
    notes: tuple[str, ...] = ()


def make_input(folder: Path, size: int, seed: int) -> None:
    """Write a day of `size` transfers."""
    ledger.make(folder, size, seed)


def arguments(folder: Path) -> tuple[Path]:
    """What `post_transfers` gets before `workers`."""
    return (folder,)


def serial(folder: Path) -> Evening:
    """The baseline: one transfer after the other."""
    return Evening(*ledger.post_all(folder))


def rehearse(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Evening:
    """Run the learner's function on a rehearsed day: with its answer what the book has seen.

    What it raises is what a worker was told at a deadlock, as long as there is a note of it.
    """
    folder = arguments[0]
    try:
        answer = function(*arguments)
    except Exception:
        seen = ledger.notes(folder)
        if not seen:
            raise
        return Evening([], 0, 0, tuple(seen))
    evening = _evening(answer)
    return Evening(evening.balances, evening.refused, answer[0].bookings(), tuple(ledger.notes(folder)))


def encode(answer: object) -> dict[str, np.ndarray]:
    """The evening as plain arrays.

    Raises:
        TypeError: the answer isn't the book and a number.
    """
    evening = answer if isinstance(answer, Evening) else _evening(answer)
    return {
        "balances": np.array(evening.balances, np.int64),
        "refused": np.array([evening.refused], np.int64),
        "booked": np.array([evening.booked], np.int64),
        "notes": np.array([note.encode() for note in evening.notes], "S400"),
    }


def _evening(answer: object) -> Evening:
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise TypeError(
            f"post_transfers must return two things, the book and how many transfers were refused; it returned "
            f"{type(answer).__name__}. Does it end with: return book, refused?"
        )
    book, refused = answer
    if not isinstance(book, ledger.Book):
        raise TypeError(
            f"The first thing that post_transfers returns must be the book that ledger.open_book gave; it is "
            f"{type(book).__name__}."
        )
    if isinstance(refused, bool) or not isinstance(refused, (int, np.integer)) or not 0 <= refused < 1 << 60:
        what = getattr(refused, "value", None)
        but = "" if what is None else " Its number is in its .value."
        raise TypeError(
            f"The second thing that post_transfers returns must be a whole number, how many transfers were "
            f"refused; it is {type(refused).__name__}.{but}"
        )
    return Evening(book.balances(), int(refused))


def compare(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when the evening is right and nothing was noted; else what is wrong, the most telling first."""
    notes = [note.decode(errors="replace") for note in got["notes"]]
    said = [f"Seen: {notes[0]}"] if notes else []
    stopped = notes and notes[0].startswith(("deadlock", "never let go"))
    if not stopped:  # else the rest of the day was never posted, and its balances say nothing
        said = [wrong for wrong in (_balances(expected, got), _refused(expected, got)) if wrong] + said
    booked, moved = int(got["booked"][0]), int(expected["booked"][0])
    if not said and 0 <= booked < moved:
        said.append(
            f"{moved:,} transfers moved money, and the book was changed {booked:,} times: each is to be booked by "
            "itself, when it has been validated."
        )
    return " ".join(said)


def _balances(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    right, mine = expected["balances"], got["balances"]
    if len(right) != len(mine):
        return f"The book has {len(right)} accounts; yours has {len(mine)}."
    wrong = np.flatnonzero(right != mine)
    if not len(wrong):
        return ""
    first = wrong[0]
    parts = [
        f"{len(wrong)} of {len(right)} balances are wrong (account {first}: {_money(mine[first] - right[first])})"
    ]
    if difference := int(mine.sum() - right.sum()):
        parts.append(f"over all accounts {_money(difference)}: money must neither appear nor vanish")
    else:
        parts.append("over all accounts no money is missing")
    return "; ".join(parts) + "."


def _refused(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    right, mine = int(expected["refused"][0]), int(got["refused"][0])
    return "" if right == mine else f"{right:,} transfers were to be refused; you counted {mine:,}."


def _money(cents: int) -> str:
    return f"{abs(cents) / 100:,.2f} too {'much' if cents > 0 else 'little'}"


#: The situations of the other checks: what replaces this module's own names in them.
SCENARIOS = {"schedules": {"SIZES": (24, 41, 56), "make_input": ledger.make_rehearsal, "call": rehearse}}
