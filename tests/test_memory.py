"""The scale: what it reads of a process, how much of a curve it keeps, and that a peak is never thinned out."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from grader.measure import memory
from grader.measure.memory import Scale, pss, thin, weigh
from grader.measure.stage import FORKS

MIB = 1024 * 1024
needs_pss = pytest.mark.skipif(memory.UNIT != "PSS", reason="this system tells no PSS")


def test_pss_is_read_from_the_rollup() -> None:
    rollup = b"5580-7ffc ---p 0000 00:00 0 [rollup]\nRss:   1760 kB\nPss:    401 kB\nPss_Dirty:  116 kB\n"
    assert pss(rollup) == 401 * 1024


def test_the_rollup_of_a_zombie_is_empty_and_weighs_nothing() -> None:
    assert pss(b"") == 0


def test_a_process_that_is_gone_weighs_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        process.wait()
    assert weigh(process.pid) == 0


def test_this_process_weighs_something() -> None:
    assert weigh(os.getpid()) > MIB


def test_where_there_is_no_pss_the_scale_reads_uss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "UNIT", "USS")
    assert weigh(os.getpid()) > MIB


def test_a_long_curve_is_thinned_and_keeps_its_peaks_and_its_order() -> None:
    points = [(n / 10, 100 + n % 7 + (1000 if n == 4321 else 0)) for n in range(9999)]
    kept = thin(points, 200)
    assert len(kept) <= 200
    assert kept == sorted(kept)
    assert max(kept, key=lambda point: point[1]) == (432.1, 1102)
    assert set(kept) <= set(points)


def test_a_short_curve_is_kept_as_it_is() -> None:
    points = [(0.0, 5), (0.1, 7), (0.2, 6)]
    assert thin(points, 200) == points
    assert thin([], 200) == []


HOLDS = """
import sys
held = bytearray(b"x" * (32 << 20))
print("up", flush=True)
sys.stdin.readline()
"""


@pytest.mark.slow
@pytest.mark.alone  # a page's share in the PSS grows as others that have it too end
@needs_pss
def test_what_comes_into_the_tree_is_weighed_and_what_was_there_is_not() -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    threads = set(threading.enumerate())
    with subprocess.Popen([sys.executable, "-c", HOLDS], **pipes) as before:  # type: ignore[call-overload]
        assert before.stdout.readline() == "up\n"
        scale = Scale(os.getpid(), os.getpid())
        scale.start()
        with subprocess.Popen([sys.executable, "-c", HOLDS], **pipes) as later:  # type: ignore[call-overload]
            assert later.stdout.readline() == "up\n"
            assert scale.stop(1.0) == ((), None)
            later.communicate("\n")
        before.communicate("\n")
    curve = scale.curve
    assert (curve.unit, curve.processes) == ("PSS", 2)
    assert curve.samples >= 2
    gained = curve.peak - curve.points[0][1]
    assert 24 * MIB < gained < 56 * MIB
    assert set(threading.enumerate()) <= threads


@pytest.mark.skipif(not FORKS, reason="needs /proc")
def test_a_scale_whose_tree_is_gone_stops_by_itself() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        scale = Scale(process.pid, process.pid)
        scale.start()
        process.communicate(b"\n")
    scale._thread.join(timeout=30)
    assert not scale._thread.is_alive()
