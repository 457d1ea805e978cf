# check: answer
# verdict: not yet
# cause: wrong answer
"""The values come in the order in which they are done, not in the order of the book."""

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
    with Pool(workers) as pool:
        for value in pool.imap_unordered(value_one, contracts, chunksize=16):
            values.append(value)
            progress(len(values), len(contracts))
    return values
