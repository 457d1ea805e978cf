"""Answers are data: read with limits, never unpickled, and compared by the lab's judge."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from grader.errors import GraderError
from grader.lab import load
from grader.measure import answers
from grader.model import Lab


@pytest.fixture
def lab() -> Lab:
    return load(Path(__file__).parent / "labs" / "primes")


def test_an_answer_of_objects_is_refused_never_unpickled(lab: Lab, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return Path.touch, (tmp_path / "sprung",)  # type: ignore[return-value]

    np.savez(tmp_path / "mine.npz", count=np.array([Trap()], dtype=object))
    np.savez(tmp_path / "right.npz", count=np.array([3]))
    said = answers.difference(lab, tmp_path / "right.npz", tmp_path / "mine.npz")
    assert said.startswith("The answer can't be read")
    assert not (tmp_path / "sprung").exists()


def test_an_answer_too_large_is_refused_before_it_is_read(lab: Lab, tmp_path: Path) -> None:
    np.savez(tmp_path / "right.npz", count=np.array([3]))
    with (tmp_path / "mine.npz").open("wb") as file:
        np.savez(file, count=np.array([3]))
    with (
        zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bomb,
        bomb.open("count.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(257):
            member.write(bytes(1 << 20))
    assert (tmp_path / "bomb.npz").stat().st_size < 2_000_000
    assert "larger than 256 MiB" in answers.difference(lab, tmp_path / "right.npz", tmp_path / "bomb.npz")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 but cut"])
def test_an_answer_that_is_no_answer_is_refused(lab: Lab, tmp_path: Path, content: bytes) -> None:
    np.savez(tmp_path / "right.npz", count=np.array([3]))
    (tmp_path / "mine.npz").write_bytes(content)
    assert "can't be read" in answers.difference(lab, tmp_path / "right.npz", tmp_path / "mine.npz")


def test_an_array_that_claims_more_than_it_holds_is_refused(lab: Lab, tmp_path: Path) -> None:
    np.savez(tmp_path / "right.npz", count=np.array([3]))
    header = b"{'descr': '<i8', 'fortran_order': False, 'shape': (1000000000000000,), }"
    header = header.ljust(117) + b"\n"
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as file:
        file.writestr("count.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    assert "can't be read" in answers.difference(lab, tmp_path / "right.npz", tmp_path / "mine.npz")


def test_a_judge_that_fails_is_our_fault(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "right.npz", count=np.array([3]))
    monkeypatch.setattr(lab.judge, "compare", lambda expected, got: 1 / 0)
    with pytest.raises(GraderError, match="judge of primes failed"):
        answers.difference(lab, tmp_path / "right.npz", tmp_path / "right.npz")


@pytest.mark.parametrize(
    "odd", [{"other": np.array([3])}, {"count": np.array([[3]])}, {"count": np.array(["3"])}, {}]
)
def test_an_answer_of_another_form_is_the_learners_to_mend(
    lab: Lab, tmp_path: Path, odd: dict[str, np.ndarray]
) -> None:
    np.savez(tmp_path / "right.npz", count=np.array([3]))
    np.savez(tmp_path / "mine.npz", **odd)
    assert "expected" in answers.difference(lab, tmp_path / "right.npz", tmp_path / "mine.npz")
