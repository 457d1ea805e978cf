"""Lines of JSON between the parent, who owns the clock, and the processes that run trials.

    parent --stdin-->  stage --(inherited)--> trial process
    parent <--stdout-- stage <--(inherited)-- trial process

Only one line is ever on its way in each direction, so the stage and the trial process that it forked can share
the two descriptors: while a trial process lives, the stage reads nothing.
"""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from contextlib import suppress
from typing import IO, Any

Message = dict[str, Any]

_LONGEST = 1_000_000
_NOISE_KEPT = 65_536
_WAIT = 0.25  # seconds


class Line:
    """The child's end. Made from stdin and stdout, which it takes away from the code that runs later."""

    def __init__(self) -> None:
        self._in = os.dup(0)
        self._out = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)  # what is printed goes where the parent drains it, with a limit

    def send(self, **message: Any) -> None:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self._out, data) :]

    def receive(self) -> Message | None:
        """The next message; None when the parent is gone. Unbuffered: the next line may be for another process."""
        data = bytearray()
        while not data.endswith(b"\n"):
            byte = os.read(self._in, 1)
            if not byte:
                return None
            data += byte
        message: Message = json.loads(data)
        return message


class ParentEnd:
    """The parent's end: lines arrive with the time at which they arrived, by the parent's clock."""

    def __init__(self, to_child: IO[bytes], from_child: IO[bytes], noise: IO[bytes]) -> None:
        self._to_child = to_child
        self._lines: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
        self._noise = bytearray()
        self._threads = (
            threading.Thread(target=self._listen, args=(from_child,), daemon=True),
            threading.Thread(target=self._drain, args=(noise,), daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def send(self, **message: Any) -> float:
        """Send a message; returns the time just before. A child that is gone is noticed by `receive`."""
        data = json.dumps(message).encode() + b"\n"
        now = time.perf_counter()
        with suppress(OSError):
            self._to_child.write(data)
            self._to_child.flush()
        return now

    def receive(self, timeout: float) -> tuple[float, Message] | None:
        """The next message and its time of arrival; None after `timeout` seconds; {} when the child is gone."""
        deadline = time.monotonic() + timeout
        while True:
            try:  # in short waits: on Windows nothing else lets Ctrl-C through
                arrived, line = self._lines.get(timeout=max(0.0, min(_WAIT, deadline - time.monotonic())))
                break
            except queue.Empty:
                if time.monotonic() >= deadline:
                    return None
        try:
            message = json.loads(line) if line else {}
        except ValueError:
            message = {}
        return arrived, message if isinstance(message, dict) else {}

    def take_noise(self) -> str:
        """What was printed since the last call, cut at 64 KiB."""
        text = self._noise.decode("utf-8", errors="replace")
        self._noise.clear()
        return text

    def close(self) -> None:
        """Close the line to a child that is gone; its own ends close as the last of its processes goes."""
        with suppress(OSError):
            self._to_child.close()
        for thread in self._threads:
            thread.join(timeout=1)

    def _listen(self, from_child: IO[bytes]) -> None:
        with from_child:
            while line := from_child.readline(_LONGEST):
                self._lines.put((time.perf_counter(), line))
        self._lines.put((time.perf_counter(), b""))

    def _drain(self, noise: IO[bytes]) -> None:
        with noise:
            while data := os.read(noise.fileno(), 65_536):
                self._noise += data[: max(0, _NOISE_KEPT - len(self._noise))]
