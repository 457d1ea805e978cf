# check: answer
# verdict: not yet
# cause: wrong type
"""The list of the workers' counts, not their sum."""

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
    paths = sorted(folder.glob("region-*.csv"))
    with Pool(workers) as pool:
        return pool.map(count_file, paths)
