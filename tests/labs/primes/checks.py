"""The judge of a small lab that the tests run: count the primes among some integers."""

from pathlib import Path

import numpy as np

SIZES = (0, 1, 7, 301)
SPEED_SIZE = 2000


def make_input(folder: Path, size: int, seed: int) -> None:
    numbers = np.random.default_rng(seed).integers(50_000, 200_000, size)
    np.save(folder / "numbers.npy", numbers)


def arguments(folder: Path) -> tuple[list[int]]:
    return (np.load(folder / "numbers.npy").tolist(),)


def serial(numbers: list[int]) -> int:
    return sum(map(is_prime, numbers))


def is_prime(number: int) -> bool:
    if number < 2:
        return False
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 1
    return True


def encode(answer: int) -> dict[str, np.ndarray]:
    if not isinstance(answer, int):
        raise TypeError(f"count_primes must return an int, not {type(answer).__name__}.")
    return {"count": np.array([answer])}


def compare(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    if int(expected["count"][0]) == int(got["count"][0]):
        return ""
    return f"{expected['count'][0]} of the numbers are prime; your answer is {got['count'][0]}."
