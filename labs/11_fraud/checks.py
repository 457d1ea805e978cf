"""The judge of the fraud lab: its inputs, its serial baseline, and what counts as the same answer.

Nothing here is secret: the inputs of a check are made from a seed of its own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from course.cases import fraud

#: Rows of the answer check: none, one, fewer than there are files, odd numbers, and enough for every rule and for
#: alerts in every file, so that no file can be left out unseen.
SIZES = (0, 1, 7, 4_999, 100_003)
#: Rows at which the sizing for the speed check starts.
SPEED_SIZE = 150_000
#: The cards of thirteen regions, a file each: no number of workers divides it, and regions differ in size.
REGIONS = tuple(1 / (1 + rank) ** 0.8 for rank in (5, 0, 9, 3, 12, 1, 7, 10, 2, 11, 4, 8, 6))

#: The columns of whole numbers, and what is said of an alert that has another one there.
NUMBERS = {"unix_time": "at another time", "cc_num": "of another card", "reasons": "for other reasons"}
COLUMNS = ("trans_num", *NUMBERS)


def make_input(folder: Path, size: int, seed: int) -> None:
    """Write `size` transactions as `part-000.parquet` and so on."""
    fraud.write(fraud.make(size, seed=seed), folder, parts=REGIONS, compressed=False)


def arguments(folder: Path) -> tuple[Path]:
    """What `find_alerts` gets before `workers`."""
    return (folder,)


def serial(folder: Path) -> pd.DataFrame:
    """The baseline: one file after the other."""
    return fraud.in_order([fraud.find_alerts(fraud.read(path)) for path in sorted(folder.glob("part-*"))])


def encode(answer: object) -> dict[str, np.ndarray]:
    """The alerts as plain arrays.

    Raises:
        TypeError: the answer isn't a table of alerts.
    """
    if not isinstance(answer, pd.DataFrame):
        raise TypeError(
            f"find_alerts must return a pandas DataFrame of alerts; it returned {type(answer).__name__}."
        )
    missing = [name for name in COLUMNS if name not in answer.columns]
    if missing:
        raise TypeError(
            f"The table of alerts lacks {', '.join(missing)}; it has {', '.join(map(str, answer.columns))}."
        )
    if not answer.columns.is_unique:
        raise TypeError(f"The table of alerts has a column twice: {', '.join(map(str, answer.columns))}.")
    for name in NUMBERS:
        if len(answer) and answer[name].dtype.kind not in "iu":
            raise TypeError(
                f"The column {name} of the alerts must hold whole numbers, not {answer[name].dtype}."
            )
    try:
        numbers = {name: answer[name].to_numpy(dtype=np.int64) for name in NUMBERS}
        return {"trans_num": answer["trans_num"].astype(str).to_numpy(dtype="S32"), **numbers}
    except (ValueError, OverflowError) as error:
        raise TypeError(f"The table of alerts holds what can't be an alert: {error}.") from error


def compare(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when both hold the same alerts, in whatever order; else what is missing, extra, repeated or different."""
    right, mine = expected["trans_num"], got["trans_num"]
    numbers, times = np.unique(mine, return_counts=True)
    _, there, here = np.intersect1d(right, mine, return_indices=True)
    others = [
        (right[there][expected[name][there] != got[name][here]], what) for name, what in NUMBERS.items()
    ]
    parts = [
        f"{len(which):,} {what} (the first: {which[0].decode(errors='replace')})"
        for which, what in (
            (right[~np.isin(right, mine)], "missing"),
            (numbers[~np.isin(numbers, right)], "too many"),
            (numbers[times > 1], "more than once"),
            *others,
        )
        if len(which)
    ]
    return f"of {len(right):,} alerts, {', '.join(parts)}." if parts else ""
