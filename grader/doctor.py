"""What this machine is, and what on it will get in the way: each finding with its evidence and its remedy.

`look_round()` gathers, `findings()` judges (pure), `report()` and `as_json()` say.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import psutil

from grader import machine
from grader.measure.stage import FORKS
from grader.model import MachineFacts

Severity = Literal["stops", "warns", "says"]

_GIB = 1 << 30
_SHM = Path("/dev/shm")
_PACKAGES = (
    "jupyterlab",
    "nbgrader",
    "numpy",
    "pandas",
    "pyarrow",
    "matplotlib",
    "memory_profiler",
    "psutil",
)


@dataclass(frozen=True)
class Room:
    """What there is of it, in bytes; None where the system has no such thing."""

    memory: int
    memory_free: int
    disk_free: int
    shm: int | None
    shm_free: int | None


@dataclass(frozen=True)
class Ailment:
    """Something that gets in the way. `stops`: labs can't be checked; `warns`: some can't; `says`: good to know."""

    severity: Severity
    what: str
    evidence: str
    remedy: str


@dataclass(frozen=True)
class Neighbour:
    """Another process and the cores that it kept busy while we looked."""

    pid: int
    name: str
    cores: float


def look_round() -> Room:
    memory = psutil.virtual_memory()
    shm = shutil.disk_usage(_SHM) if _SHM.is_dir() else None
    return Room(
        memory=memory.total,
        memory_free=memory.available,
        disk_free=shutil.disk_usage(tempfile.gettempdir()).free,
        shm=shm.total if shm else None,
        shm_free=shm.free if shm else None,
    )


def busy_neighbours(seconds: float = 0.5) -> tuple[Neighbour, ...]:
    """The processes that kept more than a fifth of a core busy in these seconds, the busiest first."""
    watched = [process for process in psutil.process_iter(["name"]) if process.pid != psutil.Process().pid]
    for process in watched:
        _cores(process)  # the first call only starts psutil's clock
    psutil.cpu_percent(interval=seconds)
    seen = [Neighbour(process.pid, process.info["name"] or "?", _cores(process)) for process in watched]
    return tuple(sorted((n for n in seen if n.cores > 0.2), key=lambda n: -n.cores)[:3])


def _cores(process: psutil.Process) -> float:
    try:
        return float(process.cpu_percent()) / 100
    except psutil.Error:
        return 0.0


def versions() -> dict[str, str]:
    """The versions of the packages that matter; an empty text where one is missing."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = ""
    return found


def findings(
    facts: MachineFacts, room: Room, neighbours: tuple[Neighbour, ...], packages: dict[str, str]
) -> tuple[Ailment, ...]:
    """What gets in the way, the worst first. Pure."""
    found = [*_of_packages(packages), *_of_cores(facts), *_of_room(room), *_of_now(facts, neighbours)]
    if not FORKS:
        found.append(
            Ailment(
                "says",
                "Speed is measured by the wall clock and CPU seconds, each trial in a newly started Python.",
                facts.system,
                "Nothing to do: a check takes longer than on Linux.",
            )
        )
    order = ("stops", "warns", "says")
    return tuple(sorted(found, key=lambda ailment: order.index(ailment.severity)))


def _of_packages(packages: dict[str, str]) -> list[Ailment]:
    missing = [name for name, version in packages.items() if not version]
    if not missing:
        return []
    return [
        Ailment(
            "stops",
            f"{', '.join(missing)} not installed in this environment.",
            f"Python at {sys.executable}",
            "Run `python3 start.py` once more: it completes the environment.",
        )
    ]


def _of_cores(facts: MachineFacts) -> list[Ailment]:
    found = []
    evidence = (
        f"machine {facts.machine}, affinity {facts.affinity}, quota {_quota(facts)}, usable {facts.usable:g}"
    )
    if facts.usable < 1.35:
        found.append(
            Ailment(
                "warns",
                "Too few cores to measure a speedup: such checks end with `cannot tell`.",
                evidence,
                "Give it two cores or more: docker run --cpus 2, or a wider taskset or VM.",
            )
        )
    if facts.quota is not None and facts.quota < facts.affinity:
        found.append(
            Ailment(
                "says",
                "A CPU quota binds that Python's cpu_count() and affinity don't see.",
                evidence,
                f"Start {_workers(machine.workers(facts, facts.affinity))}, not {facts.affinity}.",
            )
        )
    return found


def _of_room(room: Room) -> list[Ailment]:
    found = []
    if room.disk_free < _GIB:
        found.append(
            Ailment(
                "stops" if room.disk_free < _GIB / 10 else "warns",
                "Little room for temporary files: inputs of checks are written there.",
                f"{room.disk_free / _GIB:.2f} GiB free in {tempfile.gettempdir()}",
                "Free some, or point TMPDIR to a larger disk.",
            )
        )
    if room.memory_free < _GIB:
        found.append(
            Ailment(
                "warns",
                "Little memory is free: workers may be killed.",
                f"{room.memory_free / _GIB:.2f} of {room.memory / _GIB:.1f} GiB free",
                "Close what you don't need, notebooks with running kernels first.",
            )
        )
    if room.shm is not None and room.shm < _GIB / 2:
        found.append(
            Ailment(
                "warns",
                "/dev/shm is small: a larger SharedMemory block dies with a bus error.",
                f"{room.shm / (1 << 20):.0f} MiB",
                "Start the container with --shm-size=1g.",
            )
        )
    return found


def _of_now(facts: MachineFacts, neighbours: tuple[Neighbour, ...]) -> list[Ailment]:
    found = []
    if neighbours:
        names = ", ".join(f"{n.name} (pid {n.pid}, {n.cores:.1f} cores)" for n in neighbours)
        found.append(
            Ailment(
                "warns",
                "Other programs are using the cores: a check of the speedup takes longer, or can't tell.",
                names,
                "Checking works beside them; to be sure sooner, close them.",
            )
        )
    elif facts.load is not None and facts.load > facts.machine:
        found.append(
            Ailment(
                "warns",
                "The cores had more to do than they could in the last minute.",
                f"load average {facts.load:.1f} on the machine's {facts.machine} CPUs",
                "Wait until it is over before you check a speedup.",
            )
        )
    if facts.on_battery:
        found.append(
            Ailment(
                "warns",
                "On battery the cores may be slowed down at any moment.",
                "The power supply is not plugged in.",
                "Plug it in before you check a speedup.",
            )
        )
    return found


def _workers(number: int) -> str:
    return "1 worker" if number == 1 else f"{number} workers"


def _quota(facts: MachineFacts) -> str:
    return "none" if facts.quota is None else f"{facts.quota:g}"


def as_json(
    facts: MachineFacts, room: Room, packages: dict[str, str], found: tuple[Ailment, ...]
) -> dict[str, Any]:
    """{schema, ok, cores, start_methods, ..., findings}: `ok` is false when something stops the labs."""
    return {
        "schema": 1,
        "ok": not any(a.severity == "stops" for a in found),
        "cores": {
            "machine": facts.machine,
            "affinity": facts.affinity,
            "quota": facts.quota,
            "physical": facts.physical,
            "usable": facts.usable,
        },
        "start_methods": list(facts.start_methods),
        "memory": {"total": room.memory, "free": room.memory_free},
        "shm": None if room.shm is None else {"total": room.shm, "free": room.shm_free},
        "disk_free": room.disk_free,
        "load": facts.load,
        "on_battery": facts.on_battery,
        "versions": {"system": facts.system, "python": facts.python, **packages},
        "findings": [
            {"severity": a.severity, "what": a.what, "evidence": a.evidence, "remedy": a.remedy}
            for a in found
        ],
    }


def report(facts: MachineFacts, room: Room, packages: dict[str, str], found: tuple[Ailment, ...]) -> str:
    """The same for a person."""
    physical = "unknown" if facts.physical is None else facts.physical
    load = "unknown" if facts.load is None else f"{facts.load:.2f}"
    power = {None: "unknown", True: "battery", False: "mains"}[facts.on_battery]
    shm = "none" if room.shm is None else f"{room.shm / _GIB:.2f} GiB"
    lines = [
        f"Cores: {facts.usable:g} usable (machine {facts.machine}, affinity {facts.affinity}, "
        f"quota {_quota(facts)}, physical {physical})",
        f"Start methods: {', '.join(facts.start_methods)} (the first is the default)",
        f"Memory: {room.memory_free / _GIB:.1f} of {room.memory / _GIB:.1f} GiB free; /dev/shm: {shm}; "
        f"temporary files: {room.disk_free / _GIB:.1f} GiB free",
        f"Load: {load}; power: {power}",
        f"{facts.system}, Python {facts.python}; " + ", ".join(f"{n} {v}" for n, v in packages.items() if v),
    ]
    for ailment in found:
        lines += [
            "",
            f"[{ailment.severity}] {ailment.what}",
            f"  {ailment.evidence}",
            f"  -> {ailment.remedy}",
        ]
    return "\n".join(lines if found else [*lines, "", "Nothing is in the way."])
