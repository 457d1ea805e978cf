"""Fresh secret inputs, in folders that are gone afterwards."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from grader.model import Lab


@contextmanager
def inputs(lab: Lab, sizes: Sequence[int]) -> Iterator[tuple[Path, ...]]:
    """A folder with a fresh secret input for each of these sizes, all gone when the block ends."""
    top = Path(tempfile.mkdtemp(prefix="corewise-input-"))
    try:
        folders = []
        for number, size in enumerate(sizes):
            folder = top / str(number)
            folder.mkdir()
            lab.judge.make_input(folder, size, secrets.randbits(32))
            folders.append(folder)
        yield tuple(folders)
    finally:
        shutil.rmtree(top, ignore_errors=True)
