"""`corewise why`: a lab or any script in, where its time went out; bad input gets one clear message."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from recorded_traces import FAULTS
from tiny_checkout import COMMAND

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def why(*words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*COMMAND, "why", *map(str, words)], capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stdout
    return done


def script(folder: Path, source: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(source, encoding="utf-8")
    return path


def test_the_json_stands_alone_on_stdout_and_the_scripts_own_output_goes_to_stderr() -> None:
    done = why(FAULTS / "serial_head.py", "--json")
    told = json.loads(done.stdout)
    assert told["findings"][0]["cause"] == "serial-head"
    assert set(told["findings"][0]) == {"cause", "share", "seconds", "evidence", "try"}
    assert told["bill"]["k"] == 2
    assert told["bill"]["speedup"] is None
    assert told["bill"]["scaling"] is None
    assert "serial program was not run" in told["bill"]["reason"]
    assert sum(told["bill"]["seconds"].values()) == pytest.approx(told["bill"]["wall"])
    assert any(line.isdigit() for line in done.stderr.splitlines())


def test_with_a_serial_script_there_is_a_speedup(tmp_path: Path) -> None:
    serial = script(tmp_path, "total = 0\nfor number in range(36_000_000):\n    total += number * number\n")
    told = json.loads(why(FAULTS / "clean.py", "--serial", serial, "--json").stdout)
    bill = told["bill"]
    assert bill["speedup"] == pytest.approx(
        bill["k"] * bill["load_balance"] * bill["communication"] * bill["scaling"]
    )
    assert bill["reason"] == ""


def test_a_page_and_a_perfetto_trace_are_written(tmp_path: Path) -> None:
    page, events = tmp_path / "why.html", tmp_path / "why.json"
    why(FAULTS / "skew.py", "--html", page, "--perfetto", events)
    assert "spin(24000000)" in page.read_text(encoding="utf-8")
    assert json.loads(events.read_text(encoding="utf-8"))["traceEvents"]


def test_a_script_runs_as_python_would_run_it(tmp_path: Path) -> None:
    """Its name, arguments and folder; its own modules beside it."""
    script(tmp_path, "VALUE = 7\n", "beside.py")
    path = script(
        tmp_path,
        "import sys, beside\n"
        "assert __name__ == '__main__' and sys.argv[1:] == ['one', '--two'] and beside.VALUE == 7\n"
        "sys.exit(0)\n",
    )
    done = why(path, "--", "one", "--two")
    assert "The program started no process." in done.stdout


def test_the_text_says_the_bill_and_the_findings() -> None:
    said = why(FAULTS / "big_arguments.py").stdout
    assert "pickling" in said
    assert "big-arguments" in said
    assert "Try: Send names or ranges" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing.py",), "There is no file nothing.py."),
        (("no_such_lab",), "no_such_lab"),
        (("11_fraud", "--serial", "x.py"), "a lab has a baseline of its own"),
        ((str(FAULTS / "clean.py"), "--project", "4"), "only a lab's function takes one"),
        (("11_fraud", "--project", "many"), "no number of workers"),
        ((str(FAULTS / "clean.py"), "--html", "/no/such/folder/x.html"), "There is no folder"),
        ((), "usage"),
    ],
)
def test_bad_input_gets_one_clear_message(words: tuple[str, ...], said: str) -> None:
    done = why(*words, code=1)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_script_that_fails_shows_its_own_traceback_alone(tmp_path: Path) -> None:
    done = why(script(tmp_path, "def go():\n    return 1 / 0\n\ngo()\n"), code=1)
    assert "ZeroDivisionError" in done.stderr
    assert "runpy" not in done.stderr
    assert "ended with exit code 1" in done.stderr


def test_a_script_that_leaves_at_once_is_told_so(tmp_path: Path) -> None:
    done = why(script(tmp_path, "import os\nos._exit(0)\n"), code=1)
    assert "left before its last line" in done.stderr


def test_a_labs_reference_is_explained() -> None:
    told = json.loads(why("11_fraud", "--solution", "--json").stdout)
    assert told["bill"]["k"] >= 2
    assert told["bill"]["speedup"] > 0
    assert {"one-worker-does-all", "no-workers"}.isdisjoint(one["cause"] for one in told["findings"])


def test_what_is_predicted_stands_apart_from_what_was_measured() -> None:
    told = json.loads(why("11_fraud", "--solution", "--project", "4", "100000", "--json").stdout)["outlook"]
    assert [one["workers"] for one in told["measured"]][:2] == [1, 2]
    assert all(one["shortest"] <= one["seconds"] <= one["longest"] for one in told["measured"])
    near, far = told["predicted"]
    assert near["refused"] or near["low"] <= near["seconds"] <= near["high"]
    assert far["refused"]  # there are not so many tasks


def test_a_labs_wrong_answer_is_a_message_not_a_bill(tmp_path: Path) -> None:
    wrong = script(
        tmp_path, "def find_alerts(folder, workers):\n    raise ValueError('no such column')\n", "scorer.py"
    )
    done = why("11_fraud", "--worker", wrong, code=1)
    assert "no such column" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way there")
def test_ctrl_c_ends_the_script_and_all_below_it(tmp_path: Path) -> None:
    path = script(
        tmp_path,
        "import multiprocessing, time\n"
        "def sleep(_):\n    time.sleep(600)\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.Pool(2) as pool:\n"
        "        pool.map(sleep, range(2))\n",
    )
    with subprocess.Popen(
        [*COMMAND, "why", str(path)], stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        me = psutil.Process(process.pid)
        until = time.monotonic() + 60
        while len(below := me.children(recursive=True)) < 3 and time.monotonic() < until:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(60) == 1
    assert len(below) >= 3
    _, alive = psutil.wait_procs(below, timeout=10)
    assert alive == []


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way there")
def test_ctrl_c_in_a_terminal_reaches_the_script_too_and_shows_no_traceback(tmp_path: Path) -> None:
    path = script(tmp_path, "import time\nprint('up', flush=True)\ntime.sleep(600)\n")
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*COMMAND, "why", str(path)], start_new_session=True, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Stopped." in errors
    assert "Traceback" not in errors
