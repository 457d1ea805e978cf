"""An instructor's copy of the course, and what learners write into the fraud lab, for tests of nbgrader."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

REPOSITORY = Path(__file__).parents[1]
LAB = "11_fraud"
NOTEBOOK = f"{LAB}.ipynb"
WRONG = REPOSITORY / "solutions" / LAB / "wrong"
MEMO = "**Don't sign yet.** Measured here: the same alerts, sooner. Predicted: the night ends before eight."


def copy_of_the_repository(folder: Path) -> Path:
    """What nbgrader reads of it: solutions, labs, configuration."""
    for name in ("solutions", "labs"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(REPOSITORY / "nbgrader_config.py", folder / "nbgrader_config.py")
    return folder


def reference() -> str:
    """The worker module of the lab's own solution."""
    page = nbformat.read(REPOSITORY / "solutions" / LAB / NOTEBOOK, as_version=4)
    (cell,) = [cell.source for cell in page.cells if cell.source.startswith("%%module scorer")]
    body = cell.split("\n", 1)[1]
    return re.sub(r" *### (BEGIN|END) SOLUTION\n?", "", body).rstrip() + "\n"


def write_into(path: Path, module: str, memo: str = MEMO, first_cell: str = "") -> None:
    """Fill in a learner's notebook: the module's cell, the memo, and a cell of their own at the top."""
    page = nbformat.read(path, as_version=4)
    for cell in page.cells:
        if cell.source.startswith("%%module scorer"):
            cell.source = f"%%module scorer\n{module}"
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "memo":
            cell.source = memo
    if first_cell:
        page.cells.insert(0, new_code_cell(first_cell))
    nbformat.write(page, path)
