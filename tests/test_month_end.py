"""The month's end: both programs agree, its files hold what makes each job hard, check digits are as published."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from course.cases import month_end, month_end_best


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("month")
    month_end.make(folder, 4_001, seed=5)
    return folder


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 901])
def test_the_right_tools_give_todays_answers(tmp_path: Path, size: int) -> None:
    month_end.make(tmp_path, size, seed=size)
    assert month_end_best.close_month(tmp_path) == month_end.close_month(tmp_path)


def test_every_note_is_in_one_file_and_the_depots_differ_in_size(month: Path) -> None:
    files = month_end.note_files(month)
    numbers = [
        json.loads(line)["note"] for path in files for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert sorted(numbers) == list(range(4_001))
    sizes = sorted(path.stat().st_size for path in files)
    assert sizes[-1] > 3 * sizes[0]
    assert sizes[-1] < sum(sizes) / 2, "two workers can share the work evenly"
    assert all(len(files) % workers for workers in range(2, 11))


def test_some_of_everything_is_wrong_and_most_is_right(month: Path) -> None:
    notes, accounts, articles, cents = month_end.add_up(
        month_end.audit(path) for path in month_end.note_files(month)
    )
    assert notes == 4_001
    assert 0.002 < accounts / notes < 0.03
    assert 0.002 < articles / (notes * month_end.LINES_PER_NOTE) < 0.03
    assert cents > 0
    found = month_end_best.paid_twice(month_end.payments(month))
    assert 0.005 < len(found) / len(month_end.payments(month)) < 0.05


def test_the_check_digits_are_those_of_the_published_standards(tmp_path: Path) -> None:
    """Both numbers are those with which the standards are commonly explained."""
    path = tmp_path / "notes-00.jsonl"
    good = {"note": 0, "account": "DE89370400440532013000", "lines": [["4006381333931", 2, 150]]}
    bad = {"note": 1, "account": "DE88370400440532013000", "lines": [["4006381333932", 2, 150]]}
    path.write_text(f"{json.dumps(good)}\n{json.dumps(bad)}\n", encoding="utf-8")
    assert month_end.audit(path) == (2, 1, 1, 300)


def test_a_product_of_32_bits_would_be_another_sum(month: Path) -> None:
    quantities, cents = month_end.order_lines(month)
    assert quantities.dtype == cents.dtype == np.int32
    assert (quantities.astype(np.int64) * cents).max() > np.iinfo(np.int32).max


def test_amounts_alone_repeat_more_often_than_payments(month: Path) -> None:
    payments = month_end.payments(month)
    amounts = len(payments) - len({cents for _, cents in payments})
    assert amounts > len(month_end_best.paid_twice(payments))


def test_the_first_branch_is_not_always_the_first_to_answer(month: Path) -> None:
    waits = [branch.seconds for branch in month_end.branches(month)]
    assert waits != sorted(waits)
    assert len({branch.cents for branch in month_end.branches(month)}) == len(waits)


def test_a_branch_says_the_same_to_asyncio() -> None:
    branch = month_end.Branch("here", 0.001, 42)
    assert asyncio.run(month_end.ask_async(branch)) == month_end.ask(branch) == 42


def test_the_seed_decides_the_month(tmp_path: Path) -> None:
    answers = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        month_end.make(tmp_path / name, 901, seed)
        answers.append(month_end_best.close_month(tmp_path / name))
    assert answers[0] == answers[1]
    assert all(answers[0][job] != answers[2][job] for job in answers[0])
