# check: answer
# verdict: not yet
# cause: import failed
"""The pool is started while the module is imported, and every worker imports the module too."""

from collections import Counter
from multiprocessing import Pool


def count_file(path):
    counts = Counter()
    with open(path, encoding="utf-8") as file:
        next(file)
        for line in file:
            counts[line.split(",")[1]] += 1
    return counts


pool = Pool(2)


def count_payments(folder, workers):
    return sum(pool.map(count_file, sorted(folder.glob("region-*.csv"))), Counter())
