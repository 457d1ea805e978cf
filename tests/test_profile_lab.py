"""The profile lab: its programs hide one hot spot each, its judge lets noise pass and mistakes not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

from course import slow_program
from grader import lab as labs
from grader import machine
from grader.assess import assess
from grader.author import verify
from grader.launch.local import LocalLauncher
from grader.model import Lab, Verdict, WorkerModule
from grader.notebook import read_worker, read_worker_file

FOLDER = labs.CHECKOUT / "solutions" / "01_profile"
RELEASED = labs.CHECKOUT / "labs" / "01_profile"
WRONG = sorted((FOLDER / "wrong").glob("*.py"))
SEEDS = range(24)


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(FOLDER)


@pytest.fixture(scope="module")
def judge(lab: Lab) -> ModuleType:
    return lab.judge


@pytest.fixture(scope="module")
def truth(judge: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the judge itself measures of one program."""
    folder = tmp_path_factory.mktemp("input")
    judge.make_input(folder, 1_000, 5)
    return dict(judge.serial(*judge.arguments(folder)))


# The programs


@pytest.mark.parametrize("seed", SEEDS)
def test_every_program_has_one_hot_spot(judge: ModuleType, tmp_path: Path, seed: int) -> None:
    program = slow_program.write(tmp_path / "program.py", claims=1_000, seed=seed)
    _, function, line, share = min(judge.hot_spot(program) for _ in range(3))
    assert function in ("compare", "project", "discount")
    assert program.read_text(encoding="utf-8").splitlines()[line - 1].startswith(f"def {function}(")
    assert share > 0.45, "the second one is too near"
    assert share < 0.95, "there is too little beside it"


def test_each_of_the_three_functions_is_the_hot_one_for_some_seed(judge: ModuleType, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    found = {judge.hot_spot(slow_program.write(program, claims=300, seed=seed))[1] for seed in SEEDS}
    assert found == {"compare", "project", "discount"}


def test_the_seed_decides_the_program_and_its_answer_stays_the_same(tmp_path: Path) -> None:
    one, same, other = (
        slow_program.write(tmp_path / f"{name}.py", claims=50, seed=seed)
        for name, seed in (("one", 1), ("same", 1), ("other", 2))
    )
    assert one.read_text(encoding="utf-8") == same.read_text(encoding="utf-8")
    assert one.read_text(encoding="utf-8") != other.read_text(encoding="utf-8")
    assert slow_program.load(one).main() == slow_program.load(same).main()


# The judge


def compared(judge: ModuleType, expected: dict[str, Any], **changes: Any) -> str:
    return str(judge.compare(judge.encode(expected), judge.encode({**expected, **changes})))


def test_noise_in_the_share_passes_when_the_ceiling_follows_from_it(
    judge: ModuleType, truth: dict[str, Any]
) -> None:
    assert compared(judge, truth) == ""
    for noise in (-0.18, 0.18):
        share = truth["share"] + noise
        assert compared(judge, truth, share=share, ceiling=judge.amdahl(share, truth["cores"])) == ""


def test_numpy_numbers_and_whole_ones_are_numbers(judge: ModuleType, truth: dict[str, Any]) -> None:
    import numpy as np

    assert compared(judge, truth, line=np.int64(truth["line"]), share=np.float64(truth["share"])) == ""
    assert compared(judge, truth, cores=float(truth["cores"])) == ""


def test_a_mistake_in_the_ceiling_is_named(judge: ModuleType, truth: dict[str, Any]) -> None:
    share, cores = truth["share"], truth["cores"]
    for ceiling, says in (
        (cores, "if all of the program were split"),
        (1 / (1 - share), "endlessly many cores"),
        (judge.amdahl(1 - share, cores), "the wrong way round"),
        (cores * share, "The serial part is missing"),
        (1 / truth["ceiling"], "the time that is left"),
        (truth["ceiling"] * 1.1, "Amdahl's law gives"),
    ):
        assert says in compared(judge, truth, ceiling=ceiling)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"function": "main"}, "main is not the hottest function"),
        ({"line": 1}, "you say 1"),
        ({"share": 71.0}, "Is it in per cent"),
        ({"share": 0.2}, "would still pass for noise"),
        ({"share": float("nan")}, "you say nan"),
        ({"cores": 2}, "your answer is for 2"),
        ({"ceiling": float("nan")}, "you say nan"),
        ({"ceiling": float("inf")}, "you say inf"),
    ],
)
def test_what_is_wrong_is_said_with_what_was_measured(
    judge: ModuleType, truth: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    assert says in compared(judge, truth, **change)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "it returned NoneType"),
        (("project", 7, 0.7), "must return a dict"),
        ({"function": "project", "line": 7}, "lacks share, cores, ceiling"),
        ({"function": 7, "line": 7, "share": 0.7, "cores": 6, "ceiling": 2.4}, "a str, not int"),
        (
            {"function": "project", "line": "7", "share": 0.7, "cores": 6, "ceiling": 2.4},
            "line must be a number",
        ),
        (
            {"function": "project", "line": 7, "share": "70 %", "cores": 6, "ceiling": 2.4},
            "share must be a number",
        ),
    ],
)
def test_what_is_no_answer_is_said_clearly(judge: ModuleType, answer: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        judge.encode(answer)


# The lab


def test_the_lab_is_complete_and_its_function_gets_no_workers(lab: Lab) -> None:
    assert (lab.id, lab.module, lab.function) == ("01_profile", "investigator", "investigate")
    assert not lab.takes_workers
    assert {name: check.points for name, check in lab.checks.items()} == {"answer": 6}
    assert lab.hints.keys() == lab.checks.keys()
    nudge, _, nearly = lab.hints["answer"].steps
    assert "cProfile" not in nudge
    assert "runcall" in nearly


def test_every_answer_is_read_with_what_is_expected_of_it(lab: Lab) -> None:
    expected = {answer.name: answer.expected for answer in verify.answers(lab)}
    assert expected.keys() == {"stub", "reference", *(path.stem for path in WRONG)}
    assert len(WRONG) >= 5
    assert all("not yet" in said for name, said in expected.items() if name != "reference")


# The notebook


def test_the_released_notebook_shows_no_solution_and_a_stub() -> None:
    page = nbformat.read(RELEASED / "01_profile.ipynb", as_version=4)
    source = "\n".join(cell.source for cell in page.cells)
    assert "runcall" not in source
    assert "SOLUTION" not in source
    assert "No to the server for now" not in source
    (stub,) = [cell for cell in page.cells if cell.source.startswith("%%module investigator")]
    assert "raise NotImplementedError" in stub.source
    assert not (RELEASED / "wrong").exists()


# Real trials


@pytest.fixture
def neighbours() -> Iterator[None]:
    """As many busy programs as there are cores, for a minute at most."""
    busy = "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"
    started = [subprocess.Popen([sys.executable, "-c", busy]) for _ in range(os.cpu_count() or 1)]
    yield
    for process in started:
        process.kill()
        process.wait(timeout=10)


def tried(lab: Lab, worker: WorkerModule) -> Verdict:
    return assess(lab, "answer", worker, LocalLauncher(), machine.look(), lambda line: None)


@pytest.mark.slow
@pytest.mark.alone
def test_the_reference_is_met_also_beside_busy_neighbours(lab: Lab, neighbours: None) -> None:
    verdict = tried(lab, read_worker(lab.notebook, lab.module))
    assert verdict.outcome == "met", verdict.reason


@pytest.mark.slow
def test_a_wrong_answer_is_told_what_is_wrong_and_for_which_program(lab: Lab) -> None:
    wrong = read_worker_file(FOLDER / "wrong" / "serial_and_split_swapped.py", lab.module)
    verdict = tried(lab, wrong)
    assert verdict.outcome == "not yet"
    assert "At size 5,000" in verdict.reason
    assert "the wrong way round" in verdict.reason


@pytest.mark.slow
def test_a_function_that_wants_workers_is_told_the_signature(lab: Lab) -> None:
    source = "def investigate(program, cores, workers):\n    return {}\n"
    verdict = tried(lab, WorkerModule(lab.module, {lab.module: source}, "a test"))
    assert verdict.outcome == "not yet"
    assert "The lab calls investigate(program, cores)" in verdict.reason
