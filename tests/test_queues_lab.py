"""The lab 04_queues: what its judge says in each situation, what it must refuse, its notebook as nbgrader and learners
need it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from lab_pages import marks, page

from course.cases import invoices
from grader import lab as labs
from grader.author import verify
from grader.model import Lab

FOLDER = labs.CHECKOUT / "solutions" / "04_queues"
RELEASED = labs.CHECKOUT / "labs" / "04_queues"
REPORT = {0: "pay 10.00", 1: "hold: tax", 2: "reject: KeyError: 'TaxAmount'"}


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(FOLDER)


@pytest.fixture(scope="module")
def judge(lab: Lab) -> ModuleType:
    return lab.judge


def compared(judge: ModuleType, got: dict[Any, Any]) -> str:
    return str(judge.compare(judge.encode(REPORT), judge.encode(got)))


# The judge


@pytest.mark.parametrize(
    "same",
    [
        dict(reversed(REPORT.items())),
        REPORT | {2: "reject: KeyError('TaxAmount')"},
        REPORT | {2: "reject: 'TaxAmount' is not there"},
    ],
    ids=["another order", "repr of the exception", "words of one's own"],
)
def test_the_same_report_in_another_dress_is_equal(judge: ModuleType, same: dict[int, str]) -> None:
    assert compared(judge, same) == ""


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        ({}, "of 3 invoices, 3 missing (the first: number 0, 'pay 10.00')."),
        (REPORT | {3: "pay 1.00"}, "1 too many (the first: number 3)."),
        (
            REPORT | {1: "pay 5.00"},
            "1 judged otherwise (the first: number 1, 'pay 5.00' instead of 'hold: tax').",
        ),
        (REPORT | {2: "reject: unreadable"}, "1 judged otherwise (the first: number 2"),
        (REPORT | {2: "hold: 'TaxAmount'"}, "1 judged otherwise (the first: number 2"),
    ],
)
def test_what_differs_is_named_with_its_first_invoice(
    judge: ModuleType, mine: dict[int, str], says: str
) -> None:
    assert says in compared(judge, mine)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "must return the report of the book, a dict; it returned NoneType"),
        ([(0, "pay 10.00")], "it returned list"),
        ({"0": "pay 10.00"}, "under '0' it holds str"),
        ({0: 10.0}, "under 0 it holds float"),
        ({2**80: "pay 1.00"}, "The report must say a text for each invoice's number"),
    ],
)
def test_what_is_no_report_is_said_clearly(judge: ModuleType, answer: object, says: str) -> None:
    """A TypeError is what the pipeline takes for the learner's mistake."""
    with pytest.raises(TypeError, match=re.escape(says)):
        judge.encode(answer)


def test_an_empty_report_can_be_compared(judge: ModuleType) -> None:
    empty = judge.encode({})
    assert judge.compare(empty, empty) == ""
    assert empty["judged"].dtype.kind == judge.encode(REPORT)["judged"].dtype.kind


# Its other situations, in this process: a program is a function that gets the folder and the workers


def in_turn(folder: Path, workers: int) -> dict[int, str]:
    return invoices.check_all(folder)


def all_at_once(folder: Path, workers: int) -> dict[int, str]:
    book = invoices.Book(folder)
    for position, record in list(invoices.read(folder)):
        book.enter(position, invoices.check(record))
    return book.report()


def past_the_reader(folder: Path, workers: int) -> dict[int, str]:
    book = invoices.Book(folder)
    texts = [text for path in invoices.files(folder) for text in path.read_text("utf-8").splitlines()]
    for position, record in enumerate(texts):
        book.enter(position, invoices.check(record))
    return book.report()


def twice_read(folder: Path, workers: int) -> dict[int, str]:
    for _ in invoices.read(folder):
        pass
    return in_turn(folder, workers)


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (in_turn, ""),
        (
            all_at_once,
            "With 4 workers 700 of the 700 invoices were in flight at the worst moment",
        ),
        (past_the_reader, "invoices.read handed out 0 invoices instead of 700"),
        (twice_read, "invoices.read handed out 1,400 invoices instead of 700"),
    ],
)
def test_what_is_in_flight_is_counted(
    judge: ModuleType, tmp_path: Path, program: Callable[..., Any], says: str
) -> None:
    bounded = judge.SCENARIOS["bounded"]
    bounded["make_input"](tmp_path, 700, 3)
    right = bounded["encode"](bounded["serial"](tmp_path))
    mine = bounded["encode"](bounded["call"](program, (tmp_path, 2)))
    said = bounded["compare"](right, mine)
    assert (says in said) if says else said == ""


def test_a_wrong_report_is_told_before_the_count(judge: ModuleType) -> None:
    bounded = judge.SCENARIOS["bounded"]
    right = bounded["encode"]((REPORT, 0, 3, 3))
    assert "1 missing" in bounded["compare"](
        right, bounded["encode"](({0: "pay 10.00", 1: "hold: tax"}, 9, 9, 9))
    )


def test_the_bound_is_tried_with_as_many_workers_as_the_lab_may_use(lab: Lab, judge: ModuleType) -> None:
    assert lab.max_workers == judge.WORKERS


def test_the_bound_is_far_below_what_runs_away(judge: ModuleType) -> None:
    assert max(judge.SCENARIOS["bounded"]["SIZES"]) >= 5 * invoices.AT_MOST


@pytest.mark.parametrize("size", [1, 5, 61])
def test_poison_comes_first_and_last_and_is_rejected(judge: ModuleType, tmp_path: Path, size: int) -> None:
    judge.SCENARIOS["poison"]["make_input"](tmp_path, size, size)
    report = judge.serial(tmp_path)
    assert len(report) == size
    assert report[0].startswith("reject: ")
    assert report[size - 1].startswith("reject: ")


# lab.toml


def test_the_lab_is_complete(lab: Lab) -> None:
    assert (lab.id, lab.module, lab.function) == ("04_queues", "pipeline", "check_invoices")
    assert lab.signature == "check_invoices(folder, workers)"
    assert {name: check.points for name, check in lab.checks.items()} == {
        "answer": 4,
        "bounded": 2,
        "poison": 2,
        "clean_up": 1,
        "speedup": 3,
    }


def test_the_bound_is_told_where_it_is_asked_for(lab: Lab) -> None:
    assert f" {invoices.AT_MOST} invoices" in lab.checks["bounded"].asks


def test_each_check_has_three_hints_and_only_the_last_one_gives_code(lab: Lab) -> None:
    assert lab.hints.keys() == lab.checks.keys()
    for hint in lab.hints.values():
        nudge, way, nearly = hint.steps
        assert "join()" not in nudge + way
        assert ".put(" not in nudge + way
        assert "(" in nearly


# Wrong answers


def test_the_wrong_answers_are_those_that_the_lab_must_refuse(lab: Lab) -> None:
    expected = {answer.name: answer.expected for answer in verify.answers(lab)}
    refused = {name: said for name, said in expected.items() if name not in ("stub", "reference")}
    assert refused == {
        "bound_for_two_workers": "bounded: not yet (wrong answer)",
        "catches_one_kind_only": "poison: not yet (timed out)",
        "dies_of_the_poison": "poison: not yet (timed out)",
        "joins_before_draining": "answer: not yet (timed out)",
        "no_bound_at_all": "bounded: not yet (wrong answer)",
        "one_message_an_invoice": "speedup: not yet (tasks-too-small or slow-producer)",
        "one_end_mark_for_all": "answer: not yet (timed out)",
        "pool_reads_ahead": "bounded: not yet (wrong answer)",
        "results_without_a_bound": "bounded: not yet (wrong answer)",
        "sends_the_exception": "poison: not yet (raised)",
        "skips_the_poison": "poison: not yet (wrong answer)",
        "through_a_manager": "speedup: not yet (tasks-too-small or slow-producer)",
        "until_the_queue_is_empty": "answer: not yet (wrong answer)",
        "workers_wait_for_ever": "clean_up: not yet (process left)",
    }


# The notebook


def test_the_references_bound_holds_with_as_many_workers_as_the_lab_may_use(lab: Lab) -> None:
    (cell,) = [cell for cell in page(FOLDER).cells if marks(cell).get("grade_id") == "pipeline"]
    found = re.search(r"^BATCH = (\d+)", cell.source, re.MULTILINE)
    assert found is not None
    assert (3 * lab.max_workers + 2) * int(found[1]) <= invoices.AT_MOST


def test_the_released_notebook_shows_no_solution_and_one_stub() -> None:
    source = "\n".join(cell.source for cell in page(RELEASED).cells)
    for secret in ("maxsize=workers", "SOLUTION", "tasks.put", "BATCH", "Put it back in"):
        assert secret not in source
    (stub,) = [cell for cell in page(RELEASED).cells if marks(cell).get("grade_id") == "pipeline"]
    assert stub.source.startswith("%%module pipeline\n")
    assert stub.source.count("raise NotImplementedError") == 1
    assert not (RELEASED / "wrong").exists()


def test_the_counts_are_plain_numbers(judge: ModuleType) -> None:
    """They cross to the parent as arrays, never as pickles."""
    counts = judge.SCENARIOS["bounded"]["encode"]((REPORT, 1, 3, 3))["counts"]
    assert counts.dtype == np.int64
