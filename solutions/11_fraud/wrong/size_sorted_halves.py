# check: speedup
# verdict: not yet
# cause: skew
"""Right, but the files are sorted by size and cut in the middle: one worker gets most of the rows."""

from multiprocessing import Pool

from course.cases import fraud


def score_files(paths):
    return fraud.in_order([fraud.find_alerts(fraud.read(path)) for path in paths])


def find_alerts(folder, workers):
    paths = sorted(folder.glob("part-*"), key=lambda path: path.stat().st_size, reverse=True)
    size = -(-len(paths) // workers)
    shares = [paths[start : start + size] for start in range(0, len(paths), size)]
    with Pool(workers) as pool:
        return fraud.in_order(pool.map(score_files, shares, chunksize=1))
