"""The judge of the lab: its books, its serial baseline, and what is seen of a run that fails or is cancelled.

What was begun is read from the trail that the case keeps (`reserves.begun`): a file in the folder of the input,
so it works however workers are started, and no clock decides. Nothing here is secret: the inputs of a check are made
from a seed of its own.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from course.cases import reserves

#: Contracts of the answer check: none, one, fewer than workers have chunks, odd numbers.
SIZES = (0, 1, 7, 401, 4_001)
#: Contracts at which the sizing for the speed check starts.
SPEED_SIZE = 8_000

#: The book of the other checks: so many contracts of about a third of a millisecond each.
WATCHED, STEPS = 2_000, 2_000
#: Of a book that is broken or cancelled, so much may have been begun at most: what was under way, and more.
BEGUN = 0.75
#: No step of the progress is larger than this part of the book; the first comes before so much of it was begun.
LARGEST_STEP, BEFORE_FIRST = 0.1, 0.5
#: A cancelled program is watched for so many seconds: does its work go on?
LOOK = 0.5

Report = Callable[[int, int], None]
Values = Callable[[Path, Report, int], Any]


def make_input(folder: Path, size: int, seed: int) -> None:
    """Write a book of `size` contracts."""
    reserves.make(folder, size, seed)


def arguments(folder: Path) -> tuple[Path, Report]:
    """What `value_book` gets before `workers`: here nobody looks at the progress."""
    return folder, _nobody


def serial(folder: Path, progress: Report) -> list[int]:
    """The baseline: one contract after the other."""
    return reserves.value_some(reserves.read(folder), progress)


def encode(answer: object) -> dict[str, np.ndarray]:
    """The values as an array of whole numbers.

    Raises:
        TypeError: the answer isn't a list of whole numbers.
    """
    if not isinstance(answer, (list, tuple, np.ndarray)):
        raise TypeError(
            f"value_book must return a list of values; it returned {type(answer).__name__}.{_advice(answer)}"
        )
    try:
        numbers = np.asarray(answer)
    except ValueError as error:
        raise TypeError(
            f"value_book must return one list of whole numbers, not a list of lists: {error}."
        ) from error
    if numbers.ndim != 1 or (len(numbers) and numbers.dtype.kind not in "iu"):
        raise TypeError("value_book must return one list of whole numbers, one for each contract.")
    return {"values": numbers.astype(np.int64)}


def _advice(answer: object) -> str:
    if answer is None:
        return " Does it end with a return?"
    return " Make it a list while the workers are still there." if hasattr(answer, "__next__") else ""


def compare(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when all values are equal and in order; else what is wrong with them."""
    right, mine = expected["values"], got["values"]
    if np.array_equal(right, mine):
        return ""
    if len(right) != len(mine):
        return f"the book has {len(right):,} contracts; you returned {len(mine):,} values."
    if np.array_equal(np.sort(right), np.sort(mine)):
        return "all values are there, but not in the order of the book."
    wrong = np.flatnonzero(right != mine)
    return (
        f"{len(wrong):,} of {len(right):,} values are wrong. The first is that of line {wrong[0] + 1:,}: "
        f"{mine[wrong[0]]:,} instead of {right[wrong[0]]:,}."
    )


def _nobody(done: int, total: int) -> None:
    """The progress that nobody looks at."""


# Progress


def make_watched(folder: Path, size: int, seed: int) -> None:
    """A book whose contracts are of about one size, with a trail."""
    reserves.make(folder, size, seed, steps=STEPS)
    reserves.keep_trail(folder)


def call_watched(function: Values, given: Sequence[Any]) -> dict[str, Any]:
    """The values, and for each call of progress: done, total, and how many contracts were begun by then."""
    folder, _, workers = given
    reserves.keep_trail(folder)  # empty again: the baseline has been here
    calls: list[tuple[int, int, int]] = []

    def progress(done: int, total: int) -> None:
        calls.append((int(done), int(total), reserves.begun(folder)))

    return {"values": function(folder, progress, workers), "calls": calls}


def serial_watched(folder: Path, progress: Report) -> dict[str, Any]:
    """What `call_watched` would see of the baseline."""
    calls: list[tuple[int, int, int]] = []
    contracts = reserves.read(folder)
    values = reserves.value_some(contracts, lambda done, total: calls.append((done, total, done)))
    return {"values": values, "calls": calls}


def encode_watched(seen: dict[str, Any]) -> dict[str, np.ndarray]:
    """The values, and a row for each call."""
    return {
        **encode(seen["values"]),
        "calls": np.array(seen["calls"], dtype=np.int64).reshape(-1, 3),
    }


def compare_progress(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when the progress could be followed; else what one who looks at it would have seen."""
    total, calls = len(expected["values"]), got["calls"]
    done, told, begun = calls[:, 0], calls[:, 1], calls[:, 2]
    if not total:
        return compare(expected, got)
    if not len(calls):
        return (
            "progress was never called in your own process. What a worker calls, only the worker sees: call it "
            "where the results come in."
        )
    steps = np.diff(done, prepend=0)
    if np.any(told != total):
        return f"the total is {total:,}, the contracts of the book; progress was told {told[told != total][0]:,}."
    if np.any(steps < 0):
        at = int(np.flatnonzero(steps < 0)[0])
        return f"progress went back from {done[at - 1]:,} done to {done[at]:,}."
    if np.any(done > begun):
        at = int(np.flatnonzero(done > begun)[0])
        return (
            f"progress was told that {done[at]:,} contracts were done when only {begun[at]:,} had been begun. "
            "Count results, not tasks that were handed in."
        )
    if done[-1] != total:
        return f"the last call of progress says {done[-1]:,} of {total:,}; at the end all are done."
    if begun[0] > max(1, BEFORE_FIRST * total):
        return (
            f"when progress was first called, {begun[0]:,} of {total:,} contracts had been begun: whoever waits "
            "has seen nothing until then. Which call hands over results while others are still at work?"
        )
    if steps.max() > max(1, LARGEST_STEP * total):
        return f"progress jumped by {steps.max():,} of {total:,} contracts at once; a tenth is the most."
    return compare(expected, got)


# A contract that can't be valued, and a run that somebody cancels


def make_broken(folder: Path, size: int, seed: int) -> None:
    """One contract can't be valued: by an error that travels well (odd sizes), by one that doesn't (even ones)."""
    reserves.make(folder, size, seed, steps=STEPS, broken="paths" if size % 2 else "fund")
    reserves.keep_trail(folder)


def call_broken(function: Values, given: Sequence[Any]) -> dict[str, Any]:
    """Which exception the function was left by, and what was begun until then."""
    folder, progress, workers = given
    return _left_by(function, folder, progress, workers)


def call_cancelled(function: Values, given: Sequence[Any]) -> dict[str, Any]:
    """The same where progress raises after a little: KeyboardInterrupt where the size is odd, else `StopWork`."""
    folder, _, workers = given
    return _left_by(function, folder, _stops(folder), workers)


def _stops(folder: Path) -> Report:
    """A progress that raises when the first twentieth is done, and whenever it is called again."""

    def progress(done: int, total: int) -> None:
        if 20 * done >= total:
            raise KeyboardInterrupt("stop") if total % 2 else StopWork("stop")

    return progress


class StopWork(Exception):  # noqa: N818  (it is no error: somebody wants it)
    """Somebody has pressed the button."""


def _left_by(function: Values, folder: Path, progress: Report, workers: int) -> dict[str, Any]:
    reserves.keep_trail(folder)
    left: BaseException | None = None
    try:
        function(folder, progress, workers)
    except NotImplementedError:
        raise  # the stub says so itself
    except BaseException as error:
        left = error  # held, as a notebook holds the last error: with all that its frames hold, a pool too
    begun = reserves.begun(folder)
    time.sleep(LOOK)
    return {
        "name": _name(left),
        "number": left.number if isinstance(left, reserves.TaskError) else -1,
        "text": _chain(left),
        "begun": begun,
        "later": reserves.begun(folder),
    }


def _name(error: BaseException | None) -> str:
    if error is None:
        return ""
    return "TaskError" if isinstance(error, reserves.TaskError) else type(error).__name__


def _chain(error: BaseException | None) -> str:
    """The words of an exception and of all that it came from; a worker's traceback is among them."""
    words: list[str] = []
    while error is not None and len(words) < 10:
        words.append(f"{type(error).__name__}: {error}")
        error = error.__cause__ or error.__context__
    return "\n".join(words)


def serial_broken(folder: Path, progress: Report) -> dict[str, Any]:
    """What the function must be left by: the broken contract's number, and the error's own words."""
    for place, contract in enumerate(reserves.read(folder)):
        try:
            reserves.value(contract._replace(months=min(contract.months, 1), trail=""))
        except (reserves.FundError, ZeroDivisionError) as error:
            left = {"name": "TaskError", "number": contract.number, "text": str(error)}
            return {**left, "begun": place, "later": place}
    raise AssertionError("the book has no broken contract")


def serial_cancelled(folder: Path, progress: Report) -> dict[str, Any]:
    """What the function must be left by."""
    total = len(reserves.read(folder))
    name = "KeyboardInterrupt" if total % 2 else "StopWork"
    return {"name": name, "number": -1, "text": "stop", "begun": total, "later": total}


def encode_left(seen: dict[str, Any]) -> dict[str, np.ndarray]:
    """The same as plain arrays; texts as bytes."""
    return {
        "name": np.array([seen["name"].encode()], dtype="S80"),
        "text": np.array([seen["text"].encode(errors="replace")], dtype="S20000"),
        "numbers": np.array([seen["number"], seen["begun"], seen["later"]], dtype=np.int64),
    }


def compare_failure(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when the error came out with its contract and its cause, and soon; else what is missing."""
    number, name, text = int(expected["numbers"][0]), _word(got["name"]), _word(got["text"])
    first = text.split("\n", 1)[0][:200]
    if not name:
        return (
            f"contract {number} can't be valued, and your function raised nothing. A sum without it is wrong, and "
            "nobody would know."
        )
    if name != "TaskError":
        if not got["numbers"][1]:
            return _before_any(first)
        return (
            f"contract {number} can't be valued; your function raised {first}. It must raise reserves.TaskError "
            "with the number of the contract: catch the error where the contract is known, in the worker."
        )
    if got["numbers"][0] != number:
        return f"contract {number} can't be valued; your TaskError names contract {got['numbers'][0]}."
    why = _word(expected["text"])
    if why not in text:
        return (
            f"your TaskError names contract {number}, but neither it nor its cause says what went wrong there: "
            f"{why!r}. Hand the error on, in the worker: raise reserves.TaskError(...) from error."
        )
    return _went_on(got, "the error was there")


def compare_cancel(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when the exception came out at once and nothing went on; else what went on."""
    wanted, name = _word(expected["name"]), _word(got["name"])
    if name != wanted:
        first = (_word(got["text"]).splitlines() or [""])[0][:200]
        if name and not got["numbers"][1]:
            return _before_any(first)
        came = f"it raised {first}" if name else "it raised nothing"
        return f"progress raised {wanted}, and your function must be left by it; {came}."
    return _went_on(got, f"progress had raised {wanted}", int(expected["numbers"][1]))


def _before_any(error: str) -> str:
    return f"your function raised {error}. No contract was begun by then: mend that first, as the answer check says."


def _went_on(got: dict[str, np.ndarray], when: str, total: int = WATCHED) -> str:
    """What was begun too late, in words. A book of a few contracts is all under way at once."""
    _, begun, later = (int(number) for number in got["numbers"])
    if later > begun:
        return (
            f"when {when} your function was left, and its workers went on: {later - begun:,} more contracts were "
            f"begun in the next {LOOK:g} s. End the workers whichever way your function is left."
        )
    if total >= WATCHED and begun > BEGUN * total:
        return (
            f"after {when} the work went on: {begun:,} of about {total:,} contracts had been begun when your "
            "function was left. Who waits for the tasks that are still to be done?"
        )
    return ""


def _word(array: np.ndarray) -> str:
    return bytes(array[0]).decode(errors="replace")


# What is left behind


def call_both_ways(function: Values, given: Sequence[Any]) -> Any:
    """A run that is cancelled, then one that isn't: neither may leave a process behind."""
    folder, progress, workers = given
    try:
        function(folder, _stops(folder), workers)
    except (StopWork, KeyboardInterrupt) as error:
        if multiprocessing.active_children():
            _held.append(error)  # as a notebook holds the last error: a pool in its frames lives on with it
    return function(folder, progress, workers)


_held: list[BaseException] = []

_OF_A_RUN_THAT_IS_LEFT: dict[str, Any] = {"encode": encode_left}

#: The situations of the other checks: what replaces this module's own names in them.
SCENARIOS: dict[str, dict[str, Any]] = {
    "progress": {
        "SIZES": (1, WATCHED),
        "make_input": make_watched,
        "call": call_watched,
        "serial": serial_watched,
        "encode": encode_watched,
        "compare": compare_progress,
    },
    "failure": {
        **_OF_A_RUN_THAT_IS_LEFT,
        "SIZES": (5, 6, WATCHED + 1, WATCHED),
        "make_input": make_broken,
        "call": call_broken,
        "serial": serial_broken,
        "compare": compare_failure,
    },
    "cancel": {
        **_OF_A_RUN_THAT_IS_LEFT,
        "SIZES": (WATCHED, WATCHED + 1),
        "make_input": make_watched,
        "call": call_cancelled,
        "serial": serial_cancelled,
        "compare": compare_cancel,
    },
    "clean_up": {"SIZES": (WATCHED // 2,), "make_input": make_watched, "call": call_both_ways},
}
