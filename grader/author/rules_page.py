"""What a page of the course must look like: one rule a function, on one lesson read as data. Pure.

A rule yields what it finds as (cell's id or "", what is there, what to do).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from grader.lesson import Cell, Lesson

Said = tuple[str, str, str]

MOST_CELLS = 25
MINUTES = (20, 30)
MINUTES_OF_A_CHECK = (5, 15)
APART = 8  # cells from one checkpoint to the next, at most

_ABOUT = re.compile(r"^\*\*About (\d+) minutes\.\*\*", re.MULTILINE)
_HEADING = re.compile(r"^(#{1,6})(?:[ \t]+(.*?))?[ \t]*#*$", re.MULTILINE)
_ITEM = re.compile(r"^(?:[-*]|\d+\.) +\S", re.MULTILINE)
_PICTURE = re.compile(r"!\[([^\]]*)\]\(")
_IMG = re.compile(r"<img\b[^>]*>", re.IGNORECASE | re.DOTALL)
_ALT = re.compile(r"""\balt\s*=\s*(?:"\s*[^"\s]|'\s*[^'\s])""", re.IGNORECASE)
_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_RANDOM = re.compile(r"(?=.*\d)[0-9a-f]{8}(?:-[0-9a-f]{4}.*)?")


def length(lesson: Lesson) -> Iterator[Said]:
    if (count := len(lesson.cells)) > MOST_CELLS:
        yield (
            "",
            f"It has {count} cells; {MOST_CELLS} is the most.",
            "Split it, or cut what its idea doesn't need.",
        )


def minutes(lesson: Lesson) -> Iterator[Said]:
    low, high = MINUTES_OF_A_CHECK if lesson.is_check else MINUTES
    if not low <= lesson.minutes <= high:
        told = lesson.facts.get("minutes", "missing")
        yield (
            "",
            f"corewise.minutes in the metadata is {told!r}; it takes a number from {low} to {high}.",
            "Say how long a reader needs, or split the lesson.",
        )


def objectives(lesson: Lesson) -> Iterator[Said]:
    told = lesson.facts.get("objectives")
    if (
        not isinstance(told, list)
        or not told
        or not all(isinstance(one, str) and one.strip() for one in told)
    ):
        yield (
            "",
            "corewise.objectives in the metadata is no list of sentences.",
            'Say what a reader can do afterwards: "objectives": ["...", "..."].',
        )


def facts(lesson: Lesson) -> Iterator[Said]:
    """`prerequisites` and `starts_processes` are there and of their kind."""
    told = lesson.facts.get("prerequisites")
    if not isinstance(told, list) or not all(isinstance(one, str) and one.strip() for one in told):
        yield (
            "",
            "corewise.prerequisites in the metadata is no list of pages and sentences.",
            'Name what it builds on: "prerequisites": ["01_measure_first/01_..."]; [] where there is nothing.',
        )
    if not isinstance(lesson.facts.get("starts_processes"), bool):
        yield (
            "",
            "corewise.starts_processes in the metadata is neither true nor false.",
            "Say whether a cell starts processes: CI then runs it under each start method.",
        )


def first_cell(lesson: Lesson) -> Iterator[Said]:
    """`# Title`, then a line with the minutes of the metadata and what the reader needs."""
    first = lesson.cells[0] if lesson.cells else Cell("", "markdown", "")
    if first.kind != "markdown" or not first.source.startswith("# "):
        yield first.id, "The first cell is no title.", "Begin with a markdown cell: # Title"
        return
    about = _ABOUT.search(first.prose)
    if about is None:
        yield (
            first.id,
            "It doesn't say how long it takes.",
            f"Below the title: **About {lesson.minutes} minutes.**",
        )
    elif int(about[1]) != lesson.minutes:
        yield (
            first.id,
            f"It says {about[1]} minutes, its metadata {lesson.minutes}.",
            "Make the two agree.",
        )
    if "*You need:" not in first.prose:
        yield first.id, "It doesn't say what a reader needs.", "After the minutes: *You need: ...*"


def heading_order(lesson: Lesson) -> Iterator[Said]:
    """One `#`, the first; no level is left out on the way down."""
    last = 0
    for cell in lesson.cells:
        for marks, text in _HEADING.findall(cell.prose):
            level = len(marks)
            if not text:
                yield cell.id, "A heading has no words.", "Name it or remove it."
            if level == 1 and last:
                yield cell.id, f"{text!r} is a second title.", "A page has one #; use ## below it."
            elif level > last + 1:
                yield (
                    cell.id,
                    f"The heading {text!r} is at level {level}, the one before at {last}.",
                    f"Use {'#' * (last + 1)} instead: no level is left out.",
                )
            last = level


def checkpoints(lesson: Lesson) -> Iterator[Said]:
    """Each is a question with a code cell below it; in a lesson one at least every eight cells."""
    cells = [cell for cell in lesson.cells if "instructor" not in cell.tags]
    places = [place for place, cell in enumerate(cells, 1) if "checkpoint" in cell.tags]
    for place in places:
        below = cells[place] if place < len(cells) else None
        if cells[place - 1].kind != "markdown" or below is None or below.kind != "code":
            yield (
                cells[place - 1].id,
                "A checkpoint is a markdown cell with a question, followed by a code cell for the guess.",
                "Put the question here, and `guess = None` or the like into the cell below.",
            )
    if lesson.is_check:
        return
    for before, after in pairwise([0, *places, len(cells)]):
        if after - before > APART:
            yield (
                cells[before - 1].id if before else cells[0].id,
                f"From here on {after - before} cells go by without a checkpoint; {APART} is the most.",
                "Let the reader predict something: a markdown cell tagged `checkpoint`, then a code cell.",
            )


def key_points(lesson: Lesson) -> Iterator[Said]:
    cells = [cell for cell in lesson.cells if "instructor" not in cell.tags]
    last = cells[-1] if cells else Cell("", "markdown", "")
    if last.kind != "markdown" or "key-points" not in last.tags or not _ITEM.search(last.prose):
        yield last.id, "It doesn't end with its key points.", "End with a markdown list, tagged `key-points`."


def cell_ids(lesson: Lesson) -> Iterator[Said]:
    for cell in lesson.cells:
        if not _ID.fullmatch(cell.id) or _RANDOM.fullmatch(cell.id):
            yield cell.id, f"The cell's id is {cell.id!r}.", "Give it a short name, such as `predict-pool`."


def outputs(lesson: Lesson) -> Iterator[Said]:
    for cell in lesson.cells:
        if cell.ran:
            yield (
                cell.id,
                "It carries an output: figures come from the reader's own run.",
                "corewise author build",
            )


def alt_texts(lesson: Lesson) -> Iterator[Said]:
    """Of pictures in markdown, and of `<img>` anywhere."""
    for cell in lesson.cells:
        bare = [alt for alt in _PICTURE.findall(cell.prose) if not alt.strip()]
        text = cell.prose if cell.kind == "markdown" else cell.source
        bare += [tag for tag in _IMG.findall(text) if not _ALT.search(tag)]
        if bare:
            yield (
                cell.id,
                "A picture has no text alternative.",
                "Say what is to be seen: ![...](...) or alt=.",
            )


RULES = (
    length,
    minutes,
    objectives,
    facts,
    first_cell,
    heading_order,
    checkpoints,
    key_points,
    cell_ids,
    outputs,
    alt_texts,
)
