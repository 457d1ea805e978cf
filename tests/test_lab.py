"""lab.toml and checks.py: what is read, and what is said when one of them is broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import GraderError, LearnerError
from grader.lab import JUDGE_NEEDS, find, lab_folders, load
from grader.model import Bars
from grader.weights import MemoryBars

PRIMES = Path(__file__).parent / "labs" / "primes"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(PRIMES, tmp_path / "primes", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "primes"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_lab_is_read_from_its_folder() -> None:
    lab = load(PRIMES)
    assert (lab.id, lab.module, lab.function, lab.max_workers) == ("primes", "counter", "count_primes", 4)
    assert {name: check.points for name, check in lab.checks.items()} == {"answer": 6.0, "speedup": 4.0}
    assert lab.max_points == 10
    assert len(lab.hints["speedup"].steps) == 3
    assert lab.bars == Bars(budget=60)
    assert lab.judge.SIZES == (0, 1, 7, 301)
    assert lab.folder.is_absolute()


def test_the_solution_is_taken_before_the_released_lab(tmp_path: Path) -> None:
    for room in ("labs", "solutions"):
        shutil.copytree(PRIMES, tmp_path / room / "primes")
    shutil.copytree(PRIMES, tmp_path / "labs" / "other")
    assert lab_folders(tmp_path) == {
        "other": tmp_path / "labs" / "other",
        "primes": tmp_path / "solutions" / "primes",
    }


def test_an_unknown_lab_lists_those_that_are_there(tmp_path: Path) -> None:
    shutil.copytree(PRIMES, tmp_path / "labs" / "primes")
    with pytest.raises(LearnerError) as raised:
        find("prmes", tmp_path)
    assert "'prmes'" in raised.value.what
    assert "primes" in raised.value.try_next


def test_where_there_are_no_labs_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(LearnerError) as raised:
        find("primes", tmp_path)
    assert "none" in raised.value.try_next


BREAKS: list[tuple[str, Callable[[Path], object]]] = [
    ("lab.toml", lambda folder: (folder / "lab.toml").unlink()),
    ("lab.toml", lambda folder: (folder / "lab.toml").write_text("id = ")),
    ("lab.toml", lambda folder: (folder / "lab.toml").write_bytes(b"id = '\xff'")),
    ("lab.toml", lambda folder: change(folder / "lab.toml", 'module = "counter"', "")),
    ("lab.toml", lambda folder: change(folder / "lab.toml", "points = 6", 'points = "six"')),
    ("lab.toml", lambda folder: change(folder / "lab.toml", "budget", "bugdet")),
    ("lab.toml", lambda folder: (folder / "lab.toml").write_text('id = "x"\nchecks = 3\n')),
    ("checks.py", lambda folder: (folder / "checks.py").unlink()),
    ("checks.py", lambda folder: (folder / "checks.py").write_text("def serial(:\n")),
    ("checks.py", lambda folder: (folder / "checks.py").write_text("import nothing_of_that_name\n")),
    ("checks.py", lambda folder: (folder / "checks.py").write_text("raise SystemExit('no')\n")),
]


@pytest.mark.parametrize(("file", "break_it"), BREAKS)
def test_a_broken_lab_is_our_fault_and_names_the_file(
    folder: Path, file: str, break_it: Callable[[Path], object]
) -> None:
    break_it(folder)
    with pytest.raises(GraderError) as raised:
        load(folder)
    assert f"primes/{file}" in raised.value.what


def test_a_judge_that_lacks_something_says_what(folder: Path) -> None:
    (folder / "checks.py").write_text("SIZES = (1,)\n")
    with pytest.raises(GraderError) as raised:
        load(folder)
    for name in JUDGE_NEEDS:
        assert (name in raised.value.what) == (name != "SIZES")


def test_only_a_speedup_check_needs_the_size_at_which_sizing_starts(folder: Path) -> None:
    change(folder / "checks.py", "SPEED_SIZE = 2000\n", "")
    with pytest.raises(GraderError, match="lacks SPEED_SIZE for the speedup check"):
        load(folder)
    change(folder / "lab.toml", "[checks.speedup]", "[checks.clean_up]")
    assert set(load(folder).checks) == {"answer", "clean_up"}


MATRIX = Path(__file__).parent / "labs" / "matrix"


def test_the_bars_of_a_memory_check_are_read_and_have_defaults(tmp_path: Path) -> None:
    shutil.copytree(MATRIX, tmp_path / "matrix", ignore=shutil.ignore_patterns("__pycache__"))
    change(tmp_path / "matrix" / "lab.toml", "copies = 1.5", "copies = 2.5")
    assert load(tmp_path / "matrix").memory == MemoryBars(copies=2.5, growth=0.25)
    assert load(PRIMES).memory == MemoryBars(copies=1.5, growth=0.25)


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("checks.py", "def payload", "def paid", "payload"),
        ("checks.py", "MEMORY_SIZE", "MEMORIES", "MEMORY_SIZE"),
        ("lab.toml", "growth", "grwoth", "grwoth"),
    ],
)
def test_a_memory_check_that_lacks_something_is_our_fault_and_says_what(
    tmp_path: Path, file: str, old: str, new: str, named: str
) -> None:
    shutil.copytree(MATRIX, tmp_path / "matrix", ignore=shutil.ignore_patterns("__pycache__"))
    change(tmp_path / "matrix" / file, old, new)
    with pytest.raises(GraderError) as raised:
        load(tmp_path / "matrix")
    assert named in raised.value.what
