"""A learner who measures, as a process of its own: for the tests of the queue."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

LONG = 60.0  # seconds, a safety net

LEARNER = """
import os, subprocess, sys, time
from pathlib import Path
from grader.slots import slot

name, room, log, times, hold, more = sys.argv[1:]

def tell(word):
    with open(log, "a") as file:
        file.write(f"{word} {name}\\n")

def say(line):
    print(line, flush=True)

exec(more)
for _ in range(int(times)):
    with slot(say, expect=600.0, room=Path(room)) as mine:
        tell("in")
        say(f"measures, {'alone' if mine.alone else mine.why}")
        exec(os.environ.get("MEANWHILE", ""))
        if float(hold) < 0:
            sys.stdin.readline()
        time.sleep(max(0.0, float(hold)))
        tell("out")
"""


class Learner:
    """A process that takes the slot, `times` times, for `hold` seconds; by default once, until it is told to go on."""

    def __init__(
        self,
        name: str,
        room: Path,
        log: Path,
        times: int = 1,
        hold: float = -1,
        first: str = "",
        meanwhile: str = "",
    ) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-c", LEARNER, name, str(room), str(log), str(times), str(hold), first],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "MEANWHILE": meanwhile},
        )
        self._too_long = threading.Timer(LONG, self.process.kill)  # a broken queue hangs no test
        self._too_long.start()

    def says(self, word: str) -> str:
        """Its next line that holds this word."""
        assert self.process.stdout is not None
        seen = []
        for line in self.process.stdout:
            seen.append(line)
            if word in line:
                return line.strip()
        pytest.fail(f"{self.name} ended before it said {word!r}: {seen} {self.errors()}")

    def errors(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def go_on(self) -> None:
        """Let it leave the block, and see that it ends well."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.ends()

    def ends(self) -> None:
        assert self.process.wait(LONG) == 0, self.errors()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(LONG)

    def close(self) -> None:
        self._too_long.cancel()
        self.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()
