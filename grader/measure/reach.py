"""Perfectly parallel work: what this machine gives at this moment, with the lab's cost model.

Same start method, cold or warm pool, the same imports, tasks handed out one at a time or cut once, bound by the cores
or by the memory. The speedup of `k` workers over one is the reach R, the ceiling that a submission is compared with
(NPB's EP and SPECrate measure a ceiling so).
"""

from __future__ import annotations

import functools
import importlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.pool import Pool

import numpy as np

from grader.model import CostModel

#: Doubles that the memory-bound work streams through: 32 MiB, more than the caches of a core hold.
_STREAM = 4 << 20
#: Doubles of one of its loops, so that a loop takes about as long as one of `spin`'s.
_PIECE = 256


@contextmanager
def ready(workers: int, cost: CostModel, imports: Sequence[str]) -> Iterator[Callable[[int, int], int]]:
    """What runs `tasks` tasks of `amount` loops each, once called: in this process for one worker, else in a pool.

    A warm pool is up and has worked before the block is entered; a cold one starts with the call.
    """
    work = spin if cost.bound == "compute" else stream
    if workers == 1:
        work(1)
        yield lambda tasks, amount: sum(map(work, [amount] * tasks))
    elif cost.pool == "warm":
        with _pool(workers, imports) as pool:
            pool.map(work, [1] * workers, chunksize=1)
            yield lambda tasks, amount: _spread(pool, work, cost, workers, tasks, amount)
    else:
        yield lambda tasks, amount: _cold(work, cost, workers, imports, tasks, amount)


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


def stream(amount: int) -> int:
    """`amount` loops of memory-bound work: each adds to the next piece of an array that no cache holds."""
    array = _array()
    pieces = len(array) // _PIECE
    for i in range(amount):
        array[(i % pieces) * _PIECE : (i % pieces + 1) * _PIECE] += 1.0
    return int(array[0])


@functools.cache
def _array() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.zeros(_STREAM)


def _pool(workers: int, imports: Sequence[str]) -> Pool:
    return multiprocessing.Pool(workers, initializer=import_all, initargs=(tuple(imports),))


def _cold(
    work: Callable[[int], int], cost: CostModel, workers: int, imports: Sequence[str], tasks: int, amount: int
) -> int:
    others = [multiprocessing.Process(target=import_all, args=(tuple(imports),)) for _ in range(cost.beside)]
    for other in others:
        other.start()
    with _pool(workers, imports) as pool:
        done = _spread(pool, work, cost, workers, tasks, amount)
    for other in others:
        other.join()
    return done


def _spread(
    pool: Pool, work: Callable[[int], int], cost: CostModel, workers: int, tasks: int, amount: int
) -> int:
    chunk = 1 if cost.split == "dynamic" else -(-tasks // workers)
    return sum(pool.imap_unordered(work, [amount] * tasks, chunksize=chunk))
