# check: progress
# verdict: not yet
# cause: wrong answer
"""Right, but map hands over nothing until all is done: the progress comes at the end, all at once."""

from multiprocessing import Pool

from course.cases import reserves


def value_one(contract):
    try:
        return reserves.value(contract)
    except Exception as error:
        raise reserves.TaskError(contract.number, repr(error)) from error


def value_book(folder, progress, workers):
    contracts = reserves.read(folder)
    with Pool(workers) as pool:
        values = pool.map(value_one, contracts, chunksize=16)
    for done in range(len(values)):
        progress(done + 1, len(values))
    return values
