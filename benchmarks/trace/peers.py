"""The three tools on one program: what it took beside the plain program, and whether the tool's output shows the fault.

"named"    it says the cause in words, as the first thing
"a number" a figure of its own report stands out; what it means is for the reader to know
"to see"   its picture has it, among everything else
"no"       its output doesn't tell it from a clean run
"""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.trace.programs import PROGRAMS, WORKERS, Program, spin
from grader import why
from grader.tracing.bill import bill
from grader.tracing.whatif import with_workers

MODULE = "benchmarks.trace.programs"
SCRIPT = Path(__file__).with_name("programs.py")
ROOT = Path(__file__).parents[2]
#: A share of the run (or of the workers' time) from which a figure stands out.
_STANDS_OUT = 0.2


def seconds_of(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def plain(name: str) -> float:
    return seconds_of([sys.executable, str(SCRIPT), name])


# Ours


def traced(name: str) -> tuple[float, str]:
    """Seconds of the whole process, and what the trace says."""
    with tempfile.TemporaryDirectory() as folder:
        took = seconds_of([sys.executable, "-m", "grader.tracing.script", folder, str(SCRIPT), name])
    told = why.of_script(SCRIPT, (name,), None, lambda line: None)
    causes = [loss.cause for loss in told.losses if loss.cause != "neighbours"]
    cause = PROGRAMS[name].cause
    if not cause:
        return took, "no finding" if not causes else f"says {causes[0]}"
    return took, "named" if causes[:1] == [cause] else f"says {causes[0] if causes else 'nothing'}"


def foretold(name: str) -> tuple[float, float] | None:
    """A run with two workers predicted from a trace with one, and the other way round, each over what it then took;
    None where a trace bears no prediction.
    """
    runs = [why.of_script(SCRIPT, (name, str(workers)), None, lambda line: None) for workers in (1, 2)]
    one, two = (told.timeline for told in runs)
    up = with_workers(one, bill(one), 2).seconds
    down = with_workers(two, bill(two), 1).seconds
    return None if up is None or down is None else (up / two.wall, down / one.wall)


# viztracer


def viztraced(name: str) -> tuple[float, str]:
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "told.json")
        command = [sys.executable, "-m", "viztracer", "--quiet", "-o", str(told), str(SCRIPT), name]
        took = seconds_of(command)
        events = json.loads(told.read_text(encoding="utf-8"))["traceEvents"] if told.is_file() else []
    return took, _in_the_picture(PROGRAMS[name], [event for event in events if event.get("ph") == "X"])


def _in_the_picture(program: Program, events: list[dict[str, Any]]) -> str:
    """Is the function that the fault is made of there, for long enough to be seen?"""
    if not events:
        return "no trace"
    if not program.cause:
        return f"{len(events):,} events"
    wall = max(event["ts"] + event["dur"] for event in events) - min(event["ts"] for event in events)
    long: defaultdict[tuple[int, str], list[float]] = defaultdict(list)
    for event in events:
        long[event["pid"], event["name"].split(" ")[0]].append(event["dur"])
    main = min(event["pid"] for event in events)

    def together(*names: str, pids: set[int] | None = None) -> float:
        return sum(
            sum(found) for (pid, name), found in long.items() if name in names and (not pids or pid in pids)
        )

    spins = [found for (pid, name), found in long.items() if name == "spin" and pid != main]
    longest = [max(found) for found in spins]
    seen = {
        "skew": bool(spins) and max(longest) > 1.5 * statistics.median(itertools.chain(*spins)),
        "tasks-too-few": bool(spins) and sum(map(len, spins)) < 4 * WORKERS,
        "tasks-too-small": together("SimpleQueue.get", "SimpleQueue.put", "get", "put") > _STANDS_OUT * wall,
        "big-arguments": together("ForkingPickler.dumps", "dumps", "_pickle.loads", "loads")
        > _STANDS_OUT * wall,
        "big-results": together("ForkingPickler.dumps", "dumps", "_pickle.loads", "loads")
        > _STANDS_OUT * wall,
        "serial-head": together("spin", pids={main}) > _STANDS_OUT * wall,
        "serial-tail": together("spin", pids={main}) > _STANDS_OUT * wall,
        "one-worker-does-all": len(spins) == 1,
    }
    return "to see" if seen[program.cause] else "no"


# mpire


def with_insights(name: str, *, insights: bool = True) -> tuple[float, str]:
    """The same items in mpire's own pool, which is the only one that it looks into."""
    from mpire import WorkerPool

    program = PROGRAMS[name]
    began = time.perf_counter()
    spin(program.before)
    with WorkerPool(n_jobs=WORKERS, enable_insights=insights) as pool:
        items = [(item,) for item in program.items()]  # it would take a list for several arguments
        pool.map(program.function, items, chunk_size=program.chunk)
        told = pool.get_insights()
    spin(program.after)
    took = time.perf_counter() - began
    return took, _in_the_insights(program, told) if insights else ""


def _in_the_insights(program: Program, told: dict[str, Any]) -> str:
    counts, longest = told["n_completed_tasks"], [_seconds(one) for one in told["top_5_max_task_durations"]]
    waiting, working = told["waiting_ratio"], sum(map(_seconds, told["working_time"]))
    each = working / max(1, sum(counts))
    numbers = {
        "": f"working {100 * told['working_ratio']:.0f} %",
        "skew": len(longest) > 1 and longest[0] > 1.5 * longest[1],
        "tasks-too-few": sum(counts) < 4 * WORKERS and max(counts) > min(counts),
        "tasks-too-small": each < 0.005 and waiting > _STANDS_OUT,
        "big-arguments": waiting > _STANDS_OUT,
        "big-results": waiting > _STANDS_OUT,
        "serial-head": False,  # it looks at its workers alone
        "serial-tail": False,
        "one-worker-does-all": min(counts) == 0,
    }
    found = numbers[program.cause]
    return found if isinstance(found, str) else "a number" if found else "no"


def _seconds(text: str) -> float:
    """`H:MM:SS.mmm`, as the insights have it."""
    hours, minutes, seconds = text.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
