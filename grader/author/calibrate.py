"""Bars for a lab, proposed from its reference's own runs on this machine: `corewise author calibrate LAB`.

The reference runs for the lab's whole budget, however sure the test would have been, so that its gain is known well.
The bar to pass is put where nearly every single block of the reference lies above it, with room for machines that suit
it less; the others follow from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader import lab as labs
from grader import machine
from grader.assess import assess
from grader.errors import LearnerError
from grader.measure.stats import gain, median
from grader.model import Bars, Lab, Launcher, Progress, Verdict
from grader.notebook import read_worker

#: Evidence that no measurement reaches, so that it goes on until its budget is spent.
_NEVER = 1e-300
#: The bar to pass, as a part of the reference's median gain; the other bars, as parts of the bar to pass.
_OF_MEDIAN, _FAIL, _HALF = 0.7, 2 / 3, 0.4
#: No bar is higher: a reference that reaches more than the calibration has found better than what is asked for.
_HIGHEST = 0.7
#: Of the reference's blocks, the share that may lie below the bar to pass; and a step of bars.
_BELOW, _STEP = 0.1, 0.05
_FEWEST = 8


@dataclass(frozen=True)
class Proposal:
    """What the reference reached here, block by block, and the bars that follow; `bars` is None where none can."""

    lab: Lab
    verdict: Verdict
    gains: tuple[float, ...]
    bars: Bars | None


def calibrate(lab_id: str, launcher: Launcher, progress: Progress) -> Proposal:
    """Measure the reference of a lab and propose bars.

    Raises:
        LearnerError: no such lab, it marks no speedup, or its reference has no right answer.
    """
    lab = labs.find(lab_id)
    if "speedup" not in lab.checks:
        raise LearnerError(f"{lab.id} marks no speedup.", "There are no bars to propose.")
    if lab.folder.parent.name != "solutions":
        raise LearnerError(
            "There are no solutions here.", "Bars are proposed in a full checkout of the course."
        )
    endless = replace(lab, bars=replace(lab.bars, alpha=_NEVER, alpha_fail=_NEVER))
    reference = read_worker(lab.notebook, lab.module)
    verdict = assess(endless, "speedup", reference, launcher, machine.look(), progress)
    if not verdict.blocks and verdict.outcome == "not yet":
        raise LearnerError(f"The reference of {lab.id} fails: {verdict.reason}", "Mend it, then calibrate.")
    gains = tuple(
        gain(block.speedup, block.reach) for block in verdict.blocks if not block.is_void(lab.bars.r_min)
    )
    return Proposal(lab, verdict, gains, propose(gains, lab.bars))


def propose(gains: Sequence[float], bars: Bars) -> Bars | None:
    """Bars for a reference that gained so much (shares of the reachable gain); None where that bears none. Pure."""
    if len(gains) < _FEWEST:
        return None
    low = sorted(gains)[int(_BELOW * len(gains))]
    passing = math.floor(min(_OF_MEDIAN * median(gains), low, _HIGHEST) / _STEP + 1e-9) * _STEP
    if passing < 2 * _STEP:
        return None
    half = None if bars.f_half is None else round(_HALF * passing, 2)
    return replace(bars, f_pass=round(passing, 2), f_fail=round(_FAIL * passing, 2), f_half=half)


def report(proposal: Proposal) -> str:
    """What was measured, the proposal as lines for lab.toml, and what the lab has now."""
    lab, measured = proposal.lab, proposal.verdict.estimate
    if proposal.bars is None or measured is None:
        counted = f"{len(proposal.gains)} clean blocks"
        return (
            f"{lab.id}: no bars can be proposed from {counted}. {proposal.verdict.reason}\n"
            "Run it on two idle cores or more; when it stays so, give the lab more work or its reference less waste."
        )
    ordered = sorted(proposal.gains)
    spread = f"{ordered[0]:.2f} to {ordered[-1]:.2f}, median {median(ordered):.2f}"
    now, bars = lab.bars, proposal.bars
    lines = [
        f"{lab.id}: the reference was {measured.speedup:.2f} times as fast as serial, of a reach of "
        f"{measured.reach:.2f}, in {len(ordered)} clean blocks.",
        f"Its share of the reachable gain went from {spread}.",
        "",
        f"In solutions/{lab.id}/lab.toml:",
        "",
        "[bars]",
        *(
            f"{name} = {getattr(bars, name):g}    # now {_said(getattr(now, name))}"
            for name in ("f_pass", "f_fail", "f_half")
            if getattr(bars, name) is not None
        ),
    ]
    return "\n".join(lines)


def as_json(proposal: Proposal) -> dict[str, object]:
    """{schema, lab, speedup, reach, gains, bars: {f_pass, f_fail, f_half} or null}."""
    measured, bars = proposal.verdict.estimate, proposal.bars
    return {
        "schema": 1,
        "lab": proposal.lab.id,
        "speedup": measured.speedup if measured else None,
        "reach": measured.reach if measured else None,
        "gains": [round(one, 4) for one in proposal.gains],
        "bars": bars and {"f_pass": bars.f_pass, "f_fail": bars.f_fail, "f_half": bars.f_half},
    }


def _said(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"
