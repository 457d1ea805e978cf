"""The fraud lab's own files: its judge and inputs, its wrong answers, its notebook as nbgrader and learners need it."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from lab_pages import marks, page

from course.cases import fraud
from grader import lab as labs
from grader.author import verify
from grader.model import Lab

FOLDER = labs.CHECKOUT / "solutions" / "11_fraud"
RELEASED = labs.CHECKOUT / "labs" / "11_fraud"
WRONG = sorted((FOLDER / "wrong").glob("*.py"))


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(FOLDER)


@pytest.fixture(scope="module")
def judge(lab: Lab) -> ModuleType:
    return lab.judge


@pytest.fixture(scope="module")
def alerts(judge: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The baseline's answer to the largest input of the answer check."""
    folder = tmp_path_factory.mktemp("input")
    judge.make_input(folder, max(judge.SIZES), seed=3)
    found: pd.DataFrame = judge.serial(*judge.arguments(folder))
    assert len(found) > 20
    return found


# The judge


def compared(judge: ModuleType, expected: pd.DataFrame, got: pd.DataFrame) -> str:
    return str(judge.compare(judge.encode(expected), judge.encode(got)))


def test_the_same_alerts_in_another_order_are_equal(judge: ModuleType, alerts: pd.DataFrame) -> None:
    assert compared(judge, alerts, alerts.sample(frac=1, random_state=1)) == ""
    assert compared(judge, alerts.iloc[:0], alerts.iloc[:0]) == ""


def test_whatever_differs_is_counted_and_the_first_one_named(judge: ModuleType, alerts: pd.DataFrame) -> None:
    total = f"of {len(alerts):,} alerts,"
    first, second = alerts["trans_num"].iloc[0], alerts["trans_num"].iloc[1]
    assert compared(judge, alerts, alerts.iloc[2:]) == f"{total} 2 missing (the first: {first})."
    assert (
        compared(judge, alerts.iloc[1:], alerts)
        == f"of {len(alerts) - 1:,} alerts, 1 too many (the first: {first})."
    )
    twice = pd.concat([alerts, alerts.iloc[1:2]])
    assert compared(judge, alerts, twice) == f"{total} 1 more than once (the first: {second})."
    other = alerts.assign(reasons=alerts["reasons"].where(alerts["trans_num"] != second, 1 << 20))
    assert compared(judge, alerts, other) == f"{total} 1 for other reasons (the first: {second})."
    all_at_once = compared(judge, alerts.iloc[1:], pd.concat([other.iloc[:-1], alerts.iloc[3:4]]))
    assert re.findall("missing|too many|more than once|other reasons", all_at_once) == [
        "missing",
        "too many",
        "more than once",
        "other reasons",
    ]


@pytest.mark.parametrize(
    ("column", "says"), [("cc_num", "of another card"), ("unix_time", "at another time")]
)
def test_the_card_and_the_time_of_an_alert_are_part_of_it(
    judge: ModuleType, alerts: pd.DataFrame, column: str, says: str
) -> None:
    third = alerts["trans_num"].iloc[2]
    mine = alerts.assign(**{column: alerts[column].where(alerts["trans_num"] != third, 0)})
    assert compared(judge, alerts, mine) == f"of {len(alerts):,} alerts, 1 {says} (the first: {third})."
    with pytest.raises(TypeError, match=f"{column} of the alerts must hold whole numbers"):
        judge.encode(alerts.assign(**{column: 0.5}))


def test_no_alerts_where_there_are_some_are_all_missing(judge: ModuleType, alerts: pd.DataFrame) -> None:
    assert f"{len(alerts):,} missing" in compared(judge, alerts, alerts.iloc[:0])


def test_equal_numbers_of_different_alerts_are_told(judge: ModuleType, alerts: pd.DataFrame) -> None:
    mine = alerts.assign(trans_num=[f"{number}" for number in range(len(alerts))])
    said = compared(judge, alerts, mine)
    assert f"{len(alerts):,} missing" in said
    assert f"{len(alerts):,} too many" in said


def test_an_index_and_further_columns_do_not_matter(judge: ModuleType, alerts: pd.DataFrame) -> None:
    mine = alerts.assign(found_by=1, reasons=alerts["reasons"].astype("int32")).set_index(
        "unix_time", drop=False
    )
    assert compared(judge, alerts, mine) == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: None, "it returned NoneType"),
        (lambda t: t.to_dict("records"), "must return a pandas DataFrame of alerts; it returned list"),
        (lambda t: t["trans_num"], "it returned Series"),
        (lambda t: t[["trans_num", "unix_time"]], "lacks cc_num, reasons; it has trans_num, unix_time"),
        (lambda t: t.rename(columns=str.upper), "lacks trans_num"),
        (lambda t: pd.concat([t, t[["trans_num"]]], axis=1), "a column twice"),
        (lambda t: t.assign(reasons="velocity"), "reasons of the alerts must hold whole numbers"),
        (lambda t: t.assign(reasons=1.5), "whole numbers, not float64"),
        (lambda t: t.assign(trans_num="\u00e9"), "holds what can't be an alert"),
    ],
)
def test_what_is_no_table_of_alerts_is_said_clearly(
    judge: ModuleType, alerts: pd.DataFrame, change: Any, says: str
) -> None:
    """A TypeError is what the pipeline takes for the learner's mistake."""
    with pytest.raises(TypeError, match=re.escape(says)):
        judge.encode(change(alerts))


def test_an_answer_holds_plain_arrays_of_one_dimension(judge: ModuleType, alerts: pd.DataFrame) -> None:
    for array in judge.encode(alerts).values():
        assert (array.ndim, array.dtype.hasobject, len(array)) == (1, False, len(alerts))


# Inputs


@pytest.mark.parametrize("number", range(5))
def test_every_size_writes_thirteen_files_with_all_rows(
    judge: ModuleType, tmp_path: Path, number: int
) -> None:
    size = judge.SIZES[number]
    judge.make_input(tmp_path, size, seed=number)
    (folder,) = judge.arguments(tmp_path)
    paths = sorted(folder.glob("part-*"))
    assert [path.name for path in paths] == [f"part-{number:03}.parquet" for number in range(13)]
    assert sum(len(fraud.read(path)) for path in paths) == size


def test_sizes_begin_with_nothing_and_no_number_of_workers_divides_the_files(judge: ModuleType) -> None:
    assert judge.SIZES[:2] == (0, 1)
    assert all(len(judge.REGIONS) % workers for workers in range(2, 13))


@pytest.mark.parametrize("seed", range(5))
def test_no_file_can_be_left_out_unseen(judge: ModuleType, tmp_path: Path, seed: int) -> None:
    judge.make_input(tmp_path, max(judge.SIZES), seed=seed)
    assert all(len(fraud.find_alerts(fraud.read(path))) > 1 for path in tmp_path.glob("part-*"))


def test_all_rows_of_a_card_are_in_one_file_and_files_differ_in_size(
    judge: ModuleType, tmp_path: Path
) -> None:
    judge.make_input(tmp_path, max(judge.SIZES), seed=8)
    tables = [fraud.read(path) for path in sorted(tmp_path.glob("part-*"))]
    seen: set[int] = set()
    for table in tables:
        cards = set(table["cc_num"])
        assert not cards & seen
        seen |= cards
    sizes = sorted(map(len, tables))
    assert sizes[-1] > 3 * sizes[0]
    assert sizes[-1] < sum(sizes) / 2, "two workers can share the work evenly"


def test_the_seed_decides_the_input(judge: ModuleType, tmp_path: Path) -> None:
    numbers = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        judge.make_input(tmp_path / name, 4_999, seed)
        numbers.append(sorted(fraud.read_folder(tmp_path / name)["trans_num"]))
    assert numbers[0] == numbers[1]
    assert not set(numbers[0]) & set(numbers[2])


# lab.toml


def test_the_lab_is_complete(lab: Lab) -> None:
    assert (lab.id, lab.module, lab.function) == ("11_fraud", "scorer", "find_alerts")
    assert lab.signature == "find_alerts(folder, workers)"
    assert lab.title
    assert 30 <= lab.minutes <= 180
    assert {name: check.points for name, check in lab.checks.items()} == {"answer": 6, "speedup": 4}
    assert all(check.asks for check in lab.checks.values())


def test_each_check_has_three_hints_and_only_the_last_one_gives_code(lab: Lab) -> None:
    assert lab.hints.keys() == lab.checks.keys()
    for hint in lab.hints.values():
        nudge, _, nearly = hint.steps
        assert "pool" not in nudge.lower()
        assert "pool" in nearly


# Wrong answers


def test_the_wrong_answers_are_those_that_the_lab_must_refuse() -> None:
    assert [path.stem for path in WRONG] == [
        "drops_the_last_chunk",
        "hangs",
        "one_card_a_task",
        "racing_counter",
        "returns_before_the_work_is_done",
        "serial",
        "size_sorted_halves",
    ]


def test_every_answer_is_read_with_what_is_expected_of_it(lab: Lab) -> None:
    expected = {answer.name: answer.expected for answer in verify.answers(lab)}
    assert expected.keys() == {"stub", "reference", *(path.stem for path in WRONG)}
    assert all("not yet" in said for name, said in expected.items() if name != "reference")
    assert len([said for said in expected.values() if said.startswith("speedup: not yet")]) <= 3, (
        "they take long"
    )


# The notebook


def test_the_released_notebook_shows_no_solution_and_a_stub() -> None:
    source = "\n".join(cell.source for cell in page(RELEASED).cells)
    assert "imap_unordered" not in source
    assert "SOLUTION" not in source
    assert "second server yet" not in source
    (stub,) = [cell for cell in page(RELEASED).cells if marks(cell).get("grade_id") == "scorer"]
    assert stub.source.startswith("%%module scorer\n")
    assert "raise NotImplementedError" in stub.source
    assert not (RELEASED / "wrong").exists()
