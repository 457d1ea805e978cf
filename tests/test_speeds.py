"""What the labs come with about speed: a solution is never `not yet`, and each wrong answer is refused for the reason
that it was written to show.

`corewise author verify` tries all answers of a lab; this is its part that a change of the measuring or of the findings
would break unseen.
"""

from __future__ import annotations

from typing import Any

import pytest

from grader import lab as labs
from grader import machine
from grader.author import verify
from grader.launch.local import LocalLauncher

pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.skipif(machine.look().usable < 2, reason="one core can tell nobody's speedup"),
]


#: Labs whose solution is measured in its notebook (test_selfcheck.py): once is enough.
MEASURED_ELSEWHERE = {"11_fraud"}


def answers_about_speed() -> list[Any]:
    return [
        pytest.param(lab, answer, id=f"{lab.id}/{answer.name}")
        for lab in (labs.load(labs.CHECKOUT / "solutions" / name) for name in verify.lab_ids())
        for answer in verify.answers(lab)
        if answer.check == "speedup" and (answer.cause or lab.id not in MEASURED_ELSEWHERE)
    ]


@pytest.mark.parametrize(("lab", "answer"), answers_about_speed())
def test_an_answer_about_speed_is_judged_as_it_was_written_to_be(
    lab: labs.Lab, answer: verify.Answer
) -> None:
    proof = verify.try_answer(lab, answer, LocalLauncher(), lambda line: None, until=0.0)
    assert proof.ok, verify.explain(proof)
