"""Many more workers than this machine has cores."""

import os
from multiprocessing import Pool


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    workers = 6 * (os.cpu_count() or 1)
    with Pool(workers) as pool:
        print(sum(pool.map(spin, [3_000_000] * workers * 2, chunksize=1)))
