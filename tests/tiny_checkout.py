"""A checkout with one small lab, the primes, and the command run in it as a user runs it.

The commands work on the checkout that their own package lies in, so the package is copied too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbformat import v4

REPOSITORY = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-P", "-c", "from grader.cli import main; main()"]

HEAD = """\
from multiprocessing import Pool


def is_prime(number):
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 1
    return number > 1


def count(numbers):
    return sum(map(is_prime, numbers))


def count_primes(numbers, workers):
"""
BODY = """\
    with Pool(workers) as pool:
        return sum(pool.imap_unordered(count, [numbers[i::16] for i in range(16)]))
"""
REFERENCE = HEAD + BODY
SOLUTION = f"    ### BEGIN SOLUTION\n{BODY}    ### END SOLUTION\n"
STUB = "    raise NotImplementedError\n"
SERIAL = (
    """\
# check: speedup
# verdict: not yet
# cause: one busy process
"""
    + HEAD
    + "    return count(numbers)\n"
)


def make(checkout: Path) -> Path:
    """The checkout: the package, the primes with solution and a wrong answer; labs/ is for `author build` to make."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "grader", checkout / "grader", ignore=ignore)
    for name in ("pyproject.toml", "environment.yml"):
        shutil.copyfile(REPOSITORY / name, checkout / name)
    lab = checkout / "solutions" / "primes"
    shutil.copytree(REPOSITORY / "tests" / "labs" / "primes", lab, ignore=ignore)
    toml = (lab / "lab.toml").read_text(encoding="utf-8")
    (lab / "lab.toml").write_text(toml.replace("budget = 60", "budget = 15"), encoding="utf-8")
    (lab / "primes.ipynb").write_text(notebook(SOLUTION), encoding="utf-8")
    (lab / "wrong").mkdir()
    (lab / "wrong" / "serial.py").write_text(SERIAL, encoding="utf-8")
    return checkout


def notebook(body: str) -> str:
    """The lab's notebook with this body of the function, in canonical form."""
    cells = [
        _cell("open", "%load_ext grader\n%lab primes"),
        _cell(
            "counter",
            f"%%module counter\n{HEAD}{body}".rstrip(),
            solution=True,
            locked=False,
        ),
        _cell("check-answer", 'check("answer")', grade=True, points=6),
        _cell("check-speedup", 'check("speedup")', grade=True, points=4),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    page = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
    return str(nbformat.writes(page)) + "\n"


def _cell(name: str, source: str, **nbgrader: Any) -> Any:
    own = {"grade": False, "solution": False, "locked": True, "task": False, "schema_version": 3, **nbgrader}
    cell = v4.new_code_cell(source, metadata={"nbgrader": {"grade_id": name, "cell_type": "code", **own}})
    cell.id = name
    return cell


def environment(checkout: Path, **more: str) -> dict[str, str]:
    """For a process that takes the checkout's own package; its temporary files go into the checkout's `tmp`."""
    room = checkout / "tmp"
    room.mkdir(exist_ok=True)
    own = {"PYTHONPATH": str(checkout), "HOME": str(checkout), "USERPROFILE": str(checkout)}
    return {**os.environ, **own, "TMPDIR": str(room), "TEMP": str(room), "TMP": str(room), **more}


def corewise(
    checkout: Path, *words: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        cwd=cwd or checkout,
        env=environment(checkout, **(env or {})),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def left_of(checkout: Path) -> list[str]:
    """What is still there of checks that have ended: files in `tmp`, processes that were started with it."""
    room = checkout / "tmp"
    there = [str(path.relative_to(room)) for path in room.iterdir()] if room.is_dir() else []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR", "").startswith(str(room)):
                there.append(f"{process.pid} {process.cmdline()}")
        except psutil.Error:
            continue
    return there
