"""A notebook is read as data: what its `%%module` cells make, and one clear message for whatever else it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from grader import notebook
from grader.errors import LearnerError
from grader.notebook import read_worker, read_worker_file

NOTEBOOKS = Path(__file__).parent / "notebooks"
SEVERAL = NOTEBOOKS / "several_modules.ipynb"


def write_notebook(folder: Path, *cells: object, **more: Any) -> Path:
    path = folder / "lab.ipynb"
    code = [{"cell_type": "code", "source": cell} for cell in cells]
    path.write_text(json.dumps({"cells": code, "nbformat": 4, **more}), encoding="utf-8")
    return path


def message(path: Path, main: str = "scorer") -> str:
    with pytest.raises(LearnerError) as caught:
        read_worker(path, main)
    return str(caught.value)


def test_every_module_cell_becomes_a_module_and_the_last_of_a_name_wins() -> None:
    worker = read_worker(SEVERAL, "scorer")
    assert set(worker.sources) == {"scorer", "rules"}
    assert worker.sources["rules"].splitlines()[1:] == ["LIMIT = 2"]
    assert worker.cells == {"scorer": 3, "rules": 8}
    assert worker.main == "scorer"
    assert worker.origin == "several_modules.ipynb"


def test_line_n_of_the_module_is_line_n_of_the_cell_even_below_blank_lines() -> None:
    worker = read_worker(SEVERAL, "scorer")
    lines = worker.sources["scorer"].splitlines()
    assert lines[0].startswith("# scorer.py: written by %%module")
    assert (
        lines[3] == "from rules import LIMIT"
    )  # the cell's fourth line, its indent taken off as IPython does
    assert worker.where("scorer", 4) == "scorer.py, line 4 (code cell 3, line 4)"


def test_cells_that_the_notebook_would_refuse_make_no_module() -> None:
    sources = read_worker(SEVERAL, "scorer").sources
    assert not {"numpy", "random", "late"} & set(sources)


def test_the_labs_own_module_is_never_refused_for_its_name(tmp_path: Path) -> None:
    path = write_notebook(tmp_path, "%%module json\nx = 1")
    assert "json" in read_worker(path, "json").sources


def test_a_source_may_be_one_string_or_many(tmp_path: Path) -> None:
    path = write_notebook(tmp_path, ["%%module scorer\n", "x = 1\n", "y = 2"], "%%module rules\nz = 3")
    assert read_worker(path, "scorer").sources["scorer"].endswith("\nx = 1\ny = 2\n")


def test_odd_cells_are_passed_over(tmp_path: Path) -> None:
    path = write_notebook(tmp_path, 7, None, ["%%module scorer\n", 5, "x = 1"], {"a": []})
    data = json.loads(path.read_text(encoding="utf-8"))
    data["cells"] += ["text", None, {}, {"cell_type": "code"}]
    path.write_text(json.dumps(data), encoding="utf-8")
    assert read_worker(path, "scorer").cells == {"scorer": 3}


def test_a_missing_module_cell_is_said_with_the_cells_that_are_there() -> None:
    text = message(SEVERAL, "router")
    assert "several_modules.ipynb has no %%module router cell" in text
    assert "%%module rules (code cell 2), %%module scorer (code cell 3)" in text
    assert text.endswith("first line is: %%module router")


def test_a_notebook_without_any_module_cell_says_so(tmp_path: Path) -> None:
    assert "It has no %%module cell at all." in message(write_notebook(tmp_path, "x = 1"))


def test_a_syntax_error_points_at_the_learners_cell_and_line() -> None:
    text = message(NOTEBOOKS / "syntax_error_in_module.ipynb")
    assert text.splitlines() == [
        "scorer.py, line 6 (code cell 2, line 6): '(' was never closed",
        "    return math.pi * (r ** 2",
        "                     ^",
        "Correct the line and run it again.",
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return 3", "line 2 (code cell 1, line 2): 'return' outside function\n    return 3"),
        ("x = 1\n%timeit x", "Notebook commands (% and !) don't work in a module"),
        ("x = '\ud800'", "holds a character that Python can't read"),
        ("x = \0", "null bytes"),
        ("# coding: no-such", "unknown encoding: no-such"),
        ("x = " + "-" * 40_000 + "1", "nested too deeply"),
        ("x = 1\n" * 10_000, "a worker module may have 50,000"),
    ],
)
def test_a_module_that_python_cannot_compile_gets_one_message(tmp_path: Path, body: str, said: str) -> None:
    path = write_notebook(tmp_path, f"%%module scorer\n{body}")
    assert said in message(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"print('hello')", "is not a Jupyter notebook: Expecting value: line 1 column 1"),
        (b'{"cells": [', "is not a Jupyter notebook"),
        (b"", "is not a Jupyter notebook"),
        (b"[1, 2]", "it has no list of cells"),
        (b'{"cells": {}}', "it has no list of cells"),
        (b'{"worksheets": [], "nbformat": 3}', "old format 3"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b"\n\n\xff\xfe", "is not UTF-8 text (line 3)"),
        (b"9" * 5_000, "is not a Jupyter notebook"),
    ],
)
def test_what_is_not_a_notebook_gets_one_message(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "odd.ipynb"
    path.write_bytes(content)
    text = message(path)
    assert said in text
    assert "odd.ipynb" in text


def test_a_file_that_is_not_there_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    assert "There is no file" in message(tmp_path / "none.ipynb")
    assert "is a folder" in message(tmp_path)


def test_sizes_have_limits(tmp_path: Path) -> None:
    huge = tmp_path / "huge.ipynb"
    huge.write_bytes(b" " * (notebook.MAX_BYTES + 1))
    assert "more than 10 MB" in message(huge)
    assert "2,001 cells" in message(write_notebook(tmp_path, *[""] * (notebook.MAX_CELLS + 1)))
    modules = [f"%%module scorer{number or ''}\n" for number in range(notebook.MAX_MODULES + 1)]
    assert "21 worker modules" in message(write_notebook(tmp_path, *modules))


def test_reading_never_runs_what_is_read(tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')"
    path = write_notebook(tmp_path, f"%%module scorer\n{trap}", trap)
    read_worker(path, "scorer")
    assert not (tmp_path / "ran").exists()


def test_a_python_file_becomes_the_main_module_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "my solution.py"
    path.write_bytes("\ufeffname = 'é'\r\n".encode())
    worker = read_worker_file(path, "scorer")
    assert worker.main == "scorer"
    assert worker.sources == {"scorer": "name = 'é'\r\n"}
    assert worker.where("scorer", 1) == "scorer.py, line 1"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("worker.py", b"def f(:\n", "scorer.py, line 1: invalid syntax\n    def f(:"),
        ("worker.py", "name = 'é'".encode("latin-1"), "worker.py is not UTF-8 text (line 1)"),
        ("worker.py", b'{"cells": []}', "worker.py holds a notebook"),
        ("lab.ipynb", b"{}", "Type: --notebook"),
    ],
)
def test_a_python_file_that_is_not_one_gets_one_message(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LearnerError) as caught:
        read_worker_file(path, "scorer")
    assert said in str(caught.value)
