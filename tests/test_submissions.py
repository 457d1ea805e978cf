"""Submissions that cheat on the clock or on caching, and honest ones beside them: what each of them earns.

Each file in `tests/submissions/primes/` says on its first line which verdicts on its speedup are right. Whatever the
machine is doing, a cheat earns nothing and an honest program is never `not yet`.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from grader import machine
from grader.assess import assess
from grader.lab import load
from grader.launch.local import LocalLauncher
from grader.measure.stage import FORKS
from grader.model import Verdict
from grader.notebook import read_worker_file

TESTS = Path(__file__).parent
SUBMISSIONS = sorted((TESTS / "submissions" / "primes").glob("*.py"))
#: Seconds: for what must be refused, and for what may be left untold. Both mostly need less.
LONG, SHORT = 60.0, 12.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FORKS, reason="the cheats use what only Linux has"),
    pytest.mark.skipif(machine.look().usable < 2, reason="one core can tell nobody's speedup"),
]


def checked(path: Path, budget: float) -> Verdict:
    lab = load(TESTS / "labs" / "primes")
    lab = replace(lab, bars=replace(lab.bars, budget=budget))
    worker = read_worker_file(path, lab.module)
    return assess(lab, "speedup", worker, LocalLauncher(), machine.look(), lambda line: None)


@pytest.mark.parametrize("path", SUBMISSIONS, ids=lambda path: path.stem)
def test_a_cheat_earns_nothing_and_an_honest_program_is_never_not_yet(path: Path) -> None:
    expected = re.match(r"# verdict: (.+)", path.read_text())
    assert expected is not None
    before = set(psutil.Process().children(recursive=True))
    try:
        verdict = checked(path, SHORT if "cannot tell" in expected[1] else LONG)
    finally:
        Path("/dev/shm/corewise-test-kept").unlink(missing_ok=True)
    assert verdict.outcome in expected[1].split(", "), verdict.reason
    if not path.stem.startswith("control"):
        assert verdict.points == 0.0, verdict.reason
        assert verdict.reason
    left = set(psutil.Process().children(recursive=True)) - before
    assert [process for process in left if process.is_running()] == []
    assert os.getpriority(os.PRIO_PROCESS, 0) == 0


def test_every_cheat_on_the_clock_and_on_caching_that_the_design_lists_is_tried() -> None:
    names = {path.stem for path in SUBMISSIONS}
    on_the_clock = {
        "clock_stands_still",
        "clock_runs_backwards",
        "warm_up_is_lengthened",
        "says_done_too_early",
    }
    on_caching = {
        "memoised_by_id",
        "memoised_by_content",
        "memoised_by_shape",
        "replays_the_warm_up",
        "precomputed_at_import",
        "persists_in_shared_memory",
        "returns_before_the_work_is_done",
        "changes_the_input",
        "constant_answer",
    }
    assert on_the_clock | on_caching <= names
