"""Read the lessons as data and say what doesn't follow `course/STYLE.md`. Nothing is run.

course/*/*.ipynb -> Lessons -> rules_page, rules_code, rules_quiz (each lesson), rules_course (all) -> Faults
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import coursemap
from grader import lesson as lessons
from grader.author import agenda, rules_code, rules_course, rules_page, rules_quiz
from grader.author.build import canonical
from grader.errors import LearnerError
from grader.lab import CHECKOUT, lab_folders
from grader.lesson import Lesson

HINTS = 3  # steps for each check of a lab


@dataclass(frozen=True)
class Fault:
    """What breaks a rule: `file` as seen from the checkout, the cell's id ("" for all of it), what, what to do."""

    rule: str
    file: str
    cell: str
    what: str
    try_next: str


@dataclass(frozen=True)
class Linted:
    """The files that were read, and what was found in them."""

    files: tuple[str, ...]
    faults: tuple[Fault, ...]


def lint(chosen: str | None = None, checkout: Path = CHECKOUT) -> Linted:
    """Lint all lessons, the labs' hints and the agendas, or one module, or one notebook (a draft elsewhere, too).

    A rule between lessons always reads the whole course; told is what it finds in the chosen ones.

    Raises:
        LearnerError: no such module or notebook.
    """
    checkout = checkout.resolve()
    everything = coursemap.lesson_files(checkout)
    wanted = everything if chosen is None else _choose(chosen, everything, checkout)
    pages, faults = [], []
    for path in sorted({*everything, *wanted}):
        try:
            pages.append(lessons.read(path))
        except LearnerError as error:
            faults.append(Fault("notebook", _shown(path, checkout), "", error.what, error.try_next))
    faults += [fault for page in pages if page.path in wanted for fault in _of_page(page, checkout)]
    faults += _of_course(pages, checkout)
    names = [_shown(path, checkout) for path in wanted]
    faults = [fault for fault in faults if fault.file in names]
    if chosen is None:
        faults += [*_hints(checkout), *_agendas(pages, checkout)]
    return Linted(tuple(names), tuple(sorted(faults, key=lambda fault: fault.file)))


def _choose(chosen: str, everything: Sequence[Path], checkout: Path) -> tuple[Path, ...]:
    path = Path(chosen)
    if path.suffix == ".ipynb":
        for place in (path, checkout / path, checkout / "course" / path):
            if place.is_file():
                return (place.resolve(),)
        raise LearnerError(f"There is no notebook {chosen}.", "Name a file, or a module, or nothing for all.")
    modules = sorted({one.parent.name for one in everything})
    found = tuple(one for one in everything if one.parent.name == path.name)
    if not found:
        raise LearnerError(
            f"There is no module {chosen!r}.", f"The modules: {', '.join(modules) or 'none yet'}."
        )
    return found


def _of_page(page: Lesson, checkout: Path) -> Iterator[Fault]:
    file = _shown(page.path, checkout)
    for rule in (*rules_page.RULES, *rules_code.RULES, *rules_quiz.RULES):
        for cell, what, try_next in rule(page):
            yield Fault(_name(rule), file, cell, what, try_next)
    text = page.path.read_text(encoding="utf-8")
    try:
        if canonical(text, page.path) != text:
            yield Fault("canonical form", file, "", "It isn't in canonical form.", "corewise author build")
    except LearnerError as error:
        yield Fault("notebook", file, "", error.what, error.try_next)


def _of_course(pages: Sequence[Lesson], checkout: Path) -> Iterator[Fault]:
    course = coursemap.of(pages, coursemap.read_labs(checkout))
    for rule in rules_course.RULES:
        for page, (cell, what, try_next) in rule(course):
            if rule is rules_course.files and not page.path.is_relative_to(checkout / "course"):
                continue  # a draft elsewhere has no place in a module yet
            yield Fault(_name(rule), _shown(page.path, checkout), cell, what, try_next)


def _hints(checkout: Path) -> Iterator[Fault]:
    """Each check of each lab has three hints: a nudge, a direction, nearly the solution."""
    for folder in lab_folders(checkout).values():
        path = folder / "lab.toml"
        for name, check in tomllib.loads(path.read_text(encoding="utf-8")).get("checks", {}).items():
            if (count := len(check.get("hints", ()))) != HINTS:
                what = f"The check {name!r} has {count} hints; hint() shows {HINTS}, one at a time."
                yield Fault(
                    "hints", _shown(path, checkout), name, what, "From a nudge to nearly the solution."
                )


def _agendas(pages: Sequence[Lesson], checkout: Path) -> Iterator[Fault]:
    """Each agenda can be held as it is declared."""
    try:
        agenda.read(checkout, coursemap.of(pages, coursemap.read_labs(checkout)))
    except LearnerError as error:
        yield Fault("agendas", agenda.FILE, "", error.what, error.try_next)


def _name(rule: object) -> str:
    return str(getattr(rule, "__name__", rule)).replace("_", " ")


def _shown(path: Path, checkout: Path) -> str:
    return path.relative_to(checkout).as_posix() if path.is_relative_to(checkout) else str(path)


def report(linted: Linted) -> str:
    """Two lines for each fault (where and what; what to do), and what it comes to."""
    lines = []
    for fault in linted.faults:
        where = f"{fault.file}, {fault.cell}" if fault.cell else fault.file
        lines += [f"{where}: {fault.what}", f"    {fault.try_next}"]
    count, faults = len(linted.files), len(linted.faults)
    read = f"{count} {'lesson' if count == 1 else 'lessons'}"
    found = f"{faults} {'fault' if faults == 1 else 'faults'}" if faults else "no fault"
    return "\n".join([*lines, f"{read} read: {found}."])


def as_json(linted: Linted) -> dict[str, object]:
    """{schema, ok, files: [...], faults: [{rule, file, cell, what, try}]}."""
    return {
        "schema": 1,
        "ok": not linted.faults,
        "files": list(linted.files),
        "faults": [
            {"rule": one.rule, "file": one.file, "cell": one.cell, "what": one.what, "try": one.try_next}
            for one in linted.faults
        ],
    }
