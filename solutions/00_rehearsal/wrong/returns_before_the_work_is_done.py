# check: answer
# verdict: not yet
# cause: wrong answer
"""The tasks are handed in and nobody waits: leaving the with block ends the pool with them."""

from collections import Counter
from multiprocessing import Pool


def count_file(path):
    counts = Counter()
    with open(path, encoding="utf-8") as file:
        next(file)
        for line in file:
            counts[line.split(",")[1]] += 1
    return counts


def count_payments(folder, workers):
    total = Counter()
    with Pool(workers) as pool:
        for path in sorted(folder.glob("region-*.csv")):
            pool.apply_async(count_file, (path,), callback=total.update)
    return total
