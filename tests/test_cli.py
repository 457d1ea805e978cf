"""The command line as a user meets it: exit codes, stdout and stderr of real processes, nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_checkout import COMMAND, HEAD, REFERENCE, corewise, environment, left_of, make

posix = pytest.mark.skipif(os.name != "posix", reason="signals and closed streams as POSIX has them")


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """One for all tests here. Its name is short: sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="cw-") as folder:
        yield make(Path(folder).resolve())


@pytest.fixture(autouse=True)
def _nothing_is_left(checkout: Path) -> Iterator[None]:
    yield
    assert left_of(checkout) == []


def refused(run: subprocess.CompletedProcess[str]) -> str:
    """The message of a command that was refused before anything ran."""
    assert run.returncode == 1, run.stderr
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    return run.stderr


# Usage


@pytest.mark.parametrize(
    "words",
    [
        "",
        "learn",
        "reset",
        "check",
        "progress",
        "doctor",
        "author",
        "author build",
        "author lint",
        "author verify",
    ],
)
def test_every_command_has_help(checkout: Path, words: str) -> None:
    run = corewise(checkout, *words.split(), "-h")
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(f"usage: corewise {words}".rstrip())


@pytest.mark.parametrize(
    "words",
    [
        "",
        "chekc primes",
        "check",
        "check primes --notebook a.ipynb --worker b.py",
        "check primes --sped",
        "doctor now",
        "progress here now",
        "author",
        "author prove",
        "learn --port 99999",
    ],
)
def test_a_mistake_in_the_command_is_the_callers_and_says_what_to_type(checkout: Path, words: str) -> None:
    said = refused(corewise(checkout, *words.split()))
    assert said.startswith("usage: corewise")
    assert "Try: corewise" in said
    assert "--help" in said


def test_a_lab_that_is_nearly_one_is_named_first(checkout: Path) -> None:
    assert "Did you mean primes? The labs here: primes." in refused(corewise(checkout, "check", "labs/prime"))


@pytest.mark.parametrize("words", ["check prime", "check prime --json", "check ../primes"])
def test_an_unknown_lab_lists_those_that_are_there(checkout: Path, words: str) -> None:
    said = refused(corewise(checkout, *words.split()))
    assert "There is no lab" in said
    assert "The labs here: primes." in said


def test_an_unknown_check_lists_those_that_are_there(checkout: Path) -> None:
    said = refused(corewise(checkout, "check", "primes", "--solution", "--only", "sped"))
    assert said.splitlines() == ["primes has no check 'sped'.", "Its checks: answer, speedup."]


def test_without_a_notebook_in_sight_it_says_how_to_name_one(checkout: Path, tmp_path: Path) -> None:
    said = refused(corewise(checkout, "check", "primes", cwd=tmp_path))
    assert "There is no primes.ipynb here, nor in your workspace." in said
    assert "corewise check primes --notebook FILE" in said


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_start_method_that_is_not_there_is_the_callers_mistake(checkout: Path, more: list[str]) -> None:
    run = corewise(
        checkout, "check", "primes", "--solution", *more, env={"COREWISE_START_METHOD": "nonsense"}
    )
    said = refused(run)
    assert "COREWISE_START_METHOD is 'nonsense'" in said
    assert "spawn" in said


# Files that are not what they should be


def page(*cells: str) -> str:
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in cells]})


NOT_NOTEBOOKS: dict[str, tuple[str | bytes, str]] = {
    "notes.txt": ("hello", "notes.txt is not a Jupyter notebook"),
    "empty.ipynb": ("", "empty.ipynb is not a Jupyter notebook"),
    "list.ipynb": ("[1, 2]", "it has no list of cells"),
    "settings.ipynb": ('{"theme": "dark"}', "it has no list of cells"),
    "deep.ipynb": ("[" * 100_000, "deep.ipynb is not a Jupyter notebook"),
    "huge.ipynb": (b"x" * 10_000_001, "more than 10 MB"),
    "binary.ipynb": (b"\x89PNG\r\n\x1a\n\xff\xfe", "binary.ipynb is not UTF-8 text"),
    "other.ipynb": (page("1", "%%module other\nx = 1"), "There is %%module other (code cell 2)."),
}


@pytest.mark.parametrize("name", NOT_NOTEBOOKS)
@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_what_is_not_a_labs_notebook_gets_one_message(
    checkout: Path, tmp_path: Path, name: str, more: list[str]
) -> None:
    content, says = NOT_NOTEBOOKS[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert says in refused(corewise(checkout, "check", "primes", "--notebook", tmp_path / name, *more))


def test_a_notebooks_module_that_is_not_python_is_one_message_and_with_json_a_verdict(
    checkout: Path, tmp_path: Path
) -> None:
    path = tmp_path / "syntax.ipynb"
    words = "check", "primes", "--notebook", path
    path.write_text(page("x = 1", "%%module counter\n\ndef f(:\n    pass"), encoding="utf-8")
    says = "counter.py, line 3 (code cell 2, line 3): invalid syntax"
    assert says in refused(corewise(checkout, *words))
    told = json.loads(corewise(checkout, *words, "--json").stdout)["checks"]
    assert [one["verdict"] for one in told] == ["not yet", "not yet"]
    assert all(says in one["reason"] for one in told)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.py", None, "There is no file"),
        ("folder.py", "a folder", "is a folder, not a file."),
        ("page.ipynb", b"{}", "is a notebook, not a .py file.\nType: --notebook"),
        ("binary.py", b"\x7fELF\xff\xfe", "is not UTF-8 text (line 1)"),
        ("syntax.py", b"x = 1\ndef f(:\n", "counter.py, line 2: invalid syntax"),
    ],
)
def test_what_is_not_a_worker_module_gets_one_message(
    checkout: Path, tmp_path: Path, name: str, content: bytes | str | None, says: str
) -> None:
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    assert says in refused(corewise(checkout, "check", "primes", "--worker", path))


def test_a_missing_notebook_and_a_folder_are_told_apart(checkout: Path, tmp_path: Path) -> None:
    assert "There is no file" in refused(corewise(checkout, "check", "primes", "--notebook", tmp_path / "x"))
    assert "is a folder" in refused(corewise(checkout, "check", "primes", "--notebook", tmp_path))


# Checks: what a worker module does, what the learner is told


def check(checkout: Path, folder: Path, source: str, *more: str) -> tuple[int, dict[str, Any], str]:
    """Check a worker module with --json: exit code, the one check's JSON, stderr."""
    (folder / "mine.py").write_text(source, encoding="utf-8")
    run = corewise(
        checkout, "check", "primes", "--worker", folder / "mine.py", "--json", "--only", "answer", *more
    )
    told = json.loads(run.stdout)
    assert (told["schema"], told["lab"], told["max_points"]) == (1, "primes", 10)
    (one,) = told["checks"]
    assert told["points"] == one["points"]
    assert "Traceback" not in run.stderr
    return run.returncode, one, run.stderr


LINE = HEAD.count("\n") + 1  # the first line of the function's body
BAD = {
    "is no Python": ("x = 1\ndef count_primes(:\n", "not possible", "counter.py, line 2: invalid syntax", 0),
    "does not import": ("import no_such_thing\n", "import failed", "No module named 'no_such_thing'", 1),
    "ends at import": ("import os\nos._exit(0)\n", "import failed", "ends the process that imports it", 0),
    "exits at import": ("import sys\nsys.exit(3)\n", "import failed", "SystemExit: 3", 2),
    "lacks the function": ("def cuont_primes(): pass\n", "import failed", "has no function count_primes", 0),
    "other signature": (
        "\ndef count_primes(numbers):\n    return 0\n",
        "raised",
        "The lab calls count_primes(numbers, workers). Yours is count_primes(numbers), which doesn't fit",
        2,
    ),
    "not written": (HEAD + "    raise NotImplementedError\n", "stub", "not written yet", LINE),
    "raises": (HEAD + "    return 1 / 0\n", "raised", "ZeroDivisionError: division by zero", LINE),
    "a worker raises": (
        "from multiprocessing import Pool\ndef bad(n):\n    raise ValueError('here')\n"
        "def count_primes(numbers, workers):\n    with Pool(workers) as pool:\n        return pool.apply(bad, (1,))\n",
        "raised",
        "ValueError: here",
        3,
    ),
    "ends its process": (HEAD + "    import os\n    os._exit(7)\n", "died", "exit code 7", 0),
    "sys.exit": (HEAD + "    raise SystemExit(0)\n", "raised", "SystemExit: 0", LINE),
    "returns nothing": (HEAD + "    pass\n", "wrong type", "must return an int, not NoneType", 0),
    "returns a list": (HEAD + "    return [1]\n", "wrong type", "must return an int, not list", 0),
    "is wrong": (
        HEAD + "    return -1\n",
        "wrong answer",
        "0 of the numbers are prime; your answer is -1.",
        0,
    ),
    "escape codes": (HEAD + "    raise ValueError('\\x1b[31m\\x00red')\n", "raised", "ValueError: red", LINE),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", BAD)
def test_what_a_module_does_wrong_is_said_with_the_learners_own_line(
    checkout: Path, tmp_path: Path, case: str
) -> None:
    source, cause, says, line = BAD[case]
    code, one, _ = check(checkout, tmp_path, source)
    assert (code, one["verdict"], one["points"]) == (1, "not yet", 0)
    assert says in one["reason"]
    (finding,) = one["findings"]
    assert finding["cause"] == cause
    assert finding["try"]
    assert (f"counter.py, line {line}" in finding["evidence"]) == (line > 0)


@pytest.mark.slow
@posix
def test_a_process_that_is_killed_says_by_what(checkout: Path, tmp_path: Path) -> None:
    _, one, _ = check(
        checkout, tmp_path, HEAD + "    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert "killed by SIGKILL" in one["reason"]


@pytest.mark.slow
def test_of_a_gigabyte_that_is_printed_a_little_is_quoted(checkout: Path, tmp_path: Path) -> None:
    prints = "    for _ in range(70_000):\n        print('again and again' * 1000)\n"
    code, one, err = check(checkout, tmp_path, f"{HEAD}{prints}    return 1 / 0\n")
    assert (code, one["findings"][0]["cause"]) == (1, "raised")
    assert "It printed: again and again" in one["findings"][0]["evidence"]
    assert len(json.dumps(one)) < 5000
    assert len(err) < 1000


@pytest.mark.slow
@posix
def test_a_process_that_detached_itself_does_not_outlive_the_check(checkout: Path, tmp_path: Path) -> None:
    fork = "    import os, time\n    if os.fork() == 0:\n        os.setsid()\n        time.sleep(600)\n"
    code, one, _ = check(checkout, tmp_path, HEAD + fork + BODY_AFTER)
    assert (code, one["verdict"]) == (0, "met")


BODY_AFTER = REFERENCE.removeprefix(HEAD)


def test_checks_can_be_chosen_one_by_one(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("x = 1 +\n", encoding="utf-8")
    words = "check primes --json --only speedup --only answer --only answer --worker"
    run = corewise(checkout, *words.split(), tmp_path / "mine.py")
    assert [one["name"] for one in json.loads(run.stdout)["checks"]] == ["speedup", "answer"]
    said = refused(corewise(checkout, "check", "primes", "--only", "answer", "--only", "sped"))
    assert "primes has no check 'sped'." in said


@pytest.mark.slow
def test_a_right_answer_ends_with_0_and_a_line_for_each_step(checkout: Path, tmp_path: Path) -> None:
    code, one, err = check(checkout, tmp_path, REFERENCE)
    assert (code, one["verdict"], one["points"], one["measured"]) == (0, "met", 6, None)
    assert err.startswith(f"Checking {tmp_path / 'mine.py'} as counter.py\n")
    assert "\x1b" not in err


@pytest.mark.slow
def test_the_line_of_a_notebook_is_that_of_its_cell(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "primes.ipynb").write_text(page("1", f"%%module counter\n{HEAD}    return 1 / 0"))
    run = corewise(checkout, "check", "primes", "--only", "answer", cwd=tmp_path)
    assert run.returncode == 1
    line = LINE + 1  # %%module's own line comes first
    assert f"counter.py, line {line} (code cell 2, line {line})" in " ".join(run.stdout.split())
    assert f"Checking {(tmp_path / 'primes.ipynb').resolve()}" in run.stderr


@pytest.mark.slow
@pytest.mark.alone
def test_a_speedup_carries_what_was_measured(checkout: Path) -> None:
    run = corewise(checkout, "check", "primes", "--solution", "--only", "speedup", "--json")
    (one,) = json.loads(run.stdout)["checks"]
    assert one["verdict"] in ("met", "cannot tell"), one["reason"]
    assert run.returncode == 0
    if one["measured"] is not None:
        wanted = {"speedup", "low", "high", "reach", "gain", "blocks", "seconds", "clock"}
        assert wanted <= one["measured"].keys()
        assert one["measured"]["clock"] in ("free", "wall", "cpu")


# Faults of ours


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Path]:
    """A checkout whose judge fails."""
    with tempfile.TemporaryDirectory(prefix="cw-") as folder:
        checkout = make(Path(folder).resolve())
        judge = checkout / "solutions" / "primes" / "checks.py"
        judge.write_text(judge.read_text() + "\n\ndef compare(expected, got):\n    raise KeyError('oops')\n")
        yield checkout
        assert left_of(checkout) == []


@pytest.mark.slow
def test_a_fault_of_ours_costs_no_points_and_leaves_a_log(broken: Path, tmp_path: Path) -> None:
    run = corewise(broken, "check", "primes", "--solution", "--only", "answer", "--json", cwd=tmp_path)
    assert run.returncode == 2
    (one,) = json.loads(run.stdout)["checks"]
    assert (one["verdict"], one["points"]) == ("cannot tell", 6)
    assert one["findings"][0]["cause"] == "fault of the grader"
    (log,) = tmp_path.glob("*.log")
    assert Path(one["log"]) == log.resolve()
    assert "KeyError: 'oops'" in log.read_text()


@pytest.mark.slow
@posix
def test_where_no_log_can_be_written_it_goes_to_the_temporary_folder(broken: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    words = "check primes --solution --only answer --json"
    run = subprocess.run(
        ["/bin/sh", "-c", f'rmdir "{gone}" && exec "$@"', "sh", *COMMAND, *words.split()],
        cwd=gone,
        env=environment(broken),
        capture_output=True,
        encoding="utf-8",
    )
    log = Path(json.loads(run.stdout)["checks"][0]["log"])
    assert log.parent == broken / "tmp"
    assert "KeyError: 'oops'" in log.read_text()
    log.unlink()


def test_a_broken_lab_is_our_fault(broken: Path) -> None:
    (broken / "solutions" / "primes" / "lab.toml").write_text("id = ")
    run = corewise(broken, "check", "primes", "--solution")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("primes/lab.toml: ")


def test_an_error_that_nobody_thought_of_asks_for_debug_which_shows_it(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="cw-") as folder:
        checkout = make(Path(folder).resolve())
        with (checkout / "grader" / "doctor.py").open("a") as file:
            file.write("\n\ndef versions():\n    raise ZeroDivisionError('oops')\n")
        run = corewise(checkout, "doctor")
        assert (run.returncode, run.stdout) == (2, "")
        assert run.stderr.splitlines() == [
            "A fault of ours: ZeroDivisionError: oops",
            "Run it again with --debug and send us what it says.",
        ]
        assert "Traceback" in corewise(checkout, "doctor", "--debug").stderr


def test_an_incomplete_environment_says_how_to_complete_it() -> None:
    with tempfile.TemporaryDirectory(prefix="cw-") as folder:
        checkout = make(Path(folder).resolve())
        (checkout / "psutil.py").write_text(
            "raise ModuleNotFoundError(\"No module named 'psutil'\", name='psutil')"
        )
        said = refused(corewise(checkout, "doctor"))
        assert "psutil is not installed" in said
        assert "start.py" in said


# Stop, closed streams


def wait_for(process: subprocess.Popen[str], says: str) -> str:
    """Read the process's stderr up to the line that has these words in it."""
    assert process.stderr is not None
    read = ""
    for line in process.stderr:
        read += line
        if says in line:
            return read
    raise AssertionError(read)


@pytest.mark.slow
@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("more", [[], ["--json"]], ids=["text", "json"])
def test_stop_is_one_line_and_nothing_is_left_running(
    checkout: Path, tmp_path: Path, name: str, more: list[str]
) -> None:
    (tmp_path / "mine.py").write_text(HEAD + "    import time\n    time.sleep(600)\n")
    with subprocess.Popen(
        [*COMMAND, "check", "primes", "--worker", str(tmp_path / "mine.py"), *more],
        env=environment(checkout),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        wait_for(process, "answer: your code under")
        time.sleep(0.5)  # let the code really hang
        process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (1, "", "Stopped. Nothing is left running.\n")


@pytest.mark.parametrize("words", [["doctor", "--json"], ["doctor"], ["--help"]])
def test_a_reader_that_goes_away_is_no_fault(checkout: Path, words: list[str]) -> None:
    with subprocess.Popen(
        [*COMMAND, *words],
        env=environment(checkout),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate(timeout=60)
    assert err == ""
    assert process.returncode in (0, 1), "nobody saw whether it was written; it is no fault of ours"


@posix
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_closed_streams_are_no_fault(checkout: Path, tmp_path: Path, closed: str) -> None:
    run = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, "doctor"],
        env=environment(checkout),
        capture_output=True,
        encoding="utf-8",
    )
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.slow
@posix
def test_a_check_whose_progress_nobody_reads_is_no_fault(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HEAD + "    return -1\n")
    words = f'check primes --worker "{tmp_path / "mine.py"}" --json --only answer 2>&-'
    run = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {words}', "sh", *COMMAND],
        env=environment(checkout),
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 1
    assert json.loads(run.stdout)["checks"][0]["findings"][0]["cause"] == "wrong answer"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_in_words(checkout: Path) -> None:
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [*COMMAND, "doctor"],
            env=environment(checkout),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
    assert run.returncode == 1
    assert run.stderr.startswith("No space left on device")
    assert "Free some space" in run.stderr
    assert "Exception ignored" not in run.stderr


@posix
def test_on_a_terminal_the_progress_is_one_line_that_is_gone_in_the_end(
    checkout: Path, tmp_path: Path
) -> None:
    import pty

    (tmp_path / "mine.py").write_text("import no_such_thing\n")
    ours, theirs = pty.openpty()
    subprocess.run(
        [*COMMAND, "check", "primes", "--worker", str(tmp_path / "mine.py"), "--only", "answer"],
        env=environment(checkout),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\r\x1b[Kanswer: the serial baseline\r\x1b[Kanswer: your code under" in shown
    assert shown.endswith("\r\x1b[K")


def test_bytecode_is_written_even_where_the_caller_wants_none(checkout: Path) -> None:
    for cache in (checkout / "grader").rglob("__pycache__"):
        shutil.rmtree(cache)
    run = corewise(checkout, "doctor", "--json", env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert run.returncode == 0
    assert list((checkout / "grader" / "__pycache__").glob(f"doctor.{sys.implementation.cache_tag}.pyc"))


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grader", "progress", "nowhere"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "is not a workspace" in done.stderr + done.stdout
