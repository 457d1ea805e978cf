"""One real measurement in a process of its own: `python -m benchmarks.verdict.one PROGRAM [--join FILE] [--one-core]`.

It joins the control group or takes one core first, then measures through the product's own pipeline, and prints one
line of JSON: what `traces` reads.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from grader import lab as labs
from grader import machine
from grader.assess import assess
from grader.launch.local import LocalLauncher
from grader.measure.stage import TRACKER
from grader.model import Verdict, WorkerModule
from grader.notebook import read_worker, read_worker_file

LAB = labs.CHECKOUT / "solutions" / "11_fraud"
SHARED_MEMORY = Path("/dev/shm")
_HERE = Path(__file__).parent / "programs"
#: The worker modules; the reference stands in the lab's notebook.
PROGRAMS: dict[str, Path] = {
    "reference": LAB / "11_fraud.ipynb",
    "half parallel": _HERE / "half_parallel.py",
    "serial": LAB / "wrong" / "serial.py",
    "fake pool": _HERE / "fake_pool.py",
    "GIL-bound threads": _HERE / "gil_threads.py",
    "cached": _HERE / "cached.py",
    "sleeping": _HERE / "sleeping.py",
    "8 workers": _HERE / "eight_workers.py",
    "hung worker": _HERE / "hung_worker.py",
}


def worker(program: str, main: str) -> WorkerModule:
    path = PROGRAMS[program]
    return read_worker(path, main) if path.suffix == ".ipynb" else read_worker_file(path, main)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdict.one")
    parser.add_argument("program", choices=PROGRAMS)
    parser.add_argument("--join", type=Path, metavar="FILE", help="the cgroup.procs of a control group")
    parser.add_argument("--one-core", action="store_true")
    options = parser.parse_args(arguments)
    if options.join:
        options.join.write_text(str(os.getpid()))
    if options.one_core:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    lab = labs.load(LAB)
    began, segments, since = time.monotonic(), _segments(), time.time()
    try:
        verdict = assess(
            lab, "speedup", worker(options.program, lab.module), LocalLauncher(), machine.look(), _silent
        )
    except KeyboardInterrupt:
        return 130
    line = recorded(verdict, time.monotonic() - began)
    print(json.dumps({**line, "left": [*_processes(since), *sorted(_segments() - segments)]}))
    return 0


def _processes(since: float) -> list[str]:
    """What runs by this Python that was started since then, and isn't Python's own helper."""
    left = []
    for process in psutil.process_iter(["create_time", "cmdline"]):
        command = process.info["cmdline"] or []
        ours = sys.executable in command and not any(TRACKER in word for word in command)
        if ours and process.pid != os.getpid() and process.info["create_time"] >= since:
            left.append(" ".join(command))
    return left


def _segments() -> set[str]:
    """The names of shared memory, where the system shows them as files."""
    return {path.name for path in SHARED_MEMORY.iterdir()} if SHARED_MEMORY.is_dir() else set()


def recorded(verdict: Verdict, seconds: float) -> dict[str, Any]:
    """A verdict as plain JSON, with its blocks as measured."""
    facts = verdict.facts
    return {
        "outcome": verdict.outcome,
        "provisional": verdict.provisional,
        "points": verdict.points,
        "cause": verdict.findings[0].cause if verdict.findings else "",
        "reason": verdict.reason,
        "seconds": round(seconds, 2),
        "clock": verdict.estimate.clock if verdict.estimate else "",
        "estimate": asdict(verdict.estimate) if verdict.estimate else None,
        "bars": asdict(verdict.bars) if verdict.bars else None,
        "usable": facts.usable if facts else None,
        "system": facts.system if facts else "",
        "python": facts.python if facts else "",
        "blocks": [asdict(block) for block in verdict.blocks],
    }


def _silent(line: str) -> None:
    """Progress is told by the process that started this one."""


if __name__ == "__main__":
    sys.exit(main())
