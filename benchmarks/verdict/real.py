"""Real measurements of real programs on this machine: who, beside whom, how often; resumable.

Each finished run is appended to the ledger at once, one line of JSON; `--resume` goes on where it was. The conditions
take turns, so that a run that is cut short is balanced.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.verdict.conditions import (
    CONDITIONS,
    Condition,
    is_quiet,
    neighbours,
    others_busy,
    quota,
    why_not,
)
from benchmarks.verdict.ledger import read
from benchmarks.verdict.one import LAB
from grader import lab as labs
from grader import machine

_ROOT = Path(__file__).parents[2]
_TIMEOUT = 300.0  # seconds of one measurement: its budget, its preparation, and much more
_LEAVE = 20.0  # seconds to end after Ctrl-C
#: Of so many runs of the reference, so many are made of every other program.
_OTHERS, _REFERENCE = 5, 60
#: Programs that also run under a quota and on one core, as often as the others.
_NARROW = ("reference", "serial")


@dataclass(frozen=True)
class Turn:
    """One measurement to make: the `number` of this program in this condition, from 0."""

    program: str
    condition: Condition
    number: int


def turns(runs: int, programs: Sequence[str], conditions: Sequence[str]) -> Iterator[Turn]:
    """All measurements in the order in which they are made: in each round, whatever is due in each condition."""
    for this in range(runs):
        for program in programs:
            for name in conditions:
                total = target(program, CONDITIONS[name], runs)
                before, after = this * total // runs, (this + 1) * total // runs
                for number in range(before, after):
                    yield Turn(program, CONDITIONS[name], number)


def target(program: str, condition: Condition, runs: int) -> int:
    """How often this program is measured in this condition, where the reference is `runs` times."""
    others = max(1, -(-runs * _OTHERS // _REFERENCE))
    if condition.quota is not None or condition.one_core:
        return others if program in _NARROW else 0
    return runs if program == "reference" else others


def run(
    ledger: Path, runs: int, programs: Sequence[str], conditions: Sequence[str], wait: float, resume: bool
) -> list[dict[str, Any]]:
    """Make what is still to be made; all lines of the ledger."""
    if not resume:
        ledger.unlink(missing_ok=True)
    ledger.parent.mkdir(parents=True, exist_ok=True)
    refused = {name: why for name in conditions if (why := why_not(CONDITIONS[name]))}
    for name, why in refused.items():
        print(f"{name}: not measured: {why}", file=sys.stderr)
    made = Counter((line["program"], line["condition"]) for line in read(ledger))
    todo = [
        turn
        for turn in turns(runs, programs, [name for name in conditions if name not in refused])
        if turn.number >= made[turn.program, turn.condition.name]
    ]
    for count, turn in enumerate(todo, 1):
        line = measure(turn, wait)
        with ledger.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(f"real {count}/{len(todo)}: {_short(line)}", file=sys.stderr, flush=True)
    return read(ledger)


def measure(turn: Turn, wait: float) -> dict[str, Any]:
    """One measurement, beside its neighbours, in a process of its own.

    Raises:
        RuntimeError: it did not end in order; its errors are in the message.
    """
    used = others_busy(wait)
    condition = turn.condition
    command = [sys.executable, "-m", "benchmarks.verdict.one", turn.program]
    with contextlib.ExitStack() as stack:
        if condition.quota is not None:
            command += ["--join", str(stack.enter_context(quota(condition.quota)))]
        if condition.one_core:
            command.append("--one-core")
        stack.enter_context(neighbours(condition.busy))
        began = datetime.now(UTC)
        told = _answer(command)
    lab = labs.load(LAB)
    return {
        "program": turn.program,
        "condition": condition.name,
        "when": began.isoformat(timespec="seconds"),
        "others_before": round(used, 3),
        "quiet": is_quiet(used),
        "workers": max(2, machine.workers(machine.look(), lab.max_workers)),
        **told,
    }


def _answer(command: list[str]) -> dict[str, Any]:
    """Run the command and read its line; it ends before this does, whatever comes."""
    with subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            out, errors = process.communicate(timeout=_TIMEOUT)
        except BaseException:
            _end(process)
            raise
    if process.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} ended with {process.returncode}:\n{errors}")
    line: dict[str, Any] = json.loads(out)
    return line


def _end(process: subprocess.Popen[str]) -> None:
    """As Ctrl-C does, so that it ends its own processes first; killed if it doesn't."""
    with contextlib.suppress(OSError):
        process.send_signal(signal.SIGINT)
    until = time.monotonic() + _LEAVE
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(0.05)
    process.kill()


def _short(line: dict[str, Any]) -> str:
    noise = "" if line["quiet"] else f" (others used {line['others_before']:.0%} before)"
    provisional = " (provisional)" if line["provisional"] else ""
    return (
        f"{line['program']}, {line['condition']}{noise}: {line['outcome']}{provisional} "
        f"in {line['seconds']:.0f} s. {line['reason']}"
    )
