"""Right and parallel, but in one run of five a worker that left its process group never ends."""

import os
import secrets
import time
from multiprocessing import Pool, Process

from course.cases import fraud


def score_file(path):
    return fraud.find_alerts(fraud.read(path))


def never_ends():
    os.setsid()
    while True:
        time.sleep(60)


def find_alerts(folder, workers):
    paths = sorted(folder.glob("part-*"), key=lambda path: path.stat().st_size, reverse=True)
    with Pool(workers) as pool:
        alerts = fraud.in_order(pool.imap_unordered(score_file, paths, chunksize=1))
    if secrets.randbelow(5) == 0:
        hung = Process(target=never_ends)
        hung.start()
        hung.join()
    return alerts
