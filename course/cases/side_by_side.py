"""Run a few processes side by side for a limited time, and say where those stand that don't end.

    run((counting.add, total, 1000), (counting.add, total, 1000), seconds=10)

Each job is a function of a module and its arguments. When the time is up, who still runs is ended, and it is told at
which line that was.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The part of the time after which a process that still runs writes down where it stands.
_PART = 0.6
_FRAME = re.compile(r'File "([^"]+)", line (\d+) in (\S+)')


@dataclass(frozen=True)
class Ended:
    """How a process ended: in order, with an error, or not at all; then `line` says where it stood."""

    name: str
    in_order: bool
    seconds: float
    line: str = ""

    def __str__(self) -> str:
        if self.line:
            return f"{self.name}: not done after {self.seconds:.1f} s. It stands at {self.line}"
        how = "done" if self.in_order else "ended with an error"
        return f"{self.name}: {how} after {self.seconds:.2f} s"


def run(*jobs: tuple[Any, ...], seconds: float = 20.0) -> list[Ended]:
    """Start a process for each job (a function, then its arguments), and wait for all, so many seconds at most."""
    with tempfile.TemporaryDirectory(prefix="side-by-side-", ignore_cleanup_errors=True) as room:
        reports = [str(Path(room, f"{number}.txt")) for number in range(len(jobs))]
        processes = [
            multiprocessing.Process(target=_work, args=(report, seconds, *job), daemon=True)
            for report, job in zip(reports, jobs, strict=True)
        ]
        began = time.perf_counter()
        try:
            for process in processes:
                process.start()
            ended = _wait(processes, began, seconds)
        finally:
            for process in processes:
                _end(process)
        lines = [_line(Path(report), job[0]) for report, job in zip(reports, jobs, strict=True)]
        codes = [process.exitcode for process in processes]
        for process in processes:
            process.close()
    return [
        Ended(
            f"process {n + 1}",
            n in ended and codes[n] == 0,
            ended.get(n, seconds),
            "" if n in ended else lines[n],
        )
        for n in range(len(jobs))
    ]


def _work(report: str, seconds: float, function: Callable[..., Any], *arguments: Any) -> None:
    with open(report, "w", encoding="utf-8") as file:
        faulthandler.dump_traceback_later(_PART * seconds, file=file)
        try:
            function(*arguments)
        finally:
            faulthandler.cancel_dump_traceback_later()


def _wait(processes: list[Any], began: float, seconds: float) -> dict[int, float]:
    """The seconds at which each has ended, of those that have."""
    ended: dict[int, float] = {}
    while len(ended) < len(processes) and time.perf_counter() - began < seconds:
        for number, process in enumerate(processes):
            if number not in ended and process.exitcode is not None:
                ended[number] = time.perf_counter() - began
        time.sleep(0.005)
    return ended


def _end(process: Any) -> None:
    if process.pid is None:
        return
    if process.exitcode is None:
        process.kill()
    process.join(timeout=10)


def _line(report: Path, function: Callable[..., Any]) -> str:
    """The innermost line that stands in the file of the job's function."""
    home = Path(getattr(function, "__code__", _line.__code__).co_filename).name
    text = report.read_text(encoding="utf-8") if report.is_file() else ""
    for file, number, name in _FRAME.findall(text):
        if Path(file).name == home:
            return f"line {number} of {home}, in {name}"
    return "a line that is not known"
