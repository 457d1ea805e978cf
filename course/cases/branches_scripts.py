"""Runs a script of a lesson in a process of its own, under a time-out, and ends all that it started.

    ran = run(source, seconds=5, arguments=("daemon",))
    ran.exit_code    # None: its time was up, and it was ended
    ran.said         # what it and its workers printed

For lessons that show whole programs going wrong, while the notebook's own kernel lives on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["Ran", "lives", "run"]

_ROUNDS = 200  # looks at the children of a program that starts new ones while it is being ended


@dataclass(frozen=True)
class Ran:
    """How a script ended: its exit code (None where it was ended), what was printed, its wall time in seconds."""

    exit_code: int | None
    said: str
    seconds: float

    def last_lines(self, count: int) -> str:
        """The end of what was printed: of a traceback, the part that says what happened."""
        return "\n".join(self.said.splitlines()[-count:])


def run(source: str, seconds: float, arguments: Sequence[str] = ()) -> Ran:
    """Run a script in an empty folder for so many seconds at most; then it and its children are killed.

    What it leaves behind when it ends by itself lives on, so that a lesson can look at it.
    """
    with tempfile.TemporaryDirectory(prefix="script-", ignore_cleanup_errors=True) as room:
        script, output = Path(room, "script.py"), Path(room, "printed.txt")
        script.write_text(source, encoding="utf-8")
        began = time.perf_counter()
        with (
            output.open("wb") as printed,  # a file, not a pipe: one that lives on may hold it open
            subprocess.Popen(
                [sys.executable, str(script), *arguments],
                cwd=room,
                env={**os.environ, "PYTHON_COLORS": "0"},  # its traceback is read, not looked at
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            ) as program,
        ):
            try:
                exit_code: int | None = program.wait(seconds)
            except subprocess.TimeoutExpired:
                exit_code = None
            finally:
                if program.poll() is None:
                    _end(program.pid)
        taken = time.perf_counter() - began
        return Ran(exit_code, output.read_text(encoding="utf-8", errors="replace"), taken)


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for doesn't."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _end(pid: int) -> None:
    """Kill a program and all its children. It is stopped first: else it might start new ones meanwhile."""
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        root.suspend()
        for _ in range(_ROUNDS):
            children = [child for child in root.children(recursive=True) if lives(child.pid)]
            if not children:
                break
            for child in children:
                with suppress(psutil.Error):
                    child.kill()
            psutil.wait_procs(children, timeout=0.05)
        root.kill()
