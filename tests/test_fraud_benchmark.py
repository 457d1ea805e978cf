"""`python -m benchmarks`, run as a person runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.ctrl_c import kept_ctrl_c

ROOT = Path(__file__).parents[1]


@pytest.fixture
def room() -> Iterator[Path]:
    """For temporary files: the fork server's socket lies there, so that pytest's folder has too long a path."""
    with tempfile.TemporaryDirectory(prefix="room-") as folder:
        yield Path(folder)


def benchmarks(*arguments: str, room: Path) -> subprocess.CompletedProcess[str]:
    """Run it with its temporary files in `room`. Warnings are errors in the first process, as in pytest."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(room), "TEMP": str(room), "PYTHONWARNINGS": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_without_a_name_the_benchmarks_are_listed(room: Path) -> None:
    run = benchmarks(room=room)
    assert run.returncode == 0
    assert "fraud" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rows", "0"], "'0' is no whole number of at least 1"),
        (["--rows", "1000", "--json", "nowhere/x.json"], "there is no folder"),
        (["--start-method", "thread"], "invalid choice"),
    ],
)
def test_a_wrong_option_gets_one_message(arguments: list[str], said: str, room: Path) -> None:
    run = benchmarks("fraud", *arguments, room=room)
    assert run.returncode in (1, 2)
    assert said in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.slow
def test_it_runs_to_the_end_finds_the_same_alerts_and_leaves_nothing(tmp_path: Path, room: Path) -> None:
    file = tmp_path / "x.json"
    run = benchmarks("fraud", "--rows", "20000", "--workers", "2", "--json", str(file), room=room)
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    assert not list(room.glob("corewise-fraud-*"))
    result = json.loads(file.read_text(encoding="utf-8"))
    assert (result["schema"], result["benchmark"], result["facts"]["rows"]) == (1, "fraud", 20_000)
    outcomes = result["fast"] + result["slow"]
    assert len(outcomes) + len(result["missing"]) == 10
    assert all(outcome["same_alerts"] for outcome in outcomes)
    assert all(outcome["version"] in run.stdout for outcome in outcomes)
    assert min(result["memory_mib"].values()) > 0
    assert result["quality"]["alerts"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_it_works_under_every_start_method_even_with_next_to_nothing_to_do(
    method: str, tmp_path: Path, room: Path
) -> None:
    if method != "spawn" and sys.platform == "win32":
        pytest.skip("Windows has spawn alone")
    kept = tmp_path / "kept"
    options = ["--rows", "7", "--parts", "3", "--workers", "2", "--start-method", method, "--keep", str(kept)]
    run = benchmarks("fraud", *options, "--json", str(tmp_path / "x.json"), room=room)
    assert run.returncode == 0, run.stderr
    assert f"2 workers ({method})" in run.stdout
    assert len(list(kept.glob("part-*.parquet"))) == 3
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["quality"]["recall"] is None


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send Ctrl-C to one process")
@pytest.mark.parametrize("stage", ["writing parts", "processes, each reads", "one card a task"])
def test_ctrl_c_ends_the_workers_and_removes_the_transactions(stage: str, tmp_path: Path, room: Path) -> None:
    said = tmp_path / "said.txt"
    with open(said, "wb") as stderr:
        run = subprocess.Popen(
            [sys.executable, "-m", "benchmarks", "fraud", "--rows", "200000", "--workers", "2"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(room)},
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
    within(120, lambda: stage in said.read_text(encoding="utf-8"))
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: the workers get it, too
    assert run.wait(timeout=60) == 130
    assert "Stopped." in said.read_text(encoding="utf-8")
    assert "Traceback" not in said.read_text(encoding="utf-8")
    assert not list(room.glob("corewise-fraud-*"))
    within(30, lambda: not group_lives(run.pid))


class Dropped:
    """Where Python drops a Ctrl-C: in a destructor."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_a_ctrl_c_that_python_drops_is_heard_at_the_next_step_and_at_the_end(
    capfd: pytest.CaptureFixture[str],
) -> None:
    steps = []

    def work() -> None:
        with kept_ctrl_c() as heed:
            heed()
            Dropped()
            steps.append("goes on")
            with pytest.raises(KeyboardInterrupt):
                heed()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["goes on"]
    assert "KeyboardInterrupt" not in capfd.readouterr().err


def within(seconds: float, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
