# check: speedup
# verdict: not yet
# cause: lock-convoy
"""Right, but each part is done under a lock, because the features are shared: one worker works, the others wait."""

from multiprocessing import Lock, Pool
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from course.cases import feature_store


def fill(block, shape, folder):
    features = np.ndarray(shape, np.float32, buffer=block.buf)
    feature_store.unpack(folder, out=features)
    feature_store.emphasise(features, folder)


def attach(name, shape, one_at_a_time):
    global block, features, lock
    block, lock = SharedMemory(name), one_at_a_time
    features = np.ndarray(shape, np.float32, buffer=block.buf)


def suggest_part(visits):
    with lock:
        return feature_store.suggest(features, visits)


def suggest_all(folder, workers):
    shape = feature_store.shape(folder)
    parts = np.array_split(feature_store.visits(folder), 4 * workers)
    block = SharedMemory(create=True, size=4 * shape[0] * shape[1])
    try:
        fill(block, shape, folder)
        with Pool(workers, attach, (block.name, shape, Lock())) as pool:
            return np.concatenate(pool.map(suggest_part, parts, chunksize=1))
    finally:
        block.close()
        block.unlink()
