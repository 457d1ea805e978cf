"""Where a learner is, and what comes next: the map of the course and the record of their checks -> Progress. Pure.

A lab is done when each of its checks has been `met` once. A module with labs is done when they are. One
without is done when the learner says so: reading leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.coursemap import Course, LabPage, Stage
from grader.record import Attempt, Record


@dataclass(frozen=True)
class CheckState:
    """One check of a lab: how often it was run, and the best that came of it."""

    name: str
    max_points: float
    tries: int
    best: Attempt | None

    @property
    def done(self) -> bool:
        return self.best is not None and self.best.outcome == "met"


@dataclass(frozen=True)
class LabState:
    lab: LabPage
    checks: tuple[CheckState, ...]

    @property
    def done(self) -> bool:
        return all(check.done for check in self.checks)

    @property
    def begun(self) -> bool:
        return any(check.tries for check in self.checks)

    @property
    def points(self) -> float:
        return sum(check.best.points for check in self.checks if check.best)

    @property
    def max_points(self) -> float:
        return sum(check.max_points for check in self.checks)


@dataclass(frozen=True)
class StageState:
    """A stage of the course; `marked` says that the learner called its module done."""

    stage: Stage
    labs: tuple[LabState, ...]
    marked: bool

    @property
    def done(self) -> bool:
        return all(lab.done for lab in self.labs) if self.labs else self.marked

    @property
    def begun(self) -> bool:
        return self.marked or any(lab.begun for lab in self.labs)


@dataclass(frozen=True)
class Step:
    """What to do next, in one sentence, and the page of the workspace to open for it."""

    what: str
    page: str


@dataclass(frozen=True)
class Progress:
    """`folder` is the workspace, None outside of one; `step` None when all is done."""

    folder: Path | None
    stages: tuple[StageState, ...]
    step: Step | None


def look(course: Course, record: Record, folder: Path | None = None) -> Progress:
    """Where the learner with this record is in this course."""
    stages = tuple(_stage(stage, record) for stage in course.stages)
    return Progress(folder, stages, _next(stages))


def _stage(stage: Stage, record: Record) -> StageState:
    labs = tuple(LabState(lab, _checks(lab, record)) for lab in stage.labs)
    return StageState(stage, labs, stage.id in record.modules)


def _checks(lab: LabPage, record: Record) -> tuple[CheckState, ...]:
    states = []
    for name, max_points in lab.checks.items():
        tries = [one for one in record.attempts if (one.lab, one.check) == (lab.id, name)]
        states.append(CheckState(name, max_points, len(tries), _best(tries)))
    return tuple(states)


def _best(tries: list[Attempt]) -> Attempt | None:
    """One that was `met`; else the last, unless one before surely earned more. What could not be told is forgotten."""
    if not tries:
        return None
    sure = [one for one in tries[:-1] if one.outcome != "cannot tell"]
    return max([tries[-1], *sure], key=lambda one: (one.outcome == "met", one.points))


def _next(stages: Iterable[StageState]) -> Step | None:
    """The first stage not done whose prerequisites are; where they turn in a circle, the first not done."""
    open_ones = [state for state in stages if not state.done]
    waiting = {state.stage.id for state in open_ones}
    ready = [state for state in open_ones if waiting.isdisjoint(state.stage.needs)]
    return _step((ready or open_ones)[0]) if open_ones else None


def _step(state: StageState) -> Step:
    stage, lab = state.stage, next((lab for lab in state.labs if not lab.done), None)
    if lab is not None and (state.begun or not stage.lessons):
        return Step(f"{lab.lab.name}: {_missing(lab)}.", lab.lab.page)
    first = stage.lessons[0]
    then = (
        f", with its lab {lab.lab.id}" if lab else f'; when you are through it, type progress("{stage.id}")'
    )
    return Step(f"Module {stage.name}{then}. Begin with {first.number} · {first.title}", first.page)


def _missing(lab: LabState) -> str:
    if not lab.begun:
        return "nothing has been checked yet"
    return ", ".join(f'check("{check.name}") {_is(check)}' for check in lab.checks if not check.done)


def _is(check: CheckState) -> str:
    if check.best is None:
        return "has not been run"
    return "could not tell" if check.best.outcome == "cannot tell" else "is not yet met"
