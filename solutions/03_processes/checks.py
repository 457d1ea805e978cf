"""The judge of the lab: its inputs, its serial baseline, and what counts as the same answer.

Nothing here is secret: the inputs of a check are made from a seed of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from course.cases import branches

#: Bookings of the answer check: none, one, fewer than there are files, odd numbers, and enough to fill a pipe.
SIZES = (0, 1, 7, 901, 8_001)
#: Bookings at which the sizing for the speed check starts.
SPEED_SIZE = 60_000

#: The damages of a year in which files fail. Nine of them: in any share there are several.
_DAMAGED = (*branches.DAMAGES, "scan that quits", "line cut short", "amount missing", "scan that quits")
_NO_CAUSE = "(nothing)"
#: Branches where only rightness counts: a process a file is slow, under spawn above all, and yet right.
_FEW = 4


def make_input(folder: Path, size: int, seed: int) -> None:
    """Write a year of `size` bookings: of all branches where speed is measured."""
    branches.make(folder, size, seed, _FEW if size <= max(SIZES) else len(branches.BRANCHES))


def make_broken(folder: Path, size: int, seed: int) -> None:
    """The same year, with some of its files damaged; two of them are neighbours."""
    paths = branches.make(folder, size, seed, _FEW)
    rng = random.Random(seed)
    places = rng.sample(range(1, len(paths) - 1, 2), len(_DAMAGED) - 1)
    places.append(places[3] + 1)  # right behind the file that quits
    for place, damage in zip(places, _DAMAGED, strict=True):
        branches.spoil(paths[place], damage)


def arguments(folder: Path) -> tuple[Path]:
    """What `total_branches` gets before `workers`."""
    return (folder,)


def serial(folder: Path) -> dict[str, Any]:
    """The baseline: one file after the other."""
    return {"totals": branches.year(folder), "failures": []}


def serial_broken(folder: Path) -> dict[str, Any]:
    """What is right where files are damaged: the totals of all others, and a failure for each of these."""
    totals: dict[str, int] = {}
    failures = []
    for path in branches.files(folder):
        if damage := branches.damage_of(path):
            exception, exit_code = branches.DAMAGES[damage]
            failures.append({"file": path.name, "exit_code": exit_code, "cause": exception or "killed"})
        else:
            branch = branches.branch_of(path)
            totals[branch] = totals.get(branch, 0) + branches.total(path)
    return {"totals": totals, "failures": failures}


#: The situations of the other checks: what replaces this module's own names in them.
SCENARIOS = {
    "failure": {"SIZES": (3, 2_003), "make_input": make_broken, "serial": serial_broken},
    "clean_up": {"SIZES": (2_003,), "make_input": make_broken, "serial": serial_broken},
}


# The answer as arrays


def encode(answer: object) -> dict[str, np.ndarray]:
    """The totals and the failures as plain arrays. A branch whose total is zero is the same as none.

    Raises:
        TypeError: the answer isn't a dict of these two, in the form that the lab asks for.
    """
    if not isinstance(answer, Mapping):
        advice = " Does it end with a return?" if answer is None else ""
        raise TypeError(
            'total_branches must return a dict {"totals": ..., "failures": ...}; '
            f"it returned {type(answer).__name__}.{advice}"
        )
    missing = [name for name in ("totals", "failures") if name not in answer]
    if missing:
        raise TypeError(f"The dict that total_branches returned lacks {' and '.join(map(repr, missing))}.")
    totals, failures = _totals(answer["totals"]), _failures(answer["failures"])
    try:
        return {
            "branch": np.array([name.encode() for name in totals], dtype="S40"),
            "cents": np.array(list(totals.values()), dtype=np.int64),
            "ledger": np.array([name.encode() for name, _, _ in failures], dtype="S60"),
            "exit_code": np.array([code for _, code, _ in failures], dtype=np.int64),
            "cause": np.array([cause.encode() for _, _, cause in failures], dtype="S4000"),
        }
    except OverflowError as error:
        raise TypeError("A number is too large for a total or an exit code.") from error


def _totals(given: object) -> dict[str, int]:
    if not isinstance(given, Mapping):
        raise TypeError(f"'totals' must be a dict, branch -> hundredths; it is {type(given).__name__}.")
    for branch, cents in given.items():
        if not isinstance(branch, str) or not _is_whole(cents):
            raise TypeError(
                f"'totals' must lead from a branch such as '07' to whole hundredths; it has {branch!r}: {cents!r:.60}."
            )
    return {branch: int(given[branch]) for branch in sorted(given) if given[branch]}


def _failures(given: object) -> list[tuple[str, int, str]]:
    """(file, exit code, cause) of each failure, by file."""
    if not isinstance(given, Iterable) or isinstance(given, str | Mapping):
        raise TypeError(f"'failures' must be a list of dicts; it is {type(given).__name__}.")
    found = []
    for one in given:
        if not isinstance(one, Mapping) or not {"file", "exit_code", "cause"} <= one.keys():
            raise TypeError(f"A failure must be a dict of file, exit_code and cause; there is {one!r:.80}.")
        if not _is_whole(one["exit_code"]):
            raise TypeError(f"An exit code is a whole number; there is {one['exit_code']!r:.40}.")
        found.append((Path(str(one["file"])).name, int(one["exit_code"]), _text(one["cause"])))
    return sorted(found)


def _is_whole(number: object) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool)


def _text(cause: object) -> str:
    """Its beginning, where a repr says what was raised, and its end, where a traceback does."""
    text = "" if cause is None else str(cause).strip()
    return (text if len(text) <= 1_000 else f"{text[:490]} ... {text[-490:]}") or _NO_CAUSE


# The comparison


def compare(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when totals and failures are right; else what is wrong with each."""
    return " ".join(filter(None, (_compare_failures(expected, got), _compare_totals(expected, got))))


def _compare_totals(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    right, mine = _by_name(expected, "branch", "cents"), _by_name(got, "branch", "cents")
    wrong = sorted(name for name in right.keys() | mine.keys() if right.get(name, 0) != mine.get(name, 0))
    if not wrong:
        return ""
    first = wrong[0]
    said = (
        f"Of the totals of {len(right)} branches, {len(wrong)} differ. The first: branch {first[:20]!r}, "
        f"{mine.get(first, 0):,} instead of {right.get(first, 0):,}."
    )
    if len(expected["ledger"]):
        said += " When a worker dies, what is left of its share is still to be done, and nothing of it twice."
    return said


def _compare_failures(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    right, codes = _by_name(expected, "ledger", "exit_code"), _by_name(got, "ledger", "exit_code")
    meant, causes = _by_name(expected, "ledger", "cause"), _by_name(got, "ledger", "cause")
    names = [name.decode(errors="replace") for name in got["ledger"]]
    checks = (
        (sorted(right.keys() - codes.keys()), "failed, and you report no failure"),
        (sorted(codes.keys() - right.keys()), "is sound, and you report it as a failure"),
        (sorted({name for name in names if names.count(name) > 1}), "is reported more than once"),
    )
    for wrong, what in checks:
        if wrong:
            return f"{_and_more(wrong)} {what}."
    for name in sorted(right):
        if codes[name] != right[name]:
            return f"{name}: its worker ended with exit code {right[name]}; you have {codes[name]}."
        named = meant[name] if meant[name] != "killed" else ""
        if causes[name] == _NO_CAUSE or named not in causes[name]:
            needed = (
                f"{named} was raised, and the cause has to name it"
                if named
                else "a cause in words is missing"
            )
            return f"{name}: {needed}; you have {causes[name][:80]!r}."
    return ""


def _and_more(names: list[str]) -> str:
    """The first of some files, and how many there are."""
    return names[0][:60] if len(names) == 1 else f"{names[0][:60]}, the first of {len(names)} such files,"


def _by_name(arrays: dict[str, np.ndarray], names: str, values: str) -> dict[str, Any]:
    """A dict of two of the arrays; texts are decoded."""
    pairs = zip(arrays[names].tolist(), arrays[values].tolist(), strict=True)
    return {
        name.decode(errors="replace"): value.decode(errors="replace") if isinstance(value, bytes) else value
        for name, value in pairs
    }
