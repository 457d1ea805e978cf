"""The no-op twin of a program, in the child: as many workers, started the same way, with the same imports.

Its weight is what interpreters and imports cost anyway. The workers live until this process is told to leave, so the
parent can weigh all of them at once.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.pool
from collections.abc import Sequence
from threading import Barrier

from grader.measure.reach import import_all

_pools: list[multiprocessing.pool.Pool] = []


def start(workers: int, imports: Sequence[str]) -> None:
    """Start the workers, and return when each has its imports; they stay."""
    barrier = multiprocessing.Barrier(workers + 1)
    _pools.append(multiprocessing.Pool(workers, initializer=_arrive, initargs=(tuple(imports), barrier)))
    barrier.wait()


def _arrive(imports: Sequence[str], barrier: Barrier) -> None:
    import_all(imports)
    barrier.wait()
