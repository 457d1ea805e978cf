"""Every lab's solution runs from top to bottom, and so does its stub.

`test_lab_answers.py` checks in earnest what a solution answers.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from lesson_runner import REPOSITORY, cases, run

pytestmark = pytest.mark.slow

LIMIT = 240.0  # seconds

STUBS = sorted((REPOSITORY / "labs").glob("*/*.ipynb"))
SOLUTIONS = sorted((REPOSITORY / "solutions").glob("*/*.ipynb"))


def verdicts(done: Any) -> list[str]:
    """What the panels in a notebook that has run say."""
    shown = " ".join(str(output.get("data", "")) for cell in done.cells for output in cell.get("outputs", ()))
    return [said.strip() for said in re.findall(r'aria-label="Check \w+: ([a-z ]+)', shown)]


@pytest.mark.parametrize(("path", "method"), cases(SOLUTIONS, all_start_processes=True))
def test_a_solution_runs_and_none_of_its_checks_is_not_yet(path: Path, method: str) -> None:
    """The checks give their short preview."""
    done = run(path, method, LIMIT, NBGRADER_EXECUTION="validate")
    assert verdicts(done), "its checks show their panels"
    assert "not yet" not in verdicts(done)


@pytest.mark.parametrize(("path", "method"), cases(STUBS))
def test_run_all_on_an_untouched_lab_ends_every_check_in_a_panel(path: Path, method: str) -> None:
    """A traceback would end the run before the checks, and be the first thing that a learner sees of the lab."""
    done = run(path, method, LIMIT, NBGRADER_EXECUTION="validate")
    assert verdicts(done) == ["not yet"] * sum(cell.source.startswith("check(") for cell in done.cells)
