"""Three even tasks for two workers."""

from multiprocessing import Pool


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.map(spin, [10_000_000] * 3, chunksize=1)))
