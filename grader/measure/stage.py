"""The clean process between the parent and the trials: `python -m grader.measure.stage`.

    parent (owns the clock) -> stage (judge and learner's module imported, runs nothing) -> trial process (fresh)

On Linux the stage forks each trial process, so a trial starts at once and imports are not measured. It
is the tree's subreaper: processes that detach come back to it, and after each trial it kills whatever is left
and says so. Elsewhere (fork is unsafe on macOS and absent on Windows) a stage runs one trial by itself and ends.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.measure.channel import Line, Message
    from grader.measure.worker import Loaded

#: Fork a process for each trial? Only where the kernel tells the children too (some sandboxes cut /proc short).
FORKS = sys.platform == "linux" and os.path.exists(f"/proc/self/task/{os.getpid()}/children")

#: In the command of each resource tracker: multiprocessing's, and that of joblib's loky.
TRACKER = "resource_tracker import main"

_IMPORTS = 120  # seconds; the parent gives up sooner
_PATIENCE = 2.0  # seconds in which a resource tracker unlinks what its program left


def main() -> None:
    """Read the setup, import, then run one trial for each order until the parent closes the line."""
    from grader.measure import worker  # late: spawned children import this module as their __main__
    from grader.measure.channel import Line

    line = Line()
    setup = line.receive()
    if setup is None:
        return
    if FORKS:
        _become_subreaper()
        signal.alarm(_IMPORTS)  # an import that never ends must not outlive a parent that was killed
    try:
        loaded = worker.prepare(setup)
    except worker.UnfitError as unfit:
        line.send(ending=unfit.ending, message=str(unfit), line=unfit.line)
        _start_no_more()
        _end_children()
        return
    except Exception as error:  # the learner's code can't raise here: ours, or the lab's
        line.send(fault=f"{type(error).__name__}: {error}")
        return
    if FORKS:
        signal.alarm(0)
    line.send(loaded=os.getpid())
    while (order := line.receive()) is not None:
        if not FORKS:
            worker.run(line, loaded, order)
            line.receive()  # stay until told to go: the parent may read this process's CPU seconds
            return
        _run_in_child(line, loaded, order)


def _run_in_child(line: Line, loaded: Loaded, order: Message) -> None:
    from grader.measure import worker

    parent, ours = os.getppid(), _children()
    with warnings.catch_warnings():
        # Libraries keep helper threads (pyarrow has one as soon as it is imported); none of them is used here.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            _dump_lines_on_request()
            line.send(pid=os.getpid())
            worker.run(line, loaded, order)
            sys.stdout.flush()
            line.receive()  # the parent reads the CPU seconds of this process before it lets it go
        os._exit(0)  # not the stage's own exit handlers
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if os.getppid() != parent:  # the parent is gone, and with it the reason to measure
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    _end_children(spared=ours)
    line.send(ended=os.waitstatus_to_exitcode(status))


def _end_children(spared: frozenset[int] = frozenset()) -> None:
    """Kill every process below this one, also those that detached, until none but `spared` is left.

    A resource tracker leaves by itself once its program is gone, and unlinks the semaphores and shared memory
    that the program left. It is killed only when it doesn't.
    """
    started = time.monotonic()
    while FORKS and (children := _children() - spared) and (waited := time.monotonic() - started) < 5:
        for pid in children:
            with suppress(OSError):
                if os.waitpid(pid, os.WNOHANG)[0] == 0 and not (waited < _PATIENCE and _is_tracker(pid)):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


def _start_no_more() -> None:
    """A pool that was made at import replaces its workers as they are killed; from now on its thread ends instead."""
    import multiprocessing.process

    def refused(self: multiprocessing.process.BaseProcess) -> None:
        raise SystemExit

    multiprocessing.process.BaseProcess.start = refused  # type: ignore[method-assign]
    time.sleep(0.05)  # one that is being started just now is there then


def _children() -> frozenset[int]:
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return frozenset(map(int, file.read().split()))


def _is_tracker(pid: int) -> bool:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return TRACKER.encode() in file.read()


def _become_subreaper() -> None:
    PR_SET_CHILD_SUBREAPER = 36  # noqa: N806  (its name in prctl(2))
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _dump_lines_on_request() -> None:
    """On SIGUSR1 say on stderr where this process stands: what a hung program is waiting for."""
    import faulthandler

    faulthandler.register(signal.SIGUSR1, all_threads=False)


if __name__ == "__main__":
    main()
