"""A notebook or a .py file, read as data, -> WorkerModule. Nothing here runs what a learner wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grader.errors import LearnerError
from grader.model import WorkerModule
from grader.modulefile import LINE, ModuleCell, check_syntax, name_in, parse, refuse_if_installed, source_of

MAX_BYTES = 10_000_000
MAX_CELLS = 2_000
MAX_MODULES = 20

_AS_SAVED = "Give a notebook as JupyterLab saves it, NAME.ipynb."


class NoNotebookError(LearnerError):
    """A file that should be a notebook and isn't one, or not a whole one."""


def read_worker(path: Path, main: str) -> WorkerModule:
    """The worker modules in a notebook's `%%module` cells; of two cells with one name, the last.

    A cell that `%%module` would refuse to write is left out here as well. `main` is the lab's own choice of
    name and is never refused.

    Raises:
        LearnerError: no such notebook, not a notebook, no cell for `main`, a syntax error in a module.
    """
    cells = _module_cells(path)
    sources: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for number, cell in cells:
        if name := _name(cell, main, path.parent):
            sources[name] = source_of(name, cell.body, cell.above)
            numbers[name] = number
    if main not in sources:
        raise LearnerError(
            f"{path.name} has no {LINE} {main} cell. {_what_is_there(cells)}",
            f"Write the function in a code cell whose first line is: {LINE} {main}",
        )
    if len(sources) > MAX_MODULES:
        raise LearnerError(f"{path.name} has {len(sources)} worker modules; it may have {MAX_MODULES}.")
    return _checked(WorkerModule(main, sources, path.name, numbers))


def read_worker_file(path: Path, main: str) -> WorkerModule:
    """A .py file as the worker module `main`, whatever the file's own name.

    Raises:
        LearnerError: no such file, a notebook, not UTF-8, a syntax error.
    """
    if path.suffix == ".ipynb":
        raise LearnerError(f"{path.name} is a notebook, not a .py file.", f"Type: --notebook {path}")
    text = _read(path)
    if text.startswith("{") and '"cells"' in text:
        raise LearnerError(f"{path.name} holds a notebook.", "Name it .ipynb and pass it with --notebook.")
    return _checked(WorkerModule(main, {main: text}, path.name))


def _checked(worker: WorkerModule) -> WorkerModule:
    for name, source in worker.sources.items():

        def where(line: int, name: str = name) -> str:
            return worker.where(name, line)

        check_syntax(source, name, where)
    return worker


def _name(cell: ModuleCell, main: str, folder: Path) -> str:
    """The name of the module that this cell makes; "" where `%%module` would refuse it."""
    if cell.words.strip() == main:
        return main
    try:
        name = name_in(cell.words)
        refuse_if_installed(name, folder)
    except LearnerError:
        return ""
    return name


def _what_is_there(cells: list[tuple[int, ModuleCell]]) -> str:
    if not cells:
        return f"It has no {LINE} cell at all."
    shown = ", ".join(f"{LINE} {cell.words.strip()[:40]} (code cell {number})" for number, cell in cells[:10])
    return f"There is {shown}."


def _module_cells(path: Path) -> list[tuple[int, ModuleCell]]:
    """The `%%module` cells with their numbers, counted from 1 among the code cells."""
    parsed = [(number, parse(cell)) for number, cell in enumerate(_code_cells(path), start=1)]
    return [(number, cell) for number, cell in parsed if cell is not None]


def _code_cells(path: Path) -> list[str]:
    """The sources of a notebook's code cells; whatever else is odd in it doesn't matter here."""
    notebook = _json(path)
    if isinstance(notebook, dict) and "worksheets" in notebook:
        raise LearnerError(
            f"{path.name} is a notebook of the old format 3.", "Open it in JupyterLab, save it, try again."
        )
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise NoNotebookError(f"{path.name} is not a Jupyter notebook: it has no list of cells.", _AS_SAVED)
    if len(cells) > MAX_CELLS:
        raise LearnerError(f"{path.name} has {len(cells):,} cells; it may have {MAX_CELLS:,}.")
    code = [cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    return [_source(cell.get("source")) for cell in code]


def _source(value: object) -> str:
    """nbformat allows one string or a list of them."""
    lines = value if isinstance(value, list) else [value]
    return "".join(line for line in lines if isinstance(line, str))


def _json(path: Path) -> Any:
    text = _read(path)
    try:
        return json.loads(text)
    except RecursionError:
        raise NoNotebookError(
            f"{path.name} is not a Jupyter notebook: it is nested too deeply.", _AS_SAVED
        ) from None
    except ValueError as error:
        raise NoNotebookError(f"{path.name} is not a Jupyter notebook: {error}.", _AS_SAVED) from None


def _read(path: Path) -> str:
    """The text of a file of at most MAX_BYTES."""
    if path.is_dir():
        raise LearnerError(f"{path} is a folder, not a file.", "Give the file in it.")
    if not path.exists():
        raise LearnerError(f"There is no file {path}.", "Check the name and the folder you are in.")
    if not path.is_file():
        raise LearnerError(f"{path} is not a plain file.")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise LearnerError(
                f"{path.name} has more than {MAX_BYTES // 1_000_000} MB.",
                "If it is a notebook: Edit > Clear Outputs of All Cells, save, try again.",
            )
        return content.decode("utf-8-sig")
    except OSError as error:
        raise LearnerError(f"{path} can't be read: {error.strerror or error}.") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise LearnerError(
            f"{path.name} is not UTF-8 text (line {line}).", "Save it again with the encoding UTF-8."
        ) from None
