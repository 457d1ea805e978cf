"""Temporary folders: gone when the block ends; what a killed process left is removed later, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader import scratch


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


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


@pytest.mark.parametrize("name", [f"cw-{os.getpid()}-abc", "cw-room", "cw-12x-abc", "corewise-1-abc"])
def test_what_somebody_may_still_use_or_what_is_not_ours_stays(room: Path, name: str) -> None:
    other = left(room, name, hours=1000)
    with scratch.folder():
        assert (other / "input.parquet").exists()


def test_a_link_of_that_name_leads_nowhere(room: Path) -> None:
    kept = left(room, "kept", hours=1000)
    link = room / f"cw-{gone()}-abc"
    link.symlink_to(kept)
    os.utime(link, (0, 0), follow_symlinks=False)
    with scratch.folder():
        assert (kept / "input.parquet").exists()
