"""What every benchmark needs of its worker processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.pool import Pool


@contextlib.contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started in here never hear Ctrl-C: this process does, and ends them. Else each of them would
    print a traceback of its own. A Ctrl-C that comes meanwhile is raised at the end, so that no worker is left half
    started, and none is lost in a callback of fork's.

    A forked process inherits the handler, and a process of another program the mask (which Windows doesn't have).
    """
    masks = hasattr(signal, "pthread_sigmask")
    if masks:
        resource_tracker.ensure_running()  # started later, it would lift the mask
    heard: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    if masks:
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if heard:
        raise KeyboardInterrupt


def quiet_pool(workers: int) -> Pool:
    """A pool of the default context, whose workers leave Ctrl-C to this process."""
    with deaf_to_ctrl_c():
        return multiprocessing.Pool(workers)
