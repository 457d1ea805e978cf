"""What the processes of a traced run wrote down, read back. Whatever is in those files, reading them is safe.

A recording is plain numbers at fixed places. A hostile or broken file gives no more than a wrong picture of the run
that wrote it: numbers are checked, and nothing is executed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.tracing.record import (
    AT_HELPERS,
    AT_STRETCHES,
    AT_TASKS,
    HEADER,
    HELPER,
    HELPERS,
    MAGIC,
    SIZE,
    STRETCH,
    STRETCHES,
    TASK,
    TASKS,
)
from grader.tracing.timeline import STATES, Span, State, Task

#: Processes of one run that are read at most.
_MOST = 512


@dataclass(frozen=True)
class Recording:
    """What one process wrote down; times are those of `time.perf_counter`, the same for all processes.

    `process` is 0 for one that was asked for, but never began. `asked`: when it was asked for. `ended` is 0 where
    it was ended from outside; it was then in `state` since `since`. `process_cpu` and `main_cpu` are CPU seconds of
    all its threads and of its main one.
    """

    process: int
    parent: int
    role: str
    asked: float
    ended: float
    state: State
    since: float
    process_cpu: float
    main_cpu: float
    queued: float | None
    spans: tuple[Span, ...]
    tasks: tuple[Task, ...]
    helpers: tuple[Span, ...]
    held: float


def read(folder: Path) -> list[Recording]:
    """The recordings in a folder, in the order in which their processes were asked for; broken ones are left out."""
    files = sorted(folder.glob("*.trace"))[:_MOST]
    found = [recording for file in files if (recording := _read(file)) is not None]
    return sorted(found, key=lambda recording: recording.asked)


def _read(file: Path) -> Recording | None:
    if file.is_symlink() or not file.is_file():  # a pipe in this place would keep us waiting for ever
        return None
    try:
        with open(file, "rb") as opened:
            data = opened.read(SIZE)
    except OSError:
        return None
    if len(data) < SIZE or not data.startswith(MAGIC):
        return None
    _, role, *numbers = HEADER.unpack_from(data)
    if not all(map(math.isfinite, numbers)):
        return None
    process, parent, asked, ended, state, since, process_cpu, main_cpu, queued, *counts, held = numbers
    if not 0 <= state < len(STATES):
        return None
    stretches, tasks, helpers = (
        min(max(0, int(n)), most) for n, most in zip(counts, (STRETCHES, TASKS, HELPERS), strict=True)
    )
    return Recording(
        int(process),
        int(parent),
        role.rstrip(b"\0").decode(errors="replace"),
        asked,
        ended,
        STATES[int(state)],
        since,
        process_cpu,
        main_cpu,
        queued if queued >= 0 else None,
        tuple(_in_order(_spans(data, stretches))),
        tuple(_tasks(data, tasks)),
        tuple(_helpers(data, helpers)),
        max(0.0, held),
    )


def _spans(data: bytes, count: int) -> Iterator[Span]:
    """The main thread's time. An entry that adds several stretches up is laid out state by state."""
    for number in range(count):
        entry = STRETCH.unpack_from(data, AT_STRETCHES + number * STRETCH.size)
        at, end, _ = entry[:3]
        if not all(map(math.isfinite, entry)):
            continue
        for place, state in enumerate(STATES):
            seconds, cpu, size = entry[3 + place], entry[9 + place], entry[15 + place]
            if seconds > 0 or size > 0:
                until = min(end, at + max(0.0, seconds))
                yield Span(state, at, until, min(max(0.0, cpu), until - at), int(max(0.0, size)))
                at = until


def _in_order(spans: Iterator[Span]) -> Iterator[Span]:
    """Spans that follow each other; whatever doesn't is left out."""
    before = -math.inf
    for span in spans:
        if before - 1e-9 <= span.start <= span.end:
            yield span
            before = span.end


def _tasks(data: bytes, count: int) -> Iterator[Task]:
    for number in range(count):
        start, end, cpu, items, longest, name = TASK.unpack_from(data, AT_TASKS + number * TASK.size)
        if all(map(math.isfinite, (start, end, cpu, longest, items))) and start <= end and items >= 1:
            said = name.rstrip(b"\0").decode(errors="replace")
            yield Task(said, start, end, max(0.0, cpu), int(items), min(longest, end - start))


def _helpers(data: bytes, count: int) -> Iterator[Span]:
    """Entries may add several up: each is shown as one stretch of the sum, which ends where the last of them did."""
    for number in range(count):
        entry = HELPER.unpack_from(data, AT_HELPERS + number * HELPER.size)
        start, end, seconds, cpu, size, state = entry
        if all(map(math.isfinite, entry)) and start <= end and 0 <= state < len(STATES):
            yield Span(
                STATES[int(state)],
                max(start, end - max(0.0, seconds)),
                end,
                max(0.0, cpu),
                int(max(0.0, size)),
            )
