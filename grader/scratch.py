"""Temporary folders, which are gone in the end even where nobody was left to remove them.

A folder's name says which process made it. What a killed one left, the next process that makes a folder removes.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_NAME = re.compile(r"cw-(\d+)-")
# A socket of multiprocessing has its path below such a folder, and systems allow it 103 characters or a few more.
_SOCKET = 103
_BELOW = len("/cw-4194304-abcdefgh/t/pymp-abcdefgh/listener-abcdefgh")
_OLD = 3600.0  # seconds: containers that share a folder for temporary files don't see each other's processes


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder that is gone when the block ends."""
    made = make()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def make() -> Path:
    """An empty folder, for whoever removes it elsewhere than where it was made."""
    top = _short(tempfile.gettempdir())
    _sweep(top)
    return Path(tempfile.mkdtemp(prefix=f"cw-{os.getpid()}-", dir=top))


def _short(top: str) -> str:
    """A folder for temporary files in which sockets can be made, too: /tmp, where the usual one has too long a path."""
    too_long = len(os.fsencode(top)) + _BELOW > _SOCKET
    return "/tmp" if os.name == "posix" and too_long and os.access("/tmp", os.W_OK) else top


@functools.lru_cache  # once a process is enough
def _sweep(top: str) -> None:
    """Remove what processes of ours that are gone left in `top` an hour ago or earlier."""
    for path in Path(top).glob("cw-*"):
        with suppress(OSError):
            name, facts = _NAME.match(path.name), path.lstat()
            ours = not hasattr(os, "getuid") or facts.st_uid == os.getuid()
            if name and ours and time.time() - facts.st_mtime > _OLD and not psutil.pid_exists(int(name[1])):
                shutil.rmtree(path, ignore_errors=True)
