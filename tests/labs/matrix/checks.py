"""The judge of a small lab that the tests run: sums over the columns of a matrix of 1024 columns of float64."""

from pathlib import Path

import numpy as np

SIZES = (1, 7, 300)  # rows
SPEED_SIZE = 2000
MEMORY_SIZE = 8192  # 64 MiB
COLUMNS = 1024


def make_input(folder: Path, size: int, seed: int) -> None:
    np.random.default_rng(seed).random((size, COLUMNS)).tofile(folder / "matrix.f64")


def arguments(folder: Path) -> tuple[str]:
    return (str(folder / "matrix.f64"),)


def payload(folder: Path) -> int:
    return (folder / "matrix.f64").stat().st_size


def serial(path: str) -> np.ndarray:
    return sums(np.fromfile(path).reshape(-1, COLUMNS))


def sums(rows: np.ndarray) -> np.ndarray:
    total = np.zeros(COLUMNS)
    for row in rows:
        for factor in range(1, 9):
            total += np.sin(factor * row)
    return total


def encode(answer: np.ndarray) -> dict[str, np.ndarray]:
    if not isinstance(answer, np.ndarray):
        raise TypeError(f"column_sums must return an array, not {type(answer).__name__}.")
    return {"sums": answer}


def compare(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    if np.allclose(expected["sums"], got["sums"]):
        return ""
    return "The sums differ."
