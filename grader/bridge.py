"""The only importer of nbgrader. It is driven in one process, because importing it takes two seconds.

`nbgrader_config.py` hands `autograde_preprocessors()` to nbgrader: its own steps, with our `Execute` in one's place.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path
from typing import Any

from nbclient.exceptions import DeadKernelError
from nbformat import v4
from nbgrader import preprocessors
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import Autograde
from traitlets.config import Config

from grader.errors import CorewiseError, GraderError, LearnerError


def generate(checkout: Path, lab_id: str, release: Path, scratch: Path) -> None:
    """Release one lab: solutions/<lab_id>/ -> `release`/<lab_id>/, by nbgrader's generate_assignment.

    The gradebook that nbgrader needs for it is made in `scratch` and not kept.

    Raises:
        LearnerError: nbgrader finds the notebook's metadata wrong, in its own words.
        GraderError: it failed for another reason.
    """
    _put_environment_on_path()
    config = Config()
    config.CourseDirectory.root = str(checkout)
    config.CourseDirectory.course_id = "corewise"
    config.CourseDirectory.source_directory = "solutions"
    config.CourseDirectory.release_directory = str(release)
    config.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "wrong"]
    config.CourseDirectory.db_url = f"sqlite:///{scratch / 'gradebook.db'}"
    config.NbGrader.logfile = str(scratch / "nbgrader.log")
    logger = logging.getLogger("corewise.nbgrader")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    result = NbGraderAPI(config=config).generate_assignment(lab_id, force=True, create=True)
    if not result["success"]:
        raise _refusal(lab_id, result["log"] or result["error"] or "")


def _refusal(lab_id: str, log: str) -> CorewiseError:
    """The first error in nbgrader's log; what comes below it are its consequences."""
    first = re.search(r"^ *([\w.]+(?:Error|Exception)): (.+)$", log, re.MULTILINE)
    if first and first[1].endswith("ValidationError"):
        return LearnerError(
            f"nbgrader can't release {lab_id}: {first[2]}.",
            f"Mend the cells' metadata in solutions/{lab_id}, then: corewise author build",
        )
    return GraderError(f"nbgrader can't release {lab_id}: {first[0].strip() if first else log[-2000:]}")


_WHY = (
    "The notebook's process ended in this cell or above it, so there is nothing to mark from there on. Look for "
    "what ends a process: os._exit, a crash in compiled code, or running out of memory."
)
_KERNEL_ENDED = {"ename": "KernelEnded", "evalue": _WHY, "traceback": [f"KernelEnded: {_WHY}"]}


class Execute(preprocessors.Execute):  # type: ignore[misc]  # nbgrader carries no types
    """nbgrader's own step, but a submission that ends its own kernel is marked: what ran before keeps its points.

    nbgrader alone gives such a submission no score at all, and no feedback.
    """

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> Any:
        """Run one cell. Where the kernel has gone, the cell gets an error, which nbgrader takes for no points."""
        try:
            return super().preprocess_cell(cell, resources, index)
        except DeadKernelError:
            cell.outputs.append(v4.new_output("error", **_KERNEL_ENDED))  # type: ignore[no-untyped-call]
            return cell, resources


def autograde_preprocessors() -> list[type]:
    """The steps that nbgrader takes after it has put the locked cells back, with our `Execute` for its own."""
    steps: list[type] = Autograde.autograde_preprocessors.default_args[0]
    return [Execute if step is preprocessors.Execute else step for step in steps]


def _put_environment_on_path() -> None:
    """nbgrader calls `alembic` from PATH when it makes a gradebook."""
    here = str(Path(sys.executable).parent)
    if here not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = here + os.pathsep + os.environ.get("PATH", "")
