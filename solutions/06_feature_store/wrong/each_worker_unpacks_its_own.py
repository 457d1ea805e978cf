# check: memory
# verdict: not yet
# cause: payload copied
"""Right, and nothing large travels; but each worker unpacks the whole store for itself."""

from multiprocessing import Pool

import numpy as np

from course.cases import feature_store


def unpack(folder):
    global features
    features = feature_store.unpack(folder)
    feature_store.emphasise(features, folder)


def suggest_part(visits):
    return feature_store.suggest(features, visits)


def suggest_all(folder, workers):
    parts = np.array_split(feature_store.visits(folder), 4 * workers)
    with Pool(workers, unpack, (folder,)) as pool:
        return np.concatenate(pool.map(suggest_part, parts, chunksize=1))
