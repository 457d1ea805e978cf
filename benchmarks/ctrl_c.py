"""Ctrl-C that is neither lost nor cuts in two what must stay whole."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from multiprocessing import resource_tracker
from types import FrameType


class Heed:
    """Raises, when it is called, a Ctrl-C that has come."""

    came = False

    def __call__(self) -> None:
        if self.came:
            raise KeyboardInterrupt


@contextlib.contextmanager
def noted_ctrl_c() -> Iterator[Heed]:
    """In here Ctrl-C cuts nothing short; the function that this gives raises it, and else the end of the block does,
    unless something else is raised there.

    For code that must not be left half-way: a pool that is cut between two lines, with a lock of its own taken,
    never ends. A forked process inherits the handler, and so never hears Ctrl-C at all.
    """
    heed = Heed()

    def note(number: int, _: FrameType | None) -> None:
        heed.came = True

    if _is_ignored():
        yield heed
        return
    handler = signal.signal(signal.SIGINT, note)
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
    with noted_ctrl_c(), masked_ctrl_c():
        yield


@contextlib.contextmanager
def masked_ctrl_c() -> Iterator[None]:
    """Programs that are started in here inherit that Ctrl-C is blocked. Windows has no such mask."""
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
def kept_ctrl_c() -> Iterator[Heed]:
    """Ctrl-C is raised at once, and again, if it was lost, by the function that this gives, to be called between two
    steps, and at the end of the block.

    Python raises it wherever the code happens to be, and where nobody can hear an exception it is dropped: in a
    `__del__`, and while numpy compares a dtype with a name (pandas does, at every turn). What threads have to say
    about being ended is left out.
    """
    heed = Heed()

    def hear(number: int, _: FrameType | None) -> None:
        heed.came = True
        raise KeyboardInterrupt

    def in_thread(failed: threading.ExceptHookArgs) -> None:
        if not heed.came:
            hooks[0](failed)

    def unraisable(dropped: sys.UnraisableHookArgs) -> None:
        if not heed.came:
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
