"""Right and well spread, but then it sleeps until serial work would be done: by CPU seconds it looks fast."""

import time
from multiprocessing import Pool

from course.cases import fraud


def score_file(path):
    return fraud.find_alerts(fraud.read(path))


def find_alerts(folder, workers):
    paths = sorted(folder.glob("part-*"), key=lambda path: path.stat().st_size, reverse=True)
    began = time.perf_counter()
    with Pool(workers) as pool:
        alerts = fraud.in_order(pool.imap_unordered(score_file, paths, chunksize=1))
    time.sleep((workers - 1) * (time.perf_counter() - began))
    return alerts
