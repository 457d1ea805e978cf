"""`corewise learn` for real: a JupyterLab server, and a learner's browser in front of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from jupyter_client.blocking import BlockingKernelClient
from lab_server import CHROMIUM, LEARN, QUIET, REPOSITORY, Learning, needs_chromium, started
from nbformat import v4

from grader.errors import LearnerError
from grader.workspace import learn

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as POSIX sends it"),
]


def make_source(source: Path) -> Path:
    """A small checkout: the real start page and settings, a lab of three cells."""
    for name in ("course/START.md", "course/nbgrader_config.py"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, source / name)
    shutil.copytree(REPOSITORY / "course/jupyter", source / "course/jupyter")
    lab = source / "labs/11_fraud"
    lab.mkdir(parents=True)
    check = {"grade": True, "solution": False, "locked": True, "points": 1, "grade_id": "check"}
    page = v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# Fraud: a stand-in"),
            v4.new_code_cell("import sys; print('run by', sys.executable)"),
            v4.new_code_cell(
                "assert 1 == 2, 'the stub fails'",
                metadata={"nbgrader": {**check, "schema_version": 3, "cell_type": "code"}},
            ),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(page, lab / "11_fraud.ipynb")
    return source


@pytest.fixture(scope="module")
def learning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learning]:
    place = tmp_path_factory.mktemp("learn")
    with started(place / "work", make_source(place / "checkout"), place / "home") as running:
        yield running


def test_the_server_answers_and_serves_the_start_page(learning: Learning) -> None:
    assert "version" in learning.get("api")
    assert learning.get("api/contents/START.md")["content"].startswith("# Corewise")
    assert {item["name"] for item in learning.get("api/contents/")["content"]} >= {"START.md", "labs"}


def test_the_settings_of_the_course_are_in_force(learning: Learning) -> None:
    def default(plugin: str, setting: str) -> Any:
        return learning.get(f"lab/api/settings/{plugin}")["schema"]["properties"][setting]["default"]

    assert default("@jupyterlab/apputils-extension:notification", "fetchNews") == "false"
    assert default("@jupyterlab/apputils-extension:notification", "checkForUpdates") is False
    viewers = default("@jupyterlab/docmanager-extension:plugin", "defaultViewers")
    assert viewers["markdown"] == "Markdown Preview"
    assert default("@jupyterlab/notebook-extension:tracker", "codeCellConfig")["lineNumbers"] is True


def test_what_a_learner_does_not_need_is_hidden(learning: Learning) -> None:
    page = learning.get("lab")
    found = re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found is not None
    config = json.loads(found[1])
    hidden = {f"@jupyter/nbgrader:{name}" for name in ("create-assignment", "formgrader", "course-list")}
    assert hidden | {"@jupyter/nbgrader:assignment-list"} <= set(config["disabledExtensions"])
    assert "@jupyter/nbgrader:validate-assignment" not in config["disabledExtensions"]
    assert config["news"] == {"disabled": True}


def test_the_kernel_is_this_python_whatever_the_user_has_installed(learning: Learning) -> None:
    kernels = learning.get("api/kernelspecs")
    assert kernels["default"] == "python3"
    assert kernels["kernelspecs"]["python3"]["spec"]["argv"][0] == sys.executable


def test_validate_runs_the_notebook_and_names_the_cell_that_fails(learning: Learning) -> None:
    answer = learning.get("assignments/validate", post={"path": "labs/11_fraud/11_fraud.ipynb"})
    assert answer["success"] is True, answer
    assert [cell["source"] for cell in answer["value"]["failed"]] == ["assert 1 == 2, 'the stub fails'"]


def test_a_second_learn_in_the_same_folder_tells_where_the_first_one_runs(learning: Learning) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    second = subprocess.run(
        [sys.executable, "-c", LEARN, str(learning.folder), str(learning.folder.parent / "checkout")],
        env=environment | {"HOME": str(learning.home)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 0
    assert f"already runs in {learning.folder}: {learning.url}lab/tree/START.md?token=" in second.stdout
    assert second.stderr == ""


@needs_chromium
def test_a_learner_sees_the_start_page_opens_the_lab_runs_a_cell_and_finds_validate(
    learning: Learning, tmp_path: Path
) -> None:
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = chromium.new_context(color_scheme="dark").new_page()
        outside: list[str] = []
        ours = (learning.url, learning.url.replace("http", "ws", 1), "data:", "blob:")
        page.on("request", lambda request: request.url.startswith(ours) or outside.append(request.url))
        page.goto(f"{learning.url}?token={learning.token}")
        start_page = page.locator(".jp-MarkdownViewer")
        expect(start_page.locator("h1")).to_have_text(re.compile("Corewise"), timeout=60_000)
        page.screenshot(path=tmp_path / "start.png")
        start_page.get_by_role("link", name="11 · Fraud").click()
        lab = page.locator(".jp-NotebookPanel")
        expect(lab.locator("h1")).to_have_text(re.compile("a stand-in"), timeout=60_000)
        expect(lab.get_by_role("button", name="Validate")).to_be_visible()
        expect(page.get_by_role("button", name="| Idle")).to_be_visible(timeout=60_000)
        lab.locator(".jp-CodeCell").first.click()
        page.keyboard.press("Shift+Enter")
        expect(lab.locator(".jp-OutputArea-output").first).to_contain_text(sys.executable, timeout=60_000)
        page.screenshot(path=tmp_path / "lab.png")
        expect(page.locator(".jp-Dialog")).to_have_count(0)
        expect(page.locator(".jp-toastContainer .Toastify__toast, .Toastify__toast")).to_have_count(0)
        expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
        chromium.close()
    assert outside == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopping_it_ends_kernels_too_and_writes_nothing_into_the_users_jupyter_folder(
    tmp_path: Path, how: signal.Signals
) -> None:
    with started(tmp_path / "work", make_source(tmp_path / "checkout"), tmp_path / "home") as running:
        kernel = running.get("api/kernels", post={"name": "python3"})["id"]
        connection = running.home / f".local/share/jupyter/runtime/kernel-{kernel}.json"
        client = BlockingKernelClient(connection_file=str(connection))
        client.load_connection_file()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        client.stop_channels()
        family = psutil.Process(running.process.pid).children(recursive=True)
        assert family, "the kernel runs"
        said = running.stop(how)
        assert running.process.returncode == 0
        assert f"Your work is in {running.folder}" in said
        assert "Traceback" not in said
    _, alive = psutil.wait_procs(family, timeout=20)
    assert alive == []
    assert not (running.home / ".jupyter").exists()
    assert not list((running.home / ".local/share/jupyter/runtime").glob("jpserver-*"))


def test_ctrl_c_while_it_still_starts_leaves_no_traceback(tmp_path: Path) -> None:
    source = make_source(tmp_path / "checkout")
    process = subprocess.Popen(
        [sys.executable, "-c", LEARN, str(tmp_path / "work"), str(source)],
        env=os.environ | {"HOME": str(tmp_path / "home")},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    while "JupyterLab starts" not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_one_clear_message(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LearnerError, match=rf"Port {port} can't be used: .*in use"):
            learn(tmp_path / "work", make_source(tmp_path / "checkout"), browser=False, port=port)
    assert not (tmp_path / "work").exists()
