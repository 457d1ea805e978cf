# check: answer
# verdict: not yet
# cause: wrong answer
"""The tasks are handed in and nobody waits: leaving the with block ends the pool with them."""

from multiprocessing import Pool

from course.cases import fraud


def score_file(path):
    return fraud.find_alerts(fraud.read(path))


def find_alerts(folder, workers):
    paths = sorted(folder.glob("part-*"))
    tables = [fraud.find_alerts(fraud.read(paths[0]).iloc[:0])]
    with Pool(workers) as pool:
        for path in paths:
            pool.apply_async(score_file, (path,), callback=tables.append)
    return fraud.in_order(tables)
