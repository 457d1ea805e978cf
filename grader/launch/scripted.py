"""Trials that report chosen timings: nothing is started, nobody sleeps, so the pipeline is tested without a clock.

Script: (order, number of the trial) -> Report         a function, or a Program on its machine
ScriptedLauncher(script).session() -> ScriptedSession  writes answers, moves `clock` on
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from grader.model import Ending, FreeTime, Lab, Order, Progress, Slot, Trial, WorkerModule
from grader.weights import Curve, Left


@dataclass(frozen=True)
class Report:
    """What one trial reports: `seconds` for each folder, CPU seconds by process, and whether the answers are right.

    `curve` and `left` are what weighing it and looking at what it left would have given.
    """

    seconds: float
    cpu: tuple[float, ...]
    ending: Ending = "done"
    right: bool = True
    message: str = ""
    start_methods_used: tuple[str, ...] = ()
    free: FreeTime | None = None
    curve: Curve | None = None
    left: tuple[Left, ...] = ()


Script = Callable[[Order, int], Report]


@dataclass(frozen=True)
class Program:
    """A program in numbers, on a machine that gives perfectly parallel work a speedup of `reach`.

    The baseline takes `serial` seconds at every size. `cpu` are the CPU seconds of a parallel trial by process, the
    program's own first. `noise` is the spread (of the logarithm) of all seconds. `start`: seconds to start workers.
    `free` is the same program free of neighbours, on a machine that can tell.
    """

    speedup: float = 1.8
    cpu: tuple[float, ...] = (0.01, 0.25, 0.25)
    serial: float = 0.5
    reach: float = 1.9
    noise: float = 0.01
    start: float = 0.02
    ending: Ending = "done"
    right: bool = True
    message: str = ""
    start_methods_used: tuple[str, ...] = ()
    free: Program | None = None

    def __call__(self, order: Order, number: int) -> Report:
        report = self._report(order, number)
        if self.free is None:
            return report
        return replace(report, free=FreeTime(self.free(order, number).seconds, others=1.0))

    def _report(self, order: Order, number: int) -> Report:
        factor = random.Random(f"{self} {number}").lognormvariate(0, self.noise)
        if order.arm == "serial":
            return Report(self.serial * factor, (self.serial,))
        if order.arm == "reach":
            work = order.tasks * order.amount * 1e-6
            seconds = work if order.workers == 1 else self.start + work / self.reach
            return Report(seconds * factor, (work,))
        return Report(
            self.serial / self.speedup * factor,
            self.cpu,
            self.ending,
            self.right,
            self.message,
            self.start_methods_used,
        )


class Clock:
    """Takes the place of the module `time` where a test needs it: `monotonic` is what all trials have taken."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class ScriptedLauncher:
    """Opens scripted sessions. All of them share the numbers of the trials, from 1, the clock, and `orders`."""

    def __init__(self, script: Script, overhead: float = 0.05) -> None:
        self._script, self._overhead = script, overhead
        self.clock = Clock()
        self.orders: list[Order] = []

    @contextmanager
    def session(self, lab: Lab, worker: WorkerModule | None, start_method: str) -> Iterator[ScriptedSession]:
        with tempfile.TemporaryDirectory(prefix="corewise-") as scratch:
            yield ScriptedSession(self, lab, Path(scratch))

    def slot(self, progress: Progress, expect: float) -> AbstractContextManager[Slot]:
        """Nothing really runs, so nobody waits."""
        return nullcontext(Slot(0.0, True))

    def report(self, order: Order) -> Report:
        """The script's next report; moves the clock on by what the trial takes, and `overhead` seconds more."""
        self.orders.append(order)
        report = self._script(order, len(self.orders))
        folders = max(1, len(order.folders))
        self.clock.now += self._overhead + (
            order.timeout if report.ending == "timed out" else report.seconds * folders
        )
        return report


class ScriptedSession:
    """Turns reports into trials, with answers where the lab's judge will look for them."""

    def __init__(self, launcher: ScriptedLauncher, lab: Lab, scratch: Path) -> None:
        self._launcher, self._lab, self._scratch = launcher, lab, scratch

    def run(self, order: Order) -> Trial:
        report = self._launcher.report(order)
        done = report.ending == "done"
        answers = tuple(self._answer(folder, report.right) for folder in order.folders) if done else ()
        return Trial(
            arm=order.arm,
            ending=report.ending,
            seconds=(report.seconds,) * max(1, len(order.folders)) if done else (),
            cpu=report.cpu,
            answers=answers,
            message=report.message,
            start_methods_used=report.start_methods_used,
            free=(report.free,) * max(1, len(order.folders)) if done and report.free else (),
            curve=report.curve,
            left=report.left,
        )

    def _answer(self, folder: Path, right: bool) -> Path:
        """The baseline's own answer to this input; where it is not to be right, every array has one more in it."""
        judge = self._lab.judge
        arrays: dict[str, np.ndarray[Any, Any]] = judge.encode(judge.serial(*judge.arguments(folder)))
        if not right:
            arrays = {name: array + 1 for name, array in arrays.items()}
        path = self._scratch / f"answer-{len(self._launcher.orders)}-{folder.name}.npz"
        np.savez(path, **arrays)  # type: ignore[arg-type]
        return path
