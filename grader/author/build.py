"""Derived files: solutions/ -> labs/ by nbgrader, pyproject.toml -> environment.yml, notebooks in canonical form,
lessons -> the glossary, the start page's map, the timetable with its agendas.

`changes()` makes every derived file in a scratch folder and compares; `write()` puts the new ones in place.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat

from grader import bridge, coursemap
from grader.author import agenda, environment, pages, timetable
from grader.errors import LearnerError
from grader.lab import CHECKOUT


@dataclass(frozen=True)
class Change:
    """A derived file that is not what its source says; `content` None means that it should not be there."""

    path: Path
    source: str
    content: bytes | None


def build(checkout: Path = CHECKOUT) -> tuple[Change, ...]:
    """Write every derived file that differs from what its source says; returns what was written."""
    # In two steps: labs and pages are made from notebooks in canonical form.
    return _write(_canonical(checkout)) + _write(_made(checkout))


def check(checkout: Path = CHECKOUT) -> tuple[Change, ...]:
    """What `build` would write."""
    return _canonical(checkout) + _made(checkout)


def canonical(text: str, path: Path) -> str:
    """A notebook without outputs and counts, keys sorted, ids as they are: the one form that git sees.

    Of the metadata, `corewise` stays: what a lesson says about itself.

    Raises:
        LearnerError: it is no notebook.
    """
    try:
        notebook = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    except Exception as error:
        raise LearnerError(f"{path} is not a notebook: {error}", "Mend or remove it.") from error
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        cell.metadata.pop("execution", None)
    ours = {"corewise": notebook.metadata["corewise"]} if "corewise" in notebook.metadata else {}
    notebook.metadata.clear()
    notebook.metadata.update(ours, kernelspec=_KERNEL, language_info={"name": "python"})
    return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]


#: Another name than `python3` raises a dialog in JupyterLab.
_KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def _canonical(checkout: Path) -> tuple[Change, ...]:
    found = []
    places = ("solutions/*/*.ipynb", "course/*/*.ipynb", "course/*.ipynb")
    for path in sorted(path for place in places for path in checkout.glob(place)):
        text = path.read_text(encoding="utf-8")
        if (wanted := canonical(text, path)) != text:
            found.append(Change(path, "itself, without outputs and in canonical form", wanted.encode()))
    return tuple(found)


def _made(checkout: Path) -> tuple[Change, ...]:
    return _labs(checkout) + _environment(checkout) + _pages(checkout)


def _labs(checkout: Path) -> tuple[Change, ...]:
    found = []
    with tempfile.TemporaryDirectory(prefix="corewise-build-") as scratch:
        release = Path(scratch) / "labs"
        for lab in sorted(path.parent.name for path in (checkout / "solutions").glob("*/lab.toml")):
            bridge.generate(checkout, lab, release, Path(scratch))
        wanted = {path.relative_to(release): path.read_bytes() for path in _files(release)}
        there = {path.relative_to(checkout / "labs"): path.read_bytes() for path in _files(checkout / "labs")}
    for name in sorted(wanted.keys() | there.keys()):
        if wanted.get(name) != there.get(name):
            source = f"solutions/{name.parts[0]}"
            found.append(Change(checkout / "labs" / name, source, wanted.get(name)))
    return tuple(found)


def _environment(checkout: Path) -> tuple[Change, ...]:
    path = checkout / "environment.yml"
    wanted = environment.render(checkout / "pyproject.toml").encode()
    if path.is_file() and path.read_bytes() == wanted:
        return ()
    return (Change(path, "pyproject.toml", wanted),)


def _pages(checkout: Path) -> tuple[Change, ...]:
    """What is made from the lessons: nothing in a checkout that has no start page.

    Raises:
        LearnerError: the start page has no place for the map, or an agenda can't be as it is declared.
    """
    start = checkout / "course" / "START.md"
    if not start.is_file():
        return ()
    course = coursemap.read(checkout)
    text = start.read_text(encoding="utf-8")
    wanted = [
        (start, "the notebooks' metadata", pages.with_map(text, course)),
        (checkout / "course" / "GLOSSARY.md", "the lessons' definitions", pages.glossary(course)),
        (
            checkout / "course" / "README.md",
            f"the notebooks' metadata, {agenda.FILE}",
            timetable.render(course, agenda.read(checkout, course)),
        ),
    ]
    return tuple(
        Change(path, source, content.encode())
        for path, source, content in wanted
        if not path.is_file() or path.read_bytes() != content.encode()
    )


def _files(folder: Path) -> list[Path]:
    hidden = ("__pycache__", ".ipynb_checkpoints")
    return [
        p for p in sorted(folder.rglob("*")) if p.is_file() and not any(part in hidden for part in p.parts)
    ]


def _write(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    for change in changes:
        if change.content is None:
            change.path.unlink()
            continue
        change.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = change.path.with_name(f".{change.path.name}.unfinished")
        unfinished.write_bytes(change.content)
        os.replace(unfinished, change.path)
    return changes
