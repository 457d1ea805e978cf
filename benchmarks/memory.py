"""The peak memory of a process and all its children, in a run of its own: weighing costs time."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
from collections.abc import Callable
from typing import Any

import psutil

from benchmarks.ctrl_c import deaf_to_ctrl_c

INTERVAL = 0.05  # seconds between two weighings
MIB = 1024 * 1024


def metric() -> str:
    """PSS counts a page shared by n processes as a nth of a page for each. Only Linux tells it; elsewhere USS, the
    pages that a process shares with nobody."""
    return "PSS" if psutil.LINUX else "USS"


def peak_mib(function: Callable[..., object], *arguments: Any) -> float:
    """Run the function in a fresh process and give the peak, over time, of the memory of its process tree."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    peak = 0.0
    try:
        with deaf_to_ctrl_c():
            process.start()
        while process.is_alive():
            peak = max(peak, _tree_bytes(process.pid or 0))
            time.sleep(INTERVAL)
    finally:
        _end(process)
    if process.exitcode:
        raise RuntimeError(f"the run whose memory was measured ended with exit code {process.exitcode}")
    return peak / MIB


def _tree_bytes(pid: int) -> int:
    return sum(_bytes(process) for process in _tree(pid))


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _bytes(process: psutil.Process) -> int:
    try:
        # psutil 8 renames memory_full_info.
        weigh = getattr(process, "memory_footprint", None) or process.memory_full_info
        return int(getattr(weigh(), metric().lower()))
    except psutil.Error:
        return 0  # it ended meanwhile


def _end(process: multiprocessing.process.BaseProcess) -> None:
    """Wait for it; when we are interrupted, end it and its children first."""
    if process.pid is None:  # it never started
        return
    if process.is_alive():
        for member in _tree(process.pid or 0):
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
    process.join()
