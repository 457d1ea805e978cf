"""What the labs come with: a solution is right under every start method and is never `not yet`, and each wrong answer
about speed is refused for the reason that it was written to show.

`corewise author verify` tries all answers of a lab; this is its part that a change of the measuring or of the findings
would break unseen.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from grader import lab as labs
from grader import machine
from grader.author import verify
from grader.launch.local import LocalLauncher

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(machine.look().usable < 2, reason="one core can tell nobody's speedup"),
]

#: Labs whose solution is checked in its notebook (test_selfcheck.py): once is enough.
CHECKED_ELSEWHERE = {"11_fraud"}
#: Seconds in which a solution that can't be told is tried once more.
AGAIN = 60.0


def answers() -> list[Any]:
    return [
        pytest.param(
            lab,
            answer,
            id=f"{lab.id}/{answer.name}-{answer.check}",
            marks=[pytest.mark.alone] if answer.check == "speedup" else [],
        )
        for lab in (labs.load(labs.CHECKOUT / "solutions" / name) for name in verify.lab_ids())
        for answer in verify.answers(lab)
        if (answer.name == "reference" and lab.id not in CHECKED_ELSEWHERE)
        or (answer.check == "speedup" and answer.cause)
    ]


@pytest.mark.parametrize(("lab", "answer"), answers())
def test_an_answer_is_judged_as_it_was_written_to_be(lab: labs.Lab, answer: verify.Answer) -> None:
    until = time.monotonic() + AGAIN if answer.name == "reference" else 0.0
    proof = verify.try_answer(lab, answer, LocalLauncher(), lambda line: None, until)
    if proof.inconclusive:
        pytest.skip(f"this machine could not tell it: {proof.verdict.reason}")
    assert proof.ok, verify.explain(proof)
