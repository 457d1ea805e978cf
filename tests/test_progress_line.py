"""What the line of a running check says: how sure it is already, or that nothing is sure yet; never "0 % sure"."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scripted_check import primes, scripted

from grader.launch.scripted import Program


def lines(program: Program, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The progress lines of a check of this program, of its blocks alone."""
    said: list[str] = []
    scripted(primes(folder), program, monkeypatch, said.append)
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
