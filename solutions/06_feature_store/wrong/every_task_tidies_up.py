# check: answer
# verdict: not yet
# cause: raised
"""Every task closes the block and removes it as well: whoever comes next finds none of that name."""

from multiprocessing import Pool
from multiprocessing.shared_memory import SharedMemory

import numpy as np

from course.cases import feature_store


def fill(block, shape, folder):
    features = np.ndarray(shape, np.float32, buffer=block.buf)
    feature_store.unpack(folder, out=features)
    feature_store.emphasise(features, folder)


def suggest_part(job):
    name, shape, visits = job
    block = SharedMemory(name)
    features = np.ndarray(shape, np.float32, buffer=block.buf)
    suggested = feature_store.suggest(features, visits)
    del features
    block.close()
    block.unlink()
    return suggested


def suggest_all(folder, workers):
    shape = feature_store.shape(folder)
    parts = np.array_split(feature_store.visits(folder), 4 * workers)
    block = SharedMemory(create=True, size=4 * shape[0] * shape[1])
    fill(block, shape, folder)
    with Pool(workers) as pool:
        jobs = [(block.name, shape, part) for part in parts]
        suggested = pool.map(suggest_part, jobs, chunksize=1)
    block.close()
    return np.concatenate(suggested)
