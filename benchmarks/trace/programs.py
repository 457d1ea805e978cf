"""Work for a pool, clean and with planted faults: `python -m benchmarks.trace.programs NAME [WORKERS]` runs one.

A program is a function, its items, and what the program itself does before and after.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pool
from typing import Any

WORKERS = 2


@dataclass(frozen=True)
class Program:
    """`cause` is the fault's name in course/TRACING.md; nothing for a clean program. `chunk`: items of a task."""

    cause: str
    function: Callable[[Any], Any]
    items: Callable[[], Sequence[Any]]
    chunk: int = 1
    before: int = 0
    after: int = 0


def spin(loops: int) -> int:
    total = 0
    for number in range(loops):
        total += number * number
    return total


def total(numbers: list[int]) -> int:
    return sum(numbers)


def squares(size: int) -> list[int]:
    return [number * number for number in range(size)]


PROGRAMS = {
    "clean": Program("", spin, lambda: [1_500_000] * 24),
    "skew": Program("skew", spin, lambda: [1_000_000] * 12 + [24_000_000]),
    "tasks too few": Program("tasks-too-few", spin, lambda: [10_000_000] * 3),
    "tasks too small": Program("tasks-too-small", spin, lambda: [20] * 40_000),
    "big arguments": Program("big-arguments", total, lambda: [list(range(400_000)) for _ in range(24)]),
    "big results": Program("big-results", squares, lambda: [400_000] * 24),
    "serial head": Program("serial-head", spin, lambda: [1_500_000] * 12, before=30_000_000),
    "serial tail": Program("serial-tail", spin, lambda: [1_500_000] * 12, after=30_000_000),
    "one worker does all": Program("one-worker-does-all", spin, lambda: [1_500_000] * 16, chunk=16),
}


def main() -> None:
    program = PROGRAMS[sys.argv[1]]
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else WORKERS
    spin(program.before)
    with Pool(workers) as pool:
        pool.map(program.function, program.items(), chunksize=program.chunk)
    spin(program.after)


if __name__ == "__main__":
    main()
