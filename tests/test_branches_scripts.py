"""Scripts of lessons run apart: how they ended is told, and what hangs is ended with all its children."""

from __future__ import annotations

import sys

import psutil
import pytest

from course.cases import branches_scripts

CHILD = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])"


def test_how_a_script_ended_and_what_it_printed_is_told() -> None:
    ran = branches_scripts.run("import sys\nprint('one\\ntwo', sys.argv[1:])\nsys.exit(7)", 60, ("a", "b"))
    assert ran.exit_code == 7
    assert ran.said == "one\ntwo ['a', 'b']\n"
    assert ran.last_lines(1) == "two ['a', 'b']"


def test_a_traceback_is_part_of_what_it_said_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    ran = branches_scripts.run("raise ValueError('no ledger')", 60)
    assert ran.exit_code == 1
    assert ran.last_lines(1) == "ValueError: no ledger"


@pytest.mark.slow
def test_a_script_that_hangs_is_ended_with_all_that_it_started() -> None:
    source = f"import subprocess, sys, time\nchild = {CHILD}\nprint(child.pid, flush=True)\ntime.sleep(300)\n"
    ran = branches_scripts.run(source, 3)
    assert ran.exit_code is None
    assert ran.seconds < 60
    assert not branches_scripts.lives(int(ran.said))


@pytest.mark.slow
def test_one_that_starts_new_children_for_ever_is_ended_too() -> None:
    source = (
        "import subprocess, sys\n"
        "while True:\n"
        f"    child = {CHILD}\n"
        "    print(child.pid, flush=True)\n"
        "    try:\n"
        "        child.wait(0.2)\n"
        "    except subprocess.TimeoutExpired:\n"
        "        pass\n"
    )
    ran = branches_scripts.run(source, 2)
    assert ran.exit_code is None
    assert ran.said.split()
    assert not any(branches_scripts.lives(int(pid)) for pid in ran.said.split())


def test_a_process_that_has_ended_does_not_live() -> None:
    program = psutil.Popen([sys.executable, "-c", "input()"], stdin=-1)
    assert branches_scripts.lives(program.pid)
    program.kill()
    program.wait(60)
    assert not branches_scripts.lives(program.pid)
    program.stdin.close()
