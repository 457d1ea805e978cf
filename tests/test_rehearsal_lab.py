"""The rehearsal lab's own files: its judge and inputs, its wrong answers, its notebook as nbgrader needs it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from lab_pages import marks, page

from course.cases import payments
from grader import lab as labs
from grader.author import verify
from grader.model import Lab

FOLDER = labs.CHECKOUT / "solutions" / "00_rehearsal"
RELEASED = labs.CHECKOUT / "labs" / "00_rehearsal"
COUNTS = Counter(groceries=70, fuel=30, toys=2)


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(FOLDER)


@pytest.fixture(scope="module")
def judge(lab: Lab) -> ModuleType:
    return lab.judge


def compared(judge: ModuleType, expected: object, got: object) -> str:
    return str(judge.compare(judge.encode(expected), judge.encode(got)))


@pytest.mark.parametrize(
    "same",
    [
        COUNTS,
        {"toys": 2, "fuel": 30, "groceries": 70},
        {**COUNTS, "books": 0},
        {name: np.int64(number) for name, number in COUNTS.items()},
    ],
)
def test_the_same_counts_in_another_dress_are_equal(judge: ModuleType, same: object) -> None:
    assert compared(judge, COUNTS, same) == ""


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        (Counter(), "of 102 payments you have 0. The first category that differs is fuel: 30 payments, and"),
        (Counter(), "worker has variables of its own"),
        (COUNTS - Counter(groceries=50), "one part replace another"),
        (COUNTS + COUNTS, "counted twice"),
        (COUNTS - Counter(toys=1) + Counter(tops=1), "wrong category"),
        (COUNTS | Counter(category=7), "category: 0 payments, and you have 7"),
    ],
)
def test_what_differs_is_said_with_what_it_usually_comes_from(
    judge: ModuleType, mine: object, says: str
) -> None:
    assert says in compared(judge, COUNTS, mine)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "it returned NoneType. Does it end with a return?"),
        ([COUNTS, COUNTS], "it returned list. Its 2 parts are there; they are not added up yet."),
        (102, "it returned int."),
        ({7: 1}, "7 is int"),
        ({"fuel": 1.5}, "it is float"),
        ({"fuel": True}, "it is bool"),
        ({"fuel": 1 << 70}, "too large"),
    ],
)
def test_what_is_no_table_of_counts_is_said_clearly(judge: ModuleType, answer: object, says: str) -> None:
    """A TypeError is what the pipeline takes for the learner's mistake."""
    with pytest.raises(TypeError, match=re.escape(says)):
        judge.encode(answer)


@pytest.mark.parametrize("number", range(5))
def test_every_size_writes_a_file_for_each_region_and_all_payments(
    judge: ModuleType, tmp_path: Path, number: int
) -> None:
    size = judge.SIZES[number]
    judge.make_input(tmp_path, size, seed=number)
    texts = [path.read_text(encoding="utf-8") for path in sorted(tmp_path.glob("region-*.csv"))]
    assert len(texts) == 7
    assert all(text.startswith("time,category,cents\n") for text in texts)
    assert sum(text.count("\n") - 1 for text in texts) == size
    assert sum(judge.serial(*judge.arguments(tmp_path)).values()) == size


def test_the_seed_decides_the_input(tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        texts.append([path.read_bytes() for path in payments.write(tmp_path / name, 500, seed)])
    assert texts[0] == texts[1] != texts[2]


def test_the_lab_marks_the_answer_alone_with_three_hints(lab: Lab) -> None:
    assert {name: check.points for name, check in lab.checks.items()} == {"answer": 4}
    nudge, _, nearly = lab.hints["answer"].steps
    assert "pool" not in nudge.lower()
    assert "pool.map(count_file, paths)" in nearly


def test_every_answer_is_read_with_what_is_expected_of_it(lab: Lab) -> None:
    expected = {answer.name: answer.expected for answer in verify.answers(lab)}
    wrong = {path.stem for path in (FOLDER / "wrong").glob("*.py")}
    assert len(wrong) >= 5
    assert expected.keys() == {"stub", "reference", *wrong}
    assert all("not yet" in said for name, said in expected.items() if name != "reference")


def test_the_released_notebook_shows_no_solution_and_a_stub() -> None:
    source = "\n".join(cell.source for cell in page(RELEASED).cells)
    assert "pool.map(count_file" not in source
    assert "Not now." not in source
    (stub,) = [cell for cell in page(RELEASED).cells if marks(cell).get("grade_id") == "counter"]
    assert stub.source.startswith("%%module counter\n")
    assert "raise NotImplementedError" in stub.source
    assert not (RELEASED / "wrong").exists()
