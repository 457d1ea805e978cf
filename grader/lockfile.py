"""A file that is locked while its process lives, in a folder where anybody may have left anything.

The locks are `flock` locks: the kernel frees them when a process ends, however it ends. POSIX record locks would be
lost as soon as this process closes any descriptor of the file. But a forked child shares a `flock` lock and would
keep it when its parent is killed; so it closes its copies at once. A started program never gets one (PEP 446).

On Windows a byte is locked by `msvcrt.locking`. This module has not been run there yet.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_open_files: set[LockFile] = set()


class LockFile:
    """An open file, and its lock once `lock` has got it.

    Raises:
        OSError: it can't be opened, or it is no regular file.
    """

    def __init__(self, path: Path, flags: int) -> None:
        # Don't wait for a pipe or follow a link: in a shared folder anybody may have put one there.
        for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
            flags |= getattr(os, name, 0)
        self._path, self._fd = path, os.open(path, flags, 0o644)
        _open_files.add(self)
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            self.close()
            raise OSError(errno.EINVAL, "not a file", str(path))
        if flags & os.O_CREAT and sys.platform != "win32":
            os.fchmod(self._fd, 0o644)  # whatever our umask: to lock a file, others must be able to read it

    def lock(self) -> bool:
        """Lock it; False where someone else has."""
        try:
            if sys.platform == "win32":
                os.lseek(self._fd, 1 << 20, os.SEEK_SET)  # far behind the text: nobody can read a locked byte
                msvcrt.locking(self._fd, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # Linux and Windows say it differently
            return False
        return True

    def in_place(self) -> bool:
        """Is it still what others find under its name?"""
        try:
            return os.path.samestat(os.fstat(self._fd), os.lstat(self._path))
        except FileNotFoundError:
            return False

    def read(self) -> bytes:
        os.lseek(self._fd, 0, os.SEEK_SET)
        return os.read(self._fd, 80)

    def write(self, content: bytes) -> None:
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, content)

    def close(self, *, remove: bool = False) -> None:
        """Unlock and close it, and perhaps remove it. Does nothing where it is closed: twice, or in a forked child."""
        if self._fd < 0:
            return
        if sys.platform != "win32":  # where an open file can't be removed
            if remove:
                self._remove()
            fcntl.flock(self._fd, fcntl.LOCK_UN)  # for every copy of the descriptor, should a child have one
        self.drop()
        if remove and sys.platform == "win32":
            self._remove()

    def drop(self) -> None:
        """Close our copy of the descriptor, and only that."""
        descriptor, self._fd = self._fd, -1
        os.close(descriptor)
        _open_files.discard(self)

    def _remove(self) -> None:
        with suppress(OSError):  # gone already, or another's in a folder where that is forbidden
            os.unlink(self._path)


def _in_forked_child() -> None:
    """A fork shares our locks, and would keep them when we are killed: close the copies."""
    for file in tuple(_open_files):
        file.drop()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_in_forked_child)
