# check: failure
# verdict: not yet
# cause: wrong answer
"""The error comes out as it is: nobody learns which of the contracts it was."""

from concurrent.futures import ProcessPoolExecutor

from course.cases import reserves


def value_book(folder, progress, workers):
    contracts = reserves.read(folder)
    values = []
    with ProcessPoolExecutor(workers) as executor:
        for value in executor.map(reserves.value, contracts, chunksize=16):
            values.append(value)
            progress(len(values), len(contracts))
    return values
