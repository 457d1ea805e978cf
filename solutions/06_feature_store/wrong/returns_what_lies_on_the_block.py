# check: answer
# verdict: not yet
# cause: died or wrong answer
"""The workers write their suggestions into a block; what is returned is an array on what is closed."""

from multiprocessing import Pool
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from course.cases import feature_store


def fill(block, shape, folder):
    features = np.ndarray(shape, np.float32, buffer=block.buf)
    feature_store.unpack(folder, out=features)
    feature_store.emphasise(features, folder)


def attach(name, shape, answers, count):
    global block, features, other, suggested
    block, other = SharedMemory(name), SharedMemory(answers)
    features = np.ndarray(shape, np.float32, buffer=block.buf)
    suggested = np.ndarray((count, feature_store.PLACES), np.int64, buffer=other.buf)


def suggest_part(job):
    start, visits = job
    suggested[start : start + len(visits)] = feature_store.suggest(features, visits)


def suggest_all(folder, workers):
    shape = feature_store.shape(folder)
    visits = feature_store.visits(folder)
    step = max(1, len(visits) // (4 * workers))
    jobs = [(start, visits[start : start + step]) for start in range(0, len(visits), step)]
    block = SharedMemory(create=True, size=4 * shape[0] * shape[1])
    answers = SharedMemory(create=True, size=max(1, 8 * feature_store.PLACES * len(visits)))
    try:
        fill(block, shape, folder)
        suggested = np.ndarray((len(visits), feature_store.PLACES), np.int64, buffer=answers.buf)
        with Pool(workers, attach, (block.name, shape, answers.name, len(visits))) as pool:
            pool.map(suggest_part, jobs, chunksize=1)
        return suggested
    finally:
        for one in (block, answers):
            one.close()
            one.unlink()
