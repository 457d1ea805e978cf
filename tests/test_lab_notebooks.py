"""Every lab as nbgrader and learners need it: its notebook, what is released of it, its wrong answers."""

from __future__ import annotations

import importlib.util
import inspect
import json
from pathlib import Path

import nbformat
import pytest
from lab_pages import marks, page
from nbgrader.nbgraderformat import MetadataValidator

from grader import lab as labs
from grader.author import verify

SOLUTIONS = [labs.CHECKOUT / "solutions" / name for name in verify.lab_ids()]
RELEASED = [labs.CHECKOUT / "labs" / folder.name for folder in SOLUTIONS]
#: One starts its pool as it is imported: that is what is wrong with it.
WRONG = [
    path
    for folder in SOLUTIONS
    for path in sorted((folder / "wrong").glob("*.py"))
    if path.stem != "pool_at_the_top"
]


def named(path: Path) -> str:
    """For a list of tests."""
    return f"{path.parents[1].name}/{path.stem}" if path.suffix else f"{path.parent.name}/{path.name}"


each_lab = pytest.mark.parametrize("folder", SOLUTIONS, ids=named)
each_notebook = pytest.mark.parametrize("folder", [*SOLUTIONS, *RELEASED], ids=named)


@each_notebook
def test_nbgrader_finds_the_metadata_of_every_cell_valid(folder: Path) -> None:
    nbformat.validate(page(folder))
    MetadataValidator().validate_nb(page(folder))


@each_notebook
def test_it_carries_no_outputs(folder: Path) -> None:
    for cell in json.loads((folder / f"{folder.name}.ipynb").read_text(encoding="utf-8"))["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None


@each_lab
def test_the_first_code_cell_is_locked_and_opens_the_lab(folder: Path) -> None:
    first = next(cell for cell in page(folder).cells if cell.cell_type == "code")
    assert first.source == f"%load_ext grader\n%lab {folder.name}"
    assert marks(first)["locked"]


@each_lab
def test_the_marked_cells_carry_the_labs_points_and_what_a_marker_reads_its_own(folder: Path) -> None:
    lab = labs.load(folder)
    marked = {cell.source: marks(cell) for cell in page(folder).cells if marks(cell).get("grade")}
    for check in lab.checks.values():
        mark = marked.pop(f'check("{check.name}")')
        assert (mark["points"], mark["locked"]) == (check.points, True)
    assert all(mark["solution"] and not mark["locked"] and mark["points"] > 0 for mark in marked.values()), (
        "memos"
    )


@each_lab
def test_prose_is_locked_so_that_marking_restores_it(folder: Path) -> None:
    for cell in page(folder).cells:
        if cell.cell_type == "markdown" and not marks(cell).get("solution"):
            assert marks(cell).get("locked"), cell.source


@pytest.mark.parametrize("path", WRONG, ids=named)
def test_every_wrong_answer_imports_says_what_is_wrong_and_fits_the_signature(path: Path) -> None:
    lab = labs.load(path.parents[1])
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.__doc__
    wanted = lab.signature.partition("(")[2].rstrip(")").split(", ")
    assert list(inspect.signature(getattr(module, lab.function)).parameters) == wanted
