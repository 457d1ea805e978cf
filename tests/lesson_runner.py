"""Runs a notebook from top to bottom as a learner's kernel would, under a start method that is set from outside.

The kernel's IPython has a startup file that sets the start method, so lessons need no code for it. A notebook that
raises, hangs or leaves a process behind fails by its name, and by its cell where there is one.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from grader import lesson

REPOSITORY = Path(__file__).resolve().parents[1]
MARK = "COREWISE_LESSON_RUN"
GRACE = 5.0  # seconds in which what was started may end by itself

#: What Python's own start methods, and joblib, keep beside a program as long as it runs.
HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver", "joblib.externals.loky")

STARTUP = """\
import multiprocessing
import os

multiprocessing.set_start_method(os.environ["COREWISE_START_METHOD"], force=True)
del multiprocessing, os
"""


class LessonError(AssertionError):
    """Which notebook, where in it, and what happened."""


def run(path: Path, method: str, limit: float, **environment: str) -> Any:
    """The notebook with its outputs; `limit` is in seconds, for all of it.

    It runs in a copy of its folder, so that nothing is written beside it.

    Raises:
        LessonError: a cell raised, the limit has passed, the kernel died, or a process is left after the last cell.
    """
    one = _Run(nbformat.read(path, as_version=4), limit)
    with tempfile.TemporaryDirectory(prefix="cw-", ignore_cleanup_errors=True) as room:
        folder = Path(room, path.parent.name)
        shutil.copytree(path.parent, folder, ignore=shutil.ignore_patterns("__pycache__", "wrong"))
        try:
            one.execute(folder, {**_environment(Path(room), method), **environment})
        except CellTimeoutError:
            raise LessonError(
                f"{path.name}, {one.place}: not done after {limit:g} s under {method}"
            ) from None
        except CellExecutionError as error:
            said = f"{error.ename}: {error.evalue} under {method}\n{error}"
            raise LessonError(f"{path.name}, {one.place}: {said}") from None
        except DeadKernelError:
            raise LessonError(f"{path.name}, {one.place}: its kernel died under {method}") from None
        finally:
            one.end()
    if one.left:
        raise LessonError(f"{path.name} leaves processes behind under {method}: {'; '.join(one.left)}")
    return one.notebook


def _environment(room: Path, method: str) -> dict[str, str]:
    startup = room / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-start-method.py").write_text(STARTUP, encoding="utf-8")
    return {
        **os.environ,
        "IPYTHONDIR": str(room / "ipython"),
        "PYTHONPATH": str(REPOSITORY),
        "COREWISE_SMALL": "1",
        "COREWISE_START_METHOD": method,
    }


class _Run:
    """One notebook in one kernel. `place` is the cell that runs now, `left` what still runs after the last one."""

    def __init__(self, notebook: Any, limit: float) -> None:
        self.notebook, self.place = notebook, "before the first cell"
        self.left: list[str] = []
        self._mark, self._end = f"{os.getpid()}-{uuid.uuid4().hex}", time.monotonic() + limit
        code = [
            n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code" and cell.source.strip()
        ]
        self._last = code[-1] if code else -1

    def execute(self, folder: Path, environment: dict[str, str]) -> None:
        self._client = NotebookClient(
            self.notebook,
            kernel_name="python3",
            coalesce_streams=True,  # a kernel may send one line in two messages
            resources={"metadata": {"path": str(folder)}},
            on_cell_start=self._begin,
            on_cell_executed=self._look_round,
            timeout_func=lambda cell: max(
                1, round(self._end - time.monotonic())
            ),  # all cells share the limit
        )
        # nbclient's own Output widget writes to the kernel while the client waits for a reply, on the same socket; now
        # and then the reply is not seen then before the cell's time is up. A slider's output is a cell's output here.
        self._client.widget_registry = {}
        self._client.execute(env={**environment, MARK: self._mark})

    def _begin(self, cell: Any, cell_index: int) -> None:
        self.place = f"cell {cell.get('id', cell_index)}"

    def _look_round(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        """Before the kernel ends: as it ends it would take its children with it, and in JupyterLab it stays."""
        if cell_index == self._last:
            kernel = self._client.km.provisioner.pid
            until = time.monotonic() + GRACE
            while (left := [one for one in self._marked() if not _belongs(one, kernel)]) and (
                time.monotonic() < until
            ):
                time.sleep(0.1)
            self.left = [_words(one) for one in left]

    def end(self) -> None:
        """Nothing of this notebook runs on after it."""
        processes = self._marked()
        for process in processes:
            try:
                process.kill()
            except psutil.Error:
                continue
        psutil.wait_procs(processes, timeout=GRACE)

    def _marked(self) -> list[psutil.Process]:
        return [one for one in psutil.process_iter() if mark_of(one) == self._mark]


def mark_of(process: psutil.Process) -> str:
    """The mark of the notebook that a living process was started by; "" for any other."""
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else process.environ().get(MARK, "")
    except (psutil.Error, OSError):
        return ""


def _belongs(process: psutil.Process, kernel: int) -> bool:
    """Whether it is the kernel itself or a helper of Python's beside it; gone meanwhile is as good."""
    try:
        helper = process.ppid() == kernel and any(name in " ".join(process.cmdline()) for name in HELPERS)
    except psutil.Error:
        return True
    return helper or process.pid == kernel


def _words(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())[:200]}"
    except psutil.Error:
        return str(process.pid)


def cases(pages: list[Path], all_start_processes: bool = False) -> list[Any]:
    """Each page with the start methods that it runs under here; the method is the end of its name, or `once`."""
    chosen = []
    for turn, path in enumerate(pages):
        starts = all_start_processes or lesson.read(path).starts_processes
        name = f"{path.parent.name}/{path.stem}"
        chosen += [
            pytest.param(path, method, id=f"{name}-{method if starts else 'once'}")
            for method in _methods(starts, turn)
        ]
    return chosen


def _methods(starts_processes: bool, turn: int) -> list[str]:
    """A page that starts processes runs under forkserver and fork; on Python 3.11 in processes that import everything
    afresh: under spawn and forkserver by turns, a page each. Others run once. A system that lacks these does with
    spawn."""
    if not starts_processes:
        wanted = ["forkserver"]
    elif sys.version_info < (3, 12):
        wanted = [("spawn", "forkserver")[turn % 2]]
    else:
        wanted = ["forkserver", "fork"]
    return [method for method in wanted if method in multiprocessing.get_all_start_methods()] or ["spawn"]
