"""What a program weighs, and what it leaves behind: the stages of the checks `memory` and `clean_up`.

Curve          one run, weighed over time
  -> Weighing  beside its idle twin, as copies of the payload
  -> Footprint with 2 workers and with 4, against the bars
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MemoryBars:
    """Where the bars of a memory check stand, in copies of the payload.

    `copies` is the most that a program may hold at its peak, `growth` the most that may come with going from 2
    workers to 4.
    """

    copies: float = 1.5
    growth: float = 0.25


@dataclass(frozen=True)
class Curve:
    """What a process tree weighed over time: (seconds since "go", bytes), a bounded number of points.

    `processes` is the most that were seen at once. `unit` is "PSS", or "USS" where the system tells no PSS; it is
    empty where neither can be read.
    """

    points: tuple[tuple[float, int], ...] = ()
    samples: int = 0
    processes: int = 0
    unit: Literal["PSS", "USS", ""] = ""

    @property
    def peak(self) -> int:
        return max((weight for _, weight in self.points), default=0)


@dataclass(frozen=True)
class Left:
    """Something that a program left behind: a live process (`size` is 0), a segment of shared memory or a named
    semaphore (`size` in bytes)."""

    kind: Literal["process", "segment", "semaphore"]
    name: str
    size: int = 0


@dataclass(frozen=True)
class Weighing:
    """The learner's program with so many workers, weighed once, beside the peak of its idle twin (bytes)."""

    workers: int
    curve: Curve
    idle: int
    payload: int

    @property
    def copies(self) -> float:
        """Copies of the payload at the peak, beyond what interpreters and imports weigh anyway."""
        return max(0.0, (self.curve.peak - self.idle) / self.payload)


@dataclass(frozen=True)
class Footprint:
    """The memory of a program: one weighing for each number of workers, the median one of `rounds` rounds."""

    payload: int
    weighings: tuple[Weighing, ...]
    bars: MemoryBars
    rounds: int = 1
