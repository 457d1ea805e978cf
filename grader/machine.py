"""How many cores are there really? Affinity, quota, physical cores, load -> MachineFacts.

`os.cpu_count()` is the machine, affinity is what this process may run on, a control group's quota is how much of
that it gets. joblib knows the first two and rounds quotas up; so the quota is read here, as a float, from the
process's own group up to the root (a nested quota binds too).
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from grader.model import MachineFacts, Strain

_PYTHONS_OWN = ("fork", "spawn", "forkserver")
CGROUPS = Path("/sys/fs/cgroup")


def look() -> MachineFacts:
    """Read this machine's facts now. Never raises for a file that can't be read."""
    affinity = len(affinity_set())
    quota = cpu_quota()
    return MachineFacts(
        machine=os.cpu_count() or 1,
        affinity=affinity,
        quota=quota,
        physical=psutil.cpu_count(logical=False),
        usable=min(float(affinity), quota) if quota is not None else float(affinity),
        start_methods=start_methods(),
        load=_load(),
        on_battery=_on_battery(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def affinity_set() -> frozenset[int]:
    """The CPUs that this process may run on; all of them where the system has no affinity."""
    if sys.platform == "linux":
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def start_methods() -> tuple[str, ...]:
    """The start methods of this system, this Python's default first.

    Python's own: from 3.14 on `get_all_start_methods` also names what a library adds (joblib adds "loky"), and a
    fresh process doesn't have that.
    """
    return tuple(method for method in multiprocessing.get_all_start_methods() if method in _PYTHONS_OWN)


def workers(facts: MachineFacts, most: int) -> int:
    """How many workers a check asks for: one for each usable core (a part of one counts), at most `most`."""
    return max(1, min(most, int(facts.usable + 0.999)))


def cpu_quota(proc: Path = Path("/proc/self/cgroup"), root: Path = CGROUPS) -> float | None:
    """The smallest CPU quota that binds this process, in CPUs; None where there is none.

    Version 2 groups say `cpu.max` ("150000 100000"), version 1 `cpu.cfs_quota_us` and `cpu.cfs_period_us`.
    """
    quotas = [
        q for group in own_groups(proc, root) if (q := _quota_v2(group) or _quota_v1(group)) is not None
    ]
    return min(quotas, default=None)


def own_groups(proc: Path = Path("/proc/self/cgroup"), root: Path = CGROUPS) -> list[Path]:
    """The folders of the control groups that bind this process's CPU time, its own and those above it.

    Inside a container the group's path may not exist below its own root; then the root's files speak.
    """
    try:
        lines = proc.read_text().splitlines()
    except OSError:
        return []
    groups: list[Path] = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, separator, path = rest.partition(":")
        if not separator:
            continue
        if controllers == "":
            bases = [root, root / "unified"]
        elif "cpu" in controllers.split(","):
            bases = [root / controllers, root / "cpu", root / "cpu,cpuacct"]
        else:
            continue
        for base in bases:
            if base.is_dir():
                groups += _up_to_root(base, path)
                break
    return groups


def _up_to_root(base: Path, path: str) -> list[Path]:
    group = base / path.lstrip("/")
    groups = [base]
    if ".." in group.parts:  # its group lies outside of what this namespace shows
        return groups
    while group != base and base in group.parents:
        groups.append(group)
        group = group.parent
    return groups


def _quota_v2(group: Path) -> float | None:
    try:
        most, period = (group / "cpu.max").read_text().split()
        return None if most == "max" else int(most) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _quota_v1(group: Path) -> float | None:
    try:
        most = int((group / "cpu.cfs_quota_us").read_text())
        period = int((group / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None
    return most / period if most > 0 and period > 0 else None


@dataclass(frozen=True)
class Counters:
    """What `strain_since` compares with: the time, and ticks stolen and nanoseconds throttled since the start."""

    at: float
    stolen: int | None
    throttled: int | None


def counters() -> Counters:
    """The counters now."""
    return Counters(time.monotonic(), _stolen_ticks(), _throttled_ns())


def strain_since(start: Counters) -> Strain:
    """What held this machine back since then."""
    now = counters()
    seconds = max(1e-9, now.at - start.at)
    stolen = throttled = None
    if start.stolen is not None and now.stolen is not None:
        stolen = (now.stolen - start.stolen) / os.sysconf("SC_CLK_TCK") / seconds
    if start.throttled is not None and now.throttled is not None:
        throttled = (now.throttled - start.throttled) / 1e9
    return Strain(_pressure(), stolen, throttled)


def _pressure() -> float | None:
    """Share of the last ten seconds in which a task waited for a CPU (the kernel's accounting/psi)."""
    try:
        some = Path("/proc/pressure/cpu").read_text().splitlines()[0]
        return float(some.partition("avg10=")[2].split()[0]) / 100
    except (OSError, ValueError, IndexError):
        return None


def _stolen_ticks() -> int | None:
    try:
        return int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8])  # proc(5): steal
    except (OSError, ValueError, IndexError):
        return None


def _throttled_ns() -> int | None:
    """Time that this process's own groups were stopped by a quota; None where no group tells."""
    found = [ns for group in own_groups() if (ns := _throttled_in(group)) is not None]
    return max(found, default=None)


def _throttled_in(group: Path) -> int | None:
    try:
        words = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
        return (
            int(words["throttled_usec"]) * 1000 if "throttled_usec" in words else int(words["throttled_time"])
        )
    except (OSError, ValueError, KeyError):
        return None


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except (OSError, AttributeError):
        return None  # Windows


def _on_battery() -> bool | None:
    try:
        battery = psutil.sensors_battery()
    except (OSError, AttributeError, NotImplementedError):
        return None
    return None if battery is None else not battery.power_plugged
