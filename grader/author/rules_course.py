"""What holds between the lessons of a course: definitions, prerequisites, names of files. Pure.

A rule yields (the lesson, (cell's id, what is there, what to do)) for whatever it finds in any lesson.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader import lesson as lessons
from grader.author.rules_page import Said
from grader.coursemap import Course
from grader.lesson import Cell, Lesson

Found = tuple[Lesson, Said]

_FILE = re.compile(r"(\d\d)_[a-z0-9_]+")
_NOT_PROSE = re.compile(r"`[^`\n]*`|\]\([^)]*\)|^#.*$|<[^>]*>|https?://\S+", re.MULTILINE)


def files(course: Course) -> Iterator[Found]:
    """The lessons of a module are numbered from 01; the last one, and no other, is its check_yourself."""
    for stage in course.stages:
        for place, page in enumerate(stage.lessons, 1):
            named = _FILE.fullmatch(page.path.stem)
            if not named or int(named[1]) != place:
                yield (
                    page,
                    ("", "Its name is out of order.", f"Call it {place:02}_name.ipynb, in small letters."),
                )
            if page.is_check != (page is stage.lessons[-1]):
                where = "is not the last of its module" if page.is_check else "is the last of its module"
                yield page, ("", f"It {where}.", "End each module with one NN_check_yourself.ipynb.")


def prerequisites(course: Course) -> Iterator[Found]:
    """A page that is named is there, and comes before."""
    places = {page.id: place for place, page in enumerate(course.lessons)}
    known = {lab.id for lab in course.labs} | {f"labs/{lab.id}" for lab in course.labs}
    known |= {page.module for page in course.lessons}
    for place, page in enumerate(course.lessons):
        for named in filter(lessons.is_path, page.prerequisites):
            name = named.removesuffix(".ipynb")
            if name not in places and name not in known:
                yield (
                    page,
                    ("", f"Its prerequisite {named} is not in the course.", "Name a page that is there."),
                )
            elif places.get(name, -1) >= place or name == page.module:
                yield page, ("", f"Its prerequisite {named} doesn't come before it.", "Turn them round.")


def definitions(course: Course) -> Iterator[Found]:
    """A tagged cell defines something, a definition stands in a tagged cell, and each term has one."""
    defined: dict[str, str] = {}
    for page, cell in _cells(course):
        if "definition" in cell.tags and not cell.terms:
            yield (
                page,
                (cell.id, "It is tagged `definition` and defines nothing.", "> **term**: what it means."),
            )
        if cell.terms and "definition" not in cell.tags:
            yield page, (cell.id, "It defines a term and isn't tagged.", "Tag the cell `definition`.")
        for term in cell.terms:
            name = term.name.casefold()
            if name in defined:
                yield (
                    page,
                    (cell.id, f"{term.name!r} is defined in {defined[name]} already.", "Define it once."),
                )
            defined.setdefault(name, page.id)


def first_uses(course: Course) -> Iterator[Found]:
    """No term of the glossary is used before it is defined. Headings, first cells and code don't count."""
    cells = list(_cells(course))
    places: dict[str, tuple[str, int]] = {}
    for place, (_, cell) in enumerate(cells):
        for term in cell.terms:
            places.setdefault(term.name.casefold(), (term.name, place))
    for key, (name, defined) in places.items():
        if key in cells[defined][0].plain_words:
            continue
        word = re.compile(rf"(?<![\w-]){re.escape(name)}s?(?![\w-])", re.IGNORECASE)
        for page, cell in cells[:defined]:
            if cell is not page.cells[0] and word.search(_prose(cell)):
                home = cells[defined][0].id
                what = f"{name!r} is used here, and defined later in {home}."
                yield (
                    page,
                    (
                        cell.id,
                        what,
                        "Define it here, or list it there among plain_words: it is everyday English.",
                    ),
                )
                break


def _cells(course: Course) -> Iterator[tuple[Lesson, Cell]]:
    """What a reader of the whole course reads, in order: without the notes for instructors."""
    for page in course.lessons:
        for cell in page.cells:
            if "instructor" not in cell.tags:
                yield page, cell


def _prose(cell: Cell) -> str:
    return _NOT_PROSE.sub(" ", cell.prose)


RULES = (files, prerequisites, definitions, first_uses)
