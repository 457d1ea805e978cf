"""A `Diagnosis` as text for a terminal, and as JSON."""

from __future__ import annotations

import textwrap
from typing import Any

from grader.report.trace_words import alike_in_words, bill_in_words, in_seconds, part
from grader.report.words import clean, count
from grader.tracing.bill import Bill
from grader.tracing.diagnose import Loss
from grader.tracing.diagnosis import Diagnosis
from grader.tracing.laws import WorkSpan
from grader.tracing.whatif import WhatIf

_WIDTH, _BAR = 80, 36
_WORTH = 0.005  # parts below this share of the run are shown together


def as_text(told: Diagnosis) -> str:
    """The bill as a small chart, then the findings; ends without a newline."""
    said = f"{clean(told.name)}: {bill_in_words(told.bill)} {alike_in_words(told.alike)}"
    lines = [*_wrap(said), "", *chart(told)]
    for number, loss in enumerate(told.losses, 1):
        lines += ["", *_loss(number, loss)]
    if not told.losses:
        lines += ["", "  No single loss is worth a word."]
    lines += ["", "  What if (computed from this trace, not measured):"]
    for one in told.what_if:
        lines += _wrap(f"{one.name}: {what_if_in_words(one)}", "    ", "      ")
    lines += ["", *_wrap(chain_in_words(told.work_span, told.bill), "  ", "  ")]
    return "\n".join(lines)


def chain_in_words(found: WorkSpan, its: Bill) -> str:
    """The bound by work and span: of what uses cores, which is not much of a run that mostly waits."""
    said = (
        f"All work: {in_seconds(found.work)} of CPU time. What can't be split as it is (the program alone, and the "
        f"largest task): {in_seconds(found.span)}"
    )
    if 2 * its.seconds["blocked"] + 2 * its.seconds["other"] > its.wall:
        return f"{said}. Most of the run waited for something else; that is no bound for waiting."
    if not found.span:
        return f"{said}."
    return f"{said}; so {found.parallelism:.1f} times as fast at most, on any number of cores."


def chart(told: Diagnosis) -> list[str]:
    """The parts of the bill as bars, one line each, and their sum."""
    wall = max(told.bill.wall, 1e-9)
    large = {name: s for name, s in told.bill.seconds.items() if abs(s) >= _WORTH * wall or name == "work"}
    rows = [(part(name), seconds) for name, seconds in large.items()]
    rest = sum(told.bill.seconds.values()) - sum(large.values())
    rows += [("the rest", rest)] if abs(rest) >= 0.0005 else []
    lines = []
    for name, seconds in rows:
        bar = "#" * round(_BAR * min(1.0, max(0.0, seconds / wall)))
        lines.append(f"  {name:16} {seconds:8.3f} s {100 * seconds / wall:6.1f} % {bar}".rstrip())
    return [*lines, f"  {'all of it':16} {wall:8.3f} s  100.0 %"]


def what_if_in_words(one: WhatIf) -> str:
    """What the run would have taken."""
    if one.seconds is None or one.gain is None:
        return f"not known. {one.refused}"
    speedup = "" if one.speedup is None else f", a speedup of {one.speedup:.2f}"
    return f"{in_seconds(one.seconds)} with {count(one.workers, 'worker')}{speedup}, {one.gain:.2f} times as fast"


def _wrap(said: str, indent: str = "", after: str = "") -> list[str]:
    return textwrap.wrap(said, _WIDTH, initial_indent=indent, subsequent_indent=after, break_on_hyphens=False)


def _loss(number: int, loss: Loss) -> list[str]:
    share = f"{100 * loss.share:.0f} % of the loss, {loss.seconds:.2f} s"
    return [
        *_wrap(f"{number}. {loss.what} ({loss.cause}: {share})", "  ", "     "),
        *_wrap(clean(loss.evidence), "     ", "     "),
        *_wrap(f"Try: {loss.try_next}", "     ", "     "),
    ]


def as_json(told: Diagnosis) -> dict[str, Any]:
    """The bill and the findings, with finite numbers only; `reason` says why speedup and scaling are null.

    `alike` has the seconds of all runs of which this is the typical one.
    """
    bill = told.bill
    return {
        "schema": 1,
        "name": clean(told.name),
        "bill": {
            "k": bill.workers,
            "wall": bill.wall,
            "serial": bill.serial,
            "load_balance": bill.load_balance,
            "communication": bill.communication,
            "scaling": bill.scaling,
            "speedup": bill.speedup,
            "reason": told.why_null,
            "seconds": dict(bill.seconds),
        },
        "alike": list(told.alike),
        "work": told.work_span.work,
        "span": told.work_span.span,
        "what_if": [
            {
                "name": one.name,
                "workers": one.workers,
                "seconds": one.seconds,
                "speedup": one.speedup,
                "refused": one.refused,
            }
            for one in told.what_if
        ],
        "findings": [
            {
                "cause": loss.cause,
                "share": loss.share,
                "seconds": loss.seconds,
                "evidence": clean(loss.evidence),
                "try": loss.try_next,
            }
            for loss in told.losses
        ],
    }
