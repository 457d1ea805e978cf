"""What a worker works on, in words: taken from what its queue or pipe handed it."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from grader.tracing.record import Recorder

_SHORT = 48  # characters of a task's name
_WORTH = (
    0.001  # seconds of a task below which its argument isn't looked at: that would cost as much as the task
)


def told(recorder: Recorder, arrived: Any) -> Any:
    """`arrived` came out of a queue or pipe. What is in it will be timed as one task or several.

    Returns what the worker is to have in its place: the same, but the function that it is to call is watched.
    """
    if recorder.role == "pool":
        return _watched(recorder, arrived)
    subject = arrived
    if isinstance(arrived, tuple) and len(arrived) == 2 and str(arrived[0]).startswith("#"):
        # From a Manager, which says what kind of answer it is: what its queue handed out, or nothing of that kind.
        subject = arrived[1] if arrived[0] == "#RETURN" else None
    if subject is not None:
        recorder.open_task(short(subject))
    return arrived


def _watched(recorder: Recorder, arrived: Any) -> Any:
    if isinstance(arrived, tuple) and len(arrived) == 5 and callable(arrived[2]):
        job, number, function, args, kwargs = arrived  # as multiprocessing.pool.worker has it
        if getattr(function, "__name__", "") != "_helper_reraises_exception":
            return job, number, functools.partial(_run, recorder, function), args, kwargs
    elif callable(getattr(arrived, "fn", None)) and hasattr(arrived, "work_id"):
        arrived.fn = functools.partial(_run, recorder, arrived.fn)  # as concurrent.futures and loky have it
    return arrived


def _run(recorder: Recorder, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call `function`, as one task; or, where it is to call another for each item of a chunk, each as a task."""
    name = getattr(function, "__name__", "")
    if name in ("mapstar", "starmapstar") and len(args) == 1:
        inner, items = args[0]
        call: Callable[[Any], Any] = inner if name == "mapstar" else lambda item: inner(*item)
        return [_task(recorder, inner, call, item) for item in items]
    partial = getattr(function, "func", None)
    if getattr(partial, "__name__", "") == "_process_chunk" and len(args) == 1:
        inner = function.args[0]
        return [_task(recorder, inner, lambda item: inner(*item), item) for item in args[0]]
    batch = getattr(function, "items", None)
    if isinstance(batch, list) and batch and isinstance(batch[0], tuple):  # joblib's batch of calls
        function, subject = function, (batch[0], len(batch))
        return _task(recorder, batch[0][0], lambda _: function(*args, **kwargs), subject[0][1])
    return _task(recorder, function, lambda _: function(*args, **kwargs), args)


def _task(recorder: Recorder, function: Any, call: Callable[[Any], Any], item: Any) -> Any:
    start, cpu = time.perf_counter(), time.thread_time()
    try:
        return call(item)
    finally:
        end = time.perf_counter()
        name = called(function)
        if end - start > _WORTH:
            name = f"{name}({short(item, bare=True)})"
        recorder.add_task(name.encode(errors="replace"), start, end, time.thread_time() - cpu)


def name_of(process: Any) -> str:
    """What a bare process does: its target and arguments, or its own name."""
    target = getattr(process, "_target", None)
    if target is None:
        return str(process.name)
    return f"{called(target)}({short(getattr(process, '_args', ()), bare=True)})"


def called(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def short(subject: Any, *, bare: bool = False) -> str:
    """A few words for any object, without calling code of its own: large ones are named by type and size."""
    if isinstance(subject, PurePath):
        text = subject.name
    elif isinstance(subject, (bool, int, float, type(None))):
        text = repr(subject)
    elif isinstance(subject, (str, bytes)):
        text = repr(subject[-_SHORT:])
    elif isinstance(subject, (tuple, list)) and len(subject) <= 4:
        text = ", ".join(map(short, subject))
        text = text if bare else f"({text})"
    else:
        shape = getattr(subject, "shape", None)
        size = f" of {len(subject):,}" if isinstance(subject, (tuple, list, dict, set)) else ""
        text = type(subject).__name__ + (f" {shape}" if isinstance(shape, tuple) else size)
    return text if len(text) <= _SHORT else text[: _SHORT - 3] + "..."
