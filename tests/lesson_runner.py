"""Runs a notebook from top to bottom as a learner's kernel would, under a start method that is set from outside.

The kernel's IPython has a startup file that sets the start method, so lessons need no code for it. A notebook that
raises, hangs or leaves a process behind fails by its name, and by its cell where there is one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

REPOSITORY = Path(__file__).resolve().parents[1]
MARK = "COREWISE_LESSON_RUN"
GRACE = 15.0  # seconds in which what a kernel started may end after it

STARTUP = """\
import multiprocessing
import os

multiprocessing.set_start_method(os.environ["COREWISE_START_METHOD"], force=True)
del multiprocessing, os
"""


class Failed(AssertionError):
    """The notebook, where in it, and what happened."""


def run(path: Path, method: str, limit: float, **environment: str) -> Any:
    """The notebook with its outputs; `limit` is in seconds, for all of it.

    It runs in a copy of its folder, so that nothing is written beside it.

    Raises:
        Failed: a cell raised, the limit has passed, the kernel died, or a process is left.
    """
    notebook = nbformat.read(path, as_version=4)
    place = _Place()
    with tempfile.TemporaryDirectory(prefix="cw-", ignore_cleanup_errors=True) as room:
        folder = Path(room, path.parent.name)
        shutil.copytree(path.parent, folder, ignore=shutil.ignore_patterns("__pycache__", "wrong"))
        mark = uuid.uuid4().hex
        client = _client(notebook, folder, place, time.monotonic() + limit)
        try:
            client.execute(env={**_environment(Path(room), method, mark), **environment})
        except CellTimeoutError:
            raise Failed(f"{path.name}, {place}: not done after {limit:g} s under {method}") from None
        except CellExecutionError as error:
            raise Failed(f"{path.name}, {place}: {error.ename}: {error.evalue} under {method}\n{error}") from None
        except DeadKernelError:
            raise Failed(f"{path.name}, {place}: its kernel died under {method}") from None
        finally:
            left = _end(mark)
    if left:
        raise Failed(f"{path.name} leaves processes behind under {method}: {left}")
    return notebook


class _Place:
    """The cell that runs now."""

    name = "before the first cell"

    def __call__(self, cell: Any, cell_index: int) -> None:
        self.name = f"cell {cell.get('id', cell_index)}"

    def __str__(self) -> str:
        return self.name


def _client(notebook: Any, folder: Path, place: _Place, end: float) -> NotebookClient:
    return NotebookClient(
        notebook,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=place,
        timeout_func=lambda cell: max(1, round(end - time.monotonic())),  # all cells share the limit
    )


def _environment(room: Path, method: str, mark: str) -> dict[str, str]:
    profile = room / "ipython" / "profile_default" / "startup"
    profile.mkdir(parents=True)
    (profile / "00-start-method.py").write_text(STARTUP, encoding="utf-8")
    return {
        **os.environ,
        "IPYTHONDIR": str(room / "ipython"),
        "PYTHONPATH": str(REPOSITORY),
        "COREWISE_SMALL": "1",
        "COREWISE_START_METHOD": method,
        MARK: mark,
    }


def _end(mark: str) -> list[str]:
    """What still runs of a notebook when its kernel has ended; it is killed."""
    until = time.monotonic() + GRACE
    while (left := _marked(mark)) and time.monotonic() < until:
        time.sleep(0.1)
    names = []
    for process in left:
        try:
            names.append(f"{process.pid} {' '.join(process.cmdline())[:200]}")
            process.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(left, timeout=5)
    return names


def _marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
