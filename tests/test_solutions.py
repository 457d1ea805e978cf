"""Every lab's solution runs from top to bottom, under the start methods that learners have, and so does its stub.

Their speed is measured here, too, beside other tests: whatever the machine is doing, a reference is never `not yet`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from lesson_runner import REPOSITORY, cases, methods, run

pytestmark = pytest.mark.slow

LIMIT = 240.0  # seconds
LIMIT_OF_A_LAB = 420.0  # its checks measure
#: Labs whose speed another test measures (test_selfcheck.py): once is enough.
MEASURED_ELSEWHERE = {"11_fraud"}
#: "no" where their speed has been measured before, as in a part of CI.
MEASURE = os.environ.get("LESSONS_MEASURE", "yes") != "no"

STUBS = sorted((REPOSITORY / "labs").glob("*/*.ipynb"))
SOLUTIONS = sorted((REPOSITORY / "solutions").glob("*/*.ipynb"))


def verdicts(done: Any) -> list[str]:
    """What the panels in a notebook that has run say."""
    shown = " ".join(str(output.get("data", "")) for cell in done.cells for output in cell.get("outputs", ()))
    return [said.strip() for said in re.findall(r'aria-label="Check \w+: ([a-z ]+)', shown)]


@pytest.mark.parametrize(("path", "method"), cases(SOLUTIONS, all_start_processes=True))
def test_a_solution_runs_and_none_of_its_checks_is_not_yet(path: Path, method: str) -> None:
    """Speed is measured once a lab, under the first start method; elsewhere the checks give their short preview."""
    measured = MEASURE and method == methods(True)[0] and path.parent.name not in MEASURED_ELSEWHERE
    done = run(path, method, LIMIT_OF_A_LAB, **({} if measured else {"NBGRADER_EXECUTION": "validate"}))
    assert verdicts(done), "its checks show their panels"
    assert "not yet" not in verdicts(done)


@pytest.mark.parametrize("path", STUBS, ids=lambda path: path.stem)
def test_run_all_on_an_untouched_lab_ends_every_check_in_a_panel(path: Path) -> None:
    """A traceback would end the run before the checks, and be the first thing that a learner sees of the lab."""
    done = run(path, methods(True)[0], LIMIT, NBGRADER_EXECUTION="validate")
    assert verdicts(done) == ["not yet"] * sum(cell.source.startswith("check(") for cell in done.cells)
