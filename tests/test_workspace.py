"""A learner's workspace: what is in it, what an update does to it, what a reset does."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import GraderError, LearnerError
from grader.workspace import content, default_folder, refuse_unusable, released, reset, reset_lab, update

REPOSITORY = Path(__file__).parents[1]
NOTEBOOK = "labs/11_fraud/11_fraud.ipynb"
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals, limits and links as POSIX has them")


def notebook(source: str, *, outputs: tuple[str, ...] = (), count: int | None = None) -> str:
    """A notebook of one code cell, as it is written to a file."""
    shown = [{"output_type": "stream", "name": "stdout", "text": text} for text in outputs]
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": shown}
    cells = [cell | {"execution_count": count}]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small checkout: one lab, the start page, and what a learner must not get."""
    return make_source(tmp_path / "checkout")


def make_source(source: Path) -> Path:
    for name, text in {
        "course/START.md": "# Corewise\n[11](../labs/11_fraud/11_fraud.ipynb), [4](04_queues/queues.ipynb)\n",
        "course/nbgrader_config.py": "c = get_config()\n",
        "course/cases/fraud.py": "",
        NOTEBOOK: notebook("version 1"),
        "labs/11_fraud/lab.toml": "id = '11_fraud'\n",
        "labs/11_fraud/checks.py": "SIZES = (1,)\n",
        "labs/11_fraud/skew.png": "a picture",
        "labs/11_fraud/scorer.py": "left over from an author's run",
        "labs/11_fraud/__pycache__/checks.cpython-313.pyc": "",
        "labs/11_fraud/.ipynb_checkpoints/11_fraud-checkpoint.ipynb": "{}",
        "grader/model.py": "",
    }.items():
        write(source / name, text)
    return source


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def held(folder: Path) -> dict[str, str]:
    """All that a learner sees in the folder, by name."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: path.read_text() for name, path in names.items() if not name.startswith(".corewise/")}


@pytest.fixture
def folder(tmp_path: Path, source: Path) -> Path:
    """A workspace, just made."""
    update(tmp_path / "work", source)
    return tmp_path / "work"


def test_a_new_workspace_holds_what_a_learner_opens_and_nothing_else(folder: Path) -> None:
    lab = {"11_fraud.ipynb", "lab.toml", "checks.py", "skew.png"}
    assert set(held(folder)) == {"START.md", "nbgrader_config.py"} | {f"labs/11_fraud/{name}" for name in lab}


def test_modules_bring_their_notebooks_and_pictures_but_no_folder_named_course(
    folder: Path, source: Path
) -> None:
    for name in ("queues.ipynb", "pictures/pipe.svg", "helper.py", "README.md"):
        write(source / "course/04_queues" / name, "{}")
    changes = update(folder, source)
    assert changes.added == ["modules/04_queues/pictures/pipe.svg", "modules/04_queues/queues.ipynb"]
    assert not (folder / "course").exists()


def test_a_second_update_changes_nothing_and_says_nothing(folder: Path, source: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (folder / "labs").rglob("*")}
    assert update(folder, source).lines() == []
    assert {path: path.stat().st_mtime_ns for path in (folder / "labs").rglob("*")} == before


def test_a_file_as_delivered_is_replaced_by_the_new_one_and_said(folder: Path, source: Path) -> None:
    write(source / NOTEBOOK, notebook("version 2"))
    assert update(folder, source).lines() == [f"Updated: {NOTEBOOK}."]
    assert "version 2" in (folder / NOTEBOOK).read_text()


def test_a_notebook_that_the_learner_wrote_in_stays_and_the_new_one_is_put_beside_it_once(
    folder: Path, source: Path
) -> None:
    write(folder / NOTEBOOK, notebook("mine"))
    assert update(folder, source).lines() == []
    write(source / NOTEBOOK, notebook("version 2"))
    [line] = update(folder, source).lines()
    assert "left as it is" in line
    assert "11_fraud.new.ipynb" in line
    assert held(folder)[NOTEBOOK] == notebook("mine")
    assert held(folder)["labs/11_fraud/11_fraud.new.ipynb"] == notebook("version 2")
    (folder / "labs/11_fraud/11_fraud.new.ipynb").unlink()
    assert update(folder, source).lines() == []
    assert not (folder / "labs/11_fraud/11_fraud.new.ipynb").exists()


def test_a_third_version_replaces_the_one_put_beside_unless_the_learner_wrote_in_that_too(
    folder: Path, source: Path
) -> None:
    write(folder / NOTEBOOK, notebook("mine"))
    for version in ("version 2", "version 3"):
        write(source / NOTEBOOK, notebook(version))
        update(folder, source)
    beside = folder / "labs/11_fraud/11_fraud.new.ipynb"
    assert beside.read_text() == notebook("version 3")
    write(beside, notebook("mine too"))
    write(source / NOTEBOOK, notebook("version 4"))
    update(folder, source)
    assert beside.read_text() == notebook("mine too")
    assert beside.with_name("11_fraud.new2.ipynb").read_text() == notebook("version 4")


def test_a_learner_who_took_the_new_version_gets_the_next_one_in_its_place(
    folder: Path, source: Path
) -> None:
    write(folder / NOTEBOOK, notebook("mine"))
    write(source / NOTEBOOK, notebook("version 2"))
    update(folder, source)
    os.replace(folder / "labs/11_fraud/11_fraud.new.ipynb", folder / NOTEBOOK)
    update(folder, source)
    write(source / NOTEBOOK, notebook("version 3"))
    assert update(folder, source).replaced == [NOTEBOOK]


def test_a_notebook_that_was_only_run_is_replaced_and_the_run_one_is_kept(folder: Path, source: Path) -> None:
    ran = notebook("version 1", outputs=("1.9 times as fast",), count=3)
    write(folder / NOTEBOOK, ran)
    assert update(folder, source).lines() == []
    assert held(folder)[NOTEBOOK] == ran
    write(source / NOTEBOOK, notebook("version 2"))
    [line] = update(folder, source).lines()
    assert "The one you ran is kept as labs/11_fraud/11_fraud.old.ipynb" in line
    assert held(folder)[NOTEBOOK] == notebook("version 2")
    assert held(folder)["labs/11_fraud/11_fraud.old.ipynb"] == ran


def test_a_file_that_the_learner_deleted_stays_deleted_but_the_start_page_comes_back(
    folder: Path, source: Path
) -> None:
    (folder / NOTEBOOK).unlink()
    (folder / "START.md").unlink()
    write(source / NOTEBOOK, notebook("version 2"))
    assert update(folder, source).lines() == ["New: START.md."]
    assert not (folder / NOTEBOOK).exists()


def test_a_file_that_left_the_course_is_removed_unless_the_learner_touched_it(
    folder: Path, source: Path
) -> None:
    write(folder / NOTEBOOK, notebook("mine"))
    shutil.rmtree(source / "labs/11_fraud")
    assert set(update(folder, source).removed) == {
        f"labs/11_fraud/{name}" for name in ("lab.toml", "checks.py", "skew.png")
    }
    assert held(folder)[NOTEBOOK] == notebook("mine")


def test_a_file_of_the_learner_in_the_place_of_a_new_one_is_left_alone(folder: Path, source: Path) -> None:
    write(folder / "labs/12_logistics/lab.toml", "mine")
    write(source / "labs/12_logistics/lab.toml", "theirs")
    [(_, beside)] = update(folder, source).beside
    assert held(folder)["labs/12_logistics/lab.toml"] == "mine"
    assert held(folder)[beside] == "theirs"
    assert update(folder, source).lines() == []


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"files": {"START.md": 3}}'])
def test_a_spoilt_manifest_costs_the_learner_nothing(folder: Path, source: Path, spoilt: str) -> None:
    write(folder / NOTEBOOK, notebook("mine"))
    write(folder / ".corewise/manifest.json", spoilt)
    update(folder, source)
    assert held(folder)[NOTEBOOK] == notebook("mine")
    write(source / "labs/11_fraud/lab.toml", "id = 'new'\n")
    assert update(folder, source).replaced == ["labs/11_fraud/lab.toml"]


@given(st.lists(st.sampled_from(["write", "run", "delete", "take", "upstream", "update"]), max_size=12))
@settings(deadline=None, max_examples=60)
def test_whatever_happens_no_update_loses_what_the_learner_made(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        source, folder, version = make_source(Path(name, "checkout")), Path(name, "work"), 1
        update(folder, source)
        path, beside = folder / NOTEBOOK, folder / "labs/11_fraud/11_fraud.new.ipynb"
        for number, step in enumerate([*steps, "update"]):
            if step == "write":
                write(path, notebook(f"mine {number}"))
            elif step == "run" and path.exists():
                cells = json.loads(path.read_text())["cells"]
                write(path, notebook(cells[0]["source"], outputs=(f"run {number}",), count=number))
            elif step == "delete":
                path.unlink(missing_ok=True)
            elif step == "take" and beside.exists():
                os.replace(beside, path)
            elif step == "upstream":
                version += 1
                write(source / NOTEBOOK, notebook(f"version {version}"))
            elif step == "update":
                before = held(folder)
                update(folder, source)
                after = held(folder)
                delivered = {notebook(f"version {old}") for old in range(version + 1)}
                assert {text for text in before.values() if text not in delivered} <= set(after.values())
                again = update(folder, source)
                assert again.lines() == []


def run_update(folder: Path, source: Path, before: str = "") -> subprocess.Popen[bytes]:
    code = f"""
import sys
from pathlib import Path
from grader.errors import LearnerError
from grader.workspace import update
{before}
try:
    update(Path(sys.argv[1]), Path(sys.argv[2]))
except LearnerError as error:
    print(error)
    sys.exit(error.exit_code)
"""
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(source)], cwd=REPOSITORY, stdout=subprocess.PIPE
    )


@posix_only
@pytest.mark.slow
def test_an_update_killed_half_way_leaves_whole_files_and_the_next_one_goes_on(
    tmp_path: Path, source: Path
) -> None:
    for number in range(300):
        write(source / f"labs/11_fraud/picture-{number:03}.svg", f"{number}" * 20_000)
    folder = tmp_path / "work"
    for stop_at in (1, 60, 150):
        with run_update(folder, source) as process:
            while process.poll() is None and len(list(folder.glob("labs/11_fraud/*.svg"))) < stop_at:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
        for name, text in held(folder).items():
            assert text == content(source / (name if name.startswith("labs") else f"course/{name}")).decode()
    write(folder / NOTEBOOK, notebook("mine"))
    changes = update(folder, source)
    assert changes.beside == changes.removed == []
    assert held(folder)[NOTEBOOK] == notebook("mine")
    assert len(list(folder.glob("labs/11_fraud/*.svg"))) == 300


@posix_only
def test_a_file_that_does_not_fit_is_said_and_nothing_is_left_half_written(
    folder: Path, source: Path
) -> None:
    write(source / NOTEBOOK, notebook("x" * 100_000))
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))"
    with run_update(folder, source, before=limit) as process:
        said = process.communicate()[0].decode()
    assert process.returncode == 1
    assert "can't be written: File too large" in said
    assert held(folder)[NOTEBOOK] == notebook("version 1")
    assert not list(folder.rglob("*half-written*"))
    assert update(folder, source).replaced == [NOTEBOOK]


@contextmanager
def as_ordinary_user(*readable: Path) -> Iterator[None]:
    """Run as nobody where the tests run as root, to whom every folder is open."""
    if os.geteuid() != 0:
        yield
        return
    opened = {
        parent: parent.stat().st_mode for path in readable for parent in path.parents if parent != Path("/")
    }
    for parent, mode in opened.items():
        parent.chmod(mode | 0o055)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for parent, mode in opened.items():
            parent.chmod(mode)


@posix_only
def test_a_folder_that_cannot_be_written_is_one_clear_message(folder: Path, source: Path) -> None:
    shut = folder.parent / "shut"
    shut.mkdir(mode=0o555)
    with as_ordinary_user(folder, source), pytest.raises(LearnerError) as error:
        update(shut / "work", source)
    assert f"{shut / 'work'} can't be written: Permission denied" in str(error.value)
    assert "corewise learn FOLDER" in str(error.value)


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path, source: Path) -> None:
    write(tmp_path / "work", "mine")
    with pytest.raises(LearnerError, match="is a file"):
        update(tmp_path / "work", source)


@pytest.mark.parametrize("inside", [".", "labs", "course/work"])
def test_the_checkout_and_what_is_in_it_are_refused(source: Path, inside: str) -> None:
    before = held(source)
    with pytest.raises(LearnerError, match="inside Corewise itself"):
        update(source / inside, source)
    assert held(source) == before


def test_the_root_of_the_file_system_is_refused(source: Path) -> None:
    with pytest.raises(LearnerError, match="is the root of the file system"):
        refuse_unusable(Path(source.anchor), source)


def test_a_folder_with_other_things_in_it_is_used_only_when_nothing_is_in_the_way(
    tmp_path: Path, source: Path
) -> None:
    folder = tmp_path / "work"
    write(folder / "thesis.txt", "mine")
    update(folder, source)
    assert held(folder)["thesis.txt"] == "mine"
    write(tmp_path / "other/labs/notes.txt", "mine")
    with pytest.raises(LearnerError, match="already holds labs"):
        update(tmp_path / "other", source)
    assert held(tmp_path / "other") == {"labs/notes.txt": "mine"}


@posix_only
@pytest.mark.parametrize("link", ["labs", "labs/11_fraud", ".corewise"])
def test_no_link_is_followed_out_of_the_folder(tmp_path: Path, folder: Path, source: Path, link: str) -> None:
    outside = tmp_path / "outside"
    os.rename(folder / link, outside)
    (folder / link).symlink_to(outside)
    before = held(outside)
    write(source / NOTEBOOK, notebook("version 2"))
    with pytest.raises(LearnerError, match="is a link to"):
        update(folder, source)
    assert held(outside) == before


@posix_only
def test_a_link_in_the_place_of_a_file_is_the_learners(tmp_path: Path, folder: Path, source: Path) -> None:
    os.rename(folder / NOTEBOOK, tmp_path / "mine.ipynb")
    (folder / NOTEBOOK).symlink_to(tmp_path / "mine.ipynb")
    write(source / NOTEBOOK, notebook("version 2"))
    assert len(update(folder, source).beside) == 1
    assert (tmp_path / "mine.ipynb").read_text() == notebook("version 1")
    assert (folder / NOTEBOOK).is_symlink()


def test_an_incomplete_checkout_is_our_fault_and_removes_nothing(folder: Path, source: Path) -> None:
    before = held(folder)
    shutil.rmtree(source / "labs")
    with pytest.raises(GraderError, match="labs"):
        update(folder, source)
    assert held(folder) == before


def test_reset_puts_a_lab_back_and_keeps_all_that_was_in_it(folder: Path, source: Path) -> None:
    as_delivered = held(folder)
    write(folder / NOTEBOOK, notebook("mine"))
    write(folder / "labs/11_fraud/scorer.py", "my scorer")
    (folder / "labs/11_fraud/lab.toml").unlink()
    mine = held(folder / "labs/11_fraud")
    backup = reset_lab(folder, source, "11_fraud")
    assert backup is not None
    assert held(backup) == mine
    after = held(folder)
    assert {name: text for name, text in after.items() if ".backup-" not in name} == as_delivered
    write(source / NOTEBOOK, notebook("version 2"))
    assert update(folder, source).replaced == [NOTEBOOK]


def test_two_resets_within_a_second_keep_two_backups(folder: Path, source: Path) -> None:
    for text in ("first", "second", "third"):
        write(folder / NOTEBOOK, notebook(text))
        assert "Your version of it is kept in" in reset(folder, source, "11_fraud")
    kept = {text for name, text in held(folder).items() if ".backup-" in name and name.endswith(".ipynb")}
    assert kept == {notebook("first"), notebook("second"), notebook("third")}


def test_reset_of_a_lab_that_is_as_delivered_keeps_no_backup(folder: Path, source: Path) -> None:
    write(folder / "labs/11_fraud/.ipynb_checkpoints/11_fraud-checkpoint.ipynb", notebook("version 1"))
    before = held(folder)
    assert "is as delivered" in reset(folder, source, "11_fraud")
    assert held(folder) == before
    write(folder / "labs/11_fraud/notes.txt", "mine")
    assert "Your version of it is kept in" in reset(folder, source, "11_fraud")


def test_reset_brings_a_deleted_lab_back(folder: Path, source: Path) -> None:
    shutil.rmtree(folder / "labs")
    update(folder, source)
    assert not (folder / "labs").exists()
    assert "is as delivered" in reset(folder, source, "11_fraud")
    assert held(folder)[NOTEBOOK] == notebook("version 1")


@pytest.mark.parametrize("lab", ["fraud", "../..", "", "11_fraud/", "."])
def test_reset_of_an_unknown_lab_names_the_labs_and_touches_nothing(
    folder: Path, source: Path, lab: str
) -> None:
    before = held(folder)
    with pytest.raises(LearnerError, match="The labs are: 11_fraud"):
        reset(folder, source, lab)
    assert held(folder) == before


def test_reset_outside_a_workspace_is_refused(tmp_path: Path, source: Path) -> None:
    with pytest.raises(LearnerError, match="not a workspace"):
        reset(tmp_path, source, "11_fraud")


def test_the_default_folder_is_corewise_home_or_corewise_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_home(monkeypatch, tmp_path)
    assert default_folder(tmp_path / "Downloads/checkout") == tmp_path / "corewise"
    monkeypatch.setenv("COREWISE_HOME", str(tmp_path / "elsewhere"))
    assert default_folder(tmp_path) == tmp_path / "elsewhere"


def test_a_checkout_that_is_itself_called_corewise_does_not_become_its_own_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_home(monkeypatch, tmp_path)
    assert default_folder(tmp_path / "corewise") == tmp_path / "corewise-workspace"


def set_home(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.delenv("COREWISE_HOME", raising=False)
    set_env: Callable[[str, str], None] = monkeypatch.setenv
    for name in ("HOME", "USERPROFILE"):
        set_env(name, str(home))


def test_links_of_a_page_lead_to_where_modules_and_labs_lie_in_the_workspace(folder: Path) -> None:
    page = (folder / "START.md").read_text(encoding="utf-8")
    assert page == "# Corewise\n[11](labs/11_fraud/11_fraud.ipynb), [4](modules/04_queues/queues.ipynb)\n"


@pytest.mark.parametrize("name", ["START.md", "GLOSSARY.md", "MEASURING.md", "TRACING.md"])
def test_links_of_a_page_work_in_the_workspace_and_in_the_repository(name: str) -> None:
    page = REPOSITORY / "course" / name
    linked = set(re.findall(r"\]\(([^):]+)\)", content(page).decode()))
    assert linked <= set(released(REPOSITORY))
    here = re.findall(r"\]\(([^):]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in here if not (page.parent / link).is_file()] == []
    assert linked or name not in ("START.md", "GLOSSARY.md")


def test_the_start_page_links_every_lab_and_tells_its_minutes() -> None:
    page = (REPOSITORY / "course/START.md").read_text(encoding="utf-8")
    linked = re.findall(r"^\| \[[^]]*\]\(\.\./labs/(\w+)/(\w+)\.ipynb\).*\| (\d+) \|$", page, re.MULTILINE)
    assert {lab for lab, _, _ in linked} == {path.name for path in (REPOSITORY / "solutions").glob("[0-9]*")}
    for lab, name, minutes in linked:
        assert name == lab
        for told in (REPOSITORY / "solutions" / lab).glob("lab.toml"):
            assert int(minutes) == tomllib.loads(told.read_text(encoding="utf-8"))["minutes"]
