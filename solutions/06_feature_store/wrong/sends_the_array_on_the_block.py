# check: memory
# verdict: not yet
# cause: payload copied
"""Right, and there is a block; but its array is sent instead of its name, and so it is pickled after all."""

from multiprocessing import Pool
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from course.cases import feature_store


def fill(block, shape, folder):
    features = np.ndarray(shape, np.float32, buffer=block.buf)
    feature_store.unpack(folder, out=features)
    feature_store.emphasise(features, folder)


def suggest_part(job):
    features, visits = job
    return feature_store.suggest(features, visits)


def suggest_all(folder, workers):
    shape = feature_store.shape(folder)
    parts = np.array_split(feature_store.visits(folder), workers)
    block = SharedMemory(create=True, size=4 * shape[0] * shape[1])
    try:
        fill(block, shape, folder)
        return np.concatenate(spread(block, shape, parts, workers))
    finally:
        block.close()
        block.unlink()


def spread(block, shape, parts, workers):
    features = np.ndarray(shape, np.float32, buffer=block.buf)
    with Pool(workers) as pool:
        return pool.map(suggest_part, [(features, part) for part in parts], chunksize=1)
