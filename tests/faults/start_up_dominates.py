"""A new pool for each small piece of work."""

from multiprocessing import get_context


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    for _ in range(4):
        with get_context("spawn").Pool(2) as pool:
            pool.map(spin, [1_000_000] * 2)
