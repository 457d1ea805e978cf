"""What every benchmark needs of its worker processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.pool import Pool
from types import FrameType
from typing import Any, TypeVar

_R = TypeVar("_R")
_ASK = 0.2  #: seconds between two questions whether Ctrl-C has come


@contextlib.contextmanager
def noted_ctrl_c() -> Iterator[Callable[[], None]]:
    """In here Ctrl-C cuts nothing short; the function that this gives raises it, and else the end of the block does,
    unless something else is raised there.

    For code that must not be left half-way: a pool that is cut between two lines, with a lock of its own taken,
    never ends. A forked process inherits the handler, and so never hears Ctrl-C at all.
    """
    came: list[int] = []

    def heed() -> None:
        if came:
            raise KeyboardInterrupt

    if _is_ignored():
        yield heed
        return
    handler = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield heed
    finally:
        signal.signal(signal.SIGINT, handler)
    heed()


def _is_ignored() -> bool:
    """Whether whoever started this program in the background had Ctrl-C ignored."""
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started in here never hear Ctrl-C (on Windows they do): this process does, and ends them. Else
    each of them would print a traceback of its own. A Ctrl-C that comes meanwhile is raised at the end, so that no
    worker is left half started, and none is lost in a callback of fork's.

    A forked process inherits the handler, and a process of another program the mask (which Windows doesn't have).
    """
    with noted_ctrl_c(), _masked_ctrl_c():
        yield


@contextlib.contextmanager
def _masked_ctrl_c() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # started later, it would lift the mask
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextlib.contextmanager
def kept_ctrl_c() -> Iterator[Callable[[], None]]:
    """Ctrl-C is raised at once, and again, if it was lost, by the function that this gives, to be called between two
    steps, and at the end of the block.

    Python raises it wherever the code happens to be, and where nobody can hear an exception it is dropped: in a
    `__del__`, and while numpy compares a dtype with a name (pandas does, at every turn). What threads have to say
    about being ended is left out.
    """
    came: list[int] = []

    def hear(number: int, _: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    def heed() -> None:
        if came:
            raise KeyboardInterrupt

    def in_thread(failed: threading.ExceptHookArgs) -> None:
        if not came:
            hooks[0](failed)

    def unraisable(dropped: sys.UnraisableHookArgs) -> None:
        if not came:
            hooks[1](dropped)

    if _is_ignored():
        yield heed
        return
    hooks = threading.excepthook, sys.unraisablehook
    handler = signal.signal(signal.SIGINT, hear)
    threading.excepthook, sys.unraisablehook = in_thread, unraisable
    try:
        yield heed
    finally:
        threading.excepthook, sys.unraisablehook = hooks
        signal.signal(signal.SIGINT, handler)
    heed()


class QuietPool:
    """What the benchmarks use of a pool; a Ctrl-C is raised between two waits, and never within."""

    def __init__(self, pool: Pool, heed: Callable[[], None]) -> None:
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
        with _masked_ctrl_c():
            pool = multiprocessing.Pool(workers)
        with pool:
            yield QuietPool(pool, heed)
