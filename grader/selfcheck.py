"""The learner's self-check: what `check` and `hint` do in a notebook.

    check("speedup") -> assess (on this machine) -> Verdict -> Panel (its repr is the points, its HTML the panel)

`check` never raises: the learner's mistakes become `not yet`, our own faults `cannot tell` with a log file, and
Stop (the kernel's interrupt) a `cannot tell` that leaves nothing running.
In a workspace each check is recorded (`grader.record`).
"""

from __future__ import annotations

import errno
import html
import os
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader import lab as labs
from grader import machine, record, verdict
from grader.assess import assess
from grader.errors import LearnerError
from grader.launch.local import LocalLauncher
from grader.model import Check, Lab, Launcher, Progress, Verdict, WorkerModule
from grader.report.panel import HintPanel, Panel

GetWorker = Callable[[Lab], WorkerModule]


def open_lab(lab_id: str, get_worker: GetWorker) -> dict[str, Any]:
    """The names that `%lab` brings into the notebook: `check` and `hint`, both knowing their lab.

    Raises:
        LearnerError: there is no such lab.
    """
    opened = OpenLab(labs.find(lab_id), get_worker)
    return {"check": opened.check, "hint": opened.hint}


class OpenLab:
    """One lab, opened in one notebook session."""

    def __init__(self, lab: Lab, get_worker: GetWorker) -> None:
        self._lab, self._get_worker = lab, get_worker
        self._launcher: Launcher = LocalLauncher()
        self._workspace = record.here()  # now: later cells may change the folder
        self._hints_shown: dict[str, int] = {}
        self._last = next(iter(lab.checks))

    def check(self, *names: object, **others: object) -> Panel:
        """Run one check of the lab on this machine, now, and show what it found: check("answer").

        The result's points are what nbgrader reads. It never raises.
        """
        name = self._one_check(names, others)
        if name not in self._lab.checks:
            asked = Check("check", 0.0, "")
            return Panel(verdict.not_possible(self._lab, asked, *self._which("check", names, others)))
        self._last = name
        preview = os.environ.get("NBGRADER_EXECUTION") == "validate"
        with_line = _ProgressLine()
        result = run_check(
            self._lab, name, lambda: self._get_worker(self._lab), self._launcher, with_line, preview=preview
        )
        with_line.clear()
        record.keep(self._workspace, result)
        return Panel(result)

    def hint(self, *names: object, **others: object) -> HintPanel:
        """Show the next hint for a check; without a name, for the check that was run last."""
        name = self._one_check(names or (self._last,), others)
        if name not in self._lab.hints:
            return HintPanel("No hint", 1, 1, " ".join(self._which("hint", names, others)))
        steps = self._lab.hints[name].steps
        step = min(self._hints_shown.get(name, 0) + 1, len(steps))
        self._hints_shown[name] = step
        return HintPanel(f"Hint for {name}", step, len(steps), steps[step - 1])

    @staticmethod
    def _one_check(names: tuple[object, ...], others: dict[str, object]) -> str:
        """The one name given; "" for anything else."""
        return names[0] if len(names) == 1 and not others and isinstance(names[0], str) else ""

    def _which(self, function: str, names: tuple[object, ...], others: dict[str, object]) -> tuple[str, str]:
        """What was given in the place of a check's name, and what to type."""
        values = [repr(one) if isinstance(one, str) else type(one).__name__ for one in names]
        given = ", ".join([*values, *(f"{key}=..." for key in others)])
        known = " or ".join(f'{function}("{name}")' for name in self._lab.checks)
        return f"{function}({given[:200]}) names no check of this lab.", f"Type {known}."


def run_check(
    lab: Lab,
    name: str,
    get_worker: Callable[[], WorkerModule],
    launcher: Launcher,
    progress: Progress,
    *,
    preview: bool = False,
) -> Verdict:
    """Assess one check and turn whatever goes wrong into a verdict; never raises."""
    check = lab.checks.get(name) or Check(name, 0.0, "")
    try:
        return assess(lab, name, get_worker(), launcher, machine.look(), progress, preview=preview)
    except LearnerError as error:
        return verdict.not_possible(lab, check, error.what, error.try_next)
    except KeyboardInterrupt:
        return verdict.stopped(lab, check)
    except Exception as error:
        # Where somebody's work is marked, a full disk is not theirs to mend, and costs them nothing.
        if _no_room(error) and os.environ.get("NBGRADER_EXECUTION") != "autograde":
            return verdict.not_possible(
                lab,
                check,
                f"Nothing could be checked: the disk of {tempfile.gettempdir()} is full.",
                "Free some space there, or set TMPDIR to a folder that has it; then check again.",
            )
        log = write_log(lab, name)
        return verdict.our_fault(lab, check, f"{type(error).__name__}: {error}", log)


def _no_room(error: Exception) -> bool:
    """Is a full disk the reason, here or in a child process that told it in words?"""
    return any(os.strerror(number) in str(error) for number in (errno.ENOSPC, errno.EDQUOT))


def write_log(lab: Lab, check: str) -> Path | None:
    """The traceback of the exception in hand, in a file beside the notebook, else in the temporary folder."""
    name = f"corewise-fault-{lab.id}-{check}-{time.strftime('%Y%m%d-%H%M%S')}.log"
    for find in (Path.cwd, tempfile.gettempdir):  # either may itself be what failed
        try:
            path = Path(find(), name)
            path.write_text(traceback.format_exc(), encoding="utf-8")
        except OSError:
            continue
        return path
    return None


class _ProgressLine:
    """One line under the cell that says what is being done, replaced as it goes on and gone in the end."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __call__(self, line: str) -> None:
        from IPython.display import HTML, display

        shown = HTML(f"<p>{html.escape(line)}</p>")
        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)

    def clear(self) -> None:
        from IPython.display import clear_output

        if self._handle is not None:
            clear_output(wait=True)
