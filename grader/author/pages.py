"""Pages made from the lessons: the glossary from their definitions, the start page's map from their metadata. Pure.

Links lead on from `course/`, where these pages lie; `grader.workspace` turns them into a workspace's.
"""

from __future__ import annotations

from grader import lesson as lessons
from grader.coursemap import Course, LabPage, Stage
from grader.errors import LearnerError
from grader.lesson import Lesson, Term

BEGIN = "<!-- The map: made by `corewise author build` from the notebooks' own metadata. -->"
END = "<!-- The end of the map. -->"

_GLOSSARY = """\
<!-- Made by `corewise author build` from the lessons' definitions; edit those instead. -->

# Glossary

The words of the course, each with the lesson that explains it.
"""


def glossary(course: Course) -> str:
    """GLOSSARY.md: every term in alphabetical order, with the lesson that defines it."""
    found = [(term, page) for page in course.lessons for cell in page.cells for term in cell.terms]
    found.sort(key=lambda pair: (pair[0].name.casefold(), pair[1].id))
    lines = [_entry(term, page) for term, page in found] or ["There are none yet."]
    return _GLOSSARY + "\n" + "\n".join(lines) + "\n"


def with_map(start: str, course: Course) -> str:
    """START.md with the map of today between its two markers.

    Raises:
        LearnerError: the markers aren't there, once each and in order.
    """
    before, begin, rest = start.partition(BEGIN)
    inside, end, after = rest.partition(END)
    if not begin or not end or BEGIN in inside + after or END in after:
        raise LearnerError(
            "course/START.md doesn't say where the map goes.", f"Put these two lines into it:\n{BEGIN}\n{END}"
        )
    return f"{before}{BEGIN}\n\n{course_map(course)}\n{END}{after}"


def course_map(course: Course) -> str:
    """A table with a line for each module, lesson and lab: its link, what it needs, its minutes."""
    lines = ["| page | you need | minutes |", "| --- | --- | --- |"]
    cases = [stage for stage in course.stages if not stage.lessons]
    for stage in course.stages:
        if cases and stage is cases[0]:
            lines.append("| **Cases** | | |")
        lines += _rows(stage, course)
    return "\n".join(lines) + "\n"


def linked(page: Lesson | LabPage, text: str) -> str:
    """`text` as a link from `course/` to the page, fit for a cell of a table."""
    place = f"../{page.page}" if isinstance(page, LabPage) else f"{page.module}/{page.path.name}"
    return f"[{_cell(text)}]({place})"


def _entry(term: Term, page: Lesson) -> str:
    return f"- **{term.name}**: {term.meaning} ({linked(page, page.name)})"


def _rows(stage: Stage, course: Course) -> list[str]:
    rows = []
    if stage.lessons:
        rows.append(f"| **{_cell(stage.name)}** | | **{stage.minutes}** |")
    rows += [_row(page, page.prerequisites, course) for page in stage.lessons]
    above = ("the lessons above",) if stage.lessons else ()
    return rows + [_row(lab, lab.needs or above, course) for lab in stage.labs]


def _row(page: Lesson | LabPage, needs: tuple[str, ...], course: Course) -> str:
    said = "; ".join(_need(one, course) for one in needs)
    return f"| {linked(page, page.name)} | {said}{' ' if said else ''}| {page.minutes} |"


def _need(prerequisite: str, course: Course) -> str:
    """A page of the course as a link with its number, a module by its number, a sentence as it is."""
    if not lessons.is_path(prerequisite):
        return _cell(prerequisite.rstrip("."))
    name = prerequisite.removesuffix(".ipynb")
    for page in course.lessons:
        if page.id == name:
            return linked(page, page.number)
    for lab in course.labs:
        if lab.id == name.removeprefix("labs/") and (
            name.startswith("labs/") or lab.id not in _modules(course)
        ):
            return linked(lab, f"lab {lab.number}")
    return f"module {name.split('_')[0]}"


def _modules(course: Course) -> set[str]:
    return {page.module for page in course.lessons}


def _cell(text: str) -> str:
    """Text that can stand in a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")
