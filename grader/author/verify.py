"""Prove a lab: the stub fails, the reference is right and fast, each wrong answer is refused for its reason.

A wrong answer is a module in `solutions/<lab>/wrong/` whose first lines say what is expected of it:

    # check: speedup
    # verdict: not yet
    # cause: uneven parts

A `cannot tell` is tried once more (in the first minute of a lab) and then inconclusive, not failed: noise proves
nothing about a lab.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from grader import lab as labs
from grader import machine
from grader.assess import assess
from grader.errors import LearnerError
from grader.model import Lab, Launcher, Outcome, Progress, Verdict, WorkerModule
from grader.notebook import read_worker, read_worker_file

_EXPECTATION = re.compile(r"#\s*(check|verdict|cause):\s*(.+?)\s*$")
#: Seconds for a wrong answer about speed; it is sure after a few blocks. The reference gets the lab's own budget.
_BUDGET_WRONG = 45.0
#: Seconds into a lab after which nothing is tried again, so that it takes three minutes at most.
_TRIED_AGAIN_UNTIL = 60.0


@dataclass(frozen=True)
class Answer:
    """What is tried on a lab, and what is expected: a verdict and, for wrong answers, the cause of the first finding.

    Several causes, with "or" between them, where it depends on the moment which one comes first.
    """

    name: str
    check: str
    outcome: str
    cause: str
    file: Path
    worker: WorkerModule

    @property
    def expected(self) -> str:
        return f"{self.check}: {self.outcome}" + (f" ({self.cause})" if self.cause else "")


@dataclass(frozen=True)
class Proof:
    """One answer tried: what came of it. `inconclusive` when it stayed `cannot tell`."""

    answer: Answer
    verdict: Verdict
    inconclusive: bool

    @property
    def got(self) -> str:
        cause = self.verdict.findings[0].cause if self.verdict.findings else ""
        named = f" ({cause})" if cause and (self.answer.cause or not self.ok) else ""
        return f"{self.verdict.check}: {self.verdict.outcome}{named}"

    @property
    def ok(self) -> bool:
        if self.inconclusive:
            return True
        first = next((finding.cause for finding in self.verdict.findings), "")
        right = self.verdict.outcome == self.answer.outcome
        return right and (not self.answer.cause or first in self.answer.cause.split(" or "))


@dataclass(frozen=True)
class LabProof:
    """All proofs of one lab, and the seconds that they took."""

    lab: Lab
    proofs: tuple[Proof, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        return all(proof.ok for proof in self.proofs)


def verify(lab_id: str, launcher: Launcher, progress: Progress, checkout: Path = labs.CHECKOUT) -> LabProof:
    """Try every answer of one lab.

    Raises:
        LearnerError: no such lab, or a wrong answer that doesn't say what is expected of it.
        GraderError: the lab itself is broken.
    """
    started = time.monotonic()
    if lab_id not in lab_ids(checkout):
        known = ", ".join(lab_ids(checkout))
        raise LearnerError(f"There is no solutions/{lab_id} with a lab in it.", f"The labs here: {known}.")
    lab = labs.load(checkout / "solutions" / lab_id)
    proofs = []
    for answer in tuple(answers(lab, checkout)):  # all of them are read before the first is tried
        progress(f"{lab.id}: {answer.name}, expected {answer.expected}")
        proofs.append(try_answer(lab, answer, launcher, progress, started + _TRIED_AGAIN_UNTIL))
    return LabProof(lab, tuple(proofs), time.monotonic() - started)


def lab_ids(checkout: Path = labs.CHECKOUT) -> tuple[str, ...]:
    """The labs that have a solution here.

    Raises:
        LearnerError: there is none.
    """
    found = tuple(sorted(path.parent.name for path in (checkout / "solutions").glob("*/lab.toml")))
    if not found:
        raise LearnerError(
            "There are no solutions here.", "Labs are proven in a full checkout of the course."
        )
    return found


def answers(lab: Lab, checkout: Path = labs.CHECKOUT) -> Iterator[Answer]:
    """The stub, the reference once for each check, and the named wrong answers."""
    released = checkout / "labs" / lab.id / lab.notebook.name
    if not released.is_file():
        raise LearnerError(f"labs/{lab.id} is not there.", "Make it: corewise author build")
    yield Answer("stub", "answer", "not yet", "stub", released, _read(released, lab))
    reference = _read(lab.notebook, lab)
    for check in lab.checks:
        yield Answer("reference", check, "met", "", lab.notebook, reference)
    for path in sorted((lab.folder / "wrong").glob("*.py")):
        yield _wrong(lab, path)


def _read(path: Path, lab: Lab) -> WorkerModule:
    read = read_worker if path.suffix == ".ipynb" else read_worker_file
    try:
        return read(path, lab.module)
    except LearnerError as error:
        raise LearnerError(f"{path}:\n{error.what}", error.try_next) from None


def _wrong(lab: Lab, path: Path) -> Answer:
    worker = _read(path, lab)
    lines = worker.sources[lab.module].splitlines()
    expected = {match[1]: match[2] for line in lines if (match := _EXPECTATION.match(line))}
    well_said = expected.keys() == {"check", "verdict", "cause"} and expected["verdict"] in get_args(Outcome)
    if not well_said or expected["check"] not in lab.checks:
        raise LearnerError(
            f"solutions/{lab.id}/wrong/{path.name} doesn't say what is expected of it.",
            f"Begin it with three lines: # check: {' or '.join(lab.checks)}, "
            f"# verdict: {' or '.join(get_args(Outcome))}, # cause: what the first finding is called.",
        )
    return Answer(path.stem, expected["check"], expected["verdict"], expected["cause"], path, worker)


def try_answer(lab: Lab, answer: Answer, launcher: Launcher, progress: Progress, until: float) -> Proof:
    """Try one answer; once more where it can't be told and `time.monotonic()` has not come to `until`."""
    if answer.cause and answer.check == "speedup":
        lab = replace(lab, bars=replace(lab.bars, budget=min(lab.bars.budget, _BUDGET_WRONG)))
    verdict = assess(lab, answer.check, answer.worker, launcher, machine.look(), progress)
    if verdict.outcome == "cannot tell" and time.monotonic() < until:
        verdict = assess(lab, answer.check, answer.worker, launcher, machine.look(), progress)
    return Proof(answer, verdict, inconclusive=verdict.outcome == "cannot tell")


def report(proof: LabProof, checkout: Path = labs.CHECKOUT) -> str:
    """A line for each answer, an explanation of each that is not as expected, and what it comes to."""
    lines = []
    for one in proof.proofs:
        mark = "inconclusive" if one.inconclusive else "ok" if one.ok else "FAILED"
        lines.append(f"{mark:>12}  {one.answer.name}: {one.got}")
        if one.inconclusive:
            lines.append(f"{'':>12}  {one.verdict.reason}")
    failed = [one for one in proof.proofs if not one.ok]
    lines += [f"\n{explain(one, checkout)}" for one in failed]
    unsure = sum(one.inconclusive for one in proof.proofs)
    but = f"; {unsure} inconclusive: try again on a quiet machine" if unsure else ""
    result = f"{len(failed)} of {len(proof.proofs)} answers are not as expected" if failed else "proven"
    return "\n".join([*lines, f"{proof.lab.id}: {result}{but}, in {proof.seconds:.0f} s."])


def explain(proof: Proof, checkout: Path = labs.CHECKOUT) -> str:
    """What went wrong with one answer, where to look, and what to type next."""
    answer, verdict = proof.answer, proof.verdict
    if answer.name == "stub":
        story = "The released lab must not be solved already, and its stub must say so."
    elif answer.name == "reference":
        story = "The reference must meet every check: learners are measured against it."
    else:
        story = "A wrong answer must be refused, and for the reason that it was written to show."
    evidence = [line for finding in verdict.findings for line in (finding.what, finding.evidence) if line]
    return "\n".join(
        [
            f"{answer.name}: expected {answer.expected}; got {proof.got}.",
            f"  {story}",
            f"  {verdict.reason}",
            *(f"  - {line}" for line in evidence if line != verdict.reason),
            f"  Look at {answer.file.relative_to(checkout.resolve())}, then: corewise author verify {verdict.lab}",
        ]
    )


def as_json(proofs: list[LabProof]) -> dict[str, object]:
    """{schema, ok, labs: [{lab, ok, seconds, answers: [{answer, expected, got, ok, inconclusive, reason}]}]}."""
    return {
        "schema": 1,
        "ok": all(proof.ok for proof in proofs),
        "labs": [
            {
                "lab": one.lab.id,
                "ok": one.ok,
                "seconds": round(one.seconds, 1),
                "answers": [
                    {
                        "answer": proof.answer.name,
                        "expected": proof.answer.expected,
                        "got": proof.got,
                        "ok": proof.ok,
                        "inconclusive": proof.inconclusive,
                        "reason": proof.verdict.reason,
                    }
                    for proof in one.proofs
                ],
            }
            for one in proofs
        ],
    }
