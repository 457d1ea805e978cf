"""nbgrader, with our configuration and nothing else, takes the fraud lab from its source to grades and feedback.

Scored as they are due: whatever leaves the notebook's kernel alive, and (by `grader.bridge.Execute`) what ends it.
Not yet: code that sets out to deceive, which runs in the marker's own kernel here, as it does in any nbgrader.
"""

from __future__ import annotations

import csv
import filecmp
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.auth import Authenticator
from nbgrader.exchange import ExchangeFactory
from nbgrader.plugins import CsvExportPlugin
from nbgrader_course import (
    LAB,
    NOTEBOOK,
    REPOSITORY,
    WRONG,
    copy_of_the_repository,
    reference,
    write_into,
)
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

pytestmark = [
    pytest.mark.slow,
    # nbgrader's own: its queries, its `authentictor`, files that it leaves open.
    pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning"),
    pytest.mark.filterwarnings("ignore:Passing unrecognized arguments:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.skipif(os.name != "posix", reason="nbgrader has no exchange on Windows"),
]

ENDS_IN_THE_CHECK = """\
import os
import sys

if "ipykernel" not in sys.modules:
    os._exit(0)


def find_alerts(folder, workers):
    raise NotImplementedError
"""
ENDS_WHEN_IMPORTED = "import os\n\nos._exit(0)\n"

LEARNERS = {
    "fast": reference(),
    "serial": (WRONG / "serial.py").read_text(encoding="utf-8"),
    "wrong": (WRONG / "drops_the_last_chunk.py").read_text(encoding="utf-8"),
    "died": ENDS_IN_THE_CHECK,
    "ended": ENDS_WHEN_IMPORTED,
}


@dataclass(frozen=True)
class Marked:
    """A course when all is done: its folder, what each learner has in theirs, the file of grades."""

    course: Path
    learners: Path
    grades: Path

    def scores(self, learner: str) -> dict[str, tuple[float | None, bool]]:
        """The learner's automatic score of each cell that has points, and whether a marker must look at it."""
        with Gradebook(f"sqlite:///{self.course / 'gradebook.db'}", "corewise") as gradebook:
            page = gradebook.find_submission_notebook("11_fraud", LAB, learner)
            return {grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in page.grades}

    def output(self, learner: str, cell: str) -> str:
        """What the marked notebook shows below a cell: its panel, its error."""
        page = nbformat.read(self.course / "autograded" / learner / LAB / NOTEBOOK, as_version=4)
        (found,) = [c for c in page.cells if c.metadata.get("nbgrader", {}).get("grade_id") == cell]
        return "".join(shown_of(output) for output in found.outputs)

    def feedback(self, learner: str) -> str:
        """The page that the learner has fetched."""
        (page,) = (self.learners / learner / LAB / "feedback").rglob("*.html")
        return page.read_text(encoding="utf-8")


def shown_of(output: Any) -> str:
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return str(output.get("data", {}).get("text/html", output.get("text", "")))


def outcome(shown: str, check: str) -> str:
    """The verdict in a panel's own label."""
    found = re.search(rf'aria-label="Check {check}: (met|not yet|cannot tell)', shown)
    assert found, shown[:2000]
    return found[1]


def configuration(course: Path, exchange: Path) -> Config:
    """The copy's own nbgrader_config.py, with an exchange that is nobody else's."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    config.Exchange.root = str(exchange)
    config.ExchangeCollect.check_owner = False
    return config


def done(result: dict[str, Any]) -> None:
    assert result["success"], f"{result.get('error')}\n{result.get('log')}"


class Learner:
    """nbgrader as one learner has it: fetch, submit, fetch the feedback."""

    def __init__(self, name: str, folder: Path, config: Config) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        own = deepcopy(config)
        own.CourseDirectory.student_id = name
        own.CourseDirectory.assignment_id = LAB
        own.Exchange.assignment_dir = str(self.folder)
        own.Exchange.cache = str(self.folder / "cache")
        self._api = NbGraderAPI(config=own)
        self._factory = ExchangeFactory(config=own)
        self._all = {
            "coursedir": self._api.coursedir,
            "authenticator": Authenticator(config=own),
            "config": own,
        }

    def hand_in(self, module: str) -> None:
        self._factory.FetchAssignment(**self._all).start()
        write_into(self.folder / LAB / NOTEBOOK, module)
        self._factory.Submit(**self._all).start()

    def fetch_feedback(self) -> None:
        self._factory.FetchFeedback(**self._all).start()


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marked]:
    """The whole cycle, once, in this process. The case's data are small; the checks are as they are."""
    place = tmp_path_factory.mktemp("cycle")
    (place / "learners").mkdir()
    course = copy_of_the_repository(place / "course")
    config = configuration(course, place / "exchange")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COREWISE_SMALL", "1")
        environment.chdir(course)
        (place / "exchange").mkdir(mode=0o777)
        api = NbGraderAPI(config=config)
        done(api.generate_assignment(LAB))
        done(api.release_assignment(LAB))
        learners = {name: Learner(name, place / "learners", config) for name in LEARNERS}
        for name, learner in learners.items():
            learner.hand_in(LEARNERS[name])
        done(api.collect(LAB))
        for name in LEARNERS:
            done(api.autograde(LAB, name))
        done(api.generate_feedback(LAB))
        done(api.release_feedback(LAB))
        for learner in learners.values():
            learner.fetch_feedback()
        with api.gradebook as gradebook:
            CsvExportPlugin(to=str(place / "grades.csv")).export(gradebook)
        yield Marked(course, place / "learners", place / "grades.csv")


def test_nbgrader_releases_what_stands_in_labs_and_no_wrong_answer(marked: Marked) -> None:
    for folder in (marked.course / "labs" / LAB, REPOSITORY / "labs" / LAB):
        names = {path.name for path in folder.iterdir()} - {"__pycache__"}
        assert names == {NOTEBOOK, "checks.py", "lab.toml"}
    same, *_ = filecmp.cmpfiles(
        marked.course / "labs" / LAB, REPOSITORY / "labs" / LAB, sorted(names), shallow=False
    )
    assert same == sorted(names)


def test_the_reference_is_never_not_yet(marked: Marked) -> None:
    assert outcome(marked.output("fast", "check-answer"), "answer") == "met"
    assert marked.scores("fast")["check-answer"] == (6.0, False)
    verdict = outcome(marked.output("fast", "check-speedup"), "speedup")
    assert verdict in ("met", "cannot tell")
    if verdict == "met":
        assert marked.scores("fast")["check-speedup"] == (4.0, False)


def test_serial_code_has_the_answers_points_and_none_for_speed(marked: Marked) -> None:
    assert marked.scores("serial")["check-answer"] == (6.0, False)
    assert outcome(marked.output("serial", "check-speedup"), "speedup") == "not yet"
    assert marked.scores("serial")["check-speedup"] == (0.0, False)


def test_a_wrong_answer_has_no_points_for_either(marked: Marked) -> None:
    assert outcome(marked.output("wrong", "check-answer"), "answer") == "not yet"
    assert "The answer is wrong" in marked.output("wrong", "check-answer")
    assert marked.scores("wrong")["check-answer"] == (0.0, False)
    assert marked.scores("wrong")["check-speedup"] == (0.0, False)


def test_a_module_that_ends_its_process_is_scored_with_the_reason_in_its_panel(marked: Marked) -> None:
    for cell in ("check-answer", "check-speedup"):
        assert outcome(marked.output("died", cell), cell.removeprefix("check-")) == "not yet"
        assert "scorer.py ends the process that imports it" in marked.output("died", cell)
        assert marked.scores("died")[cell] == (0.0, False)


def test_a_module_that_ends_the_notebooks_kernel_is_scored_and_told_why(marked: Marked) -> None:
    for cell in ("check-answer", "check-speedup"):
        assert "The notebook's process ended in this cell or above it" in marked.output("ended", cell)
        assert marked.scores("ended")[cell] == (0.0, False)


@pytest.mark.parametrize("learner", LEARNERS)
def test_the_memo_waits_for_a_marker(marked: Marked, learner: str) -> None:
    assert marked.scores(learner)["memo"] == (None, True)


@pytest.mark.parametrize("learner", [name for name in LEARNERS if name != "ended"])
def test_each_learner_fetches_a_page_with_both_panels(marked: Marked, learner: str) -> None:
    page = marked.feedback(learner)
    for check in ("answer", "speedup"):
        assert outcome(page, check) == outcome(marked.output(learner, f"check-{check}"), check)
    assert "sooner. Predicted: the night" in page


def test_who_ended_the_kernel_fetches_a_page_that_says_so(marked: Marked) -> None:
    assert "process ended in this cell or above it" in marked.feedback("ended")


def test_the_export_has_everyone_with_the_points_of_the_gradebook(marked: Marked) -> None:
    with marked.grades.open(encoding="utf-8", newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(LEARNERS)
    for learner, row in rows.items():
        due = sum(score or 0.0 for score, _ in marked.scores(learner).values())
        assert (float(row["raw_score"]), float(row["max_score"])) == (due, 15.0)


# By nbgrader's own commands


def nbgrader(folder: Path, *words: str, fails: bool = False) -> str:
    """Run a command of nbgrader in a folder; what it said."""
    run = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=folder,
        env={**os.environ, "COREWISE_SMALL": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    said = run.stdout + run.stderr
    assert (run.returncode != 0) == fails, said
    return said


def test_nbgraders_own_commands_do_it_all_from_the_folder_of_the_course(tmp_path: Path) -> None:
    """Two more learners: one who wrote nothing, and one whose own cell ends the kernel before anything else runs."""
    course = copy_of_the_repository(tmp_path / "course")
    (tmp_path / "exchange").mkdir(mode=0o777)
    exchange = f"--Exchange.root={tmp_path / 'exchange'}"
    nbgrader(course, "generate_assignment", LAB, "--force")
    nbgrader(course, "release_assignment", LAB, exchange)

    def as_learner(name: str, command: str) -> None:
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        cache = f"--Exchange.cache={home / 'cache'}"
        nbgrader(home, command, LAB, "--course=corewise", f"--student={name}", exchange, cache)

    for name in ("blank", "left"):
        as_learner(name, "fetch_assignment")
    write_into(tmp_path / "left" / LAB / NOTEBOOK, reference(), first_cell="import os\nos._exit(0)")
    for name in ("blank", "left"):
        as_learner(name, "submit")

    nbgrader(course, "collect", LAB, exchange)
    nbgrader(course, "autograde", LAB)
    nbgrader(course, "generate_feedback", LAB)
    nbgrader(course, "release_feedback", LAB, exchange)
    nbgrader(course, "export")
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        assert {row["student_id"]: row["raw_score"] for row in csv.DictReader(file)} == {
            "blank": "0.0",
            "left": "0.0",
        }
    for name, reason in (
        ("blank", "it is not written yet"),
        ("left", "process ended in this cell or above it"),
    ):
        as_learner(name, "fetch_feedback")
        (page,) = (tmp_path / name / LAB / "feedback").rglob("*.html")
        assert reason in page.read_text(encoding="utf-8")


def test_validate_accepts_the_solution_and_names_what_a_stub_lacks(tmp_path: Path) -> None:
    course = copy_of_the_repository(tmp_path / "course")
    assert "Success! Your notebook passes all the tests." in nbgrader(
        course, "validate", f"solutions/{LAB}/{NOTEBOOK}"
    )
    said = nbgrader(course, "validate", f"labs/{LAB}/{NOTEBOOK}")
    assert "VALIDATION FAILED ON" in said
    assert 'check("answer")' in said
