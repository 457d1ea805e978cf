"""A pool of worker processes, as the benchmarks use it."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.pool import Pool
from typing import Any, TypeVar

from benchmarks.ctrl_c import Heed, masked_ctrl_c, noted_ctrl_c

_R = TypeVar("_R")
_ASK = 0.2  #: seconds between two questions whether Ctrl-C has come


class QuietPool:
    """What the benchmarks use of a pool; a Ctrl-C is raised between two waits, and never within."""

    def __init__(self, pool: Pool, heed: Heed) -> None:
        self._pool, self._heed = pool, heed

    def imap_unordered(self, function: Callable[[Any], _R], tasks: Iterable[Any]) -> Iterator[_R]:
        """As `Pool.imap_unordered`; tasks are handed out one by one."""
        results = self._pool.imap_unordered(function, tasks)
        while True:
            self._heed()
            try:
                yield results.next(_ASK)
            except multiprocessing.TimeoutError:
                continue
            except StopIteration:  # there are no more: no task of ours raises it, nor a time-out
                return

    def map(self, function: Callable[[Any], _R], tasks: Iterable[Any]) -> list[_R]:
        """As `Pool.map`; tasks are handed out one by one."""
        results = self._pool.map_async(function, tasks, chunksize=1)
        while not results.ready():
            self._heed()
            results.wait(_ASK)
        return results.get()


@contextlib.contextmanager
def quiet_pool(workers: int) -> Iterator[QuietPool]:
    """A pool of the default context, whose workers leave Ctrl-C to this process."""
    with noted_ctrl_c() as heed:
        with masked_ctrl_c():
            pool = multiprocessing.Pool(workers)
        with pool:
            yield QuietPool(pool, heed)
