"""Bars proposed from a reference's own runs."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.author import calibrate
from grader.author.calibrate import Proposal, propose
from grader.errors import LearnerError
from grader.lab import load
from grader.launch.local import LocalLauncher
from grader.measure.decide import Decision
from grader.model import Bars, Block, MachineFacts, WorkerModule
from grader.verdict import Speed, on_speed

LAB = load(Path(__file__).parent / "labs" / "primes")
FACTS = MachineFacts(2, 2, None, 2, 2.0, ("fork",), 0.3, None, "Linux", "3.13")


def proposal(speedup: float, count: int = 20) -> Proposal:
    blocks = (Block(0.4, 0.4 / speedup, 1.8, 1.8, (0.4,), (0.01, 0.2, 0.2)),) * count
    speed = Speed(Decision("cannot tell", "close to the bar"), blocks, 60.0, 2, start_method="fork")
    verdict = on_speed(LAB, WorkerModule("counter", {}, "a test"), speed, FACTS)
    gains = tuple((block.speedup - 1) / (block.reach - 1) for block in blocks)
    return Proposal(LAB, verdict, gains, propose(gains, LAB.bars))


@given(st.lists(st.floats(0.3, 1.2), min_size=8, max_size=60))
def test_nine_in_ten_of_the_references_blocks_lie_above_the_bar_that_is_proposed(gains: list[float]) -> None:
    bars = propose(gains, Bars())
    assert bars is not None
    assert sum(gain < bars.f_pass for gain in gains) <= 0.1 * len(gains)
    assert bars.f_half is not None
    assert bars.f_half < bars.f_fail < bars.f_pass


def test_a_reference_that_gains_nearly_all_gets_the_bars_of_the_method() -> None:
    bars = propose([0.95] * 20, Bars())
    assert bars is not None
    assert (bars.f_pass, bars.f_fail, bars.f_half) == (0.65, 0.43, 0.26)


def test_a_reference_that_gains_more_than_the_calibration_makes_nobody_elses_bar_higher_than_that() -> None:
    bars = propose([1.5] * 20, Bars())
    assert bars is not None
    assert bars.f_pass == 0.7


def test_a_lab_without_half_points_gets_none() -> None:
    bars = propose([0.9] * 20, Bars(f_half=None))
    assert bars is not None
    assert bars.f_half is None


def test_too_few_blocks_or_no_gain_bear_no_bars() -> None:
    assert propose([0.9] * 7, Bars()) is None
    assert propose([0.05] * 20, Bars()) is None


def test_the_report_can_be_put_into_lab_toml_as_it_stands() -> None:
    said = calibrate.report(proposal(1.7))
    assert "1.70 times as fast as serial" in said
    bars = tomllib.loads(said[said.index("[bars]") :])["bars"]
    assert Bars(**bars).f_pass == 0.6
    assert "now 0.6" in said


def test_where_no_bars_can_be_proposed_the_report_says_why_and_what_to_do() -> None:
    said = calibrate.report(proposal(1.7, count=3))
    assert "no bars can be proposed from 3 clean blocks" in said
    assert "two idle cores" in said
    assert calibrate.as_json(proposal(1.7, count=3))["bars"] is None


def test_a_lab_without_solutions_here_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.lab.find", lambda name: LAB)
    with pytest.raises(LearnerError, match="no solutions here"):
        calibrate.calibrate("primes", LocalLauncher(), lambda line: None)


#: The command, with a part of the lab's budget, which calibration uses up.
IN_SHORT = """\
from dataclasses import replace
from grader import lab
from grader.cli import main
find = lab.find
def found(name):
    real = find(name)
    return replace(real, bars=replace(real.bars, budget=15))
lab.find = found
main()
"""


@pytest.mark.slow
@pytest.mark.alone
def test_the_fraud_lab_is_calibrated_from_real_runs() -> None:
    command = [sys.executable, "-c", IN_SHORT, "author", "calibrate", "11_fraud", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    told = json.loads(done.stdout)
    assert told["lab"] == "11_fraud"
    assert done.returncode == (0 if told["bars"] else 1)
    assert told["gains"] != []
