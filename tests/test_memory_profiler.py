"""The memory profiler that the course names works in this environment, as its users call it.

memory_profiler imports `distutils`, which left the standard library in Python 3.12; setuptools brings it back. If one
of these tests fails on a new Python, the course's page on the tool is wrong there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

BIN = Path(sys.executable).parent
SCRIPT = """
from multiprocessing import Pool
import time


def hold(size):
    held = bytearray(b"x" * size)
    time.sleep(1)
    return len(held)


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.map(hold, [1 << 24, 1 << 24])))
"""
MODULE = """
def grow(size):
    held = bytearray(b"x" * size)
    return len(held)
"""


def ran(folder: Path, *command: str | Path) -> str:
    """Run to the end, without a display; what was printed, errors in it."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def in_a_notebook(folder: Path, *lines: str) -> str:
    """What a notebook's cells print, each of one line, in a kernel whose folder is `folder`."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(line) for line in ("%load_ext memory_profiler", *lines)]
    )
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env={**os.environ, "PYTHONPATH": str(folder)})
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    return "".join(output.text for output in outputs if output.output_type == "stream")


@pytest.mark.slow
def test_memit_tells_the_peak_and_the_increment_of_a_line(tmp_path: Path) -> None:
    said = in_a_notebook(tmp_path, '%memit -r 1 held = bytearray(b"x" * (1 << 26))')
    found = re.search(r"peak memory: ([\d.]+) MiB, increment: ([\d.]+) MiB", said)
    assert found, said
    assert float(found[2]) > 32


@pytest.mark.slow
def test_mprun_tells_the_memory_of_each_line_of_a_function_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "grower.py").write_text(MODULE, encoding="utf-8")
    said = in_a_notebook(tmp_path, "from grower import grow", "%mprun -T told.txt -f grow grow(1 << 26)")
    assert "told.txt" in said
    told = (tmp_path / "told.txt").read_text(encoding="utf-8")
    assert "Line #    Mem usage    Increment" in told
    (line,) = [line for line in told.splitlines() if "bytearray" in line]
    usage, increment = map(float, re.findall(r"([\d.]+) MiB", line))
    assert increment > 32
    assert usage > increment


@pytest.mark.slow
def test_mprof_records_the_workers_and_draws_them(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(SCRIPT, encoding="utf-8")
    mprof = BIN / ("mprof.exe" if os.name == "nt" else "mprof")
    said = ran(
        tmp_path,
        mprof,
        "run",
        "--multiprocess",
        "--include-children",
        "-o",
        "told.dat",
        sys.executable,
        "program.py",
    )
    assert str(1 << 25) in said
    told = (tmp_path / "told.dat").read_text(encoding="utf-8")
    assert len(re.findall(r"^MEM ", told, re.MULTILINE)) >= 3
    assert len(set(re.findall(r"^CHLD (\d+) ", told, re.MULTILINE))) >= 2
    ran(tmp_path, mprof, "plot", "-o", "told.png", "told.dat")
    assert (tmp_path / "told.png").read_bytes().startswith(b"\x89PNG")
