"""The only importer of nbgrader. It is driven in one process, because importing it takes two seconds."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from grader.errors import GraderError


def generate(checkout: Path, lab_id: str, release: Path, scratch: Path) -> None:
    """Release one lab: solutions/<lab_id>/ -> `release`/<lab_id>/, by nbgrader's generate_assignment.

    The gradebook that nbgrader needs for it is made in `scratch` and not kept.

    Raises:
        GraderError: nbgrader refused; its own words are in the message.
    """
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

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
        raise GraderError(f"nbgrader could not generate {lab_id}:\n{result['error'] or result['log']}")


def _put_environment_on_path() -> None:
    """nbgrader calls `alembic` from PATH when it makes a gradebook."""
    here = str(Path(sys.executable).parent)
    if here not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = here + os.pathsep + os.environ.get("PATH", "")
