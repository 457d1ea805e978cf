# check: answer
# verdict: not yet
# cause: wrong answer
"""Every worker emphasises what all of them share, in place: with two workers it counts twice."""

from multiprocessing import Pool
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from course.cases import feature_store


def attach(name, shape, folder):
    global block, features
    block = SharedMemory(name)
    features = np.ndarray(shape, np.float32, buffer=block.buf)
    feature_store.emphasise(features, folder)


def suggest_part(visits):
    return feature_store.suggest(features, visits)


def fill(block, shape, folder):
    feature_store.unpack(folder, out=np.ndarray(shape, np.float32, buffer=block.buf))


def suggest_all(folder, workers):
    shape = feature_store.shape(folder)
    parts = np.array_split(feature_store.visits(folder), 4 * workers)
    block = SharedMemory(create=True, size=4 * shape[0] * shape[1])
    try:
        fill(block, shape, folder)
        with Pool(workers, attach, (block.name, shape, folder)) as pool:
            return np.concatenate(pool.map(suggest_part, parts, chunksize=1))
    finally:
        block.close()
        block.unlink()
