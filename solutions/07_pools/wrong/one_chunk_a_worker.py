# check: speedup
# verdict: not yet
# cause: skew or tasks-too-few or one-worker-does-all
"""Right, but the book is cut into as many chunks as there are workers: the last one has the large contracts."""

from multiprocessing import Pool

from course.cases import reserves


def value_one(contract):
    try:
        return reserves.value(contract)
    except Exception as error:
        raise reserves.TaskError(contract.number, repr(error)) from error


def value_book(folder, progress, workers):
    contracts = reserves.read(folder)
    share = max(1, -(-len(contracts) // workers))
    values = []
    with Pool(workers) as pool:
        for value in pool.imap(value_one, contracts, chunksize=share):
            values.append(value)
            progress(len(values), len(contracts))
    return values
