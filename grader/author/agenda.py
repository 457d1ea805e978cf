"""Agendas for workshops: what `course/agendas.toml` names, with the pages' own minutes and breaks. Pure but for `read`.

    agendas.toml, Course -> pages in order -> sessions (grader.author.sessions) -> Agendas

Nothing is cut short: an agenda that can't be as it is declared is refused, with what to change.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader import lesson as lessons
from grader.author.sessions import Breaks, Page, Slot, clock, day, minute_of_day, short, span
from grader.coursemap import Course, LabPage
from grader.errors import LearnerError

FILE = "course/agendas.toml"


@dataclass(frozen=True)
class Agenda:
    """One workshop. `before` is what its pages need and it leaves out; `after` is the rest of the course."""

    name: str
    about: str
    days: tuple[tuple[Slot, ...], ...]
    before: tuple[Page, ...]
    after: tuple[Page, ...]


@dataclass(frozen=True)
class Agendas:
    """All of them, and the rules for their breaks."""

    breaks: Breaks
    agendas: tuple[Agenda, ...]


@dataclass(frozen=True)
class _Declared:
    """One `[[agenda]]`; its names are those of the file."""

    name: str
    about: str
    start: str
    hours: float
    days: Sequence[Sequence[str]]

    def __post_init__(self) -> None:
        if not isinstance(self.hours, int | float):
            raise TypeError("hours is no number")
        lists = isinstance(self.days, list) and all(isinstance(one, list) for one in self.days)
        if not (lists and all(isinstance(entry, str) for one in self.days for entry in one)):
            raise TypeError("days is no list of lists of names")


def read(checkout: Path, course: Course) -> Agendas | None:
    """What the checkout declares; None where it declares no agendas.

    Raises:
        LearnerError: as `plan`.
    """
    path = checkout / FILE
    return plan(path.read_text(encoding="utf-8"), course) if path.is_file() else None


def plan(text: str, course: Course) -> Agendas:
    """The agendas that agendas.toml (`text`) declares for this course.

    Raises:
        LearnerError: it can't be read, or an agenda can't be as declared.
    """
    try:
        data = tomllib.loads(text)
        coming = frozenset(map(str, data.pop("coming", ())))
        breaks = _breaks(**data.pop("breaks"))
        declared = [_Declared(**one) for one in data.pop("agenda")]
        starts = [minute_of_day(one.start) for one in declared]
        if data:
            raise ValueError(f"what is {', '.join(data)}?")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LearnerError(
            f"{FILE} can't be read: {type(error).__name__}: {error}", "Its head says what goes into it."
        ) from error
    made = [_agenda(one, start, breaks, coming, course) for one, start in zip(declared, starts, strict=True)]
    return Agendas(breaks, tuple(made))


def _breaks(longest: int, minutes: int, lunch: int, lunch_between: Sequence[str]) -> Breaks:
    first, last = map(minute_of_day, lunch_between)
    return Breaks(longest, minutes, lunch, first, last)


def _agenda(
    declared: _Declared, start: int, breaks: Breaks, coming: frozenset[str], course: Course
) -> Agenda:
    name = declared.name
    days = [[page for entry in one for page in _named(entry, name, coming, course)] for one in declared.days]
    taken = [page for one in days for page in one]
    _refuse_order(name, taken, course)
    if not any(isinstance(page, LabPage) for page in taken):
        raise LearnerError(f"The agenda {name!r} has no lab.", f'Add one to its days in {FILE}: "labs/...".')
    placed = [_day(name, start, declared.hours, one, breaks) for one in days]
    wanted = _all_needed(taken, course)
    left = [page for page in _all_pages(course) if page not in taken]
    before = tuple(page for page in left if page in wanted)
    after = tuple(page for page in left if page not in wanted)
    return Agenda(name, declared.about, tuple(placed), before, after)


def _day(name: str, start: int, hours: float, pages: Sequence[Page], breaks: Breaks) -> tuple[Slot, ...]:
    slots = day(name, start, pages, breaks)
    over = slots[-1].end - start - round(hours * 60)
    if over > 0:
        raise LearnerError(
            f"A day of the agenda {name!r} ends at {clock(slots[-1].end)}, {span(over)} too late: "
            f"it may last {span(round(hours * 60))}.",
            f"Take pages out of it in {FILE}; those taken: "
            f"{', '.join(f'{short(page)} ({page.minutes})' for page in pages)}.",
        )
    return slots


def _named(entry: str, agenda: str, coming: frozenset[str], course: Course) -> Sequence[Page]:
    """The pages that one entry names; none where they are `coming`."""
    module, _, rest = entry.partition("/")
    if module == "labs":
        found: list[Page] = [lab for lab in course.labs if lab.id == rest]
    else:
        stages = [stage for stage in course.stages if stage.id == module]
        pages = [page for stage in stages for page in stage.lessons]
        if not rest:
            found = [*pages, *(lab for stage in stages for lab in stage.labs)]
        elif rest == "lessons":
            found = [page for page in pages if not page.is_check]
        else:
            found = [page for page in pages if rest in (page.path.stem, page.path.stem.split("_")[0])]
    if not found and entry.removeprefix("labs/")[:2] not in coming:
        there = ", ".join([stage.id for stage in course.stages] + [f"labs/{lab.id}" for lab in course.labs])
        raise LearnerError(
            f"The agenda {agenda!r} names {entry!r}, which is not in the course.",
            f"Mend it in {FILE}; there are: {there}.",
        )
    return found


def _refuse_order(name: str, taken: Sequence[Page], course: Course) -> None:
    """Each page once, and after those that it needs."""
    for page in taken:
        if taken.count(page) > 1:
            raise LearnerError(
                f"The agenda {name!r} takes {page.name!r} twice.", f"Take it out once, in {FILE}."
            )
    for place, page in enumerate(taken):
        for needed in _needed(page, course):
            if needed in taken[place:]:
                raise LearnerError(
                    f"The agenda {name!r} takes {page.name!r} before {needed.name!r}, which it needs.",
                    f"Turn them round in {FILE}.",
                )


def _needed(page: Page, course: Course) -> tuple[Page, ...]:
    """The pages that `page` itself names; a module's lab that names nothing needs the lessons above it."""
    if isinstance(page, LabPage):
        home = [stage for stage in course.stages if page in stage.labs]
        lessons_above = [one for stage in home for one in stage.lessons if not one.is_check]
        if not page.needs:
            return tuple(lessons_above)
    names = page.needs if isinstance(page, LabPage) else page.prerequisites
    paths = [name.removesuffix(".ipynb") for name in names if lessons.is_path(name)]
    found: list[Page] = [one for one in course.lessons if one.id in paths]
    found += [one for one in course.lessons if one.module in paths and not one.is_check]
    found += [lab for lab in course.labs if {f"labs/{lab.id}", lab.id} & set(paths)]
    return tuple(found)


def _all_needed(pages: Iterable[Page], course: Course) -> list[Page]:
    """What these pages need, and what that needs in turn."""
    found: list[Page] = []
    waiting = list(pages)
    while waiting:
        for needed in _needed(waiting.pop(), course):
            if needed not in found:
                found.append(needed)
                waiting.append(needed)
    return found


def _all_pages(course: Course) -> list[Page]:
    """In the course's order."""
    found: list[Page] = []
    for stage in course.stages:
        found += [*stage.lessons, *stage.labs]
    return found
