"""course/README.md: the course's timetable and its agendas, for those who teach and plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from grader.author import pages
from grader.author.agenda import Agenda, Agendas
from grader.author.sessions import Breaks, Page, Slot, clock, short, span
from grader.coursemap import Course

_HEAD = """\
<!-- Made by `corewise author build` from the notebooks' metadata, lab.toml and agendas.toml; edit those instead. -->

# Timetable and agendas

For those who teach and those who plan. The minutes are those that each notebook and each lab names for itself.
Most lessons have notes for those who teach, near their end.
"""


def render(course: Course, planned: Agendas | None) -> str:
    """The whole page; `planned` None where the course declares no agendas."""
    parts = [_HEAD, _timetable(course)]
    if planned is not None:
        parts += [_rules(planned.breaks), *(_agenda(one, course) for one in planned.agendas)]
    return "\n".join(parts)


def _timetable(course: Course) -> str:
    in_lessons = sum(page.minutes for page in course.lessons)
    in_labs = sum(lab.minutes for lab in course.labs)
    said = (
        f"The whole course takes **{span(in_lessons + in_labs)}**: "
        f"{span(in_lessons)} of lessons and {span(in_labs)} of labs."
    )
    total = f"| **The whole course** | | **{in_lessons + in_labs}** |"
    return f"## Timetable\n\n{said}\n\n{pages.course_map(course)}{total}\n"


def _rules(breaks: Breaks) -> str:
    return f"""\
## Agendas

Each is cut from the same notebooks, with their minutes. Nobody sits longer than {breaks.longest} minutes without
a break; a day that ends after {clock(breaks.lunch_to)} has {span(breaks.lunch)} for lunch. The clock starts with
the first page: have everybody open the course once before (`python3 start.py`; the first start installs it).
"""


def _agenda(agenda: Agenda, course: Course) -> str:
    lines = [f"### {agenda.name}", "", agenda.about, ""]
    for number, slots in enumerate(agenda.days, 1):
        hours = f"{clock(slots[0].begin)} to {clock(slots[-1].end)}"
        lines += [f"**Day {number}**, {hours}:" if len(agenda.days) > 1 else f"{hours}:", ""]
        lines += ["| from | to | what | minutes |", "| --- | --- | --- | --- |"]
        lines += [_slot(one) for one in slots] + [""]
    lines += _reading("To be read before, since something above needs it", agenda.before)
    lines += _reading("Left as reading for afterwards", agenda.after)
    if not (agenda.before or agenda.after):
        lines += ["Nothing is left out.", ""]
    return "\n".join(lines)


def _slot(slot: Slot) -> str:
    what = f"*{slot.what}*" if isinstance(slot.what, str) else pages.linked(slot.what, slot.what.name)
    return f"| {clock(slot.begin)} | {clock(slot.end)} | {what} | {slot.end - slot.begin} |"


def _reading(said: str, left: Iterable[Page]) -> list[str]:
    links = [pages.linked(page, short(page)) for page in left]
    minutes = span(sum(page.minutes for page in left))
    return [f"{said} ({minutes}): {', '.join(links)}.", ""] if links else []
