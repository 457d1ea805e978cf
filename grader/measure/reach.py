"""Perfectly parallel work: what this machine gives at this moment, with the lab's cost model.

Same start method, a cold pool, the same imports, tasks handed out dynamically. The speedup of `k` workers over one
is the reach R, the ceiling that a submission is compared with (NPB's EP and SPECrate measure a ceiling so).
"""

from __future__ import annotations

import importlib
import multiprocessing
from collections.abc import Sequence


def run(workers: int, tasks: int, amount: int, imports: Sequence[str]) -> int:
    """`tasks` tasks of `amount` loops each: in this process for one worker, else in a cold pool."""
    if workers == 1:
        return sum(map(spin, [amount] * tasks))
    with multiprocessing.Pool(workers, initializer=import_all, initargs=(tuple(imports),)) as pool:
        return sum(pool.imap_unordered(spin, [amount] * tasks, chunksize=1))


def import_all(names: Sequence[str]) -> None:
    """What a worker of the lab imports as well."""
    for name in names:
        importlib.import_module(name)


def spin(amount: int) -> int:
    """`amount` loops of interpreter-bound work: integers, a small dict and a list, about 0.1 us each and more."""
    seen: dict[int, int] = {}
    recent = [0] * 64
    value = 1
    for i in range(amount):
        value = (value * 1103515245 + 12345) & 0x7FFFFFFF
        seen[value & 1023] = i
        recent[i & 63] += value & 1
    return sum(recent) + len(seen)
