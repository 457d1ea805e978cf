"""Right, and with a pool, but of one worker."""

from multiprocessing import Pool

from course.cases import fraud


def score_file(path):
    return fraud.find_alerts(fraud.read(path))


def find_alerts(folder, workers):
    with Pool(1) as pool:
        return fraud.in_order(pool.map(score_file, sorted(folder.glob("part-*"))))
