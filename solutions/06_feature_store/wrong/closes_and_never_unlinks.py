# check: clean_up
# verdict: not yet
# cause: segment left
"""Right, but closing is taken for removing: the block stays when all processes are gone."""

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
    parts = np.array_split(feature_store.visits(folder), 4 * workers)
    block = SharedMemory(create=True, size=4 * shape[0] * shape[1])
    fill(block, shape, folder)
    with Pool(workers, attach, (block.name, shape)) as pool:
        suggested = np.concatenate(pool.map(suggest_part, parts, chunksize=1))
    block.close()
    return suggested
