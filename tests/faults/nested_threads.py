"""Each worker multiplies matrices by a library that uses all cores, too."""
# ruff: noqa: E402  (the library reads the number of its threads when it is imported)

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "4"

from multiprocessing import get_context

import numpy as np


def multiply(size):
    matrix = np.ones((size, size))
    for _ in range(6):
        matrix = matrix @ matrix / size
    return float(matrix[0, 0])


if __name__ == "__main__":
    with get_context("spawn").Pool(2) as pool:  # a forked worker's threads are its parent's memory
        print(sum(pool.map(multiply, [1_200] * 8, chunksize=1)))
