# check: answer
# verdict: not yet
# cause: wrong answer
"""Equal parts only: the visits that are left over after the division get no suggestions."""

from multiprocessing import Pool
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from course.cases import feature_store


def fill(block, shape, folder):
    features = np.ndarray(shape, np.float32, buffer=block.buf)
    feature_store.unpack(folder, out=features)
    feature_store.emphasise(features, folder)


def attach(name, shape):
    global block, features
    block = SharedMemory(name)
    features = np.ndarray(shape, np.float32, buffer=block.buf)


def suggest_part(visits):
    return feature_store.suggest(features, visits)


def suggest_all(folder, workers):
    shape = feature_store.shape(folder)
    visits = feature_store.visits(folder)
    size = len(visits) // workers
    parts = [visits[i * size : (i + 1) * size] for i in range(workers)]
    block = SharedMemory(create=True, size=4 * shape[0] * shape[1])
    try:
        fill(block, shape, folder)
        with Pool(workers, attach, (block.name, shape)) as pool:
            return np.concatenate(pool.map(suggest_part, parts, chunksize=1))
    finally:
        block.close()
        block.unlink()
