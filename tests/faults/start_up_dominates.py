"""A new pool for each small piece of work."""

from multiprocessing import Pool


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    for _ in range(25):
        with Pool(2) as pool:
            pool.map(spin, [60_000] * 2)
