"""The pipeline: WorkerModule + Lab + Launcher -> Verdict.

    answer, and a lab's own checks: one process a start method runs all sizes; each answer compared with the baseline's
    memory, clean_up: see grader.weigh
    speedup:  plan -> calibrate -> blocks until sure, hopeless or out of time -> decision -> verdict

Every verdict is made here, for the learner's self-check and for marking alike; they differ in the Launcher.
"""

from __future__ import annotations

import functools
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace

from grader import machine, verdict, weigh
from grader.errors import GraderError, LearnerError
from grader.lab import in_scenario
from grader.measure.answers import difference
from grader.measure.blocks import Bench, Failure, Plan, Reach, one_clock, seconds_for_blocks
from grader.measure.busy import ONE_BUSY, busiest_share
from grader.measure.decide import Decision, conclude, hopeless, how_sure, locked_out, settle, wall_sees_less
from grader.measure.explain import TRACED, Explaining
from grader.measure.inputs import inputs
from grader.measure.stats import median
from grader.model import (
    Bars,
    Block,
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
from grader.tracing.diagnosis import Diagnosis, diagnosis, typical
from grader.tracing.lanes import NoTraceError
from grader.verdict import AnswerRun, Speed

_ANSWER_TIMEOUT = 20.0  # seconds a size: starting under spawn on a loaded machine, and the work
_PREVIEW = 6.0  # seconds in which a preview starts nothing more, so that it stays below eight
_PREVIEW_TIMEOUT = 5.0  # seconds for any trial of a preview
CALIBRATIONS_BEFORE = 2
PAIRS_FREE = 3  # blocks between two calibrations where the clock is free of neighbours; else 1
_SPREAD_PAIRS = 3
_TRACEABLE = 15.0  # seconds of a run that may be made once more, to see where its time goes


def assess(
    lab: Lab,
    check: str,
    worker: WorkerModule,
    launcher: Launcher,
    facts: MachineFacts,
    progress: Progress,
    *,
    preview: bool = False,
) -> Verdict:
    """The verdict on one check of one lab.

    Raises:
        LearnerError: the lab has no such check, or COREWISE_START_METHOD names no method of this system.
        GraderError: the lab, or the grader, is broken.
    """
    if check not in lab.checks:
        raise LearnerError(f"{lab.id} has no check {check!r}.", f"Its checks: {', '.join(lab.checks)}.")
    methods = start_methods(facts)
    lab = replace(lab, judge=in_scenario(lab.judge, check), scenario=check)
    if check == "memory":
        return weigh.memory(lab, worker, launcher, methods[0], facts, progress, preview)
    if check == "clean_up":
        return weigh.clean_up(lab, worker, launcher, methods, facts, progress, preview)
    if check == "speedup":
        speed = _speed(lab, worker, launcher, methods[0], facts, progress, preview)
        return verdict.on_speed(lab, worker, speed, facts, preview)
    runs = tuple(_answers(lab, worker, launcher, methods[:1] if preview else methods, progress, preview))
    return verdict.on_answer(lab, check, worker, runs, facts, preview)


def start_methods(facts: MachineFacts) -> tuple[str, ...]:
    """The start methods to try, the default first; COREWISE_START_METHOD imposes one.

    Raises:
        LearnerError: it names a method that this system doesn't have.
    """
    imposed = os.environ.get("COREWISE_START_METHOD", "")
    if not imposed:
        return facts.start_methods
    if imposed not in facts.start_methods:
        raise LearnerError(
            f"COREWISE_START_METHOD is {imposed!r}, which this system doesn't have.",
            f"Set it to one of {', '.join(facts.start_methods)}, or unset it.",
        )
    return (imposed,)


def _answers(
    lab: Lab,
    worker: WorkerModule,
    launcher: Launcher,
    methods: Sequence[str],
    progress: Progress,
    preview: bool,
) -> Iterator[AnswerRun]:
    """Run all sizes under each start method; stops at the first that goes wrong."""
    sizes = lab.judge.SIZES
    timeout = _PREVIEW_TIMEOUT if preview else _ANSWER_TIMEOUT
    with inputs(lab, sizes) as folders, launcher.session(lab, None, methods[0]) as clean:
        progress(f"{lab.scenario}: the serial baseline")
        baseline = clean.run(Order("serial", 1, 120.0, folders))
        if baseline.ending != "done":
            raise GraderError(f"The baseline {baseline.ending}: {baseline.message}\n{baseline.output}")
        for method in methods:
            progress(f"{lab.scenario}: your code under {method}, {len(sizes)} sizes")
            with launcher.session(lab, worker, method) as mine:
                trial = mine.run(Order("parallel", 2, timeout, folders))
                run = _judge(lab, method, trial, baseline)
            yield run
            if run.size is not None:
                return


def _judge(lab: Lab, method: str, trial: Trial, baseline: Trial) -> AnswerRun:
    for number, (expected, got) in enumerate(zip(baseline.answers, trial.answers, strict=False)):
        if wrong := difference(lab, expected, got):
            return AnswerRun(method, number, lab.judge.SIZES[number], replace(trial, ending="done"), wrong)
    right = len(trial.answers)
    if trial.ending != "done":
        return AnswerRun(method, right, lab.judge.SIZES[min(right, len(lab.judge.SIZES) - 1)], trial)
    return AnswerRun(method, right, None, trial)


def _speed(
    lab: Lab,
    worker: WorkerModule,
    launcher: Launcher,
    method: str,
    facts: MachineFacts,
    progress: Progress,
    preview: bool,
) -> Speed:
    started = time.monotonic()
    budget = _PREVIEW if preview else lab.bars.budget
    workers = max(2, machine.workers(facts, lab.max_workers))
    with ExitStack() as sessions:
        progress("speedup: getting ready")
        mine = sessions.enter_context(launcher.session(lab, worker, method))
        clean = sessions.enter_context(launcher.session(lab, None, method))
        warm = _warm_up(lab, mine, workers, _PREVIEW_TIMEOUT if preview else _ANSWER_TIMEOUT)
        if warm.ending != "done":
            run = AnswerRun(method, 0, max(lab.judge.SIZES), warm)
            return Speed(None, failure=run, start_method=method)
        own = next((used for used in warm.start_methods_used if used not in (method, "")), "")
        speed = Speed(None, workers=workers, own_method=own, start_method=method)
        # Sized and calibrated by the method that really runs; a library's own (loky) starts as dearly as spawn.
        real = method if not own else own if own in facts.start_methods else "spawn"
        if real != method:
            clean = sessions.enter_context(launcher.session(lab, None, real))
        bench = Explaining(lab, clean, mine)
        if facts.usable < lab.bars.r_min or preview:
            cause = "too few cores" if facts.usable < lab.bars.r_min else "preview"
            return _with(speed, _spread(bench, workers, cause, started + _PREVIEW), started)
        # From here on the clock decides. Nobody else measures meanwhile, and waiting for that costs no budget.
        started += sessions.enter_context(launcher.slot(progress, budget / 2)).waited
        counted = machine.counters()
        progress("speedup: sizing the input, and what perfectly parallel work gains here")
        plan = bench.plan(workers)
        if plan.unfit:
            return _with(speed, _spread(bench, workers, plan.unfit, time.monotonic() + _PREVIEW), started)
        budget = seconds_for_blocks(budget, plan.block)
        before = tuple(bench.calibrate(plan) for _ in range(CALIBRATIONS_BEFORE))
        blocks: list[Block] = []
        for block in _blocks(bench, plan, before[-1], lab, facts, budget - (time.monotonic() - started)):
            if isinstance(block, Failure):
                return _with(speed, block, started)
            blocks.append(block)
            blocks = one_clock(blocks)
            elapsed = time.monotonic() - started
            progress(_progress_line(blocks, lab, elapsed, budget))
        reaches = tuple(reach.best for reach in before)
        decision = conclude(blocks, lab.bars, workers, facts.usable, reaches)
        until = started + budget + plan.timeout  # as a last trial that hangs would have it
        look = functools.partial(_why, bench, plan, blocks, lab, facts, method, until)
        decision, why = _explained(decision, blocks, lab.bars, look, progress)
    strain = machine.strain_since(counted)
    speed = replace(speed, before=reaches, blocks=tuple(blocks), strain=strain, why=why)
    return _with(speed, decision, started)


def _explained(
    decision: Decision,
    blocks: Sequence[Block],
    bars: Bars,
    look: Callable[[int], Diagnosis | None],
    progress: Progress,
) -> tuple[Decision, Diagnosis | None]:
    """The decision, and where the time goes of a program that was too slow; `look` traces so many runs at most.

    Beside neighbours, a program whose workers wait for a lock can look as if they waited for a core, so points need a
    look into it. One run in which they hardly do is enough; else the middle one of several decides.
    """
    met = decision.outcome == "met"
    asked = decision.share > 0 and wall_sees_less(blocks, bars)
    if not asked and decision.outcome != "not yet":
        return decision, None
    if met:
        progress("speedup: one more run, to see whether a lock keeps the workers apart")
    else:
        progress("speedup: a few more runs, to see where their time goes")
    why = look(1 if met else TRACED)
    if met and why is not None and locked_out(decision, blocks, bars, why.locked):
        why = look(TRACED) or why
    if asked and why is not None and locked_out(decision, blocks, bars, why.locked):
        return Decision("cannot tell", "lock beside neighbours", clock=decision.clock), why
    return decision, None if met else why


def _why(
    bench: Explaining,
    plan: Plan,
    blocks: Sequence[Block],
    lab: Lab,
    facts: MachineFacts,
    method: str,
    until: float,
    most: int,
) -> Diagnosis | None:
    """Where the time of a run goes that was too slow; None where it can't be seen, or would take long to see.

    `most` is how many runs are traced at most; by `until` they are ended.
    """
    taken = median([block.t_parallel for block in blocks]) if blocks else math.inf
    if taken > _TRACEABLE:
        return None
    serial = median([block.t_serial for block in blocks])  # free of neighbours, where the system tells
    stretch = median([block.stretch for block in blocks])
    try:
        runs = bench.traced(plan, taken, most, until)
        told = [diagnosis(lab.function, run, facts.usable, method, serial, stretch) for run in runs]
    except NoTraceError:
        return None
    return typical(told) if told else None


def _with(speed: Speed, outcome: Decision | Failure, started: float) -> Speed:
    """The finished measurement: with its decision, or with the run that went wrong."""
    speed = replace(speed, seconds=time.monotonic() - started)
    if isinstance(outcome, Decision):
        return replace(speed, decision=outcome)
    run = AnswerRun(speed.start_method, 0, outcome.size, outcome.trial, outcome.difference)
    return replace(speed, failure=run)


def _blocks(
    bench: Bench, plan: Plan, before: Reach, lab: Lab, facts: MachineFacts, budget: float
) -> Iterator[Block | Failure]:
    """Blocks until sure, hopeless, failed or out of time; more are started only if they are likely to fit."""
    started = time.monotonic()
    blocks: list[Block] = []
    pairs = 1 if before.free is None else PAIRS_FREE

    def enough(so_far: Sequence[Block]) -> bool:
        return settle(one_clock([*blocks, *so_far]), lab.bars, facts.usable) is not None

    while True:
        before = bench.until_clear(plan, before)
        outcome = bench.bracket(plan, before, pairs, budget - (time.monotonic() - started), enough)
        if isinstance(outcome, Failure):
            yield outcome
            return
        new, before = outcome
        blocks += new
        yield from new
        elapsed = time.monotonic() - started
        if (
            settle(one_clock(blocks), lab.bars, facts.usable)
            or hopeless(one_clock(blocks), lab.bars)
            or elapsed * (1 + pairs / len(blocks)) > budget
        ):
            return


def _warm_up(lab: Lab, mine: Session, workers: int, timeout: float) -> Trial:
    """One unscored run of the learner's function on a small input: warms up, and fails early."""
    with inputs(lab, (max(lab.judge.SIZES),)) as folders:
        return mine.run(Order("parallel", workers, timeout, folders))


def _spread(bench: Bench, workers: int, cause: str, until: float) -> Decision | Failure:
    """Without the clock: are the answers right, and do the CPU seconds spread over processes?

    For a preview, and where there is one core: serial code is `not yet` there too.
    """
    size, seconds = bench.size()
    timeout = 10 + 20 * seconds
    if cause == "preview":
        timeout = max(1.0, until + 1.0 - time.monotonic())
    plan = Plan(size, 0, workers, seconds, timeout)
    shares: list[float] = []
    while len(shares) < _SPREAD_PAIRS and (not shares or time.monotonic() < until):
        pair = bench.pair(plan)
        if isinstance(pair, Failure):
            cut_short = cause == "preview" and pair.trial.ending == "timed out"
            return Decision("cannot tell", "too few blocks") if cut_short else pair
        shares.append(busiest_share(pair["parallel"].cpu))
    if median(shares) >= ONE_BUSY:
        return Decision("not yet", "one busy process")
    return Decision("cannot tell", cause, beforehand=True)


def _progress_line(blocks: Sequence[Block], lab: Lab, elapsed: float, budget: float) -> str:
    """Blocks so far, how sure, time left."""
    last = blocks[-1]
    void = " (void: too little reach)" if last.is_void(lab.bars.r_min) else ""
    heading, way = how_sure(blocks, lab.bars)
    sure = f"{100 * way:.0f} % sure of `{heading}`" if round(100 * way) > 0 else "nothing is sure yet"
    left = min(budget - elapsed, elapsed * (1 - way) / way if way > 0 else budget)
    return (
        f"speedup: block {len(blocks)}: {last.speedup:.2f}x of a reach of {last.reach:.2f}{void}; "
        f"{sure}; about {max(1.0, left):.0f} s left"
    )
