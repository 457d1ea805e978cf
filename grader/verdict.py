"""Answers + Estimate + Findings + Lab -> Verdict. Pure: words and points, nothing measured here.

Points: `met` gets all (also provisional); `not yet` those of the lower tier where that is sure, else none; `cannot
tell` the same, but all when its cause was there before the submission ran or is our own fault, and it is listed for the
marker in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader import causes, causes_memory, doubts
from grader.measure.copies import Ruling
from grader.measure.decide import Decision, estimate
from grader.measure.left import SEES_SEGMENTS
from grader.model import (
    Block,
    Check,
    Finding,
    Lab,
    MachineFacts,
    Outcome,
    Strain,
    Trial,
    Verdict,
    WorkerModule,
)
from grader.tracing.diagnosis import Diagnosis
from grader.weights import Footprint


@dataclass(frozen=True)
class AnswerRun:
    """The learner's function under one start method: how many sizes were right, and what went wrong.

    `size` is the size at which it went wrong; None when all were right.
    """

    start_method: str
    right: int
    size: int | None
    trial: Trial
    difference: str = ""


@dataclass(frozen=True)
class Speed:
    """All that measuring a speedup left behind.

    `failure` is set when a trial ended without a right answer, `why` when it was too slow and it was traced afterwards.
    """

    decision: Decision | None
    blocks: tuple[Block, ...] = ()
    seconds: float = 0.0
    workers: int = 0
    before: tuple[float, ...] = ()
    failure: AnswerRun | None = None
    own_method: str = ""
    start_method: str = ""
    strain: Strain = field(default_factory=Strain)
    why: Diagnosis | None = None


@dataclass(frozen=True)
class Weighed:
    """All that weighing left behind. `failure` is set when a trial ended without a right answer."""

    ruling: Ruling | None
    footprint: Footprint | None = None
    failure: AnswerRun | None = None
    own_method: str = ""
    start_method: str = ""


def on_answer(
    lab: Lab,
    name: str,
    worker: WorkerModule,
    runs: Sequence[AnswerRun],
    facts: MachineFacts,
    preview: bool = False,
) -> Verdict:
    """The verdict on a check of the answer: `met` only when every size is right under every start method."""
    check = lab.checks[name]
    failed = next((run for run in runs if run.size is not None), None)
    findings = [f for run in runs if (f := causes.own_method(run.trial.start_methods_used, run.start_method))]
    if failed is None:
        sizes = ", ".join(f"{size:,}" for size in lab.judge.SIZES)
        methods = ", ".join(run.start_method for run in runs)
        reason = f"Right at every size ({sizes}) under {methods}."
        return _verdict(lab, check, "met", reason, facts, findings=tuple(findings[:1]), preview=preview)
    forked = any(run.size is None and run.start_method == "fork" for run in runs)
    finding = causes.of_failure(
        lab, worker, failed.trial, failed.difference, failed.size, failed.start_method, forked
    )
    return _verdict(lab, check, "not yet", finding.what, facts, findings=(finding,), preview=preview)


def on_speed(
    lab: Lab, worker: WorkerModule, speed: Speed, facts: MachineFacts, preview: bool = False
) -> Verdict:
    """The verdict on the speedup, with its estimate, its cause in words and the next thing to try."""
    check = lab.checks["speedup"]
    if speed.failure is not None:
        run = speed.failure
        finding = causes.of_failure(lab, worker, run.trial, run.difference, run.size, run.start_method)
        return _verdict(lab, check, "not yet", finding.what, facts, findings=(finding,), preview=preview)
    assert speed.decision is not None
    decision = speed.decision
    measured = estimate(speed.blocks, lab.bars, facts.usable, speed.seconds, decision.clock)
    findings = causes.of_speed(decision, speed.blocks, measured, speed.workers, facts, lab.bars, speed.strain)
    findings = causes.with_losses(findings, speed.why)
    odd = doubts.implausible(speed.blocks, measured, facts)
    findings += odd
    if speed.own_method:
        findings += (causes.asked_for(speed.own_method, speed.start_method),)
    verdict = _verdict(
        lab,
        check,
        decision.outcome,
        causes.reason(decision, measured, lab.bars, facts),
        facts,
        findings=findings,
        provisional=decision.provisional,
        full=decision.beforehand,
        share=decision.share,
        preview=preview,
    )
    if odd and (verdict.points or verdict.for_marker) and not preview:
        look = " ".join(f"{finding.what} {finding.evidence}" for finding in odd)
        said = verdict.for_marker or f"{lab.id}, {check.name}:"
        verdict = replace(verdict, for_marker=f"{said} {look}")
    return replace(verdict, estimate=measured, blocks=speed.blocks, bars=lab.bars, diagnosis=speed.why)


def on_memory(
    lab: Lab, worker: WorkerModule, weighed: Weighed, facts: MachineFacts, preview: bool = False
) -> Verdict:
    """The verdict on memory. What can't be told here lies in the lab or the system, so it costs no points."""
    check = lab.checks["memory"]
    if weighed.failure is not None:
        return _on_failure(lab, check, worker, weighed.failure, facts, preview)
    assert weighed.ruling is not None
    ruling = weighed.ruling
    findings = causes_memory.of_memory(ruling, weighed.footprint)
    if weighed.own_method:
        findings += (causes.asked_for(weighed.own_method, weighed.start_method),)
    reason = causes_memory.copies_reason(ruling, weighed.footprint)
    verdict = _verdict(
        lab, check, ruling.outcome, reason, facts, findings=findings, full=True, preview=preview
    )
    if verdict.for_marker:
        verdict = replace(verdict, for_marker=f"{lab.id}, {check.name}: cannot tell. {reason}")
    return replace(verdict, memory=weighed.footprint)


def on_clean_up(
    lab: Lab, worker: WorkerModule, runs: Sequence[AnswerRun], facts: MachineFacts, preview: bool = False
) -> Verdict:
    """The verdict on what is left behind: semaphores alone are named, and cost nothing."""
    check = lab.checks["clean_up"]
    last = runs[-1]
    if last.size is not None:
        return _on_failure(lab, check, worker, last, facts, preview)
    findings = causes_memory.of_left(last.trial.left, last.start_method)
    if any(left.kind != "semaphore" for left in last.trial.left):
        reason = causes_memory.left_reason(last.trial.left)
        return _verdict(lab, check, "not yet", reason, facts, findings=findings, preview=preview)
    seen = (
        "no process and no segment" if SEES_SEGMENTS else "no process (segments can't be seen on this system)"
    )
    methods = ", ".join(dict.fromkeys(run.start_method for run in runs))
    reason = f"When your function had returned, {seen} was left, under {methods}."
    return _verdict(lab, check, "met", reason, facts, findings=findings, preview=preview)


def _on_failure(
    lab: Lab, check: Check, worker: WorkerModule, run: AnswerRun, facts: MachineFacts, preview: bool
) -> Verdict:
    finding = causes.of_failure(lab, worker, run.trial, run.difference, run.size, run.start_method)
    return _verdict(lab, check, "not yet", finding.what, facts, findings=(finding,), preview=preview)


def not_possible(lab: Lab, check: Check, what: str, try_next: str) -> Verdict:
    """The check could not run for a reason that the learner can mend."""
    finding = Finding("not possible", what, "", try_next)
    return _verdict(lab, check, "not yet", what, None, findings=(finding,))


def stopped(lab: Lab, check: Check) -> Verdict:
    """Stop was pressed: nothing is known and nothing is left running."""
    finding = Finding(
        "stopped", "Nothing of it is left running.", "", "Run the check again and let it finish."
    )
    return _verdict(lab, check, "cannot tell", "Stopped before it was done.", None, findings=(finding,))


def our_fault(lab: Lab, check: Check, what: str, log: Path | None) -> Verdict:
    """A fault of the grader: never costs marks."""
    finding = Finding(
        "fault of the grader", what, f"The log: {log}" if log else "", "Send the log file to your instructor."
    )
    reason = "cannot tell (fault of the grader): nothing is known about your code."
    verdict = _verdict(lab, check, "cannot tell", reason, None, findings=(finding,), full=True)
    for_marker = f"{lab.id}, {check.name}: fault of the grader. See the log, then measure again."
    return replace(verdict, log=log, for_marker=for_marker)


def _verdict(
    lab: Lab,
    check: Check,
    outcome: Outcome,
    reason: str,
    facts: MachineFacts | None,
    *,
    findings: tuple[Finding, ...] = (),
    provisional: bool = False,
    full: bool = False,
    share: float = 0.0,
    preview: bool = False,
) -> Verdict:
    # A preview fails only what is sure: nbgrader's Validate takes partial credit for a failure.
    if outcome == "met" or (outcome == "cannot tell" and (full or preview)):
        share = 1.0
    for_marker = ""
    if outcome == "cannot tell":
        for_marker = f"{lab.id}, {check.name}: cannot tell. {reason} Measure again on two idle cores or more."
    elif provisional:
        for_marker = f"{lab.id}, {check.name}: met, provisional: by CPU seconds, not by the clock."
    return Verdict(
        lab=lab.id,
        check=check.name,
        asked=check.asks,
        outcome=outcome,
        provisional=provisional,
        points=check.points * share,
        max_points=check.points,
        reason=reason,
        findings=findings,
        facts=facts,
        for_marker="" if preview else for_marker,
        preview=preview,
    )
