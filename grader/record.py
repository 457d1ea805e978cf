"""What a learner has checked so far: a line for each check, in the workspace's `.corewise/checks.jsonl`.

    check("speedup") -> keep(workspace, verdict) -> {"at": ..., "lab": ..., "check": ..., "outcome": ..., ...}
    progress("00_start") -> mark(workspace, "00_start") -> {"at": ..., "module": "00_start"}

Lines are only ever added. Each begins with the line's end, so that one cut short by a full disk spoils no other.
Where nothing can be written, the line is lost and nothing else: the verdict is shown all the same.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from grader.lockfile import LockFile
from grader.manifest import OURS, Manifest, refuse_links
from grader.model import Outcome, Verdict

_PATIENCE = 2.0  # seconds to wait for another notebook that writes at this moment


@dataclass(frozen=True)
class Attempt:
    """One check that was run; `at` is an ISO time."""

    lab: str
    check: str
    outcome: Outcome
    points: float
    at: str


@dataclass(frozen=True)
class Record:
    """All attempts, the oldest first, and the modules that the learner called done."""

    attempts: tuple[Attempt, ...] = ()
    modules: frozenset[str] = frozenset()


def workspace_of(place: Path) -> Path | None:
    """The workspace that the folder `place` lies in; None outside of one."""
    for folder in (place, *place.parents):
        if Manifest.path(folder).is_file():
            return folder
    return None


def here() -> Path | None:
    """The workspace that this process works in; never raises."""
    with suppress(OSError):
        return workspace_of(Path.cwd())
    return None


def keep(folder: Path | None, verdict: Verdict) -> None:
    """Add what a check found to the record of the workspace `folder`; never raises.

    Nothing is written where there is no workspace, nor for a preview, which settles nothing.
    """
    if folder is not None and not verdict.preview:
        points = verdict.points if math.isfinite(verdict.points) else 0.0
        what = {"lab": verdict.lab, "check": verdict.check, "outcome": verdict.outcome, "points": points}
        _append(folder, what)


def mark(folder: Path, module: str) -> None:
    """Add that the learner is done with a module; never raises."""
    _append(folder, {"module": module})


def read(folder: Path) -> Record:
    """The record of the workspace `folder`; lines that can't be understood are passed over."""
    try:
        text = file_of(folder).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Record()
    attempts, modules = [], set()
    for line in text.splitlines():
        entry = _entry(line)
        if isinstance(entry.get("module"), str):
            modules.add(entry["module"])
        elif (attempt := _attempt(entry)) is not None:
            attempts.append(attempt)
    return Record(tuple(attempts), frozenset(modules))


def file_of(folder: Path) -> Path:
    return folder / OURS / "checks.jsonl"


def _entry(line: str) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        entry = json.loads(line)
        if isinstance(entry, dict):
            return entry
    return {}


def _attempt(entry: Mapping[str, Any]) -> Attempt | None:
    lab, check, outcome, points, at = (entry.get(key) for key in ("lab", "check", "outcome", "points", "at"))
    known = isinstance(lab, str) and isinstance(check, str) and outcome in get_args(Outcome)
    if not known or not isinstance(points, int | float) or not math.isfinite(points):
        return None
    return Attempt(str(lab), str(check), outcome, float(points), str(at))  # type: ignore[arg-type]


def _append(folder: Path, what: Mapping[str, object]) -> None:
    entry = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **what}
    line = b"\n" + json.dumps(entry).encode()
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # a link or a pipe in its place is not ours
        flags |= getattr(os, name, 0)
    with suppress(Exception):  # a record that can't be written must cost the learner nothing
        refuse_links(folder, folder / OURS)
        with _turn(folder / OURS / "checks.lock"):
            descriptor = os.open(file_of(folder), flags, 0o600)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """One writer at a time. POSIX appends whole lines anyway; Windows seeks first, then writes."""
    try:
        lock = LockFile(path, os.O_RDWR | os.O_CREAT)
    except OSError:
        yield
        return
    try:
        until = time.monotonic() + _PATIENCE
        with suppress(OSError):  # a file system without locks
            while not lock.lock() and time.monotonic() < until:
                time.sleep(0.01)
        yield
    finally:
        lock.close()
