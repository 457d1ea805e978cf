"""Runs that explain a slow program cost no more than the time of one that hangs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from scripted_check import WORKER, primes, scripted

from grader.launch.scripted import Program, Report, ScriptedLauncher
from grader.measure import explain
from grader.measure.blocks import Plan
from grader.measure.explain import TRACED, Explaining
from grader.model import Order

PLAN = Plan(size=12, amount=1, workers=2, t_serial=0.5, timeout=20.0)


def hangs_when_traced(order: Order, number: int) -> Report:
    """Half parallel; a traced run of it never ends."""
    said = Program(speedup=1.02, cpu=(0.02, 0.3, 0.2))(order, number)
    return replace(said, ending="timed out") if order.trace else said


def test_after_a_traced_run_that_hangs_there_is_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = primes(tmp_path)
    verdict, launcher = scripted(lab, hangs_when_traced, monkeypatch)
    traced = [order for order in launcher.orders if order.trace]
    assert (verdict.outcome, len(traced)) == ("not yet", 1)


@pytest.mark.parametrize(("left", "timeouts"), [(100.0, [20.0]), (5.0, [5.0]), (0.0, [])])
def test_traced_runs_are_ended_when_their_time_is_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: float, timeouts: list[float]
) -> None:
    lab = primes(tmp_path)
    launcher = ScriptedLauncher(hangs_when_traced)
    monkeypatch.setattr(explain, "time", launcher.clock)
    with launcher.session(lab, WORKER, "fork") as mine, launcher.session(lab, None, "fork") as clean:
        runs = Explaining(lab, clean, mine).traced(PLAN, 0.5, TRACED, launcher.clock.now + left)
    assert [order.timeout for order in launcher.orders] == timeouts
    assert len(runs) == len(timeouts)
