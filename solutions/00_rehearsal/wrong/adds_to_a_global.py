# check: answer
# verdict: not yet
# cause: wrong answer
"""The workers add to a variable of the module: each to its own copy, and the parent's stays empty."""

from collections import Counter
from multiprocessing import Pool

total = Counter()


def count_file(path):
    with open(path, encoding="utf-8") as file:
        next(file)
        for line in file:
            total[line.split(",")[1]] += 1


def count_payments(folder, workers):
    with Pool(workers) as pool:
        pool.map(count_file, sorted(folder.glob("region-*.csv")))
    return total
