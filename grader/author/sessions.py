"""A day's pages -> its sessions, with breaks and lunch between them. Pure. Times are minutes of the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from grader.coursemap import LabPage
from grader.errors import LearnerError
from grader.lesson import Lesson

Page = Lesson | LabPage
Pause = Literal["break", "lunch"]


@dataclass(frozen=True)
class Breaks:
    """The rules, in minutes: nobody sits longer than `longest`; lunch begins from `lunch_from` to `lunch_to`."""

    longest: int
    minutes: int
    lunch: int
    lunch_from: int
    lunch_to: int


@dataclass(frozen=True)
class Slot:
    """One line of a day."""

    begin: int
    end: int
    what: Page | Pause


#: What an arrangement costs, the worst first: pauses; modules cut by a pause; unevenness of the sessions.
_Cost = tuple[int, int, int]
#: After which page a pause comes, and which.
_Plan = tuple[tuple[int, Pause], ...]


def day(name: str, start: int, pages: Sequence[Page], breaks: Breaks) -> tuple[Slot, ...]:
    """The day from `start` on: as few pauses as will do, between modules where possible, sessions alike in length.

    A day that ends before lunch may begin last has none.

    Raises:
        LearnerError: no arrangement keeps the rules; `name` is the agenda's.
    """
    if not pages:
        raise LearnerError(f"A day of the agenda {name!r} is empty.", "Take it out, or name pages.")
    for page in pages:
        if page.minutes > breaks.longest:
            raise LearnerError(
                f"The agenda {name!r} takes {page.name!r}: {page.minutes} minutes, and nobody may sit "
                f"longer than {breaks.longest}.",
                "Make two pages of it, or leave it as reading.",
            )
    without = _arrange(start, pages, breaks, lunch=False)
    if without is not None and _slots(start, pages, breaks, without)[-1].end <= breaks.lunch_to:
        return _slots(start, pages, breaks, without)
    with_lunch = _arrange(start, pages, breaks, lunch=True)
    if with_lunch is None:
        raise LearnerError(
            f"A day of the agenda {name!r} has no place for lunch between {clock(breaks.lunch_from)} and "
            f"{clock(breaks.lunch_to)}.",
            "Start it at another time, or change the order of its pages.",
        )
    return _slots(start, pages, breaks, with_lunch)


def _arrange(start: int, pages: Sequence[Page], breaks: Breaks, *, lunch: bool) -> _Plan | None:
    """The best plan that has lunch once, or none at all; None where there is no plan."""

    @cache
    def rest(first: int, now: int, fed: bool) -> tuple[_Cost, _Plan] | None:
        """The best for the pages from `first` on, which begin at `now`."""
        found: list[tuple[_Cost, _Plan]] = []
        length = 0
        for last in range(first, len(pages)):
            length += pages[last].minutes
            if length > breaks.longest:
                break
            ends = now + length
            if last == len(pages) - 1:
                if fed == lunch:
                    found.append(((0, 0, length**2), ()))
                continue
            ways: list[tuple[Pause, int]] = [("break", breaks.minutes)]
            if lunch and not fed and breaks.lunch_from <= ends <= breaks.lunch_to:
                ways.append(("lunch", breaks.lunch))
            cut = int(_module(pages[last]) == _module(pages[last + 1]))
            for pause, minutes in ways:
                after = rest(last + 1, ends + minutes, fed or pause == "lunch")
                if after is not None:
                    (count, cuts, uneven), plan = after
                    found.append(((count + 1, cuts + cut, uneven + length**2), ((last, pause), *plan)))
        return min(found, default=None)

    best = rest(0, start, False)
    return None if best is None else best[1]


def _slots(start: int, pages: Sequence[Page], breaks: Breaks, plan: _Plan) -> tuple[Slot, ...]:
    slots, now, pauses = [], start, dict(plan)
    for place, page in enumerate(pages):
        slots.append(Slot(now, now + page.minutes, page))
        now += page.minutes
        if place in pauses:
            ends = now + (breaks.lunch if pauses[place] == "lunch" else breaks.minutes)
            slots.append(Slot(now, ends, pauses[place]))
            now = ends
    return tuple(slots)


def _module(page: Page) -> str:
    """The number of its module."""
    return page.number.split(".")[0]


def short(page: Page) -> str:
    """Its number: "01.2", "lab 11"."""
    return f"lab {page.number}" if isinstance(page, LabPage) else page.number


def minute_of_day(text: str) -> int:
    """ "09:30" -> 570.

    Raises:
        ValueError: it is no time of day.
    """
    hour, _, minute = text.partition(":")
    if not (len(minute) == 2 and int(hour) in range(24) and int(minute) in range(60)):
        raise ValueError(f"{text!r} is no time of day such as 09:00")
    return int(hour) * 60 + int(minute)


def clock(minute: int) -> str:
    """570 -> "09:30"."""
    return f"{minute // 60:02}:{minute % 60:02}"


def span(minutes: int) -> str:
    """375 -> "6 h 15 min"."""
    hours, rest = divmod(minutes, 60)
    return " ".join([f"{hours} h"] * (hours > 0) + [f"{rest} min"] * (rest > 0 or not hours))
