"""Where the standard library is listened to while a run is traced, in each process of it. No code of the learner's
changes.

    what happens                                  where it is heard
    a process is asked for, and begins            BaseProcess.start, its run()
    pickling, unpickling (also of results)        ForkingPickler.dumps and loads; loky's dumps
    something is awaited from a queue or pipe     get, put, recv, send, poll, connection.wait
    a result, a process or a thread is awaited    threading.Condition.wait, Thread.join, BaseProcess.join, time.sleep
    a lock, semaphore, condition or barrier       SemLock, Condition.wait of multiprocessing
    what a worker works on                        what its queue handed it

Every process of the run has one recorder. What is heard outside a traced run, or in a process that was forked by
other means, passes through.
"""

from __future__ import annotations

import functools
import multiprocessing.connection
import multiprocessing.pool
import multiprocessing.process
import multiprocessing.queues
import multiprocessing.reduction
import multiprocessing.synchronize
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from grader.tracing import tasks
from grader.tracing.record import Recorder, announce
from grader.tracing.timeline import State

#: The recorder of this process, where it is traced.
_recorder: Recorder | None = None
_undo: list[Callable[[], None]] = []


def begin(recorder: Recorder) -> None:
    """Listen in this process from now on, and in those that it starts."""
    global _recorder
    _recorder = recorder
    if not _undo:
        _install()


def end() -> None:
    """Listen no more; every name is what it was."""
    global _recorder
    _recorder = None
    while _undo:
        _undo.pop()()


def _in_main() -> Recorder | None:
    """The recorder, where this is the main thread of a traced process."""
    recorder = _recorder
    return recorder if recorder and threading.get_ident() == recorder.main else None


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put something else in the place of `owner.name`; `end` puts it back as it was found."""
    found = owner.__dict__[name]
    setattr(owner, name, make(found))
    _undo.append(lambda: setattr(owner, name, found))


def _install() -> None:
    from multiprocessing.connection import _ConnectionBase

    process, queues = multiprocessing.process.BaseProcess, multiprocessing.queues
    _replace(process, "start", _started)
    _replace(process, "join", _waiting)
    _replace(threading.Thread, "join", _waiting)
    _replace(threading.Condition, "wait", _waiting)
    _replace(multiprocessing.connection, "wait", _waiting)
    _replace(time, "sleep", _resting)
    for name in ("recv", "recv_bytes", "recv_bytes_into", "poll", "send", "send_bytes"):
        _replace(_ConnectionBase, name, _receiving if name == "recv" else _waiting)
    for owner in (queues.Queue, queues.SimpleQueue):
        _replace(owner, "get", _receiving)
        _replace(owner, "put", _waiting)
    _replace(queues.JoinableQueue, "put", _waiting)
    _replace(queues.JoinableQueue, "join", _waiting)
    _listen_to_pickling()
    _listen_to_locks()


def _forget() -> None:
    """Nobody writes any more: in a process that was forked, which is not the one that the recorder writes for."""
    global _recorder
    _recorder = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


# Waiting


def _waiting(function: Any) -> Any:
    return _state("wait", function)


#: States inside of which a wait is part of what goes on.
_ONE = ("start", "wait", "lock", "pickle", "unpickle")


def _state(state: State, function: Any) -> Any:
    """`function`, during which the main thread is in `state`; inside another wait it is part of that."""

    @functools.wraps(function)
    def heard(*args: Any, **kwargs: Any) -> Any:
        recorder = _in_main()
        if recorder is None or recorder.state in _ONE:
            return function(*args, **kwargs)
        recorder.enter(state)
        try:
            return function(*args, **kwargs)
        finally:
            recorder.leave()

    return heard


def _resting(function: Any) -> Any:
    """The program itself looks from time to time whether there are results; what a worker sleeps is its own work."""
    waiting = _state("wait", function)

    @functools.wraps(function)
    def heard(seconds: float) -> None:
        recorder = _recorder
        (waiting if recorder and recorder.role == "parent" else function)(seconds)

    return heard


def _receiving(function: Any) -> Any:
    """Like waiting; and what arrives is what the worker works on next."""

    @functools.wraps(function)
    def heard(*args: Any, **kwargs: Any) -> Any:
        recorder = _in_main()
        if recorder is not None and recorder.role == "pool" and recorder.state == "start":
            recorder.switch("run")  # its initializer has run
        if recorder is None or recorder.state in _ONE:
            return function(*args, **kwargs)
        recorder.close_task()
        recorder.enter("wait")
        try:
            arrived = function(*args, **kwargs)
        finally:
            recorder.leave()
        return tasks.told(recorder, arrived)

    return heard


# Pickling


def _listen_to_pickling() -> None:
    pickler = multiprocessing.reduction.ForkingPickler
    _replace(multiprocessing.reduction, "dump", _dumped)
    _replace(pickler, "dumps", lambda found: classmethod(_sized("pickle", found.__func__, after=True)))
    _replace(pickler, "loads", lambda found: staticmethod(_sized("unpickle", _plain(found), after=False)))
    loky = sys.modules.get("joblib.externals.loky.backend.queues") or sys.modules.get("loky.backend.queues")
    if loky is not None:
        _replace(loky, "dumps", lambda found: _sized("pickle", found, after=True))


def _dumped(found: Any) -> Any:
    """What a new process is given, where it isn't forked: pickled into a file."""

    @functools.wraps(found)
    def dump(obj: Any, file: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = _in_main()
        if recorder is None or recorder.state in ("pickle", "unpickle"):
            return found(obj, file, *args, **kwargs)
        recorder.enter("pickle")
        before = _position(file)
        try:
            return found(obj, file, *args, **kwargs)
        finally:
            recorder.leave(_position(file) - before)

    return dump


def _position(file: Any) -> int:
    try:
        return int(file.tell())
    except (OSError, AttributeError, ValueError):  # a pipe has none
        return 0


def _plain(found: Any) -> Any:
    return found.__func__ if isinstance(found, staticmethod) else found


def _sized(state: State, function: Any, *, after: bool) -> Any:
    """`function`, and the bytes that went through it: those that it made, or those that it was given."""

    @functools.wraps(function)
    def heard(*args: Any, **kwargs: Any) -> Any:
        recorder = _recorder
        if recorder is None:
            return function(*args, **kwargs)
        mine = threading.get_ident() == recorder.main
        if mine:
            if recorder.state in ("pickle", "unpickle"):
                return function(*args, **kwargs)
            recorder.enter(state)
        start, cpu, size = time.perf_counter(), time.thread_time(), 0
        try:
            made = function(*args, **kwargs)
            size = _length(made if after else args[0])
            return made
        finally:
            if mine:
                recorder.leave(size)
            else:
                recorder.helped(state, start, time.perf_counter(), time.thread_time() - cpu, size)

    return heard


def _length(data: Any) -> int:
    try:
        return int(getattr(data, "nbytes", None) or len(data))
    except TypeError:
        return 0


# Locks


def _listen_to_locks() -> None:
    locks = multiprocessing.synchronize

    def made(found: Any) -> Any:
        def make_methods(self: Any) -> None:
            found(self)
            self.acquire = _got(_state("lock", self.acquire), self)
            self.release = _let_go(self.release, self)

        return make_methods

    _replace(locks.SemLock, "_make_methods", made)
    _replace(locks.SemLock, "__enter__", lambda found: _got(_state("lock", found)))
    _replace(locks.SemLock, "__exit__", _let_go)
    _replace(locks.Condition, "wait", functools.partial(_state, "lock"))


def _got(function: Any, own: Any = None) -> Any:
    """`function`, after which the lock is in hand where it says so. `own` is the lock of a bound method."""

    @functools.wraps(function)
    def heard(*args: Any, **kwargs: Any) -> Any:
        got = function(*args, **kwargs)
        recorder, lock = _in_main(), own or args[0]
        if got and recorder is not None and lock._semlock.maxvalue == 1:
            recorder.holds(lock._semlock.handle)
        return got

    return heard


def _let_go(function: Any, own: Any = None) -> Any:
    """`function`, before which the lock is still in hand."""

    @functools.wraps(function)
    def heard(*args: Any, **kwargs: Any) -> Any:
        recorder, lock = _in_main(), own or args[0]
        if recorder is not None and lock._semlock.maxvalue == 1:
            recorder.lets_go(lock._semlock.handle)
        return function(*args, **kwargs)

    return heard


# Processes


def _started(found: Any) -> Any:
    @functools.wraps(found)
    def start(self: multiprocessing.process.BaseProcess) -> None:
        recorder = _recorder
        if recorder is None or "run" in self.__dict__:
            found(self)
            return
        mine = _in_main()
        if mine:
            mine.enter("start")
        target = getattr(self, "_target", None)
        with suppress(OSError):  # no room: the run matters more than its trace
            self.run = Traced(self, recorder.folder, _role(target))  # type: ignore[method-assign]
        try:
            found(self)
        finally:
            self.__dict__.pop("run", None)
            if mine:
                mine.leave()

    return start


def _role(target: Any) -> str:
    module, name = getattr(target, "__module__", "") or "", getattr(target, "__name__", "") or ""
    if name in ("worker", "_process_worker") and module.split(".")[-1] in (
        "pool",
        "process",
        "process_executor",
    ):
        return "pool"
    return "manager" if name == "_run_server" else "process"


class Traced:
    """Takes the place of a process's `run`: writes down, in the new process, what it does. Travels by any start
    method.
    """

    def __init__(self, process: multiprocessing.process.BaseProcess, folder: str, role: str) -> None:
        self._process, self._role, self._asked = process, role, time.perf_counter()
        self._path = announce(folder, role, self._asked)

    def __call__(self) -> None:
        try:
            recorder = Recorder(self._path, self._role, self._asked)
        except OSError:  # no room, or the folder is gone: the run matters more than its trace
            recorder = None
        if recorder is None:
            return type(self._process).run(self._process)
        begin(recorder)
        if self._role != "pool":
            recorder.switch("run")
            recorder.open_task(tasks.name_of(self._process))
        try:
            type(self._process).run(self._process)
        finally:
            _forget()  # what the process does to end is no part of it
            recorder.end()


def is_listening() -> bool:
    """Is this process traced?"""
    return _recorder is not None
