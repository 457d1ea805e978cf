# check: answer
# verdict: not yet
# cause: raised
"""The workers look at a global of the parent's: only forked ones have it, all others find no such name."""

from multiprocessing import Pool

import numpy as np

from course.cases import feature_store


def suggest_part(visits):
    return feature_store.suggest(features, visits)


def suggest_all(folder, workers):
    global features
    features = feature_store.unpack(folder)
    feature_store.emphasise(features, folder)
    parts = np.array_split(feature_store.visits(folder), 4 * workers)
    with Pool(workers) as pool:
        return np.concatenate(pool.map(suggest_part, parts, chunksize=1))
