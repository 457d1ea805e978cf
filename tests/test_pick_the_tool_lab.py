"""The lab 02_pick_the_tool: what its judge says, what it must refuse, its notebook as nbgrader and learners need it."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from lab_pages import marks, page

from course.cases import month_end
from grader import lab as labs
from grader.author import verify
from grader.model import Lab

FOLDER = labs.CHECKOUT / "solutions" / "02_pick_the_tool"
RELEASED = labs.CHECKOUT / "labs" / "02_pick_the_tool"
RIGHT = {"paid_twice": [4, 9], "net_sales": (1_000, 3), "balances": [7, 5, 6], "audit": (9, 1, 2, 500)}


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(FOLDER)


@pytest.fixture(scope="module")
def judge(lab: Lab) -> ModuleType:
    return lab.judge


def compared(judge: ModuleType, got: dict[str, Any]) -> str:
    return str(judge.compare(judge.encode(RIGHT), judge.encode(got)))


# The judge


def test_the_same_answers_are_equal_however_they_are_held(judge: ModuleType) -> None:
    assert compared(judge, RIGHT) == ""
    assert compared(judge, RIGHT | {"paid_twice": {9, 4}, "net_sales": np.array([1_000, 3], np.int32)}) == ""
    assert compared(judge, RIGHT | {"paid_twice": [9, 4]}) == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"paid_twice": [4]}, "paid_twice: of 2 payments made twice, 1 missing (the first: position 9)."),
        ({"paid_twice": [4, 9, 11]}, "1 too many (the first: position 11)."),
        ({"paid_twice": [4, 9, 9]}, "1 more than once (the first: position 9)."),
        ({"net_sales": (999, 3)}, "net_sales: net: 999 instead of 1,000."),
        (
            {"net_sales": (1_000,)},
            "net_sales: 2 numbers are asked for (net, lines with the rebate); you returned 1.",
        ),
        ({"balances": [5, 6, 7]}, "balances: all of them are there, but not in the order of the branches."),
        ({"balances": [7, 5]}, "balances: 3 branches were to be asked; you returned 2 balances."),
        ({"balances": [7, 5, 8]}, "balances: 1 of 3 are wrong (the first: branch 2, 8 instead of 6)."),
        ({"audit": (9, 1, 3, 500)}, "audit: articles that fail theirs: 3 instead of 2."),
    ],
)
def test_the_job_that_is_wrong_is_named_and_how(judge: ModuleType, change: dict[str, Any], says: str) -> None:
    assert says in compared(judge, RIGHT | change)


def test_two_wrong_jobs_are_both_named(judge: ModuleType) -> None:
    said = compared(judge, RIGHT | {"net_sales": (1, 3), "balances": [5, 6, 7]})
    assert re.findall(r"(\w+): (?:net|all)", said) == ["net_sales", "balances"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "must return a dict of four answers; it returned NoneType"),
        ([1, 2, 3, 4], "it returned list"),
        ({}, "lacks paid_twice, net_sales, balances, audit; it has nothing"),
        ({"paid_twice": [], "sales": 1}, "lacks net_sales, balances, audit; it has paid_twice, sales"),
        (RIGHT | {"net_sales": 1_000}, "net_sales must be a list or tuple; it is int"),
        (RIGHT | {"net_sales": (1_000.5, 3)}, "net_sales must hold whole numbers of 64 bits, not float64"),
        (RIGHT | {"balances": [1, [2], 3]}, "balances holds what is no whole number"),
        (RIGHT | {"balances": ["7", "5", "6"]}, "balances must hold whole numbers of 64 bits"),
        (RIGHT | {"audit": (9, 1, 2, 10**30)}, "audit must hold whole numbers of 64 bits"),
    ],
)
def test_what_is_no_answer_is_said_clearly(judge: ModuleType, answer: object, says: str) -> None:
    """A TypeError is what the pipeline takes for the learner's mistake."""
    with pytest.raises(TypeError, match=re.escape(says)):
        judge.encode(answer)


@pytest.mark.parametrize("size", [0, 1, 7, 901])
def test_the_baseline_gives_the_answers_of_today(judge: ModuleType, tmp_path: Path, size: int) -> None:
    judge.make_input(tmp_path, size, seed=size)
    best = judge.encode(judge.serial(*judge.arguments(tmp_path)))
    assert judge.compare(judge.encode(month_end.close_month(tmp_path)), best) == ""


# lab.toml


def test_the_lab_is_complete(lab: Lab) -> None:
    assert (lab.id, lab.module, lab.function) == ("02_pick_the_tool", "closing", "close_month")
    assert lab.signature == "close_month(folder, workers)"
    assert lab.minutes == 25
    assert {name: check.points for name, check in lab.checks.items()} == {"answer": 6, "speedup": 4}


def test_each_check_has_three_hints_and_only_the_last_one_gives_code(lab: Lab) -> None:
    assert lab.hints.keys() == lab.checks.keys()
    for hint in lab.hints.values():
        nudge, way, nearly = hint.steps
        assert "pool" not in (nudge + way).lower()
        assert "pool" in nearly


# Wrong answers


def test_the_wrong_answers_are_those_that_the_lab_must_refuse(lab: Lab) -> None:
    expected = {answer.name: answer.expected for answer in verify.answers(lab)}
    assert {name: said for name, said in expected.items() if name not in ("stub", "reference")} == {
        "amounts_in_32_bits": "answer: not yet (wrong answer)",
        "amounts_seen_not_payments": "answer: not yet (wrong answer)",
        "balances_as_they_come": "answer: not yet (wrong answer)",
        "one_coroutine_a_file": "answer: not yet (raised)",
        "order_lines_sent_to_processes": "speedup: not yet (big-arguments or added-work or memory-bandwidth)",
        "quadratic_over_processes": "speedup: not yet (added-work)",
        "threads_for_the_audit": "speedup: not yet (one busy process)",
        "waits_in_turn": "speedup: not yet (program-waits)",
    }


# The notebook


def test_the_released_notebook_shows_no_solution_and_four_stubs() -> None:
    source = "\n".join(cell.source for cell in page(RELEASED).cells)
    for secret in ("imap_unordered", "SOLUTION", "seen.add", "threads.map", "astype", "Don't sign tomorrow"):
        assert secret not in source
    (stub,) = [cell for cell in page(RELEASED).cells if marks(cell).get("grade_id") == "closing"]
    assert stub.source.startswith("%%module closing\n")
    assert stub.source.count("raise NotImplementedError") == 4
    assert "def close_month(folder, workers):\n    return {" in stub.source
    assert not (RELEASED / "wrong").exists()
    checks = (RELEASED / "checks.py").read_text(encoding="utf-8")
    assert "ThreadPoolExecutor" not in checks, "the baseline's tools don't lie beside the notebook"
