"""JupyterLab for a learner: its settings, its kernel, and running it until it ends.

JupyterLab runs in this very process: Ctrl-C, a closed terminal and "Shut Down" in its menu reach it directly,
on every system, and nothing is left behind. Its settings come from three places, none of them the user's own
`~/.jupyter`:

- the checkout's `course/jupyter/` (JUPYTER_CONFIG_PATH): what makes it a course;
- the workspace's `.corewise/jupyter/`: what the learner sets in its menus;
- the workspace's `.corewise/share/`: the kernel `python3`, which is this Python. JUPYTER_PATH goes before
  every other place, so that a kernel of the same name installed elsewhere does not win.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sysconfig
import warnings
import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path

from grader.errors import EXIT_FINE, LearnerError
from grader.manifest import OURS, write_whole

# They would move JupyterLab's files or its settings elsewhere.
NOT_PASSED_ON = (
    "JUPYTER_NO_CONFIG",
    "JUPYTERLAB_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
)


def run(folder: Path, config: Path, browser: bool, port: int | None, say: Callable[[str], None]) -> int:
    """Run JupyterLab in the workspace `folder` until it ends; the exit code.

    Where one already runs in this folder, it is shown instead of a second one.
    """
    enter(folder, config)
    address = running(folder)
    if address:
        say(f"JupyterLab already runs in {folder}: {address[0]}")
        if browser:
            webbrowser.open(address[1])
        return EXIT_FINE
    say(f"JupyterLab starts in {folder}. Ctrl-C here ends it.")
    warnings.simplefilter("ignore")  # those of Jupyter's own libraries: a learner can do nothing about them
    from jupyterlab.labapp import LabApp  # only now: it reads the environment when it is imported

    try:
        server = LabApp.initialize_server(argv=arguments(folder, browser, port, as_root=is_root()))
        for name in (
            "SIGINT",
            "SIGHUP",
        ):  # Jupyter's own Ctrl-C asks back, and without a terminal skips its kernels
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: server.stop(from_signal=True))
        server.start()
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else EXIT_FINE
    say(f"JupyterLab has ended. Your work is in {folder}.")
    return EXIT_FINE


def enter(folder: Path, config: Path) -> None:
    """Make this process ready for JupyterLab: environment, current folder, kernel."""
    try:
        write_whole(folder, folder / OURS / "share/kernels/python3/kernel.json", kernel())
        os.chdir(folder)  # nbgrader's Validate reads nbgrader_config.py from the current folder
    except OSError as error:
        raise LearnerError(f"{folder} can't be written: {error.strerror}.") from None
    for name in NOT_PASSED_ON:
        os.environ.pop(name, None)
    os.environ.update(environment(folder, config, os.environ))


def environment(folder: Path, config: Path, now: Mapping[str, str]) -> dict[str, str]:
    """What to set on top of the environment `now`."""
    before = {"PATH": sysconfig.get_path("scripts"), "JUPYTER_PATH": str(folder / OURS / "share")}
    joined = {name: os.pathsep.join(filter(None, (first, now.get(name)))) for name, first in before.items()}
    return joined | {
        "JUPYTER_CONFIG_PATH": str(config.resolve()),
        "JUPYTER_CONFIG_DIR": str(folder / OURS / "jupyter"),
    }


def kernel() -> bytes:
    """The kernelspec `python3`, as JSON: ipykernel's own, whose command is the Python that runs us."""
    from ipykernel.kernelspec import get_kernel_dict

    return json.dumps(get_kernel_dict(), indent=1).encode()


def arguments(folder: Path, browser: bool, port: int | None, as_root: bool) -> list[str]:
    """JupyterLab's command line; what is the same for every learner is in `course/jupyter/`."""
    words = [f"--ServerApp.root_dir={folder}", f"--ServerApp.open_browser={browser}"]
    if port is not None:
        words += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    return [*words, "--allow-root"] if as_root else words


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def refuse_taken(port: int) -> None:
    """Raise LearnerError when nothing can listen on `port` of this machine."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "ports go from 1 to 65535"
        raise LearnerError(
            f"Port {port} can't be used: {reason}.", "Leave --port away, and JupyterLab finds a free one."
        ) from None


def running(folder: Path) -> tuple[str, str] | None:
    """The JupyterLab that runs in `folder`: its address with the token, and the page that opens it.

    The page is a file that only its owner can read: given to a browser, it keeps the token out of the list of
    processes.
    """
    from jupyter_core.paths import jupyter_runtime_dir
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers():
        if Path(server["root_dir"]) == folder and answers(server["port"]):
            page = Path(jupyter_runtime_dir()) / f"jpserver-{server['pid']}-open.html"
            return f"{server['url']}lab/tree/START.md?token={server['token']}", page.as_uri()
    return None


def answers(port: int) -> bool:
    """Does anything listen there? The list of servers may name one that has died."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True
