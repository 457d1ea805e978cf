"""Checks with names of their own: the answer in another situation than the usual one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader import machine
from grader.assess import assess
from grader.errors import GraderError
from grader.lab import load
from grader.launch.local import LocalLauncher
from grader.model import Lab, WorkerModule

PRIMES = Path(__file__).parent / "labs" / "primes"

CHECK = """
[checks.announces]
points = 2
asks = "That the function says how many numbers it was given."
"""

SCENARIO = """
def call_with_list(function, arguments):
    numbers, workers = arguments
    said = []
    function(numbers, workers, said.append)
    return said[0] if said else -1

SCENARIOS = {
    "announces": {"SIZES": (3, 5), "serial": lambda numbers: len(numbers), "call": call_with_list},
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "primes"
    shutil.copytree(PRIMES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, more in (("lab.toml", CHECK), ("checks.py", SCENARIO)):
        (folder / name).write_text((folder / name).read_text(encoding="utf-8") + more, encoding="utf-8")
    return folder


def test_a_check_of_the_labs_own_has_its_points_and_its_situation(folder: Path) -> None:
    lab = load(folder)
    assert lab.checks["announces"].points == 2
    assert lab.max_points == 12
    assert lab.judge.SIZES == (0, 1, 7, 301), "the other checks are as before"


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("lab.toml", "[checks.announces]", "[checks.anounces]", "anounces is none of answer, speedup"),
        ("lab.toml", CHECK, "", "SCENARIOS has announces, which is no check"),
        ("checks.py", '"call":', '"cal":', "replaces unknown cal"),
    ],
)
def test_a_check_and_its_situation_belong_together(
    folder: Path, file: str, old: str, new: str, said: str
) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(GraderError, match=said):
        load(folder)


def worker(body: str) -> WorkerModule:
    source = f"def count_primes(numbers, workers, say=None):\n    {body}\n    return 0\n"
    return WorkerModule("counter", {"counter": source}, "a test")


def outcome(lab: Lab, body: str) -> tuple[str, str]:
    told = assess(lab, "announces", worker(body), LocalLauncher(), machine.look(), lambda line: None)
    return told.outcome, told.reason


@pytest.mark.slow
def test_the_function_is_judged_by_what_it_does_in_that_situation(folder: Path) -> None:
    lab = load(folder)
    assert outcome(lab, "say(len(numbers))")[0] == "met"
    verdict, why = outcome(lab, "say(len(numbers) + 1)")
    assert (verdict, "3 of the numbers" in why) == ("not yet", True), why
    verdict, why = outcome(lab, "say.nothing")
    assert (verdict, "AttributeError" in why) == ("not yet", True), why
