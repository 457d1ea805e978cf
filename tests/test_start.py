"""`start.py`, run as a user runs it, in small projects that install in seconds and without a network."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

START = Path(__file__).resolve().parent.parent / "start.py"
TINY = Path(__file__).resolve().parent / "tiny_project"
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals, links and mounts of POSIX")
PATIENCE = 240.0  # seconds, then a start that a test waits for is ended


def lock_wheel(folder: Path, lock: str, name: str, files: dict[str, str]) -> None:
    """Write a wheel into the project and make `lock` name it, with its hash."""
    info = f"{name}-1.0.dist-info/"
    files = files | {
        info + "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        info + "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        info + "RECORD": "",
    }
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, text in files.items():
            wheel.writestr(member, text)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / lock).write_text(f"./{path.name} --hash=sha256:{digest}\n", encoding="utf-8")


def make_project(folder: Path) -> Path:
    """A project like ours, small, in a folder whose name has a space and a letter that isn't ASCII."""
    project = folder / "Kurs für alle"
    shutil.copytree(TINY, project, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(START, project)
    lock_wheel(project, "requirements.txt", "one", {"one.py": ""})
    # pytest and what it needs come from the environment that runs these tests.
    lock_wheel(project, "requirements-dev.txt", "more", {"more.pth": sysconfig.get_path("purelib")})
    return project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose environment is ready; tests that share it don't change it."""
    project = make_project(tmp_path_factory.mktemp("installed"))
    done = start(project)
    assert done.returncode == 0, done.stderr
    return project


def command(project: Path, *arguments: str, python: str = sys.executable) -> list[str]:
    return [python, str(project / "start.py"), *arguments]


def other_python() -> str | None:
    """Another Python of those that we support, if there is one: on PATH, or pyenv's."""
    names = [f"python3.{minor}" for minor in range(11, 15)]
    pyenvs = sorted(map(str, Path.home().glob(".pyenv/versions/3.1[1-4].*/bin/python")))
    for python in [*filter(None, map(shutil.which, names)), *pyenvs]:
        asked = [python, "-c", "import ensurepip, sys, venv; print(sys.implementation.cache_tag)"]
        told = subprocess.run(asked, capture_output=True, text=True)
        if told.returncode == 0 and told.stdout.strip() != sys.implementation.cache_tag:
            return python
    return None


def start(
    project: Path, *arguments: str, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(project, *arguments),
        env=os.environ | variables,
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=300,
    )


class Begun:
    """A start under way; whatever a test does with it, it ends."""

    def __init__(self, project: Path, python: str = sys.executable) -> None:
        self.process = subprocess.Popen(
            command(project, python=python),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
        )
        self.end = threading.Timer(PATIENCE, self.process.kill)
        self.end.start()

    def await_line(self, words: str) -> None:
        assert self.process.stderr is not None
        if not any(words in line for line in self.process.stderr):
            pytest.fail(f"start.py ended without saying {words!r}")

    def finish(self) -> tuple[str, str]:
        """Wait for the end; returns stdout, and the stderr that was not read yet."""
        try:
            return self.process.communicate()
        finally:
            self.end.cancel()


@pytest.fixture
def hold(project: Path) -> Iterator[Path]:
    """While this file is there, installing the project stays in pip's last step."""
    path = project / "hold"
    path.touch()
    yield path
    path.unlink(missing_ok=True)


def begin_and_hold(project: Path) -> Begun:
    """A start whose pip is in its last step, and stays there."""
    begun = Begun(project)
    deadline = time.monotonic() + PATIENCE
    while not (project / "holding").exists():
        assert begun.process.poll() is None, "start.py ended before its last step"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return begun


def stamp(project: Path) -> Path:
    return project / ".venv" / f"{sys.implementation.cache_tag}-{sys.platform}" / "corewise-stamp"


def installs(done: subprocess.CompletedProcess[str]) -> bool:
    return "installing the packages" in done.stderr


# What it says before it makes anything


def test_help_is_shown_without_making_anything(project: Path) -> None:
    done = start(project, "-h")
    assert done.returncode == 0
    assert "python3 start.py test [--fast]" in done.stdout
    assert not (project / ".venv").exists()


def test_a_python_without_venv_is_told_the_package_that_brings_it(project: Path, tmp_path: Path) -> None:
    stub = tmp_path / "stub"
    stub.mkdir()
    (stub / "ensurepip.py").write_text("raise ImportError(\"No module named 'ensurepip'\")")
    done = start(project, PYTHONPATH=str(stub))
    assert done.returncode == 1
    assert "cannot make an environment: No module named 'ensurepip'" in done.stderr
    if Path("/etc/debian_version").exists():
        assert "apt install python{}.{}-venv".format(*sys.version_info[:2]) in done.stderr
    assert not (project / ".venv").exists()


def test_a_folder_that_cannot_be_written_is_said(project: Path) -> None:
    (project / ".venv").write_text("in the way")  # root may write everywhere, but not make a folder of a file
    done = start(project)
    assert done.returncode == 1
    assert "Cannot use" in done.stderr
    assert "Move the folder to a place where you may write" in done.stderr


def test_an_incomplete_folder_is_said(project: Path) -> None:
    (project / "requirements.txt").unlink()
    done = start(project)
    assert done.returncode == 1
    assert "requirements.txt" in done.stderr
    assert "fetch or unpack it again" in done.stderr


@POSIX
def test_a_full_disk_is_said_before_anything_is_installed(small_disk: Path) -> None:
    project = make_project(small_disk)
    done = start(project)
    assert done.returncode == 1
    assert "The environment needs 1.5 GB of disk, and only 0.0 GB are free" in done.stderr
    assert "Free some" in done.stderr
    assert not stamp(project).parent.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=10m", "none", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no right to mount a small disk here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


# Installing


@pytest.mark.slow
def test_the_course_opens_with_the_environment_first_on_path(installed: Path, tmp_path: Path) -> None:
    done = start(
        installed, "Mein Ordner", "--port", "9999", cwd=tmp_path, PYTHONPATH="/x", PYTHONDONTWRITEBYTECODE="1"
    )
    told = json.loads(done.stdout)
    assert told["arguments"] == ["learn", "Mein Ordner", "--port", "9999"]
    assert told["folder"] == str(tmp_path)
    assert Path(told["variables"]["PATH"].split(os.pathsep)[0]).parent == stamp(installed).parent
    assert not {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"} & set(told["variables"])


@pytest.mark.slow
def test_other_commands_and_their_exit_codes_pass_through(installed: Path) -> None:
    done = start(installed, "doctor", "fail")
    assert json.loads(done.stdout)["arguments"] == ["doctor", "fail"]
    assert done.returncode == 3


@pytest.mark.slow
def test_a_second_start_does_not_call_pip(installed: Path) -> None:
    before = stamp(installed).stat().st_mtime_ns
    done = start(installed)
    assert (done.returncode, done.stderr) == (0, "")
    assert stamp(installed).stat().st_mtime_ns == before


@POSIX
@pytest.mark.slow
def test_a_link_to_start_py_finds_the_project(installed: Path, tmp_path: Path) -> None:
    link = tmp_path / "start.py"
    link.symlink_to(installed / "start.py")
    done = start(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_a_new_lock_is_installed_and_a_moved_project_is_made_anew(project: Path) -> None:
    assert start(project).returncode == 0
    lock_wheel(project, "requirements.txt", "two", {"two.py": ""})
    updated = start(project)
    assert installs(updated)
    assert "making an environment" not in updated.stderr
    moved = project.rename(project.parent / "moved")
    assert "making an environment" in start(moved).stderr
    assert json.loads(start(moved).stdout)["arguments"] == ["learn"]


@pytest.mark.slow
def test_an_unreachable_registry_is_named_and_costs_nothing_that_was_there(project: Path) -> None:
    assert start(project).returncode == 0
    working = stamp(project).read_bytes()
    (project / "requirements.txt").write_text(f"idna==3.10 --hash=sha256:{'0' * 64}\n")
    offline = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_RETRIES": "0",
    }
    done = start(project, **offline, PIP_EXTRA_INDEX_URL="", PIP_FIND_LINKS="")
    assert done.returncode == 1
    assert "The package registry could not be reached." in done.stderr
    assert "PIP_INDEX_URL" in done.stderr.splitlines()[-1]
    assert stamp(project).read_bytes() == working


@pytest.mark.slow
def test_a_fault_of_our_own_is_exit_code_2_with_the_end_of_pips_output(project: Path) -> None:
    (project / "backend.py").write_text("raise SystemError('the backend is broken')")
    done = start(project)
    assert done.returncode == 2
    assert "the backend is broken" in done.stderr
    assert "Please report this" in done.stderr
    assert not stamp(project).exists()


@pytest.mark.slow
def test_two_starts_at_once_make_one_environment(project: Path, hold: Path) -> None:
    first = begin_and_hold(project)
    second = Begun(project)
    second.await_line(f"another start (process {first.process.pid}) is installing; waiting for it")
    hold.unlink()
    outputs = [first.finish(), second.finish()]
    assert [json.loads(out)["arguments"] for out, _ in outputs] == [["learn"], ["learn"]]
    assert "making an environment" not in outputs[1][1]


@pytest.mark.slow
def test_two_pythons_install_side_by_side_and_take_turns_in_the_folder_that_they_share(
    project: Path, hold: Path
) -> None:
    other = other_python()
    if other is None:
        pytest.skip("no other Python of 3.11 to 3.14 here")
    first = begin_and_hold(project)
    second = Begun(project, other)
    second.await_line("installing Corewise itself")  # its own packages are there
    second.await_line(f"another start (process {first.process.pid}) is installing; waiting for it")
    hold.unlink()
    outputs = [first.finish(), second.finish()]
    assert [json.loads(out)["arguments"] for out, _ in outputs] == [["learn"], ["learn"]]
    assert len(list((project / ".venv").glob("*/corewise-stamp"))) == 2


@POSIX
@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
def test_a_start_that_was_killed_is_redone_by_the_next(
    project: Path, hold: Path, end: signal.Signals
) -> None:
    first = begin_and_hold(project)
    first.process.send_signal(end)
    first.finish()
    assert not stamp(project).exists()
    second = Begun(project)
    second.await_line("waiting for it")  # for the pip that the killed start left at work
    hold.unlink()
    out, err = second.finish()
    assert "making an environment" in err
    assert json.loads(out)["arguments"] == ["learn"]
    assert stamp(project).exists()


@POSIX
@pytest.mark.slow
def test_control_c_stops_the_install_and_says_how_to_go_on(project: Path, hold: Path) -> None:
    first = begin_and_hold(project)
    first.process.send_signal(signal.SIGINT)
    _, err = first.finish()
    assert first.process.returncode == 1
    assert "Stopped." in err
    assert "Traceback" not in err
    assert not stamp(project).exists()


# The tests' command


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("tested"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["test"], 1, "1 failed"),
        (["test", "--fast"], 0, "1 passed in"),
        (["test", "-k", "fast"], 0, "1 passed, 1 deselected"),
        (["test", "-k", "none_such"], 1, "2 deselected"),
        (["test", "--none-such"], 1, "unrecognized arguments: --none-such"),
    ],
    ids=["all", "fast", "chosen", "none chosen", "wrong argument"],
)
def test_the_tests_run_and_any_failure_counts(
    tested: Path, arguments: list[str], code: int, said: str
) -> None:
    done = start(tested, *arguments)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
