"""The lab 03_processes: what its judge says, what it must refuse, its notebook as nbgrader and learners need it."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from lab_pages import marks, page

from course.cases import branches
from grader import lab as labs
from grader.author import verify
from grader.model import Lab

FOLDER = labs.CHECKOUT / "solutions" / "03_processes"
RELEASED = labs.CHECKOUT / "labs" / "03_processes"
CUT, QUIT = "branch-02-2025-03.jsonl", "branch-02-2025-04.jsonl"
RIGHT = {
    "totals": {"01": 700, "02": 30},
    "failures": [
        {"file": CUT, "exit_code": 1, "cause": "JSONDecodeError"},
        {"file": QUIT, "exit_code": 3, "cause": "killed"},
    ],
}


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(FOLDER)


@pytest.fixture(scope="module")
def judge(lab: Lab) -> ModuleType:
    return lab.judge


def failures(*changes: dict[str, Any]) -> dict[str, Any]:
    """The right answer with these changes to its failures, one after the other."""
    return RIGHT | {
        "failures": [
            {**one, **change} for one, change in zip(RIGHT["failures"], (*changes, {}, {}), strict=False)
        ]
    }


def compared(judge: ModuleType, got: object) -> str:
    return str(judge.compare(judge.encode(RIGHT), judge.encode(got)))


# The judge


@pytest.mark.parametrize(
    "same",
    [
        RIGHT,
        RIGHT | {"totals": {"02": np.int64(30), "01": 700, "03": 0}},
        RIGHT | {"failures": RIGHT["failures"][::-1]},
        failures({"cause": "Traceback ...\njson.decoder.JSONDecodeError: line 1"}, {"cause": "it died"}),
        failures({"file": Path("ledgers", CUT), "more": "than is asked for"}),
        failures({"cause": "words " * 1_000 + "JSONDecodeError: at its end, as in a traceback"}),
        failures({"cause": "JSONDecodeError('at its beginning, as in a repr', " + "words " * 1_000}),
    ],
)
def test_the_same_answer_in_another_dress_is_equal(judge: ModuleType, same: object) -> None:
    assert compared(judge, same) == ""


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        (RIGHT | {"totals": {"01": 700}}, "Of the totals of 2 branches, 1 differ. The first: branch '02', 0"),
        (RIGHT | {"totals": {"01": 700}}, "what is left of its share is still to be done"),
        (RIGHT | {"totals": {"01": 700, "02": 30, "x": 1}}, "branch 'x', 1 instead of 0"),
        (RIGHT | {"failures": []}, f"{CUT}, the first of 2 such files, failed, and you report no failure."),
        (RIGHT | {"failures": RIGHT["failures"] * 2}, "is reported more than once"),
        (RIGHT | {"failures": [*RIGHT["failures"], {**RIGHT["failures"][0], "file": "b"}]}, "b is sound"),
        (failures({"exit_code": 0}), f"{CUT}: its worker ended with exit code 1; you have 0."),
        (
            failures({"cause": "line 1"}),
            "JSONDecodeError was raised, and the cause has to name it; you have 'line 1'",
        ),
        (failures({}, {"cause": "  "}), f"{QUIT}: a cause in words is missing"),
        (failures({}, {"cause": None}), f"{QUIT}: a cause in words is missing"),
    ],
)
def test_what_is_wrong_is_named(judge: ModuleType, mine: object, says: str) -> None:
    assert says in compared(judge, mine)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "it returned NoneType. Does it end with a return?"),
        ({"01": 1}, "lacks 'totals' and 'failures'"),
        ({"totals": {}}, "lacks 'failures'"),
        ({"totals": [1], "failures": []}, "'totals' must be a dict, branch -> hundredths; it is list"),
        ({"totals": {1: 1}, "failures": []}, "it has 1: 1"),
        ({"totals": {"01": 1.5}, "failures": []}, "it has '01': 1.5"),
        ({"totals": {"01": 1 << 70}, "failures": []}, "too large"),
        ({"totals": {}, "failures": "none"}, "'failures' must be a list of dicts; it is str"),
        ({"totals": {}, "failures": [CUT]}, "must be a dict of file, exit_code and cause"),
        ({"totals": {}, "failures": [{"file": CUT, "exit_code": None, "cause": ""}]}, "there is None"),
    ],
)
def test_what_is_no_answer_is_said_clearly(judge: ModuleType, answer: object, says: str) -> None:
    """A TypeError is what the pipeline takes for the learner's mistake."""
    with pytest.raises(TypeError, match=re.escape(says)):
        judge.encode(answer)


@pytest.mark.parametrize("check", ["failure", "clean_up"])
def test_a_year_with_damage_has_every_kind_of_it_and_two_dead_neighbours(
    judge: ModuleType, tmp_path: Path, check: str
) -> None:
    there = labs.in_scenario(judge, check)
    for size in there.SIZES:
        folder = tmp_path / str(size)
        folder.mkdir()
        there.make_input(folder, size, seed=size)
        paths = branches.files(folder)
        hit = [number for number, path in enumerate(paths) if branches.damage_of(path)]
        assert {branches.damage_of(paths[number]) for number in hit} == set(branches.DAMAGES)
        assert any(
            {branches.damage_of(paths[number]), branches.damage_of(paths[number + 1])} == {"scan that quits"}
            for number in hit
            if number + 1 in hit
        )
        right = there.serial(folder)
        assert len(right["failures"]) == len(hit)
        sound = sum(branches.total(path) for number, path in enumerate(paths) if number not in hit)
        assert sum(right["totals"].values()) == sound


def test_the_largest_answer_is_more_than_a_pipe_holds(judge: ModuleType, tmp_path: Path) -> None:
    """Or who joins before draining would get away with it: a pipe holds 64 KiB on Linux, and less elsewhere."""
    judge.make_input(tmp_path, max(judge.SIZES), seed=1)
    assert sum(path.stat().st_size for path in branches.files(tmp_path)) > 2 * 2 * 65_536


# lab.toml


def test_the_lab_is_complete(lab: Lab) -> None:
    assert (lab.id, lab.module, lab.function) == ("03_processes", "year_end", "total_branches")
    assert lab.signature == "total_branches(folder, workers)"
    points = {name: check.points for name, check in lab.checks.items()}
    assert points == {"answer": 4, "failure": 4, "clean_up": 2, "speedup": 4}


def test_each_check_has_three_hints_and_only_the_last_one_gives_code(lab: Lab) -> None:
    assert lab.hints.keys() == lab.checks.keys()
    for hint in lab.hints.values():
        nudge, way, nearly = hint.steps
        code = r"\w\(\w+, |for \w+ in|if \w+\."
        assert not re.search(code, nudge + way)
        assert re.search(code, nearly)


# Wrong answers


def test_the_wrong_answers_are_those_that_the_lab_must_refuse(lab: Lab) -> None:
    expected = {answer.name: answer.expected for answer in verify.answers(lab)}
    assert {name: said for name, said in expected.items() if name not in ("stub", "reference")} == {
        "cause_without_the_exceptions_name": "failure: not yet (wrong answer)",
        "equal_numbers_of_files": "speedup: not yet (skew or one-worker-does-all)",
        "ignores_exit_codes": "failure: not yet (wrong answer)",
        "joins_before_draining": "answer: not yet (timed out)",
        "loses_the_rest_of_a_share": "failure: not yet (wrong answer)",
        "one_process_a_file": "speedup: not yet (start-up-dominates or more-workers-than-cores or added-work)",
        "progress_daemon_is_forgotten": "clean_up: not yet (process left)",
        "reports_success_whatever_happens": "failure: not yet (wrong answer)",
        "started_and_joined_in_turn": "speedup: not yet (waiting or start-up-dominates)",
        "stops_at_the_first_failure": "failure: not yet (raised)",
        "target_inside_a_function": "answer: not yet (raised)",
    }


# The notebook


def test_the_released_notebook_shows_no_solution_and_three_stubs() -> None:
    source = "\n".join(cell.source for cell in page(RELEASED).cells)
    for secret in ("one_round", "SOLUTION", "loads.index", "terminate", "Show the totals tomorrow"):
        assert secret not in source
    (stub,) = [cell for cell in page(RELEASED).cells if marks(cell).get("grade_id") == "year-end"]
    assert stub.source.startswith("%%module year_end\n")
    assert stub.source.count("raise NotImplementedError") == 3
    assert not (RELEASED / "wrong").exists()
