"""Temporary folders: gone when the block ends; what a killed process left is removed later, and nothing else is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import scratch


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files. `tmp_path` has too long a path, and must be made before this takes its place."""
    with tempfile.TemporaryDirectory(prefix="room-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def gone() -> int:
    """The number of a process that was there and isn't any more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        return process.pid


def left(room: Path, name: str, hours: float) -> Path:
    folder = room / name
    folder.mkdir()
    (folder / "input.parquet").write_bytes(b"0")
    then = time.time() - hours * 3600
    os.utime(folder, (then, then))
    return folder


def test_a_folder_is_gone_with_what_it_holds_when_its_block_ends_in_whatever_way(room: Path) -> None:
    with pytest.raises(KeyboardInterrupt), scratch.folder() as folder:  # noqa: PT012
        (folder / "some").mkdir()
        raise KeyboardInterrupt
    assert list(room.iterdir()) == []


def test_what_a_killed_process_left_is_removed_after_an_hour(room: Path) -> None:
    old, new = left(room, f"cw-{gone()}-abc", hours=1.1), left(room, f"cw-{gone()}-def", hours=0.9)
    with scratch.folder():
        assert not old.exists()
        assert new.exists()


@pytest.mark.parametrize("name", ["cw-{}-abc", "cw-room", "cw-12x-abc", "corewise-1-abc"])
def test_what_somebody_may_still_use_or_what_is_not_ours_stays(room: Path, name: str) -> None:
    other = left(room, name.format(os.getpid()), hours=1000)
    with scratch.folder():
        assert (other / "input.parquet").exists()


def test_a_link_of_that_name_leads_nowhere(room: Path) -> None:
    kept = left(room, "kept", hours=1000)
    link = room / f"cw-{gone()}-abc"
    link.symlink_to(kept)
    os.utime(link, (0, 0), follow_symlinks=False)
    with scratch.folder():
        assert (kept / "input.parquet").exists()


@pytest.mark.skipif(os.name != "posix", reason="sockets with a path")
def test_where_the_path_is_too_long_for_a_socket_another_folder_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 150)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with scratch.folder() as folder, socket.socket(socket.AF_UNIX) as one:
        (folder / "t" / "pymp-abcdefgh").mkdir(parents=True)
        one.bind(str(folder / "t" / "pymp-abcdefgh" / "listener-abcdefgh"))
        assert list(long.iterdir()) == []
