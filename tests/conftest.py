"""What every test stands on: the environment's programs on PATH, and nobody's own Jupyter settings."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

ROOMS = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
LEAKS = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "COREWISE_START_METHOD", "NBGRADER_EXECUTION")
HOME = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Set for the tests' child processes what `start.py` sets, so that pytest may also be run directly."""
    # A shell's background and nohup ignore these; child processes would inherit that, and never stop.
    for name, handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)
    config.stash[HOME] = tempfile.mkdtemp(prefix="corewise-tests-")
    for name in ROOMS:
        os.environ[name] = str(Path(config.stash[HOME], name.lower()))
    for name in LEAKS:
        os.environ.pop(name, None)
    os.environ["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[HOME], ignore_errors=True)
