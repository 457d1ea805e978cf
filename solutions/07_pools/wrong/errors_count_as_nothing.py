# check: failure
# verdict: not yet
# cause: wrong answer
"""A contract that can't be valued counts as 0, and nobody is told."""

from multiprocessing import Pool

from course.cases import reserves


def value_one(contract):
    try:
        return reserves.value(contract)
    except Exception:
        return 0


def value_book(folder, progress, workers):
    contracts = reserves.read(folder)
    values = []
    with Pool(workers) as pool:
        for value in pool.imap(value_one, contracts, chunksize=16):
            values.append(value)
            progress(len(values), len(contracts))
    return values
