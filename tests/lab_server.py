"""A JupyterLab server as a user starts it, and Debian's Chromium in front of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[1]
CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
needs_chromium = pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no browser: {CHROMIUM} is missing")

LEARN = """
import sys
from pathlib import Path
from grader.errors import CorewiseError
from grader.workspace import learn
try:
    sys.exit(learn(Path(sys.argv[1]), Path(sys.argv[2]), browser=False, port=None))
except CorewiseError as error:
    sys.exit(str(error))
"""


@dataclass
class Learning:
    """A running server: its process, where it answers, the folder that it shows, the user's home."""

    process: subprocess.Popen[str]
    url: str
    token: str
    folder: Path
    home: Path

    def get(self, path: str, post: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            data=None if post is None else json.dumps(post).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            body = response.read().decode()
        return json.loads(body) if "json" in response.headers["Content-Type"] or body[:1] == "{" else body

    def stop(self, how: signal.Signals = signal.SIGINT) -> str:
        """Send the signal; what the server said until it ended."""
        self.process.send_signal(how)
        return self.process.communicate(timeout=60)[0]


@contextmanager
def started(folder: Path, source: Path, home: Path) -> Iterator[Learning]:
    """Start `corewise learn` for a user whose own kernel `python3` is another Python, and wait until it answers."""
    theirs = home / ".local/share/jupyter/kernels/python3"
    theirs.mkdir(parents=True, exist_ok=True)
    spec = {
        "argv": ["/nowhere/python", "-f", "{connection_file}"],
        "display_name": "Other",
        "language": "python",
    }
    (theirs / "kernel.json").write_text(json.dumps(spec))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON"))}
    command = [sys.executable, "-c", LEARN, str(folder), str(source)]
    with serving(command, REPOSITORY, kept | {"HOME": str(home), "JUPYTER_PREFER_ENV_PATH": "no"}) as (
        process,
        url,
        token,
    ):
        yield Learning(process, url, token, folder.resolve(), home)


@contextmanager
def started_by_instructor(course: Path, home: Path) -> Iterator[Learning]:
    """Start JupyterLab in the folder of the course, as nbgrader's pages say."""
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--log-level=ERROR"]
    with serving(command, course, os.environ | {"HOME": str(home)}) as (process, url, token):
        yield Learning(process, url, token, course, home)


@contextmanager
def serving(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run a server until the block ends: its process, address and token. It answers already."""
    process = subprocess.Popen(
        command,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        url, token = address(process)
        await_answer(url)
        yield process, url, token
    finally:
        process.kill()
        process.communicate()


def address(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The address and the token that JupyterLab prints."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        found = re.search(r"(http://localhost:\d+/)lab\S*\?token=(\w+)", line)
        if found:
            return found[1], found[2]
    raise AssertionError(f"JupyterLab did not start:\n{said}")


def await_answer(url: str) -> None:
    """Wait until the server answers: it prints its address a moment before."""
    for _ in range(300):
        try:
            urllib.request.urlopen(url + "api", timeout=60).close()
        except urllib.error.HTTPError:
            return
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("JupyterLab does not answer")
