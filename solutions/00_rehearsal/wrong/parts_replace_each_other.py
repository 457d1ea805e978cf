# check: answer
# verdict: not yet
# cause: wrong answer
"""The parts are merged as plain dicts: the last file's number replaces the others."""

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
        parts = pool.map(count_file, paths)
    total = {}
    for part in parts:
        total.update(part)
    return total
