"""The workers wait for something outside."""

import time
from multiprocessing import Pool


def fetch(number):
    time.sleep(0.05)
    return number


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.map(fetch, range(24), chunksize=1)))
