"""A traced run on one clock: what each worker, and the program that started them, did from moment to moment.

Times are seconds since the traced region began.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: What a process is doing. `start`: being started, until its own code runs. `run`: everything that is none of the
#: others. `wait`: for something to arrive in a queue or pipe, or for room in it. `pickle`, `unpickle`: turning
#: objects into bytes and back. `lock`: waiting for a lock, semaphore, condition, barrier or event.
State = Literal["start", "wait", "unpickle", "pickle", "lock", "run"]
STATES: tuple[State, ...] = ("start", "wait", "unpickle", "pickle", "lock", "run")


@dataclass(frozen=True)
class Span:
    """A stretch of one state: from `start` to `end`, of which `cpu` seconds on a core; `size` in bytes where some
    moved.
    """

    state: State
    start: float
    end: float
    cpu: float = 0.0
    size: int = 0

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Task:
    """One piece of work in a worker: what it was called, from `start` to `end`, of which `cpu` seconds on a core.

    `items` is more than 1 where this stands for so many short ones; `longest` (seconds) and `name` are then those
    of the longest of them.
    """

    name: str
    start: float
    end: float
    cpu: float = 0.0
    items: int = 1
    longest: float = 0.0

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass(frozen=True)
class Lane:
    """One process, or several that followed each other in one place of a pool.

    `spans` are what its main thread did: they don't overlap, are in order, and cover its life from the moment it
    was asked for to its end; those of the parent cover the traced region. `helpers` are pickling and unpickling by
    its other threads, which may overlap. `other_cpu` are CPU seconds of threads that are not its main one (their
    pickling not counted), `queued` the seconds that its main thread was ready to run but had no core (None where
    the system doesn't tell), `held` its CPU seconds with the lock in hand that it used most under.
    """

    name: str
    spans: tuple[Span, ...]
    tasks: tuple[Task, ...] = ()
    helpers: tuple[Span, ...] = ()
    processes: int = 1
    other_cpu: float = 0.0
    queued: float | None = None
    held: float = 0.0

    @property
    def start(self) -> float:
        return self.spans[0].start if self.spans else 0.0

    @property
    def end(self) -> float:
        return self.spans[-1].end if self.spans else 0.0

    @property
    def useful(self) -> float:
        """u: CPU seconds of its own work."""
        return self.cpu("run")

    def cpu(self, *states: State) -> float:
        return sum(span.cpu for span in self.spans if span.state in states)

    def seconds(self, *states: State) -> float:
        return sum(span.seconds for span in self.spans if span.state in states)

    def size(self, *states: State) -> int:
        return sum(span.size for span in self.spans if span.state in states)


@dataclass(frozen=True)
class Timeline:
    """A traced run of `wall` seconds, on `cores` usable cores.

    `parent` is the program itself. `workers` are the lanes of the processes that it started; servers of a Manager are
    not among them.
    """

    wall: float
    parent: Lane
    workers: tuple[Lane, ...]
    cores: float
    start_method: str = ""

    @property
    def useful(self) -> Sequence[float]:
        """u of each worker, in seconds."""
        return [lane.useful for lane in self.workers]
