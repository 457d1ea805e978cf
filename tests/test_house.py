"""The rules of the house that a program can check; they hold in a clone and in an unzipped folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from traitlets.config.loader import PyFileConfigLoader

from grader.author import environment

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LONGEST_MODULE = 400  # lines
LONGEST_TEST = 600  # a test file mirrors a module, and reads as a list
SKIPPED = re.compile(r"__pycache__|build|out|.*\.egg-info|\.(?!ci$)(?!git(ignore|attributes)$).*")


def tree() -> list[Path]:
    """The files of the project: what git would keep, or where there is no git, what isn't made by tools."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    if (ROOT / ".git").exists() and shutil.which("git"):
        names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        return [ROOT / name for name in names if name and (ROOT / name).is_file()]
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not SKIPPED.fullmatch(name)]
        found += [Path(folder, name) for name in names if not SKIPPED.fullmatch(name)]
    return found


def texts() -> list[tuple[Path, str]]:
    """The project's text files with their text; pictures and other binary files are left out."""
    pairs = []
    for path in tree():
        data = path.read_bytes()
        if b"\0" not in data:
            pairs.append((path.relative_to(ROOT), data.decode("utf-8")))
    return pairs


def passes(*command: str | Path) -> None:
    """Run a checker in the project's folder; its findings are the failure's message."""
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_ruff_finds_nothing_wrong_and_nothing_to_format() -> None:
    passes(sys.executable, "-m", "ruff", "check", "--no-cache")
    passes(sys.executable, "-m", "ruff", "format", "--check", "--no-cache")


@pytest.mark.slow
def test_the_types_hold_under_mypy_strict() -> None:
    passes(sys.executable, "-m", "mypy")


def test_imports_point_one_way() -> None:
    lint_imports = shutil.which("lint-imports", path=str(BIN))
    assert lint_imports, f"import-linter is missing in {BIN}"
    passes(lint_imports, "--no-cache")


def test_environment_yml_says_what_pyproject_says() -> None:
    made = environment.render(ROOT / "pyproject.toml")
    kept = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert kept == made, "environment.yml has drifted. Type:  corewise author build"


def test_environment_yml_is_what_conda_reads() -> None:
    parsed = yaml.safe_load(environment.render(ROOT / "pyproject.toml"))
    assert parsed["channels"] == ["conda-forge"]
    assert "python >=3.11,<3.15" in parsed["dependencies"]
    assert any(line.startswith("jupyterlab >=") for line in parsed["dependencies"] if isinstance(line, str))
    (from_pip,) = [part["pip"] for part in parsed["dependencies"] if isinstance(part, dict)]
    assert [re.split("[<>=]", line)[0] for line in from_pip] == ["nbgrader", "jupyterquiz"]


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_has_a_hash_for_every_package_and_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    pins = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert pins
    assert [pin for pin in pins if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", pin)] == []
    assert "://" not in text


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_has_everything_that_pyproject_asks_for(lock: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = list(project["dependencies"])
    if lock == "requirements-dev.txt":
        asked += project["optional-dependencies"]["dev"]
    pins = locked(lock)
    for requirement in map(Requirement, asked):
        versions = pins.get(canonicalize_name(requirement.name), set())
        assert versions, f"{lock} lacks {requirement}; CONTRIBUTING.md has the command that makes it"
        assert all(version in requirement.specifier for version in versions), f"{requirement}: {versions}"


def test_both_locks_pin_the_same_versions() -> None:
    everything = locked("requirements-dev.txt")
    assert {name: everything.get(name) for name in locked("requirements.txt")} == locked("requirements.txt")


def locked(lock: str) -> dict[str, set[str]]:
    """The versions of each package in a lock; more than one where Pythons differ."""
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE
    ):
        pins.setdefault(canonicalize_name(name), set()).add(version)
    return pins


def test_no_file_names_a_folder_of_this_machine_or_a_package_registry() -> None:
    here = [path for path in (str(ROOT), str(Path.home()), sys.prefix) if len(path) > 1]
    machine = r"(?<![\w.-])(?:" + "|".join(map(re.escape, here)) + r")(?![\w-])"
    registry = r"https?://(?!127\.0\.0\.1)\S+/simple\b"
    foreign = re.compile(f"{machine}|{registry}")
    assert [(str(path), found.group()) for path, text in texts() if (found := foreign.search(text))] == []


def test_no_notebook_carries_outputs() -> None:
    carrying = []
    for path in (path for path in tree() if path.suffix == ".ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
            carrying.append(str(path.relative_to(ROOT)))
    assert carrying == []


def longest(path: str) -> int:
    return LONGEST_TEST if path.startswith("tests") else LONGEST_MODULE


def test_no_module_is_longer_than_a_reader_can_bear() -> None:
    lengths = {str(path): text.count("\n") for path, text in texts() if path.suffix == ".py"}
    too_long = {path: length for path, length in lengths.items() if length > longest(path)}
    assert too_long == {}


def test_every_package_of_ours_is_installed() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    packages = {".".join(path.relative_to(ROOT).parts[:-1]) for path in tree() if path.name == "__init__.py"}
    ours = {name for name in packages if name.split(".")[0] in ("grader", "course")}
    assert ours == set(setuptools["packages"])


@pytest.mark.slow
def test_nbgrader_knows_every_option_of_our_configuration() -> None:
    from nbgrader.converters import Autograde
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.preprocessors import Execute

    settings = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    known = {"Autograde": Autograde, "CourseDirectory": CourseDirectory, "Execute": Execute}
    assert set(settings) == set(known)
    for section, options in settings.items():
        assert set(options) <= set(known[section].class_trait_names())
    course = CourseDirectory(config=settings)
    assert Path(course.root) == ROOT
    assert (course.source_directory, course.release_directory) == ("solutions", "labs")
    assert {"wrong", *CourseDirectory.ignore.default_args[0]} == set(course.ignore)
