"""`%%module` and `%lab` as a learner meets them: in a shell, in a kernel, under nbconvert and under nbgrader."""

from __future__ import annotations

import json
import linecache
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from grader import magic
from grader.errors import LearnerError

NOTEBOOKS = Path(__file__).parent / "notebooks"


class Notebook:
    """Runs cells in one shell, in one folder."""

    def __init__(self, shell: InteractiveShell, folder: Path) -> None:
        self.shell = shell
        self.folder = folder

    def run(self, cell: str) -> Any:
        """The cell's value; raises what the cell raised."""
        result = self.shell.run_cell(cell, store_history=True)
        result.raise_error()
        return result.result

    def refuse(self, cell: str) -> str:
        with pytest.raises(LearnerError) as caught:
            self.run(cell)
        return str(caught.value)

    def in_a_new_process(self, code: str) -> str:
        """What `code` prints in a fresh Python that has this folder on its path."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder)}
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.folder.parent,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    folder = tmp_path / "lab folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(magic, "_files", {})
    monkeypatch.setattr(magic, "_sources", {})
    before = set(sys.modules)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "grader")
    yield Notebook(shell, folder)
    InteractiveShell.clear_instance()
    for name in {name for name in set(sys.modules) - before if name.startswith(("scorer", "rules"))}:
        del sys.modules[name]


def test_the_cell_becomes_a_file_and_a_module(page: Notebook, capsys: pytest.CaptureFixture[str]) -> None:
    page.run("%%module scorer\ndef name():\n    return 'é'\n")
    text = (page.folder / "scorer.py").read_text(encoding="utf-8")
    assert text == (
        "# scorer.py: written by %%module from the notebook. Edit the cell, not this file.\n"
        "def name():\n    return 'é'\n"
    )
    assert page.run("scorer.name()") == "é"
    assert page.run("scorer.__file__") == str(page.folder / "scorer.py")
    assert page.in_a_new_process("import scorer; print(ascii(scorer.name()))") == r"'\xe9'"
    assert "scorer.py is written and imported." in capsys.readouterr().out


def test_nothing_but_the_module_and_its_bytecode_is_left_in_the_folder(page: Notebook) -> None:
    page.run("%%module scorer\nx = 1")
    page.refuse("%%module scorer\nx = (")
    assert sorted(path.name for path in page.folder.iterdir()) == ["__pycache__", "scorer.py"]


def test_an_edit_of_the_same_second_and_size_reaches_worker_processes(page: Notebook) -> None:
    ask = "import scorer; print(scorer.LIMIT)"
    page.run("%%module scorer\nLIMIT = 1")
    before = (page.folder / "scorer.py").stat()
    assert page.in_a_new_process(ask) == "1"
    page.run("%%module scorer\nLIMIT = 2")
    os.utime(page.folder / "scorer.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (page.folder / "scorer.py").stat().st_size == before.st_size
    assert page.run("scorer.LIMIT") == 2
    assert page.in_a_new_process(ask) == "2"


def test_a_name_that_the_cell_has_no_more_is_gone_from_the_module(page: Notebook) -> None:
    page.run("%%module scorer\nold = 1")
    page.run("%%module scorer\nnew = 1")
    assert page.run("hasattr(scorer, 'old'), hasattr(scorer, 'new')") == (False, True)


def test_another_module_sees_the_edit_of_one_that_it_imported(page: Notebook) -> None:
    page.run("%%module rules\nLIMIT = 1")
    page.run("%%module scorer\nimport rules\ndef limit():\n    return rules.LIMIT")
    page.run("%%module rules\nLIMIT = 2")
    assert page.run("scorer.limit()") == 2


def test_tracebacks_show_the_lines_of_the_last_edit(page: Notebook) -> None:
    for line in ("1 / 0  # one", "1 / 0  # two"):
        page.run(f"%%module scorer\n{line.replace('1 / 0', 'x = 1')}")
        assert linecache.getline(str(page.folder / "scorer.py"), 2).strip().endswith(line[-5:])


def test_a_syntax_error_leaves_file_and_module_as_they_were(page: Notebook) -> None:
    page.run("%%module scorer\nx = 1")
    before = (page.folder / "scorer.py").read_bytes()
    text = page.refuse("\n%%module scorer\nx = 1\ny = (2\n")
    assert text.splitlines()[:3] == [
        "scorer.py, line 4 (line 4 of this cell): '(' was never closed",
        "    y = (2",
        "        ^",
    ]
    assert (page.folder / "scorer.py").read_bytes() == before
    assert page.run("scorer.x") == 1


def test_a_check_never_sees_a_module_whose_cell_failed_last(page: Notebook) -> None:
    page.run("%%module scorer\nx = 1")
    assert set(magic.written()) == {"scorer"}
    page.refuse("%%module scorer\nx = (")
    assert magic.written() == {}
    with pytest.raises(LearnerError, match="Run the %%module scorer cell first"):
        magic.collect("scorer", page.folder)


def test_a_check_gets_every_module_of_the_session(page: Notebook) -> None:
    page.run("%%module rules\nLIMIT = 1")
    page.run("%%module scorer\nimport rules")
    worker = magic.collect("scorer", page.folder)
    assert worker.main == "scorer"
    assert worker.sources == {
        name: path.read_text(encoding="utf-8") for name, path in magic.written().items()
    }
    assert set(worker.sources) == {"rules", "scorer"}


@pytest.mark.parametrize(
    ("body", "said", "advice"),
    [
        (
            "x = 1\npd.read_csv('a')",
            "line 3 (line 3 of this cell): NameError",
            "sees nothing of the notebook",
        ),
        ("import no_such_package", "No module named 'no_such_package'", "not installed here"),
        (
            "def f():\n    raise ValueError('too few')\nf()",
            "line 3 (line 3 of this cell): ValueError: too few\n    raise ValueError('too few')",
            "run it again",
        ),
        ("import sys\nsys.exit(3)", "line 3 (line 3 of this cell): SystemExit: 3", "run it again"),
        (
            "import json\njson.loads('{')",
            "line 3 (line 3 of this cell): json.decoder.JSONDecodeError",
            "again",
        ),
    ],
)
def test_an_error_at_import_is_said_with_the_learners_own_line(
    page: Notebook, body: str, said: str, advice: str
) -> None:
    page.run("%%module scorer\nold = 1")
    text = page.refuse(f"%%module scorer\n{body}")
    assert said in text
    assert advice in text
    assert "scorer" not in page.shell.user_ns
    assert "scorer" not in sys.modules
    page.run("%%module scorer\nx = 1")
    assert page.run("scorer.x") == 1


def test_the_message_is_all_that_a_learner_is_shown(
    page: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    page.shell.run_cell("%%module scorer\n1 / 0")
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "scorer.py, line 2 (line 2 of this cell): ZeroDivisionError: division by zero",
        "    1 / 0",
        "Correct the cell and run it again.",
    ]
    assert shown.err == ""


@pytest.mark.parametrize(
    ("name", "why", "better"),
    [
        ("random", "a module of Python's standard library; a file random.py", "my_random"),
        ("numpy", "is installed on this machine", "my_numpy"),
        ("mpl_toolkits", "a part of matplotlib", "my_mpl_toolkits"),
        ("grader", "a name that the course uses", "my_grader"),
        ("course", "a name that the course uses", "my_course"),
        ("checks", "a name that the course uses", "my_checks"),
        ("check", "a name that the course uses", "my_check"),
        ("list", "a name of Python's own", "my_list"),
        ("class", "a word of the Python language", "my_class"),
        ("scorer.py", "not a module's name", "scorer"),
        ("my-scorer", "not a module's name", "my_scorer"),
        ("1st", "not a module's name", "my_1st"),
        ("../scorer", "not a module's name", "scorer"),
        ("_", "not a module's name", "my_module"),
        ("a" * 61, "60 at most", f"my_{'a' * 40}"),
        ("$x", "not a module's name", "x"),
    ],
)
def test_a_name_that_would_do_harm_is_refused(page: Notebook, name: str, why: str, better: str) -> None:
    text = page.refuse(f"%%module {name}\nx = 1")
    assert why in text
    assert text.endswith(f"%%module {better}")
    assert list(page.folder.iterdir()) == []


def test_no_name_and_two_names_are_refused(page: Notebook) -> None:
    assert "needs the name" in page.refuse("%%module\nx = 1")
    assert "takes one name, but 'a b' follows" in page.refuse("%%module a  b\nx = 1")


def test_module_below_the_first_line_is_refused_with_what_to_do(page: Notebook) -> None:
    text = page.refuse("# my scorer\n%%module scorer\nx = 1")
    assert text.startswith("%%module scorer is not on the first line")
    assert not (page.folder / "scorer.py").exists()


def test_a_file_that_module_did_not_write_is_never_overwritten(page: Notebook) -> None:
    mine = page.folder / "scorer.py"
    mine.write_text("precious = 1\n", encoding="utf-8")
    assert "was not written by %%module: it stays" in page.refuse("%%module scorer\nx = 1")
    assert mine.read_text(encoding="utf-8") == "precious = 1\n"
    (page.folder / "rules.py").mkdir()
    assert "rules.py is in this folder already" in page.refuse("%%module rules\nx = 1")


def test_a_package_folder_of_the_same_name_is_said(page: Notebook) -> None:
    (page.folder / "scorer").mkdir()
    (page.folder / "scorer" / "__init__.py").touch()
    text = page.refuse("%%module scorer\nx = 1")
    assert str(Path("scorer", "__init__.py")) in text
    assert "in this folder already" in text


def test_a_module_of_another_session_is_overwritten(page: Notebook) -> None:
    page.run("%%module scorer\nx = 1")
    sys.modules.pop("scorer")
    page.run("%%module scorer\nx = 2")
    assert page.run("scorer.x") == 2


def test_a_hand_written_module_elsewhere_on_the_path_is_not_hidden(page: Notebook, tmp_path: Path) -> None:
    (tmp_path / "scorer.py").write_text("x = 0\n", encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    assert str(tmp_path / "scorer.py") in page.refuse("%%module scorer\nx = 1")


def test_this_folders_module_comes_before_that_of_another_notebook(
    page: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    page.run("%%module scorer\nx = 1")
    first = page.folder / "scorer.py"
    second = page.folder / "second"
    second.mkdir()
    os.chdir(second)
    page.run("%%module scorer\nx = 2")
    assert page.run("scorer.x, scorer.__file__") == (2, str(second / "scorer.py"))
    assert sys.path[0] == str(second)
    assert f"takes the place of {first}" in capsys.readouterr().out


def test_a_file_that_cannot_be_written_is_said_and_the_one_before_stays(page: Notebook) -> None:
    page.run("%%module scorer\nx = 1")
    (page.folder / f".scorer.py.{os.getpid()}.tmp").mkdir()
    assert "scorer.py can't be written: " in page.refuse("%%module scorer\nx = 2")
    assert "x = 1" in (page.folder / "scorer.py").read_text(encoding="utf-8")


def test_an_unknown_lab_is_said_with_those_that_are_there(page: Notebook) -> None:
    assert page.refuse("%lab 99_none").startswith("There is no lab '99_none'.\nThe labs here:")


def test_check_and_hint_without_a_lab_say_how_to_open_one(page: Notebook) -> None:
    """In a kernel that was restarted, right at the cell of the check."""
    for call in ('check("answer")', "hint()"):
        assert page.refuse(call).startswith("No lab is open in this notebook yet.")


def test_opening_a_lab_brings_check_and_hint_and_twice_does_no_harm(
    page: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        page.run("%lab 11_fraud")
        assert capsys.readouterr().out.splitlines()[-1].startswith("Lab 11_fraud: ")
        assert page.run("callable(check), callable(hint)") == (True, True)


def test_a_check_before_the_module_cell_says_to_run_it_first(page: Notebook) -> None:
    page.run("%lab 11_fraud")
    panel = page.run("check('answer')")
    assert repr(panel).startswith("0")
    assert "Run the %%module scorer cell first" in panel._repr_html_()


# Real kernels, real nbconvert, real nbgrader.


def execute(name: str, folder: Path, *options: str, **environment: str) -> tuple[int, str, list[Any]]:
    """Run a notebook by `nbconvert --execute`: its exit code, what it logged, the outputs of its code cells."""
    shutil.copy(NOTEBOOKS / name, folder / name)
    done = subprocess.run(
        [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--inplace", *options, name],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=180,
    )
    cells = json.loads((folder / name).read_text(encoding="utf-8"))["cells"]
    return done.returncode, done.stderr, [cell["outputs"] for cell in cells if cell["cell_type"] == "code"]


def printed(outputs: list[Any]) -> str:
    assert not [each for each in outputs if each["output_type"] == "error" or each.get("name") == "stderr"]
    return "".join("".join(each.get("text", "")) for each in outputs)


@pytest.mark.slow
def test_a_pool_finds_the_module_and_its_edit_under_every_start_method(tmp_path: Path) -> None:
    code, log, outputs = execute("module_runs_under_every_start_method.ipynb", tmp_path)
    assert code == 0, log
    first, second = printed(outputs[2]).splitlines(), printed(outputs[4]).splitlines()
    assert "spawn [0, 1, 4, 9]" in first
    assert "spawn [0, 2, 4, 6]" in second
    assert len(first) == len(second) == len(multiprocessing.get_all_start_methods())
    assert all(line.endswith("[0, 1, 4, 9]") for line in first)
    assert all(line.endswith("[0, 2, 4, 6]") for line in second)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "cell", "kind", "expected"),
    [
        (
            "syntax_error_in_module.ipynb",
            1,
            "NotPythonError",
            [
                "scorer.py, line 6 (line 6 of this cell): '(' was never closed",
                "    return math.pi * (r ** 2",
                "                     ^",
                "Correct the line and run it again.",
            ],
        ),
        (
            "error_while_module_is_imported.ipynb",
            2,
            "LearnerError",
            [
                "scorer.py, line 3 (line 3 of this cell): NameError: name 'RATE' is not defined",
                "    return days * RATE",
                "A module sees nothing of the notebook: import or define in this cell what it uses.",
            ],
        ),
    ],
)
def test_an_executed_notebook_shows_the_message_alone_and_stops(
    tmp_path: Path, name: str, cell: int, kind: str, expected: list[str]
) -> None:
    code, log, outputs = execute(name, tmp_path, "--allow-errors")
    assert code == 0, log
    (error,) = outputs[cell]
    assert error["output_type"] == "error"
    assert error["ename"] == kind
    assert error["traceback"] == expected

    code, log, outputs = execute(name, tmp_path)
    assert code != 0
    assert "\n".join(expected) in log
    assert "magic.py" not in log
    assert "moduleimport.py" not in log


@pytest.mark.slow
def test_the_start_method_of_the_environment_is_applied_before_any_module() -> None:
    ask = (
        "from IPython.core.interactiveshell import InteractiveShell as Shell\n"
        "shell = Shell.instance()\n"
        "shell.run_cell('%load_ext grader')\n"
        "import multiprocessing; print('method:', multiprocessing.get_start_method())\n"
        "print('module' in shell.magics_manager.magics['cell'])"
    )

    def answer(method: str) -> str:
        environment = {**os.environ, "COREWISE_START_METHOD": method}
        return subprocess.run(
            [sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert "method: spawn\nTrue" in answer("spawn")
    wrong = answer("spoon")
    assert "COREWISE_START_METHOD is 'spoon'; this system has" in wrong
    assert "Traceback" not in wrong
    assert wrong.endswith("False\n")


@pytest.mark.slow
def test_an_interrupt_stops_a_module_that_is_being_imported_and_the_kernel_goes_on(tmp_path: Path) -> None:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(cwd=str(tmp_path))
    try:
        client.execute_interactive("%load_ext grader", timeout=60)
        sleeper = "%%module scorer\nimport time\nprint('in', flush=True)\ntime.sleep(60)"
        # After an error a kernel aborts what comes in too soon: then this test would depend on how soon it asks again.
        request = client.execute(sleeper, stop_on_error=False)
        while True:
            heard = client.get_iopub_msg(timeout=60)
            if heard["msg_type"] == "stream":
                break
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=30)
        assert reply["parent_header"]["msg_id"] == request
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        again = client.execute_interactive("%%module scorer\nx = 1\n", timeout=60)
        assert again["content"]["status"] == "ok"
        assert sorted(path.name for path in tmp_path.glob("*.*")) == ["scorer.py"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def nbgrader(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments, f"--CourseDirectory.root={folder}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.slow
def test_nbgrader_clears_the_solution_and_marks_what_the_cell_writes(tmp_path: Path) -> None:
    name = "nbgrader_solution_in_module.ipynb"
    source = tmp_path / "source" / "lab"
    source.mkdir(parents=True)
    shutil.copy(NOTEBOOKS / name, source / name)
    nbgrader(tmp_path, "generate_assignment", "lab")
    released = (tmp_path / "release" / "lab" / name).read_text(encoding="utf-8")
    assert "SOLUTION" not in released
    assert "raise NotImplementedError()" in released

    for learner, text in {
        "stub": released,
        "right": released.replace("# YOUR CODE HERE", "return x * x"),
    }.items():
        folder = tmp_path / "submitted" / learner / "lab"
        folder.mkdir(parents=True)
        (folder / name).write_text(text, encoding="utf-8")
    nbgrader(tmp_path, "autograde", "lab")

    assert scores(tmp_path) == {"stub": 0.0, "right": 3.0}
    for learner in ("stub", "right"):
        written = tmp_path / "autograded" / learner / "lab" / "scorer.py"
        assert written.read_text(encoding="utf-8").startswith("# scorer.py: written by %%module")


def scores(folder: Path) -> dict[str, float]:
    nbgrader(folder, "export")
    rows = (folder / "grades.csv").read_text(encoding="utf-8").splitlines()
    columns = rows[0].split(",")
    table = [dict(zip(columns, row.split(","), strict=True)) for row in rows[1:]]
    return {row["student_id"]: float(row["raw_score"]) for row in table}
