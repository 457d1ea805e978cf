"""What runs in the child: import the learner's module, run one arm when told to "go", write the answer down.

Nothing here holds a clock. The answer leaves as named plain arrays in a file, never as a pickle.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import multiprocessing
import multiprocessing.process
import re
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from grader.lab import in_scenario, load_judge
from grader.measure import idle, reach
from grader.measure.channel import Line, Message
from grader.model import CostModel


@dataclass(frozen=True)
class Loaded:
    """What a stage has ready before the first trial."""

    judge: ModuleType
    function: Callable[..., Any] | None
    setup: Message


class UnfitError(Exception):
    """The learner's module can't be used: `ending`, `message` and the learner's own line go to the parent."""

    def __init__(self, ending: str, message: str, line: tuple[str, int] | None = None) -> None:
        super().__init__(message)
        self.ending = ending
        self.line = line


_SIGNATURE = 120  # characters of a function's own signature that are quoted
_used: set[str] = set()


def prepare(setup: Message) -> Loaded:
    """Apply the start method, then import the judge and the learner's module: in this order.

    Raises:
        UnfitError: the learner's module doesn't import, lacks its function, or starts processes at import.
    """
    if setup["start_method"]:
        multiprocessing.set_start_method(setup["start_method"], force=True)
    _note_start_methods()
    judge = in_scenario(load_judge(Path(setup["lab_folder"])), setup["scenario"])
    reach.import_all(setup["imports"])
    judge.serial(*judge.arguments(Path(setup["warm_up"])))  # lazy imports and first page faults: not measured
    function = None
    if setup["module"]:
        sys.path.insert(0, setup["modules"])
        function = _import_function(setup)
    gc.freeze()  # pages that no trial writes to stay shared
    return Loaded(judge, function, setup)


def run(line: Line, loaded: Loaded, order: Message) -> None:
    """Run one trial: for each input folder say "ready", wait for "go", run, write the answer, say "done"."""
    try:
        _warm_forkserver(loaded.setup, bool(order.get("trace")))
        _used.clear()  # what warming up used is ours
        if order["arm"] == "reach":
            with reach.ready(
                order["workers"], CostModel(**order["cost"]), loaded.setup["imports"]
            ) as run_tasks:
                line.send(ready=0)
                line.receive()
                run_tasks(order["tasks"], order["amount"])
                line.send(done=0)
            return
        if order["arm"] == "idle":
            line.send(ready=0)
            line.receive()
            idle.start(order["workers"], loaded.setup["imports"])
            line.send(done=0)
            return
        for number, folder in enumerate(order["folders"]):
            arguments = loaded.judge.arguments(Path(folder))
            call = _bind(loaded, order, arguments)
            if order.get("trace"):
                call = _traced(call, Path(order["trace"]))
            line.send(ready=number)
            line.receive()
            answer = loaded.judge.encode(call())
            path = Path(order["answers"]) / f"answer-{number}.npz"
            np.savez(path, **answer)
            line.send(done=number, used=sorted(_used))
            del answer, call
        if order["look"]:
            gc.collect()  # a pool that nobody holds any more ends its workers when it is collected
    except UnfitError as unfit:
        line.send(ending=unfit.ending, message=str(unfit), line=unfit.line)
    except BaseException as error:
        line.send(**_describe(error, loaded.setup["modules"]))


def _bind(loaded: Loaded, order: Message, arguments: tuple[Any, ...]) -> Callable[[], Any]:
    if order["arm"] == "serial":
        return lambda: loaded.judge.serial(*arguments)
    function = loaded.function
    assert function is not None
    if loaded.setup["takes_workers"]:
        arguments = (*arguments, order["workers"])
    signature = inspect.signature(function)
    try:
        signature.bind(*arguments)
    except TypeError as error:
        code = getattr(function, "__code__", None)
        own = f"{loaded.setup['function']}{signature}"[:_SIGNATURE]
        where = (loaded.setup["module"], code.co_firstlineno) if code else None
        raise UnfitError(
            "raised",
            f"The lab calls {loaded.setup['signature']}. Yours is {own}, which doesn't fit: {error}.",
            where,
        ) from None
    if scripted := getattr(loaded.judge, "call", None):
        return lambda: scripted(function, arguments)
    return lambda: function(*arguments)


def _traced(call: Callable[[], Any], folder: Path) -> Callable[[], Any]:
    from grader.tracing.region import trace  # late: no timed run has anything to do with it

    def traced() -> Any:
        with trace(folder):
            return call()

    return traced


def _import_function(setup: Message) -> Callable[..., Any]:
    name, wanted = setup["module"], setup["function"]
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        told = _describe(error, setup["modules"])
        raise UnfitError(
            "import failed", f"{name}.py can't be imported: {told['message']}", told["line"]
        ) from None
    if multiprocessing.active_children() or threading.active_count() > 1:
        raise UnfitError(
            "import failed",
            f"{name}.py starts processes or threads while it is being imported. Every worker imports it too, so "
            "start them inside a function.",
        )
    function = getattr(module, wanted, None)
    if not callable(function):
        raise UnfitError(
            "import failed", f"{name}.py has no function {wanted}; the lab calls {setup['signature']}."
        )
    return function  # type: ignore[no-any-return]


def _describe(error: BaseException, modules: str) -> Message:
    """The exception in one message, with the learner's own line that is nearest to where it was raised."""
    ending = "raised"
    text = "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).parent == Path(modules):
        return {"ending": ending, "message": text, "line": (Path(error.filename).stem, error.lineno or 1)}
    frames = [(f.filename, f.lineno or 1) for f in traceback.extract_tb(error.__traceback__)]
    remote = error.__cause__ is not None and str(error.__cause__)
    if remote:  # a pool's RemoteTraceback: the worker's own frames, as text
        frames += [(file, int(n)) for file, n in re.findall(r'File "([^"]+)", line (\d+)', remote)]
    own = [(Path(file).stem, number) for file, number in frames if Path(file).parent == Path(modules)]
    if isinstance(error, NotImplementedError) and own:
        ending, text = "stub", "it is not written yet (NotImplementedError)."
    elif isinstance(error, TypeError) and not own:
        ending = "wrong type"  # the judge's encode says so, in words
        text = str(error)
    return {"ending": ending, "message": text[:2000], "line": own[-1] if own else None}


def _note_start_methods() -> None:
    """Remember the start methods really used: an explicit get_context(...) is respected, and reported."""
    start = multiprocessing.process.BaseProcess.start

    def noted(self: multiprocessing.process.BaseProcess) -> None:
        method = getattr(self, "_start_method", None) or multiprocessing.get_start_method(allow_none=True)
        _used.add(method or "")
        start(self)

    multiprocessing.process.BaseProcess.start = noted  # type: ignore[method-assign]


def _nothing() -> None:
    """The task of the process that proves the fork server to be up."""


def _warm_forkserver(setup: Message, tracing: bool) -> None:
    """Start the fork server with the imports done, so that imports are not what is measured."""
    if multiprocessing.get_start_method(allow_none=True) != "forkserver":
        return
    preload = [*setup["imports"], "grader.measure.reach", *(["grader.tracing.hooks"] if tracing else [])]
    multiprocessing.set_forkserver_preload(preload + ([setup["module"]] if setup["module"] else []))
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=_nothing)
    process.start()
    process.join()
