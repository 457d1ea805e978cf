"""Where am I, and what next? A learner's checks are recorded in their workspace, and a page shows what they come to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_checkout import REPOSITORY, corewise, make
from tiny_lessons import ONE, module

from grader import coursemap, progress, record
from grader import lab as labs
from grader.coursemap import Course, LabPage
from grader.lesson import Lesson
from grader.model import Verdict, WorkerModule
from grader.record import Attempt, Record
from grader.report.progress import ProgressPanel, as_json, render
from grader.selfcheck import OpenLab

PRIMES = REPOSITORY / "tests" / "labs" / "primes"
MET = Verdict("primes", "answer", "How many?", "met", False, 6.0, 6.0, "Right.")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder that `corewise learn` made, as far as the record knows."""
    folder = tmp_path / "work"
    (folder / ".corewise").mkdir(parents=True)
    (folder / ".corewise" / "manifest.json").write_text("{}", encoding="utf-8")
    return folder


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in record.file_of(folder).read_text().splitlines() if line]


# What is recorded


def check_in(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, name: str = "answer") -> str:
    """The points of one check in a notebook that lies in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(folder)
    worker = WorkerModule("counter", {"counter": source}, "a test")
    return repr(OpenLab(labs.load(PRIMES), lambda lab: worker).check(name))


WRONG = "def count_primes(numbers, workers):\n    return 0\n"


@pytest.mark.slow
def test_each_check_in_a_workspace_is_one_line_and_outside_nothing_is_written(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = workspace / "labs" / "primes"
    right = WRONG.replace(
        "return 0", "return sum(n > 1 and all(n % d for d in range(2, n)) for n in numbers)"
    )
    assert check_in(lab, monkeypatch, WRONG) == "0.0"
    assert check_in(lab, monkeypatch, right) == "6.0"
    found = lines(workspace)
    assert [(one["lab"], one["check"], one["outcome"], one["points"]) for one in found] == [
        ("primes", "answer", "not yet", 0.0),
        ("primes", "answer", "met", 6.0),
    ]
    assert all(one["at"].endswith("+00:00") for one in found)
    assert check_in(tmp_path / "elsewhere", monkeypatch, right) == "6.0"
    assert list((tmp_path / "elsewhere").rglob("*.jsonl")) == []
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert check_in(lab, monkeypatch, right) == "6.0"
    assert len(lines(workspace)) == 2, "a preview settles nothing"


def test_a_check_that_does_not_exist_is_not_recorded(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_in(workspace, monkeypatch, WRONG, "answr") == "0.0"
    assert not record.file_of(workspace).exists()


def test_what_was_kept_is_read_back(workspace: Path) -> None:
    record.keep(workspace, MET)
    record.keep(workspace, replace(MET, outcome="cannot tell", points=float("nan")))
    record.mark(workspace, "00_start")
    found = record.read(workspace)
    assert [(one.outcome, one.points) for one in found.attempts] == [("met", 6.0), ("cannot tell", 0.0)]
    assert found.modules == {"00_start"}


WRITER = """
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from grader import record
from grader.model import Verdict
for number in range(200):
    record.keep(Path(sys.argv[1]), Verdict("primes", sys.argv[2], "?", "met", False, float(number), 6.0, "Right."))
"""


@pytest.mark.slow
def test_notebooks_that_check_at_the_same_time_lose_nothing(workspace: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(workspace), name], env=environment)
        for name in ("answer", "speedup", "memory")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    found = record.read(workspace).attempts
    for name in ("answer", "speedup", "memory"):
        assert [one.points for one in found if one.check == name] == [float(number) for number in range(200)]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
def test_a_full_disk_costs_the_record_and_nothing_else(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "file_of", lambda folder: Path("/dev/full"))
    record.keep(workspace, MET)


def test_a_line_cut_short_spoils_no_other(workspace: Path) -> None:
    record.keep(workspace, MET)
    with record.file_of(workspace).open("a") as file:
        file.write('\n{"at": "2026-01-01", "lab": "pri')
    record.keep(workspace, MET)
    with record.file_of(workspace).open("ab") as file:
        file.write(b'\n\xff\n[1]\n{"lab": 1}\n{"lab": "a", "check": "b", "outcome": "won", "points": 1}\n')
    assert len(record.read(workspace).attempts) == 2


@pytest.mark.skipif(os.name != "posix", reason="links and folders as POSIX has them")
def test_where_nothing_can_be_written_nothing_is_raised(workspace: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    record.file_of(workspace).symlink_to(elsewhere)
    record.keep(workspace, MET)
    assert not elsewhere.exists(), "no link is followed"
    record.file_of(workspace).unlink()
    record.file_of(workspace).mkdir()
    record.keep(workspace, MET)
    assert record.read(workspace) == Record()
    record.keep(tmp_path / "nowhere", MET)
    assert not (tmp_path / "nowhere").exists()


# What it comes to


def page(module_id: str, name: str, *needs: str) -> Lesson:
    facts = {"minutes": 20, "prerequisites": list(needs)}
    return Lesson(Path("course", module_id, f"{name}.ipynb"), (), facts)


def lab(lab_id: str, *needs: str) -> LabPage:
    return LabPage(lab_id, lab_id[3:].capitalize(), 30, {"answer": 6.0, "speedup": 4.0}, needs)


COURSE = coursemap.of(
    [page("00_start", "01_hello"), page("01_measure", "01_time", "00_start"), page("01_measure", "02_more")],
    [lab("01_profile"), lab("11_fraud", "01_measure/01_time")],
)


def tried(lab_id: str, check: str, outcome: Any, points: float) -> Attempt:
    return Attempt(lab_id, check, outcome, points, "2026-01-01T10:00:00+00:00")


def look(*attempts: Attempt, done: tuple[str, ...] = (), course: Course = COURSE) -> progress.Progress:
    return progress.look(course, Record(attempts, frozenset(done)), Path("/course"))


PROFILE_MET = (tried("01_profile", "answer", "met", 6), tried("01_profile", "speedup", "met", 4))


def step(found: progress.Progress) -> tuple[str, str]:
    assert found.step
    return found.step.page, found.step.what


def test_labs_belong_to_the_module_of_their_number_and_stand_alone_without_one() -> None:
    assert [(one.id, [lab.id for lab in one.labs], one.needs) for one in COURSE.stages] == [
        ("00_start", [], ()),
        ("01_measure", ["01_profile"], ("00_start",)),
        ("11_fraud", ["11_fraud"], ("01_measure",)),
    ]
    assert [one.minutes for one in COURSE.stages] == [20, 70, 30]


def test_who_needs_a_lab_waits_for_the_module_that_it_belongs_to() -> None:
    course = coursemap.of(
        [page("01_measure", "01_time", "labs/01_profile")],
        [lab("01_profile"), lab("11_fraud", "labs/01_profile")],
    )
    assert [one.needs for one in course.stages] == [(), ("01_measure",)]


def test_a_beginner_begins_at_the_beginning() -> None:
    where, what = step(look())
    assert where == "modules/00_start/01_hello.ipynb"
    assert "Begin with 00.1" in what
    assert 'progress("00_start")' in what, "it has no lab that could show that it is done"


def test_a_module_called_done_leads_to_the_next_and_one_with_a_lab_names_it() -> None:
    where, what = step(look(done=("00_start",)))
    assert where == "modules/01_measure/01_time.ipynb"
    assert "with its lab 01_profile. Begin with 01.1" in what


def test_a_lab_that_was_begun_is_next_with_what_is_missing() -> None:
    found = look(tried("01_profile", "answer", "met", 6), done=("00_start",))
    assert step(found) == (
        "labs/01_profile/01_profile.ipynb",
        'Lab 01 · Profile: check("speedup") has not been run.',
    )
    found = look(
        tried("01_profile", "answer", "not yet", 0),
        tried("01_profile", "speedup", "cannot tell", 4),
        done=("00_start",),
    )
    assert step(found)[1].endswith('check("answer") is not yet met, check("speedup") could not tell.')


def test_what_needs_something_that_is_not_done_waits_for_it() -> None:
    course = coursemap.of([page("00_start", "01_a", "01_then/01_b"), page("01_then", "01_b")], [])
    assert step(look(course=course))[0] == "modules/01_then/01_b.ipynb"
    assert step(look(course=course, done=("01_then",)))[0] == "modules/00_start/01_a.ipynb"


def test_prerequisites_in_a_circle_still_lead_somewhere() -> None:
    course = coursemap.of([page("00_a", "01_a", "01_b"), page("01_b", "01_b", "00_a")], [])
    assert step(look(course=course))[0] == "modules/00_a/01_a.ipynb"


def test_the_best_of_each_check_counts_and_all_done_is_said() -> None:
    fraud = [tried("11_fraud", "answer", "met", 6), tried("11_fraud", "speedup", "met", 4)]
    worse = [tried("11_fraud", "speedup", "not yet", 2), tried("11_fraud", "speedup", "cannot tell", 4)]
    found = look(*PROFILE_MET, *fraud, *worse, done=("00_start",))
    assert found.step is None
    assert [state.done for state in found.stages] == [True, True, True]
    speedup = found.stages[2].labs[0].checks[1]
    assert speedup.best
    assert (speedup.tries, speedup.best.outcome, speedup.best.points) == (3, "met", 4)
    assert render(found).endswith("Every module and lab is done.")


def test_half_of_the_points_are_better_than_none_and_are_not_done() -> None:
    found = look(tried("11_fraud", "speedup", "not yet", 2), tried("11_fraud", "speedup", "cannot tell", 0))
    speedup = found.stages[2].labs[0].checks[1]
    assert (speedup.done, speedup.best and speedup.best.points) == (False, 2)


def test_what_could_not_be_told_is_forgotten_once_it_is() -> None:
    found = look(tried("11_fraud", "speedup", "cannot tell", 4), tried("11_fraud", "speedup", "not yet", 0))
    speedup = found.stages[2].labs[0].checks[1]
    assert (speedup.best and speedup.best.outcome, found.stages[2].labs[0].points) == ("not yet", 0)


# How it is shown


def test_the_panel_and_the_text_say_the_same() -> None:
    found = look(*PROFILE_MET, tried("11_fraud", "answer", "not yet", 0), done=("00_start",))
    text = render(found)
    panel = ProgressPanel(found, Path("/course/labs/11_fraud"))
    shown = panel._repr_html_()
    for said in (
        "00 · Start",
        "Lab 01 · Profile: 10 of 10 points",
        "answer: met, 6 of 6 points, 1 try",
        "speedup: not run yet",
    ):
        assert said in text
        assert said in shown
    assert repr(panel) == text
    assert 'aria-label="Where you are"' in shown
    assert '<a href="11_fraud.ipynb">' in shown, "a link from the notebook's own folder"
    assert json.loads(json.dumps(as_json(found)))["next"]["page"] == "labs/11_fraud/11_fraud.ipynb"


def test_outside_a_workspace_the_map_is_shown_and_why_there_is_no_more() -> None:
    found = progress.look(COURSE, Record())
    shown = ProgressPanel(found, Path("/anywhere"))._repr_html_()
    for said in (render(found), shown):
        assert "This is not a workspace of Corewise" in said
        assert "00 · Start" in said
    assert "<a href" not in shown


CELLS = """
from IPython.core.interactiveshell import InteractiveShell as Shell
shell = Shell.instance()
shell.run_cell("%load_ext grader")
print(shell.run_cell("progress()").result)
shell.run_cell('progress("07_none")')
print(shell.run_cell('progress("01_first")').result)
"""
LEARN = """
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from grader.workspace import update
update(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture
def delivered() -> Iterator[tuple[Path, Path]]:
    """A checkout with one module and one lab, and a workspace made from it. Short names: sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="cw-") as room:
        checkout, folder = module(make(Path(room).resolve() / "c")), Path(room).resolve() / "work"
        (checkout / "course/START.md").write_text("# Start\n", encoding="utf-8")
        (checkout / "course/nbgrader_config.py").write_text("", encoding="utf-8")
        shutil.copytree(checkout / "solutions/primes", checkout / "labs/primes")
        python(checkout, LEARN, str(folder), str(checkout))
        yield checkout, folder


def python(checkout: Path, code: str, *words: str, cwd: Path | None = None) -> str:
    """What a program prints that has the checkout's own package."""
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=60,
    ).stdout


@pytest.mark.slow
def test_progress_in_a_notebook_shows_it_and_calls_a_module_done(delivered: tuple[Path, Path]) -> None:
    checkout, folder = delivered
    said = python(checkout, CELLS, cwd=folder / "modules/01_first")
    assert "Next: Module 01 · First; when you are through it" in said
    assert "Begin with 01.1 · One thing" in said
    assert "There is no module '07_none'." in said
    assert "The modules: 01_first" in said
    assert record.read(folder).modules == {"01_first"}
    assert "Next: Lab primes · Counting primes: nothing has been checked yet." in said


@pytest.mark.slow
def test_progress_in_a_terminal_knows_the_checks_of_the_terminal_too(delivered: tuple[Path, Path]) -> None:
    checkout, folder = delivered
    checked = corewise(checkout, "check", "primes", "--only", "answer", cwd=folder / "labs/primes")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    told = corewise(checkout, "progress", cwd=folder / "modules")
    assert (told.returncode, told.stderr) == (0, "")
    assert " begun  primes · Counting primes\n" in told.stdout
    assert "answer: met, 6 of 6 points, 1 try\n" in told.stdout
    labs_told = json.loads(corewise(checkout, "progress", folder, "--json").stdout)["stages"][1]["labs"]
    answer = labs_told[0]["checks"][0]
    assert (answer["check"], answer["outcome"], answer["points"]) == ("answer", "met", 6.0)
    corewise(checkout, "check", "primes", "--solution", "--only", "answer", cwd=folder / "labs/primes")
    assert len(record.read(folder).attempts) == 1, "the solution is not the learner's"
    (folder / "mine.py").write_text("x = 1 +\n", encoding="utf-8")
    aside = corewise(checkout, "check", "primes", "--worker", folder / "mine.py", "--json", cwd=folder)
    assert "Your progress keeps what the lab's notebook is checked for; not this file." in aside.stderr
    assert len(record.read(folder).attempts) == 1


@pytest.mark.slow
def test_progress_outside_a_workspace_says_how_to_get_one(tmp_path: Path) -> None:
    refused = corewise(make(tmp_path / "checkout"), "progress", tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        f"{tmp_path} is not a workspace of Corewise.",
        "Yours is elsewhere? Name it: corewise progress FOLDER",
        "Or make one: corewise learn FOLDER",
    ]


def test_the_page_of_the_workspace_calls_it() -> None:
    page = json.loads((REPOSITORY / "course/PROGRESS.ipynb").read_text(encoding="utf-8"))
    assert page["cells"][-1]["source"] == ["%load_ext grader\n", "progress()"]


def test_a_lesson_says_its_number_its_title_and_its_place(tmp_path: Path) -> None:
    module(tmp_path)
    first, check = coursemap.read(tmp_path).lessons
    assert (first.id, first.number, first.title) == (ONE, "01.1", "One thing")
    assert (first.page, first.minutes, first.starts_processes) == ("modules/01_first/01_one.ipynb", 20, True)
    assert (check.is_check, check.prerequisites) == (True, (ONE,))
