"""A lab's notebook as data, for the tests of labs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat


def page(folder: Path) -> Any:
    """The notebook in a lab's folder."""
    return nbformat.read(folder / f"{folder.name}.ipynb", as_version=4)


def marks(cell: Any) -> dict[str, Any]:
    """What nbgrader knows of a cell."""
    return dict(cell.metadata.get("nbgrader", {}))
