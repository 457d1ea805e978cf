"""Fresh secret inputs, in folders that are gone afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from grader import scratch
from grader.model import Lab


@contextmanager
def inputs(lab: Lab, sizes: Sequence[int]) -> Iterator[tuple[Path, ...]]:
    """A folder with a fresh secret input for each of these sizes, all gone when the block ends."""
    with scratch.folder() as top:
        folders = []
        for number, size in enumerate(sizes):
            folder = top / str(number)
            folder.mkdir()
            lab.judge.make_input(folder, size, secrets.randbits(32))
            folders.append(folder)
        yield tuple(folders)
