"""The lab 06_feature_store: what its judge says, what it must refuse, its notebook as nbgrader and learners need it."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from lab_pages import marks, page

from grader import lab as labs
from grader.author import verify
from grader.measure.copies import MIB
from grader.model import Lab

FOLDER = labs.CHECKOUT / "solutions" / "06_feature_store"
RELEASED = labs.CHECKOUT / "labs" / "06_feature_store"
RIGHT = np.array([[4, 9, 1], [7, 5, 6], [2, 8, 3], [11, 10, 12]])


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(FOLDER)


@pytest.fixture(scope="module")
def judge(lab: Lab) -> ModuleType:
    return lab.judge


def compared(judge: ModuleType, got: object) -> str:
    return str(judge.compare(judge.encode(RIGHT), judge.encode(got)))


# The judge


def test_the_same_suggestions_are_equal_whatever_whole_numbers_hold_them(judge: ModuleType) -> None:
    assert compared(judge, RIGHT) == ""
    assert compared(judge, RIGHT.astype(np.int32)) == ""


def changed(*rows: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    mine = RIGHT.copy()
    mine[list(rows), 1] = 99
    return mine


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        (
            changed(1),
            "of 4 visits, 1 got other suggestions (the first: visit 1, products 7, 99, 6 instead of 7, 5, 6).",
        ),
        (changed(0, 1, 2), "emphasised once, before the first visit?"),
        (RIGHT[:3], "there were 4 visits; you have suggestions for 3. Look at what becomes of the visits"),
        (RIGHT[::-1], "All rows are there, in another order."),
    ],
)
def test_what_differs_is_said_with_the_first_of_it(
    judge: ModuleType, mine: np.ndarray[tuple[int, int], np.dtype[np.int64]], says: str
) -> None:
    assert says in compared(judge, mine)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "it returned NoneType. Does it end with a return?"),
        ([RIGHT, RIGHT], "it returned list. Its 2 parts are there; np.concatenate joins them."),
        (RIGHT[0], "has the shape (3,)"),
        (RIGHT[:, :2], "has the shape (4, 2)"),
        (RIGHT * 1.0, "must be whole numbers, not float64"),
    ],
)
def test_what_is_no_table_of_suggestions_is_said_clearly(
    judge: ModuleType, answer: object, says: str
) -> None:
    """A TypeError is what the pipeline takes for the learner's mistake."""
    with pytest.raises(TypeError, match=re.escape(says)):
        judge.encode(answer)


@pytest.mark.parametrize("size", [0, 1, 7])
def test_the_baseline_answers_every_visit(judge: ModuleType, tmp_path: Path, size: int) -> None:
    judge.make_input(tmp_path, size, seed=size)
    answer = judge.serial(*judge.arguments(tmp_path))
    assert judge.encode(answer)["suggested"].shape == (size, 3)


def test_the_payload_of_the_memory_check_is_96_mib_of_unpacked_features(
    judge: ModuleType, tmp_path: Path
) -> None:
    large = labs.in_scenario(judge, "memory")
    large.make_input(tmp_path, 7, seed=1)
    assert large.payload(tmp_path) == 96 * MIB


def test_sizes_begin_with_nothing_and_end_with_what_no_number_of_workers_divides(judge: ModuleType) -> None:
    assert judge.SIZES[:2] == (0, 1)
    assert all(max(judge.SIZES) % workers for workers in range(2, 9))


# lab.toml


def test_the_lab_is_complete(lab: Lab) -> None:
    assert (lab.id, lab.module, lab.function) == ("06_feature_store", "suggester", "suggest_all")
    assert lab.signature == "suggest_all(folder, workers)"
    assert {name: check.points for name, check in lab.checks.items()} == {
        "answer": 4,
        "memory": 3,
        "clean_up": 1,
        "speedup": 2,
    }
    assert (lab.memory.copies, lab.memory.growth) == (1.5, 0.25)


def test_each_check_has_three_hints_and_only_the_last_one_gives_code(lab: Lab) -> None:
    assert lab.hints.keys() == lab.checks.keys()
    for hint in lab.hints.values():
        nudge, _, nearly = hint.steps
        assert "(" not in nudge
        assert "(" in nearly


# Wrong answers


def test_the_wrong_answers_are_those_that_the_lab_must_refuse(lab: Lab) -> None:
    expected = {answer.name: answer.expected for answer in verify.answers(lab)}
    assert {name: said for name, said in expected.items() if name not in ("stub", "reference")} == {
        "a_lock_around_reading": "speedup: not yet (lock-convoy)",
        "all_visits_in_one_task": "speedup: not yet (one busy process or one-worker-does-all)",
        "closes_and_never_unlinks": "clean_up: not yet (segment left)",
        "drops_the_last_visits": "answer: not yet (wrong answer)",
        "each_worker_unpacks_its_own": "memory: not yet (payload copied)",
        "emphasises_in_every_worker": "answer: not yet (wrong answer)",
        "every_task_tidies_up": "answer: not yet (raised)",
        "inherits_a_global": "answer: not yet (raised)",
        "returns_what_lies_on_the_block": "answer: not yet (died or wrong answer)",
        "sends_the_array_on_the_block": "memory: not yet (payload copied)",
        "sends_the_features_with_each_task": "memory: not yet (payload copied)",
        "the_manager_lives_on": "clean_up: not yet (process left)",
        "unpacks_first_and_copies_then": "memory: not yet (held more than once)",
    }


# The notebook


def test_the_released_notebook_shows_no_solution_and_a_stub() -> None:
    source = "\n".join(cell.source for cell in page(RELEASED).cells)
    for secret in ("SharedMemory(create", "SOLUTION", "block.unlink()", "array_split", "Don't buy memory"):
        assert secret not in source
    (stub,) = [cell for cell in page(RELEASED).cells if marks(cell).get("grade_id") == "suggester"]
    assert stub.source.startswith("%%module suggester\n")
    assert stub.source.count("raise NotImplementedError") == 1
    assert not (RELEASED / "wrong").exists()
