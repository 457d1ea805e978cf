# check: memory
# verdict: not yet
# cause: held more than once
"""Right, and shared; but the parent unpacks into an array of its own and keeps it beside the block."""

from multiprocessing import Pool
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from course.cases import feature_store


def attach(name, shape):
    global block, features
    block = SharedMemory(name)
    features = np.ndarray(shape, np.float32, buffer=block.buf)


def suggest_part(visits):
    return feature_store.suggest(features, visits)


def fill(block, unpacked):
    np.ndarray(unpacked.shape, np.float32, buffer=block.buf)[:] = unpacked


def suggest_all(folder, workers):
    unpacked = feature_store.unpack(folder)
    feature_store.emphasise(unpacked, folder)
    parts = np.array_split(feature_store.visits(folder), 4 * workers)
    block = SharedMemory(create=True, size=unpacked.nbytes)
    try:
        fill(block, unpacked)
        with Pool(workers, attach, (block.name, unpacked.shape)) as pool:
            return np.concatenate(pool.map(suggest_part, parts, chunksize=1))
    finally:
        block.close()
        block.unlink()
