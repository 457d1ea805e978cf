"""Trace a parallel run: `with trace() as run: ...`, and then look at `run.recordings`."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from types import TracebackType

from grader import scratch
from grader.tracing import hooks, recording
from grader.tracing.record import Recorder, announce
from grader.tracing.recording import Recording


class trace:  # noqa: N801  (it is used like a function, as `open` is)
    """Listens to this process, and to those that it starts, while its block runs. The code in the block stays as it is.

    `folder` is where the processes write what happens; without one they use a temporary folder, which is gone when
    the block ends. A process writes at most 5 MB, however long it runs.

    Raises:
        RuntimeError: a trace is running already in this process.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder, self._kept = folder, folder is not None
        self._recorder: Recorder | None = None
        self.recordings: list[Recording] = []

    def __enter__(self) -> trace:
        if hooks.is_listening():
            raise RuntimeError("A trace is running already: one block inside another can't be told apart.")
        self._folder = self._folder or scratch.make()
        now = time.perf_counter()
        self._recorder = Recorder(announce(str(self._folder), "parent", now), "parent", now)
        self._recorder.switch("run")
        hooks.begin(self._recorder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._recorder is not None
        assert self._folder is not None
        hooks.end()
        self._recorder.end()
        if not self._kept:
            self.recordings = recording.read(self._folder)
            shutil.rmtree(self._folder, ignore_errors=True)
