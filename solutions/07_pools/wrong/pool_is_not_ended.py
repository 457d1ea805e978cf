# check: clean_up
# verdict: not yet
# cause: process left
"""The pool is closed at the end only: an exception before it leaves the workers at work."""

from multiprocessing import Pool

from course.cases import reserves


def value_one(contract):
    try:
        return reserves.value(contract)
    except Exception as error:
        raise reserves.TaskError(contract.number, repr(error)) from error


def value_book(folder, progress, workers):
    contracts = reserves.read(folder)
    values = []
    pool = Pool(workers)
    for value in pool.imap(value_one, contracts, chunksize=16):
        values.append(value)
        progress(len(values), len(contracts))
    pool.close()
    pool.join()
    return values
