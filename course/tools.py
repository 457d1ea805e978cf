"""What lessons share that compare tools: a clock for a piece of work, and what this Python has besides processes."""

from __future__ import annotations

import importlib
import sys
import sysconfig
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from types import ModuleType
from typing import Any

#: Work is run until so many seconds are spent on it, so often at most: the fastest run is the least disturbed one.
SPENT, RUNS = 0.5, 5


@dataclass(frozen=True)
class Run:
    """What a piece of work answered, its seconds by the wall clock, and those that this process computed."""

    answer: Any
    seconds: float
    computed: float


def measure(work: Callable[..., Any], *arguments: Any) -> Run:
    """Run `work(*arguments)` and time it: once where it takes half a second, else more often; the fastest counts."""
    runs = [_timed(work, arguments)]
    while len(runs) < RUNS and sum(run.seconds for run in runs) < SPENT:
        runs.append(_timed(work, arguments))
    return min(runs, key=lambda run: run.seconds)


def disturbed(run: Run) -> str:
    """A sentence where serial work that only computes got too little of its core to trust the figures, else ""."""
    share = run.computed / run.seconds
    if share >= 0.8:
        return ""
    return f"(Other programs took {1 - share:.0%} of this core meanwhile: run it again in a quiet moment.)"


def numba() -> ModuleType | None:
    """The compiler numba, or None where it isn't installed, or doesn't work with this Python."""
    try:
        return importlib.import_module("numba")
    except Exception:  # a numba that is too old for its NumPy raises what it likes
        return None


def gil_is_on() -> bool:
    """Whether this interpreter has its global lock at work: always, but in a free-threaded build."""
    enabled = getattr(sys, "_is_gil_enabled", None)
    return bool(enabled()) if enabled else True


def is_free_threaded() -> bool:
    """Whether this Python was built to run threads side by side (python3.13t, python3.14t)."""
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def has_interpreter_pool() -> bool:
    """Whether this Python has a pool of subinterpreters: from 3.14 on."""
    return _interpreter_pool() is not None


def interpreter_pool(workers: int, folder: str) -> Executor:
    """A pool of subinterpreters, each with its own lock, which import modules from `folder` too.

    Raises:
        RuntimeError: this Python has none.
    """
    pool = _interpreter_pool()
    if pool is None:
        raise RuntimeError("This Python has no pool of subinterpreters: it needs 3.14 or newer.")
    # A new interpreter knows nothing of what this one put on its sys.path.
    code = f"import sys; sys.path.insert(0, {folder!r})"
    return pool(workers, initializer=exec, initargs=(code, {}))


def _interpreter_pool() -> Callable[..., Executor] | None:
    return getattr(importlib.import_module("concurrent.futures"), "InterpreterPoolExecutor", None)


def _timed(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Run:
    began, computed = time.perf_counter(), time.process_time()
    answer = work(*arguments)
    return Run(answer, time.perf_counter() - began, time.process_time() - computed)
