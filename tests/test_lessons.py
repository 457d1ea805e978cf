"""Every lesson runs from top to bottom, under the start methods that learners have."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import nbformat
import psutil
import pytest
from lesson_runner import REPOSITORY, LessonError, cases, mark_of, run
from nbformat import v4

pytestmark = pytest.mark.slow

LIMIT = 240.0  # seconds for a whole lesson: with small data it takes some 15

LESSONS = sorted((REPOSITORY / "course").glob("[0-9][0-9]_*/*.ipynb"))


@pytest.mark.parametrize(("path", "method"), cases(LESSONS))
def test_a_lesson_runs_from_top_to_bottom(path: Path, method: str) -> None:
    run(path, method, LIMIT)


# The machinery itself: what it would miss, a learner would meet


def write(folder: Path, name: str, *sources: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.ipynb"
    cells = [v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources, 1)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


ASK = "import multiprocessing, os\nprint(multiprocessing.get_start_method(), os.environ['COREWISE_SMALL'])"
WORKERS = (
    "%load_ext grader",
    "%%module helper\ndef double(x):\n    return 2 * x",
    "from multiprocessing import Pool\nwith Pool(2) as pool:\n    print(pool.map(helper.double, [1, 2]))",
)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_the_start_method_is_set_from_outside_and_workers_find_their_module(
    tmp_path: Path, method: str
) -> None:
    path = write(tmp_path / "01_first", "01_fine", ASK, *WORKERS)
    done = run(path, method, 120)
    assert done.cells[0].outputs[0].text == f"{method} 1\n"
    assert done.cells[3].outputs[0].text == "[2, 4]\n"
    assert sorted(one.name for one in path.parent.iterdir()) == ["01_fine.ipynb"], (
        "nothing is written beside it"
    )
    assert "outputs': [{" not in str(nbformat.read(path, as_version=4))


def test_a_notebook_that_raises_is_named_with_its_cell(tmp_path: Path) -> None:
    path = write(tmp_path / "01_first", "02_raises", "x = 0", "1 / x")
    with pytest.raises(
        LessonError, match=r"02_raises\.ipynb, cell cell-2: ZeroDivisionError: division by zero"
    ):
        run(path, "spawn", 120)


def test_a_notebook_that_hangs_is_named_with_its_cell_and_nothing_of_it_is_left(tmp_path: Path) -> None:
    """The hang that the course warns of: a cell's own function in a pool that has to import it."""
    hangs = (
        "from multiprocessing import Pool\n\ndef own(x):\n    return x\n",
        "with Pool(2) as pool:\n    pool.map(own, [1, 2])",
    )
    path = write(tmp_path / "01_first", "03_hangs", "import multiprocessing", *hangs)

    with pytest.raises(LessonError, match=r"03_hangs\.ipynb, cell cell-3: not done after 8 s under spawn"):
        run(path, "spawn", 8)
    assert marked() == []


def test_a_page_of_sliders_ends(tmp_path: Path) -> None:
    """With nbclient's own handling of their output, such a page stands still sooner or later, until its time is up."""
    slider = (
        "from ipywidgets import IntSlider, interact\n_ = interact(lambda x: print(x), x=IntSlider(value=3))"
    )
    run(
        write(tmp_path / "01_first", "05_sliders", *[slider] * 150, "import time\ntime.sleep(3)"), "spawn", 60
    )


@pytest.mark.parametrize(
    "leaves",
    [
        "import subprocess, sys\n_ = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])",
        "from multiprocessing import Pool\npool = Pool(2)",
    ],
    ids=["program", "pool"],
)
def test_a_process_that_is_left_behind_is_named_and_ended(tmp_path: Path, leaves: str) -> None:
    path = write(tmp_path / "01_first", "04_leaves", leaves)
    with pytest.raises(LessonError, match=r"04_leaves\.ipynb leaves processes behind under spawn: \d+ "):
        run(path, "spawn", 120)
    assert marked() == []


def marked() -> list[int]:
    """Processes of any notebook that was run by these tests, not by others beside them."""
    own = f"{os.getpid()}-"
    return [process.pid for process in psutil.process_iter() if mark_of(process).startswith(own)]
