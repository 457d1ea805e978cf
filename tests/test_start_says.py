"""What `start.py` says to an old Python, and about what pip reports: nothing is installed for these."""

from __future__ import annotations

import ast
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

START = Path(__file__).resolve().parent.parent / "start.py"


def old_pythons() -> list[str]:
    names = [f"python{version}" for version in ("2.7", "3.6", "3.8", "3.10")]
    paths = [shutil.which(name) for name in names]
    paths += sorted(map(str, Path.home().glob(".pyenv/versions/*/bin/python")))
    return [path for path in paths if path and is_old(path)]


def is_old(python: str) -> bool:
    code = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 1


def test_an_old_python_is_told_which_to_use(tmp_path: Path) -> None:
    pythons = old_pythons()
    if not pythons:
        pytest.skip("no Python older than 3.11 on this machine")
    shutil.copy(START, tmp_path)
    for python in pythons:
        done = subprocess.run([python, str(tmp_path / "start.py"), "test"], capture_output=True, text=True)
        assert done.returncode == 1
        assert "Corewise needs Python 3.11 to 3.14, and this is Python" in done.stderr
        assert " start.py" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["start.py"]


def test_start_py_is_written_in_the_syntax_of_old_pythons() -> None:
    ast.parse(START.read_bytes().decode("ascii"), feature_version=(3, 4))


@pytest.fixture(scope="module")
def trouble() -> Callable[[list[str]], Exception]:
    made = runpy.run_path(str(START))["trouble"]
    assert callable(made)
    return made


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk filled up",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "not the one that was locked",
        ),
        (
            "WARNING: Retrying (Retry(total=4)) after connection broken by 'ProxyError('Cannot connect')'",
            "registry",
        ),
        (
            "HINT: This error might have occurred since this system does not have Windows Long Path support",
            "too long",
        ),
    ],
)
def test_what_pip_reports_becomes_one_remedy(
    trouble: Callable[[list[str]], Exception], line: str, words: str
) -> None:
    stop = trouble(["Collecting numpy", line])
    assert words in str(stop)
    assert "type the same again" in str(stop)
    assert getattr(stop, "code", None) == 1


@pytest.mark.parametrize(("typed", "meant"), [("tset", "test"), ("chekc", "check"), ("docter", "doctor")])
def test_a_mistyped_command_is_no_folder(tmp_path: Path, typed: str, meant: str) -> None:
    shutil.copy(START, tmp_path)
    command = [sys.executable, str(tmp_path / "start.py"), typed]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"start.py {meant}" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["start.py"]


def test_every_command_of_corewise_can_be_typed_after_start_py() -> None:
    known = runpy.run_path(str(START))["COMMANDS"]
    said = subprocess.run(
        [sys.executable, "-m", "grader", "--help"], capture_output=True, text=True, check=True
    )
    assert re.findall(r"^    (\w+) ", said.stdout, re.MULTILINE) == list(known)
