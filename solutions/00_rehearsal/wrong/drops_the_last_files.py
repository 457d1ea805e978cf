# check: answer
# verdict: not yet
# cause: wrong answer
"""Whole shares only: the files that are left over after the division are never counted."""

from collections import Counter
from multiprocessing import Pool


def count_file(path):
    counts = Counter()
    with open(path, encoding="utf-8") as file:
        next(file)
        for line in file:
            counts[line.split(",")[1]] += 1
    return counts


def count_files(paths):
    total = Counter()
    for path in paths:
        total.update(count_file(path))
    return total


def count_payments(folder, workers):
    paths = sorted(folder.glob("region-*.csv"))
    size = len(paths) // workers
    shares = [paths[i * size : (i + 1) * size] for i in range(workers)]
    with Pool(workers) as pool:
        return sum(pool.map(count_files, shares), Counter())
