"""Card payments of a chain of shops, one CSV file a region and day: the small case of the rehearsal lab.

    time,category,cents
    09:14,groceries,1299

Everything is made here by a seed; nobody is real.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

CATEGORIES = (
    "groceries", "fuel", "clothing", "household", "pharmacy", "toys",
    "books", "garden", "electronics", "sports", "travel", "jewellery",
)  # fmt: skip
#: How often each is paid for, beside the others: the first far more than the last.
_COMMON = 1 / np.arange(1, len(CATEGORIES) + 1)
#: The regions' shares of the payments. Seven, which no number of workers from 2 to 6 divides; and not alike.
REGIONS = (0.27, 0.19, 0.16, 0.13, 0.11, 0.08, 0.06)
_HEADING = "time,category,cents\n"
_TIMES = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60))


def write(folder: Path, payments: int, seed: int) -> list[Path]:
    """Write so many payments to `folder`, spread over `region-1.csv` and so on; the files, by name.

    Every region has a file, also one without a payment: that has the heading alone.
    """
    rng = np.random.default_rng(seed)
    paths = []
    for number, rows in enumerate(rng.multinomial(payments, REGIONS), start=1):
        minutes = np.sort(rng.integers(6 * 60, 22 * 60, rows))
        categories = rng.choice(len(CATEGORIES), rows, p=_COMMON / _COMMON.sum())
        cents = rng.integers(50, 20_000, rows)
        path = folder / f"region-{number}.csv"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write(_HEADING)
            file.writelines(
                f"{_TIMES[minute]},{CATEGORIES[category]},{amount}\n"
                for minute, category, amount in zip(
                    minutes.tolist(), categories.tolist(), cents.tolist(), strict=True
                )
            )
        paths.append(path)
    return paths


def count(folder: Path) -> Counter[str]:
    """The baseline: how many payments of each category all files of `folder` hold, one file after the other."""
    counts: Counter[str] = Counter()
    for path in sorted(folder.glob("region-*.csv")):
        with path.open(encoding="utf-8") as file:
            next(file)  # the heading
            for line in file:
                counts[line.split(",")[1]] += 1
    return counts
