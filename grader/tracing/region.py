"""Trace a parallel run: `with trace() as run: ...`, and then look at `run.timeline()`."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType

from grader import machine
from grader.tracing import hooks, lanes, recording
from grader.tracing.record import Recorder
from grader.tracing.timeline import Timeline


class trace:  # noqa: N801  (it is used like a function, as `open` is)
    """Listens to this process, and to those that it starts, while its block runs. The code in the block stays as it
    is.

    `folder` is where the processes write what happens (a temporary one, which goes when the trace does). A worker
    writes at most 6 MB, however long it runs.

    Raises:
        RuntimeError: a trace is running already in this process.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._kept = folder is not None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="corewise-trace-"))
        self._recorder: Recorder | None = None

    def __enter__(self) -> trace:
        if hooks.is_listening():
            raise RuntimeError("A trace is running already: one block inside another can't be told apart.")
        self._recorder = Recorder(str(self.folder), "parent", time.perf_counter())
        self._recorder.switch("run")
        hooks.begin(self._recorder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._recorder is not None
        self._recorder.end()
        hooks.end()

    def timeline(self) -> Timeline:
        """What each process did.

        Raises:
            NoTraceError: the block hasn't ended.
        """
        method = multiprocessing.get_start_method(allow_none=True) or ""
        return lanes.timeline(recording.read(self.folder), machine.look().usable, method)

    def forget(self) -> None:
        """Remove what the processes wrote, where it is in a temporary folder."""
        if not self._kept:
            shutil.rmtree(self.folder, ignore_errors=True)
