"""What every benchmark needs of its worker processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator
from multiprocessing.pool import Pool


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started in here ignore Ctrl-C: the first process hears it, and ends them. Else each of
    them would print a traceback of its own."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def quiet_pool(workers: int) -> Pool:
    """A pool of the default context, whose workers leave Ctrl-C to this process."""
    with deaf_to_ctrl_c():
        return multiprocessing.Pool(workers)
