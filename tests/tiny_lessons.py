"""A module of two small lessons that break no rule, to be changed by tests that break one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v4

from grader.author.build import canonical

ONE, CHECK = "01_first/01_one", "01_first/02_check_yourself"

Change = Callable[[Any], None]


def markdown(name: str, source: str, *tags: str) -> Any:
    return _named(v4.new_markdown_cell(source), name, tags)


def code(name: str, source: str, *tags: str) -> Any:
    return _named(v4.new_code_cell(source), name, tags)


def _named(cell: Any, name: str, tags: tuple[str, ...]) -> Any:
    cell.id = name
    if tags:
        cell.metadata["tags"] = list(tags)
    return cell


def page(*cells: Any, **facts: Any) -> Any:
    """A notebook with these cells; `facts` go into its metadata's `corewise`."""
    told = {"objectives": ["do one thing"], "prerequisites": [], "starts_processes": False, **facts}
    return v4.new_notebook(cells=list(cells), metadata={"corewise": told})


def lesson() -> Any:
    """One idea, a guess, a picture, a worker module, key points."""
    picture = (
        "import matplotlib.pyplot as plt\n\nfrom course.picture import show\n\n"
        "figure, axes = plt.subplots()\naxes.plot([1, 2])\nshow(figure, 'A line that rises.')"
    )
    pool = "from multiprocessing import Pool\n\nwith Pool(2) as pool:\n    print(pool.map(turnips.double, [1, 2]))"
    return page(
        markdown("title", "# One thing\n\n**About 20 minutes.** *You need: Python functions.*"),
        markdown("question", "## The question\n\nA farmer has three fields."),
        markdown("turnip", "> **turnip**: a root that\n> grows in fields.", "definition"),
        markdown("predict", "How many turnips?", "checkpoint"),
        code("guess", "guess = None"),
        code("picture", picture),
        markdown("say", "Ask for guesses first. Turnips are funny.", "instructor"),
        code("load", "%load_ext grader"),
        code("worker", "%%module turnips\ndef double(x):\n    return 2 * x"),
        code("pool", pool),
        markdown("points", "## Key points\n\n- A turnip is a root.", "key-points"),
        minutes=20,
        starts_processes=True,
    )


def question(**more: Any) -> dict[str, Any]:
    right = {"answer": "yes", "correct": True, "feedback": "It is a root."}
    wrong = {"answer": "no", "correct": False, "feedback": "Look at the first lesson again."}
    return {"question": "Is it a root?", "type": "multiple_choice", "answers": [right, wrong], **more}


def quiz(*questions: dict[str, Any]) -> str:
    return f"from jupyterquiz import display_quiz\n\ndisplay_quiz({list(questions)!r})"


def check_yourself() -> Any:
    return page(
        markdown("title", "# Check yourself\n\n**About 10 minutes.** *You need: the lesson before.*"),
        code("quiz", quiz(question(), question(), question()), "quiz"),
        markdown("points", "- A turnip is a root.", "key-points"),
        minutes=10,
        prerequisites=[ONE],
    )


def named(notebook: Any, name: str) -> Any:
    """The cell of that id."""
    (cell,) = [cell for cell in notebook.cells if cell.id == name]
    return cell


def add(notebook: Any, after: str, *cells: Any) -> None:
    place = notebook.cells.index(named(notebook, after)) + 1
    notebook.cells[place:place] = cells


def write(checkout: Path, name: str, notebook: Any) -> Path:
    """Put a lesson, in canonical form, into the checkout's course."""
    path = checkout / "course" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(canonical(nbformat.writes(notebook), path), encoding="utf-8")
    return path


def module(checkout: Path, **changes: Change) -> Path:
    """The module in `checkout`, with `one` and `check` changed as told."""
    for name, made, change in ((ONE, lesson(), "one"), (CHECK, check_yourself(), "check")):
        if change in changes:
            changes[change](made)
        write(checkout, name, made)
    return checkout
