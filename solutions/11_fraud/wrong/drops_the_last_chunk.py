# check: answer
# verdict: not yet
# cause: wrong answer
"""Whole chunks only: the files that are left over after the division are never scored."""

from multiprocessing import Pool

from course.cases import fraud


def score_files(paths):
    return fraud.in_order([fraud.find_alerts(fraud.read(path)) for path in paths])


def find_alerts(folder, workers):
    paths = sorted(folder.glob("part-*"))
    size = len(paths) // workers
    chunks = [paths[i * size : (i + 1) * size] for i in range(workers)]
    with Pool(workers) as pool:
        return fraud.in_order(pool.map(score_files, chunks))
