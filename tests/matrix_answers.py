"""Answers to the matrix lab, as sources of its module: how memory is shared, copied, and left behind."""

from __future__ import annotations

HEAD = """
import multiprocessing
import os
import subprocess
import time
from multiprocessing import Pool, Process
from multiprocessing.shared_memory import SharedMemory

import numpy as np

COLUMNS = 1024


def sums(rows):
    total = np.zeros(COLUMNS)
    for row in rows:
        for factor in range(1, 9):
            total += np.sin(factor * row)
    return total


def load(path):
    return np.fromfile(path).reshape(-1, COLUMNS)


def cuts(count, workers):
    edges = [count * n // workers for n in range(workers + 1)]
    return list(zip(edges, edges[1:]))


def rows_of(path):
    return os.path.getsize(path) // (8 * COLUMNS)

"""

SHARED = """
def attach(name):
    global segment
    try:
        segment = SharedMemory(name, track=False)
    except TypeError:  # before 3.13 the tracker of the whole tree knows it already
        segment = SharedMemory(name)


def part(job):
    count, start, stop = job
    return sums(np.ndarray((count, COLUMNS), buffer=segment.buf)[start:stop])


def column_sums(path, workers):
    size, count = os.path.getsize(path), rows_of(path)
    shared = SharedMemory(create=True, size=size)
    try:
        with open(path, "rb") as file:
            file.readinto(shared.buf[:size])
        with Pool(workers, attach, (shared.name,)) as pool:
            return sum(pool.map(part, [(count, *cut) for cut in cuts(count, workers)]))
    finally:
        shared.close()
        shared.unlink()
"""
MAPPED = """
def part(job):
    path, start, stop = job
    return sums(np.memmap(path, float, "r").reshape(-1, COLUMNS)[start:stop])


def column_sums(path, workers):
    with Pool(workers) as pool:
        return sum(pool.map(part, [(path, *cut) for cut in cuts(rows_of(path), workers)]))
"""
BY_FORK = """
def part(cut):
    return sums(matrix[slice(*cut)])


def column_sums(path, workers):
    global matrix
    matrix = load(path)
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        return sum(pool.map(part, cuts(len(matrix), workers)))
"""
PICKLED = """
def part(job):
    matrix, start, stop = job
    return sums(matrix[start:stop])


def column_sums(path, workers):
    matrix = load(path)
    with Pool(workers) as pool:
        return sum(pool.map(part, [(matrix, *cut) for cut in cuts(len(matrix), workers)]))
"""
LOADED_BY_EACH = """
def part(job):
    path, start, stop = job
    return sums(load(path)[start:stop])


def column_sums(path, workers):
    with Pool(workers) as pool:
        return sum(pool.map(part, [(path, *cut) for cut in cuts(rows_of(path), workers)]))
"""
SERIAL = """
def column_sums(path, workers):
    return sums(load(path))
"""


def with_lines(*lines: str) -> str:
    """Serial code that does this first."""
    body = "".join(f"    {line}\n" for line in lines)
    return f"def column_sums(path, workers):\n{body}    return sums(load(path))\n"


LEAKED = with_lines("SharedMemory(create=True, size=1 << 21).close()")
KEPT_OPEN = with_lines("global kept", "kept = SharedMemory(create=True, size=1 << 21)")
PLAIN_FILE = with_lines(
    "mapped = np.memmap(f'/dev/shm/corewise-test-{os.getpid()}', mode='w+', shape=1 << 21)", "time.sleep(0.5)"
)
ORPHAN = with_lines("Process(target=time.sleep, args=(60,)).start()")
DETACHED = with_lines("subprocess.run(['sh', '-c', 'setsid sleep 60 &'])")
POOL_IN_A_GLOBAL = with_lines("global pool", "pool = Pool(2)", "pool.map(abs, [1, 2])")
LOCK_IN_A_GLOBAL = with_lines("global lock", "lock = multiprocessing.Lock()")
POOL_DROPPED = with_lines("pool = Pool(2)", "pool.map(abs, [1, 2])")
JOBLIB = with_lines(
    "from joblib import Parallel, delayed", "Parallel(2)(delayed(np.sum)(np.ones(1 << 20)) for _ in range(4))"
)
