"""A shop's feature store: what it knows of each product, in numbers, and which products suit a visitor.

    from course.cases import feature_store

    feature_store.write(folder, products=20_000, visits=4_000, seed=6)
    features = feature_store.unpack(folder)        # products x features; or unpack(folder, out=an array of yours)
    feature_store.emphasise(features, folder)      # in place, once a night
    feature_store.suggest(features, feature_store.visits(folder))       # three products for each visit

In `folder` lie

    features.u8   a byte for each feature of each product, row by row: how the shop keeps them
    scale.npy     for each feature, what the byte 0 means, and how much each further step
    factors.npy   for each feature, how much it counts tonight
    visits.npy    for each of the day's visits the numbers of products: those looked at, then those on offer

A visit refers to products from anywhere in the store, so whoever works on visits needs all features.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FEATURES",
    "PLACES",
    "emphasise",
    "factors",
    "shape",
    "suggest",
    "suggest_all",
    "unpack",
    "visits",
    "write",
]

#: Numbers that the store has for each product.
FEATURES = 64
#: Products of a visit: those that the visitor looked at, and those that could be suggested.
SEEN, OFFERED = 5, 24
#: Suggestions for each visit: the places on the home page.
PLACES = 3
#: How much a suggestion loses by being like one that is on the page already.
_ALIKE = 0.5
#: Rows that are unpacked at once, so that unpacking needs next to no memory of its own.
_AT_ONCE = 4096

Features = NDArray[np.float32]
Visits = NDArray[np.int32]
Suggestions = NDArray[np.int64]


def write(folder: Path, products: int, visits: int, seed: int) -> None:
    """Write the store of so many products, and a day of so many visits.

    Raises:
        ValueError: there are fewer products than a visit refers to.
    """
    if products < SEEN + OFFERED:
        raise ValueError(f"A visit refers to {SEEN + OFFERED} products; there are {products}.")
    rng = np.random.default_rng(seed)
    with (folder / "features.u8").open("wb") as file:
        for start in range(0, products, _AT_ONCE):
            rows = min(_AT_ONCE, products - start)
            file.write(rng.integers(0, 256, (rows, FEATURES), dtype=np.uint8).tobytes())
    steps = rng.uniform(0.5, 2.0, FEATURES) / 255
    np.save(folder / "scale.npy", np.array([-127.5 * steps, steps], np.float32))
    np.save(folder / "factors.npy", rng.lognormal(0.0, 0.8, FEATURES).astype(np.float32))
    np.save(folder / "visits.npy", rng.integers(0, products, (visits, SEEN + OFFERED), dtype=np.int32))


def shape(folder: Path) -> tuple[int, int]:
    """How many products the store has, and how many features of each; nothing is read for it."""
    return (folder / "features.u8").stat().st_size // FEATURES, FEATURES


def unpack(folder: Path, out: Features | None = None) -> Features:
    """The features as float32: into `out` where one is given, else into a new array; either way it is returned.

    Raises:
        ValueError: `out` is not of that shape and type.
    """
    wanted = shape(folder)
    if out is None:
        out = np.empty(wanted, np.float32)
    if out.shape != wanted or out.dtype != np.float32:
        raise ValueError(f"out must be float32 of the shape {wanted}; it is {out.dtype} of {out.shape}.")
    lowest, steps = np.load(folder / "scale.npy")
    with (folder / "features.u8").open("rb") as file:
        for start in range(0, wanted[0], _AT_ONCE):
            rows = out[start : start + _AT_ONCE]
            rows[:] = np.fromfile(file, np.uint8, rows.size).reshape(rows.shape)
            rows *= steps
            rows += lowest
    return out


def factors(folder: Path) -> Features:
    """How much each feature counts tonight."""
    found: Features = np.load(folder / "factors.npy")
    return found


def emphasise(features: Features, folder: Path) -> None:
    """Multiply each feature by tonight's factor, in place. Done twice it counts twice."""
    features *= factors(folder)


def visits(folder: Path) -> Visits:
    """The day's visits, a row each: SEEN products that were looked at, then OFFERED ones."""
    found: Visits = np.load(folder / "visits.npy")
    return found


def suggest(features: Features, visits: Visits) -> Suggestions:
    """For each visit the PLACES products on offer that suit it best, and that are not too much alike.

    A product suits as far as its features agree with those of one that was looked at, whichever it agrees with most.
    What is like a product that has a place already loses some of that.
    """
    chosen = np.empty((len(visits), PLACES), np.int64)
    for number, visit in enumerate(visits):
        seen, offered = visit[:SEEN], visit[SEEN:]
        candidates = features[offered]
        suits = np.max([(candidates * looked_at).sum(axis=1) for looked_at in features[seen]], axis=0)
        for place in range(PLACES):
            best = int(np.argmax(suits))
            chosen[number, place] = offered[best]
            suits -= _ALIKE * (candidates * candidates[best]).sum(axis=1)
            suits[best] = -np.inf
    return chosen


def suggest_all(folder: Path) -> Suggestions:
    """The whole night in one process: unpack, emphasise, suggest."""
    features = unpack(folder)
    emphasise(features, folder)
    return suggest(features, visits(folder))
