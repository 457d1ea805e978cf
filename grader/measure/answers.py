"""Answers as data: read from the file that a trial wrote, with limits, and compared by the lab's judge."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from grader.errors import GraderError
from grader.model import Lab

Arrays = dict[str, np.ndarray[Any, Any]]

_LARGEST = 256 * 1024 * 1024  # bytes


def read(path: Path) -> Arrays:
    """The named plain arrays of one answer; never unpickled.

    Raises:
        ValueError: not such a file, too large, or it holds objects.
    """
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as file:
            size = max(size, sum(info.file_size for info in file.infolist()))
        if size > _LARGEST:
            raise ValueError(f"it is larger than {_LARGEST >> 20} MiB")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except Exception as error:  # a submission may have written anything at all
        raise ValueError(f"the answer can't be read: {error}") from error


def difference(lab: Lab, expected: Path, got: Path) -> str:
    """An empty text when the answers are equal, else the difference in the judge's words.

    Raises:
        GraderError: the baseline's own answer can't be read, or the judge fails.
    """
    try:
        right = read(expected)
    except ValueError as error:
        raise GraderError(f"The baseline's answer: {error}.") from error
    try:
        mine = read(got)
    except ValueError as error:
        return f"{str(error)[0].upper()}{str(error)[1:]}."
    if odd := _odd_form(right, mine):
        return odd
    try:
        return str(lab.judge.compare(right, mine))
    except Exception as error:
        _refuse_a_broken_judge(lab, right)
        return f"It can't be compared with the right one ({type(error).__name__}: {error})."


def _refuse_a_broken_judge(lab: Lab, right: Arrays) -> None:
    """A judge that fails on the right answer too is our fault; else the answer is, or odd ones would earn points."""
    try:
        lab.judge.compare(right, right)
    except Exception as error:
        raise GraderError(f"The judge of {lab.id} failed: {type(error).__name__}: {error}") from error


def _odd_form(right: Arrays, mine: Arrays) -> str:
    """What the judge need not be ready for: other names, dimensions or kinds of values than the baseline's."""
    if right.keys() != mine.keys():
        return (
            f"The answer holds {', '.join(sorted(mine)) or 'nothing'}; expected {', '.join(sorted(right))}."
        )
    for name, array in right.items():
        if (array.ndim, array.dtype.kind) != (mine[name].ndim, mine[name].dtype.kind):
            return (
                f"{name} has {mine[name].ndim} dimensions of {mine[name].dtype}; "
                f"expected {array.ndim} of {array.dtype}."
            )
    return ""
