"""Weigh a program and all its workers while they run: for the lessons on shared memory.

    from course.cases import feature_store_scale

    weighed = feature_store_scale.weigh([sys.executable, "job.py"])
    weighed.peak, weighed.peak_rss      # bytes, all processes together

Where the system tells no PSS (macOS, Windows) the curve is of USS: what a process has for itself alone.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import psutil

__all__ = ["UNIT", "Weighed", "weigh"]

#: What the curve is made of.
UNIT = "PSS" if psutil.LINUX else "USS"
_PERIOD = 0.02  # seconds between two looks
#: A library's threads of its own would be weighed as well.
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


@dataclass(frozen=True)
class Weighed:
    """(seconds, bytes of RSS, bytes of PSS or USS), all processes together, and what the program printed."""

    points: tuple[tuple[float, int, int], ...]
    printed: str

    @property
    def peak(self) -> int:
        """The largest sum of PSS that two looks in a row have seen.

        A process that begins to share while the others are being looked at can count twice in one look, not in two.
        """
        weights = [weight for *_, weight in self.points]
        return max(map(min, pairwise(weights)), default=max(weights, default=0))

    @property
    def peak_rss(self) -> int:
        """The largest sum of RSS."""
        return max((rss for _, rss, _ in self.points), default=0)


def weigh(command: Sequence[str], limit: float = 60) -> Weighed:
    """Run the program, look at its processes until it ends, and end all of them if it takes too long.

    Args:
        limit: seconds.

    Raises:
        RuntimeError: it took too long, or failed; with what it said.
    """
    points = []
    began = time.monotonic()
    with subprocess.Popen(
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **_ONE_THREAD},
    ) as program:
        try:
            while program.poll() is None and time.monotonic() - began < limit:
                points.append((time.monotonic() - began, *_sums(program.pid)))
                time.sleep(_PERIOD)
            late = program.poll() is None
        finally:  # also when somebody presses Stop
            _end(program)
        printed, said = program.communicate(timeout=10)
    if late:
        raise RuntimeError(f"It was not done after {limit:g} seconds, and was ended.")
    if program.returncode:
        raise RuntimeError(f"It ended with {program.returncode}: {said.strip()[-500:]}")
    return Weighed(tuple(points), printed)


def _sums(pid: int) -> tuple[int, int]:
    """RSS and PSS (or USS) of a process and all below it, now.

    They are looked at one after the other, and what starts to share meanwhile would count twice: so there and back, and
    the lighter sum counts.
    """
    there = _tree(pid)
    forth = [_weight(process) for process in there]
    back = [_weight(process) for process in reversed(there)]
    return sum(rss for rss, _ in forth), min(sum(one for _, one in sums) for sums in (forth, back))


def _weight(process: psutil.Process) -> tuple[int, int]:
    try:
        # psutil 8 renames memory_full_info.
        full = getattr(process, "memory_footprint", None) or process.memory_full_info
        told = full()
        return int(process.memory_info().rss), int(getattr(told, "pss", told.uss))
    except psutil.AccessDenied:
        raise RuntimeError(
            f"This system tells the {UNIT} of processes to its administrator alone: nothing is weighed here. Read on."
        ) from None
    except psutil.Error:  # it has just ended
        return 0, 0


def _tree(pid: int) -> list[psutil.Process]:
    try:
        program = psutil.Process(pid)
        return [program, *program.children(recursive=True)]
    except psutil.Error:
        return []


def _end(program: subprocess.Popen[str]) -> None:
    """Nothing of it runs on."""
    if program.poll() is not None:
        return
    for process in reversed(_tree(program.pid)):
        try:
            process.kill()
        except psutil.Error:
            continue
