# check: answer
# verdict: not yet
# cause: raised
"""What the workers run is defined inside another function: it has no name that a worker could import."""

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
    def count_named(name):
        return count_file(folder / name)

    names = sorted(path.name for path in folder.glob("region-*.csv"))
    with Pool(workers) as pool:
        return sum(pool.map(count_named, names), Counter())
