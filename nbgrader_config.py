"""Tells nbgrader's own commands, run in this folder, where the course's things are.

For instructors and authors; a learner's workspace has a configuration of its own.
"""

from pathlib import Path

from grader import bridge

c = get_config()  # noqa: F821 - traitlets defines it for configuration files

c.CourseDirectory.course_id = "corewise"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "labs"

# nbgrader's defaults, and the named wrong answers, which no learner may get.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "wrong"]

# Seconds that a cell may take while marking: far more than a speed check, and an end for an endless loop.
c.Execute.timeout = 600

# A submission that ends its own kernel gets a score and feedback too.
c.Autograde.autograde_preprocessors = bridge.autograde_preprocessors()
