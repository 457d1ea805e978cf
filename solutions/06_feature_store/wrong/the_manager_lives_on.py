# check: clean_up
# verdict: not yet
# cause: process left
"""Right, but the manager that looks after the block is started without a with block, kept, and never shut down."""

from multiprocessing import Pool
from multiprocessing.managers import SharedMemoryManager
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


managers = []


def suggest_all(folder, workers):
    shape = feature_store.shape(folder)
    parts = np.array_split(feature_store.visits(folder), 4 * workers)
    manager = SharedMemoryManager()
    manager.start()
    managers.append(manager)
    block = manager.SharedMemory(4 * shape[0] * shape[1])
    fill(block, shape, folder)
    with Pool(workers, attach, (block.name, shape)) as pool:
        return np.concatenate(pool.map(suggest_part, parts, chunksize=1))
