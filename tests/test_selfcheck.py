"""The self-check as a learner meets it: `check` and `hint` in a session, then the fraud lab in real kernels."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import psutil
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from grader import lab as labs
from grader.errors import GraderError, LearnerError
from grader.model import Lab, WorkerModule
from grader.notebook import read_worker
from grader.selfcheck import OpenLab

PRIMES = Path(__file__).parent / "labs" / "primes"
FRAUD = labs.CHECKOUT / "solutions" / "11_fraud"
SERIAL = (FRAUD / "wrong" / "serial.py").read_text(encoding="utf-8")
NO_ROOM = f"The baseline raised: OSError: {os.strerror(errno.ENOSPC)}"
RIGHT = (
    "def count_primes(numbers, workers):\n"
    "    return sum(n > 1 and all(n % d for d in range(2, int(n**0.5) + 1)) for n in numbers)\n"
)


# In a session


def opened(lab: Lab | None = None, source: str = RIGHT) -> OpenLab:
    worker = WorkerModule("counter", {"counter": source}, "a test")
    return OpenLab(lab or labs.load(PRIMES), lambda lab: worker)


def raising(error: BaseException) -> OpenLab:
    """A session in which getting the learner's module raises."""

    def get_worker(lab: Lab) -> WorkerModule:
        raise error

    return OpenLab(labs.load(PRIMES), get_worker)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("call", "given"),
    [
        (lambda f: f("nonsense"), "('nonsense')"),
        (lambda f: f("answer", "speedup"), "('answer', 'speedup')"),
        (lambda f: f("answer", twice=True), "('answer', twice=...)"),
        (lambda f: f(7), "(int)"),
        (lambda f: f(["answer"]), "(list)"),
        (lambda f: f(None), "(NoneType)"),
    ],
)
def test_whatever_else_is_asked_for_gets_a_message_not_a_traceback(
    call: Callable[[Any], Any], given: str
) -> None:
    session = opened()
    panel, hint = call(session.check), call(session.hint)
    assert repr(panel) == "0.0"
    assert panel.verdict.reason == f"check{given} names no check of this lab."
    assert 'Type check("answer") or check("speedup").' in panel.verdict.findings[0].try_next
    assert f"hint{given} names no check of this lab." in repr(hint)
    assert 'hint("answer") or hint("speedup")' in repr(hint)


def test_check_alone_says_what_to_type() -> None:
    assert opened().check().verdict.reason == "check() names no check of this lab."


def test_hints_go_three_steps_and_stay_at_the_last() -> None:
    session = opened()
    assert [session.hint("answer").step for _ in range(4)] == [1, 2, 3, 3]
    assert session.hint("answer").hint == "Sum what the workers return."
    assert session.hint("speedup").step == 1


def test_a_hint_without_a_name_is_for_the_check_that_ran_last() -> None:
    session = raising(LearnerError("no module yet"))
    assert session.hint().title == "Hint for answer"
    session.check("speedup")
    assert session.hint().title == "Hint for speedup"
    session.check("nonsense")
    assert session.hint().title == "Hint for speedup"


def test_a_right_answer_shows_its_points_and_says_nothing_on_stderr(
    capfd: pytest.CaptureFixture[str],
) -> None:
    panel = opened().check("answer")
    assert repr(panel) == "6.0"
    assert float(repr(panel)) == 6
    assert "answer: met, 6 of 6 points" in panel._repr_html_()
    assert capfd.readouterr().err == ""


def test_a_mistake_of_the_learner_is_not_yet_with_what_to_do() -> None:
    panel = raising(LearnerError("It is not there.", "Write it.")).check("answer")
    assert repr(panel) == "0.0"
    assert (panel.verdict.outcome, panel.verdict.reason) == ("not yet", "It is not there.")
    assert panel.verdict.findings[0].try_next == "Write it."


def test_stop_is_cannot_tell_and_no_error() -> None:
    panel = raising(KeyboardInterrupt()).check("speedup")
    assert (panel.verdict.outcome, panel.verdict.points) == ("cannot tell", 0)
    assert panel.verdict.findings[0].cause == "stopped"


def test_a_fault_of_ours_costs_no_points_and_leaves_a_log_beside_the_notebook(tmp_path: Path) -> None:
    lab = labs.load(PRIMES)
    broken = ModuleType("broken")
    broken.__dict__.update(vars(lab.judge), compare=lambda expected, got: {}["oops"])
    panel = opened(replace(lab, judge=broken)).check("answer")
    assert repr(panel) == "6.0"
    assert (panel.verdict.outcome, panel.verdict.findings[0].cause) == ("cannot tell", "fault of the grader")
    assert panel.verdict.for_marker
    log = panel.verdict.log
    assert log is not None
    assert log.parent == tmp_path
    assert "KeyError: 'oops'" in log.read_text(encoding="utf-8")
    assert str(log) in panel._repr_html_()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), GraderError(NO_ROOM)])
def test_a_full_disk_gives_a_learner_no_points_and_says_which_disk(tmp_path: Path, error: Exception) -> None:
    panel = raising(error).check("answer")
    assert (repr(panel), panel.verdict.outcome) == ("0.0", "not yet")
    assert f"the disk of {tempfile.gettempdir()} is full" in panel.verdict.reason
    assert list(tmp_path.glob("*.log")) == []


def test_a_full_disk_costs_nobody_anything_where_work_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    panel = raising(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))).check("answer")
    assert (repr(panel), bool(panel.verdict.for_marker)) == ("6.0", True)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write to")
def test_where_the_notebooks_folder_cannot_be_written_the_log_goes_to_the_temporary_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir("/proc/self")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    log = raising(RuntimeError("oops")).check("answer").verdict.log
    assert log is not None
    assert log.parent == tmp_path
    assert "RuntimeError: oops" in log.read_text(encoding="utf-8")


def test_where_no_log_can_be_written_the_check_still_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setattr(tempfile, "tempdir", str(gone / "nowhere"))
    if os.name == "posix":
        gone.rmdir()
    panel = raising(RuntimeError("oops")).check("answer")
    assert repr(panel) == "6.0"
    assert panel.verdict.log is None or os.name != "posix"


# In a real kernel, the real lab


def page(folder: Path) -> Any:
    return nbformat.read(folder / "11_fraud.ipynb", as_version=4)


def executed(notebook: Any, folder: Path, **environment: str) -> Any:
    """The notebook, run from top to bottom in a kernel of its own in `folder`; errors stay in their cells."""
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        allow_errors=True,
        coalesce_streams=True,  # a kernel may send one line in two messages
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute(env={**os.environ, "COREWISE_SMALL": "1", **environment})


def cell(notebook: Any, source: str) -> Any:
    (found,) = [one for one in notebook.cells if one.source == source]
    return found


def shown(one: Any) -> tuple[str, str]:
    """What nbgrader reads of a check's cell, and the panel's own label."""
    (result,) = [output for output in one.outputs if output.output_type == "execute_result"]
    label = re.search(r'aria-label="Check ([^"]*)"', result.data["text/html"])
    assert label
    return result.data["text/plain"], label[1]


def wrongs(notebook: Any) -> list[str]:
    """Errors, and whatever is on stderr: nbgrader takes that for failure."""
    return [
        f"{one.source}\n{output}"
        for one in notebook.cells
        for output in one.get("outputs", [])
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def short(module: str) -> Any:
    """The lab without its story: open, module, both checks."""
    sources = (
        "%load_ext grader\n%lab 11_fraud",
        f"%%module scorer\n{module}",
        'check("answer")',
        'check("speedup")',
    )
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def reference() -> str:
    return read_worker(FRAUD / "11_fraud.ipynb", "scorer").sources["scorer"]


@pytest.mark.slow
@pytest.mark.alone
def test_the_solution_runs_from_top_to_bottom_and_is_never_not_yet(tmp_path: Path) -> None:
    done = executed(page(FRAUD), tmp_path)
    assert wrongs(done) == []
    assert shown(cell(done, 'check("answer")')) == ("6.0", "answer: met, 6 of 6 points")
    points, label = shown(cell(done, 'check("speedup")'))
    assert label.startswith(("speedup: met", "speedup: cannot tell")), label
    assert points == "4.0" or "cannot tell" in label
    (same,) = [one for one in done.cells if one.source.startswith("started") and "my_guess" in one.source]
    assert "Same alerts: True" in same.outputs[0].text
    assert sum("image/png" in str(one.get("outputs", "")) for one in done.cells) == 2


@pytest.mark.slow
def test_the_released_lab_says_that_nothing_is_written_yet(tmp_path: Path) -> None:
    shutil.copy(labs.CHECKOUT / "labs" / "11_fraud" / "11_fraud.ipynb", tmp_path)
    done = executed(page(tmp_path), tmp_path)
    for check, most in (("answer", 6), ("speedup", 4)):
        one = cell(done, f'check("{check}")')
        assert shown(one) == ("0.0", f"{check}: not yet, 0 of {most} points")
        assert "it is not written yet" in one.outputs[-1].data["text/html"]
        assert all(output.output_type != "error" for output in one.outputs)
    assert wrongs(done) == [], "the cells that call the function themselves say it in words"


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize(
    ("module", "points"), [(reference(), "4.0"), (SERIAL, "0.0")], ids=["reference", "serial"]
)
def test_a_preview_fails_serial_code_alone(tmp_path: Path, module: str, points: str) -> None:
    done = executed(short(module), tmp_path, NBGRADER_EXECUTION="validate")
    assert wrongs(done) == []
    assert shown(done.cells[2]) == ("6.0", "answer: met (preview), 6 of 6 points")
    got, label = shown(done.cells[3])
    assert got == points, label
    assert "preview" in label


@pytest.mark.slow
@pytest.mark.alone
def test_stop_in_a_kernel_is_cannot_tell_and_leaves_nothing_running(tmp_path: Path) -> None:
    manager, client = start_new_kernel(cwd=str(tmp_path))
    try:
        for one in short(reference()).cells[:2]:
            reply = client.execute_interactive(one.source, timeout=60, output_hook=lambda message: None)
            assert reply["content"]["status"] == "ok", reply["content"]
        client.execute('check("speedup")')
        outputs = until(client, lambda message: "speedup:" in str(message["content"].get("data", "")))
        time.sleep(1)  # let trials run
        kernel = psutil.Process(manager.provisioner.pid)
        assert trials_of(kernel)
        manager.interrupt_kernel()
        outputs = until(client, lambda message: message["msg_type"] == "execute_result")
        assert outputs[-1]["content"]["data"]["text/plain"] == "0.0"
        html = outputs[-1]["content"]["data"]["text/html"]
        assert "speedup: cannot tell, 0 of 4 points" in html
        assert "Stopped before it was done." in html
        assert all(message["msg_type"] != "error" for message in outputs)
        assert trials_of(kernel) == []
        reply = client.execute_interactive("1 + 1", timeout=60, output_hook=lambda message: None)
        assert reply["content"]["status"] == "ok", "the kernel goes on"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def until(client: Any, wanted: Callable[[Any], bool]) -> list[Any]:
    """The messages of the kernel up to the first that is wanted."""
    came: list[Any] = []
    while not came or not wanted(came[-1]):
        came.append(client.get_iopub_msg(timeout=60))
    return came


def trials_of(kernel: psutil.Process) -> list[str]:
    below = kernel.children(recursive=True)
    return [str(process.pid) for process in below if "grader.measure.stage" in process.cmdline()]
