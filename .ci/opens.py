"""Proves the README's first command on any system: JupyterLab answers on its port, and Ctrl-C ends all of it.

    python .ci/opens.py

Runs `start.py FOLDER --no-browser --port N` with the Python that runs this, as a newcomer would.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

START = Path(__file__).resolve().parent.parent / "start.py"
WINDOWS = os.name == "nt"
INSTALLING = 1200  # seconds; a first start fetches some 130 packages
ENDING = 60


def main() -> None:
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background ignores it, and so would start.py
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # A process group of its own: on Windows Ctrl-Break reaches a group and nothing smaller.
    group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if WINDOWS else {"start_new_session": True}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workspace = Path(folder, "workspace")
        command = [sys.executable, str(START), str(workspace), "--no-browser", "--port", str(port)]
        course = subprocess.Popen(command, **group)
        try:
            until(lambda: answers(port), INSTALLING, course, "JupyterLab does not answer")
            assert (workspace / "START.md").is_file(), "the workspace has no START.md"
            course.send_signal(signal.CTRL_BREAK_EVENT if WINDOWS else signal.SIGINT)
            code = course.wait(ENDING)
            until(lambda: not answers(port), ENDING, None, "JupyterLab still answers")
        finally:
            if course.poll() is None:
                course.kill()
    # Ctrl-Break, unlike Ctrl-C, gives a program no chance to end with 0.
    assert WINDOWS or code == 0, f"start.py ended with {code}"
    print(f"opens: JupyterLab answered, and ended with {code}")


def until(holds, seconds: float, process, otherwise: str) -> None:
    """Wait until `holds()`; the end of `process`, or of our patience, is an AssertionError that says `otherwise`."""
    deadline = time.monotonic() + seconds
    while not holds():
        ended = process is not None and process.poll() is not None
        assert not ended, f"{otherwise}: start.py ended with {process.returncode}"
        assert time.monotonic() < deadline, f"{otherwise} after {seconds} s"
        time.sleep(0.2)


def answers(port: int) -> bool:
    try:
        server = HTTPConnection("127.0.0.1", port, timeout=10)
        server.request("GET", "/api")
        return server.getresponse().status == 200
    except (OSError, HTTPException):
        return False


if __name__ == "__main__":
    main()
