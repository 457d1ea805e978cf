"""Tasks of some microseconds, handed out one at a time."""

from multiprocessing import Pool


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.map(spin, [20] * 40_000, chunksize=1)))
