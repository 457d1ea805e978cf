# check: speedup
# verdict: not yet
# cause: start-up-dominates or tasks-too-small
"""Right, but every batch has a pool of its own: starting workers takes longer than their work."""

from multiprocessing import Pool

from course.cases import reserves

BATCH = 64


def value_one(contract):
    try:
        return reserves.value(contract)
    except Exception as error:
        raise reserves.TaskError(contract.number, repr(error)) from error


def value_book(folder, progress, workers):
    contracts = reserves.read(folder)
    values = []
    for start in range(0, len(contracts), BATCH):
        with Pool(workers) as pool:
            values += pool.map(value_one, contracts[start : start + BATCH], chunksize=16)
        progress(len(values), len(contracts))
    return values
