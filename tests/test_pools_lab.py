"""The lab 07_pools: what its judge says in each situation, what it must refuse, its notebook as nbgrader needs it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from lab_pages import marks, page

from course.cases import reserves
from grader import lab as labs
from grader.author import verify
from grader.model import Lab

FOLDER = labs.CHECKOUT / "solutions" / "07_pools"
RELEASED = labs.CHECKOUT / "labs" / "07_pools"


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(FOLDER)


@pytest.fixture(scope="module")
def judge(lab: Lab) -> ModuleType:
    return lab.judge


def at(judge: ModuleType, check: str) -> ModuleType:
    """The judge as it is in that check."""
    return labs.in_scenario(judge, check)


# The answer


def compared(judge: ModuleType, expected: object, got: object) -> str:
    return str(judge.compare(judge.encode(expected), judge.encode(got)))


@pytest.mark.parametrize("same", [[5, 0, 7], (5, 0, 7), np.array([5, 0, 7], np.int32)])
def test_the_same_values_are_equal_however_they_are_held(judge: ModuleType, same: object) -> None:
    assert compared(judge, [5, 0, 7], same) == ""
    assert compared(judge, [], []) == ""


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        ([5, 0], "the book has 3 contracts; you returned 2 values."),
        ([7, 5, 0], "all values are there, but not in the order of the book."),
        ([5, 1, 7], "1 of 3 values are wrong. The first is that of line 2: 1 instead of 0."),
    ],
)
def test_what_differs_is_said(judge: ModuleType, mine: object, says: str) -> None:
    assert compared(judge, [5, 0, 7], mine) == says


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "it returned NoneType. Does it end with a return?"),
        (iter([1]), "it returned list_iterator. Make it a list while the workers are still there."),
        (12, "it returned int."),
        ([1.5, 2.0], "one list of whole numbers"),
        ([[1, 2], [3]], "not a list of lists"),
        ([[1, 2], [3, 4]], "one list of whole numbers"),
        (["5"], "one list of whole numbers"),
    ],
)
def test_what_is_no_list_of_values_is_said_clearly(judge: ModuleType, answer: object, says: str) -> None:
    """A TypeError is what the pipeline takes for the learner's mistake."""
    with pytest.raises(TypeError, match=re.escape(says)):
        judge.encode(answer)


# Progress


def followed(judge: ModuleType, calls: Sequence[tuple[int, int, int]], total: int = 100) -> str:
    judged = at(judge, "progress")
    values = list(range(total))
    right = judged.encode({"values": values, "calls": [(total, total, total)]})
    return str(judged.compare(right, judged.encode({"values": values, "calls": calls})))


STEADY = [(done, 100, min(100, done + 20)) for done in range(5, 101, 5)]


def test_a_progress_that_can_be_followed_is_right(judge: ModuleType) -> None:
    assert followed(judge, STEADY) == ""
    assert followed(judge, [(10, 100, 30), *STEADY[1:]]) == "", "the same number twice is no way back"
    assert followed(judge, [(1, 1, 1)], total=1) == ""
    assert followed(judge, [], total=0) == ""


@pytest.mark.parametrize(
    ("calls", "says"),
    [
        ([], "never called in your own process"),
        ([(done, 100, 100) for done in range(1, 101)], "when progress was first called, 100 of 100"),
        ([(done, 100, done // 2) for done in range(5, 101, 5)], "Count results, not tasks"),
        (STEADY[:-1], "the last call of progress says 95 of 100"),
        ([*STEADY[:5], (3, 100, 60), *STEADY[5:]], "went back from 25 done to 3"),
        ([(done, 50, begun) for done, _, begun in STEADY], "progress was told 50"),
        ([*STEADY[:3], *STEADY[-2:]], "progress jumped by 80 of 100 contracts at once"),
    ],
)
def test_a_progress_that_nobody_can_follow_is_told(
    judge: ModuleType, calls: Sequence[tuple[int, int, int]], says: str
) -> None:
    assert says in followed(judge, calls)


def test_right_progress_with_wrong_values_is_wrong(judge: ModuleType) -> None:
    judged = at(judge, "progress")
    right = judged.encode({"values": [1], "calls": [(1, 1, 1)]})
    assert "1 of 1 values are wrong" in judged.compare(
        right, judged.encode({"values": [2], "calls": [(1, 1, 1)]})
    )


# A run that is left by an exception: the judge's own calls, on functions without processes


def left(judge: ModuleType, check: str, folder: Path, size: int, function: Callable[..., Any]) -> str:
    judged = at(judge, check)
    judged.make_input(folder, size, 4)
    given = judged.arguments(folder)
    right = judged.encode(judged.serial(*given))
    return str(judged.compare(right, judged.encode(judged.call(function, (*given, 2)))))


def named(folder: Path, progress: Callable[[int, int], None], workers: int) -> list[int]:
    """Serial, and well behaved."""
    values = []
    contracts = reserves.read(folder)
    for contract in contracts:
        try:
            values.append(reserves.value(contract))
        except Exception as error:
            raise reserves.TaskError(contract.number, "failed") from error
        progress(len(values), len(contracts))
    return values


def unnamed(folder: Path, progress: Callable[[int, int], None], workers: int) -> list[int]:
    return reserves.value_some(reserves.read(folder), progress)


def without_its_cause(folder: Path, progress: Callable[[int, int], None], workers: int) -> list[int]:
    try:
        return named(folder, progress, workers)
    except reserves.TaskError as error:
        number = error.number
    raise reserves.TaskError(number, "failed")


def with_another_number(folder: Path, progress: Callable[[int, int], None], workers: int) -> list[int]:
    try:
        return named(folder, progress, workers)
    except reserves.TaskError as error:
        raise reserves.TaskError(error.number + 1, "failed") from error


def swallowed(folder: Path, progress: Callable[[int, int], None], workers: int) -> list[int]:
    try:
        return named(folder, progress, workers)
    except BaseException:
        return []


def after_all_others(folder: Path, progress: Callable[[int, int], None], workers: int) -> list[int]:
    errors = []
    for contract in reserves.read(folder):
        try:
            reserves.value(contract)
        except Exception as error:
            errors.append((contract, error))
    for contract, error in errors:
        raise reserves.TaskError(contract.number, "failed") from error
    return []


@pytest.mark.parametrize("size", [5, 6])
@pytest.mark.parametrize(
    ("function", "says"),
    [
        (named, ""),
        (unnamed, "It must raise reserves.TaskError"),
        (swallowed, "your function raised nothing"),
        (without_its_cause, "neither it nor its cause says what went wrong there"),
        (with_another_number, "your TaskError names contract"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_error_must_come_out_with_its_contract_and_its_cause(
    judge: ModuleType, tmp_path: Path, size: int, function: Callable[..., Any], says: str
) -> None:
    found = left(judge, "failure", tmp_path, size, function)
    assert says in found if says else not found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "function", "says"),
    [
        ("failure", named, ""),
        ("failure", after_all_others, "2,000 of about 2,000 contracts had been begun"),
        ("cancel", named, ""),
        ("cancel", swallowed, "your function must be left by it; it raised nothing"),
    ],
    ids=lambda value: getattr(value, "__name__", value or "right"),
)
def test_the_rest_of_the_book_isnt_worked_through_first(
    judge: ModuleType, tmp_path: Path, check: str, function: Callable[..., Any], says: str
) -> None:
    found = left(judge, check, tmp_path, judge.WATCHED, function)
    assert says in found if says else not found


def test_work_that_goes_on_after_the_function_was_left_is_told(judge: ModuleType) -> None:
    judged = at(judge, "cancel")
    right = judged.encode({"name": "StopWork", "number": -1, "text": "stop", "begun": 2_000, "later": 2_000})
    seen = {"name": "StopWork", "number": -1, "text": "StopWork: stop", "begun": 100, "later": 180}
    assert "its workers went on: 80 more contracts were begun" in judged.compare(right, judged.encode(seen))
    assert judged.compare(right, judged.encode(seen | {"later": 100})) == ""
    late = judged.compare(right, judged.encode(seen | {"begun": 1_900, "later": 1_900}))
    assert "1,900 of about 2,000 contracts had been begun" in late
    odd = judged.compare(right, judged.encode(seen | {"name": "PicklingError", "text": "PicklingError: x"}))
    assert "it raised PicklingError: x" in odd


def test_a_stub_says_itself_that_it_is_not_written(judge: ModuleType, tmp_path: Path) -> None:
    def stub(*_: object) -> None:
        raise NotImplementedError

    for check, size in (("failure", 5), ("cancel", 5)):
        with pytest.raises(NotImplementedError):
            left(judge, check, tmp_path, size, stub)


# lab.toml


def test_the_lab_is_complete(lab: Lab) -> None:
    assert (lab.id, lab.module, lab.function) == ("07_pools", "valuer", "value_book")
    assert lab.signature == "value_book(folder, progress, workers)"
    assert {name: check.points for name, check in lab.checks.items()} == {
        "answer": 3,
        "progress": 2,
        "failure": 3,
        "cancel": 2,
        "clean_up": 1,
        "speedup": 4,
    }


def test_each_check_has_three_hints_and_the_first_names_no_call(lab: Lab) -> None:
    assert lab.hints.keys() == lab.checks.keys()
    for hint in lab.hints.values():
        nudge, _, nearly = hint.steps
        assert "imap" not in nudge
        assert re.search(r"pool|raise", nearly)


# Wrong answers


def test_the_wrong_answers_are_those_that_the_lab_must_refuse(lab: Lab) -> None:
    expected = {answer.name: answer.expected for answer in verify.answers(lab)}
    assert {name: said for name, said in expected.items() if name not in ("stub", "reference")} == {
        "a_pool_for_each_batch": "speedup: not yet (start-up-dominates or tasks-too-small)",
        "as_they_come": "answer: not yet (wrong answer)",
        "counts_what_is_handed_in": "progress: not yet (wrong answer)",
        "error_without_its_task": "failure: not yet (wrong answer)",
        "errors_count_as_nothing": "failure: not yet (wrong answer)",
        "map_of_everything": "progress: not yet (wrong answer)",
        "one_chunk_a_worker": "speedup: not yet (skew or tasks-too-few or one-worker-does-all)",
        "one_contract_a_task": "speedup: not yet (tasks-too-small)",
        "pool_is_not_ended": "clean_up: not yet (process left)",
        "progress_in_a_callback": "cancel: not yet (timed out or wrong answer)",
        "task_named_in_the_parent": "failure: not yet (wrong answer)",
        "waits_for_the_rest": "cancel: not yet (wrong answer)",
    }
    assert {said.partition(":")[0] for said in expected.values()} == set(lab.checks)


# The notebook


def test_the_released_notebook_shows_no_solution_and_a_stub() -> None:
    source = "\n".join(cell.source for cell in page(RELEASED).cells)
    for secret in ("imap", "SOLUTION", "value_one", "Yes, count on it"):
        assert secret not in source
    (stub,) = [cell for cell in page(RELEASED).cells if marks(cell).get("grade_id") == "valuer"]
    assert stub.source.startswith("%%module valuer\n")
    assert stub.source.count("raise NotImplementedError") == 1
    assert not (RELEASED / "wrong").exists()
