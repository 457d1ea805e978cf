"""The timetable and the agendas: what an organiser would miss, and what an author is told."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import tiny_lessons
from hypothesis import given
from hypothesis import strategies as st
from tiny_checkout import REPOSITORY
from tiny_lessons import ONE, module

from grader import coursemap
from grader.author import agenda, lint, timetable
from grader.author.agenda import Agenda
from grader.author.sessions import Breaks, Page, Slot, clock, day, minute_of_day, span
from grader.coursemap import Course, LabPage
from grader.errors import LearnerError
from grader.lesson import Lesson

BREAKS = Breaks(longest=90, minutes=15, lunch=60, lunch_from=11 * 60 + 30, lunch_to=13 * 60 + 15)
NINE = 9 * 60
FILE = """\
[breaks]
longest = 90
minutes = 15
lunch = 60
lunch_between = ["11:30", "13:15"]

[[agenda]]
name = "Short"
about = "For all."
start = "09:00"
hours = {hours}
days = {days}
"""


def page(number: int, minutes: int, home: str = "01_first", needs: tuple[str, ...] = ()) -> Lesson:
    """A lesson; number 9 is the check yourself."""
    name = f"{number:02}_check_yourself" if number == 9 else f"{number:02}_turnips"
    return Lesson(Path(f"course/{home}/{name}.ipynb"), (), {"minutes": minutes, "prerequisites": list(needs)})


FIRST, SECOND, CHECK = page(1, 20), page(2, 25, needs=("01_first/01_turnips",)), page(9, 10)
OTHER = page(1, 30, "02_second", ("01_first/02_turnips", "Patience."))
LAB, CASE = LabPage("01_dig", "Dig", 30, {}), LabPage("11_sell", "Sell", 80, {}, ("labs/01_dig", "Nerve."))
COURSE = coursemap.of([FIRST, SECOND, CHECK, OTHER], [LAB, CASE])


def plan(days: list[list[str]], hours: float = 4, course: Course = COURSE) -> Agenda:
    (one,) = agenda.plan(FILE.format(days=days, hours=hours), course).agendas
    return one


def taken(one: Agenda) -> list[Page]:
    return [slot.what for slots in one.days for slot in slots if not isinstance(slot.what, str)]


def refused(days: list[list[str]], hours: float = 4) -> str:
    with pytest.raises(LearnerError) as raised:
        plan(days, hours)
    return f"{raised.value.what} {raised.value.try_next}"


# The timetable


def test_the_sums_are_those_of_the_pages() -> None:
    made = timetable.render(COURSE, None)
    assert "The whole course takes **3 h 15 min**: 1 h 25 min of lessons and 1 h 50 min of labs." in made
    assert "| **01 · First** | | **85** |" in made
    assert made.endswith("| **The whole course** | | **195** |\n")


def test_a_span_reads_like_one_and_a_time_of_day_like_one() -> None:
    assert [span(minutes) for minutes in (0, 45, 60, 375)] == ["0 min", "45 min", "1 h", "6 h 15 min"]
    assert clock(minute_of_day("09:05")) == "09:05"
    for wrong in ("9", "24:00", "10:60", "ten:05", "9:5"):
        with pytest.raises(ValueError, match=r"time of day|invalid literal"):
            minute_of_day(wrong)


# What an agenda takes


@pytest.mark.parametrize(
    ("entry", "pages"),
    [
        ("01_first", [FIRST, SECOND, CHECK, LAB]),
        ("01_first/lessons", [FIRST, SECOND]),
        ("01_first/02", [SECOND]),
        ("01_first/02_turnips", [SECOND]),
        ("labs/01_dig", [LAB]),
        ("11_sell", [CASE]),
    ],
)
def test_an_entry_is_a_module_its_lessons_one_of_them_or_a_lab(entry: str, pages: list[Page]) -> None:
    days = [[entry]] if entry.endswith(("first", "dig", "sell")) else [[entry], ["labs/11_sell"]]
    assert [one for one in taken(plan(days)) if one in pages] == pages
    assert [one for one in taken(plan(days)) if one not in pages] == [CASE] * (len(days) - 1)


def test_what_is_left_out_is_read_before_where_it_is_needed_and_else_afterwards() -> None:
    one = plan([["02_second", "labs/11_sell"]])
    assert one.before == (FIRST, SECOND, LAB)  # the case needs the lab, which needs the lessons above it
    assert one.after == (CHECK,)
    everything = plan([["01_first", "02_second", "labs/11_sell"]], hours=8)
    assert (everything.before, everything.after) == ((), ())


@pytest.mark.parametrize(
    "entry", ["03_third", "01_first/07", "01_first/02_beets", "labs/99_none", "", "labs"]
)
def test_an_entry_that_is_not_in_the_course_is_refused_and_said_what_is(entry: str) -> None:
    said = refused([["01_first/01", entry, "labs/11_sell"]])
    assert f"'Short' names {entry!r}, which is not in the course." in said
    assert "01_first, 02_second, 11_sell, labs/01_dig, labs/11_sell" in said


def test_what_is_coming_is_left_out_until_it_is_there() -> None:
    text = 'coming = ["02", "03"]\n' + FILE.format(
        days=[["01_first", "02_second", "03_third/lessons", "labs/03_saw", "labs/11_sell"]], hours=4
    )
    (one,) = agenda.plan(text, COURSE).agendas
    assert taken(one) == [FIRST, SECOND, CHECK, LAB, OTHER, CASE]
    with pytest.raises(LearnerError, match="labs/04_hoe"):
        agenda.plan(text.replace("labs/03_saw", "labs/04_hoe"), COURSE)


def test_an_agenda_that_overruns_is_refused_with_by_how_much() -> None:
    days = [["01_first", "labs/11_sell"]]  # 85 + 15 + 80
    assert clock(plan(days, hours=3).days[0][-1].end) == "12:00"
    said = refused(days, hours=2.9)
    assert "ends at 12:00, 6 min too late: it may last 2 h 54 min" in said
    assert "those taken: 01.1 (20), 01.2 (25), 01.9 (10), lab 01 (30), lab 11 (80)" in said


def test_each_day_may_last_so_long() -> None:
    assert len(plan([["01_first"], ["labs/11_sell"]], hours=1.5).days) == 2


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ([["01_first/02", "01_first/01", "labs/11_sell"]], "before '01.1 · 01_turnips', which it needs"),
        ([["labs/11_sell"], ["labs/01_dig"]], "takes 'Lab 11 · Sell' before 'Lab 01 · Dig'"),
        ([["labs/01_dig", "01_first/01"]], "takes 'Lab 01 · Dig' before '01.1 · 01_turnips'"),
        ([["01_first", "01_first/01"]], "takes '01.1 · 01_turnips' twice"),
        ([["01_first/lessons"]], "has no lab"),
        ([[], ["labs/11_sell"]], "is empty"),
    ],
)
def test_what_no_room_could_follow_is_refused(days: list[list[str]], said: str) -> None:
    assert said in refused(days)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "TOMLDecodeError"),
        ("", "KeyError: 'breaks'"),
        (FILE.format(days=[["11_sell"]], hours=4).replace("about", "abuot"), "abuot"),
        (FILE.format(days=[["11_sell"]], hours=4).replace("lunch =", "tea ="), "tea"),
        (FILE.format(days=[["11_sell"]], hours=4).replace('"09:00"', '"9 am"'), "9 am"),
        (FILE.format(days=[["11_sell"]], hours=4) + "[snacks]\n", "what is snacks?"),
        (FILE.format(days=3, hours=4), "days"),
        (FILE.format(days='["11_sell"]', hours=4), "days"),
        (FILE.format(days='[["11_sell"]]', hours='"four"'), "hours"),
    ],
)
def test_a_file_that_is_no_agenda_says_what_is_wrong_with_it(text: str, said: str) -> None:
    with pytest.raises(LearnerError) as raised:
        agenda.plan(text, COURSE)
    assert "course/agendas.toml can't be read" in raised.value.what
    assert said in raised.value.what


# Breaks


def sessions(slots: tuple[Slot, ...]) -> list[int]:
    """Minutes between pauses."""
    lengths = [0]
    for slot in slots:
        if isinstance(slot.what, str):
            lengths.append(0)
        else:
            lengths[-1] += slot.end - slot.begin
    return lengths


pages = st.lists(st.integers(5, 90), min_size=1, max_size=14).map(
    lambda minutes: [page(1, one, f"{place // 4:02}_some") for place, one in enumerate(minutes)]
)


@given(pages)
def test_nobody_sits_longer_than_the_rules_say_and_nothing_is_lost(some: list[Lesson]) -> None:
    slots = day("any", NINE, some, BREAKS)
    assert max(sessions(slots)) <= BREAKS.longest
    assert min(sessions(slots)) > 0
    assert [slot.what for slot in slots if not isinstance(slot.what, str)] == some
    assert all(slot.end == after.begin for slot, after in pairwise(slots))
    lunches = [slot for slot in slots if slot.what == "lunch"]
    assert len(lunches) == (slots[-1].end > BREAKS.lunch_to)
    assert all(BREAKS.lunch_from <= slot.begin <= BREAKS.lunch_to for slot in lunches)


def test_a_break_comes_between_modules_where_it_can() -> None:
    some = [page(1, 30, "01_a"), page(2, 30, "01_a"), page(1, 20, "02_b"), page(2, 50, "02_b")]
    assert sessions(day("any", NINE, some, BREAKS)) == [60, 70]  # not 80 and 50


def test_sessions_of_one_module_are_alike_in_length() -> None:
    some = [page(number, 20) for number in range(1, 7)]
    assert sessions(day("any", NINE, some, BREAKS)) == [60, 60]  # not 80 and 40


def test_a_page_longer_than_anybody_sits_is_refused() -> None:
    with pytest.raises(LearnerError, match="91 minutes, and nobody may sit longer than 90"):
        day("any", NINE, [page(1, 91)], BREAKS)


def test_a_day_without_a_place_for_lunch_is_refused() -> None:
    late = BREAKS.lunch_to + 1
    with pytest.raises(LearnerError, match="no place for lunch between 11:30 and 13:15"):
        day("any", late, [page(1, 20)], BREAKS)


# This course


@pytest.fixture(scope="module")
def this() -> Course:
    return coursemap.read(REPOSITORY)


def test_the_timetable_of_this_course_is_what_its_sources_say(this: Course) -> None:
    made = (REPOSITORY / "course" / "README.md").read_text(encoding="utf-8")
    assert timetable.render(this, agenda.read(REPOSITORY, this)) == made, "Type:  corewise author build"


def test_its_links_lead_somewhere_and_every_page_is_linked(this: Course) -> None:
    made = (REPOSITORY / "course" / "README.md").read_text(encoding="utf-8")
    linked = {(REPOSITORY / "course" / link).resolve() for link in re.findall(r"\]\(([^)]+)\)", made)}
    assert {path for path in linked if not path.is_file()} == set()
    assert {page.path.resolve() for page in this.lessons} <= linked
    assert {REPOSITORY / lab.page for lab in this.labs} <= linked


def test_there_are_agendas_for_half_a_day_one_and_two_each_with_a_lab_a_day(this: Course) -> None:
    planned = agenda.read(REPOSITORY, this)
    assert planned is not None
    lengths = {one.name: [slots[-1].end - slots[0].begin for slots in one.days] for one in planned.agendas}
    assert list(lengths) == ["Half a day", "One day", "Two days"]
    assert [len(days) for days in lengths.values()] == [1, 1, 2]
    assert max(lengths["Half a day"]) <= 4 * 60
    assert max(lengths["One day"] + lengths["Two days"]) <= 7 * 60
    for one in planned.agendas:
        for slots in one.days:
            assert any(isinstance(slot.what, LabPage) for slot in slots)
            assert max(sessions(slots)) <= 90


# What an author sees


def test_lint_tells_of_an_agenda_that_is_out_of_date(tmp_path: Path) -> None:
    checkout = module(tmp_path)
    (checkout / "course" / "agendas.toml").write_text(FILE.format(days=[["03_none"]], hours=4))
    (fault,) = lint.lint(checkout=checkout).faults
    assert (fault.rule, fault.file) == ("agendas", "course/agendas.toml")
    assert "'03_none', which is not in the course" in fault.what


def test_a_lesson_that_grows_moves_the_agenda(tmp_path: Path) -> None:
    checkout = module(tmp_path)
    text = FILE.format(days=[["01_first", "labs/11_sell"]], hours=4)
    ends = []
    for minutes in (20, 29):
        lesson = tiny_lessons.lesson()
        lesson.metadata["corewise"]["minutes"] = minutes
        tiny_lessons.write(checkout, ONE, lesson)
        course = coursemap.of(coursemap.read(checkout).lessons, [CASE])
        ends.append(agenda.plan(text, course).agendas[0].days[0][-1].end)
    assert ends[1] - ends[0] == 9
