"""What a process tree weighs while it runs, sampled by the parent from outside.

PSS counts a page that k processes share as 1/k of a page for each, so that a tree's sum counts it once (Linux). A
segment of shared memory is in it as long as some process maps it, and as far as its pages were touched; one that
nobody maps is not. Where the system tells no PSS the sum is of USS, the pages that a process shares with nobody:
what several processes share is then not weighed at all, and copies come out lower, never higher.

Processes are weighed one after the other. Who maps a segment meanwhile would be counted beside one who was weighed
when it had the segment alone; so each sample goes there and back, and the lighter of the two sums counts.

A sample costs milliseconds, so a run that is weighed is never timed. What lives shorter than the time between two
samples can be missed.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

import psutil

from grader.measure import tree
from grader.weights import Curve

#: Seconds between two samples. Shorter than the usual 0.05 to 0.1, to miss less: nothing is timed here.
_PERIOD = 0.02
MOST_POINTS = 200
UNIT: Literal["PSS", "USS"] = "PSS" if os.path.exists("/proc/self/smaps_rollup") else "USS"

Point = tuple[float, int]


class Scale:
    """Weighs the process `trial`, and what comes into the tree of `root` between `start()` and `stop()`.

    What is there before is ours: the stage, and the fork server that it warmed up, used or not.
    """

    def __init__(self, root: int, trial: int) -> None:
        self._root, self._trial = root, trial
        self._ours: set[int] = set()
        self._points: list[Point] = []
        self._samples = self._processes = 0
        self._started = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._ours = set(tree.accounts(self._root)) - {self._trial}
        self._started = time.monotonic()
        self._sample()
        self._thread.start()

    def stop(self, wall: float) -> tuple[tuple[float, ...], None]:
        """Take one last sample: all of the twin's workers are there now. No seconds: what is weighed is not timed."""
        self._stop.set()
        self._thread.join()
        self._sample()
        return (), None

    @property
    def curve(self) -> Curve:
        """What was weighed until now."""
        points = thin(self._points, MOST_POINTS)
        return Curve(tuple(points), self._samples, self._processes, UNIT if points else "")

    def _run(self) -> None:
        while not self._stop.wait(_PERIOD) and self._sample():
            pass

    def _sample(self) -> bool:
        """Weigh the tree; False when nothing of it is there to be weighed."""
        mine = [pid for pid in tree.accounts(self._root) if pid not in self._ours]
        there = [weight for pid in mine if (weight := weigh(pid))]
        back = sum(weigh(pid) for pid in reversed(mine))
        if not there:
            return False
        self._samples += 1
        self._processes = max(self._processes, len(there))
        self._points.append((time.monotonic() - self._started, min(sum(there), back)))
        if len(self._points) >= 4 * MOST_POINTS:
            self._points = thin(self._points, 2 * MOST_POINTS)
        return True


def thin(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` of the points, in their order: the heaviest of each stretch, so that no peak is lost."""
    step = -(-len(points) // most) or 1
    stretches = (points[start : start + step] for start in range(0, len(points), step))
    return [max(stretch, key=lambda point: point[1]) for stretch in stretches]


def weigh(pid: int) -> int:
    """Bytes of one process; 0 when it is gone, a zombie, or not to be read."""
    with suppress(OSError, psutil.Error):
        if UNIT == "PSS":
            with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
                return pss(file.read())
        process = psutil.Process(pid)
        # psutil 8 renames memory_full_info.
        full = getattr(process, "memory_footprint", None) or process.memory_full_info
        return int(full().uss)
    return 0


def pss(rollup: bytes) -> int:
    """The bytes that smaps_rollup's line `Pss:  123 kB` tells; 0 where there is no such line (a zombie's is empty)."""
    for line in rollup.splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0
