"""The map of the course: its modules with their lessons and labs, in order, and what each stands on.

    course/<nn>_<name>/*.ipynb, labs/<nn>_<name>/lab.toml  ->  Course of Stages

A stage is a module with the labs of its number, or a lab that has no module (yet).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader import lesson as lessons
from grader.errors import GraderError, LearnerError
from grader.lab import lab_folders
from grader.lesson import Lesson


@dataclass(frozen=True)
class LabPage:
    """What a map says of a lab: `checks` are the points of each check; `needs` as in a lesson's prerequisites."""

    id: str
    title: str
    minutes: int
    checks: Mapping[str, float]
    needs: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        return self.id.split("_")[0]

    @property
    def name(self) -> str:
        """As a reader sees it: "Lab 11 · Fraud: new rules"."""
        return f"Lab {self.number} · {self.title}"

    @property
    def page(self) -> str:
        """Where it lies in a workspace."""
        return f"labs/{self.id}/{self.id}.ipynb"


@dataclass(frozen=True)
class Stage:
    """One step on the way through the course; `needs` are the ids of other stages."""

    id: str
    title: str
    lessons: tuple[Lesson, ...]
    labs: tuple[LabPage, ...]
    needs: tuple[str, ...]

    @property
    def number(self) -> str:
        return self.id.split("_")[0]

    @property
    def name(self) -> str:
        return f"{self.number} · {self.title}"

    @property
    def minutes(self) -> int:
        return sum(page.minutes for page in self.lessons) + sum(lab.minutes for lab in self.labs)


@dataclass(frozen=True)
class Course:
    """All stages, in the order in which they are meant to be taken."""

    stages: tuple[Stage, ...]

    @property
    def lessons(self) -> tuple[Lesson, ...]:
        return tuple(page for stage in self.stages for page in stage.lessons)

    @property
    def labs(self) -> tuple[LabPage, ...]:
        return tuple(lab for stage in self.stages for lab in stage.labs)


def lesson_files(checkout: Path) -> tuple[Path, ...]:
    """The notebooks of all modules, in the course's order."""
    return tuple(sorted((checkout / "course").glob("[0-9][0-9]_*/*.ipynb")))


def read(checkout: Path) -> Course:
    """The course that lies in `checkout`.

    Raises:
        LearnerError: one of its lessons is no notebook.
        GraderError: a lab.toml is broken.
    """
    return of([lessons.read(path) for path in lesson_files(checkout)], read_labs(checkout))


def read_labs(checkout: Path) -> tuple[LabPage, ...]:
    """The labs, by their ids.

    Raises:
        GraderError: a lab.toml is broken.
    """
    return tuple(_lab(folder) for _, folder in sorted(lab_folders(checkout).items()))


def of(pages: Iterable[Lesson], labs: Iterable[LabPage]) -> Course:
    """Put lessons and labs in order. Pure."""
    modules: dict[str, list[Lesson]] = {}
    for page in pages:
        modules.setdefault(page.module, []).append(page)
    alone: dict[str, list[LabPage]] = {name: [] for name in modules}
    homes: dict[str, str] = {}
    for lab in labs:
        home = next((name for name in modules if name.split("_")[0] == lab.number), lab.id)
        homes[lab.id] = home
        alone.setdefault(home, []).append(lab)
    stages = [
        _stage(name, modules.get(name, []), its_labs, homes) for name, its_labs in sorted(alone.items())
    ]
    return Course(tuple(stages))


def _stage(name: str, pages: list[Lesson], labs: list[LabPage], homes: Mapping[str, str]) -> Stage:
    """`homes` has the stage of each lab."""
    title = _words(name) if pages else labs[0].title
    asked = [one for page in pages for one in page.prerequisites] + [one for lab in labs for one in lab.needs]
    paths = [one.removeprefix("labs/").split("/")[0] for one in asked if lessons.is_path(one)]
    named = [homes.get(one, one) for one in paths]
    needs = tuple(dict.fromkeys(one for one in named if one != name))
    return Stage(name, title, tuple(pages), tuple(labs), needs)


def _words(name: str) -> str:
    """`01_measure_first` -> "Measure first"."""
    return name.partition("_")[2].replace("_", " ").capitalize() or name


def _lab(folder: Path) -> LabPage:
    try:
        told = tomllib.loads((folder / "lab.toml").read_text(encoding="utf-8"))
        checks = {name: float(check["points"]) for name, check in told["checks"].items()}
        return LabPage(told["id"], told["title"], told["minutes"], checks, _needs(folder, told["id"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GraderError(f"{folder.name}/lab.toml: {type(error).__name__}: {error}") from error


def _needs(folder: Path, lab_id: str) -> tuple[str, ...]:
    """What the lab's own notebook names, where it can be read."""
    try:
        return lessons.read(folder / f"{lab_id}.ipynb").prerequisites
    except LearnerError:
        return ()
