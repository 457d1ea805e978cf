"""The program asks a slow source before it has anything for its workers."""

import time
from multiprocessing import Pool


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    for _ in range(8):
        time.sleep(0.1)  # it waits for an answer, and then for the next
    with Pool(2) as pool:
        print(sum(pool.map(spin, [1_000_000] * 8, chunksize=1)))
