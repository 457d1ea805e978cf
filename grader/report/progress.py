"""A learner's progress as a panel in a notebook, as text for a terminal, as JSON.

In a workspace `PROGRESS.ipynb` shows the panel: one page with one cell, linked from the start page. Markdown can't
show what is true now; and a file that each check rewrites would be one more thing to go wrong in a check.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.progress import CheckState, LabState, Progress, StageState
from grader.report.markup import LINE, NEXT, inline, section
from grader.report.panel import HINT_ACCENT

OUTSIDE = "This is not a workspace of Corewise, so nothing is recorded here. Open the course: corewise learn"
ALL_DONE = "Every module and lab is done."
_MARKS = {"done": "✓", "begun": "…", "to do": "○"}


@dataclass(frozen=True, repr=False)
class ProgressPanel:
    """Where the learner is. `start` is the folder of the notebook that shows it, which its link starts from."""

    progress: Progress
    start: Path

    def __repr__(self) -> str:
        return render(self.progress)

    def _repr_html_(self) -> str:
        progress = self.progress
        items = "".join(f"<li>{_stage_html(state)}</li>" for state in progress.stages)
        parts = [
            f'<p style="{LINE}"><strong>Where you are</strong></p>',
            "" if progress.folder else f'<p style="{LINE}">{inline(OUTSIDE)}</p>',
            f'<ul style="{LINE};list-style:none;padding-left:0">{items}</ul>',
            f'<p style="{NEXT.format(accent=HINT_ACCENT)}"><strong>Next:</strong> {self._next()}</p>',
        ]
        return section("Where you are", HINT_ACCENT, parts)

    def _next(self) -> str:
        step, folder = self.progress.step, self.progress.folder
        if step is None:
            return inline(ALL_DONE)
        if folder is None:
            return inline(step.what)
        link = Path(os.path.relpath(folder / step.page, self.start)).as_posix()
        return f'{inline(step.what)} <a href="{html.escape(link)}">Open it</a>'


def render(progress: Progress) -> str:
    """For a terminal, ending without a newline."""
    lines = [] if progress.folder else [OUTSIDE]
    for state in progress.stages:
        lines.append(f"{_word(state):>6}  {state.stage.name}")
        lines += [f"{'':>8}{'  ' * depth}{line}" for depth, line in _labs(state)]
    step = progress.step
    lines += ["", f"Next: {step.what}", f"      {step.page}"] if step else ["", ALL_DONE]
    return "\n".join(lines)


def as_json(progress: Progress) -> dict[str, object]:
    """{schema, folder, next: {what, page} | null, stages: [{id, title, minutes, done, lessons, labs}]}."""
    step = progress.step
    return {
        "schema": 1,
        "folder": str(progress.folder) if progress.folder else None,
        "next": {"what": step.what, "page": step.page} if step else None,
        "stages": [
            {
                "id": state.stage.id,
                "title": state.stage.title,
                "minutes": state.stage.minutes,
                "done": state.done,
                "lessons": [page.page for page in state.stage.lessons],
                "labs": [_lab_json(lab) for lab in state.labs],
            }
            for state in progress.stages
        ],
    }


def _lab_json(state: LabState) -> dict[str, object]:
    return {
        "lab": state.lab.id,
        "title": state.lab.title,
        "done": state.done,
        "points": state.points,
        "max_points": state.max_points,
        "checks": [
            {
                "check": check.name,
                "tries": check.tries,
                "outcome": check.best.outcome if check.best else None,
                "points": check.best.points if check.best else 0.0,
                "max_points": check.max_points,
                "at": check.best.at if check.best else None,
            }
            for check in state.checks
        ],
    }


def _word(state: StageState) -> str:
    return "done" if state.done else "begun" if state.begun else "to do"


def _stage_html(state: StageState) -> str:
    word = _word(state)
    inner = "".join(f'<li style="padding-left:{depth}em">{inline(line)}</li>' for depth, line in _labs(state))
    listed = f'<ul style="margin:0;list-style:none">{inner}</ul>' if inner else ""
    mark = f'<span aria-hidden="true">{_MARKS[word]}</span>'
    return f"{mark} <strong>{inline(state.stage.name)}</strong>: {word}{listed}"


def _labs(state: StageState) -> Iterator[tuple[int, str]]:
    """A line for each lab, and at the next depth one for each of its checks once it has begun."""
    for lab in state.labs:
        so_far = _points(lab.points, lab.max_points) if lab.begun else f"about {lab.lab.minutes} minutes"
        yield 0, f"{lab.lab.name}: {so_far}" if state.stage.lessons else so_far
        yield from ((1, _check(check)) for check in lab.checks if lab.begun)


def _check(check: CheckState) -> str:
    if check.best is None:
        return f"{check.name}: not run yet"
    tries = "1 try" if check.tries == 1 else f"{check.tries} tries"
    return f"{check.name}: {check.best.outcome}, {_points(check.best.points, check.max_points)}, {tries}"


def _points(points: float, most: float) -> str:
    return f"{points:g} of {most:g} {'point' if most == 1 else 'points'}"
