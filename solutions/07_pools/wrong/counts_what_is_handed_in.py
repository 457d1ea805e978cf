# check: progress
# verdict: not yet
# cause: wrong answer
"""Right, but the progress counts tasks that were handed in: it is at the end before the work has begun."""

from concurrent.futures import ProcessPoolExecutor

from course.cases import reserves

CHUNK = 16


def value_one(contract):
    try:
        return reserves.value(contract)
    except Exception as error:
        raise reserves.TaskError(contract.number, repr(error)) from error


def value_chunk(chunk):
    return [value_one(contract) for contract in chunk]


def value_book(folder, progress, workers):
    contracts = reserves.read(folder)
    with ProcessPoolExecutor(workers) as executor:
        futures = []
        for start in range(0, len(contracts), CHUNK):
            futures.append(executor.submit(value_chunk, contracts[start : start + CHUNK]))
            progress(min(start + CHUNK, len(contracts)), len(contracts))
        return [value for future in futures for value in future.result()]
