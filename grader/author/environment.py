"""pyproject.toml -> environment.yml, for those who live in conda."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

# conda-forge's nbgrader was older than the range in pyproject.toml when last seen; nobody has looked for jupyterquiz.
FROM_PIP = frozenset({"nbgrader", "jupyterquiz"})

HEADER = """\
# Generated from pyproject.toml by `corewise author build`; edit that file instead.
# Not tried: nothing here could solve it against conda-forge. The tested way is `python3 start.py`.
#
#     conda env create -f environment.yml
#     conda activate corewise
#     pip install --no-deps --no-build-isolation -e .
"""


def render(pyproject: Path) -> str:
    """The text of environment.yml: the Python range and what running needs, without the tests' packages."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    conda, pip = [f"python {project['requires-python']}", "pip"], []
    for requirement in project["dependencies"]:
        if _name(requirement) in FROM_PIP:
            pip.append(requirement)
        else:
            conda.append(re.sub(r"(?<=[\w\]])(?=[<>=!~])", " ", requirement, count=1))
    lines = [f"name: {project['name']}", "channels:", "  - conda-forge", "dependencies:"]
    lines += [f"  - {line}" for line in conda] + ["  - pip:"] + [f"      - {line}" for line in pip]
    return HEADER + "\n".join(lines) + "\n"


def _name(requirement: str) -> str:
    """The package's name at the start of a requirement: letters, digits, `.`, `_`, `-`."""
    match = re.match(r"[\w.-]+", requirement)
    return match.group() if match else ""
