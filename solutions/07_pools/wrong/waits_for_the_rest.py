# check: cancel
# verdict: not yet
# cause: wrong answer
"""Leaving the executor's with block waits for every task that was handed in: nobody cancels them."""

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
    chunks = [contracts[start : start + CHUNK] for start in range(0, len(contracts), CHUNK)]
    values = []
    with ProcessPoolExecutor(workers) as executor:
        futures = [executor.submit(value_chunk, chunk) for chunk in chunks]
        for future in futures:
            values += future.result()
            progress(len(values), len(contracts))
    return values
