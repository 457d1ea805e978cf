"""A check of the primes on the scripted launcher: trials only report their seconds, and take none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.assess import assess
from grader.lab import load
from grader.launch.scripted import Script, ScriptedLauncher
from grader.model import Lab, MachineFacts, Progress, Verdict, WorkerModule

PRIMES = Path(__file__).parent / "labs" / "primes"
FACTS = MachineFacts(2, 2, None, 2, 2.0, ("fork", "spawn"), 0.3, None, "Linux", "3.13")
WORKER = WorkerModule("counter", {"counter": "the script stands in for it\n"}, "a test")


def primes(folder: Path) -> Lab:
    """The primes, copied to `folder`, at a size that takes no time: the seconds are scripted."""
    shutil.copytree(PRIMES, folder / "primes", ignore=shutil.ignore_patterns("__pycache__"))
    checks = folder / "primes" / "checks.py"
    checks.write_text(checks.read_text().replace("SPEED_SIZE = 2000", "SPEED_SIZE = 12"))
    return load(folder / "primes")


def scripted(
    lab: Lab,
    script: Script,
    monkeypatch: pytest.MonkeyPatch,
    progress: Progress = lambda line: None,
    check: str = "speedup",
    facts: MachineFacts = FACTS,
    preview: bool = False,
) -> tuple[Verdict, ScriptedLauncher]:
    """Assess a script by its own clock."""
    launcher = ScriptedLauncher(script)
    for module in ("grader.assess.time", "grader.measure.blocks.time", "grader.measure.explain.time"):
        monkeypatch.setattr(module, launcher.clock)
    verdict = assess(lab, check, WORKER, launcher, facts, progress, preview=preview)
    return verdict, launcher
