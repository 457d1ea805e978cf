"""What the lessons on tools share: the clock, and what this Python has."""

from __future__ import annotations

import sys
import time

import pytest

from course import tools


def test_quick_work_runs_again_and_the_fastest_run_counts() -> None:
    naps = [0.03, 0.03, 0.0, 0.03, 0.03]
    runs: list[int] = []

    def work() -> int:
        runs.append(len(runs))
        time.sleep(naps[runs[-1]])
        return runs[-1]

    assert tools.measure(work).answer == 2
    assert len(runs) == tools.RUNS


def test_long_work_runs_once() -> None:
    runs: list[int] = []

    def work() -> int:
        runs.append(1)
        time.sleep(tools.SPENT)
        return len(runs)

    assert tools.measure(work).answer == 1
    assert len(runs) == 1


def test_a_run_that_got_too_little_of_its_core_is_said() -> None:
    assert tools.disturbed(tools.Run(1, 1.0, 0.95)) == ""
    assert "took 40% of this core" in tools.disturbed(tools.Run(1, 1.0, 0.6))


def test_where_numba_is_missing_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        sys.modules, "numba", None
    )  # what Python itself keeps for a module that can't be imported
    assert tools.numba() is None


def test_the_lock_is_off_in_free_threaded_builds_only() -> None:
    assert tools.gil_is_on() or tools.is_free_threaded()


@pytest.mark.skipif(tools.has_interpreter_pool(), reason="this Python has a pool of subinterpreters")
def test_a_python_without_subinterpreters_is_told_so() -> None:
    with pytest.raises(RuntimeError, match=r"needs 3\.14 or newer"):
        tools.interpreter_pool(2, ".")


@pytest.mark.skipif(not tools.has_interpreter_pool(), reason="subinterpreters need Python 3.14 or newer")
def test_subinterpreters_import_from_the_folder_that_they_are_given(tmp_path: object) -> None:
    folder = str(tmp_path)
    with open(f"{folder}/for_subinterpreters.py", "w", encoding="utf-8") as file:
        file.write("def double(number):\n    return 2 * number\n")
    sys.path.insert(0, folder)
    try:
        import for_subinterpreters  # type: ignore[import-not-found]

        pool = tools.interpreter_pool(2, folder)
        assert list(pool.map(for_subinterpreters.double, [1, 2, 3], timeout=60)) == [2, 4, 6]
        pool.shutdown()
    finally:
        sys.path.remove(folder)
        sys.modules.pop("for_subinterpreters", None)
