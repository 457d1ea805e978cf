# check: memory
# verdict: not yet
# cause: payload copied
"""Right, but the features are an argument of each task: each worker unpickles a copy of its own."""

from multiprocessing import Pool

import numpy as np

from course.cases import feature_store


def suggest_part(job):
    features, visits = job
    return feature_store.suggest(features, visits)


def suggest_all(folder, workers):
    features = feature_store.unpack(folder)
    feature_store.emphasise(features, folder)
    parts = np.array_split(feature_store.visits(folder), workers)
    with Pool(workers) as pool:
        return np.concatenate(pool.map(suggest_part, [(features, part) for part in parts], chunksize=1))
