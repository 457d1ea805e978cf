"""What the line of a running check says: how sure it is already, or that nothing is sure yet; never "0 % sure"."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from grader.assess import assess
from grader.lab import load
from grader.launch.scripted import Program, ScriptedLauncher
from grader.model import MachineFacts, WorkerModule

PRIMES = Path(__file__).parent / "labs" / "primes"
FACTS = MachineFacts(2, 2, None, 2, 2.0, ("fork", "spawn"), 0.3, None, "Linux", "3.13")
WORKER = WorkerModule("counter", {"counter": "the script stands in for it\n"}, "a test")


def lines(program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The progress lines of a check of this program, of its blocks alone."""
    shutil.copytree(PRIMES, folder / "primes", ignore=shutil.ignore_patterns("__pycache__"))
    checks = folder / "primes" / "checks.py"
    checks.write_text(checks.read_text().replace("SPEED_SIZE = 2000", "SPEED_SIZE = 12"))
    launcher = ScriptedLauncher(program)
    for module in ("grader.assess.time", "grader.measure.blocks.time"):
        monkeypatch.setattr(module, launcher.clock)
    said: list[str] = []
    assess(load(folder / "primes"), "speedup", WORKER, launcher, FACTS, said.append)
    return [line for line in said if "block" in line and "reach of" in line]


def test_a_good_program_is_ever_surer_to_be_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = lines(Program(), tmp_path, monkeypatch)
    sure = [int(found[1]) for line in said if (found := re.search(r"(\d+) % sure of `met`", line))]
    assert len(sure) == len(said) > 4
    assert sure == sorted(sure)
    assert 0 < sure[0] < 50 < sure[-1]


def test_a_program_between_the_bars_is_not_said_to_be_0_percent_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    between = Program(speedup=1.34, cpu=(0.02, 0.34, 0.26), noise=0.02)
    said = lines(between, tmp_path, monkeypatch)
    assert not any(re.search(r"\b0 % sure", line) for line in said)
    assert any("nothing is sure yet" in line for line in said)
    assert all(re.search(r"about \d+ s left$", line) for line in said)
