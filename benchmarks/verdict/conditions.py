"""What a real measurement runs beside: nobody, neighbours, a quota, one core. All of it is gone afterwards."""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.ctrl_c import deaf_to_ctrl_c
from grader.machine import CGROUPS

#: A neighbour: it spins until it is ended, or until its parent is gone.
_SPIN = "import os; parent = os.getppid()\nwhile os.getppid() == parent: sum(range(100_000))"
_QUIET = 0.1  # CPUs that others may use where a machine is called quiet, of all of them
_PERIOD = 100_000  # microseconds of a quota


@dataclass(frozen=True)
class Condition:
    """So many busy neighbours; a quota in CPUs, or one core alone."""

    name: str
    busy: int = 0
    quota: float | None = None
    one_core: bool = False


QUIET, ONE, TWO = Condition("quiet"), Condition("one busy", busy=1), Condition("two busy", busy=2)
QUOTA, ONE_CORE = Condition("quota 1.5", quota=1.5), Condition("one core", one_core=True)
CONDITIONS = {condition.name: condition for condition in (QUIET, ONE, TWO, QUOTA, ONE_CORE)}


@contextlib.contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many processes that spin, until the block ends, however it ends."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        with deaf_to_ctrl_c():
            started += [subprocess.Popen([sys.executable, "-c", _SPIN]) for _ in range(count)]
        yield
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()


def others_busy(wait: float) -> float:
    """The part of the machine (0 to 1) that others use, once it is quiet, else after `wait` seconds."""
    until = time.monotonic() + wait
    while (used := psutil.cpu_percent(interval=1.0) / 100) > _QUIET and time.monotonic() < until:
        time.sleep(1.0)
    return used


def is_quiet(used: float) -> bool:
    return used <= _QUIET


def why_not(condition: Condition) -> str:
    """Why a condition can't be had here; nothing where it can."""
    if condition.one_core and not hasattr(os, "sched_setaffinity"):
        return "this system has no affinity"
    if condition.quota is not None:
        try:
            with quota(condition.quota):
                return ""
        except OSError as error:
            return f"no control group can be made here ({error.strerror or error})"
    return ""


@contextlib.contextmanager
def quota(cpus: float) -> Iterator[Path]:
    """A control group (version 1 or 2) with that quota below our own, without processes; its file for joining it.

    Raises:
        OSError: there are no control groups, or they are not ours to make.
    """
    group = _own_group() / f"corewise-{os.getpid()}"
    group.mkdir()
    try:
        if (group / "cpu.max").exists():
            (group / "cpu.max").write_text(f"{math.floor(cpus * _PERIOD)} {_PERIOD}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(math.floor(cpus * _PERIOD)))
        yield group / "cgroup.procs"
    finally:
        with contextlib.suppress(OSError):
            _leave(group)


def _own_group() -> Path:
    """The folder of the group of this process that limits its CPUs."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(","):
            for base in (CGROUPS / "cpu", CGROUPS / controllers):
                if base.is_dir():
                    return base / path.lstrip("/")
    unified = Path("/proc/self/cgroup").read_text().rpartition("0::")[2].strip()
    return CGROUPS / unified.lstrip("/")


def _leave(group: Path) -> None:
    """End what is still in the group, and remove it."""
    until = time.monotonic() + 5
    while (inside := (group / "cgroup.procs").read_text().split()) and time.monotonic() < until:
        for pid in inside:
            with contextlib.suppress(psutil.Error):
                psutil.Process(int(pid)).kill()
        time.sleep(0.05)
    group.rmdir()
