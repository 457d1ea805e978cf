"""The checks about memory, in untimed runs of their own. How many cores there are does not matter to them.

memory:    a small input -> the idle twin -> rounds of weighings, with 2 workers and 4, until clear -> ruling -> verdict
clean_up:  a run under each start method, and a look at what is left behind -> verdict
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from grader import verdict
from grader.errors import GraderError
from grader.measure.answers import difference
from grader.measure.copies import WORKERS, Round, Ruling, Twin, footprint, rule, too_poor_to_weigh
from grader.measure.inputs import inputs
from grader.model import (
    Lab,
    Launcher,
    MachineFacts,
    Order,
    Progress,
    Session,
    Trial,
    Verdict,
    WorkerModule,
)
from grader.verdict import AnswerRun, Weighed
from grader.weights import Curve, Weighing

_OURS = 120.0  # seconds for what is not the learner's
_SMALL_TIMEOUT, _PREVIEW_TIMEOUT = 20.0, 5.0
_TWIN_RUNS = 2


def memory(
    lab: Lab,
    worker: WorkerModule,
    launcher: Launcher,
    method: str,
    facts: MachineFacts,
    progress: Progress,
    preview: bool,
) -> Verdict:
    """The verdict on the memory check, under the default start method or the one that the code asks for.

    Raises:
        GraderError: the baseline or the idle twin fails.
    """
    with ExitStack() as sessions:
        mine = sessions.enter_context(launcher.session(lab, worker, method))
        clean = sessions.enter_context(launcher.session(lab, None, method))
        progress("memory: your code on a small input")
        weighed = _on_small_input(lab, mine, clean, method, _PREVIEW_TIMEOUT if preview else _SMALL_TIMEOUT)
        if weighed.failure is None and preview:
            weighed = Weighed(Ruling("cannot tell", "preview"))
        if weighed.ruling is None and weighed.failure is None:
            own = weighed.own_method
            if (
                own
            ):  # the twin starts by the method that really runs; a library's own (loky) starts like spawn
                real = own if own in facts.start_methods else "spawn"
                clean = sessions.enter_context(launcher.session(lab, None, real))
            weighed = _on_payload(Bench(lab, mine, clean, method, progress), own)
    return verdict.on_memory(lab, worker, weighed, facts, preview)


def _on_small_input(lab: Lab, mine: Session, clean: Session, method: str, timeout: float) -> Weighed:
    """One run that is not weighed: fails early, and tells the start method that the code asks for."""
    size = max(lab.judge.SIZES)
    with inputs(lab, (size,)) as folders:
        trial = mine.run(Order("parallel", WORKERS[0], timeout, folders))
        if failure := failed(lab, trial, _baseline(clean, folders[0]), size, method):
            return Weighed(None, failure=failure)
    own = next((used for used in trial.start_methods_used if used not in (method, "")), "")
    return Weighed(None, own_method=own, start_method=method)


def _on_payload(bench: Bench, own: str) -> Weighed:
    """Weigh the twin, then the program, on an input as large as the lab wants."""
    lab = bench.lab
    with inputs(lab, (lab.judge.MEMORY_SIZE,)) as (folder,):
        payload = int(lab.judge.payload(folder))
        twins = [bench.twin(workers) for workers in WORKERS]
        if poor := too_poor_to_weigh(payload, twins):
            return Weighed(poor, own_method=own, start_method=bench.method)
        baseline = _baseline(bench.clean, folder)
        rounds: list[Round] = []
        ruling = None
        while ruling is None:
            weighings = []
            for twin in twins:
                trial = bench.weigh(folder, twin.workers, baseline)
                if failure := failed(lab, trial, baseline, lab.judge.MEMORY_SIZE, bench.method):
                    return Weighed(None, failure=failure)
                curve = trial.curve or Curve()
                if not trial.start_methods_used and curve.processes <= twin.processes - twin.workers:
                    ruling = Ruling("not yet", "no workers")
                weighings.append(Weighing(twin.workers, curve, twin.peak, payload))
            rounds.append(tuple(weighings))
            ruling = ruling or rule(rounds, lab.memory)
    return Weighed(ruling, footprint(rounds, lab.memory), own_method=own, start_method=bench.method)


class Bench:
    """Weighs the learner's program, and its idle twin in a session without it."""

    def __init__(self, lab: Lab, mine: Session, clean: Session, method: str, progress: Progress) -> None:
        self.lab, self.clean, self.method = lab, clean, method
        self._mine, self._progress = mine, progress

    def twin(self, workers: int) -> Twin:
        self._progress(f"memory: {workers} workers that do nothing")
        trials = [self.clean.run(Order("idle", workers, _OURS, weigh=True)) for _ in range(_TWIN_RUNS)]
        for trial in trials:
            if trial.ending != "done":
                raise GraderError(f"The idle twin {trial.ending}: {trial.message}\n{trial.output}")
        curves = [trial.curve or Curve() for trial in trials]
        return Twin(workers, tuple(curve.peak for curve in curves), max(curve.processes for curve in curves))

    def weigh(self, folder: Path, workers: int, baseline: Trial) -> Trial:
        self._progress(f"memory: your code with {workers} workers")
        timeout = 20 + 20 * baseline.seconds[0]
        return self._mine.run(Order("parallel", workers, timeout, (folder,), weigh=True))


def _baseline(clean: Session, folder: Path) -> Trial:
    trial = clean.run(Order("serial", 1, _OURS, (folder,)))
    if trial.ending != "done":
        raise GraderError(f"The baseline {trial.ending}: {trial.message}\n{trial.output}")
    return trial


def failed(lab: Lab, trial: Trial, baseline: Trial, size: int, method: str) -> AnswerRun | None:
    """The run as one that went wrong at that size; None when its answer is right."""
    wrong = ""
    if trial.ending == "done":
        wrong = difference(lab, baseline.answers[0], trial.answers[0])
    return AnswerRun(method, 0, size, trial, wrong) if wrong or trial.ending != "done" else None


def clean_up(
    lab: Lab,
    worker: WorkerModule,
    launcher: Launcher,
    methods: Sequence[str],
    facts: MachineFacts,
    progress: Progress,
    preview: bool,
) -> Verdict:
    """The verdict on what is left behind, under each start method; stops at the first run that isn't right or clean.

    The sizes are the largest of SIZES, and CLEAN_UP_SIZE where the lab's checks.py has one.

    Raises:
        GraderError: the baseline fails.
    """
    extra = () if preview else (getattr(lab.judge, "CLEAN_UP_SIZE", None),)
    sizes = [max(lab.judge.SIZES), *(size for size in extra if size is not None)]
    timeout = _PREVIEW_TIMEOUT if preview else _SMALL_TIMEOUT
    runs: list[AnswerRun] = []
    with inputs(lab, sizes) as folders, launcher.session(lab, None, methods[0]) as clean:
        baselines = [_baseline(clean, folder) for folder in folders]
        for method in methods[:1] if preview else methods:
            progress(f"clean_up: your code under {method}")
            with launcher.session(lab, worker, method) as mine:
                for size, folder, baseline in zip(sizes, folders, baselines, strict=True):
                    limit = timeout + 20 * baseline.seconds[0] * (not preview)
                    trial = mine.run(Order("parallel", WORKERS[0], limit, (folder,), look=True))
                    wrong = failed(lab, trial, baseline, size, method)
                    runs.append(wrong or AnswerRun(method, 1, None, trial))
                    if wrong or any(left.kind != "semaphore" for left in trial.left):
                        return verdict.on_clean_up(lab, worker, runs, facts, preview)
    return verdict.on_clean_up(lab, worker, runs, facts, preview)
