"""`corewise why LAB|SCRIPT.py`, and `trace` in a notebook: where the time of a parallel run went.

a lab       its function runs traced, on fresh inputs of the size that a check uses; the baseline beside it
a script    runs as it is, traced, in a process of its own; the serial one, where it is named, before it
a block     with trace() as run: ...   in a notebook; trace(serial=seconds) where the serial time is known
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from grader import causes, machine, scratch
from grader.assess import start_methods
from grader.errors import LearnerError
from grader.measure import tree
from grader.measure.blocks import Failure
from grader.measure.explain import Explaining
from grader.model import Lab, Launcher, Progress, WorkerModule
from grader.outlook import Outlook, look_ahead
from grader.report import trace_panel
from grader.report.trace_text import as_text
from grader.tracing import recording, region
from grader.tracing.diagnosis import Diagnosis, diagnosis, typical
from grader.tracing.lanes import NoTraceError
from grader.tracing.record import announce
from grader.tracing.recording import Recording


def of_lab(
    lab: Lab, worker: WorkerModule, launcher: Launcher, progress: Progress, upto: Sequence[int] = ()
) -> tuple[Diagnosis, Outlook | None]:
    """Where the time of the learner's function went, on an input as large as a check of its speed uses; and, where
    numbers of workers are given, what it would take with so many.

    Raises:
        LearnerError: the lab has no speed to look at, or the function doesn't return a right answer.
        GraderError: the lab's own baseline fails.
    """
    if "speedup" not in lab.checks:
        raise LearnerError(
            f"{lab.id} has no check of speed.", "Name a script of your own: corewise why SCRIPT.py"
        )
    facts = machine.look()
    method = start_methods(facts)[0]
    with ExitStack() as sessions:
        progress("why: getting ready")
        mine = sessions.enter_context(launcher.session(lab, worker, method))
        clean = sessions.enter_context(launcher.session(lab, None, method))
        bench = Explaining(lab, clean, mine)
        sessions.enter_context(launcher.slot(progress, 10.0))
        workers = max(2, machine.workers(facts, lab.max_workers))
        progress("why: the serial baseline")
        plan = bench.plan(workers)
        progress("why: your function, traced")
        seen = bench.explained(plan)
        if isinstance(seen, Failure):
            raise _went_wrong(lab, worker, seen, method)
        told = typical(
            [_told(lab.id, run, facts.usable, method, seen.serial, seen.stretch) for run in seen.runs]
        )
        ahead = look_ahead(bench, plan, told.timeline, upto, progress) if upto else None
        if isinstance(ahead, Failure):
            raise _went_wrong(lab, worker, ahead, method)
    return told, ahead


def _went_wrong(lab: Lab, worker: WorkerModule, failure: Failure, method: str) -> LearnerError:
    found = causes.of_failure(lab, worker, failure.trial, failure.difference, failure.size, method)
    return LearnerError(f"{found.what}\n{found.evidence}".strip(), found.try_next)


def of_script(
    script: Path,
    arguments: Sequence[str],
    serial: Path | None,
    progress: Progress,
    *,
    output: int | None = None,
) -> Diagnosis:
    """Where the time of a script went; `serial` is the one that does the same work alone.

    `output` is the descriptor that takes what they print.

    Raises:
        LearnerError: there is no such file, or it doesn't end in order.
    """
    for path in filter(None, (script, serial)):
        if not path.is_file():
            remedy = (
                "Name a lab, or a Python script of your own."
                if path == script
                else "--serial takes the path of a script."
            )
            raise LearnerError(f"There is no file {path}.", remedy)
    alone = None
    if serial is not None:
        progress(f"why: {serial.name}, the serial program")
        its = _told(serial.name, _run(serial, (), output), machine.look().usable, "", None).bill
        alone = its.wall - its.seconds["neighbours"]  # what others took of it is not its own
    progress(f"why: {script.name}, traced")
    return _told(script.name, _run(script, arguments, output), machine.look().usable, "", alone)


def _run(script: Path, arguments: Sequence[str], output: int | None) -> list[Recording]:
    with scratch.folder() as folder:
        command = [sys.executable, "-m", "grader.tracing.script", str(folder), str(script), *arguments]
        Path(announce(str(folder), "", 0.0)).unlink()  # a full disk is told here, not blamed on the script
        with subprocess.Popen(command, stdout=output) as process:
            try:
                code = process.wait()
            except BaseException:
                tree.kill(process.pid)
                raise
        if code:
            raise LearnerError(
                f"{script} ended with exit code {code}.", "Mend it until it ends in order, then ask again."
            )
        return recording.read(folder)


def _told(
    name: str,
    recordings: list[Recording],
    cores: float,
    method: str,
    serial: float | None,
    stretch: float = 1.0,
) -> Diagnosis:
    try:
        return diagnosis(name, recordings, cores, method, serial, stretch)
    except NoTraceError:
        raise LearnerError(
            f"{name} left before its last line, so nothing is known of it.",
            "Look for os._exit, which ends a process at once; sys.exit does no harm.",
        ) from None


class trace(region.trace):  # noqa: N801  (as in grader.tracing.region)
    """Where the time of a block went, in a notebook. The block's code stays as it is:

        with trace() as run:
            scorer.find_alerts(folder, 4)
        run

    With `trace(serial=seconds)` the bill also has the speedup, against a serial program that needs so many seconds for
    the same work.
    """

    def __init__(self, serial: float | None = None) -> None:
        super().__init__()
        self._serial = serial

    def __enter__(self) -> trace:
        super().__enter__()
        return self

    def diagnosis(self) -> Diagnosis:
        """All that is said of it.

        Raises:
            LearnerError: the block has not run.
        """
        return _told("block", self.recordings, machine.look().usable, "", self._serial)

    def __repr__(self) -> str:
        return as_text(self.diagnosis())

    def _repr_html_(self) -> str | None:
        with suppress(Exception):  # the words stay
            return trace_panel.panel(self.diagnosis())
        return None
