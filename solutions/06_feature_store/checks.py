"""The judge of the feature store's lab: its inputs, its serial baseline, and what counts as the same suggestions.

The store of the memory check has 96 MiB of features; elsewhere it is small, because there not its size is asked for.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from course.cases import feature_store

#: Visits of the answer check: none, one, fewer than there are tasks, odd numbers.
SIZES = (0, 1, 7, 901, 4_001)
#: Visits at which the sizing for the speed check starts.
SPEED_SIZE = 10_000
#: Visits of the memory check: work for a second or two.
MEMORY_SIZE = 32_001
#: Products in the store, and in that of the memory check.
PRODUCTS, MANY_PRODUCTS = 12_007, 393_216

_BYTES = np.dtype(np.float32).itemsize
_MOST = 0.5  # from this share of wrong visits on, it is no slip at an edge


def make_input(folder: Path, size: int, seed: int) -> None:
    """Write a small store and `size` visits."""
    feature_store.write(folder, PRODUCTS, size, seed)


def make_large_input(folder: Path, size: int, seed: int) -> None:
    """Write a store that is worth sharing, and `size` visits."""
    feature_store.write(folder, MANY_PRODUCTS, size, seed)


SCENARIOS = {"memory": {"make_input": make_large_input}}


def arguments(folder: Path) -> tuple[Path]:
    """What `suggest_all` gets before `workers`."""
    return (folder,)


def payload(folder: Path) -> int:
    """The bytes of the unpacked features: what the workers share."""
    products, features = feature_store.shape(folder)
    return products * features * _BYTES


def serial(folder: Path) -> np.ndarray:
    """The baseline: one visit after the other, in one process."""
    return feature_store.suggest_all(folder)


def encode(answer: object) -> dict[str, np.ndarray]:
    """The suggestions as an array of whole numbers.

    Raises:
        TypeError: the answer isn't a table of product numbers, a row a visit.
    """
    if not isinstance(answer, np.ndarray):
        raise TypeError(
            f"suggest_all must return one array, a row of {feature_store.PLACES} product numbers for each visit; "
            f"it returned {type(answer).__name__}.{_advice(answer)}"
        )
    if answer.ndim != 2 or answer.shape[1] != feature_store.PLACES:
        raise TypeError(
            f"suggest_all must return {feature_store.PLACES} product numbers for each visit; "
            f"the array that it returned has the shape {answer.shape}."
        )
    if answer.dtype.kind not in "iu":
        raise TypeError(f"The suggestions must be whole numbers, not {answer.dtype}.")
    return {"suggested": answer.astype(np.int64)}


def _advice(answer: object) -> str:
    """What to do about the two that are returned most often instead."""
    if answer is None:
        return " Does it end with a return?"
    if isinstance(answer, list) and answer and all(isinstance(part, np.ndarray) for part in answer):
        return f" Its {len(answer)} parts are there; np.concatenate joins them."
    return ""


def compare(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when every visit has the same suggestions; else how many are missing or wrong, and the first of them."""
    right, mine = expected["suggested"], got["suggested"]
    if len(right) != len(mine):
        return (
            f"there were {_visits(len(right))}; you have suggestions for {len(mine):,}. "
            "Look at what becomes of the visits that are left over when they are divided."
        )
    wrong = np.flatnonzero((right != mine).any(axis=1))
    if not len(wrong):
        return ""
    first = wrong[0]
    named = f"the first: visit {first:,}, products {_row(mine[first])} instead of {_row(right[first])}"
    said = f"of {_visits(len(right))}, {len(wrong):,} got other suggestions ({named})."
    if len(wrong) == len(right) > 1 and np.array_equal(np.sort(right, axis=0), np.sort(mine, axis=0)):
        return f"{said} All rows are there, in another order."
    if len(wrong) > _MOST * len(right):
        return f"{said} So many point to the features: are they whole, and emphasised once, before the first visit?"
    return said


def _visits(number: int) -> str:
    return f"{number:,} visit{'' if number == 1 else 's'}"


def _row(numbers: np.ndarray) -> str:
    return ", ".join(map(str, numbers.tolist()))
